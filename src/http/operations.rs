//! Is it alive, can it work, what does it count.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::trail::Condition;
use crate::http::Shared;
use crate::http::problem::Problem;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz))
}

pub(crate) fn metrics_router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(read_metrics))
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Condition)]
struct ConditionShape {
    /// `ok`, `read_only` (it verifies, but takes nothing new) or `broken` (it must be restarted).
    status: &'static str,
    /// Why it is not `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<&'static str>,
}

impl ConditionShape {
    fn of(condition: &Condition) -> (StatusCode, Json<Self>) {
        let (code, status, reason) = match condition {
            Condition::Ready => (StatusCode::OK, "ok", None),
            // Whoever scans a code must still be answered.
            Condition::ReadOnly(why) => (StatusCode::OK, "read_only", Some(*why)),
            Condition::Broken(why) => (StatusCode::SERVICE_UNAVAILABLE, "broken", Some(*why)),
        };
        (code, Json(Self { status, reason }))
    }
}

/// Whether the process is alive. 503 means: restart it.
#[utoipa::path(
    get, path = "/healthz", tag = "operations",
    responses(
        (status = 200, description = "Alive", body = ConditionShape),
        (status = 503, description = "To be restarted", body = ConditionShape),
    ),
)]
async fn healthz(State(api): State<Shared>) -> impl IntoResponse {
    match api.desk.condition().await {
        broken @ Condition::Broken(_) => ConditionShape::of(&broken),
        _ => ConditionShape::of(&Condition::Ready),
    }
}

/// Whether the service can do its work. A service that can only read is ready, because verifying goes on.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, description = "Ready", body = ConditionShape),
        (status = 503, description = "Not ready", body = ConditionShape),
    ),
)]
async fn readyz(State(api): State<Shared>) -> impl IntoResponse {
    ConditionShape::of(&api.desk.condition().await)
}

/// What the service counts, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "OpenMetrics 1.0 text", content_type = "application/openmetrics-text", body = String)),
)]
async fn read_metrics(State(api): State<Shared>) -> Result<impl IntoResponse, Problem> {
    let queue = api.desk.whole_queue().await?;
    api.metrics.set_queue(&queue, api.desk.now());
    api.metrics.set_read_only(matches!(api.desk.condition().await, Condition::ReadOnly(_)));
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], api.metrics.encode()))
}
