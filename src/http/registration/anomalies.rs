//! Anomalies, and what persons say to them (我的申辩).

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::record::Fields;
use crate::domain::ids::AnomalyId;
use crate::http::Shared;
use crate::http::body::{Nothing, Sent};
use crate::http::params::{Asked, Named};
use crate::http::problem::Problem;
use crate::http::registration::Registrar;
use crate::http::shapes::Moment;
use crate::http::words::AnomalyWord;
use crate::registration::registrant::Anomaly;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list_anomalies)).routes(routes!(defend))
}

/// What was noticed about a person.
#[derive(Debug, Serialize, ToSchema)]
struct AnomalyList {
    /// Newest first.
    items: Vec<AnomalyShape>,
}

/// Something that was noticed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Anomaly)]
struct AnomalyShape {
    /// Its name.
    id: String,
    /// 社保异常 or 人员查重异常.
    #[schema(value_type = AnomalyWord)]
    kind: &'static str,
    /// When.
    noticed_at: Moment,
    /// The case at which it was noticed.
    #[schema(required)]
    case_id: Option<String>,
    /// What the person says to it.
    #[schema(required)]
    defence: Option<DefenceShape>,
}

/// What a person says to an anomaly.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Defence)]
struct DefenceShape {
    /// Their words.
    words: String,
    /// When.
    at: Moment,
}

/// A defence.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DefenceSent {
    /// At most 500 characters.
    words: String,
}

impl AnomalyShape {
    fn of(anomaly: &Anomaly) -> Self {
        Self {
            id: anomaly.id.to_string(),
            kind: anomaly.kind.word(),
            noticed_at: Moment(anomaly.noticed_at),
            case_id: anomaly.case.map(|id| id.to_string()),
            defence: anomaly
                .defence
                .as_ref()
                .map(|defence| DefenceShape { words: defence.words.to_string(), at: Moment(defence.at) }),
        }
    }
}

/// What was noticed about the person who asks, newest first.
#[utoipa::path(
    get, path = "/api/v1/registration/anomalies", tag = "registration",
    security(("session" = []), ("session_cookie" = [])),
    responses((status = 200, description = "The anomalies", body = AnomalyList)),
)]
async fn list_anomalies(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<AnomalyList>, Problem> {
    let anomalies = api.desk.own_anomalies(&who).await?;
    Ok(Json(AnomalyList { items: anomalies.iter().map(AnomalyShape::of).collect() }))
}

/// Says something to an anomaly (我的申辩); what was said before is replaced.
#[utoipa::path(
    post, path = "/api/v1/registration/anomalies/{id}/defence", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(("id" = String, Path)),
    request_body = DefenceSent,
    responses((status = 200, description = "The anomaly", body = AnomalyShape)),
)]
async fn defend(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Named(id): Named<AnomalyId>,
    Sent { form, .. }: Sent<DefenceSent>,
) -> Result<Json<AnomalyShape>, Problem> {
    let mut fields = Fields::default();
    let words = fields.parse("words", &form.words);
    let words = fields.finish(words)?;
    Ok(Json(AnomalyShape::of(&api.desk.defend(&who, id, words).await?)))
}
