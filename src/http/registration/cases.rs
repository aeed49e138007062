//! Cases: opened, read, filled in, their files and their commitment letters.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::registration::attachment::FILE_MOST;
use crate::desk::registration::filing::{CaseForm, OpenLetter};
use crate::domain::ids::CaseId;
use crate::domain::media::Media;
use crate::http::Shared;
use crate::http::body::{self, MaybeSent, Nothing, Sent};
use crate::http::language::Speaks;
use crate::http::params::{Asked, Named};
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::registration::Registrar;
use crate::http::registration::case_shape::CaseShape;
use crate::http::shapes::{Moment, header};
use crate::http::words::File;
use crate::registration::filing::Answer;
use crate::registration::word::AttachmentKind;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(open_case))
        .routes(routes!(read_case))
        .routes(routes!(fill_case))
        .routes(routes!(read_attachment, put_attachment, remove_attachment))
        .routes(routes!(open_commitment))
}

/// What somebody files.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCase {
    /// The regime, as `planner`.
    regime: String,
    /// The class of it; its first where it is not said.
    #[serde(default)]
    class: Option<String>,
    /// The business type, as `initial`.
    #[serde(rename = "type")]
    business: String,
    /// The specialty; the class's only one where it is not said.
    #[serde(default)]
    specialty: Option<String>,
    /// What is filled in already: names of fields with a text, a day, a credit code, or true or false.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    form: BTreeMap<String, Value>,
}

/// A commitment letter (承诺书) that is open.
#[derive(Debug, Serialize, ToSchema)]
struct CommitmentOpened {
    /// Which version of its text; `submit` names it.
    version: u16,
    /// How long it has to be open before it can be accepted.
    seconds: u64,
    /// Since when it is.
    opened_at: Moment,
    /// From when on it can be accepted.
    ready_at: Moment,
    /// Its clauses, filled with what is known of the person.
    clauses: Vec<String>,
}

impl From<OpenLetter> for CommitmentOpened {
    fn from(letter: OpenLetter) -> Self {
        let reading = chrono::TimeDelta::seconds(i64::try_from(letter.seconds).unwrap_or(0));
        Self {
            version: letter.version,
            seconds: letter.seconds,
            opened_at: Moment(letter.opened_at),
            ready_at: Moment(letter.opened_at + reading),
            clauses: letter.clauses,
        }
    }
}

/// The value of a field as it was sent.
fn answer(value: Value) -> Answer {
    match value {
        Value::Null => Answer::Nothing,
        Value::Bool(flag) => Answer::Flag(flag),
        Value::String(text) => Answer::Text(text),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => Answer::Other,
    }
}

fn answers(form: BTreeMap<String, Value>) -> BTreeMap<String, Answer> {
    form.into_iter().map(|(name, value)| (name, answer(value))).collect()
}

/// Opens a case: a draft.
#[utoipa::path(
    post, path = "/api/v1/registration/cases", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), request_body = NewCase,
    responses(
        (status = 201, description = "Opened", body = CaseShape),
        (status = 409, description = "`case-already-open` with `case_id`; `condition-not-met` with `condition`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn open_case(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Speaks(language): Speaks,
    Sent { form, .. }: Sent<NewCase>,
) -> Result<impl IntoResponse, Problem> {
    let NewCase { regime, class, business, specialty, form } = form;
    let form = CaseForm { regime, class, business, specialty, form: answers(form) };
    let view = api.desk.open_case(&who, form).await?;
    Ok((StatusCode::CREATED, Json(CaseShape::of(&api, &who, &view, language)?)))
}

/// A case, for its parties: the person, the unit, and the authorities of its region.
#[utoipa::path(
    get, path = "/api/v1/registration/cases/{id}", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(("id" = String, Path)),
    responses((status = 200, description = "The case", body = CaseShape)),
)]
async fn read_case(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Named(id): Named<CaseId>,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<CaseShape>, Problem> {
    let view = api.desk.case(&who, id).await?;
    Ok(Json(CaseShape::of(&api, &who, &view, language)?))
}

/// Fills in the form: what is sent takes the place of what was there. What is missing is judged at the submission.
#[utoipa::path(
    put, path = "/api/v1/registration/cases/{id}/form", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(("id" = String, Path)),
    request_body = Object,
    responses(
        (status = 200, description = "The case", body = CaseShape),
        (status = 409, description = "`act-not-allowed`; `not-asked-for` in a correction", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn fill_case(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Named(id): Named<CaseId>,
    Speaks(language): Speaks,
    Sent { form, .. }: Sent<BTreeMap<String, Value>>,
) -> Result<Json<CaseShape>, Problem> {
    let view = api.desk.fill_case(&who, id, &answers(form)).await?;
    Ok(Json(CaseShape::of(&api, &who, &view, language)?))
}

/// The case and the kind of attachment that a path names.
type Place = (String, String);

fn place((id, kind): Place) -> Result<(CaseId, AttachmentKind), Problem> {
    let id = id.parse().map_err(|_| Problem::NotFound)?;
    Ok((id, kind.parse().map_err(|_| Problem::NotFound)?))
}

/// A file of a case, for its parties.
#[utoipa::path(
    get, path = "/api/v1/registration/cases/{id}/attachments/{kind}", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(("id" = String, Path), ("kind" = String, Path)),
    responses((status = 200, description = "The file: image/jpeg, image/png or application/pdf", body = File, content_type = "application/octet-stream")),
)]
async fn read_attachment(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Path(path): Path<Place>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Problem> {
    let (id, kind) = place(path)?;
    let (media, bytes) = api.desk.attachment(&who, id, &kind).await?;
    Ok(strangers_file(kind.as_str(), media, bytes))
}

/// A file as it may leave: a stranger's, which nothing may run. A PDF never opens among our pages.
pub(crate) fn strangers_file(name: &str, media: Media, bytes: Vec<u8>) -> Response {
    let (how, ending) = match media {
        Media::Jpeg => ("inline", "jpg"),
        Media::Png => ("inline", "png"),
        Media::Pdf => ("attachment", "pdf"),
    };
    let headers = [
        (CONTENT_TYPE, header(media.media_type().to_owned())),
        (CONTENT_DISPOSITION, header(format!("{how}; filename=\"{name}.{ending}\""))),
        (CONTENT_SECURITY_POLICY, header("default-src 'none'; sandbox; frame-ancestors 'none'".to_owned())),
        (X_CONTENT_TYPE_OPTIONS, header("nosniff".to_owned())),
    ];
    (headers, bytes).into_response()
}

/// Puts a file to a case, in the place of the one of its kind: JPEG, PNG or PDF by its content, whatever it is called. Pictures
/// are encoded anew and fitted where they are too large.
#[utoipa::path(
    put, path = "/api/v1/registration/cases/{id}/attachments/{kind}", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(("id" = String, Path), ("kind" = String, Path)),
    request_body(content = File, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "The case", body = CaseShape),
        (status = 409, description = "`act-not-allowed`; `not-asked-for` in a correction", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn put_attachment(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Path(path): Path<Place>,
    Speaks(language): Speaks,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<CaseShape>, Problem> {
    let (id, kind) = place(path)?;
    let file = body::read(&headers, body, FILE_MOST, &api.gates.limits).await?;
    let view = api.desk.attach(&who, id, &kind, file.to_vec()).await?;
    Ok(Json(CaseShape::of(&api, &who, &view, language)?))
}

/// Takes a file away again.
#[utoipa::path(
    delete, path = "/api/v1/registration/cases/{id}/attachments/{kind}", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(("id" = String, Path), ("kind" = String, Path)),
    responses(
        (status = 200, description = "The case", body = CaseShape),
        (status = 409, description = "`act-not-allowed`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn remove_attachment(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Path(path): Path<Place>,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<CaseShape>, Problem> {
    let (id, kind) = place(path)?;
    let view = api.desk.detach(&who, id, &kind).await?;
    Ok(Json(CaseShape::of(&api, &who, &view, language)?))
}

/// Opens the commitment letter (承诺书) of a case: its time of reading counts from the first time.
#[utoipa::path(
    post, path = "/api/v1/registration/cases/{id}/commitment", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(("id" = String, Path)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "The letter", body = CommitmentOpened),
        (status = 409, description = "`act-not-allowed`, also where the type has no letter", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn open_commitment(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Named(id): Named<CaseId>,
    MaybeSent(Nothing {}): MaybeSent<Nothing>,
) -> Result<Json<CommitmentOpened>, Problem> {
    Ok(Json(api.desk.open_letter(&who, id).await?.into()))
}
