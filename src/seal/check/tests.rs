//! What the check makes of files: sound ones, altered ones, those of others, and noise.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use super::*;
use crate::seal::key::SealKey;
use crate::seal::trial::{Authority, Draft, authority_params, find, patch, seal_params, signed_at};

mod altered;
mod certificates;
mod strangers;

/// An authority, and a file sealed by a key that it certified.
struct Scene {
    root: Authority,
    sealed: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        Self::of(&Draft::new())
    }

    fn of(draft: &Draft) -> Self {
        let root = Authority::root("示例根");
        let key = root.certify(&seal_params());
        let sealed = draft.seal_unchecked(&key);
        Self { root, sealed }
    }

    fn judge(&self, bytes: &[u8]) -> (Finding, Vec<Reason>) {
        let report = check(bytes, &self.root.trust(), signed_at());
        (report.finding, report.reasons)
    }

    /// Asserts the finding and that the reason is among those given.
    fn expect(&self, bytes: &[u8], finding: Finding, reason: Reason) {
        let (found, reasons) = self.judge(bytes);
        assert!(
            found == finding && reasons.contains(&reason),
            "{found:?} {reasons:?}, not {finding:?} {reason:?}"
        );
    }
}

#[test]
fn sound_means_no_reason() {
    let scene = Scene::new();
    assert_eq!(scene.judge(&scene.sealed), (Finding::Sound, vec![]));
}

#[test]
fn words_that_look_like_a_signature_do_not_mislead() {
    let words = "/Type/Sig/ByteRange[0 1 2 3]/Contents<00>>>endobj startxref 9 %%EOF /Encrypt 3 0 R";
    let scene = Scene::of(
        &Draft::new()
            .add(&format!("({words})"))
            .add(&format!("<</Length {}>>stream\n{words}\nendstream", words.len())),
    );
    assert_eq!(scene.judge(&scene.sealed), (Finding::Sound, vec![]));
    scene.expect(&patch(&scene.sealed, "Specimen", "Specimem"), Finding::Tampered, Reason::DigestMismatch);
}
