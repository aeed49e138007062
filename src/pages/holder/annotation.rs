//! One annotated copy: how it stands, live while it is being made; view, download, order again, revoke.

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;
use serde::Deserialize;

use crate::desk::account::own::Own;
use crate::desk::account::session::Holder;
use crate::desk::{self, DeskError};
use crate::domain::annotation::{Annotation, Cause, Failed, Phase, State as Standing};
use crate::domain::ids::AnnotationId;
use crate::domain::refusal::Refusal;
use crate::pages::assets::Assets;
use crate::pages::failure::{Failure, failure};
use crate::pages::faults::Faults;
use crate::pages::holder::certificates::{link_to, renewal_last_day};
use crate::pages::holder::checks::Checks;
use crate::pages::holder::{holder, sealed, turn_away};
use crate::pages::icons;
use crate::pages::speech::Speech;
use crate::pages::{Counter, page, see_other};

/// How an annotation stands, in the field's own words.
pub(in crate::pages) struct Told {
    pub(in crate::pages) state: String,
    pub(in crate::pages) tone: &'static str,
    pub(in crate::pages) icon: &'static str,
    pub(in crate::pages) when: String,
    pub(in crate::pages) scenario: String,
    pub(in crate::pages) recipient: Option<String>,
    pub(in crate::pages) link: String,
    pub(in crate::pages) download: Option<String>,
}

impl Told {
    /// `place` is how many are due before it, where that is known.
    pub(in crate::pages) fn of(
        annotation: &Annotation,
        place: Option<u64>,
        today: NaiveDate,
        say: Speech,
    ) -> Self {
        let phase = annotation.phase_on(today);
        let (state, tone, icon) = match phase {
            Phase::Queued | Phase::Sealing => (("证书生成中…", "Being made…"), "ochre", icons::PENDING),
            Phase::Ready => (("可以使用", "Ready to use"), "jade", icons::GENUINE),
            Phase::Expired => (("加注件已过期", "Expired"), "ochre", icons::EXPIRED),
            Phase::Revoked => (("加注件已撤销", "Revoked"), "vermilion", icons::REVOKED),
            Phase::Failed => (("证书生成失败", "Could not be made"), "vermilion", icons::UNREADABLE),
        };
        Self {
            state: say.language.pick(state.0, state.1).to_owned(),
            tone,
            icon,
            when: when(annotation, phase, place, today, say),
            scenario: if annotation.order.scenario.as_str() == "self_use" {
                say.pick("本人调用", "Self use").to_owned()
            } else {
                annotation.order.scenario.to_string()
            },
            recipient: annotation.order.recipient.as_ref().map(ToString::to_string),
            link: format!("/me/annotations/{}{}", annotation.id, say.query()),
            download: (phase == Phase::Ready).then(|| format!("/me/annotations/{}/document", annotation.id)),
        }
    }
}

/// From when to when, or when it ended, or when it will be there.
fn when(annotation: &Annotation, phase: Phase, place: Option<u64>, today: NaiveDate, say: Speech) -> String {
    let day = |day: NaiveDate| say.day(day).text;
    let zh = say.is_chinese();
    match (&annotation.state, phase) {
        (Standing::Queued(_) | Standing::Sealing(_), _) => {
            let (waiting, next) = waiting(annotation, say);
            match place {
                Some(place) if place > 0 => waiting.replace("{}", &place.to_string()),
                _ => next,
            }
        }
        (Standing::Sealed(sealed), Phase::Ready) => {
            let (until, left) =
                (sealed.intent.valid_until, (sealed.intent.valid_until - today).num_days() + 1);
            match (zh, left) {
                (true, 1) => "今天 24:00 到期".to_owned(),
                (true, left) => format!("有效至 {}，含今天还剩 {left} 天", day(until)),
                (false, 1) => "ends today at midnight".to_owned(),
                (false, left) => format!("valid until {}, {left} days left", day(until)),
            }
        }
        (Standing::Sealed(sealed), _) => {
            let (from, until) = (sealed.intent.valid_from, sealed.intent.valid_until);
            if zh {
                format!("有效期 {} 至 {}", day(from), day(until))
            } else {
                format!("was valid {} to {}", day(from), day(until))
            }
        }
        (Standing::Revoked(revoked), _) => {
            let at = say.moment(revoked.revocation.at).text;
            match (revoked.revocation.cause, zh) {
                (Cause::Withdrawn, true) => format!("{at} 撤销"),
                (Cause::Withdrawn, false) => format!("revoked {at}"),
                (Cause::CertificateEnded, true) => format!("{at} 随证书失效"),
                (Cause::CertificateEnded, false) => format!("ended with its certificate {at}"),
                (Cause::CertificateSuperseded, true) => format!("{at} 因证书更新而失效"),
                (Cause::CertificateSuperseded, false) => format!("ended with a newer certificate {at}"),
            }
        }
        (Standing::Failed(failed), _) => reason(failed, say),
    }
}

/// When a copy will be there, while so many are made before it (`{}`), and while it is the next.
fn waiting(annotation: &Annotation, say: Speech) -> (String, String) {
    let due = say.moment(annotation.order.due_at).text;
    if say.is_chinese() {
        (format!("前面还有 {{}} 份；通常几秒钟，最迟 {due} 完成"), format!("通常几秒钟，最迟 {due} 完成"))
    } else {
        (
            format!("{{}} before it; usually seconds, at the latest {due}"),
            format!("usually within seconds, at the latest {due}"),
        )
    }
}

/// What stands by itself begins with a capital.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// Why a copy could not be made, and what to do.
fn reason(failed: &Failed, say: Speech) -> String {
    // Which field it stands in is the API's to say.
    let about = failed.failure.about.as_deref().unwrap_or_default();
    let about = about.rsplit_once(": ").map_or(about, |(_, character)| character);
    match (failed.failure.code.as_str(), say.is_chinese()) {
        ("unprintable-character", true) => format!("“{about}”没有字体可以打印，请联系发证机构。"),
        ("unprintable-character", false) => format!("No face can print “{about}”; ask the issuing body."),
        ("does-not-fit", true) => "证书内容放不进版面，请联系发证机构。".to_owned(),
        ("does-not-fit", false) => "The text does not fit the page; ask the issuing body.".to_owned(),
        ("certificate-lapsed", true) => "证书在制作前已失效。".to_owned(),
        ("certificate-lapsed", false) => "The certificate lapsed before it could be made.".to_owned(),
        (_, true) => "未能在 24 小时内完成，请重新申请；名额已释放。".to_owned(),
        (_, false) => "It could not be made within a day; order again, the place is free.".to_owned(),
    }
}

/// Orders another copy with the same scenario and recipient, for the most days.
struct Renew {
    action: String,
    key: String,
    scenario: String,
    recipient: String,
    note: String,
}

#[derive(Template)]
#[template(path = "holder/annotation.html", config = "src/pages/askama.toml")]
struct AnnotationPage {
    say: Speech,
    assets: Assets,
    title: String,
    certificate: String,
    state: String,
    tone: &'static str,
    icon: &'static str,
    meaning: String,
    advice: Option<String>,
    pending: bool,
    events: String,
    /// What is said while so many are before it, in place of `{}`, and while none is.
    waiting: (String, String),
    document: Option<String>,
    renew: Option<Renew>,
    lines: Vec<(String, String, bool)>,
    link: Option<String>,
    checks: Checks,
    revocable: bool,
    revoke: String,
}

/// Whoever asks, and the annotation that the address names.
async fn asked(
    counter: &Counter,
    headers: &HeaderMap,
    id: Result<Path<String>, PathRejection>,
    say: Speech,
) -> Result<(Holder, Annotation), Response> {
    let holder = holder(counter, headers, say).await?;
    let id = id.ok().and_then(|Path(id)| id.parse::<AnnotationId>().ok());
    let id = id.ok_or_else(|| failure(Failure::NotFound, say))?;
    let annotation = counter.desk.own_annotation(&holder, id).await;
    Ok((holder, annotation.map_err(|error| turn_away(counter, &error, say))?))
}

pub(super) async fn show(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    say: Speech,
) -> Response {
    let (holder, annotation) = match asked(&counter, &headers, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match annotation_page(&counter, &holder, &annotation, say).await {
        Ok(html) => page(&html, StatusCode::OK, say),
        Err(error) => turn_away(&counter, &error, say),
    }
}

async fn annotation_page(
    counter: &Counter,
    holder: &Holder,
    annotation: &Annotation,
    say: Speech,
) -> Result<AnnotationPage, DeskError> {
    let own = counter.desk.own_certificate(holder, annotation.certificate).await?;
    let today = counter.desk.today();
    let phase = annotation.phase_on(today);
    let pending = matches!(phase, Phase::Queued | Phase::Sealing);
    let place = if pending { counter.desk.place_in_queue(annotation.id).await? } else { None };
    let told = Told::of(annotation, place, today, say);
    let advice = match phase {
        Phase::Ready => Some(say.pick("请只交给您授权的单位。", "Hand it only to whom you authorised.")),
        Phase::Expired => Some(say.pick(
            "过期后不能查看和下载，需要时请重新申请。",
            "It can no longer be viewed or downloaded; order it again if needed.",
        )),
        _ => None,
    };
    let (waiting, next) = waiting(annotation, say);
    Ok(AnnotationPage {
        say,
        assets: Assets,
        title: own.certificate.details.title.to_string(),
        certificate: link_to(own.certificate.id, say),
        meaning: sentence(&told.when),
        state: told.state,
        tone: told.tone,
        icon: told.icon,
        advice: advice.map(str::to_owned),
        pending,
        waiting: (sentence(&waiting), sentence(&next)),
        events: format!("/api/v1/me/annotations/{}/events", annotation.id),
        document: told.download,
        renew: if pending { None } else { renew(&own, annotation, today, say)? },
        lines: lines(annotation, told.scenario, told.recipient, say),
        link: (phase != Phase::Failed).then(|| format!("/v/{}{}", annotation.code, say.query())),
        checks: Checks::of(&counter.desk.checks_of_annotation(holder, annotation.id).await?, say),
        revocable: annotation.is_live_on(today),
        revoke: format!("/me/annotations/{}/revocation{}", annotation.id, say.query()),
    })
}

fn renew(
    own: &Own,
    annotation: &Annotation,
    today: NaiveDate,
    say: Speech,
) -> Result<Option<Renew>, DeskError> {
    // What cannot be printed today cannot be printed tomorrow.
    if let Standing::Failed(failed) = &annotation.state
        && failed.failure.code != "deadline-missed"
    {
        return Ok(None);
    }
    let Some(last) = renewal_last_day(own, today) else { return Ok(None) };
    let last = say.day(last).text;
    Ok(Some(Renew {
        action: format!("/me/certificates/{}/annotations{}", own.certificate.id, say.query()),
        key: URL_SAFE_NO_PAD.encode(desk::chance::<16>()?),
        scenario: annotation.order.scenario.to_string(),
        recipient: annotation.order.recipient.as_ref().map(ToString::to_string).unwrap_or_default(),
        note: if say.is_chinese() {
            format!("同样的使用场景和接收单位，有效至 {last}；占用一个新名额。")
        } else {
            format!("Same scenario and recipient, valid until {last}; takes another place.")
        },
    }))
}

fn lines(
    annotation: &Annotation,
    scenario: String,
    recipient: Option<String>,
    say: Speech,
) -> Vec<(String, String, bool)> {
    let line = |zh: &str, en: &str, value: String, mono: bool| (say.pick(zh, en).to_owned(), value, mono);
    let recipient = recipient.unwrap_or_else(|| say.pick("未指定", "Not named").to_owned());
    let mut lines = vec![
        line("使用场景", "Scenario", scenario, false),
        line("接收单位", "Recipient", recipient, false),
        line("申请时间", "Ordered at", say.moment(annotation.order.requested_at).text, false),
    ];
    if let Some(sealed) = annotation.sealed() {
        let (from, until) = (say.day(sealed.intent.valid_from).text, say.day(sealed.intent.valid_until).text);
        lines.push(line("有效期", "Valid", format!("{from} {} {until}", say.pick("至", "to")), false));
        lines.push(line("加注时间", "Annotated at", say.moment(sealed.intent.at).text, false));
    }
    lines.push(line("编号", "Code", annotation.code.grouped(), true));
    lines
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct How {
    #[serde(default)]
    view: Option<String>,
}

pub(super) async fn document(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    how: Result<Query<How>, QueryRejection>,
    say: Speech,
) -> Response {
    let (holder, annotation) = match asked(&counter, &headers, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    let view = how.is_ok_and(|Query(how)| how.view.is_some());
    match counter.desk.own_document(&holder, annotation.id).await {
        Ok(document) => sealed(document.bytes, &format!("{}.pdf", annotation.code), view),
        // Its page says how it stands.
        Err(DeskError::Refused(_)) => see_other(&format!("/me/annotations/{}{}", annotation.id, say.query())),
        Err(error) => turn_away(&counter, &error, say),
    }
}

pub(super) async fn revoke(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    say: Speech,
) -> Response {
    let (holder, annotation) = match asked(&counter, &headers, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.revoke_own(&holder, annotation.id).await {
        // Ended already: its page says so.
        Ok(_) | Err(DeskError::Refused(Refusal::AnnotationNotLive { .. })) => {
            see_other(&format!("/me/annotations/{}{}", annotation.id, say.query()))
        }
        Err(error) => match Faults::of_error(&error, say) {
            Ok(_) => failure(Failure::NotFound, say),
            Err(elsewhere) => *elsewhere,
        },
    }
}
