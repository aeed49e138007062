//! Whose certificate it is: a strict walk from the signer to a trusted root (RFC 5280, section 6), for chains of
//! document seals. Every link is a name, a signature and a permission.

use chrono::{DateTime, Utc};
use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_cert::Certificate;
use x509_cert::certificate::Version;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::Trust;
use super::reason::Reason;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const EC_PUBLIC_KEY: ObjectIdentifier = oid("1.2.840.10045.2.1");
const P_256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
const P_384: ObjectIdentifier = oid("1.3.132.0.34");
const RSA_ENCRYPTION: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
pub(super) const ECDSA_SHA256: ObjectIdentifier = oid("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = oid("1.2.840.10045.4.3.3");
pub(super) const RSA_SHA256: ObjectIdentifier = oid("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = oid("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = oid("1.2.840.113549.1.1.13");

const BASIC_CONSTRAINTS: ObjectIdentifier = oid("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = oid("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = oid("2.5.29.37");
/// Purposes under which documents are signed: any, e-mail, documents (RFC 9336), Microsoft's and Adobe's for them.
const DOCUMENT_PURPOSES: [ObjectIdentifier; 5] = [
    oid("2.5.29.37.0"),
    oid("1.3.6.1.5.5.7.3.4"),
    oid("1.3.6.1.5.5.7.3.36"),
    oid("1.3.6.1.4.1.311.10.3.12"),
    oid("1.2.840.113583.1.1.5"),
];

/// Seal certificate, two issuers in between and a root are usual; this is generous.
pub(super) const MAX_CERTIFICATES: usize = 6;

pub(super) fn subject(certificate: &Certificate) -> &x509_cert::name::Name {
    certificate.tbs_certificate().subject()
}

/// Whether the first certificate's key signed the second, under its name. Says nothing about permissions.
pub(crate) fn certifies(issuer: &[u8], certificate: &[u8]) -> bool {
    match (Certificate::from_der(issuer), Certificate::from_der(certificate)) {
        (Ok(issuer), Ok(certificate)) => names(&issuer, &certificate) && signed(&issuer, &certificate),
        _ => false,
    }
}

fn names(issuer: &Certificate, certificate: &Certificate) -> bool {
    certificate.tbs_certificate().issuer() == subject(issuer)
}

fn signed(issuer: &Certificate, certificate: &Certificate) -> bool {
    let body = certificate.tbs_certificate();
    let (Ok(message), Some(signature)) = (body.to_der(), certificate.signature().as_bytes()) else {
        return false;
    };
    certificate.signature_algorithm() == body.signature()
        && verify(issuer.tbs_certificate().subject_public_key_info(), body.signature(), &message, signature)
            == Some(true)
}

/// Verifies a signature; `None` where the algorithm is not allowed, or is not one of the key's.
pub(super) fn verify(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &AlgorithmIdentifierOwned,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let curve = match (key.algorithm.oid, &key.algorithm.parameters) {
        (EC_PUBLIC_KEY, Some(curve)) => Some(curve.decode_as::<ObjectIdentifier>().ok()?),
        (RSA_ENCRYPTION, Some(null)) if null.is_null() => None,
        _ => return None,
    };
    // RFC 5758, section 3.2: no parameters for ECDSA; RFC 4055, section 5: NULL for RSA.
    let bare = algorithm.parameters.is_none();
    let null = algorithm.parameters.as_ref().is_some_and(der::Any::is_null);
    let verifier: &dyn VerificationAlgorithm = match (algorithm.oid, curve) {
        (ECDSA_SHA256, Some(P_256)) if bare => &signature::ECDSA_P256_SHA256_ASN1,
        (ECDSA_SHA256, Some(P_384)) if bare => &signature::ECDSA_P384_SHA256_ASN1,
        (ECDSA_SHA384, Some(P_256)) if bare => &signature::ECDSA_P256_SHA384_ASN1,
        (ECDSA_SHA384, Some(P_384)) if bare => &signature::ECDSA_P384_SHA384_ASN1,
        (RSA_SHA256, None) if null => &signature::RSA_PKCS1_2048_8192_SHA256,
        (RSA_SHA384, None) if null => &signature::RSA_PKCS1_2048_8192_SHA384,
        (RSA_SHA512, None) if null => &signature::RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    };
    let key = key.subject_public_key.as_bytes()?;
    Some(UnparsedPublicKey::new(verifier, key).verify(message, signature).is_ok())
}

/// Walks from the signer through the certificates that came with the signature to a trusted one. All of them must
/// be needed: what came along for nothing was not put there by us.
pub(super) fn judge(
    signer: &Certificate,
    others: &[&Certificate],
    trust: &Trust,
    signed_at: DateTime<Utc>,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut unused: Vec<_> = others.to_vec();
    let mut path = vec![signer];
    while let Some(place) = path.last().and_then(|last| unused.iter().position(|other| names(other, last))) {
        path.push(unused.swap_remove(place));
    }
    if !unused.is_empty() {
        reasons.push(Reason::CmsNotPlain);
    }
    if path.windows(2).any(|link| !signed(link[1], link[0])) {
        reasons.push(Reason::ChainBroken);
    }
    let mut trusted = path.iter().any(|certificate| trust.anchors.contains(certificate));
    if !trusted
        && let Some(last) = path.last()
        && let Some(anchor) = trust.anchors.iter().find(|anchor| names(anchor, last) && signed(anchor, last))
    {
        path.push(anchor);
        trusted = true;
    }
    if !trusted {
        reasons.push(Reason::RootNotTrusted);
    }
    for (height, certificate) in path.iter().enumerate() {
        judge_certificate(certificate, height, signed_at, &mut reasons);
    }
    reasons
}

fn judge_certificate(certificate: &Certificate, height: usize, at: DateTime<Utc>, reasons: &mut Vec<Reason>) {
    let body = certificate.tbs_certificate();
    let validity = body.validity();
    let seconds =
        |time: &x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    if !(seconds(&validity.not_before)..=seconds(&validity.not_after)).contains(&at.timestamp()) {
        reasons.push(Reason::CertificateNotValidAtSigning);
    }
    let known = [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE];
    let extensions = body.extensions().map(Vec::as_slice).unwrap_or_default();
    let strange =
        extensions.iter().any(|extension| extension.critical && !known.contains(&extension.extn_id));
    // An extension must not occur twice (RFC 5280, section 4.2); a certificate of version 1 has none.
    let repeated = (1..extensions.len())
        .any(|end| extensions[..end].iter().any(|earlier| earlier.extn_id == extensions[end].extn_id));
    if strange || repeated || body.version() != Version::V3 {
        reasons.push(Reason::CertificateExtension);
    }
    let usage = body.get_extension::<KeyUsage>();
    let constraints = body.get_extension::<BasicConstraints>();
    let permitted = match (usage, constraints) {
        (Ok(usage), Ok(constraints)) if height == 0 => {
            let purposes = body.get_extension::<ExtendedKeyUsage>();
            let seals = usage.is_some_and(|(_, usage)| usage.digital_signature() || usage.non_repudiation());
            let for_documents = match purposes {
                Ok(purposes) => {
                    purposes.is_none_or(|(_, list)| list.0.iter().any(|p| DOCUMENT_PURPOSES.contains(p)))
                }
                Err(_) => false,
            };
            seals && for_documents && !constraints.is_some_and(|(_, constraints)| constraints.ca)
        }
        (Ok(usage), Ok(Some((_, constraints)))) => {
            // Path length counts the issuers between this one and the signer.
            let long_enough =
                constraints.path_len_constraint.is_none_or(|longest| usize::from(longest) >= height - 1);
            constraints.ca && long_enough && usage.is_none_or(|(_, usage)| usage.key_cert_sign())
        }
        _ => false,
    };
    if !permitted {
        reasons.push(if height == 0 { Reason::KeyUsage } else { Reason::ChainBroken });
    }
}
