//! Registration in development: passed examinations, and registers of others that answer as they are told.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::tools;
use crate::desk::DeskError;
use crate::desk::account::sign_up::parse_person;
use crate::desk::record::Fields;
use crate::desk::registration::registries::Registries;
use crate::domain::certificate::Name;
use crate::domain::identity::{PersonId, RESIDENT_CARD};
use crate::domain::refusal::FieldFault;
use crate::http::Shared;
use crate::http::body::Sent;
use crate::http::problem::Problem;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(record_qualification)).routes(routes!(set_social_insurance))
}

/// Registers of others that answer as they are told, in memory.
#[derive(Debug, Default)]
pub struct ToldRegistries {
    anomalous: Mutex<HashSet<PersonId>>,
}

impl ToldRegistries {
    fn set(&self, person: PersonId, anomalous: bool) {
        let mut known = self.anomalous.lock().unwrap_or_else(PoisonError::into_inner);
        if anomalous {
            known.insert(person);
        } else {
            known.remove(&person);
        }
    }

    pub(super) fn clear(&self) {
        self.anomalous.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[async_trait]
impl Registries for ToldRegistries {
    async fn insurance_is_anomalous(&self, person: &PersonId) -> Result<bool, DeskError> {
        Ok(self.anomalous.lock().unwrap_or_else(PoisonError::into_inner).contains(person))
    }

    async fn knows(&self, _: &PersonId, _: &Name) -> Result<bool, DeskError> {
        Ok(true)
    }
}

/// A passed examination.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PassedExamination {
    /// Kind of the identity document; 111 where it is not said.
    #[serde(default)]
    id_type: Option<String>,
    /// Identity number.
    id_number: String,
    /// For which regime.
    regime: String,
    /// For which specialty.
    specialty: String,
}

/// What the social insurance is to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InsuranceAnswer {
    /// Kind of the identity document; 111 where it is not said.
    #[serde(default)]
    id_type: Option<String>,
    /// Identity number.
    id_number: String,
    /// `normal` or `anomaly`.
    status: String,
}

/// Done.
#[derive(Debug, Serialize, ToSchema)]
struct Told {}

/// Records a passed examination. It never fills a library, which enrolment does.
#[utoipa::path(
    post, path = "/dev/qualifications", tag = "development", request_body = PassedExamination,
    responses((status = 200, description = "Recorded", body = Told)),
)]
async fn record_qualification(
    State(api): State<Shared>,
    Sent { form, .. }: Sent<PassedExamination>,
) -> Result<Json<Told>, Problem> {
    tools(&api)?;
    let mut fields = Fields::default();
    let id_type = form.id_type.as_deref().unwrap_or(RESIDENT_CARD);
    let person = parse_person(&mut fields, id_type, &form.id_number);
    let regime = form.regime.parse().ok().filter(|id| api.desk.regimes().regime(id).is_some());
    let regime = fields.take("regime", regime.ok_or(FieldFault::NotAName));
    let specialty = fields.parse("specialty", &form.specialty);
    let passed = person.zip(regime.zip(specialty));
    let (person, (regime, specialty)) = fields.finish(passed)?;
    api.desk.record_examination(&person, &regime, &specialty).await?;
    Ok(Json(Told {}))
}

/// Sets what the social insurance says of a person.
#[utoipa::path(
    post, path = "/dev/social-insurance", tag = "development", request_body = InsuranceAnswer,
    responses((status = 200, description = "It says so from now on", body = Told)),
)]
async fn set_social_insurance(
    State(api): State<Shared>,
    Sent { form, .. }: Sent<InsuranceAnswer>,
) -> Result<Json<Told>, Problem> {
    let tools = tools(&api)?;
    let mut fields = Fields::default();
    let id_type = form.id_type.as_deref().unwrap_or(RESIDENT_CARD);
    let person = parse_person(&mut fields, id_type, &form.id_number);
    let anomalous = match form.status.as_str() {
        "normal" => Some(false),
        "anomaly" => Some(true),
        _ => fields.take("status", Err(FieldFault::NotOneOf("normal, anomaly"))),
    };
    let (person, anomalous) = fields.finish(person.zip(anomalous))?;
    tools.registries.set(person, anomalous);
    Ok(Json(Told {}))
}
