//! The holder's certificates: the list, and each with its copies and the form that orders another.

use askama::Template;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;
use serde::Deserialize;

use crate::desk::account::own::Own;
use crate::desk::account::session::Holder;
use crate::desk::order::OrderForm;
use crate::desk::{self, Idempotency};
use crate::domain::annotation::{Phase, REMINDERS};
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, Standing, Status};
use crate::domain::ids::CertificateId;
use crate::domain::refusal::FieldFault;
use crate::pages::assets::Assets;
use crate::pages::failure::{Failure, failure};
use crate::pages::faults::Faults;
use crate::pages::holder::annotation::Told;
use crate::pages::holder::checks::Checks;
use crate::pages::holder::{holder, own_home, sealed, turn_away};
use crate::pages::shown::Meter;
use crate::pages::speech::Speech;
use crate::pages::wording::status_word;
use crate::pages::{Counter, page, see_other};

/// The colour of a status.
pub(in crate::pages) fn tone_of(status: Status) -> &'static str {
    match status {
        Status::Valid => "jade",
        Status::Suspended | Status::Lapsed | Status::Superseded => "ochre",
        Status::Revoked | Status::Cancelled => "vermilion",
    }
}

pub(super) fn link_to(id: CertificateId, say: Speech) -> String {
    format!("/me/certificates/{id}{}", say.query())
}

// ---- the list -------------------------------------------------------------------------------------------------------

/// A certificate in the list.
struct Card {
    title: String,
    specialty: Option<String>,
    management_no: String,
    status: &'static str,
    tone: &'static str,
    copy: String,
    copy_tone: &'static str,
    meter: Option<Meter>,
    download: Option<String>,
    link: String,
    act: String,
}

#[derive(Template)]
#[template(path = "holder/certificates.html", config = "src/pages/askama.toml")]
struct ListPage {
    say: Speech,
    assets: Assets,
    id_masked: String,
    lead: String,
    soon: Option<String>,
    cards: Vec<Card>,
}

impl Card {
    fn of(own: &Own, today: NaiveDate, say: Speech) -> Self {
        let details = &own.certificate.details;
        let status = own.certificate.status_on(today);
        let phase = own.phase_on(today);
        let shown = own.annotations.iter().find(|annotation| Some(annotation.phase_on(today)) == phase);
        let told = shown.map(|annotation| Told::of(annotation, None, today, say));
        let (copy, copy_tone) = match &told {
            Some(told) => (format!("{} · {}", told.state, told.when), told.tone),
            None if status != Status::Valid => {
                (status_note(status, say).unwrap_or_default(), tone_of(status))
            }
            None if own.exempt => (
                say.pick(
                    "目前暂无须加注，可直接下载。",
                    "No annotation needed for now: download it directly.",
                )
                .to_owned(),
                "slate",
            ),
            None => (
                say.pick(
                    "尚未加注，申请后方可查看和下载。",
                    "Not annotated yet: order first, then view and download.",
                )
                .to_owned(),
                "slate",
            ),
        };
        let plain = own.exempt && status == Status::Valid;
        let download = match (phase, shown) {
            (Some(Phase::Ready), Some(annotation)) => {
                Some(format!("/me/annotations/{}/document", annotation.id))
            }
            _ if plain => Some(format!("/me/certificates/{}/document", own.certificate.id)),
            _ => None,
        };
        let act = match status {
            Status::Valid if own.places.left > 0 => say.pick("申请证书加注", "Order a copy"),
            _ => say.pick("查看详情", "Details"),
        };
        Self {
            title: details.title.to_string(),
            specialty: details.specialty.as_ref().map(ToString::to_string),
            management_no: details.management_no.to_string(),
            status: status_word(status, say.language),
            tone: tone_of(status),
            copy,
            copy_tone,
            meter: shown.filter(|_| phase == Some(Phase::Ready)).and_then(|annotation| {
                let intent = &annotation.sealed()?.intent;
                let total = (intent.valid_until - intent.valid_from).num_days() + 1;
                Some(Meter { left: ((intent.valid_until - today).num_days() + 1).min(total), total })
            }),
            download,
            link: link_to(own.certificate.id, say),
            act: act.to_owned(),
        }
    }
}

/// What is said of copies that expire soon.
fn soon<'a>(own: impl Iterator<Item = &'a Own>, today: NaiveDate, say: Speech) -> Option<String> {
    let within = REMINDERS.into_iter().max()?;
    let last = calendar::plus_days(today, within);
    let ready = own
        .filter(|own| own.certificate.status_on(today) == Status::Valid)
        .flat_map(|own| &own.annotations)
        .filter(|annotation| annotation.phase_on(today) == Phase::Ready);
    let ends = ready.filter_map(|annotation| Some(annotation.sealed()?.intent.valid_until));
    let ends: Vec<NaiveDate> = ends.filter(|end| *end <= last).collect();
    let first = say.day(*ends.iter().min()?).text;
    Some(match (say.is_chinese(), ends.len()) {
        (true, count) => {
            format!(
                "有 {count} 份加注件将在 {within} 天内到期，最早为 {first}。如需继续使用，请重新申请加注。"
            )
        }
        (false, 1) => {
            format!("One copy expires within {within} days, on {first}. Order again if you go on using it.")
        }
        (false, count) => format!(
            "{count} copies expire within {within} days, the first on {first}. Order again if you go on using them."
        ),
    })
}

pub(super) async fn list(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    let holder = match holder(&counter, &headers, say).await {
        Ok(holder) => holder,
        Err(elsewhere) => return own_home(&counter, &headers, say, elsewhere).await,
    };
    let own = match counter.desk.own_certificates(&holder).await {
        Ok(own) => own,
        Err(error) => return turn_away(&counter, &error, say),
    };
    let today = counter.desk.today();
    // Old versions are reached from the new ones' history; here they would only be in the way.
    let current =
        || own.iter().filter(|own| !matches!(own.certificate.standing, Standing::Superseded { .. }));
    let cards: Vec<Card> = current().map(|own| Card::of(own, today, say)).collect();
    let lead = match (say.is_chinese(), cards.len()) {
        (true, count) => format!("{count} 本证书。加注后方可查看和下载，超过有效期需重新加注。"),
        (false, 1) => {
            "One certificate. View and download it as an annotated copy, within its validity.".to_owned()
        }
        (false, count) => {
            format!(
                "{count} certificates. View and download them as annotated copies, within their validity."
            )
        }
    };
    let id_masked = holder.account().owner.login_masked();
    page(
        &ListPage { say, assets: Assets, id_masked, lead, soon: soon(current(), today, say), cards },
        StatusCode::OK,
        say,
    )
}

// ---- one certificate ------------------------------------------------------------------------------------------------

/// The form that orders an annotation.
struct OrderPart {
    open: bool,
    places: String,
    dots: Vec<bool>,
    action: String,
    key: String,
    scenarios: Vec<(String, String)>,
    scenario: String,
    how: &'static str,
    most: String,
    until: String,
    first: String,
    last: String,
    recipient: String,
}

#[derive(Template)]
#[template(path = "holder/certificate.html", config = "src/pages/askama.toml")]
struct CertificatePage {
    say: Speech,
    assets: Assets,
    here: String,
    title: String,
    status: &'static str,
    tone: &'static str,
    status_note: Option<String>,
    copies: Vec<Told>,
    plain: Option<String>,
    order: Option<OrderPart>,
    faults: Faults,
    lines: Vec<(String, String, bool)>,
    /// Of the certificate itself; its copies have their own.
    checks: Option<Checks>,
}

/// What was typed into the form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    key: String,
    scenario: String,
    how: String,
    until: String,
    recipient: String,
}

impl OrderPart {
    fn of(own: &Own, typed: &Typed, today: NaiveDate, key: String, say: Speech) -> Self {
        let policy = &own.policy;
        let left = own.places.left;
        let last = policy.last_day(&own.certificate, today, policy.default_days).unwrap_or(today);
        let days = (last - today).num_days() + 1;
        let date = |day: NaiveDate| say.day(day).text;
        let most = if say.is_chinese() {
            format!("{days} 天，到 {}（建议）", date(last))
        } else {
            format!("{days} days, until {} (proposed)", date(last))
        };
        let furthest = policy.last_day(&own.certificate, today, policy.max_days).unwrap_or(today);
        Self {
            open: left > 0,
            places: places(own, say),
            dots: (0..policy.quota).map(|place| place < policy.quota.saturating_sub(left)).collect(),
            action: format!("/me/certificates/{}/annotations{}", own.certificate.id, say.query()),
            key,
            scenarios: policy
                .scenarios
                .iter()
                .map(|scenario| {
                    (scenario.key.to_string(), say.pick(&scenario.chinese, &scenario.english).to_owned())
                })
                .collect(),
            scenario: typed.scenario.clone(),
            how: if typed.how == "until" { "until" } else { "most" },
            most,
            until: typed.until.clone(),
            first: today.to_string(),
            last: furthest.to_string(),
            recipient: typed.recipient.clone(),
        }
    }
}

/// How many more may be ordered, and when the next place falls free: said before anything is sent.
fn places(own: &Own, say: Speech) -> String {
    let (left, quota) = (own.places.left, own.policy.quota);
    match (left, own.places.next_free_on, say.is_chinese()) {
        (0, Some(day), true) => format!(
            "{quota} 个名额已用完，下一个将于 {} 释放；也可以撤销不再需要的加注件。",
            say.day(day).text
        ),
        (0, Some(day), false) => {
            format!(
                "All {quota} places are taken; the next falls free on {}, or when you revoke a copy.",
                say.day(day).text
            )
        }
        (0, None, true) => format!("{quota} 个名额已用完；可以撤销不再需要的加注件。"),
        (0, None, false) => format!("All {quota} places are taken; revoke a copy that is no longer needed."),
        (left, _, true) => format!("还可加注 {left} 次，共 {quota} 次"),
        (left, _, false) => format!("{left} of {quota} places left"),
    }
}

/// Why a certificate can be neither annotated nor used.
fn status_note(status: Status, say: Speech) -> Option<String> {
    (status != Status::Valid).then(|| {
        let refusal = crate::domain::refusal::Refusal::CertificateNotValid { status };
        refusal.detail(say.language)
    })
}

fn lines(certificate: &Certificate, say: Speech) -> Vec<(String, String, bool)> {
    let details = &certificate.details;
    let day = |day: NaiveDate| say.day(day).text;
    let line = |zh: &str, en: &str, value: String, mono: bool| (say.pick(zh, en).to_owned(), value, mono);
    let mut lines = vec![
        line("证书名称", "Certificate", details.title.to_string(), false),
        line("姓名", "Name", details.holder.name.to_string(), false),
        line("证件号码", "Identity no.", details.holder.id.masked(), true),
    ];
    lines.extend(details.level.as_ref().map(|level| line("级别", "Level", level.to_string(), false)));
    lines.extend(details.specialty.as_ref().map(|it| line("专业", "Specialty", it.to_string(), false)));
    lines.push(line("发证机构", "Issuer", details.issuer.name.to_string(), false));
    lines.push(line("批准日期", "Approved on", day(details.approved_on), false));
    lines.push(line("签发日期", "Issued on", day(details.issued_on), false));
    lines.extend(details.valid_until.map(|until| line("有效期至", "Valid until", day(until), false)));
    lines.push(line("管理号", "Management no.", details.management_no.to_string(), true));
    lines.push(line("证照标识", "Licence id", certificate.licence_id.to_string(), true));
    lines
}

async fn certificate_page(
    counter: &Counter,
    holder: &Holder,
    own: &Own,
    typed: &Typed,
    faults: Faults,
    say: Speech,
) -> Response {
    let today = counter.desk.today();
    let status = own.certificate.status_on(today);
    // Pressing twice is ordering once: the form carries the name of its order.
    let key = match desk::chance::<16>() {
        Ok(chance) => URL_SAFE_NO_PAD.encode(chance),
        Err(fault) => return turn_away(counter, &fault.into(), say),
    };
    let valid = status == Status::Valid;
    let checks = match counter.desk.checks_of_certificate(holder, own.certificate.id).await {
        Ok(tallies) => (!tallies.is_empty()).then(|| Checks::of(&tallies, say)),
        Err(error) => return turn_away(counter, &error, say),
    };
    let code = faults.status();
    let html = CertificatePage {
        say,
        assets: Assets,
        here: format!("/me/certificates/{}", own.certificate.id),
        title: own.certificate.details.title.to_string(),
        status: status_word(status, say.language),
        tone: tone_of(status),
        status_note: status_note(status, say),
        copies: own.annotations.iter().map(|annotation| Told::of(annotation, None, today, say)).collect(),
        plain: (own.exempt && valid).then(|| format!("/me/certificates/{}/document", own.certificate.id)),
        order: valid.then(|| OrderPart::of(own, typed, today, key, say)),
        faults,
        lines: lines(&own.certificate, say),
        checks,
    };
    let response = page(&html, code, say);
    html.faults.dress(response)
}

/// Whoever asks, and the certificate that the address names.
async fn asked(
    counter: &Counter,
    headers: &HeaderMap,
    id: Result<Path<String>, PathRejection>,
    say: Speech,
) -> Result<(Holder, Own), Response> {
    let holder = holder(counter, headers, say).await?;
    let id = id.ok().and_then(|Path(id)| id.parse::<CertificateId>().ok());
    let id = id.ok_or_else(|| failure(Failure::NotFound, say))?;
    let own = counter.desk.own_certificate(&holder, id).await;
    Ok((holder, own.map_err(|error| turn_away(counter, &error, say))?))
}

pub(super) async fn show(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    say: Speech,
) -> Response {
    match asked(&counter, &headers, id, say).await {
        Ok((holder, own)) => {
            certificate_page(&counter, &holder, &own, &Typed::default(), Faults::default(), say).await
        }
        Err(elsewhere) => elsewhere,
    }
}

pub(super) async fn order(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    say: Speech,
    sent: Result<Form<Typed>, FormRejection>,
) -> Response {
    let (holder, own) = match asked(&counter, &headers, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    let typed = sent.map(|Form(typed)| typed).unwrap_or_default();
    let (form, idempotency) = match parse(&typed, &own, counter.desk.today(), say) {
        Ok(parsed) => parsed,
        Err(faults) => return certificate_page(&counter, &holder, &own, &typed, faults, say).await,
    };
    match counter.desk.order_own(&holder, own.certificate.id, form, idempotency).await {
        Ok(ordered) => see_other(&format!("/me/annotations/{}{}", ordered.annotation.id, say.query())),
        Err(error) => match Faults::of_error(&error, say) {
            Ok(faults) => certificate_page(&counter, &holder, &own, &typed, faults, say).await,
            Err(elsewhere) => *elsewhere,
        },
    }
}

fn parse(
    typed: &Typed,
    own: &Own,
    today: NaiveDate,
    say: Speech,
) -> Result<(OrderForm, Option<Idempotency>), Faults> {
    let scenario = typed.scenario.parse().map_err(|fault| Faults::field("scenario", &fault, say))?;
    let recipient = match typed.recipient.trim() {
        "" => None,
        recipient => Some(recipient.parse().map_err(|fault| Faults::field("recipient", &fault, say))?),
    };
    let days = if typed.how == "until" {
        let until = typed.until.parse::<NaiveDate>();
        let until = until.map_err(|_| Faults::field("days", &FieldFault::NotADay, say))?;
        let days = (until - today).num_days() + 1;
        u32::try_from(days).map_err(|_| Faults::said("days", past(say).to_owned()))?
    } else {
        own.policy.default_days
    };
    let form = OrderForm { scenario, days, recipient, on_behalf_reason: None };
    let request =
        [own.certificate.id.to_string(), typed.scenario.clone(), days.to_string(), typed.recipient.clone()];
    let request: Vec<&[u8]> = request.iter().map(String::as_bytes).collect();
    // A form without a name of its order is an order all the same.
    Ok((form, Idempotency::parse(&typed.key, &request).ok()))
}

fn past(say: Speech) -> &'static str {
    say.language.pick("这一天已经过去，请选择今天或以后的日期。", "That day is over; choose today or later.")
}

pub(super) async fn plain_document(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    say: Speech,
) -> Response {
    let (holder, own) = match asked(&counter, &headers, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.own_plain_document(&holder, own.certificate.id).await {
        Ok(document) => sealed(document.bytes, "certificate.pdf", false),
        Err(error) => match Faults::of_error(&error, say) {
            Ok(faults) => certificate_page(&counter, &holder, &own, &Typed::default(), faults, say).await,
            Err(elsewhere) => *elsewhere,
        },
    }
}

/// The day after which an order of the most days would end, for the button that orders again.
pub(super) fn renewal_last_day(own: &Own, today: NaiveDate) -> Option<NaiveDate> {
    let status = own.certificate.status_on(today);
    (status == Status::Valid && own.places.left > 0)
        .then(|| own.policy.last_day(&own.certificate, today, own.policy.default_days))
        .flatten()
        .filter(|last| *last >= calendar::plus_days(today, 0))
}
