//! The stranger's check: from a file's bytes to what it is. Shares no code with the sealer and trusts nothing in the
//! file, not even that it is a PDF. Bounded in time and memory, and never panics.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use der::{Decode as _, Encode as _};
use ring::digest::{Context, SHA256, digest};
use x509_cert::Certificate;

use crate::domain::ids::Sha256;
use crate::seal::pem;

pub(crate) mod chain;
mod cms;
mod contents;
mod layout;
pub mod reason;
mod syntax;

use contents::Claim;
use layout::Layout;
use reason::Reason;

/// Files above 10 MiB are not looked at.
pub const MAX_BYTES: usize = 10 << 20;

/// The certificates that are believed without proof: roots, or single seal certificates.
#[derive(Clone)]
pub struct Trust {
    anchors: Vec<Certificate>,
}

/// The text holds no certificate that could be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the trusted certificates are not PEM text with X.509 certificates in it")]
pub struct NothingToTrust;

impl Trust {
    /// Trusts these certificates (DER). Bytes that are no certificate are left out: they can vouch for nothing.
    pub fn new(certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self {
            anchors: certificates
                .into_iter()
                .filter_map(|bytes| Certificate::from_der(&bytes).ok())
                .collect(),
        }
    }

    /// Trusts the certificates of a PEM text. Fails where there is none, or one of them is damaged.
    pub fn from_pem(text: &str) -> Result<Self, NothingToTrust> {
        let certificates = pem::certificates(text).map_err(|_| NothingToTrust)?;
        let count = certificates.len();
        let trust = Self::new(certificates);
        if trust.anchors.len() == count { Ok(trust) } else { Err(NothingToTrust) }
    }

    /// Trusts what either trusts.
    pub fn and(mut self, other: Self) -> Self {
        self.anchors.extend(other.anchors);
        self
    }

    /// Whether a file speaks in the name of a trusted certificate: the name stands in some hexadecimal string of
    /// it, rightly or not. Damage elsewhere, in the string too, does not blur that.
    pub(super) fn is_claimed_by(&self, bytes: &[u8]) -> bool {
        let names: Vec<_> =
            self.anchors.iter().filter_map(|anchor| chain::subject(anchor).to_der().ok()).collect();
        bytes.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() >= 64).any(|run| {
            // A digit lost before a name shifts all that follow.
            [run, &run[1..]].iter().any(|digits| {
                let values = digits.iter().map(|c| char::from(*c).to_digit(16).unwrap_or(0) as u8);
                let values: Vec<u8> = values.collect();
                let decoded: Vec<u8> = values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
                names.iter().any(|name| layout::position(&decoded, name).is_some())
            })
        })
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} certificates)", self.anchors.len())
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Sealed under a trusted root, untouched since, to the last byte.
    Sound,
    /// Speaks in the name of a trusted root, but is not as it was sealed.
    Tampered,
    /// Carries a signature that is not ours, or not one that we accept.
    NotOurs,
    /// A PDF without signature.
    Unsigned,
    /// Nothing that can be judged.
    Unreadable,
}

impl Finding {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Tampered => "tampered",
            Self::NotOurs => "not_ours",
            Self::Unsigned => "unsigned",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Where the signature of a sealed file lies, and the signature itself: for those who check it by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureParts {
    /// Signed bytes before the hole.
    pub before: usize,
    /// Signed bytes after it, up to the end of the file.
    pub after: usize,
    /// The CMS in DER, without the padding of the hole.
    pub cms: Vec<u8>,
}

/// Takes a sealed file apart; none where it is not one that this check could find sound.
pub fn take_apart(bytes: &[u8]) -> Option<SignatureParts> {
    let layout = layout::read(bytes).ok()?;
    let (dictionary, _) = layout.signature().ok()?;
    let range = Claim::read(dictionary).range(bytes.len()).ok()?;
    let cms = contents::read(&bytes[range.hole.clone()]).ok()?;
    Some(SignatureParts { before: range.hole.start, after: bytes.len() - range.hole.end, cms })
}

/// What the signature says. Only where the finding is [`Finding::Sound`] is it more than a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFacts {
    /// Common name of the signer.
    pub signer: Option<String>,
    /// Organisation of the signer.
    pub organisation: Option<String>,
    /// Common name of the issuer of the signer's certificate, or its whole name where it has none.
    pub issuer: String,
    /// Serial number of the signer's certificate, in hexadecimal.
    pub serial: String,
    /// When the signature says that it was made (`/M`).
    pub signed_at: Option<DateTime<Utc>>,
    /// Algorithm: a name where it is one of ours, otherwise its object identifier.
    pub algorithm: String,
    /// SHA-256 of the signer's certificate.
    pub certificate: Sha256,
    /// Whether the signature speaks for every byte of the file but its own.
    pub covers_whole_file: bool,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the file is.
    pub finding: Finding,
    /// All that is wrong with it, the most telling first; empty exactly where it is sound.
    pub reasons: Vec<Reason>,
    /// The signature, where one could be read.
    pub signature: Option<SignatureFacts>,
    /// SHA-256 of the whole file.
    pub digest: Sha256,
}

impl Report {
    /// For a file that could not be judged at all, for want of its bytes.
    pub fn unreadable() -> Self {
        let digest = Sha256::new([0; 32]);
        Self { finding: Finding::Unreadable, reasons: vec![Reason::Incomplete], signature: None, digest }
    }
}

/// Judges a file. `at` is now: a seal from the future is none. Whether a sound file is one that the register knows,
/// and how its copy stands today, is for the caller to ask.
pub fn check(bytes: &[u8], trust: &Trust, at: DateTime<Utc>) -> Report {
    let (reasons, signature) = if bytes.len() > MAX_BYTES {
        (vec![Reason::TooLarge], None)
    } else if layout::position(&bytes[..bytes.len().min(1024)], b"%PDF-").is_none() {
        (vec![Reason::NotAPdf], None)
    } else {
        judge(bytes, trust, at)
    };
    let (finding, reasons) = conclude(reasons, || trust.is_claimed_by(bytes));
    Report { finding, reasons, signature, digest: sha256(bytes) }
}

/// Judges a detached signature over bytes kept elsewhere, as made by [`crate::seal::cms::sign_detached`] at the given
/// moment. No reasons: it is good.
pub fn check_detached(
    content: &[u8],
    signature: &[u8],
    trust: &Trust,
    signed_at: DateTime<Utc>,
) -> Vec<Reason> {
    let content: [u8; 32] = *sha256(content).as_bytes();
    cms::judge(signature, &content, trust, signed_at).0
}

fn conclude(mut reasons: Vec<Reason>, ours: impl FnOnce() -> bool) -> (Finding, Vec<Reason>) {
    let any = |finding| reasons.iter().any(|reason| reason.finding() == finding);
    let finding = if reasons.is_empty() {
        Finding::Sound
    } else if any(Finding::Unreadable) {
        Finding::Unreadable
    } else if any(Finding::Unsigned) {
        Finding::Unsigned
    } else if !any(Finding::Tampered) {
        Finding::NotOurs
    } else if reasons.contains(&Reason::ContentsEmpty) || ours() {
        Finding::Tampered
    } else {
        // Another's file need not be written as ours are; that is no reproach. Whose it is not, is.
        reasons.retain(|reason| !reason.is_about_form() && *reason != Reason::RootNotTrusted);
        reasons.insert(0, Reason::RootNotTrusted);
        Finding::NotOurs
    };
    reasons.sort_by_key(|reason| reason.finding() != finding);
    (finding, reasons)
}

fn judge(bytes: &[u8], trust: &Trust, at: DateTime<Utc>) -> (Vec<Reason>, Option<SignatureFacts>) {
    let mut reasons = Vec::new();
    let layout = layout::read(bytes);
    let (dictionary, certified) = match layout.as_ref().map(Layout::signature) {
        Ok(Ok((signature, certified))) => (signature.clone(), certified),
        Ok(Err(Reason::NoSignature)) => return (vec![Reason::NoSignature], None),
        Ok(Err(reason)) | Err(&reason) => match layout::stray_signature(bytes) {
            Some(signature) => {
                reasons.push(reason);
                // What the file promises against changes cannot be told; what is wrong with it is said already.
                (signature, true)
            }
            None => return (vec![layout::judge_unsigned(bytes)], None),
        },
    };
    if !certified {
        reasons.push(Reason::NotCertified);
    }
    let claim = Claim::read(&dictionary);
    if !claim.subfilter_allowed {
        reasons.push(Reason::SubfilterNotAllowed);
    }
    let range = match claim.range(bytes.len()) {
        Ok(range) => range,
        Err(reason) => {
            add(&mut reasons, reason);
            if claim.is_empty(bytes) {
                add(&mut reasons, Reason::ContentsEmpty);
            }
            return (reasons, None);
        }
    };
    let covers_whole_file = range.end == bytes.len();
    if !covers_whole_file {
        add(&mut reasons, layout::addition(&bytes[range.end..]));
    }
    let signature = match contents::read(&bytes[range.hole.clone()]) {
        Ok(signature) => signature,
        Err((reason, signature)) => {
            add(&mut reasons, reason);
            signature
        }
    };
    if signature.is_empty() {
        return (reasons, None);
    }

    let signed_at = match claim.signed_at {
        None => {
            reasons.push(Reason::SigningTimeMissing);
            at
        }
        // A day of grace, for the clocks of those who seal and of those who check are set by different hands.
        Some(moment) if at.checked_add_signed(TimeDelta::days(1)).is_some_and(|latest| moment > latest) => {
            reasons.push(Reason::SignedInTheFuture);
            moment
        }
        Some(moment) => moment,
    };
    let mut content = Context::new(&SHA256);
    content.update(&bytes[..range.hole.start]);
    content.update(&bytes[range.hole.end..range.end]);
    let mut content_digest = [0; 32];
    content_digest.copy_from_slice(content.finish().as_ref());
    let (more, signer) = cms::judge(&signature, &content_digest, trust, signed_at);
    more.into_iter().for_each(|reason| add(&mut reasons, reason));
    let facts = signer.map(|signer| signer.facts(claim.signed_at, covers_whole_file));
    (reasons, facts)
}

fn add(reasons: &mut Vec<Reason>, reason: Reason) {
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}

fn sha256(bytes: &[u8]) -> Sha256 {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Sha256::new(out)
}

#[cfg(test)]
mod tests;
