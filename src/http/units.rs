//! Units (employers): how they open an account, and what they say of themselves.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::account::unit::UnitForm;
use crate::domain::account::{Account, Owner};
use crate::http::Shared;
use crate::http::accounts::AccountOpened;
use crate::http::body::Sent;
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::session::Session;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(sign_up_unit)).routes(routes!(set_former_names))
}

/// A unit that opens an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UnitForm)]
struct NewUnit {
    /// What it is called.
    name: String,
    /// Its unified social credit code, with which it logs in.
    uscc: String,
    /// 曾用名: what it was called before; at most 10.
    #[serde(default)]
    former_names: Vec<String>,
    /// Mobile number.
    mobile: String,
    /// 10 to 128 characters, none of the common ones, without the credit code or the mobile.
    password: String,
    /// The code of purpose `sign_up` that was sent to the mobile.
    code: String,
}

/// What a unit was called before.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FormerNames {
    /// All of its former names (曾用名); at most 10.
    former_names: Vec<String>,
}

/// Opens the account of a unit (employer).
#[utoipa::path(
    post, path = "/api/v1/units", tag = "account", request_body = NewUnit,
    responses(
        (status = 201, description = "Opened", body = AccountOpened),
        (status = 409, description = "`unit-taken`: this credit code has an account", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn sign_up_unit(
    State(api): State<Shared>,
    Sent { form, .. }: Sent<NewUnit>,
) -> Result<impl IntoResponse, Problem> {
    let NewUnit { name, uscc, former_names, mobile, password, code } = form;
    let form = UnitForm { name, uscc, former_names, mobile, password, code };
    let account_id = api.desk.sign_up_unit(form).await?.to_string();
    Ok((StatusCode::CREATED, Json(AccountOpened { account_id })))
}

/// Sets what a unit was called before (曾用名), all of it at once.
#[utoipa::path(
    post, path = "/api/v1/me/former-names", tag = "account", security(("session" = []), ("session_cookie" = [])),
    request_body = FormerNames,
    responses(
        (status = 200, description = "As they are kept: each once, without the name in use", body = FormerNames),
        (status = 404, description = "`not-found`: the account is no unit's", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_former_names(
    State(api): State<Shared>,
    Session(who): Session,
    Sent { form, .. }: Sent<FormerNames>,
) -> Result<Json<FormerNames>, Problem> {
    let account = api.desk.set_former_names(&who, &form.former_names).await?;
    Ok(Json(FormerNames { former_names: former_names(&account) }))
}

/// What an account's unit was called before; nothing for those of persons.
pub(crate) fn former_names(account: &Account) -> Vec<String> {
    match &account.owner {
        Owner::Unit { former_names, .. } => former_names.iter().map(ToString::to_string).collect(),
        Owner::Holder(_) | Owner::Staff(_) => Vec::new(),
    }
}
