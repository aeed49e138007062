//! What a seal certificate says of itself, for people: whose it is, who vouches for it, and how long it lasts.

use chrono::{DateTime, Utc};
use der::{Decode as _, Encode as _};
use ring::digest::{Context, SHA256};
use x509_cert::Certificate;

use crate::domain::ids::Sha256;

/// What a certificate of a chain says of itself (RFC 5280, section 4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Particulars {
    /// Whose it is (RFC 4514).
    pub subject: String,
    /// Who vouches for it (RFC 4514).
    pub issuer: String,
    /// Its number, as hexadecimal digits.
    pub serial: String,
    /// From when it holds.
    pub not_before: DateTime<Utc>,
    /// Until when it holds.
    pub not_after: DateTime<Utc>,
    /// SHA-256 of its DER.
    pub fingerprint: Sha256,
}

impl Particulars {
    /// Reads a certificate in DER; none where it is none.
    pub fn of(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let body = certificate.tbs_certificate();
        let validity = body.validity();
        let moment = |time: x509_cert::time::Time| DateTime::from(time.to_system_time());
        let serial = body.serial_number().to_der().ok()?;
        // Tag and length of an INTEGER of at most 20 bytes take one byte each.
        let serial = serial.get(2..)?.iter().map(|byte| format!("{byte:02X}")).collect();
        Some(Self {
            subject: body.subject().to_string(),
            issuer: body.issuer().to_string(),
            serial,
            not_before: moment(validity.not_before),
            not_after: moment(validity.not_after),
            fingerprint: digest(&[der]),
        })
    }
}

/// SHA-256 over the DER of a whole chain, in its order.
pub fn chain_fingerprint(chain: &[Vec<u8>]) -> Sha256 {
    digest(&chain.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn digest(parts: &[&[u8]]) -> Sha256 {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Sha256::new(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_says_nothing() {
        assert_eq!(Particulars::of(b"0"), None);
        assert_ne!(chain_fingerprint(&[vec![1]]), chain_fingerprint(&[vec![1], vec![2]]));
    }
}
