//! A holder's own certificates and annotations: ordering, watching, downloading, revoking.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::DeskError;
use crate::desk::account::own::{Own, Watch};
use crate::desk::account::session::Holder;
use crate::desk::order::OrderForm;
use crate::desk::record::Fields;
use crate::domain::annotation::Annotation;
use crate::domain::ids::{AnnotationId, CertificateId};
use crate::domain::language::Language;
use crate::http::annotations::show;
use crate::http::body::{MaybeSent, Nothing, Sent};
use crate::http::language::Speaks;
use crate::http::listener::Stopping;
use crate::http::params::{Asked, Named};
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::session::Holding;
use crate::http::shapes::{AnnotationShape, CertificateShape, Day, file, header, waits};
use crate::http::words::{AnnotationState, File};
use crate::http::{Api, Shared};

/// How long one stream of events lasts; browsers ask again by themselves.
const STREAM_LASTS: Duration = Duration::from_secs(300);

/// How often a silent stream shows that it lives: before proxies take it for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_own_certificates))
        .routes(routes!(read_own_certificate))
        .routes(routes!(read_own_plain_copy))
        .routes(routes!(order_own_annotation))
        .routes(routes!(read_own_annotation))
        .routes(routes!(watch_own_annotation))
        .routes(routes!(read_own_copy))
        .routes(routes!(revoke_own_annotation))
}

/// One of the holder's own certificates, and what may be done with it today.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnCertificate {
    #[serde(flatten)]
    certificate: CertificateShape,
    /// Whether it can be viewed only as an annotated copy.
    annotation_required: bool,
    /// How its annotations stand: that of the copy that may be used, else of the one being made, else of the last; null
    /// where there never was one.
    #[schema(required, value_type = Option<AnnotationState>)]
    annotation_state: Option<&'static str>,
    /// Its annotations, newest first.
    annotations: Vec<AnnotationShape>,
    /// How many more may be ordered today.
    places_left: u32,
    /// Where none is left: the day on which the next place falls free.
    #[schema(required)]
    next_free_on: Option<Day>,
    /// Longest validity of one annotation, in days.
    max_days: u32,
    /// What a form proposes.
    default_days: u32,
    /// Usage scenarios to choose from; the first is proposed.
    scenarios: Vec<ScenarioShape>,
}

/// A usage scenario.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Scenario)]
struct ScenarioShape {
    /// What an order says, as `self_use`.
    id: String,
    /// What people call it.
    name: String,
}

impl OwnCertificate {
    pub(crate) async fn of(api: &Api, own: &Own, language: Language) -> Result<Self, DeskError> {
        let today = api.desk.today();
        let mut annotations = Vec::with_capacity(own.annotations.len());
        for annotation in &own.annotations {
            annotations.push(show(api, annotation, language).await?);
        }
        let scenarios = own.policy.scenarios.iter().map(|scenario| ScenarioShape {
            id: scenario.key.to_string(),
            name: language.pick(&scenario.chinese, &scenario.english).to_owned(),
        });
        Ok(Self {
            certificate: CertificateShape::of(&own.certificate, today),
            annotation_required: !own.exempt,
            annotation_state: own.phase_on(today).map(|phase| phase.word()),
            annotations,
            places_left: own.places.left,
            next_free_on: own.places.next_free_on.map(Day),
            max_days: own.policy.max_days,
            default_days: own.policy.default_days,
            scenarios: scenarios.collect(),
        })
    }
}

/// The holder's own certificates, every version, in the order in which they entered.
#[derive(Debug, Serialize, ToSchema)]
struct OwnCertificates {
    /// The certificates.
    items: Vec<OwnCertificate>,
}

/// What a holder orders.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HolderOrder {
    /// Usage scenario, as `self_use`.
    scenario: String,
    /// Length of the validity in days, both ends counted.
    days: u32,
    /// 接收单位, at most 100 characters.
    #[serde(default)]
    recipient: Option<String>,
}

impl HolderOrder {
    fn parse(self) -> Result<OrderForm, Problem> {
        let mut fields = Fields::default();
        let scenario = fields.parse("scenario", &self.scenario);
        let recipient = fields.parse_some("recipient", self.recipient.as_deref());
        let form = scenario.map(|scenario| OrderForm {
            scenario,
            days: self.days,
            recipient,
            on_behalf_reason: None,
        });
        Ok(fields.finish(form)?)
    }
}

/// The holder's own certificates.
#[utoipa::path(
    get, path = "/api/v1/me/certificates", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    responses((status = 200, description = "The certificates", body = OwnCertificates)),
)]
async fn list_own_certificates(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<OwnCertificates>, Problem> {
    let mut items = Vec::new();
    for own in &api.desk.own_certificates(&holder).await? {
        items.push(OwnCertificate::of(&api, own, language).await?);
    }
    Ok(Json(OwnCertificates { items }))
}

/// One of the holder's own certificates.
#[utoipa::path(
    get, path = "/api/v1/me/certificates/{id}", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    params(("id" = String, Path)),
    responses((status = 200, description = "The certificate", body = OwnCertificate)),
)]
async fn read_own_certificate(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Named(id): Named<CertificateId>,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<OwnCertificate>, Problem> {
    let own = api.desk.own_certificate(&holder, id).await?;
    Ok(Json(OwnCertificate::of(&api, &own, language).await?))
}

/// The plain sealed copy of an own certificate that is exempt from annotation.
#[utoipa::path(
    get, path = "/api/v1/me/certificates/{id}/document", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The sealed file", content_type = "application/pdf", body = File),
        (status = 409, description = "`annotation-required` or `certificate-not-valid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`annotation-failed`: it cannot be printed", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn read_own_plain_copy(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Named(id): Named<CertificateId>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Problem> {
    let document = api.desk.own_plain_document(&holder, id).await?;
    Ok(file(document, "application/pdf", &format!("certificate-{id}.pdf")))
}

/// Orders an annotation (申请证书加注).
#[utoipa::path(
    post, path = "/api/v1/me/certificates/{id}/annotations", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters"),
    ),
    request_body = HolderOrder,
    responses(
        (status = 202, description = "Accepted; Location says where it can be followed", body = AnnotationShape),
        (status = 409, description = "`quota-exceeded` with `next_free_on`, or `certificate-not-valid`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn order_own_annotation(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Named(id): Named<CertificateId>,
    Speaks(language): Speaks,
    Sent { form, idempotency }: Sent<HolderOrder>,
) -> Result<impl IntoResponse, Problem> {
    let ordered = api.desk.order_own(&holder, id, form.parse()?, idempotency).await?;
    let location = header(format!("/api/v1/me/annotations/{}", ordered.annotation.id));
    let shape = AnnotationShape::of(&ordered.annotation, Some(ordered.place), api.desk.today(), language);
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(shape)))
}

/// One of the holder's own annotations.
#[utoipa::path(
    get, path = "/api/v1/me/annotations/{id}", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    params(("id" = String, Path)),
    responses((status = 200, description = "The annotation", body = AnnotationShape)),
)]
async fn read_own_annotation(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Named(id): Named<AnnotationId>,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<AnnotationShape>, Problem> {
    let annotation = api.desk.own_annotation(&holder, id).await?;
    Ok(Json(show(&api, &annotation, language).await?))
}

/// How an own annotation stands, as server-sent events: one at once, one at every change of its state or place, until
/// its copy is made or it has ended. Each carries the annotation as JSON. A stream lasts five minutes at most.
#[utoipa::path(
    get, path = "/api/v1/me/annotations/{id}/events", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    params(("id" = String, Path)),
    responses((status = 200, description = "The stream", content_type = "text/event-stream", body = String)),
)]
async fn watch_own_annotation(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Named(id): Named<AnnotationId>,
    Speaks(language): Speaks,
    stopping: Option<Extension<Stopping>>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<impl IntoResponse, Problem> {
    let watch = api.desk.watch_own(&holder, id).await?;
    let stopping = stopping.map(|Extension(stopping)| stopping);
    let watcher = Watcher {
        api,
        holder,
        id,
        language,
        watch,
        shown: None,
        ends: Instant::now() + STREAM_LASTS,
        stopping,
    };
    let events = Sse::new(watcher.events()).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    // Some proxies gather what they pass on unless they are told not to.
    Ok(([(HeaderName::from_static("x-accel-buffering"), "no")], events))
}

/// The sealed copy of an own annotation, while it may be used.
#[utoipa::path(
    get, path = "/api/v1/me/annotations/{id}/document", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The sealed file", content_type = "application/pdf", body = File),
        (status = 409, description = "`annotation-not-ready` or `certificate-not-valid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`annotation-expired`, `annotation-revoked` or `annotation-failed`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn read_own_copy(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Named(id): Named<AnnotationId>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Problem> {
    let document = api.desk.own_document(&holder, id).await?;
    Ok(file(document, "application/pdf", &format!("annotation-{id}.pdf")))
}

/// Ends an own annotation before its time, for good.
#[utoipa::path(
    post, path = "/api/v1/me/annotations/{id}/revocation", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    params(("id" = String, Path)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "The annotation", body = AnnotationShape),
        (status = 409, description = "`annotation-not-live`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn revoke_own_annotation(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Named(id): Named<AnnotationId>,
    Speaks(language): Speaks,
    MaybeSent(Nothing {}): MaybeSent<Nothing>,
) -> Result<Json<AnnotationShape>, Problem> {
    let annotation = api.desk.revoke_own(&holder, id).await?;
    Ok(Json(show(&api, &annotation, language).await?))
}

/// Follows one annotation for one stream.
struct Watcher {
    api: Shared,
    holder: Holder,
    id: AnnotationId,
    language: Language,
    watch: Watch,
    /// State and place as they were last sent.
    shown: Option<(&'static str, Option<u64>)>,
    ends: Instant,
    stopping: Option<Stopping>,
}

impl Watcher {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(Some(self), |watcher| async move {
            let (event, watcher) = watcher?.next().await?;
            Some((Ok(event), watcher))
        })
    }

    /// The next event, and the watcher where more may come; none where the stream ends.
    async fn next(mut self) -> Option<(Event, Option<Self>)> {
        loop {
            if self.shown.is_some() {
                self.wait().await?;
            }
            // A stream cannot say what went wrong; whoever asks again is told.
            let annotation = self.api.desk.look_at_own(&self.holder, self.id).await.ok()?;
            let place = self.place(&annotation).await?;
            let state = annotation.phase_on(self.api.desk.today()).word();
            if self.shown == Some((state, place)) {
                continue;
            }
            self.shown = Some((state, place));
            let shape = AnnotationShape::of(&annotation, place, self.api.desk.today(), self.language);
            let event = Event::default().json_data(shape).ok()?;
            return Some((event, waits(&annotation).then_some(self)));
        }
    }

    async fn place(&self, annotation: &Annotation) -> Option<Option<u64>> {
        match waits(annotation) {
            true => self.api.desk.place_in_queue(self.id).await.ok(),
            false => Some(None),
        }
    }

    /// Waits until there may be news; none where the stream has to end first.
    async fn wait(&mut self) -> Option<()> {
        let left = self.ends.checked_duration_since(Instant::now())?;
        let stopped = async {
            match &self.stopping {
                Some(Stopping(stop)) => stop.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.watch.changed() => Some(()),
            () = stopped => None,
            () = tokio::time::sleep(left) => None,
        }
    }
}
