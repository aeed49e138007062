//! What is typed is judged by its kind; corrections stay within what was asked for; clerks have a way of their own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use super::*;
use crate::domain::refusal::filing::Unmet;
use crate::domain::sample::day;
use crate::registration::case::{Act, CorrectionItem, Seat};
use crate::registration::next::Effect;
use crate::registration::offline;
use crate::registration::regime::tests::WELDERS;
use crate::registration::sample::{EMPLOYER, World, attachment};

fn text(text: &str) -> Answer {
    Answer::Text(text.to_owned())
}

fn filled(world: &World, answers: &[(&str, Answer)]) -> Result<Case, Refusal> {
    let answers = answers.iter().map(|(name, answer)| ((*name).to_owned(), answer.clone())).collect();
    fill(&world.case, &world.regime, &world.party(Seat::Person), answers)
}

fn welder() -> World {
    let mut world = World::of(Regime::read(WELDERS).unwrap());
    world.qualify();
    world.open("initial").unwrap();
    world
}

#[test]
fn a_form_takes_values_of_its_kinds_and_forgets_what_is_emptied() {
    let mut world = welder();
    let answers = [
        ("arc_hours", text("约 2000 小时")),
        ("shift", text("晚班")),
        ("from_from", text("2026-01-01")),
        ("plant", text(EMPLOYER)),
        ("from_to", Answer::Nothing),
    ];
    world.case = filled(&world, &answers).unwrap();
    assert_eq!(world.case.form.len(), 4);
    let from: FieldName = "from_from".parse().unwrap();
    assert_eq!(world.case.form[&from], FieldValue::Day(day("2026-01-01")));
    world.case = filled(&world, &[("shift", text("  "))]).unwrap();
    assert!(world.case.form.is_empty(), "what is sent takes the place of what was there");
}

#[test]
fn every_value_of_a_wrong_kind_is_named_at_once() {
    let world = welder();
    let answers = [
        ("arc_hours", Answer::Flag(true)),
        ("from_from", text("2026-02-30")),
        ("plant", text("91440000MA00000029")),
        ("shift", text("夜班")),
        ("zodiac", text("虎")),
    ];
    let Err(Refusal::Invalid(errors)) = filled(&world, &answers) else { panic!() };
    let told: Vec<_> = errors.iter().map(|error| (error.field.as_str(), error.fault.code())).collect();
    let expected = [
        ("form.arc_hours", "wrong-kind"),
        ("form.from_from", "not-a-day"),
        ("form.plant", "check-digit"),
        ("form.shift", "wrong-kind"),
        ("form.zodiac", "unknown-field"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_period_does_not_end_before_it_begins() {
    let mut world = welder();
    world.fill_in();
    let answers = |to: &str| {
        [
            ("arc_hours", text("1")),
            ("shift", text("早班")),
            ("from_from", text("2026-05-02")),
            ("from_to", text(to)),
        ]
    };
    world.case = filled(&world, &answers("2026-05-01")).unwrap();
    let refused = world.act(Seat::Person, Act::Submit);
    assert_eq!(refused, Err(Refusal::field("form.from_to", FieldFault::EndsBeforeItBegins)));
    world.case = filled(&world, &answers("2026-05-02")).unwrap();
    world.act(Seat::Person, Act::Submit).unwrap();
    let refused = filled(&world, &answers("2026-05-03"));
    assert!(matches!(refused, Err(Refusal::Filing(Filing::ActNotAllowed { .. }))), "it is under review");
}

#[test]
fn a_case_is_opened_about_what_the_regime_has() {
    let world = World::new("constructor");
    let refused = |change: &dyn Fn(&mut Opening)| {
        let mut opening = world.opening("initial");
        change(&mut opening);
        match open(&world.regime, &world.registrant, &world.facts, opening) {
            Err(Refusal::Invalid(errors)) => errors[0].field.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&|opening| opening.class = Some("senior".parse().unwrap())), "class");
    assert_eq!(refused(&|opening| opening.specialty = None), "specialty");
    assert_eq!(refused(&|opening| opening.specialty = Some("航天".parse().unwrap())), "specialty");
    assert_eq!(refused(&|opening| opening.business = "change".parse().unwrap()), "type");
    let unqualified = open(&world.regime, &world.registrant, &world.facts, world.opening("initial"));
    let unmet = Unmet::Qualification { library: false };
    assert_eq!(unqualified, Err(Refusal::Filing(Filing::ConditionNotMet(unmet))));
}

#[test]
fn each_condition_about_the_person_is_judged_when_a_case_is_opened() {
    let ready = || {
        let mut world = World::new("constructor");
        world.qualify();
        world
    };
    let refused = |change: &dyn Fn(&mut World)| {
        let mut world = ready();
        change(&mut world);
        match world.open("initial") {
            Err(Refusal::Filing(Filing::ConditionNotMet(unmet))) => unmet.word(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&|world| world.registrant.profile.photo = None), "photo_and_signature");
    assert_eq!(refused(&|world| world.registrant.profile.signature = None), "photo_and_signature");
    assert_eq!(refused(&|world| world.registrant.profile.school = None), "profile_complete");
    assert_eq!(refused(&|world| world.facts.real_name_verified = false), "real_name");
    assert_eq!(refused(&|world| world.facts.employer_registered = false), "employer_registered");
    assert_eq!(refused(&|world| world.registrant.qualifications.clear()), "qualification");
    ready().open("initial").unwrap();
    let mut first = ready();
    let added = first.open("add_specialty");
    assert_eq!(added, Err(Refusal::Filing(Filing::ConditionNotMet(Unmet::OtherSpecialty))));
}

#[test]
fn guangdong_wants_the_qualification_in_its_library_first() {
    let mut world = World::new("guangdong");
    world.qualify();
    world.registrant.qualifications.truncate(1);
    let passed = world.open("initial");
    let library = Unmet::Qualification { library: true };
    assert_eq!(passed, Err(Refusal::Filing(Filing::ConditionNotMet(library))));
    world.approve("enrolment").unwrap();
    world.approve("initial").unwrap();
}

#[test]
fn a_correction_changes_what_was_asked_for_and_nothing_else() {
    let mut world = World::new("architect");
    world.qualify();
    world.open("initial").unwrap();
    world.fill_in();
    world.act(Seat::Person, Act::Submit).unwrap();
    world.act(Seat::Unit, Act::Confirm).unwrap();
    world.act(Seat::Province, Act::Accept).unwrap();
    let mut doing = world.doing(Seat::Ministry, Act::RequestCorrection);
    doing.items.clear();
    assert_eq!(world.do_it(&doing), Err(Refusal::field("items", FieldFault::Missing)));
    doing.items = vec![CorrectionItem {
        what: Some("qualification".parse().unwrap()),
        content: "执业资格证书".parse().unwrap(),
        reason: "扫描不清".parse().unwrap(),
    }];
    world.do_it(&doing).unwrap();
    let me = world.party(Seat::Person);
    let file = attachment(world.now);
    let other = attach(&world.case, &world.regime, &me, &"labour_contract".parse().unwrap(), file.clone());
    assert!(matches!(other, Err(Refusal::Filing(Filing::NotAskedFor { .. }))));
    assert!(matches!(
        filled(&world, &[("employed_from", text("2020-01-01"))]),
        Err(Refusal::Filing(Filing::NotAskedFor { .. }))
    ));
    assert_eq!(filled(&world, &[]).unwrap().form, world.case.form, "what is not sent stays");
    world.case = attach(&world.case, &world.regime, &me, &"qualification".parse().unwrap(), file).unwrap();
    world.act(Seat::Person, Act::Correct).unwrap();
    assert_eq!(world.case.state.place().unwrap().stage.as_str(), "review", "back where it was");
    assert_eq!(world.case.corrections[0].corrected_at, Some(world.now));
}

#[test]
fn a_letter_says_who_promises_what() {
    let mut world = World::new("architect");
    world.qualify();
    world.open("initial").unwrap();
    let clauses = letter_clauses(&world.case, &world.regime, &world.registrant).unwrap();
    assert_eq!(clauses.len(), 15);
    assert!(clauses[0].contains("甯彧") && clauses[0].contains("11**************2X"), "{}", clauses[0]);
    assert!(clauses.iter().any(|clause| clause.contains("示例规划设计研究院有限公司")));
    assert!(clauses.iter().all(|clause| !clause.contains('{')));
}

#[test]
fn a_wrong_name_or_number_is_corrected_everywhere() {
    let mut world = World::new("architect");
    world.qualify();
    world.approve("initial").unwrap();
    world.open("data_correction").unwrap();
    world.fill_in();
    let answers = |name: &str, number: &str| [("new_name", text(name)), ("new_id_number", text(number))];
    let mut submit = |answers: &[(&str, Answer)]| {
        world.case = filled(&world, answers).unwrap();
        world.act(Seat::Person, Act::Submit)
    };
    let same = submit(&answers("甯彧", "11010519491231002X"));
    assert_eq!(same, Err(Refusal::Filing(Filing::ConditionNotMet(Unmet::SomethingToCorrect))));
    let wrong = submit(&answers("甯郁", "110105194912310021"));
    assert_eq!(wrong, Err(Refusal::field("form.new_id_number", FieldFault::CheckDigit)));
    submit(&answers("甯郁", "110105194912310038")).unwrap();
    world.act(Seat::Unit, Act::Confirm).unwrap();
    world.act(Seat::Province, Act::Accept).unwrap();
    let doing = world.doing(Seat::Ministry, Act::Approve);
    let next =
        crate::registration::acts::act(&world.case, &world.regime, &world.registrant, &world.facts, &doing);
    let next = next.unwrap();
    let Some(Effect::Correct { person, name, id }) = next.effect.clone() else { panic!() };
    assert_eq!((person, name.unwrap().as_str()), (world.registrant.person.clone(), "甯郁"));
    assert_eq!(Some(&next.registrant.as_ref().unwrap().person), id.as_ref());
    let old = world.entered[0].0.id;
    let new = crate::domain::ids::CertificateId::from_bytes([77; 16]);
    assert_eq!(next.reissued(old, new).registrant.unwrap().registrations[0].certificate, new);
}

#[test]
fn a_clerk_enters_the_cancellation_of_somebody_who_cannot() {
    let mut world = World::new("engineer");
    world.qualify();
    world.approve("initial").unwrap();
    let mut doing = world.doing(Seat::Province, Act::Submit);
    doing.party = Party::Authority { seat: Seat::Province, region: Some("44".parse().unwrap()) };
    let enter = |world: &World, doing: &crate::registration::acts::Doing, files: &[&str]| {
        let files = files.iter().map(|kind| (kind.parse().unwrap(), attachment(world.now))).collect();
        let opening = world.opening("cancellation");
        offline::enter(&world.regime, &world.registrant, &world.facts, opening, files, doing)
    };
    let missing = enter(&world, &doing, &[]);
    assert_eq!(missing, Err(Refusal::field("attachments.circumstances", FieldFault::Missing)));
    let mut foreign = doing.clone();
    foreign.party = Party::Authority { seat: Seat::Province, region: Some("11".parse().unwrap()) };
    assert!(enter(&world, &foreign, &["circumstances"]).is_err(), "another province's clerk");
    foreign.party = world.party(Seat::Person);
    assert!(enter(&world, &foreign, &["circumstances"]).is_err(), "no clerk at all");
    world.registrant.profile = crate::registration::registrant::Profile::default();
    let next = enter(&world, &doing, &["circumstances"]).unwrap();
    assert_eq!(next.case.state.place().unwrap().stage.as_str(), "preliminary");
    (world.case, world.registrant) = (next.case, next.registrant.unwrap());
    world.finish().unwrap();
    assert!(world.registrant.registrations[0].cancelled);
}
