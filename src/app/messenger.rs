//! The senders of messages, each for its kind of contact: set ones, the outbox of development, or none.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::app::gateway::Gateway;
use crate::app::letter;
use crate::app::mailer::Mailer;
use crate::desk::account::message::{Message, Messenger};
use crate::domain::contact::Contact;
use crate::http::development::{self, Outbox};
use crate::store::Fault;

/// Every sender that is set.
#[derive(Debug, Default)]
pub(crate) struct Messengers {
    /// For short messages.
    pub(crate) sms: Option<Gateway>,
    /// For e-mail.
    pub(crate) mail: Option<Mailer>,
    /// Development: what no other sender takes lies where `/dev/outbox` shows it, and the answers to captchas too.
    pub(crate) outbox: Option<Arc<Outbox>>,
}

#[async_trait]
impl Messenger for Messengers {
    async fn send(&self, to: &Contact, message: Message) -> Result<(), Fault> {
        // With nothing set, what needs a code is answered 503, and all else goes on.
        let nobody = match to {
            Contact::Mobile(mobile) => match &self.sms {
                Some(sms) => return sms.send(mobile, message).await,
                None => "no-sms-gateway",
            },
            Contact::Email(email) => match &self.mail {
                Some(mail) => return mail.send(email, &message).await,
                None => "no-mail-server",
            },
        };
        let Some(outbox) = &self.outbox else {
            return Err(Fault::away("sending a message", nobody, "no sender is set"));
        };
        let to = match to {
            Contact::Mobile(mobile) => mobile.as_str(),
            Contact::Email(email) => email.as_str(),
        };
        let (kind, at) = (message.word().to_owned(), message.at());
        let value = match message {
            Message::Code { code, .. } => code,
            Message::Reminder(reminder) => letter::short_reminder(&reminder),
            Message::TicketAnswered { .. } => letter::SHORT_TICKET_ANSWERED.to_owned(),
        };
        outbox.push(development::Message { to: to.to_owned(), kind, value, at });
        Ok(())
    }

    fn reaches(&self, to: &Contact) -> bool {
        let is_set = match to {
            Contact::Mobile(_) => self.sms.is_some(),
            Contact::Email(_) => self.mail.is_some(),
        };
        is_set || self.outbox.is_some()
    }

    fn overhear_captcha(&self, id: &str, answer: &str, at: DateTime<Utc>) {
        if let Some(outbox) = &self.outbox {
            let to = format!("captcha:{id}");
            outbox.push(development::Message {
                to,
                kind: "captcha".to_owned(),
                value: answer.to_owned(),
                at,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::desk::DeskError;
    use crate::domain::account::Purpose;

    #[tokio::test]
    async fn with_no_sender_set_a_code_is_unavailable_and_no_failure_of_the_machine() {
        let none = Messengers::default();
        let mobile = Contact::Mobile("13800005678".parse().unwrap());
        let email = Contact::Email("a@example.com".parse().unwrap());
        for (to, missing) in [(mobile, "no-sms-gateway"), (email, "no-mail-server")] {
            let at = DateTime::UNIX_EPOCH;
            let message = Message::Code { purpose: Purpose::SignUp, code: "123456".into(), at };
            let fault = none.send(&to, message).await.unwrap_err();
            assert!(matches!(DeskError::from(fault), DeskError::Unavailable(what) if what == missing));
            assert!(!none.reaches(&to));
            assert!(Messengers { outbox: Some(Arc::default()), ..Messengers::default() }.reaches(&to));
        }
    }
}
