//! An agency's certificates: entering, finding, deciding.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::record::{Fields, RecordForm};
use crate::desk::register::{Entered, How};
use crate::domain::certificate::Status;
use crate::domain::ids::CertificateId;
use crate::domain::query::CertificateQuery;
use crate::domain::refusal::FieldFault;
use crate::http::Shared;
use crate::http::auth::{Agency, AnnotationsRead, CertificatesRead, CertificatesWrite};
use crate::http::body::{Nothing, RECORD, Sent};
use crate::http::params::{Asked, Named, Span};
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::shapes::{CertificateShape, Day, file, header};
use crate::http::words::{CertificateStatus, File, RecordStatus, StatusDecision};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(enter_certificate, list_certificates))
        .routes(routes!(read_certificate))
        .routes(routes!(decide_status))
        .routes(routes!(read_plain_copy))
}

/// What became of a record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordResult {
    /// The line that it stood on, from 1.
    line: u64,
    /// What the record did.
    #[schema(value_type = RecordStatus)]
    status: &'static str,
    /// The version that now holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    certificate_id: Option<String>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<ProblemBody>,
}

impl RecordResult {
    pub(crate) fn entered(line: u64, entered: Entered) -> Self {
        let certificate_id = Some(entered.certificate.to_string());
        Self { line, status: entered.how.word(), certificate_id, problem: None }
    }

    pub(crate) fn refused(line: u64, problem: ProblemBody) -> Self {
        Self { line, status: "refused", certificate_id: None, problem: Some(problem) }
    }
}

/// Which certificates.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CertificateQuestion {
    /// Of this type, as `planner-qualification`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// With this management number: every version.
    management_no: Option<String>,
    /// That stand so today.
    #[param(value_type = Option<CertificateStatus>)]
    status: Option<String>,
    /// Of this issuer (credit code); a key of one issuer sees that issuer's only.
    issuer: Option<String>,
    /// What `next_cursor` of the page before said.
    cursor: Option<String>,
    /// 1 to 500 certificates; 50 where it is not said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// Certificates, in the order in which they entered.
#[derive(Debug, Serialize, ToSchema)]
struct Certificates {
    /// The certificates.
    items: Vec<CertificateShape>,
    /// Where the next page begins; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// A certificate and what stands around it today.
#[derive(Debug, Serialize, ToSchema)]
struct CertificateOverview {
    #[serde(flatten)]
    certificate: CertificateShape,
    /// How many more annotations may be ordered today.
    places_left: u32,
    /// Where none is left: the day on which the next place falls free.
    #[schema(required)]
    next_free_on: Option<Day>,
    /// How many of its annotations are in each state.
    annotations: BTreeMap<&'static str, usize>,
}

/// What an agency decides about a certificate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecisionForm {
    /// How it stands from now on; `valid` lifts a suspension.
    #[schema(value_type = StatusDecision)]
    status: String,
    /// Why, in 1 to 200 characters; kept in the audit trail.
    reason: String,
}

/// Enters one certificate. The same record again changes nothing; other data under the same type and management number
/// make a new version, which supersedes the old one and its copies.
#[utoipa::path(
    post, path = "/api/v1/admin/certificates", tag = "agency", security(("agency_key" = [])),
    request_body = RecordForm,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters")),
    responses(
        (status = 201, description = "Entered", body = RecordResult),
        (status = 200, description = "Updated or unchanged", body = RecordResult),
    ),
)]
async fn enter_certificate(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<CertificatesWrite>,
    Sent { form, idempotency }: Sent<RecordForm, RECORD>,
) -> Result<Response, Problem> {
    // A photo is decoded and encoded again, which takes a core.
    let core = api.gates.judge().await?;
    let record = off_the_runtime(move || form.parse()).await?;
    drop(core);
    let entered = api.desk.enter(&caller, record?, idempotency).await?;
    let status = if entered.how == How::Created { StatusCode::CREATED } else { StatusCode::OK };
    let location = header(format!("/api/v1/admin/certificates/{}", entered.certificate));
    Ok((status, [(LOCATION, location)], Json(RecordResult::entered(1, entered))).into_response())
}

/// Runs what takes a core for milliseconds beside the threads that answer.
pub(crate) async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::Panicked)
}

/// Certificates of the agency, page by page.
#[utoipa::path(
    get, path = "/api/v1/admin/certificates", tag = "agency", security(("agency_key" = [])),
    params(CertificateQuestion),
    responses((status = 200, description = "A page of certificates", body = Certificates)),
)]
async fn list_certificates(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<CertificatesRead>,
    Asked(question): Asked<CertificateQuestion>,
) -> Result<Json<Certificates>, Problem> {
    let today = api.desk.today();
    let mut fields = Fields::default();
    let span =
        Span::<CertificateId>::parse(&mut fields, question.cursor.as_deref(), question.limit.as_deref());
    let status = question.status.as_deref().and_then(|text| {
        let known = "valid, suspended, revoked, cancelled, lapsed, superseded";
        fields.take("status", text.parse::<Status>().map_err(|_| FieldFault::NotOneOf(known)))
    });
    let query = CertificateQuery {
        issuer: fields.parse_some("issuer", question.issuer.as_deref()),
        kind: fields.parse_some("type", question.kind.as_deref()),
        management_no: fields.parse_some("management_no", question.management_no.as_deref()),
        person: None,
        status: status.map(|status| (status, today)),
        after: span.after,
        limit: span.limit,
    };
    let query = fields.finish(Some(query))?;
    let page = api.desk.certificates(&caller, query).await?;
    Ok(Json(Certificates {
        next_cursor: page.items.last().filter(|_| page.more).map(|last| last.id.to_string()),
        items: page.items.iter().map(|certificate| CertificateShape::of(certificate, today)).collect(),
    }))
}

/// One version of a certificate, its places and how its annotations stand.
#[utoipa::path(
    get, path = "/api/v1/admin/certificates/{id}", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    responses((status = 200, description = "The certificate", body = CertificateOverview)),
)]
async fn read_certificate(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<CertificatesRead>,
    Named(id): Named<CertificateId>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<CertificateOverview>, Problem> {
    let overview = api.desk.overview(&caller, id).await?;
    Ok(Json(CertificateOverview {
        certificate: CertificateShape::of(&overview.certificate, api.desk.today()),
        places_left: overview.places.left,
        next_free_on: overview.places.next_free_on.map(Day),
        annotations: overview.annotations.iter().map(|(phase, count)| (phase.word(), *count)).collect(),
    }))
}

/// Decides how a certificate stands. Revocation and cancellation end its live copies for good; a suspension holds them.
#[utoipa::path(
    post, path = "/api/v1/admin/certificates/{id}/status", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    request_body = DecisionForm,
    responses(
        (status = 200, description = "As it stands now", body = CertificateShape),
        (status = 409, description = "`status-final`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn decide_status(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<CertificatesWrite>,
    Named(id): Named<CertificateId>,
    Sent { form, .. }: Sent<DecisionForm>,
) -> Result<Json<CertificateShape>, Problem> {
    let mut fields = Fields::default();
    let decision = fields.parse("status", &form.status);
    let reason = fields.parse("reason", &form.reason);
    let (decision, reason) = fields.finish(decision.zip(reason))?;
    let certificate = api.desk.decide_status(&caller, id, decision, reason).await?;
    Ok(Json(CertificateShape::of(&certificate, api.desk.today())))
}

/// The plain sealed copy of a certificate that is exempt from annotation.
#[utoipa::path(
    get, path = "/api/v1/admin/certificates/{id}/document", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The sealed file", content_type = "application/pdf", body = File),
        (status = 409, description = "`annotation-required` or `certificate-not-valid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`annotation-failed`: it cannot be printed", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn read_plain_copy(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<AnnotationsRead>,
    Named(id): Named<CertificateId>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Problem> {
    let document = api.desk.plain_document(&caller, id).await?;
    Ok(file(document, "application/pdf", &format!("certificate-{id}.pdf")))
}
