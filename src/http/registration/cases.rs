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

use crate::desk::registration::Registering;
use crate::desk::registration::attachment::FILE_MOST;
use crate::desk::registration::filing::{CaseForm, CaseView, OpenLetter};
use crate::domain::ids::CaseId;
use crate::domain::language::Language;
use crate::domain::media::Media;
use crate::http::body::{self, MaybeSent, Nothing, Sent};
use crate::http::language::Speaks;
use crate::http::params::{Asked, Named};
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::registration::Registrar;
use crate::http::registration::regimes::say;
use crate::http::shapes::{Day, Moment, header};
use crate::http::words::{ActWord, CaseStateWord, File, MediaWord, SeatWord};
use crate::http::{Api, Shared};
use crate::registration::case::{Case, Correction, FieldValue, Seat};
use crate::registration::filing::{Answer, business};
use crate::registration::party::Party;
use crate::registration::regime::Business;
use crate::registration::timeline::Stay;
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

/// A case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Case)]
pub(crate) struct CaseShape {
    #[serde(flatten)]
    mention: CaseMentionShape,
    /// What was typed.
    #[schema(value_type = Object)]
    form: BTreeMap<String, Value>,
    /// The files, by their kind.
    attachments: Vec<AttachmentMention>,
    /// The commitment letter, once it was opened.
    #[schema(required)]
    commitment: Option<LetterMention>,
    /// Where it was, oldest first. The last stay lasts, unless the case has ended.
    timeline: Vec<StayShape>,
    /// What an authority asked to be corrected, all at once (一次告知).
    corrections: Vec<CorrectionShape>,
}

/// A case at a glance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseMention)]
pub(crate) struct CaseMentionShape {
    /// Its name.
    id: String,
    /// The regime.
    regime: String,
    /// The class of it.
    class: String,
    /// The business type.
    #[serde(rename = "type")]
    business: String,
    /// What it is called.
    type_name: String,
    /// The specialty.
    specialty: String,
    /// Where it stands.
    #[schema(value_type = CaseStateWord)]
    state: &'static str,
    /// The stage it is at, once submitted.
    #[schema(required)]
    stage: Option<StageMention>,
    /// Who holds it now.
    #[schema(required, value_type = Option<SeatWord>)]
    held_by: Option<&'static str>,
    /// The last day for the act, where the regime sets one.
    #[schema(required)]
    due_on: Option<Day>,
    /// Whose it is.
    person: PersonMention,
    /// The employer that confirms it, by its credit code.
    #[schema(required)]
    unit: Option<String>,
    /// When it was opened.
    opened_at: Moment,
    /// What whoever looks may do.
    #[schema(value_type = Vec<ActWord>)]
    allowed_acts: Vec<&'static str>,
    /// The version of the certificate that came of it.
    #[schema(required)]
    certificate_id: Option<String>,
}

/// A stage at a glance.
#[derive(Debug, Serialize, ToSchema)]
struct StageMention {
    /// Its name.
    id: String,
    /// What it is called.
    name: String,
    /// Who acts there.
    #[schema(value_type = SeatWord)]
    actor: &'static str,
}

/// Whose a case is. Authorities see the number whole, units by its ends.
#[derive(Debug, Serialize, ToSchema)]
struct PersonMention {
    /// The name.
    name: String,
    /// Kind of identity document (GA/T 517).
    id_type: String,
    /// Identity number.
    id_number: String,
}

/// A file of a case.
#[derive(Debug, Serialize, ToSchema)]
struct AttachmentMention {
    /// Its kind.
    kind: String,
    /// What it is called.
    label: String,
    /// What it is, told by its content.
    #[serde(rename = "type")]
    #[schema(value_type = MediaWord)]
    media: &'static str,
    /// How many bytes were sent.
    bytes: u64,
    /// When.
    added_at: Moment,
}

/// A commitment letter that was opened.
#[derive(Debug, Serialize, ToSchema)]
struct LetterMention {
    /// Which version of its text.
    version: u16,
    /// Since when its time of reading counts.
    opened_at: Moment,
}

/// One stay of a case at a stage.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseStay)]
struct StayShape {
    /// The stage.
    stage: String,
    /// What it is called.
    name: String,
    /// Since when.
    entered_at: Moment,
    /// Who held the case.
    #[schema(value_type = SeatWord)]
    actor: &'static str,
    /// What ended the stay.
    #[schema(required, value_type = Option<ActWord>)]
    act: Option<&'static str>,
    /// In whose place: not always who held the case, as when the person withdraws it.
    #[schema(required, value_type = Option<SeatWord>)]
    acted_by: Option<&'static str>,
    /// When.
    #[schema(required)]
    acted_at: Option<Moment>,
    /// Why.
    #[schema(required)]
    opinion: Option<String>,
}

/// What an authority asked to be corrected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseCorrection)]
struct CorrectionShape {
    /// When.
    asked_at: Moment,
    /// Everything at once.
    items: Vec<CorrectionItemShape>,
    /// When the person did; null while it is open.
    #[schema(required)]
    corrected_at: Option<Moment>,
}

/// One thing to correct.
#[derive(Debug, Serialize, ToSchema)]
struct CorrectionItemShape {
    /// The field or the kind of attachment that it is about.
    #[schema(required)]
    what: Option<String>,
    /// What is to be corrected.
    content: String,
    /// Why.
    reason: String,
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

fn shown(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => text.to_string().into(),
        FieldValue::Day(day) => day.to_string().into(),
        FieldValue::Unit(uscc) => uscc.to_string().into(),
        FieldValue::Flag(flag) => (*flag).into(),
    }
}

impl CaseMentionShape {
    pub(crate) fn of(
        api: &Api,
        who: &Registering,
        view: &CaseView,
        language: Language,
    ) -> Result<Self, Problem> {
        let case = &view.case;
        let business = business_of(api, case)?;
        let stage = case.state.place().and_then(|place| business.chain.stage(&place.stage));
        let person = &case.person;
        let whole = !matches!(who.party(), Party::Unit(_));
        Ok(Self {
            id: case.id.to_string(),
            regime: case.subject.regime.to_string(),
            class: case.subject.class.to_string(),
            business: case.subject.business.to_string(),
            type_name: say(&business.name, language),
            specialty: case.subject.specialty.to_string(),
            state: case.state.word(),
            stage: stage.map(|stage| StageMention {
                id: stage.id.to_string(),
                name: say(&stage.name, language),
                actor: stage.seat.word(),
            }),
            held_by: case.state.seat().map(Seat::word),
            due_on: case.state.place().and_then(|place| place.due_on).map(Day),
            person: PersonMention {
                name: case.name.to_string(),
                id_type: person.id_type().to_owned(),
                id_number: if whole { person.number().to_owned() } else { person.masked() },
            },
            unit: case.unit.map(|uscc| uscc.to_string()),
            opened_at: Moment(case.opened_at),
            allowed_acts: view.allowed.iter().map(|act| act.word()).collect(),
            certificate_id: case.state.certificate().map(|id| id.to_string()),
        })
    }
}

impl CaseShape {
    pub(crate) fn of(
        api: &Api,
        who: &Registering,
        view: &CaseView,
        language: Language,
    ) -> Result<Self, Problem> {
        let case = &view.case;
        let business = business_of(api, case)?;
        let label = |kind: &AttachmentKind| business.attachment(kind).map(|rule| say(&rule.label, language));
        Ok(Self {
            mention: CaseMentionShape::of(api, who, view, language)?,
            form: case.form.iter().map(|(name, value)| (name.to_string(), shown(value))).collect(),
            attachments: case
                .attachments
                .iter()
                .map(|(kind, attachment)| AttachmentMention {
                    kind: kind.to_string(),
                    label: label(kind).unwrap_or_else(|| kind.to_string()),
                    media: attachment.media.media_type(),
                    bytes: attachment.bytes,
                    added_at: Moment(attachment.added_at),
                })
                .collect(),
            commitment: case
                .letter
                .as_ref()
                .map(|letter| LetterMention { version: letter.version, opened_at: Moment(letter.opened_at) }),
            timeline: view.timeline.iter().map(|stay| StayShape::of(stay, business, language)).collect(),
            corrections: case.corrections.iter().map(CorrectionShape::of).collect(),
        })
    }
}

impl StayShape {
    fn of(stay: &Stay, business: &Business, language: Language) -> Self {
        let left = stay.left.as_ref();
        let name = business.chain.stage(&stay.stage).map(|stage| say(&stage.name, language));
        Self {
            stage: stay.stage.to_string(),
            name: name.unwrap_or_default(),
            entered_at: Moment(stay.entered_at),
            actor: stay.seat.word(),
            act: left.map(|left| left.act.word()),
            acted_by: left.map(|left| left.seat.word()),
            acted_at: left.map(|left| Moment(left.at)),
            opinion: left.and_then(|left| left.opinion.as_ref()).map(ToString::to_string),
        }
    }
}

impl CorrectionShape {
    fn of(correction: &Correction) -> Self {
        let items = correction.items.iter().map(|item| CorrectionItemShape {
            what: item.what.as_ref().map(ToString::to_string),
            content: item.content.to_string(),
            reason: item.reason.to_string(),
        });
        Self {
            asked_at: Moment(correction.asked_at),
            items: items.collect(),
            corrected_at: correction.corrected_at.map(Moment),
        }
    }
}

fn business_of<'a>(api: &'a Api, case: &Case) -> Result<&'a Business, Problem> {
    let regime = api.desk.regimes().regime(&case.subject.regime).ok_or(Problem::NotFound)?;
    Ok(business(case, regime)?)
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
