//! What waits (待办事项), what was filed (历史申报), messages (我的消息), the operation log (操作轨迹), and counts for authorities.

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::record::Fields;
use crate::desk::registration::filing::CaseView;
use crate::desk::registration::lists::{CaseMessage, Stretch};
use crate::domain::ids::CaseId;
use crate::domain::language::Language;
use crate::domain::query::Page;
use crate::domain::refusal::FieldFault;
use crate::http::body::Nothing;
use crate::http::language::Speaks;
use crate::http::me::{Log, LogQuestion};
use crate::http::params::{Asked, Span};
use crate::http::problem::Problem;
use crate::http::registration::Registrar;
use crate::http::registration::case_shape::CaseMentionShape;
use crate::http::registration::regimes::say;
use crate::http::shapes::Moment;
use crate::http::words::{ActWord, SeatWord};
use crate::http::{Api, Shared};
use crate::registration::query::{CaseCount, CaseQuery};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(read_todo))
        .routes(routes!(read_history))
        .routes(routes!(read_messages))
        .routes(routes!(read_case_log))
        .routes(routes!(read_statistics))
}

/// Which cases of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CasesAsked {
    /// Of this regime.
    regime: Option<String>,
    /// What `next_cursor` of the page before said.
    cursor: Option<String>,
    /// 1 to 500 cases; 50 where it is not said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// Where a list of cases goes on: the due day of its last case, where it has one, and its name.
struct Cursor(Option<NaiveDate>, CaseId);

impl std::str::FromStr for Cursor {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let bad = FieldFault::NotAName;
        let (day, id) = text.split_once('~').ok_or(bad.clone())?;
        let day = if day.is_empty() { None } else { Some(day.parse().map_err(|_| bad.clone())?) };
        Ok(Self(day, id.parse().map_err(|_| bad)?))
    }
}

fn print(view: &CaseView) -> String {
    let (day, id) = CaseQuery::cursor(&view.case);
    format!("{}~{id}", day.map(|day| day.to_string()).unwrap_or_default())
}

impl CasesAsked {
    fn parse(&self) -> Result<Stretch, Problem> {
        let mut fields = Fields::default();
        let span = Span::<Cursor>::parse(&mut fields, self.cursor.as_deref(), self.limit.as_deref());
        let regime = self.regime.as_deref().map(|text| text.parse().map_err(|_| FieldFault::NotAName));
        let regime = regime.and_then(|regime| fields.take("regime", regime));
        let after = span.after.map(|Cursor(day, id)| (day, id));
        Ok(fields.finish(Some(Stretch { regime, after, limit: span.limit }))?)
    }
}

/// Cases.
#[derive(Debug, Serialize, ToSchema)]
struct CaseList {
    /// The cases.
    items: Vec<CaseMentionShape>,
    /// Where the next page begins; null on the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl CaseList {
    fn of(
        api: &Api,
        registrar: &Registrar,
        page: &Page<CaseView>,
        language: Language,
    ) -> Result<Self, Problem> {
        let next_cursor = page.items.last().filter(|_| page.more).map(print);
        let shown = |view| CaseMentionShape::of(api, &registrar.who, view, language);
        Ok(Self { items: page.items.iter().map(shown).collect::<Result<_, _>>()?, next_cursor })
    }
}

/// What others did with one's cases.
#[derive(Debug, Serialize, ToSchema)]
struct MessageList {
    /// Newest first.
    items: Vec<MessageShape>,
}

/// What somebody else did with a case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseMessage)]
struct MessageShape {
    /// Which case.
    case_id: String,
    /// Its regime.
    regime: String,
    /// Its business type.
    #[serde(rename = "type")]
    business: String,
    /// Its specialty.
    specialty: String,
    /// What was done.
    #[schema(value_type = ActWord)]
    act: &'static str,
    /// In whose place.
    #[schema(value_type = SeatWord)]
    actor: &'static str,
    /// What that is called.
    actor_name: &'static str,
    /// When.
    at: Moment,
    /// Why.
    #[schema(required)]
    opinion: Option<String>,
}

impl MessageShape {
    fn of(message: &CaseMessage, language: Language) -> Self {
        let CaseMessage { case, subject, done } = message;
        Self {
            case_id: case.to_string(),
            regime: subject.regime.to_string(),
            business: subject.business.to_string(),
            specialty: subject.specialty.to_string(),
            act: done.act.word(),
            actor: done.seat.word(),
            actor_name: done.seat.shown().text(language),
            at: Moment(done.at),
            opinion: done.opinion.as_ref().map(ToString::to_string),
        }
    }
}

/// How many cases wait for an authority.
#[derive(Debug, Serialize, ToSchema)]
struct Statistics {
    /// By regime, business type and stage.
    items: Vec<CountShape>,
}

/// How many cases of a kind wait.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CaseCount)]
struct CountShape {
    /// The regime.
    regime: String,
    /// The business type.
    #[serde(rename = "type")]
    business: String,
    /// The stage.
    #[schema(required)]
    stage: Option<String>,
    /// What it is called.
    #[schema(required)]
    stage_name: Option<String>,
    /// How many.
    count: u64,
    /// How many of them were due before today.
    overdue: u64,
}

impl CountShape {
    fn of(api: &Api, count: &CaseCount, language: Language) -> Self {
        let regime = api.desk.regimes().regime(&count.regime);
        let mut businesses = regime.into_iter().flat_map(|regime| &regime.businesses);
        let business = businesses.find(|business| business.id == count.business);
        let stage = business.zip(count.stage.as_ref()).and_then(|(business, id)| business.chain.stage(id));
        Self {
            regime: count.regime.to_string(),
            business: count.business.to_string(),
            stage: count.stage.as_ref().map(ToString::to_string),
            stage_name: stage.map(|stage| say(&stage.name, language)),
            count: count.count,
            overdue: count.overdue,
        }
    }
}

/// The cases that wait for whoever asks (待办事项), the most urgent first.
#[utoipa::path(
    get, path = "/api/v1/registration/todo", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(CasesAsked),
    responses((status = 200, description = "A page of cases", body = CaseList)),
)]
async fn read_todo(
    State(api): State<Shared>,
    registrar: Registrar,
    Speaks(language): Speaks,
    Asked(asked): Asked<CasesAsked>,
) -> Result<Json<CaseList>, Problem> {
    let page = api.desk.todo(&registrar.who, asked.parse()?).await?;
    Ok(Json(CaseList::of(&api, &registrar, &page, language)?))
}

/// The cases that whoever asks had to do with and that wait for somebody else or for nobody (历史申报).
#[utoipa::path(
    get, path = "/api/v1/registration/history", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(CasesAsked),
    responses((status = 200, description = "A page of cases", body = CaseList)),
)]
async fn read_history(
    State(api): State<Shared>,
    registrar: Registrar,
    Speaks(language): Speaks,
    Asked(asked): Asked<CasesAsked>,
) -> Result<Json<CaseList>, Problem> {
    let page = api.desk.filed(&registrar.who, asked.parse()?).await?;
    Ok(Json(CaseList::of(&api, &registrar, &page, language)?))
}

/// What others did with one's cases (我的消息), newest first: the act, the opinion, the time.
#[utoipa::path(
    get, path = "/api/v1/registration/messages", tag = "registration",
    security(("session" = []), ("session_cookie" = [])),
    responses((status = 200, description = "The messages", body = MessageList)),
)]
async fn read_messages(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<MessageList>, Problem> {
    let messages = api.desk.case_messages(&who).await?;
    Ok(Json(MessageList { items: messages.iter().map(|one| MessageShape::of(one, language)).collect() }))
}

/// The operation log (操作轨迹), oldest first: the same as `/api/v1/me/log`.
#[utoipa::path(
    get, path = "/api/v1/registration/log", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(LogQuestion),
    responses((status = 200, description = "A page of the log", body = Log)),
)]
async fn read_case_log(
    State(api): State<Shared>,
    Registrar { session, .. }: Registrar,
    Asked(question): Asked<LogQuestion>,
) -> Result<Json<Log>, Problem> {
    Ok(Json(Log::read(&api, &session, &question).await?))
}

/// How many cases wait for the authority that asks, by regime, business type and stage.
#[utoipa::path(
    get, path = "/api/v1/registration/statistics", tag = "registration",
    security(("session" = []), ("session_cookie" = [])),
    responses((status = 200, description = "The counts", body = Statistics)),
)]
async fn read_statistics(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Statistics>, Problem> {
    let counts = api.desk.case_statistics(&who).await?;
    Ok(Json(Statistics { items: counts.iter().map(|count| CountShape::of(&api, count, language)).collect() }))
}
