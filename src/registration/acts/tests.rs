//! Cases from their draft to the register, act by act.
#![allow(clippy::unwrap_used, reason = "a failed test panics")]

use super::*;
use crate::domain::sample::day;
use crate::registration::case::Seat;
use crate::registration::next::Outcome;
use crate::registration::sample::World;

#[test]
fn a_planner_s_initial_registration_passes_every_stage_and_is_granted_at_its_end() {
    let mut world = World::new("planner");
    world.qualify();
    world.open("initial").unwrap();
    world.fill_in();
    let mut passed = Vec::new();
    for (seat, act) in [
        (Seat::Person, Act::Submit),
        (Seat::Unit, Act::Confirm),
        (Seat::Province, Act::Confirm),
        (Seat::Association, Act::Confirm),
        (Seat::Association, Act::Approve),
        (Seat::Association, Act::Deliver),
    ] {
        assert!(world.entered.is_empty(), "nothing is complete before the end");
        world.act(seat, act).unwrap();
        passed.extend(world.case.state.place().map(|place| place.stage.to_string()));
    }
    assert_eq!(passed, ["unit", "province", "first_review", "second_review", "delivery"]);
    let (certificate, outcome) = &world.entered[0];
    assert_eq!(*outcome, Outcome::Granted);
    assert_eq!(world.case.state, CaseState::Approved { certificate: Some(certificate.id) });
    assert_eq!(certificate.details.valid_until, Some(day("2029-11-23")));
    let registration = &world.registrant.registrations[0];
    assert_eq!((registration.valid_until, registration.certificate), (day("2029-11-23"), certificate.id));
}
