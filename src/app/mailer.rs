//! The sender of e-mail: SMTP (RFC 5321) to one server, which passes it on. Over TLS, unless the server is on this
//! machine.

use std::error::Error as _;
use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{self, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::app::Failure;
use crate::app::letter::{Letter, letter};
use crate::config::smtp::{Encryption, Smtp};
use crate::desk::account::message::Message;
use crate::domain::contact::Email;
use crate::seal::pem;
use crate::store::Fault;

/// How long a server may take over each step: somebody waits before a form.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take over all of them.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(15);
/// Connections at a time, and how long one is kept that nobody uses: less than servers do.
const CONNECTIONS: u32 = 4;
const IDLE: Duration = Duration::from_secs(30);
/// What is said while it does not answer, or does not take what it is sent.
const AWAY: &str = "mail-server";
const SENDING: &str = "sending an e-mail";

/// Sent by a machine: no answering machine answers it (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// A server that takes our mail.
pub(crate) struct Mailer {
    from: Email,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailer(…)")
    }
}

impl Mailer {
    /// Made ready; nobody is called yet.
    ///
    /// # Errors
    /// What was set cannot be used for TLS.
    pub(crate) fn new(settings: &Smtp) -> Result<Self, Failure> {
        let tls = || -> Result<TlsParameters, Failure> {
            let parameters = TlsParameters::builder(settings.host.clone());
            let Some(authorities) = &settings.authorities else {
                return Ok(parameters.certificate_store(CertificateStore::WebpkiRoots).build_rustls()?);
            };
            let mut parameters = parameters.certificate_store(CertificateStore::None);
            for der in pem::certificates(authorities)? {
                parameters = parameters.add_root_certificate(Certificate::from_der(der)?);
            }
            Ok(parameters.build_rustls()?)
        };
        let tls = match settings.encryption {
            Encryption::Implicit => Tls::Wrapper(tls()?),
            Encryption::StartTls => Tls::Required(tls()?),
            Encryption::None => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .hello_name(ClientId::Domain(settings.from.domain().to_owned()))
            .timeout(Some(PATIENCE))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS).idle_timeout(IDLE));
        if let Some((user, password)) = &settings.login {
            transport = transport.credentials(Credentials::new(user.clone(), password.to_string()));
        }
        Ok(Self { from: settings.from.clone(), transport: transport.build() })
    }

    /// Sends a message to an address.
    ///
    /// # Errors
    /// The server does not answer in time, or does not take it.
    pub(crate) async fn send(&self, to: &Email, message: &Message) -> Result<(), Fault> {
        let mail = self.compose(to, message).map_err(|error| Fault::new(SENDING, error))?;
        let sending = tokio::time::timeout(PATIENCE_IN_ALL, self.transport.send(mail));
        let why = match sending.await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => reason(&error),
            Err(_) => "the server takes too long".to_owned(),
        };
        Err(Fault::away(SENDING, AWAY, why))
    }

    fn compose(&self, to: &Email, message: &Message) -> Result<lettre::Message, Failure> {
        let Letter { subject, text } = letter(message);
        let name = URL_SAFE_NO_PAD.encode(crate::desk::chance::<16>()?);
        let mailbox =
            |email: &Email| -> Result<Mailbox, Failure> { Ok(Mailbox::new(None, email.as_str().parse()?)) };
        let builder = lettre::Message::builder()
            .from(mailbox(&self.from)?)
            .to(mailbox(to)?)
            .subject(subject)
            .date(SystemTime::from(message.at()))
            .message_id(Some(format!("<{name}@{}>", self.from.domain())))
            .header(AutoSubmitted);
        Ok(builder.singlepart(SinglePart::plain(text))?)
    }
}

/// Why a server did not take it. What it answered is not repeated: people's addresses stand in it.
fn reason(error: &smtp::Error) -> String {
    if let Some(code) = error.status() {
        return format!("the server answers {code}");
    }
    let why = if error.is_timeout() {
        "the server does not answer in time"
    } else if error.is_tls() {
        "there is no TLS with the server"
    } else if error.is_response() {
        "the server's answer cannot be read"
    } else if error.is_client() {
        "the server lacks what is set, as STARTTLS or a way to log in"
    } else {
        "the server cannot be reached"
    };
    // An error of the system names no person.
    let of_system = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    of_system.map_or_else(|| why.to_owned(), |system| format!("{why}: {}", system.kind()))
}
