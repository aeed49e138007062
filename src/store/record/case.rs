//! The shape of a case on disk.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::certificate::{Line, Name};
use crate::domain::event::Actor;
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{CaseId, CertificateId, Malformed, Sha256};
use crate::registration::case::{
    Act, Attachment, Case, CaseState, Correction, CorrectionItem, FieldValue, Letter, Move, Opinion, Place,
    Specialty, Subject,
};
use crate::registration::word::{AttachmentKind, ClassId, FieldName, RegimeId, StageId, TypeId};
use crate::store::record::{Text, Unreadable, read, text, text_option, write};

#[derive(Serialize, Deserialize)]
struct CaseShape {
    id_type: String,
    id_number: String,
    #[serde(with = "text")]
    name: Name,
    subject: SubjectShape,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    unit: Option<CreditCode>,
    form: BTreeMap<Text<FieldName>, FieldShape>,
    attachments: BTreeMap<Text<AttachmentKind>, AttachmentShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    letter: Option<LetterShape>,
    state: StateShape,
    moves: Vec<MoveShape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    corrections: Vec<CorrectionShape>,
    opened_at: DateTime<Utc>,
}

/// What a case is about; a registrant's record says it too.
#[derive(Serialize, Deserialize)]
pub(super) struct SubjectShape {
    #[serde(with = "text")]
    regime: RegimeId,
    #[serde(with = "text")]
    class: ClassId,
    #[serde(with = "text")]
    specialty: Specialty,
    #[serde(with = "text")]
    business: TypeId,
}

impl From<Subject> for SubjectShape {
    fn from(subject: Subject) -> Self {
        let Subject { regime, class, specialty, business } = subject;
        Self { regime, class, specialty, business }
    }
}

impl From<SubjectShape> for Subject {
    fn from(shape: SubjectShape) -> Self {
        let SubjectShape { regime, class, specialty, business } = shape;
        Self { regime, class, specialty, business }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FieldShape {
    Text(Text<Line<500>>),
    Day(NaiveDate),
    Unit(Text<CreditCode>),
    Flag(bool),
}

#[derive(Serialize, Deserialize)]
struct AttachmentShape {
    #[serde(with = "text")]
    document: Sha256,
    media: String,
    bytes: u64,
    added_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
struct LetterShape {
    version: u16,
    opened_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateShape {
    Draft,
    Open(PlaceShape),
    Returned,
    Correction(PlaceShape),
    WithdrawalPending(PlaceShape),
    Withdrawn,
    Approved(Option<Text<CertificateId>>),
    Rejected,
    Cancelled,
}

#[derive(Serialize, Deserialize)]
struct PlaceShape {
    #[serde(with = "text")]
    stage: StageId,
    seat: String,
    since: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_on: Option<NaiveDate>,
}

#[derive(Serialize, Deserialize)]
struct MoveShape {
    act: String,
    #[serde(with = "text")]
    by: Actor,
    seat: String,
    at: DateTime<Utc>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    opinion: Option<Opinion>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    from: Option<StageId>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    to: Option<StageId>,
}

#[derive(Serialize, Deserialize)]
struct CorrectionShape {
    asked_at: DateTime<Utc>,
    items: Vec<ItemShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    corrected_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
struct ItemShape {
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    what: Option<FieldName>,
    #[serde(with = "text")]
    content: Line<200>,
    #[serde(with = "text")]
    reason: Line<200>,
}

impl From<FieldValue> for FieldShape {
    fn from(value: FieldValue) -> Self {
        match value {
            FieldValue::Text(line) => Self::Text(Text(line)),
            FieldValue::Day(day) => Self::Day(day),
            FieldValue::Unit(unit) => Self::Unit(Text(unit)),
            FieldValue::Flag(flag) => Self::Flag(flag),
        }
    }
}

impl From<FieldShape> for FieldValue {
    fn from(shape: FieldShape) -> Self {
        match shape {
            FieldShape::Text(Text(line)) => Self::Text(line),
            FieldShape::Day(day) => Self::Day(day),
            FieldShape::Unit(Text(unit)) => Self::Unit(unit),
            FieldShape::Flag(flag) => Self::Flag(flag),
        }
    }
}

impl From<Attachment> for AttachmentShape {
    fn from(attachment: Attachment) -> Self {
        let Attachment { document, media, bytes, added_at } = attachment;
        Self { document, media: media.media_type().to_owned(), bytes, added_at }
    }
}

impl TryFrom<AttachmentShape> for Attachment {
    type Error = Malformed;

    fn try_from(shape: AttachmentShape) -> Result<Self, Malformed> {
        let AttachmentShape { document, media, bytes, added_at } = shape;
        Ok(Self { document, media: media.parse()?, bytes, added_at })
    }
}

impl From<Place> for PlaceShape {
    fn from(place: Place) -> Self {
        let Place { stage, seat, since, due_on } = place;
        Self { stage, seat: seat.word().to_owned(), since, due_on }
    }
}

impl TryFrom<PlaceShape> for Place {
    type Error = Malformed;

    fn try_from(shape: PlaceShape) -> Result<Self, Malformed> {
        let PlaceShape { stage, seat, since, due_on } = shape;
        Ok(Self { stage, seat: seat.parse()?, since, due_on })
    }
}

impl From<CaseState> for StateShape {
    fn from(state: CaseState) -> Self {
        match state {
            CaseState::Draft => Self::Draft,
            CaseState::Open(place) => Self::Open(place.into()),
            CaseState::Returned => Self::Returned,
            CaseState::Correction(place) => Self::Correction(place.into()),
            CaseState::WithdrawalPending(place) => Self::WithdrawalPending(place.into()),
            CaseState::Withdrawn => Self::Withdrawn,
            CaseState::Approved { certificate } => Self::Approved(certificate.map(Text)),
            CaseState::Rejected => Self::Rejected,
            CaseState::Cancelled => Self::Cancelled,
        }
    }
}

impl TryFrom<StateShape> for CaseState {
    type Error = Malformed;

    fn try_from(shape: StateShape) -> Result<Self, Malformed> {
        Ok(match shape {
            StateShape::Draft => Self::Draft,
            StateShape::Open(place) => Self::Open(place.try_into()?),
            StateShape::Returned => Self::Returned,
            StateShape::Correction(place) => Self::Correction(place.try_into()?),
            StateShape::WithdrawalPending(place) => Self::WithdrawalPending(place.try_into()?),
            StateShape::Withdrawn => Self::Withdrawn,
            StateShape::Approved(certificate) => {
                Self::Approved { certificate: certificate.map(|Text(certificate)| certificate) }
            }
            StateShape::Rejected => Self::Rejected,
            StateShape::Cancelled => Self::Cancelled,
        })
    }
}

impl From<Move> for MoveShape {
    fn from(done: Move) -> Self {
        let Move { act, by, seat, at, opinion, from, to } = done;
        Self { act: act.word().to_owned(), by, seat: seat.word().to_owned(), at, opinion, from, to }
    }
}

impl TryFrom<MoveShape> for Move {
    type Error = Malformed;

    fn try_from(shape: MoveShape) -> Result<Self, Malformed> {
        let MoveShape { act, by, seat, at, opinion, from, to } = shape;
        Ok(Self { act: act.parse::<Act>()?, by, seat: seat.parse()?, at, opinion, from, to })
    }
}

impl From<Correction> for CorrectionShape {
    fn from(correction: Correction) -> Self {
        let Correction { asked_at, items, corrected_at } = correction;
        let item = |CorrectionItem { what, content, reason }| ItemShape { what, content, reason };
        Self { asked_at, items: items.into_iter().map(item).collect(), corrected_at }
    }
}

impl From<CorrectionShape> for Correction {
    fn from(shape: CorrectionShape) -> Self {
        let CorrectionShape { asked_at, items, corrected_at } = shape;
        let item = |ItemShape { what, content, reason }| CorrectionItem { what, content, reason };
        Self { asked_at, items: items.into_iter().map(item).collect(), corrected_at }
    }
}

/// The bytes of a case, to be encrypted.
pub(crate) fn write_case(case: &Case) -> Result<Vec<u8>, Unreadable> {
    let Case { id: _, person, name, subject, unit, form, attachments, letter, .. } = case.clone();
    let Case { state, moves, corrections, opened_at, .. } = case.clone();
    write(&CaseShape {
        id_type: person.id_type().to_owned(),
        id_number: person.number().to_owned(),
        name,
        subject: subject.into(),
        unit,
        form: form.into_iter().map(|(name, value)| (Text(name), value.into())).collect(),
        attachments: attachments
            .into_iter()
            .map(|(kind, attachment)| (Text(kind), attachment.into()))
            .collect(),
        letter: letter.map(|Letter { version, opened_at }| LetterShape { version, opened_at }),
        state: state.into(),
        moves: moves.into_iter().map(MoveShape::from).collect(),
        corrections: corrections.into_iter().map(CorrectionShape::from).collect(),
        opened_at,
    })
}

/// Reads what [`write_case`] gave, of any version.
pub(crate) fn read_case(id: CaseId, bytes: &[u8]) -> Result<Case, Unreadable> {
    let shape: CaseShape = read(bytes)?;
    let attachment = |(Text(kind), shape): (Text<AttachmentKind>, AttachmentShape)| {
        Ok::<_, Malformed>((kind, shape.try_into()?))
    };
    Ok(Case {
        id,
        person: PersonId::parse(&shape.id_type, &shape.id_number).map_err(|_| Malformed("identity"))?,
        name: shape.name,
        subject: shape.subject.into(),
        unit: shape.unit,
        form: shape.form.into_iter().map(|(Text(name), value)| (name, value.into())).collect(),
        attachments: shape.attachments.into_iter().map(attachment).collect::<Result<_, _>>()?,
        letter: shape.letter.map(|LetterShape { version, opened_at }| Letter { version, opened_at }),
        state: shape.state.try_into()?,
        moves: shape.moves.into_iter().map(Move::try_from).collect::<Result<_, _>>()?,
        corrections: shape.corrections.into_iter().map(Correction::from).collect(),
        opened_at: shape.opened_at,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::registration::case::{Media, Seat};
    use crate::store::samples::registration::{case, case_in, move_of, place, states};

    #[track_caller]
    fn assert_kept(case: &Case) {
        let bytes = write_case(case).unwrap();
        assert!(read_case(case.id, &bytes).unwrap() == *case, "{}", String::from_utf8_lossy(&bytes[1..]));
    }

    #[test]
    fn a_case_in_every_state_is_read_as_it_was_written() {
        for state in states() {
            assert_kept(&case_in(1, state));
        }
        for seat in Seat::ALL {
            for due_on in [None, Some("2026-12-18".parse().unwrap())] {
                assert_kept(&case_in(1, CaseState::Open(place(seat, due_on))));
            }
        }
    }

    #[test]
    fn every_act_field_file_and_correction_is_read_as_it_was_written() {
        let full = case(1);
        assert!(full.form.len() == 4 && full.attachments.len() == Media::ALL.len() && full.letter.is_some());
        let moves = Act::ALL.into_iter().flat_map(|act| Seat::ALL.map(|seat| move_of(act, seat))).collect();
        assert_kept(&Case { moves, ..full.clone() });
        let bare = Move { opinion: None, from: None, to: None, ..move_of(Act::Submit, Seat::Person) };
        assert_kept(&Case {
            unit: None,
            form: BTreeMap::new(),
            attachments: BTreeMap::new(),
            letter: None,
            moves: vec![bare],
            corrections: vec![],
            ..full
        });
    }

    #[test]
    fn a_word_that_is_none_is_refused() {
        let written = write_case(&case_in(1, CaseState::Open(place(Seat::Province, None)))).unwrap();
        let text = String::from_utf8(written).unwrap();
        for (word, other) in
            [("\"province\"", "\"palace\""), ("\"submit\"", "\"sing\""), ("image/png", "image/gif")]
        {
            assert!(text.contains(word), "{word}");
            let altered = text.replace(word, other);
            assert!(
                matches!(read_case(case(1).id, altered.as_bytes()), Err(Unreadable::Value(_))),
                "{other}"
            );
        }
    }
}
