//! The console of the agencies' staff: search and decide, import, watch the queue, read the trail, invite colleagues, give
//! out keys. A desk first, a phone as well. What a role may not do, it is not offered; whoever is no staff finds nothing
//! here.

mod acts;
mod audit;
mod cells;
mod certificate;
mod certificates;
mod chart;
mod import;
mod keys;
mod policy;
mod queue;
mod staff;
mod tickets;
pub(super) mod wording;

use askama::Template;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::desk::account::session::StaffMember;
use crate::desk::{Caller, DeskError};
use crate::domain::ids::Malformed;
use crate::domain::key::Scope;
use crate::pages::assets::Assets;
use crate::pages::failure::{Failure, failure};
use crate::pages::faults::Faults;
use crate::pages::form::FORM_BYTES;
use crate::pages::holder::{guard_forms, is_https, turn_away};
use crate::pages::speech::Speech;
use crate::pages::{Counter, page, see_other};

pub(super) use import::Imports;

/// A part of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Section {
    path: &'static str,
    chinese: &'static str,
    english: &'static str,
    /// What its pages need.
    scope: Scope,
}

const fn section(path: &'static str, chinese: &'static str, english: &'static str, scope: Scope) -> Section {
    Section { path, chinese, english, scope }
}

const QUEUE: Section = section("/console/queue", "队列", "Queue", Scope::AnnotationsRead);
const CERTIFICATES: Section =
    section("/console/certificates", "证书", "Certificates", Scope::CertificatesRead);
const IMPORT: Section = section("/console/import", "导入", "Import", Scope::CertificatesWrite);
const TICKETS: Section = section("/console/tickets", "工单", "Tickets", Scope::TicketsWrite);
const AUDIT: Section = section("/console/audit", "审计", "Audit", Scope::AuditRead);
const STAFF: Section = section("/console/staff", "工作人员", "Staff", Scope::StaffWrite);
const KEYS: Section = section("/console/keys", "接口密钥", "API keys", Scope::KeysWrite);
const POLICY: Section = section("/console/policy", "策略与印章", "Policy and seal", Scope::CertificatesRead);

/// The navigation, in its order.
const SECTIONS: &[Section] = &[QUEUE, CERTIFICATES, IMPORT, TICKETS, AUDIT, STAFF, KEYS, POLICY];

pub(super) fn router(counter: Counter) -> Router<Counter> {
    let import = get(import::form).post(import::receive).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/console", get(home))
        .route("/console/queue", get(queue::show))
        .route("/console/certificates", get(certificates::browse).post(certificates::find_person))
        .route("/console/certificates/{id}", get(certificate::show))
        .route("/console/certificates/{id}/status", post(acts::decide))
        .route("/console/certificates/{id}/annotations", post(acts::order))
        .route("/console/certificates/{id}/document", get(acts::plain_document))
        .route("/console/annotations/{id}/document", get(acts::document))
        .route("/console/annotations/{id}/evidence", post(acts::evidence))
        .route("/console/annotations/{id}/revocation", post(acts::revoke))
        .route("/console/annotations/{id}/retry", post(queue::retry))
        .route("/console/import/{id}", get(import::show))
        .route("/console/import/{id}/progress", get(import::progress))
        .route("/console/import/{id}/refused.csv", get(import::refused_csv))
        .route("/console/import/{id}/refused.ndjson", get(import::refused_ndjson))
        .route("/console/audit", get(audit::show))
        .route("/console/audit/export.csv", get(audit::export_csv))
        .route("/console/audit/export.ndjson", get(audit::export_ndjson))
        .route("/console/keys", get(keys::list).post(keys::create))
        .route("/console/keys/{id}/revocation", post(keys::revoke))
        .route("/console/policy", get(policy::show))
        .merge(staff::router())
        .merge(tickets::router())
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .route("/console/import", import)
        .layer(from_fn_with_state(counter, guard_forms))
}

/// An entry of the navigation.
pub(super) struct Entry {
    pub(super) link: String,
    pub(super) words: &'static str,
    pub(super) here: bool,
}

/// What stands around every page: where one can go, and who one is.
pub(super) struct Shell {
    pub(super) entries: Vec<Entry>,
    pub(super) name: String,
    pub(super) role: &'static str,
    /// The one issuer whose business is shown; every issuer's where none.
    pub(super) issuer: Option<String>,
}

impl Shell {
    /// The shell of a page of a section; of a page that belongs to none, as one's own account.
    pub(super) fn of(staff: &StaffMember, here: Option<Section>, say: Speech) -> Self {
        let allowed = SECTIONS.iter().filter(|section| staff.caller().needs(section.scope).is_ok());
        let entry = |section: &Section| Entry {
            link: format!("{}{}", section.path, say.query()),
            words: say.language.pick(section.chinese, section.english),
            here: Some(*section) == here,
        };
        Self {
            entries: allowed.map(entry).collect(),
            name: staff.who().account().name.to_string(),
            role: wording::role(staff.post().role, say),
            issuer: staff.post().issuer.map(|issuer| issuer.to_string()),
        }
    }
}

/// A staff member on a page that their role may see.
struct Visit {
    staff: StaffMember,
    shell: Shell,
    say: Speech,
}

impl Visit {
    fn caller(&self) -> &Caller {
        self.staff.caller()
    }

    fn may(&self, scope: Scope) -> bool {
        self.caller().needs(scope).is_ok()
    }

    /// The page for what the desk did not do.
    fn undone(&self, counter: &Counter, error: &DeskError) -> Response {
        match error {
            DeskError::Forbidden(_) => self.forbidden(),
            DeskError::Refused(refusal) => self.refused(&Faults::of_refusal(refusal, self.say)),
            error => turn_away(counter, error, self.say),
        }
    }

    fn forbidden(&self) -> Response {
        let say = self.say;
        let words = [
            ("没有这项权限", "Not part of your role"),
            (
                "您的角色不能使用这一部分。需要时请管理员调整您的角色。",
                "Your role has no use of this part. If you need it, ask an administrator to change your role.",
            ),
        ];
        self.said(words.map(|(zh, en)| say.language.pick(zh, en).to_owned()), StatusCode::FORBIDDEN)
    }

    /// What was pressed on another page was refused by a rule.
    fn refused(&self, faults: &Faults) -> Response {
        let heading = self.say.pick("没有办成", "It was not done").to_owned();
        let why = faults.general().or(faults.first()).unwrap_or_default().to_owned();
        self.said([heading, why], StatusCode::CONFLICT)
    }

    fn said(&self, [heading, meaning]: [String; 2], status: StatusCode) -> Response {
        let html = SaidPage { say: self.say, assets: Assets, shell: &self.shell, heading, meaning };
        page(&html, status, self.say)
    }
}

#[derive(Template)]
#[template(path = "console/said.html", config = "src/pages/askama.toml")]
struct SaidPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    heading: String,
    meaning: String,
}

/// Lets staff in whose role has the section's scope. Nobody is led to the log-in; a holder finds no such page.
async fn admit(
    counter: &Counter,
    headers: &HeaderMap,
    section: Section,
    say: Speech,
) -> Result<Visit, Response> {
    let Some(token) = crate::http::cookie::token(headers, is_https(counter)) else {
        return Err(see_other(&format!("/login{}", say.query())));
    };
    let staff = counter.desk.staff_member(token).await.map_err(|error| turn_away(counter, &error, say))?;
    let visit = Visit { shell: Shell::of(&staff, Some(section), say), staff, say };
    if visit.may(section.scope) { Ok(visit) } else { Err(visit.forbidden()) }
}

/// What an address holds where it names something.
type Id = Result<Path<String>, PathRejection>;

/// A staff member who asks a section for what an address names; what is no name of ours names nothing.
async fn asked<T: std::str::FromStr<Err = Malformed>>(
    counter: &Counter,
    headers: &HeaderMap,
    section: Section,
    id: Id,
    say: Speech,
) -> Result<(Visit, T), Response> {
    let visit = admit(counter, headers, section, say).await?;
    let id = id.ok().and_then(|Path(id)| id.parse().ok());
    Ok((visit, id.ok_or_else(|| failure(Failure::NotFound, say))?))
}

async fn home(
    axum::extract::State(counter): axum::extract::State<Counter>,
    headers: HeaderMap,
    say: Speech,
) -> Response {
    match admit(&counter, &headers, QUEUE, say).await {
        Ok(_) => see_other(&format!("{}{}", QUEUE.path, say.query())),
        Err(elsewhere) => elsewhere,
    }
}

/// A file to keep.
fn attachment(body: impl Into<axum::body::Body>, kind: &'static str, name: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(format!("attachment; filename=\"{name}\""))
                .unwrap_or(HeaderValue::from_static("attachment")),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, body.into()).into_response()
}
