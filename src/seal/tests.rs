//! Sealing: what is written where, and what is never given out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use std::sync::atomic::{AtomicUsize, Ordering};

use super::check::{check, check_detached};
use super::key::{Scheme, development};
use super::trial::{
    Authority, Draft, RSA_2048, RSA_3072, RSA_4096, find, patch, rsa_key, seal_params, signed_at,
};
use super::*;
use crate::render::{CopyKind, Sheet, render};

/// A key that counts its uses, and can be told to fail or to sign something else.
#[derive(Debug)]
struct TrialKey {
    inner: key::file::FileKey,
    uses: AtomicUsize,
    act: Act,
}

#[derive(Debug, PartialEq)]
enum Act {
    Sign,
    Fail,
    SignAnother,
    ClaimRsa,
}

impl TrialKey {
    fn new(act: Act) -> Self {
        Self { inner: development::key().unwrap(), uses: AtomicUsize::new(0), act }
    }
}

impl SealKey for TrialKey {
    fn chain(&self) -> &[Vec<u8>] {
        self.inner.chain()
    }

    fn scheme(&self) -> Scheme {
        if self.act == Act::ClaimRsa { Scheme::RsaPkcs1Sha256 } else { self.inner.scheme() }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.uses.fetch_add(1, Ordering::Relaxed);
        match self.act {
            Act::Fail => Err(KeyError::Refused("the device is gone".into())),
            Act::SignAnother => self.inner.sign(b"another message"),
            _ => self.inner.sign(message),
        }
    }
}

fn development_trust() -> Trust {
    Trust::from_pem(development::ROOT_PEM).unwrap()
}

#[test]
fn a_sealed_file_is_sound_and_says_who_sealed_it_when() {
    let sealed = Draft::new().seal(&development::key().unwrap()).unwrap();
    let report = check(sealed.bytes(), &development_trust(), signed_at());
    assert_eq!((report.finding, report.reasons), (Finding::Sound, vec![]));
    assert_eq!(report.digest, sealed.digest());
    let facts = report.signature.unwrap();
    assert_eq!(facts.signer.as_deref(), Some("示例机构电子证书专用章（测试）"));
    assert_eq!(facts.organisation.as_deref(), Some("示例机构"));
    assert_eq!(facts.issuer, "示例机构测试根证书（仅供开发测试）");
    assert_eq!(facts.signed_at, Some(signed_at()));
    assert_eq!(facts.algorithm, "ECDSA P-256 SHA-256");
    assert!(facts.covers_whole_file);
}

#[test]
fn sealing_changes_nothing_but_the_two_places_of_the_hole() {
    let (before, hole) = Draft::new().lay_out();
    let after = Draft::new().seal(&development::key().unwrap()).unwrap();
    assert_eq!(before.len(), after.bytes().len());
    let changed = |place: usize| hole.contents.contains(&place) || hole.byte_range.contains(&place);
    assert!((0..before.len()).all(|place| changed(place) || before[place] == after.bytes()[place]));
}

#[test]
fn rsa_keys_of_three_sizes_seal_too() {
    let root = Authority::root("根");
    for text in [RSA_2048, RSA_3072, RSA_4096] {
        let sealed = Draft::new().seal(&root.certify_key(&seal_params(), &rsa_key(text))).unwrap();
        let report = check(sealed.bytes(), &root.trust(), signed_at());
        assert_eq!(report.reasons, []);
        assert_eq!(report.signature.unwrap().algorithm, "RSA PKCS#1 v1.5 SHA-256");
    }
}

#[test]
fn the_key_is_used_once_per_file_and_not_at_all_for_a_misplaced_hole() {
    let key = TrialKey::new(Act::Sign);
    Draft::new().seal(&key).unwrap();
    assert_eq!(key.uses.load(Ordering::Relaxed), 1);

    let (bytes, hole) = Draft::new().lay_out();
    let moved = |contents, byte_range| seal_bytes(bytes.clone(), &Hole { contents, byte_range }, &key);
    let (contents, range) = (hole.contents.clone(), hole.byte_range.clone());
    for (contents, range) in [
        (contents.start + 1..contents.end, range.clone()),
        (contents.clone(), range.start..range.end + 1),
        (contents.clone(), contents.clone()),
        (0..0, range.clone()),
        (bytes.len()..bytes.len() + 9, range),
    ] {
        assert!(matches!(moved(contents, range), Err(SealError::HoleMisplaced)));
    }
    assert_eq!(key.uses.load(Ordering::Relaxed), 1);
}

#[test]
fn a_hole_that_is_too_small_is_an_error() {
    let key = development::key().unwrap();
    assert!(matches!(Draft::with_hole(600).seal(&key), Err(SealError::HoleTooSmall)));
    let narrow = Draft::new().reword("[0 999999999 999999999 999999999]", "[0 9]");
    assert!(matches!(narrow.seal(&key), Err(SealError::HoleTooSmall)));
}

#[test]
fn a_failing_key_gives_no_file() {
    let error = Draft::new().seal(&TrialKey::new(Act::Fail)).unwrap_err();
    assert!(matches!(&error, SealError::Key(KeyError::Refused(_))));
    assert_eq!(error.to_string(), "the seal key failed");
}

#[test]
fn what_does_not_pass_the_check_is_not_given_out() {
    let wrong = |draft: Draft, act| match draft.seal(&TrialKey::new(act)).unwrap_err() {
        SealError::CheckFailed(reasons) => reasons,
        other => panic!("{other}"),
    };
    assert_eq!(wrong(Draft::new(), Act::SignAnother), [Reason::SignatureInvalid]);
    assert_eq!(wrong(Draft::new(), Act::ClaimRsa), [Reason::AlgorithmNotAllowed]);
    assert_eq!(wrong(Draft::new().reword("/P 1/", "/P 2/"), Act::Sign), [Reason::NotCertified]);
    assert_eq!(
        wrong(Draft::new().reword("D:2026", "D:2056"), Act::Sign),
        [Reason::CertificateNotValidAtSigning]
    );
    assert_eq!(wrong(Draft::new().reword("/M(", "/N("), Act::Sign)[0], Reason::SigningTimeMissing);
}

#[test]
fn a_kept_file_is_recalled_only_untouched() {
    let sealed = Draft::new().seal(&development::key().unwrap()).unwrap();
    let recalled = SealedPdf::recall(sealed.bytes().to_vec(), sealed.digest()).unwrap();
    assert_eq!(recalled, sealed);
    let touched = patch(sealed.bytes(), "Specimen", "Specimem");
    let altered = SealedPdf::recall(touched, sealed.digest()).unwrap_err();
    assert_eq!(altered.kept, sealed.digest());
}

#[test]
fn a_detached_signature_is_good_for_its_content_only() {
    let key = development::key().unwrap();
    let signature = cms::sign_detached(&key, b"statement").unwrap();
    assert_eq!(check_detached(b"statement", &signature, &development_trust(), signed_at()), []);
    let other = check_detached(b"Statement", &signature, &development_trust(), signed_at());
    assert_eq!(other, [Reason::DigestMismatch]);
    let stranger = Authority::root("另一个根").trust();
    assert_eq!(check_detached(b"statement", &signature, &stranger, signed_at()), [Reason::RootNotTrusted]);
}

#[test]
fn the_root_stays_at_home_and_what_is_shown_holds_no_content() {
    let key = development::key().unwrap();
    let signature = cms::sign_detached(&key, b"statement").unwrap();
    assert!(find(&signature, &key.chain()[0]).is_some());
    assert!(find(&signature, &key.chain()[1]).is_none());
    let sealed = Draft::new().seal(&key).unwrap();
    assert_eq!(
        format!("{sealed:?}"),
        format!("SealedPdf({} bytes, {})", sealed.bytes().len(), sealed.digest())
    );
}

/// A certificate as the renderer draws it.
pub(crate) fn drawn() -> UnsealedPdf {
    let sheet = Sheet { copy: CopyKind::Plain, made_at: signed_at(), ..crate::render::tests::sheet() };
    render(&sheet).unwrap()
}

#[test]
fn what_the_renderer_draws_is_sealed_and_no_altered_byte_of_it_passes() {
    let root = Authority::root("根");
    let sealed = seal(drawn(), &root.certify(&seal_params())).unwrap();
    let report = check(sealed.bytes(), &root.trust(), signed_at());
    assert_eq!((report.finding, report.reasons), (Finding::Sound, vec![]));
    assert_eq!(report.signature.unwrap().signed_at, Some(signed_at()));
    let mut bytes = sealed.bytes().to_vec();
    // Every byte is tried on the minimal file; here a sample from beginning to end.
    for place in (0..bytes.len()).step_by(41) {
        bytes[place] ^= 1;
        assert_ne!(check(&bytes, &root.trust(), signed_at()).finding, Finding::Sound, "byte {place}");
        bytes[place] ^= 1;
    }
}

#[test]
fn a_hole_of_the_renderer_holds_the_longest_chain_of_rsa() {
    let root = Authority::root("根");
    let between = root.certify_authority(super::trial::authority_params("中间"));
    let key = between.certify_key(&seal_params(), &rsa_key(RSA_4096));
    assert_eq!(
        check(seal(drawn(), &key).unwrap().bytes(), &root.trust(), signed_at()).finding,
        Finding::Sound
    );
}
