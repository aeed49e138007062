//! A world to test the rules of registration in: a person, a case, a register of certificates, and whoever acts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::domain::certificate::{Certificate, Standing};
use crate::domain::event::Actor;
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{CaseId, CertificateId, Sha256};
use crate::domain::refusal::Refusal;
use crate::domain::sample::{day, noon};
use crate::registration::acts::{Commitment, Doing, act};
use crate::registration::case::{Act, Attachment, Case, CorrectionItem, Place, Seat, Specialty};
use crate::registration::conditions::Facts;
use crate::registration::filing::{Answer, Opening, attach, business, fill, open, open_letter};
use crate::registration::next::{Effect, Next, Outcome};
use crate::registration::party::Party;
use crate::registration::regime::book::Book;
use crate::registration::regime::{FieldKind, Regime};
use crate::registration::registrant::{Employment, Profile, Qualification, Registrant, Registration, Source};
use crate::registration::word::ClassId;

/// The employer of [`registrant`]: a unit of region 44.
pub(crate) const EMPLOYER: &str = "91440000MA00000028";

/// Another unit, of region 10.
pub(crate) const OTHER_EMPLOYER: &str = "91110000MA0000001L";

/// Somebody whose profile is complete, and who has neither a qualification nor a registration.
pub(crate) fn registrant() -> Registrant {
    let profile = Profile {
        ethnicity: Some("汉族".parse().unwrap()),
        education: Some("本科".parse().unwrap()),
        degree: Some("学士".parse().unwrap()),
        school: Some("示例大学".parse().unwrap()),
        employment: Some(employment(EMPLOYER)),
        photo: Some(Sha256::new([7; 32])),
        signature: Some(Sha256::new([8; 32])),
    };
    Registrant { profile, ..Registrant::new(person()) }
}

/// The example of GB 11643.
pub(crate) fn person() -> PersonId {
    PersonId::parse("111", "11010519491231002X").unwrap()
}

/// Work at a unit.
pub(crate) fn employment(uscc: &str) -> Employment {
    Employment {
        uscc: uscc.parse().unwrap(),
        name: "示例规划设计研究院有限公司".parse().unwrap(),
        qualifications: Vec::new(),
        contact: Some("13800001234".parse().unwrap()),
        from: day("2024-01-01"),
        until: None,
    }
}

/// Somewhere on a chain.
pub(crate) fn place() -> Place {
    let since = noon(day("2026-11-24"));
    Place { stage: "unit".parse().unwrap(), seat: Seat::Unit, since, due_on: None }
}

/// A file of a case.
pub(crate) fn attachment(at: DateTime<Utc>) -> Attachment {
    let media = crate::registration::case::Media::Png;
    Attachment { document: Sha256::new([9; 32]), media, bytes: 300_000, added_at: at }
}

/// A person and their case, with a desk and a register that do what they are told.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) regime: Regime,
    pub(crate) class: Option<ClassId>,
    pub(crate) specialty: Option<Specialty>,
    pub(crate) registrant: Registrant,
    pub(crate) facts: Facts,
    pub(crate) now: DateTime<Utc>,
    /// The case in hand.
    pub(crate) case: Case,
    /// Every version of a certificate that the register made, and why.
    pub(crate) entered: Vec<(Certificate, Outcome)>,
    opened: u8,
}

impl World {
    /// Noon of 2026-11-24 in Shanghai, in a bundled regime.
    pub(crate) fn new(regime: &str) -> Self {
        let book = Book::bundled().unwrap_or_else(|unsound| panic!("{unsound}"));
        Self::of(book.regime(&regime.parse().unwrap()).unwrap().clone())
    }

    /// The same in any regime.
    pub(crate) fn of(regime: Regime) -> Self {
        let facts = Facts {
            employer_registered: true,
            real_name_verified: true,
            code_proved: true,
            ..Facts::default()
        };
        let now = noon(day("2026-11-24"));
        let registrant = registrant();
        let case = Case {
            id: CaseId::from_bytes([0; 16]),
            person: person(),
            name: "甯彧".parse().unwrap(),
            subject: crate::registration::case::Subject {
                regime: regime.id.clone(),
                class: regime.classes[0].id.clone(),
                specialty: regime.classes[0].specialties[0].clone(),
                business: regime.classes[0].types[0].clone(),
            },
            unit: None,
            form: BTreeMap::new(),
            attachments: BTreeMap::new(),
            letter: None,
            state: crate::registration::case::CaseState::Cancelled,
            moves: Vec::new(),
            corrections: Vec::new(),
            opened_at: now,
        };
        let (class, specialty) = (None, Some(regime.classes[0].specialties[0].clone()));
        Self { regime, class, specialty, registrant, facts, now, case, entered: Vec::new(), opened: 0 }
    }

    /// From here on in another class, and its first specialty.
    pub(crate) fn in_class(mut self, class: &str) -> Self {
        let class = self.regime.class(Some(&class.parse().unwrap())).unwrap();
        (self.class, self.specialty) = (Some(class.id.clone()), Some(class.specialties[0].clone()));
        self
    }

    /// The person passes the examination of the specialty, and is in the library too.
    pub(crate) fn qualify(&mut self) {
        for source in [Source::Examination, Source::Enrolment] {
            self.registrant.qualifications.push(Qualification {
                regime: self.regime.id.clone(),
                class: None,
                specialty: self.specialty.clone().unwrap(),
                management_no: None,
                entered_at: self.now,
                source,
            });
        }
    }

    /// The register holds a certificate of the class and specialty from before.
    pub(crate) fn hold(&mut self, valid_until: NaiveDate) {
        let class = self.regime.class(self.class.as_ref()).unwrap();
        let mut certificate = crate::domain::sample::certificate();
        certificate.details.kind = class.certificate.kind.clone();
        certificate.details.valid_until = Some(valid_until);
        self.registrant.registrations.push(Registration {
            regime: self.regime.id.clone(),
            class: class.id.clone(),
            specialty: self.specialty.clone().unwrap(),
            certificate: certificate.id,
            management_no: certificate.details.management_no.clone(),
            employer: EMPLOYER.parse().unwrap(),
            valid_until,
            cancelled: false,
            category: None,
        });
        self.entered.push((certificate, Outcome::Granted));
    }

    /// What the desk would ask for next.
    pub(crate) fn opening(&self, business: &str) -> Opening {
        Opening {
            id: CaseId::mint(self.now, [self.opened + 1; 10]),
            name: "甯彧".parse().unwrap(),
            class: self.class.clone(),
            specialty: self.specialty.clone(),
            business: business.parse().unwrap(),
            at: self.now,
        }
    }

    /// Opens a case and takes it in hand.
    pub(crate) fn open(&mut self, business: &str) -> Result<(), Refusal> {
        self.look_up();
        let next = open(&self.regime, &self.registrant, &self.facts, self.opening(business))?;
        self.opened += 1;
        self.write(next);
        Ok(())
    }

    /// Fills in whatever is required, attaches what is required, and reads the letter.
    pub(crate) fn fill_in(&mut self) {
        let me = Party::Person(self.case.person.clone());
        let business = business(&self.case, &self.regime).unwrap().clone();
        let answer = |kind: &FieldKind| match kind {
            FieldKind::Text => Answer::Text("测试".to_owned()),
            FieldKind::Date => Answer::Text("2026-01-01".to_owned()),
            FieldKind::Choice(choices) => Answer::Text(choices[0].to_string()),
            FieldKind::Uscc => Answer::Text(EMPLOYER.to_owned()),
            FieldKind::Bool => Answer::Flag(false),
        };
        let required = business.form.iter().filter(|field| field.required);
        let answers = required.map(|field| (field.name.to_string(), answer(&field.kind))).collect();
        self.case = fill(&self.case, &self.regime, &me, answers).unwrap();
        for rule in business.attachments.iter().filter(|rule| rule.required) {
            self.case = attach(&self.case, &self.regime, &me, &rule.kind, attachment(self.now)).unwrap();
        }
        if let Some(letter) = &business.letter {
            self.case = open_letter(&self.case, &self.regime, &me, self.now).unwrap();
            self.now += TimeDelta::seconds(i64::try_from(letter.seconds).unwrap());
        }
    }

    /// An act with everything that it may need.
    pub(crate) fn doing(&self, seat: Seat, act: Act) -> Doing {
        let letter = business(&self.case, &self.regime).ok().and_then(|business| business.letter.as_ref());
        Doing {
            act,
            by: Actor::Operator,
            party: self.party(seat),
            at: self.now,
            opinion: Some("意见".parse().unwrap()),
            items: vec![CorrectionItem {
                what: None,
                content: "材料不清".parse().unwrap(),
                reason: "无法辨认".parse().unwrap(),
            }],
            commitment: letter.map(|letter| Commitment { version: letter.version, accepted: true }),
            insurance_commitment: false,
        }
    }

    /// Whoever sits there: the person, the case's unit, or an authority that sees every region.
    pub(crate) fn party(&self, seat: Seat) -> Party {
        match seat {
            Seat::Person => Party::Person(self.registrant.person.clone()),
            Seat::Unit => {
                Party::Unit(self.case.unit.unwrap_or_else(|| EMPLOYER.parse::<CreditCode>().unwrap()))
            }
            seat => Party::Authority { seat, region: None },
        }
    }

    /// Does an act as whoever sits there.
    pub(crate) fn act(&mut self, seat: Seat, act: Act) -> Result<(), Refusal> {
        self.do_it(&self.doing(seat, act))
    }

    /// Does an act, and writes what comes of it as the desk would.
    pub(crate) fn do_it(&mut self, doing: &Doing) -> Result<(), Refusal> {
        self.look_up();
        let next = act(&self.case, &self.regime, &self.registrant, &self.facts, doing)?;
        self.write(next);
        Ok(())
    }

    /// Opens a case, fills it in, and takes it to its end by the first act that leads on from each stage.
    pub(crate) fn approve(&mut self, business: &str) -> Result<(), Refusal> {
        self.open(business)?;
        self.fill_in();
        self.act(Seat::Person, Act::Submit)?;
        self.finish()
    }

    /// Takes a case that was submitted to its end by the first act that leads on from each stage.
    pub(crate) fn finish(&mut self) -> Result<(), Refusal> {
        while let Some(place) = self.case.state.place().cloned() {
            let chain = &business(&self.case, &self.regime)?.chain;
            let stage = chain.stage(&place.stage).unwrap();
            let on = [Act::Confirm, Act::Accept, Act::Approve, Act::Deliver];
            let act = on.into_iter().find(|act| stage.acts.contains_key(act)).unwrap();
            self.act(place.seat, act)?;
        }
        Ok(())
    }

    /// The newest certificate of the subject's registration, as the desk looks it up.
    fn look_up(&mut self) {
        let (regime, class) = (&self.regime, self.class.as_ref());
        let class = &regime.class(class).unwrap().id;
        let held = self.registrant.registrations.iter().find(|registration| {
            registration.class == *class && Some(&registration.specialty) == self.specialty.as_ref()
        });
        let entered = held.and_then(|held| self.entered.iter().find(|(one, _)| one.id == held.certificate));
        self.facts.certificate = entered.map(|(certificate, _)| certificate.clone());
    }

    /// What the desk does with what comes of an act.
    fn write(&mut self, mut next: Next) {
        match next.effect.clone() {
            Some(Effect::Enter(entry)) => {
                let number = u8::try_from(self.entered.len() + 1).unwrap();
                let id = CertificateId::from_bytes([number; 16]);
                for (older, _) in &mut self.entered {
                    if older.details.management_no == entry.details.management_no {
                        older.standing = Standing::Superseded { by: id };
                    }
                }
                let certificate = Certificate {
                    id,
                    details: entry.details,
                    standing: Standing::Valid,
                    ..crate::domain::sample::certificate()
                };
                self.entered.push((certificate, entry.outcome));
                next = next.granted(id);
            }
            Some(Effect::Cancel { certificate }) => {
                let mut entered = self.entered.iter_mut();
                entered.find(|(one, _)| one.id == certificate).unwrap().0.standing = Standing::Cancelled;
            }
            Some(Effect::Correct { .. }) | None => {}
        }
        self.case = next.case;
        if let Some(registrant) = next.registrant {
            self.registrant = registrant;
        }
    }
}
