//! The audit trail: who did what, when and why; narrowed, turned page by page, and kept as a file.

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{NaiveDate, SecondsFormat};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;

use crate::desk::account::session::StaffMember;
use crate::desk::record::Fields;
use crate::desk::trail::Sieve;
use crate::desk::{Desk, DeskError};
use crate::domain::calendar;
use crate::domain::event::{Deed, Event};
use crate::domain::query::EntryQuery;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::pages::assets::Assets;
use crate::pages::console::{AUDIT, Shell, Visit, admit, attachment, cells, wording};
use crate::pages::faults::Faults;
use crate::pages::speech::{Dated, Speech};
use crate::pages::{Counter, page};

/// Entries on a page.
const PAGE: usize = 50;

/// What is asked: names and words of ours, and days. Nothing of it is personal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    certificate: String,
    annotation: String,
    account: String,
    deed: String,
    from: String,
    until: String,
    after: String,
}

struct Happened {
    seq: u64,
    at: Dated,
    what: &'static str,
    who: String,
    certificate: Option<String>,
    annotation: Option<String>,
    why: Option<String>,
}

#[derive(Template)]
#[template(path = "console/audit.html", config = "src/pages/askama.toml")]
struct AuditPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    here: String,
    faults: Faults,
    asked: Asked,
    deeds: Vec<(&'static str, &'static str)>,
    events: Vec<Happened>,
    next: Option<String>,
    exports: Vec<(&'static str, String)>,
}

impl Asked {
    /// Where nothing is asked: today.
    fn or_today(self, today: NaiveDate) -> Self {
        let narrow = [&self.certificate, &self.annotation, &self.account, &self.from, &self.until];
        match narrow.iter().all(|it| it.trim().is_empty()) {
            true => Self { from: today.to_string(), ..self },
            false => self,
        }
    }

    fn parse(&self) -> Result<(EntryQuery, Sieve), Refusal> {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut fields = Fields::default();
        let name = |_| FieldFault::NotAName;
        let certificate =
            some(&self.certificate).and_then(|it| fields.take("certificate", it.parse().map_err(name)));
        let annotation =
            some(&self.annotation).and_then(|it| fields.take("annotation", it.parse().map_err(name)));
        let account = some(&self.account).and_then(|it| fields.take("account", it.parse().map_err(name)));
        let deed = some(&self.deed).and_then(|it| fields.take("deed", it.parse::<Deed>().map_err(name)));
        let after = some(&self.after)
            .and_then(|it| fields.take("after", it.parse().map_err(|_| FieldFault::NotAName)));
        let from = some(&self.from).and_then(|it| fields.day("from", &it));
        let until = some(&self.until).and_then(|it| fields.day("until", &it));
        let query = EntryQuery { issuer: None, certificate, annotation, account, after, limit: PAGE };
        let sieve = Sieve {
            deed,
            from: from.map(calendar::start_of),
            before: until.map(|day| calendar::start_of(calendar::plus_days(day, 1))),
        };
        fields.finish(Some((query, sieve)))
    }

    /// The address with the same question, parsed before: letters, digits and hyphens.
    fn address(&self, path: &str, after: Option<u64>, say: Speech) -> String {
        let pairs = [
            ("certificate", &self.certificate),
            ("annotation", &self.annotation),
            ("account", &self.account),
            ("deed", &self.deed),
            ("from", &self.from),
            ("until", &self.until),
        ];
        let pairs = pairs.into_iter().map(|(name, value)| (name, value.trim().to_owned()));
        let after = after.map(|after| ("after", after.to_string()));
        let pairs = pairs.chain(after).filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
        match (say.query(), query.is_empty()) {
            (lang, true) => format!("{path}{lang}"),
            ("", false) => format!("{path}?{}", query.join("&")),
            (lang, false) => format!("{path}{lang}&{}", query.join("&")),
        }
    }
}

pub(super) async fn show(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let visit = match admit(&counter, &headers, AUDIT, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default().or_today(counter.desk.today());
    let (query, sieve) = match asked.parse() {
        Ok(parsed) => parsed,
        Err(refusal) => return shown(&visit, asked, Faults::of_refusal(&refusal, say), Vec::new(), None),
    };
    match counter.desk.sieved_trail(visit.caller(), query, sieve).await {
        Ok(found) => {
            let next = found.next.map(|after| asked.address(AUDIT.path, Some(after), say));
            let events = found
                .items
                .iter()
                .flat_map(|entry| entry.events.iter().map(|event| Happened::of(entry.seq, event, &visit)));
            shown(&visit, asked, Faults::default(), events.collect(), next)
        }
        Err(error) => visit.undone(&counter, &error),
    }
}

impl Happened {
    fn of(seq: u64, event: &Event, visit: &Visit) -> Self {
        let say = visit.say;
        Self {
            seq,
            at: say.moment(event.at),
            what: wording::deed(event.deed, say),
            who: wording::actor(event.actor, &visit.staff, say),
            certificate: event.certificate.map(|id| format!("/console/certificates/{id}{}", say.query())),
            annotation: event.annotation.map(|id| {
                let asked = Asked { annotation: id.to_string(), ..Asked::default() };
                asked.address(AUDIT.path, None, say)
            }),
            why: event.reason.as_ref().map(|it| wording::reason(it.as_str(), say)),
        }
    }
}

fn shown(
    visit: &Visit,
    asked: Asked,
    faults: Faults,
    events: Vec<Happened>,
    next: Option<String>,
) -> Response {
    let (say, status) = (visit.say, faults.status());
    let mut deeds: Vec<_> = Deed::ALL.iter().map(|it| (it.word(), wording::deed(*it, say))).collect();
    deeds.sort_by_key(|(_, words)| *words);
    let export = |ending: &str| asked.address(&format!("{}/export.{ending}", AUDIT.path), None, say);
    let exports = match status {
        StatusCode::OK => vec![("CSV", export("csv")), ("NDJSON", export("ndjson"))],
        _ => Vec::new(),
    };
    let html = AuditPage {
        say,
        assets: Assets,
        shell: &visit.shell,
        here: AUDIT.path.to_owned(),
        faults,
        asked,
        deeds,
        events,
        next,
        exports,
    };
    page(&html, status, say)
}

// ---- files ----------------------------------------------------------------------------------------------------------

/// How a file says an event.
type Print = fn(u64, &Event) -> Vec<u8>;

/// Where an export is: it is made while it is sent, and never held whole.
struct Export {
    desk: Desk,
    staff: StaffMember,
    /// None at the end.
    query: Option<EntryQuery>,
    sieve: Sieve,
    print: Print,
    head: Vec<u8>,
}

impl Export {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, std::io::Error> {
        let Some(query) = self.query.take() else { return Ok(None) };
        let found = self.desk.sieved_trail(self.staff.caller(), query.clone(), self.sieve).await;
        let found = found.map_err(|error: DeskError| {
            tracing::error!(error = crate::http::gate::chain(&error), "an export was broken off");
            std::io::Error::other("the trail could not be read")
        })?;
        let mut piece = std::mem::take(&mut self.head);
        for entry in &found.items {
            for event in &entry.events {
                piece.extend((self.print)(entry.seq, event));
            }
        }
        self.query = found.next.map(|after| EntryQuery { after: Some(after), ..query });
        Ok(Some((piece.into(), self)))
    }
}

async fn export(
    counter: &Counter,
    headers: &HeaderMap,
    say: Speech,
    asked: Result<Query<Asked>, QueryRejection>,
    (print, head): (Print, Vec<u8>),
    (kind, name): (&'static str, &str),
) -> Response {
    let visit = match admit(counter, headers, AUDIT, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let (query, sieve) = match asked.parse() {
        Ok(parsed) => parsed,
        Err(refusal) => return shown(&visit, asked, Faults::of_refusal(&refusal, say), Vec::new(), None),
    };
    let query = Some(EntryQuery { limit: 500, ..query });
    let export = Export { desk: counter.desk.clone(), staff: visit.staff, query, sieve, print, head };
    match export.next().await {
        // What is refused is refused before anything was sent.
        Ok(Some((first, rest))) => {
            let rest = stream::try_unfold(rest, Export::next);
            let first = stream::iter([Ok::<_, std::io::Error>(first)]);
            let body = Body::from_stream(futures_util::StreamExt::chain(first, rest));
            attachment(body, kind, name)
        }
        Ok(None) => attachment(Body::empty(), kind, name),
        Err(_) => crate::pages::failure::failure(crate::pages::failure::Failure::NotFound, say),
    }
}

const COLUMNS: [&str; 10] =
    ["entry", "at", "deed", "actor", "issuer", "certificate", "annotation", "key", "account", "reason"];

/// The cells of an event, in the order of [`COLUMNS`]; words that no page translates.
fn cells_of(seq: u64, event: &Event) -> [String; 10] {
    let some = |it: Option<String>| it.unwrap_or_default();
    [
        seq.to_string(),
        calendar::in_shanghai(event.at).to_rfc3339_opts(SecondsFormat::Millis, false),
        event.deed.word().to_owned(),
        event.actor.to_string(),
        some(event.issuer.map(|it| it.to_string())),
        some(event.certificate.map(|it| it.to_string())),
        some(event.annotation.map(|it| it.to_string())),
        some(event.key.map(|it| it.to_string())),
        some(event.account.map(|it| it.to_string())),
        some(event.reason.as_ref().map(ToString::to_string)),
    ]
}

fn print_row(seq: u64, event: &Event) -> Vec<u8> {
    cells::row(cells_of(seq, event).iter().map(String::as_str))
}

fn print_line(seq: u64, event: &Event) -> Vec<u8> {
    let [_, cells @ ..] = cells_of(seq, event);
    let mut line = serde_json::Map::from_iter([("entry".to_owned(), json!(seq))]);
    let filled = COLUMNS[1..].iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
    line.extend(filled.map(|(column, cell)| ((*column).to_owned(), json!(cell))));
    format!("{}\n", serde_json::Value::Object(line)).into_bytes()
}

pub(super) async fn export_csv(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let head = [cells::MARK, &cells::row(COLUMNS)].concat();
    export(&counter, &headers, say, asked, (print_row, head), (cells::CSV, "audit.csv")).await
}

pub(super) async fn export_ndjson(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    export(&counter, &headers, say, asked, (print_line, Vec::new()), (cells::NDJSON, "audit.ndjson")).await
}
