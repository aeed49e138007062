//! Tickets: what people send whom the register does not know, with a scan of their certificate, for staff to answer.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::domain::account::Mobile;
use crate::domain::certificate::{Line, ManagementNo, Name};
use crate::domain::event::Actor;
use crate::domain::identity::PersonId;
use crate::domain::ids::{Sha256, TicketId};
use crate::domain::refusal::FieldFault;

/// Most bytes of a scan as it is sent (5 MiB).
pub const SCAN_MOST: usize = 5 * 1024 * 1024;

/// A ticket. Whoever sent it proved the mobile, and nothing else: who they are is for staff to judge by the scan.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its name, which the applicant is told.
    pub id: TicketId,
    /// Who says that they have a certificate.
    pub person: PersonId,
    /// Their name as on it.
    pub name: Name,
    /// Its 管理号.
    pub management_no: ManagementNo,
    /// The mobile that the code went to.
    pub mobile: Mobile,
    /// The scan.
    pub scan: Scan,
    /// What else they say.
    pub words: Option<Line<200>>,
    /// When it was sent.
    pub opened_at: DateTime<Utc>,
    /// Whether staff answered.
    pub state: TicketState,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({}, {})", self.id, self.state.word())
    }
}

/// A scan as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The digest that it is kept under.
    pub document: Sha256,
    /// What it is.
    pub kind: ScanKind,
}

/// What a scan is, told by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanKind {
    /// A picture, encoded anew by the service.
    Jpeg,
    /// A PDF as it came: never opened by the service, never shown within its pages.
    Pdf,
}

impl ScanKind {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Pdf => "pdf",
        }
    }

    /// The type of the file (RFC 6838).
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Pdf => "application/pdf",
        }
    }
}

impl FromStr for ScanKind {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let kind = [Self::Jpeg, Self::Pdf].into_iter().find(|kind| kind.word() == text);
        kind.ok_or(FieldFault::NotOneOf("jpeg, pdf"))
    }
}

/// Whether a ticket waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketState {
    /// It waits for an answer.
    Open,
    /// Staff answered, once and for all: who is not content sends another.
    Answered(TicketAnswer),
}

impl TicketState {
    /// The stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => Standing::Open.word(),
            Self::Answered(_) => Standing::Answered.word(),
        }
    }

    /// The answer, where there is one.
    pub fn answer(&self) -> Option<&TicketAnswer> {
        match self {
            Self::Open => None,
            Self::Answered(answer) => Some(answer),
        }
    }
}

/// The states to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits.
    Open,
    /// It was answered.
    Answered,
}

impl Standing {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
        }
    }
}

impl FromStr for Standing {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let standing = [Self::Open, Self::Answered].into_iter().find(|standing| standing.word() == text);
        standing.ok_or(FieldFault::NotOneOf("open, answered"))
    }
}

/// What staff answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketAnswer {
    /// Whether they helped.
    pub outcome: Outcome,
    /// What was mended, or why nothing was: for the applicant to read.
    pub words: Line<200>,
    /// Who.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The record was entered or corrected: signing up works now.
    Accepted,
    /// Nothing was changed.
    Declined,
}

impl Outcome {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
        }
    }
}

impl FromStr for Outcome {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let outcome = [Self::Accepted, Self::Declined].into_iter().find(|outcome| outcome.word() == text);
        outcome.ok_or(FieldFault::NotOneOf("accepted, declined"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_others_are_refused() {
        for outcome in [Outcome::Accepted, Outcome::Declined] {
            assert_eq!(outcome.word().parse(), Ok(outcome));
        }
        for standing in [Standing::Open, Standing::Answered] {
            assert_eq!(standing.word().parse(), Ok(standing));
        }
        for kind in [ScanKind::Jpeg, ScanKind::Pdf] {
            assert_eq!(kind.word().parse(), Ok(kind));
        }
        assert!("png".parse::<ScanKind>().is_err() && "closed".parse::<Standing>().is_err());
        assert!("maybe".parse::<Outcome>().is_err());
    }
}
