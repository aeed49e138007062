//! How often a copy or a certificate was verified: by the hour and by the door, and nothing about who asked. Statistics,
//! not evidence: they are no part of the ledger.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::domain::ids::{AnnotationId, CertificateId};

/// The way by which somebody verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Door {
    /// The page behind the QR code.
    Link,
    /// The code, typed on the first page.
    Typed,
    /// The code, asked about by a program.
    Program,
    /// The file, handed in.
    File,
    /// The three-field query.
    Query,
}

impl Door {
    /// Every door, in their order.
    pub const ALL: [Self; 5] = [Self::Link, Self::Typed, Self::Program, Self::File, Self::Query];

    /// The stable word of the interface.
    pub fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Typed => "code",
            Self::Program => "api",
            Self::File => "file",
            Self::Query => "query",
        }
    }

    /// The door with this word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.word() == word)
    }
}

/// What was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// An annotated copy.
    Annotation(AnnotationId),
    /// A certificate: by its three fields, or by the plain copy of one exempt from annotation.
    Certificate(CertificateId),
}

impl Subject {
    /// The bytes of its name, which no other subject has.
    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        match self {
            Self::Annotation(id) => id.as_bytes(),
            Self::Certificate(id) => id.as_bytes(),
        }
    }
}

/// An hour of the clock, counted from the beginning of 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hour(u32);

const SECONDS: i64 = 3600;

impl Hour {
    /// The hour in which a moment lies; the first or last that can be named for moments before or after all of them.
    pub fn of(at: DateTime<Utc>) -> Self {
        let hours = at.timestamp().div_euclid(SECONDS).max(0);
        Self(u32::try_from(hours).unwrap_or(u32::MAX))
    }

    /// When it begins.
    pub fn begins(self) -> DateTime<Utc> {
        DateTime::from_timestamp(i64::from(self.0) * SECONDS, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Its number.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// Reads what [`Self::number`] gave.
    pub(crate) fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Heading {
    /// What was verified.
    pub subject: Subject,
    /// When.
    pub hour: Hour,
    /// How.
    pub door: Door,
}

/// Counts by heading.
pub type Tallies = BTreeMap<Heading, u64>;

/// Adds some counts to others.
pub(crate) fn add(to: &mut Tallies, more: impl IntoIterator<Item = (Heading, u64)>) {
    for (heading, count) in more {
        let known = to.entry(heading).or_default();
        *known = known.saturating_add(count);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn an_hour_begins_where_the_clock_strikes() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let hour = Hour::of(at("2026-11-21T15:59:59.999Z"));
        assert_eq!(hour.begins(), at("2026-11-21T15:00:00Z"));
        assert_eq!(Hour::of(at("2026-11-21T16:00:00Z")).number(), hour.number() + 1);
        assert_eq!(Hour::of(at("1969-01-01T00:00:00Z")).number(), 0);
    }

    #[test]
    fn doors_are_known_by_their_words() {
        for door in Door::ALL {
            assert_eq!(Door::of_word(door.word()), Some(door));
        }
    }
}
