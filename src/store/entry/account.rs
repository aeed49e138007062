//! The lines of accounts, sessions, verification codes and tickets.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::account::{Purpose, Session, VerificationCode};
use crate::domain::ids::{AccountId, Malformed, Sha256, TicketId};
use crate::store::entry::{Blind, Bytes};
use crate::store::record::text;

/// An account: what finds it, and the rest encrypted with the key of `person`.
#[derive(Serialize, Deserialize)]
pub(crate) struct AccountLine<'a> {
    #[serde(with = "text")]
    pub(crate) id: AccountId,
    #[serde(with = "text")]
    pub(crate) login: Blind,
    #[serde(with = "text")]
    pub(crate) person: Blind,
    pub(crate) slot: u32,
    /// Whether it is one of the few of staff, who are listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) staff: bool,
    pub(crate) sealed: &'a str,
}

/// A ticket: what finds it, the scan that it keeps, and the rest encrypted with the key of `person`.
#[derive(Serialize, Deserialize)]
pub(crate) struct TicketLine<'a> {
    #[serde(with = "text")]
    pub(crate) id: TicketId,
    #[serde(with = "text")]
    pub(crate) person: Blind,
    #[serde(with = "text")]
    pub(crate) mobile: Blind,
    pub(crate) slot: u32,
    pub(crate) open: bool,
    #[serde(with = "text")]
    pub(crate) scan: Sha256,
    pub(crate) sealed: &'a str,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SessionLine {
    #[serde(with = "text")]
    pub(crate) token: Sha256,
    #[serde(with = "text")]
    pub(crate) account: AccountId,
    began_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
}

impl From<&Session> for SessionLine {
    fn from(session: &Session) -> Self {
        let Session { token, account, began_at, seen_at, ended_at } = session.clone();
        Self { token, account, began_at, seen_at, ended_at }
    }
}

impl From<SessionLine> for Session {
    fn from(line: SessionLine) -> Self {
        let SessionLine { token, account, began_at, seen_at, ended_at } = line;
        Self { token, account, began_at, seen_at, ended_at }
    }
}

/// The last code sent to a mobile, or to an e-mail address: `mobile` is the blind form of either.
#[derive(Serialize, Deserialize)]
pub(crate) struct CodeLine {
    pub(crate) purpose: String,
    #[serde(with = "text")]
    pub(crate) mobile: Blind,
    #[serde(with = "text")]
    digest: Sha256,
    #[serde(with = "text")]
    salt: Bytes<16>,
    sent_at: DateTime<Utc>,
    mistyped: u8,
    used: bool,
}

impl CodeLine {
    pub(crate) fn new(mobile: Blind, code: &VerificationCode) -> Self {
        let VerificationCode { purpose, digest, salt, sent_at, mistyped, used } = code.clone();
        Self {
            purpose: purpose.word().to_owned(),
            mobile,
            digest,
            salt: Bytes(salt),
            sent_at,
            mistyped,
            used,
        }
    }

    /// The code that the line tells of.
    ///
    /// # Errors
    /// Its purpose is one that this program does not know.
    pub(crate) fn code(self) -> Result<VerificationCode, Malformed> {
        let purpose: Purpose = self.purpose.parse().map_err(|_| Malformed("purpose"))?;
        let Self { digest, salt: Bytes(salt), sent_at, mistyped, used, .. } = self;
        Ok(VerificationCode { purpose, digest, salt, sent_at, mistyped, used })
    }
}
