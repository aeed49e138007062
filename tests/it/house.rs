//! The house rules that the compiler cannot state: who may look at whom, and what is kept out of which room.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room of `src` and the rooms it may import. A room that is not listed fails the test.
const LADDER: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("registration", &["domain"]),
    ("render", &["domain"]),
    ("seal", &["domain", "render"]),
    ("store", &["domain", "registration", "seal"]),
    ("desk", &["domain", "registration", "render", "seal", "store"]),
    ("metrics", &["domain", "desk"]),
    ("worker", &["domain", "desk", "metrics"]),
    ("http", &["domain", "registration", "seal", "desk", "metrics"]),
    ("pages", &["domain", "registration", "seal", "desk", "http"]),
    ("config", &["domain", "registration", "seal", "desk", "http"]),
    (
        "app",
        &[
            "domain",
            "registration",
            "render",
            "seal",
            "store",
            "desk",
            "metrics",
            "worker",
            "http",
            "pages",
            "config",
        ],
    ),
    ("cli", &["domain", "registration", "render", "seal", "desk", "http", "config", "app"]),
];

/// Words and the only places that may say them.
const KEPT_IN: &[(&str, &[&str])] = &[
    ("sled::", &["store/embedded"]),
    ("sqlx::", &["store/postgres", "store/migrate/tests"]),
    ("object_store::", &["store/postgres"]),
    ("rustls::", &["store/postgres", "app/gateway.rs"]),
    ("reqwest::", &["app/gateway.rs"]),
    ("crate::store::embedded", &["store/embedded", "store/migrate/tests", "app.rs", "app/"]),
    ("crate::store::postgres", &["store/postgres", "store/migrate/tests", "app.rs", "app/"]),
    ("axum::", &["http/", "http.rs", "pages/", "pages.rs", "app.rs", "app/"]),
    ("printpdf::", &["render/"]),
    ("lopdf::", &["render/", "seal/"]),
    ("rcgen::", &["seal/"]),
    ("ring::", &["seal/", "store/", "desk/", "app/gateway.rs"]),
    ("SystemTime::now", &["app.rs", "app/"]),
    ("Utc::now", &[]),
    // These two of sled 0.34 hang.
    (".apply_batch(", &[]),
    (".transaction(", &[]),
    ("super::super::", &[]),
    ("todo!", &[]),
    ("unimplemented!", &[]),
    ("#[ignore", &[]),
    ("Caller::operator()", &["desk/"]),
];

#[test]
fn every_room_looks_only_down_the_ladder() {
    let mut broken = Vec::new();
    for (file, text) in sources("src") {
        let room = room(&file);
        let Some((_, allowed)) = LADDER.iter().find(|(name, _)| *name == room) else {
            if !["main", "lib"].contains(&room) {
                broken.push(format!("{file}: `{room}` has no rung"));
            }
            continue;
        };
        for other in imports(&text) {
            let known = LADDER.iter().any(|(name, _)| *name == other);
            if other != room && known && !allowed.contains(&other.as_str()) {
                broken.push(format!("{file}: `{room}` may not import `{other}`"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn words_stay_in_their_room() {
    let mut broken = Vec::new();
    for (file, text) in sources("src") {
        for (word, homes) in KEPT_IN {
            if says(&text, word) && !homes.iter().any(|home| file.starts_with(home)) {
                broken.push(format!("{file}: says `{word}`"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_file_opens_with_its_purpose_and_fits_on_a_desk() {
    for folder in ["src", "tests", "benches"] {
        for (file, text) in sources(folder) {
            let says_it = text.starts_with("//! ") || text.starts_with("#![doc = include_str!");
            assert!(says_it, "{folder}/{file}: the first line says what the file is for");
            let lines = text.lines().count();
            assert!(lines <= 500, "{folder}/{file}: {lines} lines, split it by what it is about");
        }
    }
}

#[test]
fn no_test_is_skipped_and_none_sleeps() {
    // Another process can only be waited for by asking again; the axe falls at a random moment.
    let may_wait = ["it/service.rs", "it/kill/", "servers/"];
    // This file lists the words.
    for (file, text) in sources("tests").iter().filter(|(file, _)| file != "it/house.rs") {
        assert!(!says(text, "#[ignore"), "{file}: an ignored test");
        assert!(!says(text, "todo!"), "{file}: an unwritten test");
        let waits = says(text, "sleep(");
        assert!(
            !waits || may_wait.iter().any(|place| file.starts_with(place)),
            "{file}: sleeps; move the clock by hand"
        );
    }
}

#[test]
fn the_ladder_has_no_circle() {
    for (at, (room, below)) in LADDER.iter().enumerate() {
        for other in *below {
            let rung = LADDER.iter().position(|(name, _)| name == other);
            assert!(rung.is_some_and(|rung| rung < at), "`{room}` looks up or sideways at `{other}`");
        }
    }
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let text =
        "use crate::desk::Desk;\nuse crate::{domain::{ids, event}, seal};\nlet x = crate::store::open();";
    assert_eq!(imports(text), ["desk", "domain", "seal", "store"]);
    assert!(says("a todo!() b", "todo!") && !says("mastodon_todo!", "todo!"));
    assert!(!says("// never `sled::Tree`\n/// todo! is forbidden", "sled::"));
}

/// Whether code, and not only a comment, says a word; `string::` is not `ring::`.
fn says(text: &str, word: &str) -> bool {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.into_iter().any(|line| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !word.starts_with(char::is_alphabetic) || !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    })
}

/// `crate::a::..` and `crate::{a::.., b}` both count as looking at `a` (and `b`).
fn imports(text: &str) -> Vec<String> {
    let word =
        |s: &str| s.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if !rest.starts_with('{') {
            found.push(word(rest));
            continue;
        }
        let (mut depth, mut start) = (0, 1);
        for (i, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                ',' if depth == 1 => {
                    found.push(word(&rest[start..i]));
                    start = i + 1;
                }
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        found.push(word(&rest[start..i]));
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// Every Rust file beneath a folder of the project, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut open: Vec<PathBuf> = vec![top.clone()];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            let name = path.strip_prefix(&top).unwrap().to_string_lossy().replace('\\', "/");
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}
