//! API keys: made, listed, ended.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::keys::NewKey;
use crate::desk::record::Fields;
use crate::domain::identity::CreditCode;
use crate::domain::ids::KeyId;
use crate::domain::key::{ApiKey, Scope};
use crate::domain::refusal::{FieldFault, Refusal};
use crate::http::Shared;
use crate::http::auth::{Agency, KeysWrite};
use crate::http::body::{MaybeSent, Nothing, Sent};
use crate::http::params::{Asked, Named};
use crate::http::problem::Problem;
use crate::http::shapes::Moment;
use crate::http::words::KeyScope;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(create_key, list_keys)).routes(routes!(revoke_key))
}

/// What a key may do, and for whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    /// Scopes, as `certificates:read`; `*` for all.
    #[schema(value_type = Vec<KeyScope>)]
    scopes: Vec<String>,
    /// Credit code of the issuer that it acts for; `*` for all.
    issuer: String,
    /// What people call it, in 1 to 60 characters.
    label: String,
}

/// An API key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
struct KeyShape {
    /// Its name.
    id: String,
    /// What it may do.
    #[schema(value_type = Vec<KeyScope>)]
    scopes: Vec<String>,
    /// For which issuer; `*` for all.
    issuer: String,
    /// What people call it.
    label: String,
    /// When it was made.
    created_at: Moment,
    /// When it was ended.
    #[schema(required)]
    revoked_at: Option<Moment>,
}

impl From<ApiKey> for KeyShape {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            scopes: key.scopes,
            issuer: key.issuer.map_or_else(|| "*".to_owned(), |issuer| issuer.to_string()),
            label: key.label,
            created_at: Moment(key.created_at),
            revoked_at: key.revoked_at.map(Moment),
        }
    }
}

/// A new key, with its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewKey)]
pub(crate) struct NewKeyShape {
    /// The secret, shown this once.
    key: String,
    #[serde(flatten)]
    about: KeyShape,
}

impl From<NewKey> for NewKeyShape {
    fn from(new: NewKey) -> Self {
        Self { key: new.secret.reveal().to_owned(), about: new.key.into() }
    }
}

/// The API keys that the caller may see, oldest first.
#[derive(Debug, Serialize, ToSchema)]
struct Keys {
    /// The keys.
    items: Vec<KeyShape>,
}

/// Scopes and issuer as they are sent: `*` stands for all.
pub(crate) fn parse(
    fields: &mut Fields,
    scopes: &[String],
    issuer: &str,
) -> Option<(Vec<Scope>, Option<CreditCode>)> {
    let parse = |(at, scope): (usize, &String)| fields.parse(&format!("scopes[{at}]"), scope);
    let scopes: Vec<Option<Scope>> = scopes.iter().enumerate().map(parse).collect();
    let issuer = match issuer {
        "*" => Some(None),
        issuer => fields.parse("issuer", issuer).map(Some),
    };
    scopes.into_iter().collect::<Option<_>>().zip(issuer)
}

/// Makes a key. Nobody gives what they do not have. The secret is shown once and cannot be shown again, so the call
/// takes no Idempotency-Key.
#[utoipa::path(
    post, path = "/api/v1/admin/keys", tag = "agency", security(("agency_key" = [])),
    request_body = KeyForm,
    responses((status = 201, description = "The key", body = NewKeyShape)),
)]
async fn create_key(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<KeysWrite>,
    Sent { form, idempotency }: Sent<KeyForm>,
) -> Result<impl IntoResponse, Problem> {
    if idempotency.is_some() {
        return Err(Refusal::field("Idempotency-Key", FieldFault::UnknownField).into());
    }
    let mut fields = Fields::default();
    let rights = parse(&mut fields, &form.scopes, &form.issuer);
    let label = fields.parse("label", &form.label);
    let ((scopes, issuer), label) = fields.finish(rights.zip(label))?;
    let new = api.desk.create_key(&caller, scopes, issuer, label).await?;
    Ok((StatusCode::CREATED, Json(NewKeyShape::from(new))))
}

/// The keys that the caller may see.
#[utoipa::path(
    get, path = "/api/v1/admin/keys", tag = "agency", security(("agency_key" = [])),
    responses((status = 200, description = "The keys", body = Keys)),
)]
async fn list_keys(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<KeysWrite>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Keys>, Problem> {
    let keys = api.desk.keys(&caller).await?;
    Ok(Json(Keys { items: keys.into_iter().map(Into::into).collect() }))
}

/// Ends a key at once.
#[utoipa::path(
    post, path = "/api/v1/admin/keys/{id}/revocation", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    request_body = Option<Nothing>,
    responses((status = 200, description = "The key", body = KeyShape)),
)]
async fn revoke_key(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<KeysWrite>,
    Named(id): Named<KeyId>,
    MaybeSent(Nothing {}): MaybeSent<Nothing>,
) -> Result<Json<KeyShape>, Problem> {
    Ok(Json(api.desk.revoke_key(&caller, id).await?.into()))
}
