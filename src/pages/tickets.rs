//! Tickets for the public: the form for whoever the register does not know, and the page where the answer is read.

use askama::Template;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Form, FromRequest as _, Multipart, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use crate::desk::account::captcha::{Kind, Solution};
use crate::desk::ticket::{TicketForm, TicketInquiry};
use crate::domain::account::Purpose;
use crate::domain::ids::TicketId;
use crate::domain::refusal::FieldFault;
use crate::domain::refusal::applying::ScanFault;
use crate::domain::ticket::{Outcome, SCAN_MOST, Ticket};
use crate::http::postage::Postage;
use crate::pages::assets::Assets;
use crate::pages::failure::{Failure, failure};
use crate::pages::faults::Faults;
use crate::pages::form::{Captcha, FORM_BYTES, Sent, read, wanted};
use crate::pages::holder::entry::{KINDS, send_code, sent_note};
use crate::pages::speech::{Dated, Speech};
use crate::pages::upload::{MAX_DRAINED_BYTES, UploadFault, fault};
use crate::pages::{Counter, page, see_other, undone};

/// Most bytes of a typed field.
const FIELD_BYTES: usize = 2_000;

pub(super) fn router() -> Router<Counter> {
    let opening = get(blank).post(send).layer(DefaultBodyLimit::max(MAX_DRAINED_BYTES));
    Router::new()
        .route("/tickets", get(ask).post(judge).layer(DefaultBodyLimit::max(FORM_BYTES)))
        .route("/tickets/new", opening)
}

// ---- sending one ----------------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "tickets/new.html", config = "src/pages/askama.toml")]
struct NewPage<'a> {
    say: Speech,
    assets: Assets,
    note: Option<&'a str>,
    faults: Faults,
    typed: &'a Typed,
    kinds: &'a [(&'a str, &'a str, &'a str)],
}

/// What was typed, here or on the form of the sign-up.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    name: String,
    id_type: String,
    id_number: String,
    management_no: String,
    mobile: String,
    code: String,
    words: String,
    act: String,
}

impl Typed {
    fn field(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "name" => &mut self.name,
            "id_type" => &mut self.id_type,
            "id_number" => &mut self.id_number,
            "management_no" => &mut self.management_no,
            "mobile" => &mut self.mobile,
            "code" => &mut self.code,
            "words" => &mut self.words,
            _ => return None,
        })
    }
}

fn new_page(typed: &Typed, faults: Faults, note: Option<&str>, say: Speech) -> Response {
    let status = faults.status();
    let html = NewPage { say, assets: Assets, note, faults, typed, kinds: &KINDS };
    html.faults.dress(page(&html, status, say))
}

async fn blank(say: Speech) -> Response {
    new_page(&Typed::default(), Faults::default(), None, say)
}

/// A form with a file sends the ticket; one without comes from the sign-up, or asks for a code.
async fn send(State(counter): State<Counter>, postage: Postage, say: Speech, request: Request) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        return open(&counter, request, say).await;
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, FORM_BYTES).await.unwrap_or_default();
    let typed: Typed = read(Form::from_request(Request::from_parts(parts, Body::from(body)), &()).await);
    if typed.act != "send" {
        return new_page(&typed, Faults::default(), None, say);
    }
    match send_code(&counter.desk, &postage, Purpose::SignUp, &typed.mobile, say).await {
        Ok(()) => new_page(&typed, Faults::default(), Some(sent_note(say)), say),
        Err(Ok(faults)) => new_page(&typed, faults, None, say),
        Err(Err(elsewhere)) => *elsewhere,
    }
}

async fn open(counter: &Counter, request: Request, say: Speech) -> Response {
    // One permit per file that may lie in memory, from its first byte until it was kept.
    let Ok(_permit) = counter.uploads.try_acquire() else {
        return failure(Failure::Busy(std::time::Duration::from_secs(5)), say);
    };
    let mut typed = Typed::default();
    let received = match Multipart::from_request(request, &()).await {
        Ok(form) => tokio::time::timeout(counter.patience, receive(form, &mut typed)).await,
        Err(_) => Ok(Err(UploadFault::Broken)),
    };
    let scan = match received {
        Ok(Ok(scan)) => scan,
        Ok(Err(UploadFault::TooLarge)) => {
            let fault = FieldFault::BadScan(ScanFault::TooLarge);
            return new_page(&typed, Faults::field("scan", &fault, say), None, say);
        }
        Ok(Err(UploadFault::Nothing | UploadFault::Broken)) => {
            let why =
                say.pick("文件没有传完整，请再试一次。", "The file did not arrive whole. Please try again.");
            return new_page(&typed, Faults::said("scan", why.to_owned()), None, say);
        }
        Ok(Err(UploadFault::TooSlow)) | Err(_) => return failure(Failure::TooSlow, say),
    };
    let form = TicketForm {
        name: typed.name.clone(),
        id_type: typed.id_type.clone(),
        id_number: typed.id_number.clone(),
        management_no: typed.management_no.clone(),
        mobile: typed.mobile.clone(),
        code: typed.code.clone(),
        words: Some(typed.words.clone()),
        scan,
    };
    match counter.desk.open_ticket(form).await {
        Ok(id) => see_other(&format!("/tickets{}", say.query_with("sent", &id.to_string()))),
        Err(error) => match Faults::of_error(&error, say) {
            Ok(faults) => new_page(&typed, faults, None, say),
            Err(elsewhere) => *elsewhere,
        },
    }
}

/// Reads the fields and the file. What is too large is read on to a bound without being kept: a browser shows our answer
/// only if it could send all it had.
async fn receive(mut form: Multipart, typed: &mut Typed) -> Result<Vec<u8>, UploadFault> {
    let (mut scan, mut total) = (Vec::new(), 0usize);
    while let Some(mut part) = form.next_field().await.map_err(fault)? {
        let name = part.name().unwrap_or_default().to_owned();
        let mut text = Vec::new();
        while let Some(chunk) = part.chunk().await.map_err(fault)? {
            if name == "scan" {
                total = total.saturating_add(chunk.len());
                let kept = if total <= SCAN_MOST { &chunk[..] } else { &[] };
                scan.extend_from_slice(kept);
            } else if text.len() + chunk.len() <= FIELD_BYTES {
                text.extend_from_slice(&chunk);
            }
        }
        if let Some(field) = typed.field(&name) {
            *field = String::from_utf8_lossy(&text).into_owned();
        }
    }
    if total > SCAN_MOST { Err(UploadFault::TooLarge) } else { Ok(scan) }
}

// ---- reading the answer ---------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "tickets/ask.html", config = "src/pages/askama.toml")]
struct AskPage<'a> {
    say: Speech,
    assets: Assets,
    /// The number of a ticket that was just sent.
    sent: Option<&'a str>,
    faults: Faults,
    typed: &'a Asked,
    captcha: Captcha,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    ticket: String,
    id_number: String,
    captcha_id: String,
    captcha: String,
    asked: Option<String>,
    instead: Option<String>,
}

#[derive(Deserialize)]
struct Arrival {
    sent: Option<String>,
}

#[derive(Template)]
#[template(path = "tickets/answer.html", config = "src/pages/askama.toml")]
struct AnswerPage<'a> {
    say: Speech,
    assets: Assets,
    number: String,
    opened_at: Dated,
    answer: Option<(Outcome, &'a str, Dated)>,
}

impl AnswerPage<'_> {
    fn is_accepted(&self) -> bool {
        matches!(self.answer, Some((Outcome::Accepted, ..)))
    }
}

async fn ask_page(
    counter: &Counter,
    typed: &Asked,
    sent: Option<&str>,
    kind: Kind,
    faults: Faults,
    say: Speech,
) -> Response {
    match Captcha::draw(&counter.desk, kind, say).await {
        Ok(captcha) => {
            let status = faults.status();
            let html = AskPage { say, assets: Assets, sent, faults, typed, captcha };
            html.faults.dress(page(&html, status, say))
        }
        Err(error) => undone(&error, say),
    }
}

async fn ask(
    State(counter): State<Counter>,
    say: Speech,
    arrival: Result<Query<Arrival>, QueryRejection>,
) -> Response {
    let sent = arrival.ok().and_then(|Query(arrival)| arrival.sent);
    let sent = sent.filter(|id| id.parse::<TicketId>().is_ok());
    let typed = Asked { ticket: sent.clone().unwrap_or_default(), ..Asked::default() };
    ask_page(&counter, &typed, sent.as_deref(), Kind::Picture, Faults::default(), say).await
}

async fn judge(State(counter): State<Counter>, say: Speech, sent: Sent<Asked>) -> Response {
    let typed = read(sent);
    let kind = wanted(typed.instead.as_deref().or(typed.asked.as_deref()));
    if typed.instead.is_some() {
        return ask_page(&counter, &typed, None, kind, Faults::default(), say).await;
    }
    let inquiry = TicketInquiry { ticket: typed.ticket.clone(), id_number: typed.id_number.clone() };
    let solution = Solution { id: typed.captcha_id.clone(), answer: typed.captcha.clone() };
    let faults = match counter.desk.ask_ticket(&inquiry, &solution).await {
        Ok(Some(ticket)) => return answer_page(&ticket, say),
        Ok(None) => {
            let why = say.pick(
                "没有与此工单号和证件号码相符的工单，请核对。",
                "There is no ticket of this number and identity number; check both.",
            );
            Ok(Faults::said("ticket", why.to_owned()))
        }
        Err(error) => Faults::of_error(&error, say),
    };
    match faults {
        Ok(faults) => ask_page(&counter, &typed, None, kind, faults, say).await,
        Err(elsewhere) => *elsewhere,
    }
}

fn answer_page(ticket: &Ticket, say: Speech) -> Response {
    let answer = ticket.state.answer();
    let html = AnswerPage {
        say,
        assets: Assets,
        number: ticket.id.to_string(),
        opened_at: say.moment(ticket.opened_at),
        answer: answer.map(|answer| (answer.outcome, answer.words.as_str(), say.moment(answer.at))),
    };
    page(&html, StatusCode::OK, say)
}
