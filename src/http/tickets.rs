//! Tickets: sent by people whom the register does not know, answered by staff.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::account::captcha::Solution;
use crate::desk::record::Fields;
use crate::desk::ticket::{TicketForm, TicketInquiry};
use crate::domain::identity::RESIDENT_CARD;
use crate::domain::ids::TicketId;
use crate::domain::query::TicketQuery;
use crate::domain::refusal::FieldFault;
use crate::domain::refusal::applying::ScanFault;
use crate::domain::ticket::{SCAN_MOST, ScanKind, Ticket, TicketAnswer};
use crate::http::Shared;
use crate::http::auth::{Agency, TicketsWrite};
use crate::http::body::{self, JSON, Nothing, Sent};
use crate::http::params::{Asked, Named, Span, refuse_query};
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::shapes::{Moment, header};
use crate::http::words::{File, TicketOutcome, TicketStanding};

/// Most bytes of a ticket: a scan in base64, and what is typed.
const TICKET: usize = SCAN_MOST.div_ceil(3) * 4 + body::FORM;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(open_ticket))
        .routes(routes!(ask_ticket))
        .routes(routes!(list_tickets))
        .routes(routes!(read_ticket))
        .routes(routes!(read_scan))
        .routes(routes!(answer_ticket))
}

/// What somebody sends whom the register does not know.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TicketForm)]
struct NewTicket {
    /// Name as on the certificate.
    name: String,
    /// Kind of identity document (GA/T 517); 111, the resident card, where it is not said.
    #[serde(default)]
    id_type: Option<String>,
    /// Identity number as when the certificate was obtained.
    id_number: String,
    /// 管理号
    management_no: String,
    /// Mobile number.
    mobile: String,
    /// The code of purpose `sign_up` that was sent to the mobile: a fresh one, or the one that signing up was tried with.
    code: String,
    /// What else there is to say, in at most 200 characters.
    #[serde(default)]
    words: Option<String>,
    /// A scan of the certificate in base64: JPEG, PNG or PDF by its content, at most 5 MiB.
    scan: String,
}

/// A ticket that was opened.
#[derive(Debug, Serialize, ToSchema)]
struct TicketOpened {
    /// Its name, to ask with.
    ticket_id: String,
}

/// Who asks how a ticket stands.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TicketAsked {
    /// The ticket's name.
    ticket_id: String,
    /// The identity number on it.
    id_number: String,
    /// Which captcha.
    captcha_id: String,
    /// Its answer.
    captcha: String,
}

/// How a ticket stands, for whoever sent it.
#[derive(Debug, Serialize, ToSchema)]
struct TicketShown {
    /// Whether it waits.
    #[schema(value_type = TicketStanding)]
    state: &'static str,
    /// When it was sent.
    opened_at: Moment,
    /// The answer.
    #[schema(required)]
    answer: Option<AnswerShown>,
}

/// What staff answered, as the applicant reads it.
#[derive(Debug, Serialize, ToSchema)]
struct AnswerShown {
    /// Whether they helped.
    #[schema(value_type = TicketOutcome)]
    outcome: &'static str,
    /// What was mended, or why nothing was.
    words: String,
    /// When.
    at: Moment,
}

impl From<&TicketAnswer> for AnswerShown {
    fn from(answer: &TicketAnswer) -> Self {
        Self { outcome: answer.outcome.word(), words: answer.words.to_string(), at: Moment(answer.at) }
    }
}

/// A ticket, as staff see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ticket)]
struct TicketShape {
    /// Its name.
    id: String,
    /// Whether it waits.
    #[schema(value_type = TicketStanding)]
    state: &'static str,
    /// When it was sent.
    opened_at: Moment,
    /// Name as the applicant says.
    name: String,
    /// Kind of identity document (GA/T 517).
    id_type: String,
    /// Identity number.
    id_number: String,
    /// 管理号
    management_no: String,
    /// The mobile that a code proved.
    mobile: String,
    /// What else they say.
    #[schema(required)]
    words: Option<String>,
    /// The type of the scan.
    scan_type: &'static str,
    /// The answer.
    #[schema(required)]
    answer: Option<AnswerShape>,
}

/// What staff answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TicketAnswer)]
struct AnswerShape {
    /// Who: `key:<id>`, `account:<id>` or `operator`.
    by: String,
    #[serde(flatten)]
    shown: AnswerShown,
}

impl TicketShape {
    fn of(ticket: &Ticket) -> Self {
        Self {
            id: ticket.id.to_string(),
            state: ticket.state.word(),
            opened_at: Moment(ticket.opened_at),
            name: ticket.name.to_string(),
            id_type: ticket.person.id_type().to_owned(),
            id_number: ticket.person.number().to_owned(),
            management_no: ticket.management_no.to_string(),
            mobile: ticket.mobile.as_str().to_owned(),
            words: ticket.words.as_ref().map(ToString::to_string),
            scan_type: ticket.scan.kind.media_type(),
            answer: ticket
                .state
                .answer()
                .map(|answer| AnswerShape { by: answer.by.to_string(), shown: answer.into() }),
        }
    }
}

/// Which tickets.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TicketQuestion {
    /// In this state.
    #[param(value_type = Option<TicketStanding>)]
    state: Option<String>,
    /// What `next_cursor` of the page before said.
    cursor: Option<String>,
    /// 1 to 500 tickets; 50 where it is not said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// Tickets, oldest first.
#[derive(Debug, Serialize, ToSchema)]
struct Tickets {
    /// The tickets.
    items: Vec<TicketShape>,
    /// Where the next page begins; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// An answer to a ticket.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TicketAnswerForm {
    /// Whether the record was entered or corrected.
    #[schema(value_type = TicketOutcome)]
    outcome: String,
    /// What was mended, or why nothing was, in 1 to 200 characters: the applicant reads it.
    words: String,
}

/// Sends a ticket: for whoever signs up and is told `identity-not-matched`.
///
/// The answer never says whether the register knows the person. `ticket-open` and a scan that cannot be read cost one of
/// the code's five tries.
#[utoipa::path(
    post, path = "/api/v1/tickets", tag = "account", request_body = NewTicket,
    responses(
        (status = 201, description = "Sent", body = TicketOpened),
        (status = 409, description = "`ticket-open`: one of this person or mobile waits already", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn open_ticket(State(api): State<Shared>, request: Request) -> Result<impl IntoResponse, Problem> {
    let (parts, body) = request.into_parts();
    refuse_query(&parts.uri)?;
    body::demand(&parts.headers, JSON)?;
    body::announced(&parts.headers, TICKET)?;
    // As for files to judge: only so many lie in memory, only so many are decoded at once.
    let _room = api.gates.upload().await?;
    let form: NewTicket = body::parse(&body::read(&parts.headers, body, TICKET, &api.gates.limits).await?)?;
    let _core = api.gates.judge().await?;
    let NewTicket { name, id_type, id_number, management_no, mobile, code, words, scan } = form;
    if scan.len() > SCAN_MOST.div_ceil(3) * 4 {
        return Err(Problem::field("scan", FieldFault::BadScan(ScanFault::TooLarge)));
    }
    let scan = STANDARD.decode(scan).map_err(|_| Problem::field("scan", FieldFault::NotBase64))?;
    let id_type = id_type.unwrap_or_else(|| RESIDENT_CARD.to_owned());
    let form = TicketForm { name, id_type, id_number, management_no, mobile, code, words, scan };
    let ticket_id = api.desk.open_ticket(form).await?.to_string();
    Ok((StatusCode::CREATED, Json(TicketOpened { ticket_id })))
}

/// How a ticket stands, for whoever sent it. Another number and another name are answered alike.
#[utoipa::path(
    post, path = "/api/v1/tickets/query", tag = "account", request_body = TicketAsked,
    responses(
        (status = 200, description = "How it stands", body = TicketShown),
        (status = 404, description = "`not-found`: no such ticket, or of another number", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn ask_ticket(
    State(api): State<Shared>,
    Sent { form, .. }: Sent<TicketAsked>,
) -> Result<Json<TicketShown>, Problem> {
    let TicketAsked { ticket_id, id_number, captcha_id, captcha } = form;
    let inquiry = TicketInquiry { ticket: ticket_id, id_number };
    let solution = Solution { id: captcha_id, answer: captcha };
    let ticket = api.desk.ask_ticket(&inquiry, &solution).await?.ok_or(Problem::NotFound)?;
    Ok(Json(TicketShown {
        state: ticket.state.word(),
        opened_at: Moment(ticket.opened_at),
        answer: ticket.state.answer().map(Into::into),
    }))
}

/// Tickets, page by page. They are no issuer's business yet: a key for one issuer sees none.
#[utoipa::path(
    get, path = "/api/v1/admin/tickets", tag = "agency", security(("agency_key" = [])),
    params(TicketQuestion),
    responses((status = 200, description = "A page of tickets", body = Tickets)),
)]
async fn list_tickets(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<TicketsWrite>,
    Asked(question): Asked<TicketQuestion>,
) -> Result<Json<Tickets>, Problem> {
    let mut fields = Fields::default();
    let standing = fields.parse_some("state", question.state.as_deref());
    let span = Span::parse(&mut fields, question.cursor.as_deref(), question.limit.as_deref());
    let Span { after, limit } = fields.finish(Some(span))?;
    let page = api.desk.tickets(&caller, &TicketQuery { standing, after, limit }).await?;
    let next_cursor = page.items.last().filter(|_| page.more).map(|ticket| ticket.id.to_string());
    Ok(Json(Tickets { items: page.items.iter().map(TicketShape::of).collect(), next_cursor }))
}

/// One ticket.
#[utoipa::path(
    get, path = "/api/v1/admin/tickets/{id}", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    responses((status = 200, description = "The ticket", body = TicketShape)),
)]
async fn read_ticket(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<TicketsWrite>,
    Named(id): Named<TicketId>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<TicketShape>, Problem> {
    Ok(Json(TicketShape::of(&api.desk.ticket(&caller, id).await?)))
}

/// The scan of a ticket; that it was seen is written down.
#[utoipa::path(
    get, path = "/api/v1/admin/tickets/{id}/scan", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    responses((status = 200, description = "A picture or a PDF, to keep", content(
        (File = "image/jpeg"), (File = "application/pdf"),
    ))),
)]
async fn read_scan(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<TicketsWrite>,
    Named(id): Named<TicketId>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Problem> {
    let (kind, bytes) = api.desk.scan_of(&caller, id).await?;
    Ok(scan(id, kind, bytes, false))
}

/// A scan as it may leave: a stranger's file, which nothing may run. A PDF never opens among our pages.
pub(crate) fn scan(id: TicketId, kind: ScanKind, bytes: Vec<u8>, inline: bool) -> Response {
    let how = if inline && kind == ScanKind::Jpeg { "inline" } else { "attachment" };
    let name = match kind {
        ScanKind::Jpeg => format!("{id}.jpg"),
        ScanKind::Pdf => format!("{id}.pdf"),
    };
    let headers = [
        (CONTENT_TYPE, header(kind.media_type().to_owned())),
        (CONTENT_DISPOSITION, header(format!("{how}; filename=\"{name}\""))),
        (CONTENT_SECURITY_POLICY, header("default-src 'none'; sandbox; frame-ancestors 'none'".to_owned())),
        (X_CONTENT_TYPE_OPTIONS, header("nosniff".to_owned())),
    ];
    (headers, bytes).into_response()
}

/// Answers a ticket, once and for all. Enter or correct the record first: then the applicant can sign up.
#[utoipa::path(
    post, path = "/api/v1/admin/tickets/{id}/answer", tag = "agency", security(("agency_key" = [])),
    params(("id" = String, Path)),
    request_body = TicketAnswerForm,
    responses(
        (status = 200, description = "The ticket", body = TicketShape),
        (status = 409, description = "`ticket-answered`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn answer_ticket(
    State(api): State<Shared>,
    Agency { caller, .. }: Agency<TicketsWrite>,
    Named(id): Named<TicketId>,
    Sent { form, .. }: Sent<TicketAnswerForm>,
) -> Result<Json<TicketShape>, Problem> {
    let mut fields = Fields::default();
    let outcome = fields.parse("outcome", &form.outcome);
    let words = fields.parse("words", &form.words);
    let (outcome, words) = fields.finish(outcome.zip(words))?;
    Ok(Json(TicketShape::of(&api.desk.answer_ticket(&caller, id, outcome, words).await?)))
}
