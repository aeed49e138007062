//! Cases as they are answered: at a glance, and whole.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::desk::registration::Registering;
use crate::desk::registration::filing::CaseView;
use crate::domain::language::Language;
use crate::http::Api;
use crate::http::problem::Problem;
use crate::http::registration::regimes::say;
use crate::http::shapes::{Day, Moment};
use crate::http::words::{ActWord, CaseStateWord, MediaWord, SeatWord};
use crate::registration::case::{Case, Correction, FieldValue, Seat};
use crate::registration::filing::business;
use crate::registration::party::Party;
use crate::registration::regime::Business;
use crate::registration::timeline::Stay;
use crate::registration::word::AttachmentKind;

/// A case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Case)]
pub(crate) struct CaseShape {
    #[serde(flatten)]
    mention: CaseMentionShape,
    /// What was typed.
    #[schema(value_type = Object)]
    form: BTreeMap<String, Value>,
    /// The files, by their kind.
    attachments: Vec<AttachmentMention>,
    /// The commitment letter, once it was opened.
    #[schema(required)]
    commitment: Option<LetterMention>,
    /// Where it was, oldest first. The last stay lasts, unless the case has ended.
    timeline: Vec<StayShape>,
    /// What an authority asked to be corrected, all at once (一次告知).
    corrections: Vec<CorrectionShape>,
}

/// A case at a glance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseMention)]
pub(crate) struct CaseMentionShape {
    /// Its name.
    id: String,
    /// The regime.
    regime: String,
    /// The class of it.
    class: String,
    /// The business type.
    #[serde(rename = "type")]
    business: String,
    /// What it is called.
    type_name: String,
    /// The specialty.
    specialty: String,
    /// Where it stands.
    #[schema(value_type = CaseStateWord)]
    state: &'static str,
    /// The stage it is at, once submitted.
    #[schema(required)]
    stage: Option<StageMention>,
    /// Who holds it now.
    #[schema(required, value_type = Option<SeatWord>)]
    held_by: Option<&'static str>,
    /// The last day for the act, where the regime sets one.
    #[schema(required)]
    due_on: Option<Day>,
    /// Whose it is.
    person: PersonMention,
    /// The employer that confirms it, by its credit code.
    #[schema(required)]
    unit: Option<String>,
    /// When it was opened.
    opened_at: Moment,
    /// What whoever looks may do.
    #[schema(value_type = Vec<ActWord>)]
    allowed_acts: Vec<&'static str>,
    /// The version of the certificate that came of it.
    #[schema(required)]
    certificate_id: Option<String>,
}

/// A stage at a glance.
#[derive(Debug, Serialize, ToSchema)]
struct StageMention {
    /// Its name.
    id: String,
    /// What it is called.
    name: String,
    /// Who acts there.
    #[schema(value_type = SeatWord)]
    actor: &'static str,
}

/// Whose a case is. Authorities see the number whole, units by its ends.
#[derive(Debug, Serialize, ToSchema)]
struct PersonMention {
    /// The name.
    name: String,
    /// Kind of identity document (GA/T 517).
    id_type: String,
    /// Identity number.
    id_number: String,
}

/// A file of a case.
#[derive(Debug, Serialize, ToSchema)]
struct AttachmentMention {
    /// Its kind.
    kind: String,
    /// What it is called.
    label: String,
    /// What it is, told by its content.
    #[serde(rename = "type")]
    #[schema(value_type = MediaWord)]
    media: &'static str,
    /// How many bytes were sent.
    bytes: u64,
    /// When.
    added_at: Moment,
}

/// A commitment letter that was opened.
#[derive(Debug, Serialize, ToSchema)]
struct LetterMention {
    /// Which version of its text.
    version: u16,
    /// Since when its time of reading counts.
    opened_at: Moment,
}

/// One stay of a case at a stage.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseStay)]
struct StayShape {
    /// The stage.
    stage: String,
    /// What it is called.
    name: String,
    /// Since when.
    entered_at: Moment,
    /// Who held the case.
    #[schema(value_type = SeatWord)]
    actor: &'static str,
    /// What ended the stay.
    #[schema(required, value_type = Option<ActWord>)]
    act: Option<&'static str>,
    /// In whose place: not always who held the case, as when the person withdraws it.
    #[schema(required, value_type = Option<SeatWord>)]
    acted_by: Option<&'static str>,
    /// When.
    #[schema(required)]
    acted_at: Option<Moment>,
    /// Why.
    #[schema(required)]
    opinion: Option<String>,
}

/// What an authority asked to be corrected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseCorrection)]
struct CorrectionShape {
    /// When.
    asked_at: Moment,
    /// Everything at once.
    items: Vec<CorrectionItemShape>,
    /// When the person did; null while it is open.
    #[schema(required)]
    corrected_at: Option<Moment>,
}

/// One thing to correct.
#[derive(Debug, Serialize, ToSchema)]
struct CorrectionItemShape {
    /// The field or the kind of attachment that it is about.
    #[schema(required)]
    what: Option<String>,
    /// What is to be corrected.
    content: String,
    /// Why.
    reason: String,
}

fn shown(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => text.to_string().into(),
        FieldValue::Day(day) => day.to_string().into(),
        FieldValue::Unit(uscc) => uscc.to_string().into(),
        FieldValue::Flag(flag) => (*flag).into(),
    }
}

impl CaseMentionShape {
    pub(crate) fn of(
        api: &Api,
        who: &Registering,
        view: &CaseView,
        language: Language,
    ) -> Result<Self, Problem> {
        let case = &view.case;
        let business = business_of(api, case)?;
        let stage = case.state.place().and_then(|place| business.chain.stage(&place.stage));
        let person = &case.person;
        let whole = !matches!(who.party(), Party::Unit(_));
        Ok(Self {
            id: case.id.to_string(),
            regime: case.subject.regime.to_string(),
            class: case.subject.class.to_string(),
            business: case.subject.business.to_string(),
            type_name: say(&business.name, language),
            specialty: case.subject.specialty.to_string(),
            state: case.state.word(),
            stage: stage.map(|stage| StageMention {
                id: stage.id.to_string(),
                name: say(&stage.name, language),
                actor: stage.seat.word(),
            }),
            held_by: case.state.seat().map(Seat::word),
            due_on: case.state.place().and_then(|place| place.due_on).map(Day),
            person: PersonMention {
                name: case.name.to_string(),
                id_type: person.id_type().to_owned(),
                id_number: if whole { person.number().to_owned() } else { person.masked() },
            },
            unit: case.unit.map(|uscc| uscc.to_string()),
            opened_at: Moment(case.opened_at),
            allowed_acts: view.allowed.iter().map(|act| act.word()).collect(),
            certificate_id: case.state.certificate().map(|id| id.to_string()),
        })
    }
}

impl CaseShape {
    pub(crate) fn of(
        api: &Api,
        who: &Registering,
        view: &CaseView,
        language: Language,
    ) -> Result<Self, Problem> {
        let case = &view.case;
        let business = business_of(api, case)?;
        let label = |kind: &AttachmentKind| business.attachment(kind).map(|rule| say(&rule.label, language));
        Ok(Self {
            mention: CaseMentionShape::of(api, who, view, language)?,
            form: case.form.iter().map(|(name, value)| (name.to_string(), shown(value))).collect(),
            attachments: case
                .attachments
                .iter()
                .map(|(kind, attachment)| AttachmentMention {
                    kind: kind.to_string(),
                    label: label(kind).unwrap_or_else(|| kind.to_string()),
                    media: attachment.media.media_type(),
                    bytes: attachment.bytes,
                    added_at: Moment(attachment.added_at),
                })
                .collect(),
            commitment: case
                .letter
                .as_ref()
                .map(|letter| LetterMention { version: letter.version, opened_at: Moment(letter.opened_at) }),
            timeline: view.timeline.iter().map(|stay| StayShape::of(stay, business, language)).collect(),
            corrections: case.corrections.iter().map(CorrectionShape::of).collect(),
        })
    }
}

impl StayShape {
    fn of(stay: &Stay, business: &Business, language: Language) -> Self {
        let left = stay.left.as_ref();
        let name = business.chain.stage(&stay.stage).map(|stage| say(&stage.name, language));
        Self {
            stage: stay.stage.to_string(),
            name: name.unwrap_or_default(),
            entered_at: Moment(stay.entered_at),
            actor: stay.seat.word(),
            act: left.map(|left| left.act.word()),
            acted_by: left.map(|left| left.seat.word()),
            acted_at: left.map(|left| Moment(left.at)),
            opinion: left.and_then(|left| left.opinion.as_ref()).map(ToString::to_string),
        }
    }
}

impl CorrectionShape {
    fn of(correction: &Correction) -> Self {
        let items = correction.items.iter().map(|item| CorrectionItemShape {
            what: item.what.as_ref().map(ToString::to_string),
            content: item.content.to_string(),
            reason: item.reason.to_string(),
        });
        Self {
            asked_at: Moment(correction.asked_at),
            items: items.collect(),
            corrected_at: correction.corrected_at.map(Moment),
        }
    }
}

fn business_of<'a>(api: &'a Api, case: &Case) -> Result<&'a Business, Problem> {
    let regime = api.desk.regimes().regime(&case.subject.regime).ok_or(Problem::NotFound)?;
    Ok(business(case, regime)?)
}
