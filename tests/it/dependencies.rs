//! What stands in the dependency tree, held against `deny.toml`: licences, banned crates, sources. Needs no network.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Every package of the tree: name, licence, source.
fn packages() -> Vec<(String, String, Option<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let name = text(&package["name"]).unwrap();
            let licence = text(&package["license"]);
            (
                name.clone(),
                licence.unwrap_or_else(|| panic!("{name} names no licence")),
                text(&package["source"]),
            )
        })
        .collect()
}

fn deny() -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn allowed_licences() -> BTreeSet<String> {
    let deny = deny();
    let allow = deny["licenses"]["allow"].as_array().unwrap().iter();
    allow.map(|licence| licence.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_licence_is_on_the_list() {
    let allowed = allowed_licences();
    let refused: Vec<_> = packages()
        .into_iter()
        .filter(|(_, licence, _)| !satisfied(licence, &allowed))
        .map(|(name, licence, _)| format!("{name}: {licence}"))
        .collect();
    assert!(refused.is_empty(), "not on the list of deny.toml:\n{}", refused.join("\n"));
}

#[test]
fn no_banned_crate_is_in_the_tree() {
    let deny = deny();
    let names: BTreeSet<_> = packages().into_iter().map(|(name, _, _)| name).collect();
    for ban in deny["bans"]["deny"].as_array().unwrap() {
        let name = ban["crate"].as_str().unwrap();
        assert!(!names.contains(name), "{name} is in the tree: {:?}", ban["reason"]);
    }
}

#[test]
fn every_dependency_comes_from_the_one_registry() {
    let sources: BTreeSet<_> = packages().into_iter().filter_map(|(_, _, source)| source).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources.iter().all(|source| source.starts_with("registry+")), "{sources:?}");
}

#[test]
fn a_licence_expression_is_satisfied_as_it_is_written() {
    let allowed: BTreeSet<String> = ["MIT", "ISC", "Unicode-3.0"].map(str::to_owned).into();
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("ISC AND MIT", true),
        ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
        ("(MIT OR GPL-3.0) AND GPL-3.0", false),
        ("MIT OR ISC AND GPL-3.0", true),
        ("GPL-3.0 WITH Classpath-exception-2.0 OR ISC", true),
        ("GPL-3.0 WITH Classpath-exception-2.0", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
    }
}

/// Whether an SPDX expression (ISO/IEC 5962, annex D) can be satisfied with the allowed licences alone.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    // Old manifests write a slash for OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (result, rest) = any_of(&words, allowed);
    assert!(rest.is_empty(), "cannot read the licence expression {expression:?}");
    result
}

fn any_of<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    let (mut result, mut rest) = all_of(words, allowed);
    while let Some((&"OR", after)) = rest.split_first() {
        let (next, remaining) = all_of(after, allowed);
        (result, rest) = (result | next, remaining);
    }
    (result, rest)
}

fn all_of<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    let (mut result, mut rest) = one(words, allowed);
    while let Some((&"AND", after)) = rest.split_first() {
        let (next, remaining) = one(after, allowed);
        (result, rest) = (result & next, remaining);
    }
    (result, rest)
}

fn one<'a>(words: &'a [&'a str], allowed: &BTreeSet<String>) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inner @ ..] => {
            let (result, rest) = any_of(inner, allowed);
            (result, rest.strip_prefix(&[")"]).unwrap_or(rest))
        }
        // An exception only ever adds permission, but the licence itself must be allowed.
        [licence, "WITH", _, rest @ ..] | [licence, rest @ ..] => (allowed.contains(*licence), rest),
        [] => (false, words),
    }
}
