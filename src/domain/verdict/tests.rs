//! The verdict of every state of a copy under every standing of its certificate.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use super::*;
use crate::domain::certificate::Standing;
use crate::domain::sample::{certificate, day, failed, queued, revoked, sealed, sealing, withdrawn_unsealed};

fn today() -> NaiveDate {
    day("2026-11-21")
}

/// A certificate with each status on [`today`], in the order of [`Status::ALL`].
fn certificates() -> [Certificate; 6] {
    Status::ALL.map(|status| {
        let standing = match status {
            Status::Valid | Status::Lapsed => Standing::Valid,
            Status::Suspended => Standing::Suspended,
            Status::Revoked => Standing::Revoked,
            Status::Cancelled => Standing::Cancelled,
            Status::Superseded => Standing::Superseded { by: certificate().id },
        };
        let mut certificate = Certificate { standing, ..certificate() };
        if status == Status::Lapsed {
            certificate.details.valid_until = today().pred_opt();
        }
        assert_eq!(certificate.status_on(today()), status);
        certificate
    })
}

#[test]
fn every_state_of_a_copy_under_every_status_of_its_certificate_has_its_verdict() {
    use Verdict::{CertificateRevoked as Ended, Expired, Genuine, Pending, Revoked, Superseded, Unknown};
    let yesterday = today().pred_opt().unwrap();
    //                    valid      suspended   revoked     cancelled   lapsed      superseded
    let table = [
        ("queued", queued(today(), 9), [Pending, Ended, Ended, Ended, Ended, Superseded]),
        ("sealing", sealing(today(), 9), [Pending, Ended, Ended, Ended, Ended, Superseded]),
        ("sealed", sealed(today(), 9), [Genuine, Ended, Ended, Ended, Ended, Superseded]),
        // What has run out stays run out, whatever happened to the certificate since.
        ("expired", sealed(yesterday, 1), [Expired; 6]),
        ("failed", failed(today(), 9), [Unknown; 6]),
        ("withdrawn", revoked(today(), 9, Cause::Withdrawn), [Revoked; 6]),
        ("withdrawn unsealed", withdrawn_unsealed(today(), 9), [Revoked; 6]),
        // The cause speaks, even where the certificate's own standing says something else by now.
        ("ended", revoked(today(), 9, Cause::CertificateEnded), [Ended; 6]),
        ("superseded", revoked(today(), 9, Cause::CertificateSuperseded), [Superseded; 6]),
    ];
    for (name, annotation, verdicts) in table {
        for (certificate, expected) in certificates().iter().zip(verdicts) {
            let status = certificate.status_on(today());
            let verdict = Verdict::of(&annotation, certificate, today());
            assert_eq!(verdict, expected, "a {name} copy of a {} certificate", status.word());
        }
    }
}

#[test]
fn a_certificate_is_genuine_superseded_or_no_longer_valid() {
    use Verdict::{CertificateRevoked as Ended, Genuine, Superseded};
    let verdicts = certificates().map(|certificate| Verdict::of_certificate(&certificate, today()));
    assert_eq!(verdicts, [Genuine, Ended, Ended, Ended, Ended, Superseded]);
}

#[test]
fn a_suspension_holds_a_copy_and_lifting_it_gives_the_copy_back() {
    let copy = sealed(today(), 9);
    let suspended = Certificate { standing: Standing::Suspended, ..certificate() };
    assert_eq!(Verdict::of(&copy, &suspended, today()), Verdict::CertificateRevoked);
    assert_eq!(Verdict::of(&copy, &certificate(), today()), Verdict::Genuine);
}

#[test]
fn a_registration_is_good_on_its_last_day_and_lapsed_on_the_next() {
    let mut certificate = certificate();
    certificate.details.valid_until = Some(today());
    assert_eq!(Verdict::of_certificate(&certificate, today()), Verdict::Genuine);
    let tomorrow = today().succ_opt().unwrap();
    assert_eq!(certificate.status_on(tomorrow), Status::Lapsed);
    assert_eq!(Verdict::of_certificate(&certificate, tomorrow), Verdict::CertificateRevoked);
}

#[test]
fn words_of_verdicts_are_unlike_each_other() {
    let words: std::collections::BTreeSet<_> = Verdict::ALL.map(Verdict::word).into();
    assert_eq!(words.len(), Verdict::ALL.len());
}
