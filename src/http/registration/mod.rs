//! Registration over HTTP: regimes, profiles, cases, acts, lists. Translation only, like every file of this room.

pub(crate) mod acts;
pub(crate) mod anomalies;
pub(crate) mod case_shape;
pub(crate) mod cases;
pub(crate) mod companies;
pub(crate) mod lists;
pub(crate) mod profile;
pub(crate) mod regimes;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa_axum::router::OpenApiRouter;

use crate::desk::account::session::LoggedIn;
use crate::desk::registration::Registering;
use crate::http::Shared;
use crate::http::problem::Problem;
use crate::http::session::Session;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(regimes::router())
        .merge(profile::router())
        .merge(companies::router())
        .merge(cases::router())
        .merge(acts::router())
        .merge(lists::router())
        .merge(anomalies::router())
}

/// Whoever files, confirms or reviews, with their session.
pub(crate) struct Registrar {
    /// What they are to registration.
    pub(crate) who: Registering,
    /// Their session.
    pub(crate) session: LoggedIn,
}

impl FromRequestParts<Shared> for Registrar {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let Session(session) = Session::from_request_parts(parts, api).await?;
        Ok(Self { who: api.desk.registering(&session)?, session })
    }
}
