//! Messages to people. The only senders of the house live in `app`.

use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ring::hmac;

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

/// Proves to a gateway who asks: HMAC-SHA-256 (RFC 2104) over the moment, a dot and the body, in base64.
pub(crate) fn signature(key: &[u8], moment: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let signed = [moment.as_bytes(), b".", body].concat();
    STANDARD.encode(hmac::sign(&key, &signed))
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
