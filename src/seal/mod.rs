//! Unsealed PDF in, sealed PDF out; and the stranger's check, which shares no code with the sealer.

use std::fmt;

use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};

use crate::domain::ids::Sha256;
use crate::render::{Hole, UnsealedPdf};

pub mod check;
pub mod cms;
mod der;
mod embed;
pub mod key;
pub mod particulars;
pub(crate) mod pem;

use check::reason::Reason;
use check::{Finding, Trust, check};
use key::{KeyError, SealKey};

/// A sealed PDF that has passed the check once. Its digest is that of these bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedPdf {
    bytes: Vec<u8>,
    digest: Sha256,
}

/// Why a PDF was not sealed. Nothing was kept; trying again is harmless, but uses the key once more.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The places to fill are not where they are said to be: a fault of the renderer.
    #[error("the hole is not where the renderer says it is")]
    HoleMisplaced,
    /// The signature or the range is longer than its place.
    #[error("the signature does not fit into its hole; the chain may be too long")]
    HoleTooSmall,
    /// The key failed.
    #[error("the seal key failed")]
    Key(#[from] KeyError),
    /// The sealed file did not pass our own check.
    #[error("the sealed file did not pass the check: {}", codes(.0))]
    CheckFailed(Vec<Reason>),
}

fn codes(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| reason.code()).collect::<Vec<_>>().join(", ")
}

/// The bytes are not those that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the document's bytes have digest {found}, kept was {kept}")]
pub struct Altered {
    /// Digest that was kept.
    pub kept: Sha256,
    /// Digest of the bytes at hand.
    pub found: Sha256,
}

/// Seals a PDF: fills in range and signature, then has the file checked as a stranger would. Blocks while the key
/// works. A file that does not pass is not given out.
pub fn seal(pdf: UnsealedPdf, key: &dyn SealKey) -> Result<SealedPdf, SealError> {
    let hole = pdf.hole();
    seal_bytes(pdf.into_bytes(), &hole, key)
}

fn seal_bytes(bytes: Vec<u8>, hole: &Hole, key: &dyn SealKey) -> Result<SealedPdf, SealError> {
    let bytes = embed::embed(bytes, hole, key)?;
    // The chain was judged when the key was loaded; here only the seal certificate itself is the anchor. No clock
    // is needed either: the file says when it was made, and that must lie within the certificate's validity.
    let trust = Trust::new(key.chain().iter().take(1).cloned());
    let report = check(&bytes, &trust, DateTime::<Utc>::MAX_UTC);
    match report.finding {
        Finding::Sound => Ok(SealedPdf { bytes, digest: report.digest }),
        _ => Err(SealError::CheckFailed(report.reasons)),
    }
}

impl SealedPdf {
    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the file: its name in the register.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// Takes a kept file back; fails where a byte of it has changed since.
    pub fn recall(bytes: Vec<u8>, kept: Sha256) -> Result<Self, Altered> {
        let found = sha256(&bytes);
        if found == kept { Ok(Self { bytes, digest: kept }) } else { Err(Altered { kept, found }) }
    }
}

impl fmt::Debug for SealedPdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedPdf({} bytes, {})", self.bytes.len(), self.digest)
    }
}

fn sha256(bytes: &[u8]) -> Sha256 {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Sha256::new(out)
}

#[cfg(test)]
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trial;
