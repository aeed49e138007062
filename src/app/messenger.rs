//! The senders of messages: into the outbox of development, or nowhere.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::desk::account::message::{self, Messenger};
use crate::domain::account::Mobile;
use crate::http::development::{Message, Outbox};
use crate::store::Fault;

/// Development: what would have been sent lies where `/dev/outbox` shows it, and the answers to captchas too.
#[derive(Debug)]
pub(crate) struct ToOutbox(pub(crate) Arc<Outbox>);

#[async_trait]
impl Messenger for ToOutbox {
    async fn send(&self, to: &Mobile, message: message::Message) -> Result<(), Fault> {
        let message::Message { purpose, code, at } = message;
        self.0.push(Message { to: to.as_str().to_owned(), kind: purpose.word().to_owned(), value: code, at });
        Ok(())
    }

    fn overhear_captcha(&self, id: &str, answer: &str, at: DateTime<Utc>) {
        let to = format!("captcha:{id}");
        self.0.push(Message { to, kind: "captcha".to_owned(), value: answer.to_owned(), at });
    }
}

/// No gateway is set: what needs a code is answered 503, and all else goes on.
#[derive(Debug)]
pub(crate) struct NoGateway;

#[async_trait]
impl Messenger for NoGateway {
    async fn send(&self, _: &Mobile, _: message::Message) -> Result<(), Fault> {
        Err(Fault::away("sending a message", "no-sms-gateway", "no gateway is set"))
    }
}
