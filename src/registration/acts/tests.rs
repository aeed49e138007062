//! Cases from their draft to the register, act by act.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use chrono::TimeDelta;

use super::*;
use crate::domain::certificate::Status;
use crate::domain::ids::AnomalyId;
use crate::domain::refusal::filing::{Filing, Unmet};
use crate::domain::sample::{day, noon};
use crate::registration::case::Seat;
use crate::registration::conditions::SocialInsurance;
use crate::registration::next::Outcome;
use crate::registration::regime::Regime;
use crate::registration::regime::tests::WELDERS;
use crate::registration::registrant::Source;
use crate::registration::sample::{OTHER_EMPLOYER, World, employment};

fn unmet(refused: Result<(), Refusal>) -> Unmet {
    match refused {
        Err(Refusal::Filing(Filing::ConditionNotMet(unmet))) => unmet,
        other => panic!("{other:?}"),
    }
}

fn is_not_allowed(refused: Result<(), Refusal>) -> bool {
    matches!(refused, Err(Refusal::Filing(Filing::ActNotAllowed { .. })))
}

/// An architect who is registered until 2028-11-23.
fn architect() -> World {
    let mut world = World::new("architect");
    world.qualify();
    world.approve("initial").unwrap();
    world
}

/// An architect's case that the unit, or nobody yet, has confirmed.
fn reported(confirmed: bool) -> World {
    let mut world = World::new("architect");
    world.qualify();
    world.open("initial").unwrap();
    world.fill_in();
    world.act(Seat::Person, Act::Submit).unwrap();
    if confirmed {
        world.act(Seat::Unit, Act::Confirm).unwrap();
    }
    world
}

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
    assert_eq!(certificate.details.specialty, None, "planners have no specialties");
    let registration = &world.registrant.registrations[0];
    assert_eq!((registration.valid_until, registration.certificate), (day("2029-11-23"), certificate.id));
    assert_eq!(registration.category.as_ref().unwrap().as_str(), "执业");
    assert!(is_not_allowed(world.act(Seat::Association, Act::Deliver)), "once");
}

#[test]
fn every_type_of_every_bundled_regime_comes_to_its_end() {
    let within = "2028-10-01";
    for (regime, class, first, last_day) in [
        ("planner", "planner", Some("initial"), "2029-11-23"),
        ("constructor", "constructor", Some("initial"), "2029-11-23"),
        ("constructor", "interim", None, "2029-11-23"),
        ("architect", "architect", Some("initial"), "2028-11-23"),
        ("engineer", "engineer", Some("initial"), "2029-11-23"),
        ("guangdong", "constructor", Some("initial"), "2029-11-23"),
        ("guangdong", "structural_engineer", Some("initial"), "2029-11-23"),
        ("guangdong", "cost_engineer", Some("initial"), "2029-11-23"),
        ("guangdong", "architect", Some("initial"), "2028-11-23"),
    ] {
        let mut registered = World::new(regime).in_class(class);
        registered.qualify();
        match first {
            Some(first) => registered.approve(first).unwrap(),
            // Nobody becomes an interim constructor any more: those who are, are in the register.
            None => registered.hold(day("2029-11-23")),
        }
        assert_eq!(registered.registrant.registrations[0].valid_until, day(last_day), "{regime} {class}");
        let class = registered.regime.class(Some(&class.parse().unwrap())).unwrap().clone();
        for business in &class.types {
            let mut world = registered.clone();
            match business.as_str() {
                "initial" => continue,
                "enrolment" => world.registrant.qualifications.clear(),
                "renewal" => {
                    let last = world.registrant.registrations[0].valid_until;
                    world.now = noon(last - TimeDelta::days(30));
                }
                "change" => world.registrant.profile.employment = Some(employment(OTHER_EMPLOYER)),
                "add_specialty" => {
                    world.specialty = Some(class.specialties[1].clone());
                    world.qualify();
                }
                "re_registration" => {
                    world.approve("cancellation").unwrap();
                    world.now = noon(day(within));
                }
                _ => {}
            }
            world.approve(business.as_str()).unwrap_or_else(|refusal| {
                panic!("{regime} {} {business}: {refusal:?}", class.id);
            });
            assert!(matches!(world.case.state, CaseState::Approved { .. }), "{regime} {business}");
            let last = world.registrant.registrations.last().unwrap();
            match business.as_str() {
                "change" => assert_eq!(last.employer.as_str(), OTHER_EMPLOYER),
                "cancellation" => assert!(last.cancelled),
                "conversion" => assert!(last.category.is_some()),
                "enrolment" => assert_eq!(world.registrant.qualifications[0].source, Source::Enrolment),
                "add_specialty" => assert_eq!(world.registrant.registrations.len(), 2),
                _ => {}
            }
        }
    }
}

#[test]
fn a_regime_that_no_code_knows_works_through_its_whole_chain() {
    let mut world = World::of(Regime::read(WELDERS).unwrap());
    world.qualify();
    world.approve("initial").unwrap();
    let names: Vec<_> =
        world.case.moves.iter().filter_map(|one| one.to.as_ref()).map(StageId::as_str).collect();
    assert_eq!(names, ["shop", "trial", "board"]);
    assert_eq!(world.entered[0].0.details.kind.as_str(), "welder-registration");
    assert_eq!(world.entered[0].0.details.valid_until, Some(day("2031-11-23")));
    world.now = noon(day("2031-06-01"));
    world.approve("renewal").unwrap();
    assert_eq!(world.registrant.registrations[0].valid_until, day("2036-11-23"));
    world.approve("rename").unwrap();
    world.approve("ending").unwrap();
    assert_eq!(world.entered[1].0.status_on(day("2031-06-01")), Status::Cancelled);
}

#[test]
fn a_renewal_is_open_from_six_months_before_the_last_day_and_not_a_day_earlier() {
    let mut world = architect();
    assert_eq!(world.registrant.registrations[0].valid_until, day("2028-11-23"));
    world.now = noon(day("2028-05-22"));
    let expected = Unmet::RenewalWindow { opens_on: day("2028-05-23"), closes_on: day("2028-11-23") };
    assert_eq!(unmet(world.open("renewal")), expected);
    world.now = noon(day("2028-05-23"));
    world.approve("renewal").unwrap();
    assert_eq!(
        world.registrant.registrations[0].valid_until,
        day("2030-11-23"),
        "it goes on from the old last day"
    );
    assert_eq!(world.entered[1].1, Outcome::Extended);
    assert_eq!(
        world.entered[0].0.details.management_no, world.entered[1].0.details.management_no,
        "another version of the same certificate"
    );
}

#[test]
fn a_letter_is_read_for_sixty_seconds_and_fifty_nine_are_too_few() {
    let mut world = World::new("architect");
    world.qualify();
    world.open("initial").unwrap();
    world.fill_in();
    world.now -= TimeDelta::seconds(1);
    let early = world.act(Seat::Person, Act::Submit);
    assert_eq!(early, Err(Refusal::Filing(Filing::CommitmentNotRead { seconds_left: 1 })));
    world.now += TimeDelta::seconds(1);
    world.act(Seat::Person, Act::Submit).unwrap();
}

#[test]
fn a_letter_that_nobody_opened_was_not_read_and_one_that_is_not_accepted_ends_the_case() {
    let mut world = World::new("architect");
    world.qualify();
    world.open("initial").unwrap();
    world.fill_in();
    let letter = world.case.letter.take();
    let unread = world.act(Seat::Person, Act::Submit);
    assert_eq!(unread, Err(Refusal::Filing(Filing::CommitmentNotRead { seconds_left: 60 })));
    world.case.letter = letter;
    let mut doing = world.doing(Seat::Person, Act::Submit);
    doing.commitment = Some(Commitment { version: 2, accepted: true });
    assert_eq!(world.do_it(&doing), Err(Refusal::Filing(Filing::CommitmentOutdated { version: 1 })));
    doing.commitment = None;
    assert_eq!(world.do_it(&doing), Err(Refusal::field("commitment", FieldFault::Missing)));
    doing.commitment = Some(Commitment { version: 1, accepted: false });
    world.do_it(&doing).unwrap();
    assert_eq!(world.case.state, CaseState::Cancelled);
    let last = world.case.moves.last().unwrap();
    assert_eq!((last.act, last.opinion.as_ref().unwrap().as_str()), (Act::Withdraw, "不作出承诺"));
    world.open("initial").unwrap();
}

#[test]
fn a_change_needs_another_employer() {
    let mut world = architect();
    assert_eq!(unmet(world.open("change")), Unmet::EmployerDiffers);
    world.registrant.profile.employment = Some(employment(OTHER_EMPLOYER));
    world.open("change").unwrap();
    world.fill_in();
    world.registrant.profile.employment = Some(employment(crate::registration::sample::EMPLOYER));
    assert_eq!(unmet(world.act(Seat::Person, Act::Submit)), Unmet::EmployerDiffers, "judged again");
}

#[test]
fn a_second_filing_is_refused_with_the_first_and_a_second_initial_registration_too() {
    let mut world = reported(false);
    let first = world.case.id;
    let second = world.open("initial");
    assert_eq!(second, Err(Refusal::Filing(Filing::CaseAlreadyOpen { case: first })));
    world.finish().unwrap();
    assert_eq!(unmet(world.open("initial")), Unmet::FirstRegistration { case: Some(first) });
    world.approve("cancellation").unwrap();
    assert!(
        matches!(unmet(world.open("initial")), Unmet::FirstRegistration { .. }),
        "it is registered again"
    );
    world.open("re_registration").unwrap();
}

#[test]
fn a_case_is_withdrawn_at_will_then_with_consent_then_not_at_all() {
    let mut free = reported(false);
    free.act(Seat::Person, Act::Withdraw).unwrap();
    assert_eq!(free.case.state, CaseState::Withdrawn);
    free.act(Seat::Person, Act::Submit).unwrap();
    assert_eq!(free.case.form.len(), 1, "filed again with all its data");

    let mut asked = reported(true);
    asked.act(Seat::Person, Act::Withdraw).unwrap();
    assert!(is_not_allowed(asked.act(Seat::Province, Act::Accept)), "it waits for the unit");
    let mut refused = asked.clone();
    asked.act(Seat::Unit, Act::ConsentWithdrawal).unwrap();
    assert_eq!(asked.case.state, CaseState::Withdrawn);
    refused.act(Seat::Unit, Act::RefuseWithdrawal).unwrap();
    assert_eq!(refused.case.state.place().unwrap().stage.as_str(), "acceptance");

    refused.act(Seat::Province, Act::Accept).unwrap();
    let late = refused.act(Seat::Person, Act::Withdraw);
    let Err(Refusal::Filing(Filing::ActNotAllowed { state, stage, who, last })) = late else {
        panic!("{late:?}")
    };
    assert_eq!((state.word, stage.as_deref(), who.unwrap().word), ("open", Some("审核"), "ministry"));
    assert_eq!(last.unwrap().act.word, "accept", "the other is told who did what");
}

#[test]
fn a_forced_cancellation_needs_a_ruling() {
    use crate::registration::filing::{Answer, attach, fill};
    let mut world = architect();
    world.open("cancellation").unwrap();
    world.fill_in();
    let me = world.party(Seat::Person);
    let answers = [("reason", Answer::Text("离职".to_owned())), ("forced", Answer::Flag(true))];
    let answers = answers.into_iter().map(|(name, answer)| (name.to_owned(), answer)).collect();
    world.case = fill(&world.case, &world.regime, &me, answers).unwrap();
    assert_eq!(unmet(world.act(Seat::Person, Act::Submit)), Unmet::RulingIfForced);
    let file = crate::registration::sample::attachment(world.now);
    world.case = attach(&world.case, &world.regime, &me, &"ruling".parse().unwrap(), file).unwrap();
    world.act(Seat::Person, Act::Submit).unwrap();
}

#[test]
fn an_anomaly_of_the_social_insurance_warns_and_a_commitment_is_recorded() {
    let mut world = World::new("architect");
    world.qualify();
    world.facts.social_insurance = SocialInsurance::Anomaly(AnomalyId::from_bytes([5; 16]));
    world.open("initial").unwrap();
    world.fill_in();
    let warned = world.act(Seat::Person, Act::Submit);
    assert_eq!(warned, Err(Refusal::Filing(Filing::SocialInsuranceAnomaly)));
    assert!(world.registrant.anomalies.is_empty());
    let mut doing = world.doing(Seat::Person, Act::Submit);
    (doing.insurance_commitment, doing.opinion) = (true, None);
    world.do_it(&doing).unwrap();
    assert_eq!(world.registrant.anomalies[0].case, Some(world.case.id));
    assert!(world.case.moves[0].opinion.as_ref().unwrap().as_str().contains("社保"));

    let mut planner = World::new("planner");
    planner.qualify();
    planner.facts.social_insurance = world.facts.social_insurance;
    planner.approve("initial").unwrap();
}

#[test]
fn a_submission_needs_its_code_and_everything_that_is_missing_is_told_at_once() {
    let mut world = World::new("constructor");
    world.qualify();
    world.open("initial").unwrap();
    let refused = world.act(Seat::Person, Act::Submit);
    assert_eq!(refused, Err(Refusal::field("form.contract_from", FieldFault::Missing)));
    world.fill_in();
    world.facts.code_proved = false;
    assert_eq!(world.act(Seat::Person, Act::Submit), Err(Refusal::CodeWrong));
    world.facts.code_proved = true;
    world.act(Seat::Person, Act::Submit).unwrap();

    let mut planner = World::new("planner");
    planner.qualify();
    planner.open("initial").unwrap();
    let Err(Refusal::Invalid(errors)) = planner.act(Seat::Person, Act::Submit) else { panic!() };
    assert_eq!(errors.len(), 8, "two fields and six files: {errors:?}");
}

#[test]
fn what_is_returned_opens_again_with_all_its_data_and_the_reasons_stay() {
    let mut world = reported(false);
    let mut doing = world.doing(Seat::Unit, Act::Return);
    doing.opinion = None;
    assert_eq!(world.do_it(&doing), Err(Refusal::field("opinion", FieldFault::Missing)));
    world.act(Seat::Unit, Act::Return).unwrap();
    assert_eq!((world.case.state.word(), world.case.attachments.len()), ("returned", 1));
    world.act(Seat::Person, Act::Submit).unwrap();
    let told = world.case.moves.iter().filter(|one| one.act == Act::Return).count();
    assert_eq!((told, world.case.moves.len()), (1, 3));
}

#[test]
fn an_authority_acts_for_its_region_and_a_unit_for_itself() {
    let world = reported(true);
    let may = |party: &Party| allowed_acts(&world.case, &world.regime, party);
    let province =
        |region: &str| Party::Authority { seat: Seat::Province, region: Some(region.parse().unwrap()) };
    assert_eq!(may(&province("44")), [Act::Return, Act::Accept]);
    assert!(may(&province("11")).is_empty());
    assert!(may(&Party::Unit(OTHER_EMPLOYER.parse().unwrap())).is_empty());
    assert!(may(&Party::Authority { seat: Seat::Ministry, region: None }).is_empty(), "not its turn");
    assert_eq!(may(&world.party(Seat::Person)), [Act::Withdraw]);
    let place = world.case.state.place().unwrap();
    assert_eq!(place.due_on, Some(day("2026-12-01")), "five working days after Tuesday, 24 November");
}

#[test]
fn what_was_revoked_meanwhile_is_not_extended() {
    let mut world = architect();
    world.now = noon(day("2028-06-01"));
    world.open("renewal").unwrap();
    world.fill_in();
    world.act(Seat::Person, Act::Submit).unwrap();
    world.entered[0].0.standing = crate::domain::certificate::Standing::Revoked;
    assert_eq!(unmet(world.finish()), Unmet::InForce { status: Some(Status::Revoked) });
    assert_eq!(world.case.state.place().unwrap().stage.as_str(), "review", "nothing has changed");
}

#[test]
fn a_case_at_a_stage_that_the_regime_has_lost_can_be_withdrawn() {
    let mut world = reported(true);
    let text = include_str!("../regimes/architect.toml").replace("acceptance", "intake");
    world.regime = Regime::read(&text).unwrap();
    assert!(is_not_allowed(world.act(Seat::Province, Act::Accept)));
    world.act(Seat::Person, Act::Withdraw).unwrap();
    world.act(Seat::Person, Act::Submit).unwrap();
}
