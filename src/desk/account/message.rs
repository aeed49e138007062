//! Messages to people. The only senders of the house live in `app`.

use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, Utc};
use ring::hmac;

use crate::domain::account::Purpose;
use crate::domain::contact::Contact;
use crate::store::Fault;

/// Sends messages.
#[async_trait]
pub trait Messenger: fmt::Debug + Send + Sync {
    /// Sends a message, or says why it cannot. What it says names nobody.
    async fn send(&self, to: &Contact, message: Message) -> Result<(), Fault>;

    /// Whether messages can be sent there at all, as things are set.
    fn reaches(&self, to: &Contact) -> bool;

    /// Hears the answer to a captcha that was just drawn, so that programs can log in. Only a sender of development
    /// does anything with it.
    fn overhear_captcha(&self, _id: &str, _answer: &str, _at: DateTime<Utc>) {}
}

/// Proves to a gateway who asks: HMAC-SHA-256 (RFC 2104) over the moment, a dot and the body, in base64.
pub(crate) fn signature(key: &[u8], moment: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let signed = [moment.as_bytes(), b".", body].concat();
    STANDARD.encode(hmac::sign(&key, &signed))
}

/// What is sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// A verification code.
    Code {
        /// What it is for.
        purpose: Purpose,
        /// Six digits.
        code: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// That a copy expires soon.
    Reminder(Reminder),
    /// That staff answered a ticket: not whose, nor what.
    TicketAnswered {
        /// When.
        at: DateTime<Utc>,
    },
}

/// That a copy expires soon. Whose it is, is not said: a message lies open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// What its certificate is called.
    pub title: String,
    /// Its last day.
    pub valid_until: NaiveDate,
    /// Days from today to that day: on the last one 0.
    pub days_left: u32,
    /// When.
    pub at: DateTime<Utc>,
}

impl Message {
    /// When it was made.
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Code { at, .. } | Self::Reminder(Reminder { at, .. }) | Self::TicketAnswered { at } => *at,
        }
    }

    /// The stable word: what a code is for, `reminder` or `ticket_answered`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Code { purpose, .. } => purpose.word(),
            Self::Reminder(_) => "reminder",
            Self::TicketAnswered { .. } => "ticket_answered",
        }
    }
}

impl fmt::Debug for Message {
    /// Codes are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({})", self.word())
    }
}
