//! The sender of short messages: a gateway that takes a signed request over HTTP, as a provider's or one's own adapter
//! before it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use crate::app::Failure;
use crate::config::sms::Sms;
use crate::desk::account::message::{Message, Messenger, signature};
use crate::domain::account::{CODE_LASTS, Mobile, Purpose};
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

/// What the person reads. The gateway may have a template of its own.
fn text(purpose: Purpose, code: &str) -> String {
    let what = match purpose {
        Purpose::SignUp => "注册账号",
        Purpose::Submit => "提交申报",
        Purpose::ChangeMobile => "更换手机号码",
        Purpose::Recovery => "找回密码",
    };
    format!("您正在{what}，验证码 {code}，五分钟内有效。请勿告诉他人。")
}

#[async_trait]
impl Messenger for Gateway {
    async fn send(&self, to: &Mobile, message: Message) -> Result<(), Fault> {
        const SENDING: &str = "sending a message";
        let Message { purpose, code, at } = message;
        let body = json!({
            "to": to.as_str(),
            "purpose": purpose.word(),
            "code": code,
            "expires_at": (at + CODE_LASTS).to_rfc3339(),
            "text": text(purpose, &code),
        })
        .to_string();
        let moment = at.timestamp().to_string();
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
