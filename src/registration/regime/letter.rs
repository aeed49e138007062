//! The text of a commitment letter (承诺书), and how it is filled with what is known of the person.

use std::str::FromStr;

use crate::domain::certificate::Line;
use crate::domain::ids::Malformed;

/// The text of a commitment letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LetterText {
    /// Which version of the text it is.
    pub version: u16,
    /// How long it has to be open before it can be accepted.
    pub seconds: u64,
    /// Its clauses. At least one.
    pub clauses: Vec<Clause>,
}

/// A clause, with places for what is known of the person.
#[derive(Clone, PartialEq, Eq)]
pub struct Clause(Vec<Part>);

impl std::fmt::Debug for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.template())
    }
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Blank(Blank),
}

/// A place to be filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blank {
    /// The person's name.
    Name,
    /// The number of their identity document, masked.
    IdNumber,
    /// What the employer is called.
    Employer,
    /// The specialty.
    Specialty,
    /// What the business type is called.
    Business,
    /// What the class is called.
    Class,
}

impl Blank {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Name, Self::IdNumber, Self::Employer, Self::Specialty, Self::Business, Self::Class];

    /// What stands between the braces.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::IdNumber => "id_number",
            Self::Employer => "employer",
            Self::Specialty => "specialty",
            Self::Business => "type",
            Self::Class => "class",
        }
    }
}

impl FromStr for Clause {
    type Err = Malformed;

    /// A line of at most 500 characters; braces hold the words of [`Blank`].
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = Malformed("clause");
        let line: Line<500> = text.parse().map_err(|_| bad)?;
        let (mut parts, mut rest) = (Vec::new(), line.as_str());
        while let Some((before, after)) = rest.split_once('{') {
            let (word, after) = after.split_once('}').ok_or(bad)?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Blank(Blank::ALL.into_iter().find(|blank| blank.word() == word).ok_or(bad)?));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let stray = parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains('}')));
        if stray { Err(bad) } else { Ok(Self(parts)) }
    }
}

impl Clause {
    /// The clause as its file has it.
    pub fn template(&self) -> String {
        self.filled(|blank| format!("{{{}}}", blank.word()))
    }

    /// The clause with its places filled.
    pub fn filled(&self, fill: impl Fn(Blank) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Blank(blank) => fill(*blank),
        };
        self.0.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn a_clause_is_filled_with_what_is_known() {
        let clause: Clause = "本人{name}受聘于{employer}。".parse().unwrap();
        let filled = clause.filled(|blank| match blank {
            Blank::Name => "甯彧".to_owned(),
            _ => "示例设计院".to_owned(),
        });
        assert_eq!(filled, "本人甯彧受聘于示例设计院。");
        assert_eq!(clause.template(), "本人{name}受聘于{employer}。");
    }

    #[test]
    fn a_place_that_nobody_can_fill_is_no_clause() {
        for text in ["{shoe_size}", "{name", "name}", "", "{}"] {
            assert!(text.parse::<Clause>().is_err(), "{text}");
        }
    }
}
