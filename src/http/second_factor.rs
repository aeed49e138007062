//! The second factor of one's own account: offered, set, removed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::account::second_factor::Offer;
use crate::http::Shared;
use crate::http::body::{Nothing, Sent};
use crate::http::params::Asked;
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::session::{Session, Whence};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(offer, set)).routes(routes!(remove))
}

/// A secret to be put into an authenticator app (RFC 6238: SHA-1, six digits, 30 seconds).
#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactorOffer)]
struct OfferShape {
    /// In base32, to be typed.
    secret: String,
    /// The same, to be scanned.
    otpauth: String,
}

impl From<Offer> for OfferShape {
    fn from(offer: Offer) -> Self {
        Self { secret: offer.secret, otpauth: offer.uri }
    }
}

/// What proves that it is the owner who asks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FactorForm {
    /// The password.
    password: String,
    /// The six digits that the authenticator app shows.
    code: String,
}

/// A secret for an authenticator app; the same throughout a session. It counts once it is set.
#[utoipa::path(
    get, path = "/api/v1/me/second-factor", tag = "account", security(("session" = []), ("session_cookie" = [])),
    responses((status = 200, description = "The secret", body = OfferShape)),
)]
async fn offer(
    State(api): State<Shared>,
    Session(who): Session,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<OfferShape>, Problem> {
    Ok(Json(api.desk.offer_second_factor(&who)?.into()))
}

/// Sets the second factor that was offered in this session, in place of an earlier one.
#[utoipa::path(
    post, path = "/api/v1/me/second-factor", tag = "account", security(("session" = []), ("session_cookie" = [])),
    request_body = FactorForm,
    responses(
        (status = 204, description = "Set"),
        (status = 401, description = "`wrong-credentials` or `second-factor-wrong`; or `unauthenticated`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set(
    State(api): State<Shared>,
    Session(who): Session,
    Whence(from): Whence,
    Sent { form, .. }: Sent<FactorForm>,
) -> Result<StatusCode, Problem> {
    api.desk.set_second_factor(&who, &form.password, &form.code, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the second factor. Staff do not go without.
#[utoipa::path(
    post, path = "/api/v1/me/second-factor/removal", tag = "account", security(("session" = []), ("session_cookie" = [])),
    request_body = FactorForm,
    responses(
        (status = 204, description = "Removed"),
        (status = 409, description = "`second-factor-compulsory`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`wrong-credentials` or `second-factor-wrong`; or `unauthenticated`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn remove(
    State(api): State<Shared>,
    Session(who): Session,
    Whence(from): Whence,
    Sent { form, .. }: Sent<FactorForm>,
) -> Result<StatusCode, Problem> {
    api.desk.remove_second_factor(&who, &form.password, &form.code, from).await?;
    Ok(StatusCode::NO_CONTENT)
}
