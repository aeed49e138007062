//! Where e-mails go: the section `smtp`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::config::home::{authorities, secret};
use crate::config::reader::Reader;
use crate::domain::contact::Email;

/// A server that takes our mail; see the README for what it is sent.
#[derive(Clone)]
pub struct Smtp {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken with.
    pub encryption: Encryption,
    /// Name and password there, where it wants them.
    pub login: Option<(String, Zeroizing<String>)>,
    /// Whom e-mails are from.
    pub from: Email,
    /// Certificates in PEM of the only authorities that may vouch for it; where none, the public ones.
    pub authorities: Option<String>,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({}:{})", self.host, self.port)
    }
}

/// How a server is spoken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte (RFC 8314, section 3.3).
    Implicit,
    /// TLS after STARTTLS (RFC 3207), and nothing before it.
    StartTls,
    /// In the clear.
    None,
}

impl Encryption {
    /// The port that servers keep for it.
    fn port(self) -> u16 {
        match self {
            Self::Implicit => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

impl FromStr for Encryption {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "implicit" => Ok(Self::Implicit),
            "starttls" => Ok(Self::StartTls),
            "none" => Ok(Self::None),
            _ => Err(()),
        }
    }
}

/// Whether a host is this machine.
fn is_near(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The section `smtp`; none where no server is set.
pub(super) fn smtp(reader: &mut Reader<'_>) -> Option<Smtp> {
    reader.section("smtp", |smtp| {
        let (host, from) = (smtp.text("host"), smtp.parse::<Email>("from", "an e-mail address"));
        let encryption = smtp.parse("tls", "implicit, starttls or none").unwrap_or(Encryption::Implicit);
        let port = smtp.parse("port", "a port").unwrap_or(encryption.port());
        let (user, password) = (smtp.text("user"), secret(smtp, "password"));
        let authorities = smtp.text("ca_file").and_then(|file| authorities(smtp, &file));
        let login = match (user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            _ => {
                smtp.wrong("user", "user and password (or password_file) belong together: set both");
                None
            }
        };
        match (host, from) {
            (Some(host), Some(from)) => Some(Smtp { host, port, encryption, login, from, authorities }),
            (None, None) if login.is_none() => None,
            _ => {
                smtp.wrong("host", "host and from belong together: set both");
                None
            }
        }
    })
}

/// What production asks: codes, passwords and people's addresses pass no network in the clear.
pub(super) fn require_for_production(reader: &mut Reader<'_>, smtp: Option<&Smtp>) {
    if smtp.is_some_and(|smtp| smtp.encryption == Encryption::None && !is_near(&smtp.host)) {
        reader.wrong(
            "smtp.tls",
            "production reaches a mail server on another machine by implicit or starttls only",
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn read(text: &str) -> (Option<Smtp>, Vec<String>) {
        let mut mistakes = Vec::new();
        let mut reader = Reader::new("", text.parse().unwrap(), &mut mistakes);
        let smtp = smtp(&mut reader);
        require_for_production(&mut reader, smtp.as_ref());
        (smtp, mistakes)
    }

    #[test]
    fn a_server_is_spoken_with_over_tls_unless_it_is_here() {
        let whole = "[smtp]\nhost = \"mail.example.org\"\nfrom = \"no-reply@example.org\"\nuser = \"u\"\npassword = \"hunter2\"\n";
        let (smtp, mistakes) = read(whole);
        let smtp = smtp.unwrap();
        assert_eq!((smtp.port, smtp.encryption, mistakes.len()), (465, Encryption::Implicit, 0));
        assert_eq!(format!("{smtp:?}"), "Smtp(mail.example.org:465)");
        assert_eq!(read(&format!("{whole}tls = \"starttls\"")).0.unwrap().port, 587);
        assert_eq!(read(&format!("{whole}tls = \"starttls\"\nport = 2525")).0.unwrap().port, 2525);
        let open = read(&format!("{whole}tls = \"none\"")).1.join("\n");
        assert!(open.starts_with("smtp.tls: ") && !open.contains("hunter2"), "{open}");
        for near in ["localhost", "127.0.0.1", "::1"] {
            let text = format!("[smtp]\nhost = \"{near}\"\nfrom = \"a@example.org\"\ntls = \"none\"");
            assert_eq!(read(&text).1, [""; 0]);
        }
        assert!(read("").0.is_none() && read("").1.is_empty());
    }

    #[test]
    fn half_a_server_is_a_mistake() {
        for (text, wrong) in [
            ("host = \"mail.example.org\"", "smtp.host: "),
            ("from = \"a@example.org\"", "smtp.host: "),
            ("host = \"h\"\nfrom = \"nobody\"", "smtp.from: "),
            ("host = \"h\"\nfrom = \"a@b.c\"\nuser = \"u\"", "smtp.user: "),
            ("host = \"h\"\nfrom = \"a@b.c\"\ntls = \"maybe\"", "smtp.tls: "),
            ("host = \"h\"\nfrom = \"a@b.c\"\nport = 70000", "smtp.port: "),
            ("hots = \"h\"", "smtp.hots: "),
        ] {
            let mistakes = read(&format!("[smtp]\n{text}")).1;
            assert!(mistakes[0].starts_with(wrong), "{text}: {mistakes:?}");
        }
    }
}
