//! Staff of authorities: invited, listed, given another post, ended; and the invitations as their receivers see them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::account::invitation::{InvitationToken, Invited, InviteeForm, Welcome};
use crate::desk::account::staff::{PostChange, StaffState};
use crate::domain::account::{Account, Owner};
use crate::domain::ids::AccountId;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::http::auth::{Agency, StaffWrite};
use crate::http::body::{MaybeSent, Nothing, Sent};
use crate::http::params::{Asked, Named};
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::shapes::Moment;
use crate::http::words::{self, AuthorityLevel, StaffRole};
use crate::http::{Api, Shared};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(invite, list_staff))
        .routes(routes!(invite_again))
        .routes(routes!(change_post))
        .routes(routes!(end_staff))
        .routes(routes!(read_invitation, accept_invitation))
}

/// Who is invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StaffForm {
    /// The name to log in with, of 1 to 30 visible ASCII characters.
    login: String,
    /// What they are called.
    name: String,
    /// Mobile number, for codes where the password is forgotten.
    mobile: String,
    /// What they are there for.
    #[schema(value_type = StaffRole)]
    role: String,
    /// The level of the authority.
    #[schema(value_type = AuthorityLevel)]
    level: String,
    /// Two digits; every region where none.
    #[serde(default)]
    region: Option<String>,
    /// Credit code of the one issuer whose certificates they deal with; `*` for all.
    issuer: String,
}

/// Another post. What is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PostForm {
    /// What for.
    #[schema(value_type = Option<StaffRole>)]
    #[serde(default)]
    role: Option<String>,
    /// Two digits; `*` for every region.
    #[serde(default)]
    region: Option<String>,
    /// Credit code of the one issuer; `*` for all.
    #[serde(default)]
    issuer: Option<String>,
}

/// A staff member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Staff)]
struct StaffShape {
    /// The account's name.
    id: String,
    /// The name to log in with.
    login: String,
    /// What they are called.
    name: String,
    /// What for.
    #[schema(value_type = StaffRole)]
    role: &'static str,
    /// The level of the authority.
    #[schema(value_type = AuthorityLevel)]
    level: &'static str,
    /// Two digits; every region where none.
    #[schema(required)]
    region: Option<String>,
    /// Credit code of the one issuer; `*` for all.
    issuer: String,
    /// Whether the account can be used.
    #[schema(value_type = words::StaffState)]
    state: &'static str,
    /// When they were first invited.
    created_at: Moment,
}

impl StaffShape {
    fn of(account: &Account) -> Result<Self, Problem> {
        let Owner::Staff(post) = &account.owner else { return Err(Problem::NotFound) };
        Ok(Self {
            id: account.id.to_string(),
            login: post.login.as_str().to_owned(),
            name: account.name.to_string(),
            role: post.role.word(),
            level: post.level.word(),
            region: post.region.map(|region| region.to_string()),
            issuer: post.issuer.map_or_else(|| "*".to_owned(), |issuer| issuer.to_string()),
            state: StaffState::of(account).word(),
            created_at: Moment(account.created_at),
        })
    }
}

/// The staff, oldest first.
#[derive(Debug, Serialize, ToSchema)]
struct StaffList {
    /// Staff members.
    items: Vec<StaffShape>,
}

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
struct InvitationShape {
    /// The link, shown this once; it works once.
    link: String,
    /// Until when.
    expires_at: Moment,
    /// Whom it is for.
    staff: StaffShape,
}

impl InvitationShape {
    fn of(public_url: &str, invited: &Invited) -> Result<Self, Problem> {
        Ok(Self {
            link: invited.link(public_url),
            expires_at: Moment(invited.expires_at),
            staff: StaffShape::of(&invited.account)?,
        })
    }
}

/// An invitation as its receiver sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Welcome)]
struct WelcomeShape {
    /// What they are called.
    name: String,
    /// The name to log in with.
    login: String,
    /// The secret for an authenticator app, in base32.
    secret: String,
    /// The same to be scanned.
    otpauth: String,
    /// Until when it can be accepted.
    expires_at: Moment,
}

impl From<Welcome> for WelcomeShape {
    fn from(welcome: Welcome) -> Self {
        Self {
            name: welcome.account.name.to_string(),
            login: welcome.account.owner.login().as_str().to_owned(),
            secret: welcome.offer.secret,
            otpauth: welcome.offer.uri,
            expires_at: Moment(welcome.expires_at),
        }
    }
}

/// What accepts an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptanceForm {
    /// 10 to 128 characters, none of the common ones, without the login name or the mobile.
    password: String,
    /// The six digits that the authenticator app shows.
    code: String,
}

/// Invites somebody to a post. Nobody gives what they do not have. The link is shown once and cannot be shown again, so
/// the call takes no Idempotency-Key.
#[utoipa::path(
    post, path = "/api/v1/admin/staff", tag = "agency", security(("agency_key" = [])),
    request_body = StaffForm,
    responses(
        (status = 201, description = "The invitation", body = InvitationShape),
        (status = 409, description = "`login-taken`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn invite(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<StaffWrite>,
    Sent { form, idempotency }: Sent<StaffForm>,
) -> Result<impl IntoResponse, Problem> {
    if idempotency.is_some() {
        return Err(Refusal::field("Idempotency-Key", FieldFault::UnknownField).into());
    }
    let StaffForm { login, name, mobile, role, level, region, issuer } = form;
    let issuer = Some(issuer).filter(|issuer| issuer != "*");
    let invitee = InviteeForm { login, name, mobile, role, level, region, issuer }.parse()?;
    let invited = api.desk.invite(&caller, &invitee).await?;
    Ok((StatusCode::CREATED, Json(shown(&api, &invited)?)))
}

fn shown(api: &Api, invited: &Invited) -> Result<InvitationShape, Problem> {
    InvitationShape::of(&api.desk.rules().public_url, invited)
}

/// The staff that the caller may deal with, ended ones too.
#[utoipa::path(
    get, path = "/api/v1/admin/staff", tag = "agency", security(("agency_key" = [])),
    responses((status = 200, description = "The staff", body = StaffList)),
)]
async fn list_staff(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<StaffWrite>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<StaffList>, Problem> {
    let staff = api.desk.staff(&caller).await?;
    Ok(Json(StaffList { items: staff.iter().map(StaffShape::of).collect::<Result<_, _>>()? }))
}

/// Invites a staff member anew: password and second factor are void at once.
#[utoipa::path(
    post, path = "/api/v1/admin/staff/{id}/invitation", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "The invitation", body = InvitationShape),
        (status = 409, description = "`own-post`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn invite_again(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<StaffWrite>,
    Named(id): Named<AccountId>,
    MaybeSent(Nothing {}): MaybeSent<Nothing>,
) -> Result<Json<InvitationShape>, Problem> {
    Ok(Json(shown(&api, &api.desk.invite_again(&caller, id).await?)?))
}

/// Gives a staff member another post, from their next call on: another role, another region, another issuer. Nobody gives
/// what they do not have.
#[utoipa::path(
    post, path = "/api/v1/admin/staff/{id}/role", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    request_body = PostForm,
    responses(
        (status = 200, description = "The staff member", body = StaffShape),
        (status = 409, description = "`own-post`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn change_post(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<StaffWrite>,
    Named(id): Named<AccountId>,
    Sent { form: PostForm { role, region, issuer }, .. }: Sent<PostForm>,
) -> Result<Json<StaffShape>, Problem> {
    let change = PostChange::parse(role.as_deref(), region.as_deref(), issuer.as_deref())?;
    Ok(Json(StaffShape::of(&api.desk.change_post(&caller, id, change).await?)?))
}

/// Ends a staff member's account and all its sessions at once.
#[utoipa::path(
    post, path = "/api/v1/admin/staff/{id}/end", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "The staff member", body = StaffShape),
        (status = 409, description = "`own-post`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn end_staff(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<StaffWrite>,
    Named(id): Named<AccountId>,
    MaybeSent(Nothing {}): MaybeSent<Nothing>,
) -> Result<Json<StaffShape>, Problem> {
    Ok(Json(StaffShape::of(&api.desk.end_staff(&caller, id).await?)?))
}

/// An invitation that can still be accepted. Its token is all that proves who asks.
#[utoipa::path(
    get, path = "/api/v1/invitations/{token}", tag = "account",
    params(("token" = String, Path)),
    responses(
        (status = 200, description = "The invitation", body = WelcomeShape),
        (status = 404, description = "`not-found`: no invitation is called so", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`invitation-over`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn read_invitation(
    State(api): State<Shared>,
    Named(token): Named<InvitationToken>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<WelcomeShape>, Problem> {
    Ok(Json(api.desk.invitation(token).await?.into()))
}

/// Accepts an invitation: sets the password; a code proves that the authenticator app has the secret.
#[utoipa::path(
    post, path = "/api/v1/invitations/{token}", tag = "account",
    params(("token" = String, Path)),
    request_body = AcceptanceForm,
    responses(
        (status = 204, description = "Accepted"),
        (status = 401, description = "`second-factor-wrong`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: no invitation is called so", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`invitation-over`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn accept_invitation(
    State(api): State<Shared>,
    Named(token): Named<InvitationToken>,
    Sent { form, .. }: Sent<AcceptanceForm>,
) -> Result<StatusCode, Problem> {
    api.desk.accept_invitation(token, &form.password, &form.code).await?;
    Ok(StatusCode::NO_CONTENT)
}
