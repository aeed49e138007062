//! The places of a certificate against a model that waits day by day, and the edges of every other rule.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use proptest::prelude::*;

use super::*;
use crate::domain::annotation::Cause;
use crate::domain::certificate::Standing;
use crate::domain::identity::PersonId;
use crate::domain::sample::{
    certificate, day, failed, order, policy, queued, revoked, sealed, sealing, withdrawn_unsealed,
};

fn today() -> NaiveDate {
    day("2026-11-21")
}

fn judged(annotations: &[Annotation], on: NaiveDate) -> Result<Places, Refusal> {
    policy().judge(&certificate(), annotations, &order(on, 90))
}

fn next_free_on(refused: Result<Places, Refusal>) -> Option<NaiveDate> {
    match refused {
        Err(Refusal::QuotaExceeded { next_free_on, .. }) => next_free_on,
        other => panic!("the quota did not refuse: {other:?}"),
    }
}

// ---- days and scenarios ---------------------------------------------------------------------------------------------

#[test]
fn ninety_days_are_accepted_and_ninety_one_refused() {
    let ask = |days| policy().judge(&certificate(), &[], &order(today(), days));
    assert_eq!(ask(90), Ok(Places { left: 3, next_free_on: None }));
    assert_eq!(ask(1), Ok(Places { left: 3, next_free_on: None }));
    assert_eq!(ask(91), Err(Refusal::ValidityTooLong { max_days: 90 }));
    assert_eq!(ask(u32::MAX), Err(Refusal::ValidityTooLong { max_days: 90 }));
    assert_eq!(ask(0), Err(Refusal::ValidityTooShort));
}

#[test]
fn a_scenario_that_is_not_on_the_list_is_refused_with_the_list() {
    let order = Order { scenario: "bidding".parse().unwrap(), ..order(today(), 90) };
    assert_eq!(
        policy().judge(&certificate(), &[], &order),
        Err(Refusal::ScenarioNotAllowed { allowed: vec!["self_use".to_owned()] })
    );
}

#[test]
fn only_a_certificate_in_force_can_be_annotated() {
    for standing in [
        Standing::Suspended,
        Standing::Revoked,
        Standing::Cancelled,
        Standing::Superseded { by: certificate().id },
    ] {
        let certificate = Certificate { standing, ..certificate() };
        let status = certificate.status_on(today());
        assert_eq!(
            policy().judge(&certificate, &[], &order(today(), 90)),
            Err(Refusal::CertificateNotValid { status })
        );
    }
}

#[test]
fn a_certificate_issued_the_day_before_the_exemption_ends_is_exempt_and_on_that_day_not() {
    let issued = |text| {
        let mut certificate = certificate();
        certificate.details.issued_on = day(text);
        policy().exempts(&certificate)
    };
    assert!(issued("2021-12-16"));
    assert!(!issued("2021-12-17"));
    assert!(!Policy { exempt_before: None, ..policy() }.exempts(&certificate()));
}

#[test]
fn a_type_without_a_policy_of_its_own_follows_the_general_one() {
    let own = Policy { max_days: 180, ..policy() };
    let kind: CertificateType = "constructor-registration".parse().unwrap();
    let book = PolicyBook { by_type: BTreeMap::from([(kind.clone(), own)]), otherwise: policy() };
    assert_eq!(book.of(&kind).max_days, 180);
    assert_eq!(book.of(&certificate().details.kind).max_days, 90);
}

// ---- places ---------------------------------------------------------------------------------------------------------

#[test]
fn the_fourth_is_refused_until_the_first_expires() {
    // Three copies for 30 days, ordered on three days.
    let held = [sealed(day("2026-11-01"), 30), sealed(day("2026-11-10"), 30), sealed(day("2026-11-20"), 30)];
    let refused = judged(&held, today());
    assert_eq!(next_free_on(refused), Some(day("2026-12-01")));
    assert_eq!(next_free_on(judged(&held, day("2026-11-30"))), Some(day("2026-12-01")));
    assert_eq!(judged(&held, day("2026-12-01")), Ok(Places { left: 1, next_free_on: None }));
}

#[test]
fn a_place_falls_free_when_its_order_leaves_the_window_though_the_copy_lives_on() {
    // A window shorter than the validity: 60 days against 90.
    let policy = Policy { window_days: 60, quota: 1, ..policy() };
    let held = [sealed(day("2026-11-21"), 90)];
    let places = |on| policy.places(&certificate(), &held, on);
    assert_eq!(places(day("2026-11-21")), Places { left: 0, next_free_on: Some(day("2027-01-20")) });
    assert_eq!(places(day("2027-01-19")), Places { left: 0, next_free_on: Some(day("2027-01-20")) });
    assert_eq!(places(day("2027-01-20")), Places { left: 1, next_free_on: None });
}

#[test]
fn an_order_of_eighty_nine_days_ago_counts_and_of_ninety_not() {
    let policy = Policy { counting: Counting::Granted, quota: 1, ..policy() };
    let left = |applied| policy.places(&certificate(), &[sealed(applied, 1)], today()).left;
    assert_eq!(left(today() - chrono::Days::new(89)), 0);
    assert_eq!(left(today() - chrono::Days::new(90)), 1);
}

#[test]
fn what_waits_or_is_being_sealed_counts_as_sealed_today() {
    for waiting in [queued(today(), 10), sealing(today(), 10)] {
        let policy = Policy { quota: 1, ..policy() };
        let places = policy.places(&certificate(), [&waiting], today());
        assert_eq!(places, Places { left: 0, next_free_on: Some(day("2026-12-01")) });
    }
}

#[test]
fn expired_revoked_and_failed_annotations_free_their_place() {
    let yesterday = today() - chrono::Days::new(1);
    let ended = [
        sealed(yesterday, 1),
        revoked(today(), 90, Cause::Withdrawn),
        withdrawn_unsealed(today(), 90),
        failed(today(), 90),
    ];
    assert_eq!(policy().places(&certificate(), &ended, today()).left, 3);
}

#[test]
fn counting_what_was_granted_keeps_the_place_of_the_expired_and_revoked_but_not_of_what_never_was() {
    let policy = Policy { counting: Counting::Granted, ..policy() };
    let yesterday = today() - chrono::Days::new(1);
    let left = |annotation: Annotation| policy.places(&certificate(), [&annotation], today()).left;
    assert_eq!(left(sealed(yesterday, 1)), 2, "expired");
    assert_eq!(left(revoked(yesterday, 90, Cause::Withdrawn)), 2, "revoked");
    assert_eq!(left(queued(yesterday, 90)), 2, "queued");
    assert_eq!(left(withdrawn_unsealed(yesterday, 90)), 3, "withdrawn before it was sealed");
    assert_eq!(left(failed(yesterday, 90)), 3, "failed");
}

#[test]
fn a_lowered_quota_waits_until_the_surplus_is_gone_too() {
    let policy = Policy { quota: 1, ..policy() };
    let held = [10, 20, 30].map(|days| sealed(today(), days));
    let places = policy.places(&certificate(), &held, today());
    assert_eq!(places, Places { left: 0, next_free_on: Some(day("2026-12-21")) });
}

#[test]
fn a_quota_of_none_never_names_a_day() {
    let policy = Policy { quota: 0, ..policy() };
    for held in [vec![], vec![sealed(today(), 9)]] {
        assert_eq!(policy.places(&certificate(), &held, today()), Places { left: 0, next_free_on: None });
    }
}

#[test]
fn no_day_is_named_where_the_certificate_ends_before_a_place_falls_free() {
    let policy = Policy { caps: vec![Cap::Registration], quota: 1, ..policy() };
    let mut certificate = certificate();
    certificate.details.valid_until = Some(day("2026-12-01"));
    let held = [sealed(today(), 11)];
    assert_eq!(
        policy.judge(&certificate, &held, &order(today(), 90)),
        Err(Refusal::QuotaExceeded { quota: 1, window_days: 90, next_free_on: None })
    );
}

// ---- caps -----------------------------------------------------------------------------------------------------------

#[test]
fn a_copy_never_outlives_the_registration() {
    let policy = Policy { caps: vec![Cap::Registration], ..policy() };
    let mut certificate = certificate();
    assert_eq!(policy.last_day(&certificate, today(), 90), Some(day("2027-02-18")), "no end, no cap");
    certificate.details.valid_until = Some(day("2026-12-31"));
    assert_eq!(policy.last_day(&certificate, today(), 90), Some(day("2026-12-31")));
    assert_eq!(policy.last_day(&certificate, today(), 5), Some(day("2026-11-25")), "shorter than the cap");
    assert_eq!(policy.last_day(&certificate, day("2026-12-31"), 90), Some(day("2026-12-31")));
    assert_eq!(policy.last_day(&certificate, day("2027-01-01"), 90), None);
}

#[test]
fn a_copy_ends_the_day_before_its_holder_reaches_the_age() {
    let policy = Policy { caps: vec![Cap::Age(77)], ..policy() };
    let certificate = certificate();
    assert_eq!(policy.last_day(&certificate, today(), 90), Some(day("2026-12-30")));
    let on_the_birthday = policy.judge(&certificate, &[], &order(day("2026-12-31"), 1));
    assert_eq!(on_the_birthday, Err(Refusal::CertificateNotValid { status: Status::Lapsed }));
}

#[test]
fn the_age_is_read_from_the_identity_number_where_the_record_does_not_say_it() {
    let policy = Policy { caps: vec![Cap::Age(77)], ..policy() };
    let mut certificate = certificate();
    certificate.details.holder.born = None;
    for number in ["11010519491231002X", "110105491231002"] {
        certificate.details.holder.id = PersonId::parse("111", number).unwrap();
        assert_eq!(policy.last_day(&certificate, today(), 90), Some(day("2026-12-30")), "{number}");
    }
    certificate.details.holder.id = PersonId::parse("414", "E12345678").unwrap();
    assert_eq!(policy.last_day(&certificate, today(), 90), Some(day("2027-02-18")), "nobody knows the age");
}

#[test]
fn of_two_caps_the_earlier_holds() {
    let policy = Policy { caps: vec![Cap::Age(77), Cap::Registration], ..policy() };
    let mut certificate = certificate();
    certificate.details.valid_until = Some(day("2026-12-05"));
    assert_eq!(policy.last_day(&certificate, today(), 90), Some(day("2026-12-05")));
}

// ---- the model ------------------------------------------------------------------------------------------------------

/// How an annotation of the model came out.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Queued,
    Sealing,
    Sealed,
    Revoked,
    Withdrawn,
    Failed,
}

#[derive(Clone, Debug)]
struct Past {
    days_ago: u32,
    days: u32,
    fate: Fate,
}

impl Past {
    fn annotation(&self, today: NaiveDate) -> Annotation {
        let applied = today - chrono::Days::new(self.days_ago.into());
        match self.fate {
            Fate::Queued => queued(applied, self.days),
            Fate::Sealing => sealing(applied, self.days),
            Fate::Sealed => sealed(applied, self.days),
            Fate::Revoked => revoked(applied, self.days, Cause::Withdrawn),
            Fate::Withdrawn => withdrawn_unsealed(applied, self.days),
            Fate::Failed => failed(applied, self.days),
        }
    }

    /// Whether it holds a place on the day `wait` days from today, worked out from the words of the rule and in plain
    /// numbers: application days in `[D-89, D]`, and active on `D`. What waits is sealed today.
    fn holds(&self, policy: &Policy, wait: u32) -> bool {
        let in_window = self.days_ago + wait < policy.window_days;
        let sealed_days_ago = match self.fate {
            Fate::Queued | Fate::Sealing => Some(0),
            Fate::Sealed => Some(self.days_ago),
            Fate::Revoked | Fate::Withdrawn | Fate::Failed => None,
        };
        let active = sealed_days_ago.is_some_and(|ago| ago + wait < self.days);
        let granted = !matches!(self.fate, Fate::Withdrawn | Fate::Failed);
        in_window
            && match policy.counting {
                Counting::Active => active,
                Counting::Granted => granted,
            }
    }
}

fn pasts() -> impl Strategy<Value = Vec<Past>> {
    let fate = prop_oneof![
        4 => Just(Fate::Sealed),
        1 => Just(Fate::Queued),
        1 => Just(Fate::Sealing),
        1 => Just(Fate::Revoked),
        1 => Just(Fate::Withdrawn),
        1 => Just(Fate::Failed),
    ];
    let past = (0u32..120, 1u32..100, fate).prop_map(|(days_ago, days, fate)| Past { days_ago, days, fate });
    prop::collection::vec(past, 0..9)
}

fn policies() -> impl Strategy<Value = Policy> {
    (0u32..5, 1u32..120, any::<bool>()).prop_map(|(quota, window_days, granted)| Policy {
        quota,
        window_days,
        counting: if granted { Counting::Granted } else { Counting::Active },
        ..policy()
    })
}

proptest! {
    #[test]
    fn the_named_day_is_the_first_on_which_an_order_succeeds_again(policy in policies(), pasts in pasts()) {
        let annotations: Vec<_> = pasts.iter().map(|past| past.annotation(today())).collect();
        let places = policy.places(&certificate(), &annotations, today());

        let taken = |wait| pasts.iter().filter(|past| past.holds(&policy, wait)).count() as u32;
        prop_assert_eq!(places.left, policy.quota.saturating_sub(taken(0)));
        // 250 days on, everything has left the longest window.
        let first_free = (0..250).find(|wait| taken(*wait) < policy.quota);
        let named = places.next_free_on.map(|day| (day - today()).num_days());
        prop_assert_eq!(named, first_free.filter(|wait| *wait > 0).map(i64::from));
    }

    #[test]
    fn an_order_is_accepted_exactly_where_a_place_is_left(policy in policies(), pasts in pasts()) {
        let annotations: Vec<_> = pasts.iter().map(|past| past.annotation(today())).collect();
        let places = policy.places(&certificate(), &annotations, today());
        let judged = policy.judge(&certificate(), &annotations, &order(today(), 1));
        let refused = Refusal::QuotaExceeded {
            quota: policy.quota,
            window_days: policy.window_days,
            next_free_on: places.next_free_on,
        };
        prop_assert_eq!(judged, if places.left > 0 { Ok(places) } else { Err(refused) });
    }

    #[test]
    fn whoever_waits_for_the_named_day_is_served_even_if_the_queue_is_sealed_meanwhile(
        policy in policies(),
        pasts in pasts(),
    ) {
        let annotations: Vec<_> = pasts.iter().map(|past| past.annotation(today())).collect();
        let places = policy.places(&certificate(), &annotations, today());
        prop_assume!(places.next_free_on.is_some());
        let later = places.next_free_on.unwrap();
        // The worker seals today whatever waits.
        let settled: Vec<_> = annotations
            .into_iter()
            .map(|annotation| match annotation.phase_on(today()) {
                Phase::Queued | Phase::Sealing => {
                    let sealed = sealed(today(), annotation.order.days);
                    Annotation { state: sealed.state, ..annotation }
                }
                _ => annotation,
            })
            .collect();
        prop_assert!(policy.judge(&certificate(), &settled, &order(later, 1)).is_ok());
        let eve = later.pred_opt().unwrap();
        prop_assert!(policy.judge(&certificate(), &settled, &order(eve, 1)).is_err());
    }

    #[test]
    fn a_validity_counts_both_its_ends(days in 1u32..=90) {
        let last = policy().last_day(&certificate(), today(), days).unwrap();
        prop_assert_eq!((last - today()).num_days() + 1, i64::from(days));
    }
}
