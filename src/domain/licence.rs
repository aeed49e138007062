//! Electronic licence identifiers (证照标识, GB/T 36904).

use std::fmt;
use std::str::FromStr;

use crate::domain::certificate::ManagementNo;
use crate::domain::identity::CreditCode;
use crate::domain::ids::Malformed;

const ROOT: &str = "1.2.156.3005.2";
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The kind of an electronic licence: the credit code of the body that defines it and three digits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LicenceType(String);

impl FromStr for LicenceType {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = Malformed("licence type");
        let (body, number) = text.split_at_checked(18).ok_or(bad)?;
        body.parse::<CreditCode>().map_err(|_| bad)?;
        let three = number.len() == 3 && number.bytes().all(|c| c.is_ascii_digit());
        if three { Ok(Self(text.to_owned())) } else { Err(bad) }
    }
}

/// `1.2.156.3005.2.<type>.<issuer>.<serial>.<version>.<check>`: names one file of one certificate; a new file
/// of the same certificate raises the version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LicenceId(String);

impl LicenceId {
    /// The identifier of version `version` (1 to 999) of a certificate.
    pub fn new(kind: &LicenceType, issuer: &CreditCode, serial: &ManagementNo, version: u16) -> Self {
        let joined = format!("{}{issuer}{serial}{version:03}", kind.0);
        let check = char::from(ALPHABET[check(joined.as_bytes()).unwrap_or(0)]);
        Self(format!("{ROOT}.{}.{issuer}.{serial}.{version:03}.{check}", kind.0))
    }
}

impl fmt::Display for LicenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LicenceId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = Malformed("licence identifier");
        let rest = text.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix('.')).ok_or(bad)?;
        let parts: Vec<&str> = rest.split('.').collect();
        let [kind, issuer, serial, version, last] = parts[..] else { return Err(bad) };
        kind.parse::<LicenceType>()?;
        issuer.parse::<CreditCode>().map_err(|_| bad)?;
        let three = version.len() == 3 && version.bytes().all(|c| c.is_ascii_digit());
        let expected = check([kind, issuer, serial, version].concat().as_bytes()).map(|at| ALPHABET[at]);
        if !serial.is_empty() && three && last.len() == 1 && last.bytes().next() == expected {
            Ok(Self(text.to_owned()))
        } else {
            Err(bad)
        }
    }
}

/// ISO/IEC 7064 MOD 37,36.
fn check(joined: &[u8]) -> Option<usize> {
    let mut p = 36;
    for c in joined {
        p = (p + ALPHABET.iter().position(|a| a == c)?) % 36;
        if p == 0 {
            p = 36;
        }
        p = 2 * p % 37;
    }
    Some((37 - p) % 36)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn published_identifiers_are_read_and_made_again() {
        for text in [
            "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
            "1.2.156.3005.2.11100000000013338W011.11110000000021135M.20230329701.003.Y",
            "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
            "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
        ] {
            assert_eq!(text.parse::<LicenceId>().unwrap().to_string(), text);
            let wrong = format!("{}{}", &text[..text.len() - 1], if text.ends_with('0') { '1' } else { '0' });
            assert!(wrong.parse::<LicenceId>().is_err(), "{wrong}");
        }
        let made = LicenceId::new(
            &"11100000000013338W011".parse().unwrap(),
            &"11430000006122244L".parse().unwrap(),
            &"20230000403".parse().unwrap(),
            1,
        );
        assert_eq!(
            made.to_string(),
            "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
        );
    }
}
