//! One certificate: what the register says, its versions, its copies, what was done with it; and what may be decided.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;
use serde::Deserialize;

use crate::desk::register::Overview;
use crate::desk::trail::Sieve;
use crate::desk::{self, DeskError};
use crate::domain::annotation::{Annotation, Phase};
use crate::domain::certificate::{Certificate, Standing, Status};
use crate::domain::ids::CertificateId;
use crate::domain::key::Scope;
use crate::domain::query::{AnnotationQuery, CertificateQuery, EntryQuery};
use crate::pages::assets::Assets;
use crate::pages::console::certificates::kind_of_document;
use crate::pages::console::{CERTIFICATES, Id, Shell, Visit, asked, wording};
use crate::pages::faults::Faults;
use crate::pages::holder::annotation::Told;
use crate::pages::holder::certificates::tone_of;
use crate::pages::speech::{Dated, Speech};
use crate::pages::wording::status_word;
use crate::pages::{Counter, page};

/// Copies, versions and deeds that are shown.
const SHOWN: usize = 200;

struct Copy {
    told: Told,
    code: String,
    verdict: String,
    ordered: Dated,
    on_behalf: Option<String>,
    document: Option<String>,
    evidence: Option<String>,
    revoke: Option<String>,
    id: String,
}

struct Version {
    number: u16,
    link: Option<String>,
    entered: Dated,
    status: &'static str,
    tone: &'static str,
}

struct Happened {
    at: Dated,
    what: &'static str,
    who: String,
    why: Option<String>,
}

struct OrderPart {
    action: String,
    key: String,
    /// Whether a place is left.
    open: bool,
    places: String,
    scenarios: Vec<(String, String)>,
    most: u32,
    typed: Typed,
}

struct DecisionPart {
    action: String,
    choices: Vec<(&'static str, &'static str)>,
    typed: Typed,
}

#[derive(Template)]
#[template(path = "console/certificate.html", config = "src/pages/askama.toml")]
struct CertificatePage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    here: String,
    title: String,
    status: &'static str,
    tone: &'static str,
    note: Option<&'static str>,
    faults: Faults,
    lines: Vec<(&'static str, String, bool)>,
    versions: Vec<Version>,
    copies: Vec<Copy>,
    waits: bool,
    plain: Option<String>,
    decision: Option<DecisionPart>,
    order: Option<OrderPart>,
    history: Option<Vec<Happened>>,
}

/// What was typed into a form of the page.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    pub(super) key: String,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) scenario: String,
    pub(super) days: String,
    pub(super) recipient: String,
    pub(super) on_behalf_reason: String,
}

/// What was just done, which the page confirms.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Done {
    Status,
    Order,
    Revocation,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Arrival {
    done: Option<Done>,
}

impl Done {
    fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Order => "order",
            Self::Revocation => "revocation",
        }
    }

    fn note(self, say: Speech) -> &'static str {
        let (zh, en) = match self {
            Self::Status => ("状态已记录。", "The status was recorded."),
            Self::Order => ("加注申请已提交。", "The annotation was ordered."),
            Self::Revocation => ("加注件已撤销。", "The annotation was revoked."),
        };
        say.language.pick(zh, en)
    }
}

pub(super) fn link_to(id: CertificateId, done: Option<Done>, say: Speech) -> String {
    let query = done.map_or_else(|| say.query().to_owned(), |done| say.query_with("done", done.word()));
    format!("{}/{id}{query}", CERTIFICATES.path)
}

impl Copy {
    fn of(annotation: &Annotation, visit: &Visit, today: NaiveDate) -> Self {
        let say = visit.say;
        let act = |act: &str| format!("/console/annotations/{}/{act}{}", annotation.id, say.query());
        let ready = annotation.phase_on(today) == Phase::Ready;
        let revocable = annotation.is_live_on(today) && visit.may(Scope::AnnotationsWrite);
        Self {
            told: Told::of(annotation, None, today, say),
            code: annotation.code.grouped(),
            verdict: format!("/v/{}{}", annotation.code, say.query()),
            ordered: say.moment(annotation.order.requested_at),
            on_behalf: annotation.order.on_behalf_reason.as_ref().map(ToString::to_string),
            document: ready.then(|| act("document")),
            evidence: (annotation.sealed().is_some() && visit.may(Scope::AuditRead)).then(|| act("evidence")),
            revoke: revocable.then(|| act("revocation")),
            id: annotation.id.to_string(),
        }
    }
}

fn lines(certificate: &Certificate, say: Speech) -> Vec<(&'static str, String, bool)> {
    let details = &certificate.details;
    let holder = &details.holder;
    let day = |day: NaiveDate| say.day(day).text;
    let sex = |word: &str| match word {
        "男" => say.pick("男", "male").to_owned(),
        _ => say.pick("女", "female").to_owned(),
    };
    let photo = details.photo.map(|_| say.pick("有", "kept").to_owned());
    let words = [
        (("证书名称", "Certificate"), Some(details.title.to_string()), false),
        (("级别", "Level"), details.level.as_ref().map(ToString::to_string), false),
        (("专业", "Specialty"), details.specialty.as_ref().map(ToString::to_string), false),
        (("姓名", "Name"), Some(holder.name.to_string()), false),
        (("证件类型", "Document"), Some(kind_of_document(holder.id.id_type(), say)), false),
        (("证件号码", "Identity no."), Some(holder.id.number().to_owned()), true),
        (("性别", "Sex"), holder.sex.map(|it| sex(it.word())), false),
        (("出生日期", "Born"), holder.born.map(day), false),
        (("照片", "Photo"), photo, false),
        (("发证机构", "Issuer"), Some(details.issuer.name.to_string()), false),
        (("机构代码", "Credit code"), Some(details.issuer.uscc.to_string()), true),
        (("批准日期", "Approved on"), Some(day(details.approved_on)), false),
        (("签发日期", "Issued on"), Some(day(details.issued_on)), false),
        (("有效期至", "Valid until"), details.valid_until.map(day), false),
        (("管理号", "Management no."), Some(details.management_no.to_string()), true),
        (("证书类型", "Type"), Some(details.kind.to_string()), true),
        (("证照标识", "Licence id"), Some(certificate.licence_id.to_string()), true),
        (("入册时间", "Entered"), Some(say.moment(certificate.entered_at).text), false),
    ];
    let line = |((zh, en), value, mono): ((&'static str, &'static str), Option<String>, bool)| {
        Some((say.language.pick(zh, en), value?, mono))
    };
    words.into_iter().filter_map(line).collect()
}

fn choices(standing: &Standing, say: Speech) -> Vec<(&'static str, &'static str)> {
    let choice = |word, zh, en| (word, say.language.pick(zh, en));
    let ends = [
        choice("revoked", "撤销（不能恢复，加注件同时失效）", "Revoke (final; its copies end)"),
        choice("cancelled", "注销（不能恢复，加注件同时失效）", "Cancel (final; its copies end)"),
    ];
    let first = match standing {
        Standing::Valid => {
            choice("suspended", "暂停（加注件暂停使用，可以恢复）", "Suspend (its copies are held)")
        }
        Standing::Suspended => {
            choice("valid", "恢复（加注件恢复使用）", "Lift the suspension (its copies hold again)")
        }
        _ => return Vec::new(),
    };
    [first].into_iter().chain(ends).collect()
}

async fn certificate_page<'a>(
    counter: &Counter,
    visit: &'a Visit,
    id: CertificateId,
    typed: Typed,
    faults: Faults,
    note: Option<&'static str>,
) -> Result<CertificatePage<'a>, DeskError> {
    let (desk, caller, say, today) = (&counter.desk, visit.caller(), visit.say, counter.desk.today());
    let overview = desk.overview(caller, id).await?;
    let certificate = &overview.certificate;
    let details = &certificate.details;
    let copies = match visit.may(Scope::AnnotationsRead) {
        true => {
            let query = AnnotationQuery { certificate: Some(id), limit: SHOWN, ..AnnotationQuery::default() };
            desk.annotations(caller, query).await?.items
        }
        false => Vec::new(),
    };
    let versions = CertificateQuery {
        kind: Some(details.kind.clone()),
        management_no: Some(details.management_no.clone()),
        limit: SHOWN,
        ..CertificateQuery::default()
    };
    let versions = desk.certificates(caller, versions).await?.items;
    let version = |version: &Certificate| Version {
        number: version.version,
        link: (version.id != id).then(|| link_to(version.id, None, say)),
        entered: say.moment(version.entered_at),
        status: status_word(version.status_on(today), say.language),
        tone: tone_of(version.status_on(today)),
    };
    let history = if visit.may(Scope::AuditRead) { Some(history(counter, visit, id).await?) } else { None };
    let status = certificate.status_on(today);
    let policy = desk.rules().policies.of(&details.kind);
    let choices = choices(&certificate.standing, say);
    let waits = |copy: &Annotation| matches!(copy.phase_on(today), Phase::Queued | Phase::Sealing);
    Ok(CertificatePage {
        say,
        assets: Assets,
        shell: &visit.shell,
        here: format!("{}/{id}", CERTIFICATES.path),
        title: details.title.to_string(),
        status: status_word(status, say.language),
        tone: tone_of(status),
        note,
        faults,
        lines: lines(certificate, say),
        waits: copies.iter().any(waits),
        versions: versions.iter().rev().map(version).collect(),
        copies: copies.iter().rev().map(|copy| Copy::of(copy, visit, today)).collect(),
        plain: (policy.exempts(certificate) && status == Status::Valid && visit.may(Scope::AnnotationsRead))
            .then(|| format!("{}/{id}/document", CERTIFICATES.path)),
        decision: (!choices.is_empty() && visit.may(Scope::CertificatesWrite)).then(|| DecisionPart {
            action: format!("{}/{id}/status{}", CERTIFICATES.path, say.query()),
            choices,
            typed: typed.clone(),
        }),
        order: match status == Status::Valid && visit.may(Scope::AnnotationsWrite) {
            true => Some(order_part(counter, &overview, typed, say)?),
            false => None,
        },
        history,
    })
}

fn order_part(
    counter: &Counter,
    overview: &Overview,
    typed: Typed,
    say: Speech,
) -> Result<OrderPart, DeskError> {
    let policy = counter.desk.rules().policies.of(&overview.certificate.details.kind);
    let days = if typed.days.is_empty() { policy.default_days.to_string() } else { typed.days.clone() };
    let (left, quota) = (overview.places.left, policy.quota);
    let scenario = |it: &crate::domain::policy::ScenarioText| {
        (it.key.to_string(), say.pick(&it.chinese, &it.english).to_owned())
    };
    Ok(OrderPart {
        action: format!("{}/{}/annotations{}", CERTIFICATES.path, overview.certificate.id, say.query()),
        key: URL_SAFE_NO_PAD.encode(desk::chance::<16>()?),
        open: left > 0,
        places: match (overview.places.next_free_on, say.is_chinese()) {
            (Some(day), true) => format!("{quota} 个名额已用完，下一个将于 {} 释放。", say.day(day).text),
            (Some(day), false) => {
                format!("All {quota} places are taken; the next falls free on {}.", say.day(day).text)
            }
            (None, true) => format!("还可加注 {left} 次，共 {quota} 次。"),
            (None, false) => format!("{left} of {quota} places left."),
        },
        scenarios: policy.scenarios.iter().map(scenario).collect(),
        most: policy.max_days,
        typed: Typed { days, ..typed },
    })
}

async fn history(counter: &Counter, visit: &Visit, id: CertificateId) -> Result<Vec<Happened>, DeskError> {
    let query = EntryQuery { certificate: Some(id), limit: SHOWN, ..EntryQuery::default() };
    let trail = counter.desk.sieved_trail(visit.caller(), query, Sieve::default()).await?;
    let events = trail.items.iter().flat_map(|entry| &entry.events);
    let own = events.filter(|event| event.certificate == Some(id));
    let mut history: Vec<Happened> = own
        .map(|event| Happened {
            at: visit.say.moment(event.at),
            what: wording::deed(event.deed, visit.say),
            who: wording::actor(event.actor, &visit.staff, visit.say),
            why: event.reason.as_ref().map(|it| wording::reason(it.as_str(), visit.say)),
        })
        .collect();
    history.reverse();
    Ok(history)
}

pub(super) async fn shown(
    counter: &Counter,
    visit: &Visit,
    id: CertificateId,
    typed: Typed,
    faults: Faults,
    note: Option<&'static str>,
) -> Response {
    let status = faults.status();
    match certificate_page(counter, visit, id, typed, faults, note).await {
        Ok(html) => page(&html, status, visit.say),
        Err(error) => visit.undone(counter, &error),
    }
}

pub(super) async fn show(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
    arrival: Result<Query<Arrival>, QueryRejection>,
) -> Response {
    let note = arrival.ok().and_then(|Query(arrival)| arrival.done).map(|done| done.note(say));
    match asked(&counter, &headers, CERTIFICATES, id, say).await {
        Ok((visit, id)) => shown(&counter, &visit, id, Typed::default(), Faults::default(), note).await,
        Err(elsewhere) => elsewhere,
    }
}
