//! How often a holder's copies and certificates were verified, and by which door.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::ids::{AnnotationId, CertificateId};
use crate::domain::tally::Tallies;
use crate::http::Shared;
use crate::http::body::Nothing;
use crate::http::params::{Asked, Named};
use crate::http::problem::Problem;
use crate::http::session::Holding;
use crate::http::shapes::Moment;
use crate::http::words::CheckDoor;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(read_annotation_checks)).routes(routes!(read_certificate_checks))
}

/// How often something was verified: statistics by the hour, without any trace of who asked. A crash of the service may
/// lose a minute of them.
#[derive(Debug, Serialize, ToSchema)]
struct Checks {
    /// How often in all.
    total: u64,
    /// The last hour in which it was.
    #[schema(required)]
    last_hour: Option<Moment>,
    /// The counts, oldest first.
    items: Vec<CheckCount>,
}

/// How often within an hour, by one door.
#[derive(Debug, Serialize, ToSchema)]
struct CheckCount {
    /// When the hour began.
    hour: Moment,
    /// By the page behind the QR code, a typed code, a program that asked about the code, the file, or the three-field
    /// query.
    #[schema(value_type = CheckDoor)]
    door: &'static str,
    /// How often.
    count: u64,
}

impl From<Tallies> for Checks {
    fn from(tallies: Tallies) -> Self {
        let item = |(heading, count): (&crate::domain::tally::Heading, &u64)| CheckCount {
            hour: Moment(heading.hour.begins()),
            door: heading.door.word(),
            count: *count,
        };
        Self {
            total: tallies.values().fold(0, |total, count| total.saturating_add(*count)),
            last_hour: tallies.keys().next_back().map(|heading| Moment(heading.hour.begins())),
            items: tallies.iter().map(item).collect(),
        }
    }
}

/// How often an own annotated copy was verified.
#[utoipa::path(
    get, path = "/api/v1/me/annotations/{id}/checks", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    params(("id" = String, Path)),
    responses((status = 200, description = "The counts", body = Checks)),
)]
async fn read_annotation_checks(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Named(id): Named<AnnotationId>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Checks>, Problem> {
    Ok(Json(api.desk.checks_of_annotation(&holder, id).await?.into()))
}

/// How often an own certificate was verified itself: by its three fields, or by the file of its plain copy.
#[utoipa::path(
    get, path = "/api/v1/me/certificates/{id}/checks", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    params(("id" = String, Path)),
    responses((status = 200, description = "The counts", body = Checks)),
)]
async fn read_certificate_checks(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Named(id): Named<CertificateId>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Checks>, Problem> {
    Ok(Json(api.desk.checks_of_certificate(&holder, id).await?.into()))
}
