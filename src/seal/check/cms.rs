//! The signature in the hole: whether it is a CMS of the one shape that ours have, whether it is over this content,
//! and who made it (RFC 5652; ETSI EN 319 142-1, 6.3).

use chrono::{DateTime, Utc};
use cms::cert::CertificateChoices;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{SignedAttributes, SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Any, Decode as _, Encode as _, Sequence};
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::chain::{self, ECDSA_SHA256, MAX_CERTIFICATES, RSA_SHA256};
use super::reason::Reason;
use super::{SignatureFacts, Trust, add, sha256};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// RFC 5035, section 3, in the form that names one certificate by SHA-256 and the issuer beside it.
#[derive(Sequence)]
struct SigningCertificateV2 {
    certificates: Vec<CertificateId>,
}

#[derive(Sequence)]
struct CertificateId {
    digest: OctetString,
    issuer_serial: IssuerSerial,
}

#[derive(Sequence)]
struct IssuerSerial {
    issuer: GeneralNames,
    serial: SerialNumber,
}

/// Who signed, by what.
pub(super) struct Signer {
    certificate: Certificate,
    algorithm: ObjectIdentifier,
}

/// Judges a CMS over content of the given SHA-256 digest. No reasons: it is good.
pub(super) fn judge(
    bytes: &[u8],
    content_digest: &[u8; 32],
    trust: &Trust,
    signed_at: DateTime<Utc>,
) -> (Vec<Reason>, Option<Signer>) {
    let Some(signed_data) = read(bytes) else { return (vec![Reason::CmsMalformed], None) };
    let mut reasons = Vec::new();
    let sha256_alone = AlgorithmIdentifierOwned { oid: SHA_256, parameters: None };
    let certificates: Vec<&Certificate> = signed_data
        .certificates
        .iter()
        .flat_map(|set| set.0.iter())
        .filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate),
            CertificateChoices::Other(_) => None,
        })
        .collect();
    let all_known = signed_data.certificates.as_ref().is_some_and(|set| set.0.len() == certificates.len());
    let [info] = signed_data.signer_infos.0.as_slice() else { return (vec![Reason::CmsNotPlain], None) };
    let plain = signed_data.version == CmsVersion::V1
        && signed_data.digest_algorithms.as_slice() == [sha256_alone.clone()]
        && signed_data.encap_content_info.econtent_type == DATA
        && signed_data.encap_content_info.econtent.is_none()
        && signed_data.crls.is_none()
        && all_known
        && certificates.len() <= MAX_CERTIFICATES
        && info.version == CmsVersion::V1
        && info.digest_alg == sha256_alone
        && info.unsigned_attrs.is_none();
    if !plain {
        reasons.push(Reason::CmsNotPlain);
    }

    let Some(place) = certificates.iter().position(|certificate| is_signer(info, certificate)) else {
        add(&mut reasons, Reason::CertificateNotInCms);
        return (reasons, None);
    };
    let certificate = certificates[place];
    match info.signed_attrs.as_ref().map(|attributes| (attributes, attributes.to_der())) {
        Some((attributes, Ok(message))) => {
            judge_attributes(attributes, content_digest, certificate, &mut reasons);
            judge_signature(info, certificate, &message, &mut reasons);
        }
        _ => add(&mut reasons, Reason::CmsNotPlain),
    }
    let mut others = certificates.clone();
    others.remove(place);
    others.truncate(MAX_CERTIFICATES);
    for reason in chain::judge(certificate, &others, trust, signed_at) {
        add(&mut reasons, reason);
    }
    (reasons, Some(Signer { certificate: certificate.clone(), algorithm: info.signature_algorithm.oid }))
}

/// Reads DER, and only DER: what is read gives the same bytes when it is written again.
fn read(bytes: &[u8]) -> Option<SignedData> {
    let content_info = ContentInfo::from_der(bytes).ok()?;
    if content_info.content_type != SIGNED_DATA {
        return None;
    }
    let content = content_info.content.to_der().ok()?;
    let signed_data = SignedData::from_der(&content).ok()?;
    (signed_data.to_der().ok()? == content && content_info.to_der().ok()? == bytes).then_some(signed_data)
}

fn is_signer(info: &SignerInfo, certificate: &Certificate) -> bool {
    let body = certificate.tbs_certificate();
    match &info.sid {
        SignerIdentifier::IssuerAndSerialNumber(named) => {
            named.issuer == *body.issuer() && named.serial_number == *body.serial_number()
        }
        SignerIdentifier::SubjectKeyIdentifier(_) => false,
    }
}

/// Exactly the three attributes of ours, each with one value: what it is about, its digest, whose certificate.
fn judge_attributes(
    attributes: &SignedAttributes,
    content_digest: &[u8; 32],
    certificate: &Certificate,
    reasons: &mut Vec<Reason>,
) {
    let value = |name: ObjectIdentifier| {
        let attribute = attributes.iter().find(|attribute| attribute.oid == name)?;
        match attribute.values.as_slice() {
            [value] => Some(value),
            _ => None,
        }
    };
    let content_type = value(CONTENT_TYPE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
    if attributes.len() != 3 || content_type != Some(DATA) {
        add(reasons, Reason::CmsNotPlain);
    }
    let digest = value(MESSAGE_DIGEST).and_then(|value| value.decode_as::<OctetString>().ok());
    if digest.is_none_or(|digest| digest.as_bytes() != content_digest) {
        add(reasons, Reason::DigestMismatch);
    }
    match value(SIGNING_CERTIFICATE_V2).map(Any::decode_as::<SigningCertificateV2>) {
        Some(Ok(named)) if names_exactly(&named, certificate) => {}
        Some(Ok(_)) => add(reasons, Reason::SigningCertificateMismatch),
        _ => add(reasons, Reason::CmsNotPlain),
    }
}

fn names_exactly(named: &SigningCertificateV2, certificate: &Certificate) -> bool {
    let ([id], Ok(bytes)) = (&named.certificates[..], certificate.to_der()) else { return false };
    let body = certificate.tbs_certificate();
    let issuer =
        matches!(&id.issuer_serial.issuer[..], [GeneralName::DirectoryName(name)] if name == body.issuer());
    id.digest.as_bytes() == sha256(&bytes).as_bytes()
        && issuer
        && id.issuer_serial.serial == *body.serial_number()
}

fn judge_signature(info: &SignerInfo, certificate: &Certificate, message: &[u8], reasons: &mut Vec<Reason>) {
    let key = certificate.tbs_certificate().subject_public_key_info();
    let allowed = [ECDSA_SHA256, RSA_SHA256].contains(&info.signature_algorithm.oid);
    let verdict = chain::verify(key, &info.signature_algorithm, message, info.signature.as_bytes());
    match verdict.filter(|_| allowed) {
        Some(true) => {}
        Some(false) => add(reasons, Reason::SignatureInvalid),
        None => add(reasons, Reason::AlgorithmNotAllowed),
    }
}

impl Signer {
    pub(super) fn facts(&self, signed_at: Option<DateTime<Utc>>, covers_whole_file: bool) -> SignatureFacts {
        let body = self.certificate.tbs_certificate();
        let common_name = |name: &Name| name.common_name().ok().flatten().map(|text| shown(&text.value()));
        let organisation = body.subject().organization().ok().flatten().map(|text| shown(&text.value()));
        SignatureFacts {
            signer: common_name(body.subject()),
            organisation,
            issuer: common_name(body.issuer()).unwrap_or_else(|| shown(&body.issuer().to_string())),
            serial: body.serial_number().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
            signed_at,
            algorithm: match self.algorithm {
                ECDSA_SHA256 => "ECDSA P-256 SHA-256".to_owned(),
                RSA_SHA256 => "RSA PKCS#1 v1.5 SHA-256".to_owned(),
                other => other.to_string(),
            },
            certificate: sha256(&self.certificate.to_der().unwrap_or_default()),
            covers_whole_file,
        }
    }
}

/// A stranger's text as it may be shown: no control characters, nothing that turns the direction of reading, and
/// not endless.
fn shown(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !c.is_control() && !turns(*c)).take(200).collect()
}
