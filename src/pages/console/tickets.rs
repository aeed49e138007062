//! Tickets in the console: the list, and each with its scan and the form that answers it.

use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use crate::domain::account::Mobile;
use crate::domain::ids::TicketId;
use crate::domain::query::TicketQuery;
use crate::domain::refusal::{FieldError, Refusal};
use crate::domain::ticket::{Outcome, ScanKind, Standing, Ticket};
use crate::http::tickets::scan as scan_file;
use crate::pages::assets::Assets;
use crate::pages::console::certificates::kind_of_document;
use crate::pages::console::{Id, Shell, TICKETS, admit, asked};
use crate::pages::faults::Faults;
use crate::pages::form::{Sent, read};
use crate::pages::speech::{Dated, Speech};
use crate::pages::{Counter, page, see_other};

/// Tickets on a page of the list.
const PAGE: usize = 50;

pub(super) fn router() -> Router<Counter> {
    Router::new()
        .route("/console/tickets", get(list))
        .route("/console/tickets/{id}", get(show))
        .route("/console/tickets/{id}/scan", get(scan))
        .route("/console/tickets/{id}/answer", post(answer))
}

fn link_to(id: TicketId, say: Speech) -> String {
    format!("/console/tickets/{id}{}", say.query())
}

// ---- the list -------------------------------------------------------------------------------------------------------

#[derive(Debug, Deserialize)]
struct Arrival {
    state: Option<String>,
    after: Option<String>,
}

struct Row {
    link: String,
    name: String,
    management_no: String,
    opened_at: Dated,
}

#[derive(Template)]
#[template(path = "console/tickets.html", config = "src/pages/askama.toml")]
struct ListPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    answered: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

async fn list(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    arrival: Result<Query<Arrival>, QueryRejection>,
) -> Response {
    let visit = match admit(&counter, &headers, TICKETS, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    let arrival = arrival.map(|Query(arrival)| arrival).unwrap_or(Arrival { state: None, after: None });
    let standing = arrival.state.and_then(|word| word.parse().ok()).unwrap_or(Standing::Open);
    let after = arrival.after.and_then(|id| id.parse().ok());
    let query = TicketQuery { standing: Some(standing), after, limit: PAGE };
    let found = match counter.desk.tickets(visit.caller(), &query).await {
        Ok(found) => found,
        Err(error) => return visit.undone(&counter, &error),
    };
    let last = found.items.last().filter(|_| found.more);
    let next = last.map(|ticket| {
        let query = say.query_with("state", standing.word());
        format!("/console/tickets{query}&after={}", ticket.id)
    });
    let rows = found.items.iter().map(|ticket| Row {
        link: link_to(ticket.id, say),
        name: ticket.name.to_string(),
        management_no: ticket.management_no.to_string(),
        opened_at: say.moment(ticket.opened_at),
    });
    let answered = standing == Standing::Answered;
    let html = ListPage { say, assets: Assets, shell: &visit.shell, answered, rows: rows.collect(), next };
    page(&html, StatusCode::OK, say)
}

// ---- one ticket -----------------------------------------------------------------------------------------------------

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    outcome: String,
    words: String,
}

#[derive(Template)]
#[template(path = "console/ticket.html", config = "src/pages/askama.toml")]
struct TicketPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    faults: Faults,
    typed: &'a Typed,
    ticket: &'a Ticket,
    mobile: &'a Mobile,
    opened_at: Dated,
    answered_at: Option<Dated>,
}

impl TicketPage<'_> {
    fn is_picture(&self) -> bool {
        self.ticket.scan.kind == ScanKind::Jpeg
    }

    fn id_kind(&self) -> String {
        kind_of_document(self.ticket.person.id_type(), self.say)
    }

    fn outcome(&self) -> &'static str {
        match self.ticket.state.answer().map(|answer| answer.outcome) {
            Some(Outcome::Accepted) => self.say.language.pick("已受理", "Accepted"),
            Some(Outcome::Declined) => self.say.language.pick("未通过", "Declined"),
            None => self.say.language.pick("待处理", "Waiting"),
        }
    }
}

fn ticket_page(shell: &Shell, ticket: &Ticket, typed: &Typed, faults: Faults, say: Speech) -> Response {
    let status = faults.status();
    let html = TicketPage {
        say,
        assets: Assets,
        shell,
        faults,
        typed,
        mobile: &ticket.mobile,
        opened_at: say.moment(ticket.opened_at),
        answered_at: ticket.state.answer().map(|answer| say.moment(answer.at)),
        ticket,
    };
    html.faults.dress(page(&html, status, say))
}

async fn show(State(counter): State<Counter>, headers: HeaderMap, say: Speech, id: Id) -> Response {
    let (visit, id) = match asked::<TicketId>(&counter, &headers, TICKETS, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.ticket(visit.caller(), id).await {
        Ok(ticket) => ticket_page(&visit.shell, &ticket, &Typed::default(), Faults::default(), say),
        Err(error) => visit.undone(&counter, &error),
    }
}

async fn scan(State(counter): State<Counter>, headers: HeaderMap, say: Speech, id: Id) -> Response {
    let (visit, id) = match asked::<TicketId>(&counter, &headers, TICKETS, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.scan_of(visit.caller(), id).await {
        Ok((kind, bytes)) => {
            let mut response = scan_file(id, kind, bytes, true);
            let no_store = HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, no_store);
            response
        }
        Err(error) => visit.undone(&counter, &error),
    }
}

async fn answer(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    id: Id,
    sent: Sent<Typed>,
) -> Response {
    let (visit, id) = match asked::<TicketId>(&counter, &headers, TICKETS, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    let typed = read(sent);
    let done = match (typed.outcome.parse(), typed.words.parse()) {
        (Ok(outcome), Ok(words)) => counter.desk.answer_ticket(visit.caller(), id, outcome, words).await,
        (outcome, words) => {
            let outcome = outcome.err().map(|fault| FieldError::new("outcome", fault));
            let words = words.err().map(|fault| FieldError::new("words", fault));
            Err(Refusal::Invalid(outcome.into_iter().chain(words).collect()).into())
        }
    };
    let error = match done {
        Ok(_) => return see_other(&link_to(id, say)),
        Err(error) => error,
    };
    let ticket = match counter.desk.ticket(visit.caller(), id).await {
        Ok(ticket) => ticket,
        Err(error) => return visit.undone(&counter, &error),
    };
    match Faults::of_error(&error, say) {
        Ok(faults) => ticket_page(&visit.shell, &ticket, &typed, faults, say),
        Err(elsewhere) => *elsewhere,
    }
}
