//! E-mail addresses, and where people are reached.

use std::fmt;
use std::str::FromStr;

use crate::domain::account::Mobile;
use crate::domain::refusal::FieldFault;

/// Longest address that a mail server must take (RFC 5321, section 4.5.3.1.3, without the brackets).
const LONGEST: usize = 254;
/// Longest part before the `@` (RFC 5321, section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// Longest label of a domain (RFC 1035, section 2.3.4).
const LONGEST_LABEL: usize = 63;

/// An e-mail address as people have them: a dot-string (RFC 5321, section 4.1.2) of ASCII before the one `@`, after it a
/// domain of two labels or more, in small letters. Nothing in it could end a line of a message or of a command.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit('@').next().unwrap_or_default()
    }

    /// For its owner to recognise: `a***@example.com`.
    pub fn masked(&self) -> String {
        format!("{}***@{}", &self.0[..1], self.domain())
    }
}

/// The characters of an atom (RFC 5322, section 3.2.3).
fn is_atom(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c))
}

fn is_label(text: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&text.len())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl FromStr for Email {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let (local, domain) = text.split_once('@').ok_or(FieldFault::NotAnEmail)?;
        let fits = text.len() <= LONGEST
            && local.len() <= LONGEST_LOCAL
            && local.split('.').all(is_atom)
            && domain.contains('.')
            && domain.split('.').all(is_label);
        if fits {
            Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
        } else {
            Err(FieldFault::NotAnEmail)
        }
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Contact {
    /// As a short message.
    Mobile(Mobile),
    /// As an e-mail.
    Email(Email),
}

impl From<Mobile> for Contact {
    fn from(mobile: Mobile) -> Self {
        Self::Mobile(mobile)
    }
}

impl From<Email> for Contact {
    fn from(email: Email) -> Self {
        Self::Email(email)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn an_address_has_one_at_and_nothing_that_ends_a_line() {
        for text in
            ["a@example.com", "zhang.san+cert@mail.example.com.cn", "x_1@163.com", "O'Brien@a-b.example"]
        {
            assert_eq!(text.parse::<Email>().unwrap().as_str(), text);
        }
        let longest =
            format!("{}@{}.{}.{}.com", "a".repeat(64), "b".repeat(61), "c".repeat(61), "d".repeat(61));
        assert_eq!(longest.len(), LONGEST);
        assert!(longest.parse::<Email>().is_ok());
        let (too_long, long_name) = (longest.replace(".com", ".comm"), format!("{}@b.com", "a".repeat(65)));
        for text in [
            "",
            "@",
            "a@",
            "@b.com",
            "a@b",
            "a@@b.com",
            "a@b@c.com",
            "a b@c.com",
            "a@b.com\r\nBcc: c@d.com",
            "a@b.com ",
            ".a@b.com",
            "a..b@c.com",
            "a.@b.com",
            "a@.b.com",
            "a@b..com",
            "a@-b.com",
            "a@b.com.",
            "张@b.com",
            "a@例.com",
            "<a@b.com>",
            "\"a b\"@c.com",
            "a@[127.0.0.1]",
            "a\0@b.com",
            "a,b@c.com",
            &too_long,
            &long_name,
        ] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_shown_by_its_first_letter_and_its_domain_and_never_logged() {
        let email: Email = "Alice.Li@Example.COM".parse().unwrap();
        assert_eq!(email.as_str(), "Alice.Li@example.com");
        assert_eq!((email.masked().as_str(), email.domain()), ("A***@example.com", "example.com"));
        assert_eq!(format!("{email:?}, {:?}", Contact::from(email.clone())), "Email(…), Email(Email(…))");
    }
}
