//! Keys that seal. What a key is kept in (a file, a device) is its own matter; it never leaves it.

use std::fmt::Debug;

pub mod development;
pub mod file;

/// How a key signs. Both hash with SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// ECDSA on the curve P-256 (FIPS 186-5), the signature as DER.
    EcdsaP256Sha256,
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    RsaPkcs1Sha256,
}

/// A private key together with the chain that speaks for it. An implementation shows nothing secret in `Debug`.
pub trait SealKey: Debug + Send + Sync {
    /// The chain in DER: the seal certificate first, then its issuers, each certified by the next; the root comes
    /// last or is left out. Never empty.
    fn chain(&self) -> &[Vec<u8>];

    /// How [`Self::sign`] signs.
    fn scheme(&self) -> Scheme;

    /// Signs a message, which the key itself hashes. Blocks, for a device may take its time. A failure says
    /// nothing about whether the device has counted a use of the key.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;
}

/// Why a key cannot be used. The messages say what to do, and hold nothing secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file is not PEM text at all.
    #[error("{0} is not PEM text; expected lines between -----BEGIN … and -----END …")]
    NotPem(&'static str),
    /// The key file holds something other than one plain PKCS#8 key.
    #[error(
        "the key file holds a block {found:?}; expected one \"PRIVATE KEY\" (PKCS#8, not encrypted): {advice}"
    )]
    NotPkcs8 {
        /// Label of what was found.
        found: String,
        /// How to convert it.
        advice: &'static str,
    },
    /// The key is of a kind that is not used for sealing.
    #[error(
        "the key is neither ECDSA on P-256 nor RSA with 2048 to 4096 bits; make one by: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
    )]
    Unsupported,
    /// The chain holds no certificate.
    #[error("the chain is empty; put the seal certificate first, then its issuers")]
    EmptyChain,
    /// A member of the chain is damaged.
    #[error("the chain holds something that is not an X.509 certificate")]
    NotACertificate,
    /// The first certificate speaks for another key.
    #[error("the first certificate of the chain is not the one of this key; put the seal certificate first")]
    KeyMismatch,
    /// The certificates do not certify each other in their order.
    #[error(
        "certificate {0} of the chain is not certified by the one after it; order them from the seal certificate to the root"
    )]
    ChainBroken(usize),
    /// The key or the device that holds it did not sign.
    #[error("the key did not sign")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A new key or certificate could not be made.
    #[error("no certificate could be made")]
    NotMade(#[source] Box<dyn std::error::Error + Send + Sync>),
}
