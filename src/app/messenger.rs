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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::desk::DeskError;
    use crate::domain::account::Purpose;

    #[tokio::test]
    async fn without_a_gateway_a_code_is_unavailable_and_no_failure_of_the_machine() {
        let message =
            message::Message { purpose: Purpose::SignUp, code: "123456".into(), at: DateTime::UNIX_EPOCH };
        let fault = NoGateway.send(&"13800005678".parse().unwrap(), message).await.unwrap_err();
        assert!(matches!(DeskError::from(fault), DeskError::Unavailable("no-sms-gateway")));
    }
}
