//! The audit trail, as an agency reads it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::record::Fields;
use crate::domain::event::Event;
use crate::domain::ledger::Entry;
use crate::domain::query::EntryQuery;
use crate::http::Shared;
use crate::http::auth::{Agency, AuditRead};
use crate::http::params::{Asked, Span, name};
use crate::http::problem::Problem;
use crate::http::shapes::Moment;
use crate::http::words::AuditDeed;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(read_audit_trail))
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TrailQuestion {
    /// About this certificate.
    certificate: Option<String>,
    /// About this annotation.
    annotation: Option<String>,
    /// About this issuer's business (credit code); a key of one issuer sees that issuer's only.
    issuer: Option<String>,
    /// What `next_cursor` of the page before said.
    cursor: Option<String>,
    /// 1 to 500 entries; 50 where it is not said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// Entries of the ledger, oldest first.
#[derive(Debug, Serialize, ToSchema)]
struct Trail {
    /// The entries.
    items: Vec<EntryShape>,
    /// Where the next page begins; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// An entry of the ledger: what happened at once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
struct EntryShape {
    /// Its number, without gaps.
    seq: u64,
    /// SHA-256 of its bytes as they lie in the ledger.
    sha256: String,
    /// The chain value after it: SHA-256(chain value before it ‖ sha256).
    chain: String,
    /// What happened.
    events: Vec<EventShape>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
struct EventShape {
    /// What.
    #[schema(value_type = AuditDeed)]
    deed: &'static str,
    /// Who: `key:<id>`, `account:<id>`, `service` or `operator`.
    actor: String,
    /// When.
    at: Moment,
    /// Whose business (credit code).
    #[schema(required)]
    issuer: Option<String>,
    /// About which certificate.
    #[schema(required)]
    certificate_id: Option<String>,
    /// About which annotation.
    #[schema(required)]
    annotation_id: Option<String>,
    /// About which API key.
    #[schema(required)]
    key_id: Option<String>,
    /// About which ticket.
    #[schema(required)]
    ticket_id: Option<String>,
    /// Why, or what exactly.
    #[schema(required)]
    reason: Option<String>,
}

impl From<Entry> for EntryShape {
    fn from(entry: Entry) -> Self {
        Self {
            seq: entry.seq,
            sha256: entry.digest.to_string(),
            chain: entry.chain.to_string(),
            events: entry.events.iter().map(EventShape::of).collect(),
        }
    }
}

impl EventShape {
    fn of(event: &Event) -> Self {
        Self {
            deed: event.deed.word(),
            actor: event.actor.to_string(),
            at: Moment(event.at),
            issuer: event.issuer.map(|issuer| issuer.to_string()),
            certificate_id: event.certificate.map(|id| id.to_string()),
            annotation_id: event.annotation.map(|id| id.to_string()),
            key_id: event.key.map(|id| id.to_string()),
            ticket_id: event.ticket.map(|id| id.to_string()),
            reason: event.reason.as_ref().map(ToString::to_string),
        }
    }
}

/// The audit trail: who did what, when and why.
#[utoipa::path(
    get, path = "/api/v1/admin/audit", tag = "agency", security(("agency_key" = [])),
    params(TrailQuestion),
    responses((status = 200, description = "A page of entries", body = Trail)),
)]
async fn read_audit_trail(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<AuditRead>,
    Asked(question): Asked<TrailQuestion>,
) -> Result<Json<Trail>, Problem> {
    let mut fields = Fields::default();
    let span = Span::parse(&mut fields, question.cursor.as_deref(), question.limit.as_deref());
    let query = EntryQuery {
        issuer: fields.parse_some("issuer", question.issuer.as_deref()),
        certificate: name(&mut fields, "certificate", question.certificate.as_deref()),
        annotation: name(&mut fields, "annotation", question.annotation.as_deref()),
        account: None,
        after: span.after,
        limit: span.limit,
    };
    let query = fields.finish(Some(query))?;
    let page = api.desk.trail(&caller, query).await?;
    let next_cursor = page.items.last().filter(|_| page.more).map(|entry| entry.seq.to_string());
    Ok(Json(Trail { items: page.items.into_iter().map(Into::into).collect(), next_cursor }))
}
