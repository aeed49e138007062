//! The sender of short messages: a gateway that takes a signed request over HTTP, as a provider's or one's own adapter
//! before it.

use std::fmt;
use std::time::Duration;

use serde_json::json;

use crate::app::{Failure, letter};
use crate::config::sms::Sms;
use crate::desk::account::message::{Message, signature};
use crate::domain::account::{CODE_LASTS, Mobile};
use crate::store::Fault;

/// How long a gateway may take: somebody waits before a form.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is said while it does not answer, or does not take what it is sent.
const AWAY: &str = "sms-gateway";

/// A gateway.
pub(crate) struct Gateway {
    settings: Sms,
    client: reqwest::Client,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gateway({:?})", self.settings)
    }
}

impl Gateway {
    pub(crate) fn new(settings: Sms) -> Result<Self, Failure> {
        // Already named by somebody else, the provider is theirs; there is but one in the tree.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("vermilion/", env!("CARGO_PKG_VERSION")));
        let client = match &settings.authorities {
            Some(pem) => client.tls_certs_only(reqwest::Certificate::from_pem_bundle(pem.as_bytes())?),
            None => client,
        };
        Ok(Self { client: client.build()?, settings })
    }
}

impl Gateway {
    /// Sends a message to a mobile.
    ///
    /// # Errors
    /// The gateway does not answer in time, or does not take it.
    pub(crate) async fn send(&self, to: &Mobile, message: Message) -> Result<(), Fault> {
        const SENDING: &str = "sending a message";
        let body = match &message {
            Message::Code { purpose, code, at } => json!({
                "kind": "code",
                "to": to.as_str(),
                "purpose": purpose.word(),
                "code": code,
                "expires_at": (*at + CODE_LASTS).to_rfc3339(),
                "text": letter::short_code(*purpose, code),
            }),
            Message::Reminder(reminder) => json!({
                "kind": "reminder",
                "to": to.as_str(),
                "certificate": reminder.title,
                "valid_until": reminder.valid_until,
                "days_left": reminder.days_left,
                "text": letter::short_reminder(reminder),
            }),
            Message::TicketAnswered { .. } => json!({
                "kind": "ticket_answered",
                "to": to.as_str(),
                "text": letter::SHORT_TICKET_ANSWERED,
            }),
        };
        let body = body.to_string();
        let moment = message.at().timestamp().to_string();
        let signed = signature(self.settings.key.as_bytes(), &moment, body.as_bytes());
        let request = self
            .client
            .post(&self.settings.url)
            .header("content-type", "application/json")
            .header("x-vermilion-timestamp", moment)
            .header("x-vermilion-signature", signed)
            .body(body);
        let sent = async { request.send().await?.error_for_status() }.await;
        // Neither the address, in which a provider's secrets may stand, nor an answer is repeated.
        sent.map(drop).map_err(|error| Fault::away(SENDING, AWAY, error.without_url()))
    }
}
