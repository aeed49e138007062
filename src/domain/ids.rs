//! Names of things: parsed once, printed one way.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A text that is not a name of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed {0}")]
pub struct Malformed(pub &'static str);

macro_rules! time_ordered_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new name from a moment and 80 bits of chance; names sort by their moment
            /// (RFC 9562, section 5.7), which keeps them together in the index.
            pub fn mint(at: DateTime<Utc>, chance: [u8; 10]) -> Self {
                let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid())
            }

            /// The 16 bytes, in the order in which names sort.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Reads what [`Self::as_bytes`] gave.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                // One spelling only: what we print.
                let id = Uuid::try_parse(text).map_err(|_| Malformed($what))?;
                if id.hyphenated().to_string() == text { Ok(Self(id)) } else { Err(Malformed($what)) }
            }
        }
    };
}

time_ordered_id! {
    /// One version of one professional certificate.
    CertificateId, "certificate id"
}
time_ordered_id! {
    /// One annotation, for those who may manage it. The public name is its [`Code`].
    AnnotationId, "annotation id"
}
time_ordered_id! {
    /// One API key; its secret is another matter.
    KeyId, "key id"
}

time_ordered_id! {
    /// One account of a person, a unit or a staff member.
    AccountId, "account id"
}

time_ordered_id! {
    /// One ticket.
    TicketId, "ticket id"
}

time_ordered_id! {
    /// One case of registration.
    CaseId, "case id"
}

time_ordered_id! {
    /// Something that was noticed about a registrant.
    AnomalyId, "anomaly id"
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The public name of an annotation: 128 bits of chance in Crockford base32, behind the QR code.
/// Whoever knows it may verify the copy, so it is unguessable and never logged whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(u128);

impl Code {
    /// Makes a code of 128 bits of chance.
    pub fn mint(chance: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(chance))
    }

    /// The 16 bytes behind the code.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The code in groups of four, as it is printed for people: `K7QF 2M9X … 5H`.
    pub fn grouped(&self) -> String {
        let plain = self.to_string();
        plain.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 26 digits hold 130 bits; the two highest are zero.
        let digits: String =
            (0..26).rev().map(|place| char::from(CROCKFORD[(self.0 >> (5 * place)) as usize & 31])).collect();
        f.write_str(&digits)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl FromStr for Code {
    type Err = Malformed;

    /// Reads a code as a person types it: any case, with spaces and hyphens, `O` for 0, `I` and `L` for 1.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (mut value, mut digits) = (0u128, 0);
        for typed in text.bytes().filter(|c| !matches!(c, b' ' | b'-')) {
            let digit = match typed.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let digit = CROCKFORD.iter().position(|c| *c == digit).ok_or(Malformed("code"))?;
            digits += 1;
            if digits > 26 || (digits == 1 && digit > 7) {
                return Err(Malformed("code"));
            }
            value = value << 5 | digit as u128;
        }
        if digits == 26 { Ok(Self(value)) } else { Err(Malformed("code")) }
    }
}

/// A SHA-256 digest (FIPS 180-4), the name of a document.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Wraps a digest that somebody computed; this room computes none.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = Malformed("SHA-256 digest");
        let text = text.as_bytes();
        if text.len() != 64 {
            return Err(bad);
        }
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(text.chunks(2)) {
            let digit = |c: u8| match c {
                b'0'..=b'9' => Ok(c - b'0'),
                b'a'..=b'f' => Ok(c - b'a' + 10),
                _ => Err(bad),
            };
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_code_reads_back_however_it_is_typed(bits: u128) {
            let code = Code::mint(bits.to_be_bytes());
            prop_assert_eq!(code.to_string().len(), 26);
            prop_assert_eq!(code.to_string().parse::<Code>().unwrap(), code);
            prop_assert_eq!(code.grouped().to_lowercase().parse::<Code>().unwrap(), code);
            prop_assert_eq!(code.grouped().replace(' ', "-").replace('0', "o").replace('1', "l").parse::<Code>().unwrap(), code);
        }

        #[test]
        fn no_text_makes_the_code_parser_panic(text: String) {
            let _ = text.parse::<Code>();
        }
    }

    #[test]
    fn a_code_of_another_length_or_beyond_128_bits_is_none() {
        for text in [
            "",
            "K7QF",
            "80000000000000000000000000",
            "ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "0000000000000000000000000U",
        ] {
            assert!(text.parse::<Code>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_sort_by_the_moment_they_were_made() {
        let at = |ms| DateTime::from_timestamp_millis(ms).unwrap();
        let (early, late) =
            (AnnotationId::mint(at(1_000), [255; 10]), AnnotationId::mint(at(1_001), [0; 10]));
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse::<AnnotationId>().unwrap(), early);
        assert!(early.to_string().to_uppercase().parse::<AnnotationId>().is_err(), "one spelling");
    }

    #[test]
    fn a_digest_reads_back_and_refuses_capitals() {
        let digest = Sha256::new(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(digest.to_string().parse::<Sha256>().unwrap(), digest);
        assert!(digest.to_string().to_uppercase().parse::<Sha256>().is_err());
        assert!("é".repeat(32).parse::<Sha256>().is_err());
    }
}
