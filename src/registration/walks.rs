//! Random walks: whoever does whatever at any moment, no case comes round its chain, loses what was said, or is granted twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;

use crate::domain::certificate::Standing;
use crate::domain::refusal::Refusal;
use crate::registration::acts::{Commitment, allowed_acts};
use crate::registration::case::{Act, Case, CaseState, Seat};
use crate::registration::filing::business;
use crate::registration::party::Party;
use crate::registration::regime::book::Book;
use crate::registration::regime::{Chain, Consequence, Target};
use crate::registration::sample::{OTHER_EMPLOYER, World, employment};

/// A step of a walk: numbers that mean whatever is there to be chosen.
#[derive(Clone, Copy, Debug)]
struct Step {
    what: u8,
    seat: usize,
    act: usize,
    stranger: bool,
    opinion: bool,
    declines: bool,
    days: i64,
}

fn step() -> impl Strategy<Value = Step> {
    let rarely = || prop::bool::weighted(0.1);
    (0u8..20, 0..Seat::ALL.len(), 0..Act::ALL.len(), rarely(), prop::bool::weighted(0.8), rarely(), 0i64..30)
        .prop_map(|(what, seat, act, stranger, opinion, declines, days)| Step {
            what,
            seat,
            act,
            stranger,
            opinion,
            declines,
            days,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_walk_leaves_the_rules(start in 0usize..64, class in 0usize..4, steps in prop::collection::vec(step(), 20..80)) {
        let regimes: Vec<_> = Book::bundled().unwrap().regimes().cloned().collect();
        let regime = regimes[start % regimes.len()].clone();
        let class = regime.classes[class % regime.classes.len()].id.to_string();
        let mut world = World::of(regime).in_class(&class);
        world.qualify();
        if class == "interim" {
            world.hold(crate::domain::sample::day("2027-03-01"));
        }
        let mut known = Vec::new();
        for step in steps {
            world.now += TimeDelta::days(step.days);
            let before = world.clone();
            walk(&mut world, step, &mut known);
            judge(&before, &world, &known)?;
        }
    }
}

/// Takes a step: opens a case, takes another in hand, or does an act with it.
fn walk(world: &mut World, step: Step, known: &mut Vec<Case>) {
    let taken = match step.what {
        0..=2 => open(world, step),
        3 if !known.is_empty() => {
            world.case = known[step.act % known.len()].clone();
            Ok(())
        }
        4 => {
            world.registrant.profile.employment = Some(employment(OTHER_EMPLOYER));
            Ok(())
        }
        // Mostly what is allowed, and what leads on, so that walks come far; and again and again what is not.
        5..=15 => {
            let seat = world.case.state.seat().unwrap_or(Seat::ALL[step.seat]);
            let mut allowed = allowed_acts(&world.case, &world.regime, &world.party(seat));
            if !step.stranger {
                allowed.retain(|act| !matches!(act, Act::Withdraw | Act::Return | Act::Reject));
            }
            let act = allowed.get(step.act % allowed.len().max(1)).copied().unwrap_or(Act::ALL[step.act]);
            act_as(world, step, seat, act)
        }
        _ => act_as(world, step, Seat::ALL[step.seat], Act::ALL[step.act]),
    };
    if taken.is_ok() {
        match known.iter_mut().find(|case| case.id == world.case.id) {
            Some(case) => *case = world.case.clone(),
            None if world.case.state != CaseState::Cancelled => known.push(world.case.clone()),
            None => {}
        }
    }
}

fn open(world: &mut World, step: Step) -> Result<(), Refusal> {
    let class = world.regime.class(world.class.as_ref()).unwrap();
    let business = class.types[step.act % class.types.len()].to_string();
    world.open(&business)?;
    world.fill_in();
    Ok(())
}

fn act_as(world: &mut World, step: Step, seat: Seat, act: Act) -> Result<(), Refusal> {
    let mut doing = world.doing(seat, act);
    if step.stranger && doing.party.seat() == Seat::Unit {
        doing.party = Party::Unit("91110000802100433B".parse().unwrap());
    }
    if !step.opinion {
        doing.opinion = None;
    }
    if step.declines
        && let Some(commitment) = doing.commitment
    {
        doing.commitment = Some(Commitment { accepted: false, ..commitment });
    }
    world.do_it(&doing)
}

fn judge(before: &World, after: &World, known: &[Case]) -> Result<(), TestCaseError> {
    let case = &after.case;
    if before.case.id == case.id {
        prop_assert!(case.moves.starts_with(&before.case.moves), "a move or an opinion is lost");
        prop_assert!(case.corrections.len() >= before.case.corrections.len());
        prop_assert!(case.moves.len() <= before.case.moves.len() + 1, "one act, one move");
    }
    let chain = &business(case, &after.regime).unwrap().chain;
    prop_assert!(follows(case, chain), "round a stage: {:?}", case.moves);
    let ended = matches!(
        case.state,
        CaseState::Withdrawn | CaseState::Approved { .. } | CaseState::Rejected | CaseState::Cancelled
    );
    prop_assert_eq!(case.state.seat().is_none(), ended, "it has ended, or names who holds it");
    if let CaseState::Open(place) = &case.state {
        let party = after.party(place.seat);
        prop_assert!(!allowed_acts(case, &after.regime, &party).is_empty(), "who holds it can act");
    }
    let mentions = &after.registrant.cases;
    let live: Vec<_> = mentions.iter().filter(|mention| mention.live).collect();
    for (at, one) in live.iter().enumerate() {
        let twin = live[at + 1..].iter().any(|other| one.subject.same_registration(&other.subject));
        prop_assert!(!twin, "two live filings for one registration");
    }
    for case in known {
        let mention = mentions.iter().find(|mention| mention.id == case.id);
        prop_assert_eq!(mention.map(|mention| mention.live), Some(case.state.is_live()));
    }
    grants_are_single(after, known)
}

/// What was granted, changed or extended is one certificate for each approval, and one valid version for each number.
fn grants_are_single(world: &World, known: &[Case]) -> Result<(), TestCaseError> {
    let certificates = known.iter().filter_map(|case| match case.state {
        CaseState::Approved { certificate } => certificate,
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    let distinct: BTreeSet<_> = certificates.iter().collect();
    prop_assert_eq!(distinct.len(), certificates.len(), "two cases share a certificate");
    let valid = world.entered.iter().filter(|(one, _)| one.standing == Standing::Valid);
    let numbers: Vec<_> = valid.map(|(one, _)| &one.details.management_no).collect();
    let twin = |(at, one): (usize, _)| numbers[at + 1..].contains(one);
    prop_assert!(!numbers.iter().enumerate().any(twin), "two valid versions of one certificate");
    let registrations = &world.registrant.registrations;
    for (at, one) in registrations.iter().enumerate() {
        let same = |other: &crate::registration::registrant::Registration| {
            (&other.regime, &other.class, &other.specialty) == (&one.regime, &one.class, &one.specialty)
        };
        prop_assert!(!registrations[at + 1..].iter().any(same), "two registrations of one specialty");
    }
    let granted = |case: &&Case| {
        let effect = &business(case, &world.regime).unwrap().effect;
        matches!((effect, &case.state), (Consequence::Grant { .. }, CaseState::Approved { .. }))
    };
    let subjects: Vec<_> = known.iter().filter(granted).map(|case| case.subject.clone()).collect();
    for (at, one) in subjects.iter().enumerate() {
        let twice = subjects[at + 1..].iter().any(|other| one.same_registration(other));
        prop_assert!(!twice, "granted twice");
    }
    Ok(())
}

/// Whether the moves of a case, from its last submission on, go from stage to stage by acts that the chain has.
fn follows(case: &Case, chain: &Chain) -> bool {
    let mut at = None;
    for one in &case.moves {
        if one.from != at {
            return false;
        }
        let leads = |stage: &Option<crate::registration::word::StageId>| {
            let stage = chain.stage(stage.as_ref()?)?;
            stage.acts.get(&one.act).cloned()
        };
        at = match (one.act, leads(&one.from)) {
            (Act::Submit, None) => {
                let first = chain.stages[0].acts.get(&Act::Submit);
                if first != one.to.clone().map(Target::Stage).as_ref() {
                    return false;
                }
                one.to.clone()
            }
            (_, Some(Target::Stage(to))) => {
                if one.to.as_ref() != Some(&to) {
                    return false;
                }
                Some(to)
            }
            (_, Some(Target::Correction)) => one.from.clone(),
            (_, Some(Target::Approved | Target::Rejected | Target::Returned)) => None,
            (Act::Correct | Act::RefuseWithdrawal, None) => one.from.clone(),
            (Act::Withdraw, None) => one.to.clone(),
            (Act::ConsentWithdrawal, None) => None,
            _ => return false,
        };
    }
    case.state.place().map(|place| &place.stage) == at.as_ref()
}
