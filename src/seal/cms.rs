//! The signature itself: a detached CMS SignedData (RFC 5652) of the shape that PAdES B-B asks for
//! (ETSI EN 319 142-1, 6.3; CAdES attributes of ETSI EN 319 122-1).

use ring::digest::{SHA256, digest};

use super::der::{INTEGER, NULL, OCTET_STRING, SEQUENCE, SET, quote, set_of, value};
use super::key::{KeyError, Scheme, SealKey};

/// 1.2.840.113549.1.7.2, id-signedData.
const SIGNED_DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
/// 1.2.840.113549.1.7.1, id-data.
const DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
/// 1.2.840.113549.1.9.3, id-contentType.
const CONTENT_TYPE: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
/// 1.2.840.113549.1.9.4, id-messageDigest.
const MESSAGE_DIGEST: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
/// 1.2.840.113549.1.9.16.2.47, id-aa-signingCertificateV2 (RFC 5035).
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x06, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47];
/// 2.16.840.1.101.3.4.2.1, id-sha256; its parameters are absent (RFC 5754, section 2).
const SHA_256: &[u8] = &[0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
/// 1.2.840.10045.4.3.2, ecdsa-with-SHA256; its parameters are absent (RFC 5754, section 3.3).
const ECDSA_WITH_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
/// 1.2.840.113549.1.1.11, sha256WithRSAEncryption; its parameters are NULL (RFC 5754, section 3.2).
const SHA256_WITH_RSA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];

const EXPLICIT_0: u8 = 0xa0;
const IMPLICIT_0: u8 = 0xa0;
/// `directoryName` of a GeneralName: a choice, hence explicit.
const DIRECTORY_NAME: u8 = 0xa4;

/// Signs bytes that are kept elsewhere: gives a detached CMS in DER, CAdES B-B. Blocks while the key works;
/// fails where the key does, or its chain holds something that is no certificate.
pub fn sign_detached(key: &dyn SealKey, content: &[u8]) -> Result<Vec<u8>, KeyError> {
    sign_digest(key, digest(&SHA256, content).as_ref())
}

/// As [`sign_detached`], for content of which only the SHA-256 digest is at hand.
pub(crate) fn sign_digest(key: &dyn SealKey, content_digest: &[u8]) -> Result<Vec<u8>, KeyError> {
    let chain = key.chain();
    let seal_certificate = chain.first().ok_or(KeyError::EmptyChain)?;
    let quoted = quote(seal_certificate).ok_or(KeyError::NotACertificate)?;

    let general_names = value(SEQUENCE, &[&value(DIRECTORY_NAME, &[quoted.issuer])]);
    let issuer_serial = value(SEQUENCE, &[&general_names, quoted.serial]);
    let certificate_digest = value(OCTET_STRING, &[digest(&SHA256, seal_certificate).as_ref()]);
    let certificate_id = value(SEQUENCE, &[&certificate_digest, &issuer_serial]);
    let signing_certificate = value(SEQUENCE, &[&value(SEQUENCE, &[&certificate_id])]);

    let attributes = vec![
        attribute(CONTENT_TYPE, DATA),
        attribute(MESSAGE_DIGEST, &value(OCTET_STRING, &[content_digest])),
        attribute(SIGNING_CERTIFICATE_V2, &signing_certificate),
    ];
    // Signed as a SET, embedded under an implicit tag (RFC 5652, section 5.4).
    let signature = key.sign(&set_of(SET, attributes.clone()))?;

    let sha256 = value(SEQUENCE, &[SHA_256]);
    let version_1 = value(INTEGER, &[&[1]]);
    let algorithm = match key.scheme() {
        Scheme::EcdsaP256Sha256 => value(SEQUENCE, &[ECDSA_WITH_SHA256]),
        Scheme::RsaPkcs1Sha256 => value(SEQUENCE, &[SHA256_WITH_RSA, &value(NULL, &[])]),
    };
    let signer = value(
        SEQUENCE,
        &[
            &version_1,
            &value(SEQUENCE, &[quoted.issuer, quoted.serial]),
            &sha256,
            &set_of(IMPLICIT_0, attributes),
            &algorithm,
            &value(OCTET_STRING, &[&signature]),
        ],
    );
    let signed_data = value(
        SEQUENCE,
        &[
            &version_1,
            &value(SET, &[&sha256]),
            &value(SEQUENCE, &[DATA]),
            &set_of(IMPLICIT_0, without_root(chain)?),
            &value(SET, &[&signer]),
        ],
    );
    Ok(value(SEQUENCE, &[SIGNED_DATA, &value(EXPLICIT_0, &[&signed_data])]))
}

fn attribute(name: &[u8], content: &[u8]) -> Vec<u8> {
    value(SEQUENCE, &[name, &value(SET, &[content])])
}

/// The chain as it is sent along: whoever checks must have the root already, so it stays at home.
fn without_root(chain: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, KeyError> {
    let mut sent = Vec::with_capacity(chain.len());
    for (place, certificate) in chain.iter().enumerate() {
        let quoted = quote(certificate).ok_or(KeyError::NotACertificate)?;
        if place == 0 || quoted.issuer != quoted.subject {
            sent.push(certificate.clone());
        }
    }
    Ok(sent)
}
