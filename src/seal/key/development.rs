//! Keys that anybody may know: the pair of `keys-dev/`, compiled in, and a maker of chains like it for trials.
//! Production refuses them.

use chrono::{Datelike as _, NaiveDate};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::KeyError;
use super::file::FileKey;
use crate::seal::der::quote;
use crate::seal::pem;

/// The development root.
pub const ROOT_PEM: &str = include_str!("../../../keys-dev/root.crt.pem");
/// The development seal certificate.
pub const SEAL_PEM: &str = include_str!("../../../keys-dev/seal.crt.pem");
/// The development key. No secret.
pub const KEY_PEM: &str = include_str!("../../../keys-dev/seal.key.pem");

/// A new chain for trials. The root's key is thrown away: it has certified all that it ever will.
pub struct Chain {
    /// The root's certificate.
    pub root_pem: String,
    /// The seal certificate.
    pub seal_pem: String,
    /// The seal's key (PKCS#8). Secret, unless it is meant for everybody.
    pub key_pem: String,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Chain(…)")
    }
}

/// The key of `keys-dev/` with its chain, root last.
pub fn key() -> Result<FileKey, KeyError> {
    FileKey::load(KEY_PEM, &[SEAL_PEM, ROOT_PEM].concat())
}

/// Makes a root and a seal certificate (ECDSA P-256) for a visibly fictitious body, valid from the first day to the
/// beginning of the last (UTC). Two calls give different keys.
pub fn generate(organisation: &str, first: NaiveDate, last: NaiveDate) -> Result<Chain, KeyError> {
    let not_made = |error: rcgen::Error| KeyError::NotMade(Box::new(error));
    let mut root = params(organisation, "测试根证书（仅供开发测试）", first, last);
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root_key = KeyPair::generate().map_err(not_made)?;
    let root_certificate = root.self_signed(&root_key).map_err(not_made)?;

    let mut seal = params(organisation, "电子证书专用章（测试）", first, last);
    seal.is_ca = IsCa::ExplicitNoCa;
    seal.use_authority_key_identifier_extension = true;
    seal.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    let seal_key = KeyPair::generate().map_err(not_made)?;
    let seal_certificate = seal.signed_by(&seal_key, &Issuer::new(root, root_key)).map_err(not_made)?;
    Ok(Chain {
        root_pem: root_certificate.pem(),
        seal_pem: seal_certificate.pem(),
        key_pem: seal_key.serialize_pem(),
    })
}

fn params(organisation: &str, role: &str, first: NaiveDate, last: NaiveDate) -> CertificateParams {
    // Months and days of a NaiveDate fit a byte.
    let midnight = |day: NaiveDate| date_time_ymd(day.year(), day.month() as u8, day.day() as u8);
    let mut params = CertificateParams::default();
    params.not_before = midnight(first);
    params.not_after = midnight(last);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "CN");
    params.distinguished_name.push(DnType::OrganizationName, organisation);
    params.distinguished_name.push(DnType::CommonName, format!("{organisation}{role}"));
    params
}

/// Whether a chain is that of `keys-dev/`: its key, its root, or anything in the root's name.
pub fn is_development(chain: &[Vec<u8>]) -> bool {
    let known: Vec<_> =
        [ROOT_PEM, SEAL_PEM].iter().filter_map(|text| pem::certificates(text).ok()).flatten().collect();
    let root_name = known.first().and_then(|root| quote(root)).map(|root| root.subject);
    chain.iter().filter_map(|certificate| quote(certificate)).any(|certificate| {
        Some(certificate.issuer) == root_name
            || known.iter().filter_map(|known| quote(known)).any(|known| known.key == certificate.key)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::seal::key::SealKey as _;
    use crate::seal::trial::{Authority, seal_params};

    fn day(year: i32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, 1, 1).unwrap()
    }

    /// With `VERMILION_NEW_DEV_KEYS=keys-dev` it also writes the chain there: so the files of that folder were made.
    #[test]
    fn a_new_chain_loads() {
        let chain = generate("示例机构", day(2020), day(2050)).unwrap();
        let key =
            FileKey::load(&chain.key_pem, &[chain.seal_pem.as_str(), &chain.root_pem].concat()).unwrap();
        assert_eq!(key.chain().len(), 2);
        if let Some(folder) = std::env::var_os("VERMILION_NEW_DEV_KEYS").map(std::path::PathBuf::from) {
            std::fs::write(folder.join("root.crt.pem"), chain.root_pem).unwrap();
            std::fs::write(folder.join("seal.crt.pem"), chain.seal_pem).unwrap();
            std::fs::write(folder.join("seal.key.pem"), chain.key_pem).unwrap();
        }
    }

    #[test]
    fn the_development_key_is_recognised_in_whatever_chain_it_comes() {
        let key = key().unwrap();
        assert!(is_development(key.chain()), "whole");
        assert!(is_development(&key.chain()[..1]), "root left out");
        assert!(is_development(&key.chain()[1..]), "root alone");
        let pair = rcgen::KeyPair::from_pem(KEY_PEM).unwrap();
        let other_authority = Authority::root("另一个根").certify_key(&seal_params(), &pair);
        assert!(is_development(other_authority.chain()), "certified by another");
    }

    #[test]
    fn other_chains_are_not_taken_for_it() {
        assert!(!is_development(Authority::root("另一个根").certify(&seal_params()).chain()));
        assert!(!is_development(&[]));
        assert!(!is_development(&[vec![1, 2, 3]]));
    }
}
