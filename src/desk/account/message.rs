//! Messages to people. The only senders of the house live in `app`.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::account::{Mobile, Purpose};
use crate::store::Fault;

/// Sends messages.
#[async_trait]
pub trait Messenger: fmt::Debug + Send + Sync {
    /// Sends a message to a mobile, or says why it cannot.
    async fn send(&self, to: &Mobile, message: Message) -> Result<(), Fault>;

    /// Hears the answer to a captcha that was just drawn, so that programs can log in. Only a sender of development
    /// does anything with it.
    fn overhear_captcha(&self, _id: &str, _answer: &str, _at: DateTime<Utc>) {}
}

/// What is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// What the code is for.
    pub purpose: Purpose,
    /// Six digits.
    pub code: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl fmt::Debug for Message {
    /// Codes are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({})", self.purpose.word())
    }
}
