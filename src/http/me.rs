//! Somebody's own account: what it says, the service notice, password, mobile and e-mail, the operation log, the export.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::account::recollection::Done;
use crate::desk::account::session::LoggedIn;
use crate::desk::record::Fields;
use crate::domain::account::{Account, NOTICE_VERSION, Owner};
use crate::domain::contact::Email;
use crate::domain::staff::Post;
use crate::http::accounts::{CodeSent, SessionBegun};
use crate::http::body::{MaybeSent, Nothing, Sent};
use crate::http::holder::OwnCertificate;
use crate::http::language::Speaks;
use crate::http::params::{Asked, Span};
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::session::{Holding, Session, Whence};
use crate::http::shapes::Moment;
use crate::http::units::former_names;
use crate::http::words::{AccountKind, AuditDeed, AuthorityLevel};
use crate::http::{Api, Shared};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(read_account))
        .routes(routes!(accept_notice))
        .routes(routes!(change_password))
        .routes(routes!(change_mobile))
        .routes(routes!(send_email_code))
        .routes(routes!(change_email, remove_email))
        .routes(routes!(read_log))
        .routes(routes!(export))
}

/// An account, as its owner sees it at a glance: numbers are masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
struct AccountShape {
    /// Its name.
    account_id: String,
    /// Whose it is.
    #[schema(value_type = AccountKind)]
    kind: &'static str,
    /// What its owner is called.
    name: String,
    /// What its owner types to log in; an identity number by its ends.
    account: String,
    /// Where codes go, by its ends.
    mobile: String,
    /// Where reminders go, by its first letter and its domain; by message where there is none.
    #[schema(required)]
    email: Option<String>,
    /// Staff: the level of the authority.
    #[schema(required, value_type = Option<AuthorityLevel>)]
    level: Option<&'static str>,
    /// Staff: the two digits of the region; every region where none.
    #[schema(required)]
    region: Option<String>,
    /// Units: what they were called before (曾用名).
    former_names: Vec<String>,
    /// Whether the service notice in force was accepted.
    notice_accepted: bool,
    /// The version of the notice in force.
    notice_version: u16,
    /// When the account was opened.
    created_at: Moment,
}

impl AccountShape {
    fn of(account: &Account) -> Self {
        let (kind, shown, level, region) = match &account.owner {
            Owner::Holder(person) => ("holder", person.masked(), None, None),
            Owner::Unit { uscc, .. } => ("unit", uscc.to_string(), None, None),
            Owner::Staff(Post { login, level, region, .. }) => (
                "staff",
                login.as_str().to_owned(),
                Some(level.word()),
                region.map(|region| region.to_string()),
            ),
        };
        Self {
            account_id: account.id.to_string(),
            kind,
            name: account.name.to_string(),
            account: shown,
            mobile: account.mobile.masked(),
            email: account.email.as_ref().map(Email::masked),
            level,
            region,
            former_names: former_names(account),
            notice_accepted: account.has_accepted(),
            notice_version: NOTICE_VERSION,
            created_at: Moment(account.created_at),
        }
    }
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordForm {
    /// The password so far.
    old_password: String,
    /// 10 to 128 characters.
    new_password: String,
}

/// A new mobile.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MobileForm {
    /// The new number.
    mobile: String,
    /// The code of purpose `change_mobile` that was sent to it.
    code: String,
    /// The password.
    password: String,
}

/// An address that is to be proved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EmailCodeForm {
    /// The address.
    email: String,
}

/// A proved address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EmailForm {
    /// The address.
    email: String,
    /// The code that was sent to it.
    code: String,
}

/// Where in the log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogQuestion {
    /// What `next_cursor` of the page before said.
    cursor: Option<String>,
    /// 1 to 500 entries; 50 where it is not said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// The operation log (操作轨迹), oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Log {
    /// What was done.
    items: Vec<DoneShape>,
    /// Where the next page begins; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl Log {
    /// The page that was asked for.
    pub(crate) async fn read(api: &Api, who: &LoggedIn, question: &LogQuestion) -> Result<Self, Problem> {
        let mut fields = Fields::default();
        let span = Span::parse(&mut fields, question.cursor.as_deref(), question.limit.as_deref());
        let span = fields.finish(Some(span))?;
        let page = api.desk.own_log(who, span.after, span.limit).await?;
        let next_cursor = page.items.last().filter(|_| page.more).map(|done| done.seq.to_string());
        Ok(Self { items: page.items.iter().map(DoneShape::of).collect(), next_cursor })
    }
}

/// One thing that the account's owner did, or that was done to the account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Done)]
struct DoneShape {
    /// Number of its entry in the ledger.
    seq: u64,
    /// When.
    at: Moment,
    /// What.
    #[schema(value_type = AuditDeed)]
    deed: &'static str,
    /// About which certificate.
    #[schema(required)]
    certificate_id: Option<String>,
    /// About which annotation.
    #[schema(required)]
    annotation_id: Option<String>,
    /// About which case.
    #[schema(required)]
    case_id: Option<String>,
    /// Why.
    #[schema(required)]
    reason: Option<String>,
}

impl DoneShape {
    fn of(done: &Done) -> Self {
        let Done { seq, event } = done;
        Self {
            seq: *seq,
            at: Moment(event.at),
            deed: event.deed.word(),
            certificate_id: event.certificate.map(|id| id.to_string()),
            annotation_id: event.annotation.map(|id| id.to_string()),
            case_id: event.case.map(|id| id.to_string()),
            reason: event.reason.as_ref().map(ToString::to_string),
        }
    }
}

/// Everything kept about a holder, whole.
#[derive(Serialize, ToSchema)]
struct Everything {
    /// When it was gathered.
    exported_at: Moment,
    /// The account.
    account: AccountShape,
    /// The kind of the identity document (GA/T 517).
    id_type: String,
    /// The identity number, whole.
    id_number: String,
    /// The mobile, whole.
    mobile: String,
    /// The e-mail address, whole.
    #[schema(required)]
    email: Option<String>,
    /// Certificates with their annotations.
    certificates: Vec<OwnCertificate>,
    /// The operation log.
    log: Vec<DoneShape>,
}

/// The account.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "account", security(("session" = []), ("session_cookie" = [])),
    responses((status = 200, description = "The account", body = AccountShape)),
)]
async fn read_account(
    Session(who): Session,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<AccountShape>, Problem> {
    Ok(Json(AccountShape::of(who.account())))
}

/// Accepts the service notice (服务须知).
#[utoipa::path(
    post, path = "/api/v1/me/notice", tag = "account", security(("session" = []), ("session_cookie" = [])),
    request_body = Option<Nothing>,
    responses((status = 200, description = "Accepted", body = AccountShape)),
)]
async fn accept_notice(
    State(api): State<Shared>,
    Session(who): Session,
    MaybeSent(Nothing {}): MaybeSent<Nothing>,
) -> Result<Json<AccountShape>, Problem> {
    Ok(Json(AccountShape::of(&api.desk.accept_notice(&who).await?)))
}

/// Sets a new password. Every session ends; the answer is a fresh one.
#[utoipa::path(
    post, path = "/api/v1/me/password", tag = "account", security(("session" = []), ("session_cookie" = [])),
    request_body = PasswordForm,
    responses(
        (status = 200, description = "Set", body = SessionBegun),
        (status = 401, description = "`wrong-credentials`: the old password is wrong; or `unauthenticated`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn change_password(
    State(api): State<Shared>,
    Session(who): Session,
    Whence(from): Whence,
    Sent { form, .. }: Sent<PasswordForm>,
) -> Result<Json<SessionBegun>, Problem> {
    Ok(Json(api.desk.change_password(&who, &form.old_password, &form.new_password, from).await?.into()))
}

/// Sets a new mobile, which a code proves.
#[utoipa::path(
    post, path = "/api/v1/me/mobile", tag = "account", security(("session" = []), ("session_cookie" = [])),
    request_body = MobileForm,
    responses(
        (status = 200, description = "Set", body = AccountShape),
        (status = 401, description = "`wrong-credentials`: the password is wrong; or `unauthenticated`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn change_mobile(
    State(api): State<Shared>,
    Session(who): Session,
    Whence(from): Whence,
    Sent { form, .. }: Sent<MobileForm>,
) -> Result<Json<AccountShape>, Problem> {
    let mut fields = Fields::default();
    let mobile = fields.parse("mobile", form.mobile.trim());
    let mobile = fields.finish(mobile)?;
    let account = api.desk.change_mobile(&who, &mobile, &form.code, &form.password, from).await?;
    Ok(Json(AccountShape::of(&account)))
}

/// Sends a code of six digits to an e-mail address, at most once a minute, to prove it.
#[utoipa::path(
    post, path = "/api/v1/me/email/codes", tag = "account", security(("session" = []), ("session_cookie" = [])),
    request_body = EmailCodeForm,
    responses((status = 202, description = "It is on its way", body = CodeSent)),
)]
async fn send_email_code(
    State(api): State<Shared>,
    Session(who): Session,
    Sent { form, .. }: Sent<EmailCodeForm>,
) -> Result<impl IntoResponse, Problem> {
    let sent = api.desk.send_email_code(&who, &parse_email(&form.email)?).await?;
    Ok((StatusCode::ACCEPTED, Json(CodeSent::from(sent))))
}

/// Sets the e-mail address, which a code proves. Reminders go there from now on.
#[utoipa::path(
    post, path = "/api/v1/me/email", tag = "account", security(("session" = []), ("session_cookie" = [])),
    request_body = EmailForm,
    responses((status = 200, description = "Set", body = AccountShape)),
)]
async fn change_email(
    State(api): State<Shared>,
    Session(who): Session,
    Sent { form, .. }: Sent<EmailForm>,
) -> Result<Json<AccountShape>, Problem> {
    let account = api.desk.change_email(&who, &parse_email(&form.email)?, &form.code).await?;
    Ok(Json(AccountShape::of(&account)))
}

/// Takes the e-mail address away; where there is none, nothing is done. Reminders go to the mobile.
#[utoipa::path(
    delete, path = "/api/v1/me/email", tag = "account", security(("session" = []), ("session_cookie" = [])),
    responses((status = 204, description = "There is none")),
)]
async fn remove_email(
    State(api): State<Shared>,
    Session(who): Session,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<StatusCode, Problem> {
    api.desk.remove_email(&who).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse_email(typed: &str) -> Result<Email, Problem> {
    let mut fields = Fields::default();
    let email = fields.parse("email", typed.trim());
    Ok(fields.finish(email)?)
}

/// The operation log (操作轨迹), page by page.
#[utoipa::path(
    get, path = "/api/v1/me/log", tag = "account", security(("session" = []), ("session_cookie" = [])),
    params(LogQuestion),
    responses((status = 200, description = "A page of the log", body = Log)),
)]
async fn read_log(
    State(api): State<Shared>,
    Session(who): Session,
    Asked(question): Asked<LogQuestion>,
) -> Result<Json<Log>, Problem> {
    Ok(Json(Log::read(&api, &who, &question).await?))
}

/// Everything kept about the holder, to take away.
#[utoipa::path(
    get, path = "/api/v1/me/export", tag = "holder", security(("session" = []), ("session_cookie" = [])),
    responses((status = 200, description = "Everything", body = Everything)),
)]
async fn export(
    State(api): State<Shared>,
    Holding(holder): Holding,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Everything>, Problem> {
    let export = api.desk.export(&holder).await?;
    let (id_type, id_number) = match &export.account.owner {
        Owner::Holder(person) => (person.id_type().to_owned(), person.number().to_owned()),
        Owner::Unit { .. } | Owner::Staff(_) => return Err(Problem::NotFound),
    };
    let mut certificates = Vec::with_capacity(export.certificates.len());
    for own in &export.certificates {
        certificates.push(OwnCertificate::of(&api, own, language).await?);
    }
    Ok(Json(Everything {
        exported_at: Moment(api.desk.now()),
        id_type,
        id_number,
        mobile: export.account.mobile.as_str().to_owned(),
        email: export.account.email.as_ref().map(|email| email.as_str().to_owned()),
        account: AccountShape::of(&export.account),
        certificates,
        log: export.log.iter().map(DoneShape::of).collect(),
    }))
}
