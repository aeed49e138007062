//! The lines of registration: what finds cases and registrants, and the rest encrypted with the key of `person`. Units are
//! not persons: their codes, and companies whole, stand in clear.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::identity::CreditCode;
use crate::domain::ids::{CaseId, Sha256};
use crate::registration::case::Case;
use crate::registration::registrant::Registrant;
use crate::registration::word::{RegimeId, StageId, TypeId};
use crate::store::entry::Blind;
use crate::store::record::{Text, text, text_option};

/// A case.
#[derive(Serialize, Deserialize)]
pub(crate) struct CaseLine<'a> {
    #[serde(with = "text")]
    pub(crate) id: CaseId,
    #[serde(with = "text")]
    pub(crate) person: Blind,
    pub(crate) slot: u32,
    /// Also says the region.
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<CreditCode>,
    #[serde(with = "text")]
    pub(crate) regime: RegimeId,
    #[serde(with = "text")]
    pub(crate) business: TypeId,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    pub(crate) stage: Option<StageId>,
    /// Who holds it now.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) seat: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_on: Option<NaiveDate>,
    pub(crate) state: &'a str,
    /// The files that it keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) documents: Vec<Text<Sha256>>,
    pub(crate) sealed: &'a str,
}

impl<'a> CaseLine<'a> {
    pub(crate) fn new(case: &'a Case, person: Blind, slot: u32, sealed: &'a str) -> Self {
        let place = case.state.place();
        Self {
            id: case.id,
            person,
            slot,
            unit: case.unit,
            regime: case.subject.regime.clone(),
            business: case.subject.business.clone(),
            stage: place.map(|place| place.stage.clone()),
            seat: case.state.seat().map(|seat| seat.word()),
            due_on: place.and_then(|place| place.due_on),
            state: case.state.word(),
            documents: case.attachments.values().map(|attachment| Text(attachment.document)).collect(),
            sealed,
        }
    }
}

/// A registrant; a person has one.
#[derive(Serialize, Deserialize)]
pub(crate) struct RegistrantLine<'a> {
    #[serde(with = "text")]
    pub(crate) person: Blind,
    pub(crate) slot: u32,
    /// The files that it keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) documents: Vec<Text<Sha256>>,
    pub(crate) sealed: &'a str,
}

impl<'a> RegistrantLine<'a> {
    pub(crate) fn new(registrant: &Registrant, person: Blind, slot: u32, sealed: &'a str) -> Self {
        let files = [registrant.profile.photo, registrant.profile.signature];
        Self { person, slot, documents: files.into_iter().flatten().map(Text).collect(), sealed }
    }
}
