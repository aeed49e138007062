//! Tools of development: keys without ceremony, a clock that is moved by hand, the messages that would have been sent,
//! reminders at once.
//! Production has none of these routes.

mod accounts;
pub mod registration;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::MovableClock;
use crate::desk::record::Fields;
use crate::desk::reminder::Round;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::http::body::{MaybeSent, Nothing, Sent};
use crate::http::development::registration::ToldRegistries;
use crate::http::keys::{self, NewKeyShape};
use crate::http::params::Asked;
use crate::http::problem::Problem;
use crate::http::shapes::Moment;
use crate::http::words::KeyScope;
use crate::http::{Api, Shared};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create_development_key))
        .routes(routes!(move_clock))
        .routes(routes!(read_outbox))
        .routes(routes!(send_reminders))
        .merge(accounts::router())
        .merge(registration::router())
        .routes(routes!(reset_store))
}

/// What the routes of development work with.
#[derive(Clone, Debug)]
pub struct Development {
    /// The service's clock.
    pub clock: Arc<dyn MovableClock>,
    /// Messages that would have been sent.
    pub outbox: Arc<Outbox>,
    /// Registers of others, which answer as they are told.
    pub registries: Arc<ToldRegistries>,
}

impl Development {
    /// Tools around a clock, the outbox that messages are put into, and the registers of others.
    pub fn new(clock: Arc<dyn MovableClock>, outbox: Arc<Outbox>, registries: Arc<ToldRegistries>) -> Self {
        Self { clock, outbox, registries }
    }
}

/// The last messages that would have been sent, in memory.
#[derive(Debug, Default)]
pub struct Outbox {
    messages: Mutex<VecDeque<Message>>,
}

/// Most messages kept.
const KEPT: usize = 1_000;

/// A message that would have been sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// To whom: a mobile number, an e-mail address, `captcha:<id>`.
    pub to: String,
    /// What it is, as `sign_up`, `reminder` or `ticket_answered`.
    pub kind: String,
    /// The code, the answer, or what the message says.
    pub value: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl std::fmt::Debug for Message {
    /// Addresses and codes are not for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message(…)")
    }
}

impl Outbox {
    /// Keeps a message; the oldest makes room.
    pub fn push(&self, message: Message) {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if messages.len() == KEPT {
            messages.pop_front();
        }
        messages.push_back(message);
    }

    /// The messages to somebody, or all, newest first.
    pub fn messages(&self, to: Option<&str>) -> Vec<Message> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.iter().rev().filter(|message| to.is_none_or(|to| message.to == to)).cloned().collect()
    }

    fn clear(&self) {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The tools; without them these routes do not exist.
fn tools(api: &Api) -> Result<&Development, Problem> {
    api.development.as_ref().ok_or(Problem::NotFound)
}

/// What a key may do, and for whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DevelopmentKeyForm {
    /// Scopes; `*` for all.
    #[schema(value_type = Vec<KeyScope>)]
    scopes: Vec<String>,
    /// Credit code of the issuer that it acts for; `*` for all.
    issuer: String,
}

/// How the clock moves: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClockForm {
    /// Forwards by an ISO 8601 duration of weeks, days, hours, minutes and seconds, as `P1D` or `PT1H30M`.
    #[serde(default)]
    advance: Option<String>,
    /// To a moment, RFC 3339 with offset.
    #[serde(default)]
    #[schema(format = DateTime)]
    set: Option<String>,
}

/// What the clock shows.
#[derive(Debug, Serialize, ToSchema)]
struct ClockFace {
    /// The moment, from which it runs on.
    now: Moment,
}

/// Whose messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct OutboxQuestion {
    /// A mobile number, an e-mail address, `captcha:<id>`.
    to: Option<String>,
}

/// Messages that would have been sent, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct Messages {
    /// The messages.
    items: Vec<MessageShape>,
}

/// A message that would have been sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
struct MessageShape {
    /// To whom.
    to: String,
    /// What it is.
    kind: String,
    /// The code, the answer, or what the message says.
    value: String,
    /// When.
    at: Moment,
}

/// Makes a key.
#[utoipa::path(
    post, path = "/dev/keys", tag = "development", request_body = DevelopmentKeyForm,
    responses((status = 200, description = "The key", body = NewKeyShape)),
)]
async fn create_development_key(
    State(api): State<Shared>,
    Sent { form, .. }: Sent<DevelopmentKeyForm>,
) -> Result<Json<NewKeyShape>, Problem> {
    tools(&api)?;
    let mut fields = Fields::default();
    let rights = keys::parse(&mut fields, &form.scopes, &form.issuer);
    let label = fields.parse("label", "development");
    let ((scopes, issuer), label) = fields.finish(rights.zip(label))?;
    Ok(Json(api.desk.create_key(&api.desk.operator(), scopes, issuer, label).await?.into()))
}

/// Moves the clock, which runs on from there.
#[utoipa::path(
    post, path = "/dev/clock", tag = "development", request_body = ClockForm,
    responses((status = 200, description = "What it shows now", body = ClockFace)),
)]
async fn move_clock(
    State(api): State<Shared>,
    Sent { form, .. }: Sent<ClockForm>,
) -> Result<Json<ClockFace>, Problem> {
    let clock = &tools(&api)?.clock;
    let to = match (form.advance.as_deref(), form.set.as_deref()) {
        (Some(text), None) => {
            let wrong = || Refusal::field("advance", FieldFault::WrongKind("P1D, PT1H30M …".to_owned()));
            let later = duration(text).and_then(|by| clock.now().checked_add_signed(by));
            later.filter(|to| fits(*to)).ok_or_else(wrong)?
        }
        (None, Some(text)) => {
            let wrong = || Refusal::field("set", FieldFault::WrongKind("RFC 3339".to_owned()));
            let moment = DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc());
            moment.filter(|to| fits(*to)).ok_or_else(wrong)?
        }
        (None, None) => return Err(Problem::field("advance", FieldFault::Missing)),
        (Some(_), Some(_)) => return Err(Problem::field("set", FieldFault::UnknownField)),
    };
    clock.set(to);
    Ok(Json(ClockFace { now: Moment(api.desk.now()) }))
}

/// Years of four digits, for days are printed so.
fn fits(at: DateTime<Utc>) -> bool {
    (1970..=9000).contains(&chrono::Datelike::year(&at))
}

/// An ISO 8601 duration of weeks, days, hours, minutes and seconds. Years and months have no fixed length: none.
fn duration(text: &str) -> Option<TimeDelta> {
    let text = text.strip_prefix('P')?;
    let (date, time) = match text.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (text, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let date = components(date, &[('W', 604_800), ('D', 86_400)])?;
    let time = components(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
    TimeDelta::try_seconds(date.checked_add(time)?)
}

/// The seconds of components as `3H20M`, each unit at most once and in order.
fn components(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut seconds = 0_i64;
    let mut units = units.iter();
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = text[..end].parse().ok()?;
        let unit = text[end..].chars().next()?;
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        seconds = seconds.checked_add(number.checked_mul(*length)?)?;
        text = &text[end + 1..];
    }
    Some(seconds)
}

/// The last messages that would have been sent.
#[utoipa::path(
    get, path = "/dev/outbox", tag = "development", params(OutboxQuestion),
    responses((status = 200, description = "The messages", body = Messages)),
)]
async fn read_outbox(
    State(api): State<Shared>,
    Asked(question): Asked<OutboxQuestion>,
) -> Result<Json<Messages>, Problem> {
    let messages = tools(&api)?.outbox.messages(question.to.as_deref()).into_iter();
    let shape = |Message { to, kind, value, at }| MessageShape { to, kind, value, at: Moment(at) };
    Ok(Json(Messages { items: messages.map(shape).collect() }))
}

/// What a round of reminders came to.
#[derive(Debug, Serialize, ToSchema)]
struct RoundShape {
    /// Reminders sent.
    sent: u64,
    /// Reminders that could not be sent.
    lost: u64,
}

/// Sends the reminders that are due, as workers do once an hour by the real time.
#[utoipa::path(
    post, path = "/dev/reminders", tag = "development", request_body = Option<Nothing>,
    responses((status = 200, description = "What became of it", body = RoundShape)),
)]
async fn send_reminders(
    State(api): State<Shared>,
    MaybeSent(Nothing {}): MaybeSent<Nothing>,
) -> Result<Json<RoundShape>, Problem> {
    tools(&api)?;
    let Round { sent, lost } = api.desk.remind(|| true).await?;
    Ok(Json(RoundShape { sent, lost }))
}

/// Empties the store. Every key is gone too.
#[utoipa::path(
    post, path = "/dev/reset", tag = "development", request_body = Option<Nothing>,
    responses((status = 200, description = "Empty", body = Nothing)),
)]
async fn reset_store(
    State(api): State<Shared>,
    MaybeSent(Nothing {}): MaybeSent<Nothing>,
) -> Result<impl IntoResponse, Problem> {
    let tools = tools(&api)?;
    api.desk.reset().await?;
    tools.outbox.clear();
    tools.registries.clear();
    Ok((StatusCode::OK, Json(Nothing {})))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn a_duration_is_weeks_days_hours_minutes_and_seconds_in_order() {
        for (text, seconds) in [
            ("P1D", 86_400),
            ("PT1H30M", 5_400),
            ("P90D", 90 * 86_400),
            ("P2W", 14 * 86_400),
            ("P1DT1S", 86_401),
            ("PT0S", 0),
            ("PT24H", 86_400),
        ] {
            assert_eq!(duration(text), Some(TimeDelta::seconds(seconds)), "{text}");
        }
        for none in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "P1M",
            "P1Y",
            "P-1D",
            "PT1M1H",
            "P1D1D",
            "P1DT",
            "PT1.5S",
            "P1é",
            "P99999999999999999999D",
            "P9999999999999D",
        ] {
            assert_eq!(duration(none), None, "{none}");
        }
    }

    #[test]
    fn the_outbox_gives_the_newest_first_and_forgets_the_oldest() {
        let outbox = Outbox::default();
        let at = DateTime::UNIX_EPOCH;
        for number in 0..=KEPT {
            let to = if number % 2 == 0 { "even" } else { "odd" };
            outbox.push(Message { to: to.into(), kind: "sign_up".into(), value: number.to_string(), at });
        }
        assert_eq!(outbox.messages(None).len(), KEPT);
        assert_eq!(outbox.messages(Some("even"))[0].value, KEPT.to_string());
        assert_eq!(outbox.messages(Some("even")).last().unwrap().value, "2", "message 0 made room");
        assert!(outbox.messages(Some("nobody")).is_empty());
    }
}
