//! Finding certificates: by number, type, status and issuer in the address; by person in a form that is posted, since
//! identity numbers stand in no address, no history and no log.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::desk::DeskError;
use crate::desk::record::Fields;
use crate::domain::certificate::{Certificate, Status};
use crate::domain::identity::{PersonId, PersonIdFault, RESIDENT_CARD};
use crate::domain::ids::CertificateId;
use crate::domain::query::CertificateQuery;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::pages::assets::Assets;
use crate::pages::console::{CERTIFICATES, Shell, Visit, admit};
use crate::pages::faults::Faults;
use crate::pages::form::{Sent, read};
use crate::pages::holder::certificates::tone_of;
use crate::pages::speech::Speech;
use crate::pages::wording::status_word;
use crate::pages::{Counter, page};

/// Certificates on a page.
const PAGE: usize = 25;
/// Certificates of one person that are shown.
const OF_PERSON: usize = 200;

/// What is asked in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    management_no: String,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    issuer: String,
    after: String,
}

/// What is asked in a form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Person {
    id_type: String,
    id_number: String,
}

struct Found {
    link: String,
    title: String,
    specialty: Option<String>,
    management_no: String,
    version: u16,
    name: String,
    id_masked: String,
    issuer: String,
    status: &'static str,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "console/certificates.html", config = "src/pages/askama.toml")]
struct SearchPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    here: String,
    faults: Faults,
    asked: &'a Asked,
    id_type: &'a str,
    statuses: Vec<(&'static str, &'static str)>,
    kinds: Vec<(&'static str, &'static str)>,
    /// None where nothing could be asked.
    found: Option<Vec<Found>>,
    heading: &'static str,
    next: Option<String>,
}

/// Kinds of identity documents (GA/T 517).
const KINDS: [(&str, &str, &str); 5] = [
    (RESIDENT_CARD, "居民身份证", "Resident identity card"),
    ("414", "普通护照", "Passport"),
    ("516", "港澳居民来往内地通行证", "Travel permit, Hong Kong and Macao"),
    ("511", "台湾居民来往大陆通行证", "Travel permit, Taiwan"),
    ("553", "外国人永久居留身份证", "Foreign permanent resident card"),
];

/// What a kind of identity document is called; the kind itself where it is a rare one.
pub(super) fn kind_of_document(id_type: &str, say: Speech) -> String {
    let known = KINDS.iter().find(|(kind, ..)| *kind == id_type);
    known.map_or(id_type, |(_, zh, en)| say.language.pick(zh, en)).to_owned()
}

impl Found {
    fn of(certificate: &Certificate, today: chrono::NaiveDate, say: Speech) -> Self {
        let details = &certificate.details;
        let status = certificate.status_on(today);
        Self {
            link: format!("/console/certificates/{}{}", certificate.id, say.query()),
            title: details.title.to_string(),
            specialty: details.specialty.as_ref().map(ToString::to_string),
            management_no: details.management_no.to_string(),
            version: certificate.version,
            name: details.holder.name.to_string(),
            id_masked: details.holder.id.masked(),
            issuer: details.issuer.name.to_string(),
            status: status_word(status, say.language),
            tone: tone_of(status),
        }
    }
}

impl Asked {
    fn parse(&self, today: chrono::NaiveDate) -> Result<CertificateQuery, Refusal> {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut fields = Fields::default();
        let status = some(&self.status).and_then(|text| {
            let known = "valid, suspended, revoked, cancelled, lapsed, superseded";
            fields.take("status", text.parse::<Status>().map_err(|_| FieldFault::NotOneOf(known)))
        });
        let after = some(&self.after).and_then(|text| {
            fields.take("after", text.parse::<CertificateId>().map_err(|_| FieldFault::NotAName))
        });
        let query = CertificateQuery {
            issuer: fields.parse_some("issuer", some(&self.issuer).map(|it| it.to_uppercase()).as_deref()),
            kind: fields.parse_some("type", some(&self.kind).as_deref()),
            management_no: fields.parse_some(
                "management_no",
                some(&self.management_no).map(|it| it.to_uppercase()).as_deref(),
            ),
            person: None,
            status: status.map(|status| (status, today)),
            after,
            limit: PAGE,
        };
        fields.finish(Some(query))
    }

    /// The address of the next page.
    fn next(&self, last: CertificateId, say: Speech) -> String {
        let pairs = [
            ("management_no", self.management_no.trim()),
            ("type", self.kind.trim()),
            ("status", self.status.trim()),
            ("issuer", self.issuer.trim()),
        ];
        let mut query = say.query_with("after", &last.to_string());
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            // Parsed before: letters, digits and hyphens.
            query = format!("{query}&{name}={value}");
        }
        format!("{}{query}", CERTIFICATES.path)
    }
}

pub(super) async fn browse(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let visit = match admit(&counter, &headers, CERTIFICATES, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let query = match asked.parse(counter.desk.today()) {
        Ok(query) => query,
        Err(refusal) => {
            return shown(&visit, &asked, RESIDENT_CARD, Faults::of_refusal(&refusal, say), None, None);
        }
    };
    match counter.desk.certificates(visit.caller(), query).await {
        Ok(found) => {
            let next = found.items.last().filter(|_| found.more).map(|last| asked.next(last.id, say));
            let items = found.items.iter().map(|it| Found::of(it, counter.desk.today(), say)).collect();
            shown(&visit, &asked, RESIDENT_CARD, Faults::default(), Some(items), next)
        }
        Err(error) => visit.undone(&counter, &error),
    }
}

pub(super) async fn find_person(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    sent: Sent<Person>,
) -> Response {
    let visit = match admit(&counter, &headers, CERTIFICATES, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    let typed = read(sent);
    let asked = Asked::default();
    let person = match PersonId::parse(&typed.id_type, &typed.id_number.trim().to_uppercase()) {
        Ok(person) => person,
        Err(fault) => {
            let faults = match fault {
                PersonIdFault::Type(fault) => Faults::field("id_type", &fault, say),
                PersonIdFault::Number(fault) => Faults::field("id_number", &fault, say),
            };
            return shown(&visit, &asked, &typed.id_type, faults, None, None);
        }
    };
    let query = CertificateQuery { person: Some(person), limit: OF_PERSON, ..CertificateQuery::default() };
    match certificates_of(&counter, &visit, query).await {
        Ok(found) => shown(&visit, &asked, &typed.id_type, Faults::default(), Some(found), None),
        Err(error) => visit.undone(&counter, &error),
    }
}

async fn certificates_of(
    counter: &Counter,
    visit: &Visit,
    query: CertificateQuery,
) -> Result<Vec<Found>, DeskError> {
    let found = counter.desk.certificates(visit.caller(), query).await?;
    let today = counter.desk.today();
    Ok(found.items.iter().map(|certificate| Found::of(certificate, today, visit.say)).collect())
}

fn shown(
    visit: &Visit,
    asked: &Asked,
    id_type: &str,
    faults: Faults,
    found: Option<Vec<Found>>,
    next: Option<String>,
) -> Response {
    let say = visit.say;
    let status = faults.status();
    let everything = [&asked.management_no, &asked.kind, &asked.status, &asked.issuer];
    let narrowed = everything.iter().any(|it| !it.is_empty());
    let html = SearchPage {
        say,
        assets: Assets,
        shell: &visit.shell,
        here: CERTIFICATES.path.to_owned(),
        faults,
        asked,
        id_type,
        statuses: Status::ALL.iter().map(|it| (it.word(), status_word(*it, say.language))).collect(),
        kinds: KINDS.iter().map(|(kind, zh, en)| (*kind, say.language.pick(zh, en))).collect(),
        found,
        heading: match narrowed {
            true => say.language.pick("查到的证书", "Certificates found"),
            false => say.language.pick("证书", "Certificates"),
        },
        next,
    };
    page(&html, status, say)
}
