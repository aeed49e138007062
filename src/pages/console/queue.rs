//! The queue as a picture: how many wait and for how long, what was made in the last day, what is due when; and what
//! waits for a person.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};

use crate::desk::activity::Day;
use crate::desk::{DeskError, activity};
use crate::domain::calendar;
use crate::domain::ids::AnnotationId;
use crate::domain::key::Scope;
use crate::domain::queue::QueueView;
use crate::pages::assets::Assets;
use crate::pages::console::chart::{Chart, Row};
use crate::pages::console::{Id, QUEUE, Shell, Visit, admit, asked, wording};
use crate::pages::speech::{Dated, Speech};
use crate::pages::{Counter, page, see_other};

/// Jobs and failures that are named one by one.
const NAMED: usize = 20;
/// A job that is due sooner is at risk; as the metrics count it.
const AT_RISK: TimeDelta = TimeDelta::hours(4);

struct Figure {
    label: &'static str,
    value: String,
    tone: &'static str,
}

struct Parked {
    certificate: String,
    attempts: u32,
    due: Dated,
    retry: Option<String>,
}

struct Failed {
    certificate: String,
    at: Dated,
    reason: String,
}

#[derive(Template)]
#[template(path = "console/queue.html", config = "src/pages/askama.toml")]
struct QueuePage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    here: String,
    at: Dated,
    figures: Vec<Figure>,
    charts: Vec<Chart>,
    notes: Vec<String>,
    parked: Vec<Parked>,
    failed: Vec<Failed>,
}

pub(super) async fn show(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    let visit = match admit(&counter, &headers, QUEUE, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    match queue_page(&counter, &visit).await {
        Ok(html) => page(&html, StatusCode::OK, say),
        Err(error) => visit.undone(&counter, &error),
    }
}

async fn queue_page<'a>(counter: &Counter, visit: &'a Visit) -> Result<QueuePage<'a>, DeskError> {
    let (desk, caller, say) = (&counter.desk, visit.caller(), visit.say);
    let (queue, now) = (desk.queue(caller).await?, desk.now());
    let day = desk.activity(caller).await?;
    let parked = if queue.parked > 0 { desk.parked(caller, NAMED).await? } else { Vec::new() };
    let certificate = |id: &dyn std::fmt::Display| format!("/console/certificates/{id}{}", say.query());
    let retry = |id: AnnotationId| format!("/console/annotations/{id}/retry{}", say.query());
    let may_retry = visit.may(Scope::AnnotationsWrite);
    let failed = day.failures.iter().take(NAMED).map(|failure| Failed {
        certificate: certificate(&failure.certificate),
        at: say.moment(failure.at),
        reason: wording::reason(&failure.reason, say),
    });
    let mut notes = Vec::new();
    if let Some(since) = day.since {
        let since = say.moment(since).text;
        notes.push(match say.is_chinese() {
            true => format!("记录很多，{since} 之前的不计在内。"),
            false => format!("So much happened that what was before {since} is not counted."),
        });
    }
    if queue.depth > queue.due.len() as u64 {
        let most = queue.due.len();
        notes.push(match say.is_chinese() {
            true => format!("期限分布只统计最紧急的 {most} 份。"),
            false => format!("Deadlines are those of the {most} most urgent jobs."),
        });
    }
    Ok(QueuePage {
        say,
        assets: Assets,
        shell: &visit.shell,
        here: QUEUE.path.to_owned(),
        at: say.moment(now),
        figures: figures(&queue, now, say),
        charts: vec![turnover(&day, say), deadlines(&queue, now, say)],
        notes,
        parked: parked
            .iter()
            .map(|job| Parked {
                certificate: certificate(&job.certificate),
                attempts: job.attempts,
                due: say.moment(job.due_at),
                retry: may_retry.then(|| retry(job.annotation)),
            })
            .collect(),
        failed: failed.collect(),
    })
}

fn figures(queue: &QueueView, now: DateTime<Utc>, say: Speech) -> Vec<Figure> {
    let at_risk = queue.due.partition_point(|due| *due <= now + AT_RISK);
    let alarm = |count: u64| if count > 0 { "vermilion" } else { "slate" };
    let figure = |zh, en, value: String, tone| Figure { label: say.language.pick(zh, en), value, tone };
    let oldest = match queue.oldest_requested_at {
        Some(at) => duration(now - at, say),
        None => say.pick("无", "none").to_owned(),
    };
    vec![
        figure("等待制作", "Waiting", queue.depth.to_string(), "slate"),
        figure("最久已等", "Oldest", oldest, "slate"),
        figure("四小时内到期", "Due within 4 h", at_risk.to_string(), alarm(at_risk as u64)),
        figure("搁置待处理", "Parked", queue.parked.to_string(), alarm(queue.parked)),
        figure("累计失败", "Failed so far", queue.failed.to_string(), "slate"),
    ]
}

fn duration(time: TimeDelta, say: Speech) -> String {
    let (hours, minutes, seconds) = (time.num_hours(), time.num_minutes() % 60, time.num_seconds() % 60);
    match (say.is_chinese(), hours, minutes) {
        (true, 0, 0) => format!("{seconds} 秒"),
        (true, 0, _) => format!("{minutes} 分"),
        (true, _, _) => format!("{hours} 时 {minutes} 分"),
        (false, 0, 0) => format!("{seconds} s"),
        (false, 0, _) => format!("{minutes} min"),
        (false, _, _) => format!("{hours} h {minutes} min"),
    }
}

/// Ordered, sealed and failed, hour by hour.
fn turnover(day: &Day, say: Speech) -> Chart {
    let sum = |of: fn(&activity::Turnover) -> u64| day.hours.iter().map(|(_, hour)| of(hour)).sum::<u64>();
    let (ordered, sealed, failed) =
        (sum(|hour| hour.ordered), sum(|hour| hour.sealed), sum(|hour| hour.failed));
    let words =
        [("ochre", ("申请", "Ordered")), ("jade", ("完成", "Made")), ("vermilion", ("失败", "Failed"))];
    let key: Vec<_> = words.iter().map(|(tone, (zh, en))| (*tone, say.language.pick(zh, en))).collect();
    let heads = [("时段", "Hour")].iter().chain(words.iter().map(|(_, word)| word));
    let rows = day.hours.iter().map(|(begins, hour)| {
        let hour_of_day = calendar::in_shanghai(*begins).format("%-H").to_string();
        let tick = hour_of_day.parse::<u32>().is_ok_and(|hour| hour % 3 == 0);
        Row {
            label: calendar::in_shanghai(*begins).format("%m-%d %H:00").to_string(),
            tick: tick.then(|| hour_of_day.clone()),
            values: vec![(hour.ordered, "ochre"), (hour.sealed, "jade"), (hour.failed, "vermilion")],
        }
    });
    let summary = match say.is_chinese() {
        true => format!("24 小时内申请 {ordered} 份，完成 {sealed} 份，失败 {failed} 份。"),
        false => format!("In 24 hours {ordered} ordered, {sealed} made, {failed} failed."),
    };
    Chart::new(
        "turnover",
        [say.pick("最近 24 小时，逐时", "The last 24 hours, by the hour").to_owned(), summary],
        key,
        heads.map(|(zh, en)| say.language.pick(zh, en)).collect(),
        rows.collect(),
    )
}

/// In how many hours jobs are due: up to each of these.
const UNTIL: [i64; 8] = [0, 1, 4, 8, 12, 16, 20, 24];

/// What waits, by when it is due.
fn deadlines(queue: &QueueView, now: DateTime<Utc>, say: Speech) -> Chart {
    let mut passed = 0;
    let mut rows = Vec::new();
    for (at, until) in UNTIL.into_iter().enumerate() {
        let due = queue.due.partition_point(|due| *due <= now + TimeDelta::hours(until));
        let count = (due - passed) as u64;
        passed = due;
        let from = at.checked_sub(1).map_or(0, |before| UNTIL[before]);
        let (label, tick) = match (until, say.is_chinese()) {
            (0, true) => ("已超时".to_owned(), "超时".to_owned()),
            (0, false) => ("Overdue".to_owned(), "over".to_owned()),
            (_, true) => (format!("{from}–{until} 小时内"), format!("{from}–{until}")),
            (_, false) => (format!("in {from}–{until} hours"), format!("{from}–{until}")),
        };
        let tone = match until {
            0 => "vermilion",
            1 | 4 => "ochre",
            _ => "jade",
        };
        rows.push(Row { label, tick: Some(tick), values: vec![(count, tone)] });
    }
    let waiting = queue.due.len();
    let summary = match (say.is_chinese(), waiting) {
        (true, 0) => "现在没有等待的任务。".to_owned(),
        (false, 0) => "Nothing waits now.".to_owned(),
        (false, 1) => "One waiting job, by the hours left until it is due.".to_owned(),
        (true, _) => format!("{waiting} 份等待中的任务，按离期限还有几小时排列。"),
        (false, _) => format!("{waiting} waiting jobs, by the hours left until each is due."),
    };
    let key = [
        ("vermilion", ("已超时", "Overdue")),
        ("ochre", ("四小时内", "Within 4 h")),
        ("jade", ("从容", "In good time")),
    ];
    Chart::new(
        "deadlines",
        [say.pick("等待中的任务何时到期", "When waiting jobs are due").to_owned(), summary],
        key.map(|(tone, (zh, en))| (tone, say.language.pick(zh, en))).to_vec(),
        vec![say.language.pick("离期限", "Due"), say.language.pick("份数", "Jobs")],
        rows,
    )
}

pub(super) async fn retry(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
) -> Response {
    let (visit, id) = match asked::<AnnotationId>(&counter, &headers, QUEUE, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.retry(visit.caller(), id).await {
        Ok(_) => see_other(&format!("{}{}", QUEUE.path, say.query())),
        Err(error) => visit.undone(&counter, &error),
    }
}
