//! The doors: captchas, verification codes, opening an account, logging in and out, a forgotten password.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::account::captcha::{Captcha, Kind, Puzzle, Solution};
use crate::desk::account::code;
use crate::desk::account::session::{Begun, Credentials, Entered};
use crate::desk::account::settings::Recovery;
use crate::desk::account::sign_up::SignUpForm;
use crate::desk::record::Fields;
use crate::domain::account::{Mobile, Purpose};
use crate::domain::identity::RESIDENT_CARD;
use crate::domain::refusal::FieldFault;
use crate::http::Shared;
use crate::http::body::{MaybeSent, Nothing, Sent};
use crate::http::language::Speaks;
use crate::http::params::Asked;
use crate::http::postage::Postage;
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::session::{Session, Whence};
use crate::http::shapes::Moment;
use crate::http::words::CodePurpose;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(draw_captcha))
        .routes(routes!(send_code))
        .routes(routes!(sign_up))
        .routes(routes!(recover))
        .routes(routes!(log_in, log_out_everywhere))
        .routes(routes!(log_out))
        .routes(routes!(finish_log_in))
}

/// Which kind of captcha.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CaptchaForm {
    /// `picture`, or `question` for who cannot see one; `picture` where it is not said.
    #[serde(default)]
    kind: Option<String>,
}

/// A captcha to be answered within five minutes, once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Captcha)]
struct CaptchaShape {
    /// Its name, which the answer goes with.
    captcha_id: String,
    /// The picture, as a `data:` URI of a PNG.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    image: Option<String>,
    /// The question.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    question: Option<String>,
}

impl From<Captcha> for CaptchaShape {
    fn from(captcha: Captcha) -> Self {
        let (image, question) = match captcha.puzzle {
            Puzzle::Picture(png) => (Some(format!("data:image/png;base64,{}", STANDARD.encode(png))), None),
            Puzzle::Question(text) => (None, Some(text)),
        };
        Self { captcha_id: captcha.id, image, question }
    }
}

/// To whom a code is sent, and what for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CodeForm {
    /// What it is for.
    #[schema(value_type = CodePurpose)]
    purpose: String,
    /// A mobile number of eleven digits.
    mobile: String,
}

/// A code on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeSent {
    /// Until when it can be used.
    expires_at: Moment,
    /// When another may be asked for.
    next_at: Moment,
}

impl From<code::Sent> for CodeSent {
    fn from(sent: code::Sent) -> Self {
        Self { expires_at: Moment(sent.expires_at), next_at: Moment(sent.next_at) }
    }
}

/// Who opens an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountForm {
    /// Name as on the certificate.
    name: String,
    /// Kind of identity document (GA/T 517); 111, the resident card, where it is not said.
    #[serde(default)]
    id_type: Option<String>,
    /// Identity number as when the certificate was obtained.
    id_number: String,
    /// Mobile number.
    mobile: String,
    /// 10 to 128 characters, none of the common ones, without the identity number or the mobile.
    password: String,
    /// The code of purpose `sign_up` that was sent to the mobile.
    code: String,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountOpened {
    /// Its name.
    pub(crate) account_id: String,
}

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginForm {
    /// Identity number, credit code or staff name.
    account: String,
    /// Password.
    password: String,
    /// Which captcha.
    captcha_id: String,
    /// Its answer.
    captcha: String,
}

/// A session that has just begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionBegun {
    /// `vs_…`, shown this once.
    token: String,
    /// When it ends if it is not used.
    expires_at: Moment,
    /// Whether the service notice was accepted; before that every other call is refused with `notice-not-accepted`.
    notice_accepted: bool,
}

impl From<Begun> for SessionBegun {
    fn from(begun: Begun) -> Self {
        Self {
            token: begun.token.reveal().to_owned(),
            expires_at: Moment(begun.expires_at),
            notice_accepted: begun.notice_accepted,
        }
    }
}

/// The password was right, and the account has a second factor.
#[derive(Debug, Serialize, ToSchema)]
struct HalfWayIn {
    /// To be handed back with a code, to `POST /api/v1/sessions/second-factor`.
    pass: String,
    /// Until when.
    expires_at: Moment,
}

/// The second half of logging in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecondFactorForm {
    /// What the password was answered.
    pass: String,
    /// The six digits that the authenticator app shows.
    code: String,
}

/// Who forgot the password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RecoveryForm {
    /// Identity number, credit code or staff name.
    account: String,
    /// The account's mobile.
    mobile: String,
    /// The code of purpose `recovery` that was sent to it.
    code: String,
    /// The new password.
    password: String,
}

/// Draws a captcha.
#[utoipa::path(
    post, path = "/api/v1/captchas", tag = "account", request_body = Option<CaptchaForm>,
    responses((status = 200, description = "The captcha", body = CaptchaShape)),
)]
async fn draw_captcha(
    State(api): State<Shared>,
    Speaks(language): Speaks,
    MaybeSent(form): MaybeSent<CaptchaForm>,
) -> Result<Json<CaptchaShape>, Problem> {
    let kind = match form.kind.as_deref() {
        None | Some("picture") => Kind::Picture,
        Some("question") => Kind::Question,
        Some(_) => return Err(Problem::field("kind", FieldFault::NotOneOf("picture, question"))),
    };
    Ok(Json(api.desk.draw_captcha(kind, language).await?.into()))
}

/// Sends a verification code of six digits to a mobile, at most once a minute, and to few mobiles from one network. Whether
/// anybody has it is not told.
#[utoipa::path(
    post, path = "/api/v1/verification-codes", tag = "account", request_body = CodeForm,
    responses(
        (status = 202, description = "It is on its way", body = CodeSent),
        (status = 429, description = "`too-many-requests`, with Retry-After: within a minute to this mobile, or too many codes from this network", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn send_code(
    State(api): State<Shared>,
    postage: Postage,
    Sent { form, .. }: Sent<CodeForm>,
) -> Result<impl IntoResponse, Problem> {
    let mut fields = Fields::default();
    let purpose = fields.take("purpose", Purpose::for_mobile(&form.purpose));
    let mobile = fields.parse::<Mobile>("mobile", form.mobile.trim());
    let (purpose, mobile) = fields.finish(purpose.zip(mobile))?;
    postage.pay()?;
    let sent = api.desk.send_code(purpose, &mobile.into()).await?;
    Ok((StatusCode::ACCEPTED, Json(CodeSent::from(sent))))
}

/// Opens the account of somebody who has a certificate.
///
/// `identity-not-matched` says alike that nobody of the register has this number, or under another name, or that there
/// is an account already.
#[utoipa::path(
    post, path = "/api/v1/accounts", tag = "account", request_body = AccountForm,
    responses((status = 201, description = "Opened", body = AccountOpened)),
)]
async fn sign_up(
    State(api): State<Shared>,
    Sent { form, .. }: Sent<AccountForm>,
) -> Result<impl IntoResponse, Problem> {
    let AccountForm { name, id_type, id_number, mobile, password, code } = form;
    let id_type = id_type.unwrap_or_else(|| RESIDENT_CARD.to_owned());
    let form = SignUpForm { name, id_type, id_number, mobile, password, code };
    let account_id = api.desk.sign_up(form).await?.to_string();
    Ok((StatusCode::CREATED, Json(AccountOpened { account_id })))
}

/// Sets a new password in place of a forgotten one. Every session ends.
#[utoipa::path(
    post, path = "/api/v1/accounts/recovery", tag = "account", request_body = RecoveryForm,
    responses((status = 204, description = "Set")),
)]
async fn recover(
    State(api): State<Shared>,
    Sent { form, .. }: Sent<RecoveryForm>,
) -> Result<StatusCode, Problem> {
    let RecoveryForm { account, mobile, code, password } = form;
    let mut fields = Fields::default();
    let mobile = fields.parse("mobile", mobile.trim());
    let mobile = fields.finish(mobile)?;
    api.desk.recover(&Recovery { account, mobile, code, password }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Logs in. After five failures of one account, or thirty from one address, each further try has to wait longer:
/// `too-many-requests`.
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "account", request_body = LoginForm,
    responses(
        (status = 200, description = "A fresh session", body = SessionBegun),
        (status = 202, description = "The account has a second factor", body = HalfWayIn),
        (status = 401, description = "`wrong-credentials`, whether there is such an account or not", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn log_in(
    State(api): State<Shared>,
    Whence(from): Whence,
    Sent { form, .. }: Sent<LoginForm>,
) -> Result<Response, Problem> {
    let LoginForm { account, password, captcha_id, captcha } = form;
    let solution = Solution { id: captcha_id, answer: captcha };
    Ok(match api.desk.log_in(&Credentials { account, password }, &solution, from).await? {
        Entered::Session(begun) => Json(SessionBegun::from(begun)).into_response(),
        Entered::HalfWay(pass) => {
            let shape = HalfWayIn { pass: pass.text, expires_at: Moment(pass.expires_at) };
            (StatusCode::ACCEPTED, Json(shape)).into_response()
        }
    })
}

/// Gives the code of the second factor, after the password. A wrong one counts as a failure to log in.
#[utoipa::path(
    post, path = "/api/v1/sessions/second-factor", tag = "account", request_body = SecondFactorForm,
    responses(
        (status = 200, description = "A fresh session", body = SessionBegun),
        (status = 401, description = "`second-factor-wrong`, or the password was given too long ago", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn finish_log_in(
    State(api): State<Shared>,
    Whence(from): Whence,
    Sent { form, .. }: Sent<SecondFactorForm>,
) -> Result<Json<SessionBegun>, Problem> {
    Ok(Json(api.desk.finish_log_in(&form.pass, &form.code, from).await?.into()))
}

/// Logs out: the token is dead at once.
#[utoipa::path(
    delete, path = "/api/v1/sessions/current", tag = "account", security(("session" = []), ("session_cookie" = [])),
    responses((status = 204, description = "Logged out")),
)]
async fn log_out(
    State(api): State<Shared>,
    Session(who): Session,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<StatusCode, Problem> {
    api.desk.log_out(&who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Logs out everywhere: every token of the account is dead at once, this one too.
#[utoipa::path(
    delete, path = "/api/v1/sessions", tag = "account", security(("session" = []), ("session_cookie" = [])),
    responses((status = 204, description = "Logged out everywhere")),
)]
async fn log_out_everywhere(
    State(api): State<Shared>,
    Session(who): Session,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<StatusCode, Problem> {
    api.desk.log_out_everywhere(&who).await?;
    Ok(StatusCode::NO_CONTENT)
}
