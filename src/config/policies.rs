//! Policies from TOML: parsed once, every mistake named.

use toml::{Table, Value};

use crate::config::reader::Reader;
use crate::domain::certificate::CertificateType;
use crate::domain::policy::{Cap, Counting, Policy, PolicyBook, ScenarioText};

/// The policies that hold where nobody sets others.
pub(super) const DEFAULT: &str = include_str!("policies.toml");

/// Reads a policy file.
pub(super) fn read(text: &str, mistakes: &mut Vec<String>) -> Option<PolicyBook> {
    let table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            mistakes.push(format!("policies: {}", error.message()));
            return None;
        }
    };
    let mut reader = Reader::new("policies.", table, mistakes);
    let otherwise = reader.table("otherwise");
    let types = reader.table("type");
    reader.finish();
    let by_type = types
        .into_iter()
        .filter_map(|(name, own)| {
            let Value::Table(own) = own else {
                mistakes.push(format!("policies.type.{name}: a section is wanted"));
                return None;
            };
            let kind: Option<CertificateType> = name.parse().ok();
            if kind.is_none() {
                mistakes.push(format!("policies.type.{name}: not a certificate type"));
            }
            // What a type does not state, `otherwise` states.
            let mut merged = otherwise.clone();
            merged.extend(own);
            Some((kind?, policy(&format!("policies.type.{name}."), merged, mistakes)?))
        })
        .collect();
    let otherwise = policy("policies.otherwise.", otherwise, mistakes)?;
    Some(PolicyBook { by_type, otherwise })
}

fn policy(path: &str, table: Table, mistakes: &mut Vec<String>) -> Option<Policy> {
    let mut reader = Reader::new(path, table, mistakes);
    let max_days = days(&mut reader, "max_days");
    let default_days = days(&mut reader, "default_days");
    let quota = days(&mut reader, "quota");
    let window_days = days(&mut reader, "window_days");
    let counting = match reader.text("counting").as_deref() {
        Some("active") => Some(Counting::Active),
        Some("granted") => Some(Counting::Granted),
        _ => {
            reader.wrong("counting", "must be active or granted");
            None
        }
    };
    let scenarios = scenarios(&mut reader);
    let caps = caps(&mut reader);
    let exempt_before = reader.parse("exempt_before", "a day as YYYY-MM-DD");
    let licence_type = reader.parse("licence_type", "a credit code and three digits (GB/T 36904)");
    if licence_type.is_none() {
        reader.wrong("licence_type", "a credit code and three digits are wanted");
    }
    let hand_signature = switch(&mut reader, "hand_signature");
    if let (Some(default), Some(max)) = (default_days, max_days)
        && default > max
    {
        reader.wrong("default_days", "must not exceed max_days");
    }
    reader.finish();
    Some(Policy {
        max_days: max_days?,
        default_days: default_days?,
        quota: quota?,
        window_days: window_days?,
        counting: counting?,
        scenarios: scenarios?,
        caps,
        exempt_before,
        licence_type: licence_type?,
        hand_signature: hand_signature?,
    })
}

fn days(reader: &mut Reader<'_>, name: &str) -> Option<u32> {
    let number = reader.parse(name, "a whole number").filter(|number| (1..=3650).contains(number));
    if number.is_none() {
        reader.wrong(name, "a whole number from 1 to 3650 is wanted");
    }
    number
}

/// A switch that is off where nobody names it: files written before it was invented stay good.
fn switch(reader: &mut Reader<'_>, name: &str) -> Option<bool> {
    let Some(value) = reader.take(name) else { return Some(false) };
    let switch = value.as_bool();
    if switch.is_none() {
        reader.wrong(name, "true or false is wanted");
    }
    switch
}

fn scenarios(reader: &mut Reader<'_>) -> Option<Vec<ScenarioText>> {
    let Some(Value::Array(items)) = reader.take("scenarios") else {
        reader.wrong("scenarios", "a list is wanted");
        return None;
    };
    let parsed: Option<Vec<ScenarioText>> = items
        .iter()
        .map(|item| {
            let text = |name: &str| item.get(name).and_then(Value::as_str);
            let key = text("key")?.parse().ok()?;
            Some(ScenarioText { key, chinese: text("zh")?.to_owned(), english: text("en")?.to_owned() })
        })
        .collect();
    let parsed = parsed.filter(|scenarios| !scenarios.is_empty());
    if parsed.is_none() {
        reader.wrong("scenarios", "each wants key, zh and en, and there must be one");
    }
    parsed
}

fn caps(reader: &mut Reader<'_>) -> Vec<Cap> {
    let Some(Value::Array(items)) = reader.take("caps") else {
        reader.wrong("caps", "a list is wanted; it may be empty");
        return Vec::new();
    };
    let mut caps = Vec::new();
    for item in &items {
        let age = item.get("age").and_then(Value::as_integer).and_then(|years| u32::try_from(years).ok());
        match (item.as_str(), age) {
            (Some("registration"), _) => caps.push(Cap::Registration),
            (_, Some(years)) if years <= 150 => caps.push(Cap::Age(years)),
            _ => reader.wrong("caps", "each is \"registration\" or { age = years }"),
        }
    }
    caps
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn the_bundled_policies_are_sound() {
        let mut mistakes = Vec::new();
        let book = read(DEFAULT, &mut mistakes);
        assert_eq!(mistakes, Vec::<String>::new());
        assert!(book.is_some_and(|book| book.by_type.len() == 14 && book.otherwise.max_days == 90));
    }

    #[test]
    fn prints_of_guangdong_are_signed_by_hand_and_a_file_without_the_switch_asks_for_none() {
        let by_hand = |text: &str| {
            let book = read(text, &mut Vec::new()).expect("sound");
            let of = |kind: &str| book.of(&kind.parse().expect("a type")).hand_signature;
            ["guangdong-architect-registration", "architect-registration", "unheard-of"].map(of)
        };
        assert_eq!(by_hand(DEFAULT), [true, false, false]);
        let before: String =
            DEFAULT.lines().filter(|line| !line.starts_with("hand_")).map(|l| l.to_owned() + "\n").collect();
        assert_eq!(by_hand(&before), [false, false, false]);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let mut mistakes = Vec::new();
        let text = DEFAULT
            .replace("max_days = 90 ", "max_days = 0 ")
            .replace("hand_signature = false", "hand_signature = \"no\"")
            .replace("counting = \"active\"", "counting = \"some\"\nquotas = 4")
            .replace("[type.planner-qualification]", "[type.Planner]");
        assert!(read(&text, &mut mistakes).is_none());
        for part in [
            "otherwise.max_days",
            "otherwise.counting",
            "otherwise.quotas: no such setting",
            "otherwise.hand_signature: true or false",
            "type.Planner",
        ] {
            assert!(mistakes.iter().any(|mistake| mistake.contains(part)), "{part} in {mistakes:?}");
        }
    }
}
