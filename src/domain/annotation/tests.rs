//! The life of an annotation: what it shows on which day, and what may still end it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::domain::sample::{day, failed, noon, queued, revoked, sealed, sealing, withdrawn_unsealed};

fn ordered() -> NaiveDate {
    day("2026-11-21")
}

#[test]
fn an_annotation_shows_the_state_it_is_in() {
    let on = ordered();
    for (annotation, phase) in [
        (queued(on, 90), Phase::Queued),
        (sealing(on, 90), Phase::Sealing),
        (sealed(on, 90), Phase::Ready),
        (sealed(on - chrono::Days::new(1), 1), Phase::Expired),
        (revoked(on, 90, Cause::Withdrawn), Phase::Revoked),
        (withdrawn_unsealed(on, 90), Phase::Revoked),
        (failed(on, 90), Phase::Failed),
    ] {
        assert_eq!(annotation.phase_on(on), phase);
    }
}

#[test]
fn a_copy_for_ninety_days_is_ready_on_its_last_day_and_expired_at_midnight() {
    let copy = sealed(ordered(), 90);
    assert_eq!(copy.phase_on(day("2027-02-18")), Phase::Ready);
    assert_eq!(copy.phase_on(day("2027-02-19")), Phase::Expired);

    let last_second: DateTime<Utc> = "2027-02-18T23:59:59+08:00".parse().unwrap();
    assert_eq!(copy.phase_on(calendar::day_of(last_second)), Phase::Ready);
    assert_eq!(copy.phase_on(calendar::day_of(last_second + TimeDelta::seconds(1))), Phase::Expired);
}

#[test]
fn the_day_of_application_is_the_day_in_shanghai() {
    let mut order = crate::domain::sample::order(ordered(), 90);
    order.requested_at = "2026-11-21T15:59:59.999Z".parse().unwrap();
    assert_eq!(order.applied_on(), day("2026-11-21"));
    order.requested_at = "2026-11-21T16:00:00Z".parse().unwrap();
    assert_eq!(order.applied_on(), day("2026-11-22"));
}

#[test]
fn what_is_live_can_be_revoked_at_any_time_and_keeps_its_copy_for_the_record() {
    let at = noon(ordered());
    for (annotation, has_copy) in
        [(queued(ordered(), 90), false), (sealing(ordered(), 90), false), (sealed(ordered(), 90), true)]
    {
        let ended = annotation.clone().revoke_if_live(at, Cause::Withdrawn).unwrap();
        let State::Revoked(state) = &ended.state else { panic!("not revoked: {ended:?}") };
        assert_eq!(state.revocation, Revocation { at, cause: Cause::Withdrawn });
        assert_eq!(state.sealed.is_some(), has_copy);
        assert_eq!(ended.sealed(), annotation.sealed(), "the copy is the same");
        assert_eq!((ended.id, ended.code, &ended.order), (annotation.id, annotation.code, &annotation.order));
        assert_eq!(ended.phase_on(ordered()), Phase::Revoked);
    }
}

#[test]
fn what_has_ended_is_not_ended_again() {
    let later = noon(ordered()) + TimeDelta::days(1);
    for annotation in [
        sealed(ordered(), 1),
        revoked(ordered(), 90, Cause::CertificateEnded),
        withdrawn_unsealed(ordered(), 90),
        failed(ordered(), 90),
    ] {
        assert_eq!(annotation.revoke_if_live(later, Cause::Withdrawn), None);
    }
}

#[test]
fn a_copy_can_be_revoked_until_the_last_second_of_its_last_day() {
    let end = calendar::start_of(day("2027-02-19"));
    let copy = sealed(ordered(), 90);
    assert!(copy.clone().revoke_if_live(end - TimeDelta::milliseconds(1), Cause::Withdrawn).is_some());
    assert!(copy.revoke_if_live(end, Cause::Withdrawn).is_none());
}

#[test]
fn a_second_try_writes_a_new_intent_and_only_that_one_is_sealed() {
    let (first, second) = (intent_at("2026-11-21"), intent_at("2026-11-22"));
    let sealing = Queued {}.begin(first).begin(second.clone());
    let sealed = sealing.complete(Sha256::new([7; 32]));
    assert_eq!((sealed.intent, sealed.document), (second, Sha256::new([7; 32])));
}

#[test]
fn a_copy_is_in_force_from_its_first_to_its_last_day() {
    let copy = sealed(ordered(), 2);
    let in_force = |text| copy.sealed().unwrap().in_force_on(day(text));
    assert_eq!(
        ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"].map(in_force),
        [false, true, true, false]
    );
}

#[test]
fn a_repeated_order_is_answered_as_it_was_the_first_time() {
    let now = sealed(ordered(), 90);
    assert_eq!(now.as_ordered(), queued(ordered(), 90));
}

#[test]
fn words_of_phases_and_causes_read_back_and_are_unlike_each_other() {
    for phase in Phase::ALL {
        assert_eq!(phase.word().parse::<Phase>().unwrap(), phase);
    }
    for cause in Cause::ALL {
        assert_eq!(cause.word().parse::<Cause>().unwrap(), cause);
    }
    assert!("Ready".parse::<Phase>().is_err() && "".parse::<Cause>().is_err());
}

fn intent_at(text: &str) -> Intent {
    let on = day(text);
    Intent { sheet: Sha256::new([6; 32]), at: noon(on), valid_from: on, valid_until: on }
}

proptest! {
    #[test]
    fn an_annotation_is_live_exactly_where_it_can_be_revoked(fate in 0usize..6, days in 1u32..=90, wait in 0u32..120) {
        let annotation = [
            queued(ordered(), days),
            sealing(ordered(), days),
            sealed(ordered(), days),
            revoked(ordered(), days, Cause::Withdrawn),
            withdrawn_unsealed(ordered(), days),
            failed(ordered(), days),
        ][fate]
            .clone();
        let on = calendar::plus_days(ordered(), wait);
        let live = annotation.is_live_on(on);
        prop_assert_eq!(live, annotation.clone().revoke_if_live(noon(on), Cause::Withdrawn).is_some());
        if let State::Sealed(copy) = &annotation.state {
            prop_assert_eq!(live, wait < days);
            prop_assert_eq!(live, copy.in_force_on(on));
        }
    }
}

/// The thresholds that a copy's holder is told of from its first day on, asked every day but the missed ones.
fn told(days: u32, missed: &[i64]) -> Vec<(i64, u32)> {
    let first = day("2026-11-21");
    let State::Sealed(mut sealed) = sealed(first, days).state else { panic!("it is sealed") };
    let mut told = Vec::new();
    for today in first.iter_days().take(days as usize + 3) {
        let left = (sealed.intent.valid_until - today).num_days();
        if !missed.contains(&left)
            && let Some(threshold) = sealed.reminder_due_on(today)
        {
            sealed = sealed.remind(threshold);
            told.push((left, threshold));
        }
    }
    told
}

#[test]
fn a_holder_is_told_fifteen_seven_and_one_day_before_each_once() {
    assert_eq!(told(90, &[]), [(15, 15), (7, 7), (1, 1)]);
}

#[test]
fn a_missed_day_is_made_up_for_once_by_the_nearest_threshold() {
    assert_eq!(told(90, &[15, 14]), [(13, 15), (7, 7), (1, 1)]);
    let week: Vec<i64> = (6..=15).collect();
    assert_eq!(told(90, &week), [(5, 7), (1, 1)], "of two missed ones only the nearer");
    assert_eq!(told(90, &[1]), [(15, 15), (7, 7), (0, 1)], "on its last day it can still be renewed");
    assert_eq!(told(90, &[0, 1]), [(15, 15), (7, 7)], "what has expired is no reminder");
}

#[test]
fn who_has_just_ordered_a_short_copy_is_not_told_at_once() {
    assert_eq!(told(1, &[]), []);
    assert_eq!(told(2, &[]), []);
    assert_eq!(told(3, &[]), [(1, 1)]);
    assert_eq!(told(16, &[]), [(7, 7), (1, 1)]);
    assert_eq!(told(17, &[]), [(15, 15), (7, 7), (1, 1)]);
}
