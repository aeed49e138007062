//! Reads the rules of a regime: its conditions, what acts lead to, what approval does.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::registration::case::Act;
use crate::registration::conditions::Condition;
use crate::registration::regime::reading::worded;
use crate::registration::regime::section::Section;
use crate::registration::regime::{Consequence, Target};
use crate::registration::word::FieldName;

/// The acts of a stage and where each leads: a stage's name, or one of the ends.
pub(super) fn acts(section: &mut Section<'_>) -> BTreeMap<Act, Target> {
    let Some(acts) = section.section("acts") else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (word, value) in acts.entries() {
        let at = |word: &str| format!("acts.{word}");
        let Ok(act) = word.parse::<Act>() else {
            section.wrong(&at(&word), "there is no such act");
            continue;
        };
        let target = match value.as_str() {
            Some("approved") => Some(Target::Approved),
            Some("rejected") => Some(Target::Rejected),
            Some("returned") => Some(Target::Returned),
            Some("correction") => Some(Target::Correction),
            Some(stage) => stage.parse().ok().map(Target::Stage),
            None => None,
        };
        match target {
            Some(target) => {
                found.insert(act, target);
            }
            None => section.wrong(
                &at(&word),
                "the name of a stage, approved, rejected, returned or correction is wanted",
            ),
        }
    }
    found
}

/// The conditions of a type, or of all.
pub(super) fn conditions(section: &mut Section<'_>) -> Vec<Condition> {
    let items = match section.take("conditions") {
        None => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            section.wrong("conditions", "a list is wanted");
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for item in items {
        match worded(item) {
            Some((word, with)) => match condition(&word, with.as_ref()) {
                Ok(condition) => found.push(condition),
                Err(what) => section.wrong("conditions", what),
            },
            None => section
                .wrong("conditions", "a condition is a word, or a table of one word with its parameter"),
        }
    }
    found
}

fn condition(word: &str, with: Option<&Value>) -> Result<Condition, String> {
    let text =
        |name: &str| with.and_then(Value::as_table).and_then(|with| with.get(name)).and_then(Value::as_str);
    let plain = match word {
        "photo_and_signature" => Condition::PhotoAndSignature,
        "profile_complete" => Condition::ProfileComplete,
        "real_name" => Condition::RealName,
        "employer_registered" => Condition::EmployerRegistered,
        "not_enrolled" => Condition::NotEnrolled,
        "first_registration" => Condition::FirstRegistration,
        "registered" => Condition::Registered,
        "in_force" => Condition::InForce,
        "other_specialty" => Condition::OtherSpecialty,
        "registration_ended" => Condition::RegistrationEnded,
        "employer_differs" => Condition::EmployerDiffers,
        "social_insurance" => Condition::SocialInsurance,
        "qualification" => {
            return match with.map(Value::as_str) {
                None => Ok(Condition::Qualification { library: false }),
                Some(Some("library")) => Ok(Condition::Qualification { library: true }),
                Some(_) => Err("`qualification` is a word, or `{ qualification = \"library\" }`".to_owned()),
            };
        }
        "renewal_window" => {
            let months = with.and_then(Value::as_integer).and_then(|months| u32::try_from(months).ok());
            let months = months.filter(|months| (1..=120).contains(months));
            return months.map(|months| Condition::RenewalWindow { months }).ok_or_else(|| {
                "`renewal_window` takes 1 to 120 months, as `{ renewal_window = 6 }`".to_owned()
            });
        }
        "ruling_if_forced" => {
            let field = text("field").and_then(|field| field.parse().ok());
            let attachment = text("attachment").and_then(|attachment| attachment.parse().ok());
            return match (field, attachment) {
                (Some(field), Some(attachment)) => Ok(Condition::RulingIfForced { field, attachment }),
                _ => Err("`ruling_if_forced` takes `{ field = …, attachment = … }`".to_owned()),
            };
        }
        _ => return Err(format!("there is no condition `{word}`")),
    };
    if with.is_some() { Err(format!("`{word}` takes no parameter")) } else { Ok(plain) }
}

/// What approval of a type does.
pub(super) fn consequence(section: &mut Section<'_>) -> Option<Consequence> {
    let Some(value) = section.take("effect") else {
        section.wrong("effect", "missing");
        return None;
    };
    let Some((word, with)) = worded(value) else {
        section.wrong("effect", "an effect is a word, or a table of one word with what belongs to it");
        return None;
    };
    match effect(&word, with.unwrap_or(Value::Table(Table::new()))) {
        Ok(effect) => Some(effect),
        Err(what) => {
            section.wrong("effect", what);
            None
        }
    }
}

fn effect(word: &str, with: Value) -> Result<Consequence, String> {
    let Value::Table(mut with) = with else { return Err(format!("`{word}` takes a table")) };
    let mut field = |name: &str| match with.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => match text.parse::<FieldName>() {
            Ok(field) => Ok(Some(field)),
            Err(_) => Err(format!("`{text}` is no field")),
        },
        Some(_) => Err(format!("`{name}` is the name of a field")),
    };
    let wanted = |name: &str| format!("`{word}` takes the field `{name}`");
    let effect = match word {
        "grant" => Consequence::Grant { category: field("category")? },
        "change" => Consequence::Change,
        "extend" => Consequence::Extend,
        "replace" => Consequence::Replace,
        "cancel" => Consequence::Cancel,
        "enrol" => Consequence::Enrol {
            management_no: field("management_no")?.ok_or_else(|| wanted("management_no"))?,
        },
        "convert" => Consequence::Convert { category: field("category")?.ok_or_else(|| wanted("category"))? },
        "correct" => Consequence::Correct {
            name: field("name")?,
            id_number: field("id_number")?,
            id_type: field("id_type")?,
        },
        "reregister" => {
            let months = with.remove("keeps_months").and_then(|months| months.as_integer());
            let keeps_months = months.and_then(|months| u32::try_from(months).ok());
            let keeps_months = keeps_months.filter(|months| (1..=120).contains(months));
            Consequence::Reregister {
                keeps_months: keeps_months.ok_or("`reregister` takes 1 to 120 `keeps_months`")?,
            }
        }
        _ => return Err(format!("there is no effect `{word}`")),
    };
    match with.keys().next() {
        Some(name) => Err(format!("`{word}` knows no `{name}`")),
        None => Ok(effect),
    }
}
