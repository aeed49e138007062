//! An agency's annotations: counter service, the queue, documents, evidence.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::DeskError;
use crate::desk::order::OrderForm;
use crate::desk::record::Fields;
use crate::domain::annotation::{Annotation, Phase};
use crate::domain::ids::{AnnotationId, CertificateId};
use crate::domain::language::Language;
use crate::domain::query::AnnotationQuery;
use crate::domain::refusal::FieldFault;
use crate::http::auth::{Agency, AnnotationsRead, AnnotationsWrite, AuditRead};
use crate::http::body::{MaybeSent, Nothing, Sent};
use crate::http::language::Speaks;
use crate::http::params::{Asked, Named, Span, name};
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::shapes::{AnnotationShape, Moment, file, header, waits};
use crate::http::words::{AnnotationState, File};
use crate::http::{Api, Shared};
use crate::metrics;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(order_annotation))
        .routes(routes!(list_annotations))
        .routes(routes!(read_annotation))
        .routes(routes!(read_copy))
        .routes(routes!(revoke_annotation))
        .routes(routes!(retry_annotation))
        .routes(routes!(read_evidence))
        .routes(routes!(read_queue))
}

/// What a clerk orders for a holder who came in person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CounterOrder {
    /// Usage scenario, as `self_use`.
    scenario: String,
    /// Length of the validity in days, both ends counted.
    days: u32,
    /// 接收单位, at most 100 characters.
    #[serde(default)]
    recipient: Option<String>,
    /// Why the holder does not order in person, in 1 to 200 characters.
    on_behalf_reason: String,
}

impl CounterOrder {
    fn parse(self) -> Result<OrderForm, Problem> {
        let mut fields = Fields::default();
        let scenario = fields.parse("scenario", &self.scenario);
        let recipient = fields.parse_some("recipient", self.recipient.as_deref());
        let reason = fields.parse("on_behalf_reason", &self.on_behalf_reason);
        let form = scenario.zip(reason).map(|(scenario, reason)| OrderForm {
            scenario,
            days: self.days,
            recipient,
            on_behalf_reason: Some(reason),
        });
        Ok(fields.finish(form)?)
    }
}

/// Which annotations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AnnotationQuestion {
    /// That stand so today.
    #[param(value_type = Option<AnnotationState>)]
    state: Option<String>,
    /// Of this certificate.
    certificate: Option<String>,
    /// What `next_cursor` of the page before said.
    cursor: Option<String>,
    /// 1 to 500 annotations; 50 where it is not said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// Annotations, in the order in which they were ordered.
#[derive(Debug, Serialize, ToSchema)]
struct Annotations {
    /// The annotations.
    items: Vec<AnnotationShape>,
    /// Where the next page begins; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Why an annotation is ended.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RevocationForm {
    /// In 1 to 200 characters; kept in the audit trail.
    #[serde(default)]
    reason: Option<String>,
}

/// The queue at a glance.
#[derive(Debug, Serialize, ToSchema)]
struct Queue {
    /// Copies that are to be made.
    depth: u64,
    /// Age of the oldest order; 0 for an empty queue.
    oldest_seconds: u64,
    /// When the oldest was ordered.
    #[schema(required)]
    oldest_requested_at: Option<Moment>,
    /// When the most urgent is due.
    #[schema(required)]
    next_due_at: Option<Moment>,
    /// How many are due within 4 hours, or overdue.
    at_risk: u64,
    /// How many wait for a person.
    parked: u64,
    /// Annotations that could not be made.
    failed: u64,
}

/// Shows an annotation, with its place while it waits.
pub(crate) async fn show(
    api: &Api,
    annotation: &Annotation,
    language: Language,
) -> Result<AnnotationShape, DeskError> {
    let place = match waits(annotation) {
        true => api.desk.place_in_queue(annotation.id).await?,
        false => None,
    };
    Ok(AnnotationShape::of(annotation, place, api.desk.today(), language))
}

/// Orders an annotation for a holder who came in person: same rules, same quota, recorded as such.
#[utoipa::path(
    post, path = "/api/v1/admin/certificates/{id}/annotations", tag = "agency", security(("agency_key" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters"),
    ),
    request_body = CounterOrder,
    responses(
        (status = 202, description = "Accepted; Location says where it can be followed", body = AnnotationShape),
        (status = 409, description = "`quota-exceeded` with `next_free_on`, or `certificate-not-valid`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn order_annotation(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<AnnotationsWrite>,
    Named(id): Named<CertificateId>,
    Speaks(language): Speaks,
    Sent { form, idempotency }: Sent<CounterOrder>,
) -> Result<impl IntoResponse, Problem> {
    let ordered = api.desk.order(&caller, id, form.parse()?, idempotency).await?;
    let shape = AnnotationShape::of(&ordered.annotation, Some(ordered.place), api.desk.today(), language);
    Ok((StatusCode::ACCEPTED, [(LOCATION, header(shape.location()))], Json(shape)))
}

/// Annotations of the agency's certificates, page by page.
#[utoipa::path(
    get, path = "/api/v1/admin/annotations", tag = "agency", security(("agency_key" = [])),
    params(AnnotationQuestion),
    responses(
        (status = 200, description = "A page of annotations", body = Annotations),
        (status = 404, description = "`not-found`: no such certificate, or another's", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn list_annotations(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<AnnotationsRead>,
    Speaks(language): Speaks,
    Asked(question): Asked<AnnotationQuestion>,
) -> Result<Json<Annotations>, Problem> {
    let today = api.desk.today();
    let mut fields = Fields::default();
    let span = Span::parse(&mut fields, question.cursor.as_deref(), question.limit.as_deref());
    let phase = question.state.as_deref().and_then(|text| {
        let known = "queued, sealing, ready, expired, revoked, failed";
        fields.take("state", text.parse::<Phase>().map_err(|_| FieldFault::NotOneOf(known)))
    });
    let query = AnnotationQuery {
        issuer: None,
        certificate: name(&mut fields, "certificate", question.certificate.as_deref()),
        phase: phase.map(|phase| (phase, today)),
        after: span.after,
        limit: span.limit,
    };
    let query = fields.finish(Some(query))?;
    let page = api.desk.annotations(&caller, query).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for annotation in &page.items {
        items.push(show(&api, annotation, language).await?);
    }
    let next_cursor = page.items.last().filter(|_| page.more).map(|last| last.id.to_string());
    Ok(Json(Annotations { items, next_cursor }))
}

/// One annotation.
#[utoipa::path(
    get, path = "/api/v1/admin/annotations/{id}", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    responses((status = 200, description = "The annotation", body = AnnotationShape)),
)]
async fn read_annotation(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<AnnotationsRead>,
    Named(id): Named<AnnotationId>,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<AnnotationShape>, Problem> {
    let annotation = api.desk.annotation(&caller, id).await?;
    Ok(Json(show(&api, &annotation, language).await?))
}

/// The sealed copy, while it may be used. That it was handed out is remembered.
#[utoipa::path(
    get, path = "/api/v1/admin/annotations/{id}/document", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The sealed file", content_type = "application/pdf", body = File),
        (status = 409, description = "`annotation-not-ready` or `certificate-not-valid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`annotation-expired`, `annotation-revoked` or `annotation-failed`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn read_copy(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<AnnotationsRead>,
    Named(id): Named<AnnotationId>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Problem> {
    let document = api.desk.document(&caller, id).await?;
    Ok(file(document, "application/pdf", &format!("annotation-{id}.pdf")))
}

/// Ends an annotation before its time, for good.
#[utoipa::path(
    post, path = "/api/v1/admin/annotations/{id}/revocation", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    request_body = Option<RevocationForm>,
    responses(
        (status = 200, description = "The annotation", body = AnnotationShape),
        (status = 409, description = "`annotation-not-live`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn revoke_annotation(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<AnnotationsWrite>,
    Named(id): Named<AnnotationId>,
    Speaks(language): Speaks,
    MaybeSent(form): MaybeSent<RevocationForm>,
) -> Result<Json<AnnotationShape>, Problem> {
    let mut fields = Fields::default();
    let reason = fields.parse_some("reason", form.reason.as_deref());
    let reason = fields.finish(Some(reason))?;
    let annotation = api.desk.revoke(&caller, id, reason).await?;
    Ok(Json(show(&api, &annotation, language).await?))
}

/// Sends a parked job back to the queue.
#[utoipa::path(
    post, path = "/api/v1/admin/annotations/{id}/retry", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "The annotation", body = AnnotationShape),
        (status = 409, description = "`not-parked`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn retry_annotation(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<AnnotationsWrite>,
    Named(id): Named<AnnotationId>,
    Speaks(language): Speaks,
    MaybeSent(Nothing {}): MaybeSent<Nothing>,
) -> Result<Json<AnnotationShape>, Problem> {
    let annotation = api.desk.retry(&caller, id).await?;
    Ok(Json(show(&api, &annotation, language).await?))
}

/// An evidence bundle for a court: the sealed file, the ledger entries of its life with their chain, the chain of the
/// seal certificate, and a page that says how to check them.
#[utoipa::path(
    get, path = "/api/v1/admin/annotations/{id}/evidence", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The bundle", content_type = "application/zip", body = File),
        (status = 409, description = "`annotation-not-ready`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn read_evidence(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<AuditRead>,
    Named(id): Named<AnnotationId>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Problem> {
    let bundle = api.desk.evidence(&caller, id).await?;
    Ok(file(bundle, "application/zip", &format!("evidence-{id}.zip")))
}

/// The queue as the agency may see it.
#[utoipa::path(
    get, path = "/api/v1/admin/queue", tag = "agency", security(("agency_key" = [])),
    responses((status = 200, description = "The queue", body = Queue)),
)]
async fn read_queue(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<AnnotationsRead>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Queue>, Problem> {
    let (queue, now) = (api.desk.queue(&caller).await?, api.desk.now());
    Ok(Json(Queue {
        depth: queue.depth,
        oldest_seconds: metrics::oldest(&queue, now).as_secs(),
        oldest_requested_at: queue.oldest_requested_at.map(Moment),
        next_due_at: queue.next_due_at.map(Moment),
        at_risk: metrics::at_risk(&queue, now),
        parked: queue.parked,
        failed: queue.failed,
    }))
}
