//! Files of records, handed in by staff: entered as they arrive, counted as they are entered, and what was refused can be
//! fetched as a file, mended, and handed in again.
//!
//! What is known of an import lies in this process's memory for an hour and belongs to whoever handed the file in.

mod entering;
mod refused;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::desk;
use crate::domain::ids::AccountId;
use crate::http::record_file::Kind;
use crate::pages::assets::Assets;
use crate::pages::console::import::entering::{Broken, enter_all};
use crate::pages::console::import::refused::{Kept, csv_of, lines_of};
use crate::pages::console::{IMPORT, Id, Shell, Visit, admit, attachment, cells};
use crate::pages::failure::{Failure, failure};
use crate::pages::speech::{Dated, Speech};
use crate::pages::{Counter, page, see_other};

/// Files that are entered at a time, by one process.
const AT_A_TIME: usize = 2;
/// Imports that are remembered; then the oldest is forgotten before its time.
const REMEMBERED: usize = 16;
/// How long an import is remembered.
const LASTS: TimeDelta = TimeDelta::hours(1);
/// Refused records that the page itself names.
const NAMED: usize = 50;

/// The imports of this process.
#[derive(Debug)]
pub(in crate::pages) struct Imports {
    known: Mutex<HashMap<(AccountId, String), Arc<Import>>>,
    places: Semaphore,
}

impl Default for Imports {
    fn default() -> Self {
        Self { known: Mutex::default(), places: Semaphore::new(AT_A_TIME) }
    }
}

/// One file on its way in, or what became of it.
#[derive(Debug)]
struct Import {
    began_at: DateTime<Utc>,
    state: Mutex<Progress>,
    kept: Mutex<Kept>,
}

/// How far an import is.
#[derive(Clone, Debug, Default, Serialize)]
struct Progress {
    /// Of the file, bytes that were read.
    bytes: u64,
    /// Records that were entered or refused.
    records: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    refused: u64,
    done: bool,
    /// Why it ended before the file did.
    #[serde(skip)]
    broken: Option<Broken>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Imports {
    fn find(&self, of: AccountId, id: &str, now: DateTime<Utc>) -> Option<Arc<Import>> {
        let known = lock(&self.known);
        known.get(&(of, id.to_owned())).filter(|import| now < import.began_at + LASTS).cloned()
    }

    /// Begins an import under a name; none where one has begun under it.
    fn begin(self: &Arc<Self>, of: AccountId, id: &str, now: DateTime<Utc>) -> Option<Arc<Import>> {
        let key = (of, id.to_owned());
        let mut known = lock(&self.known);
        known.retain(|_, import| now < import.began_at + LASTS);
        if known.contains_key(&key) {
            return None;
        }
        while known.len() >= REMEMBERED {
            let ended = known.iter().filter(|(_, import)| lock(&import.state).done);
            let Some(oldest) = ended.min_by_key(|(_, import)| import.began_at).map(|(key, _)| key.clone())
            else {
                break;
            };
            known.remove(&oldest);
        }
        let import = Arc::new(Import { began_at: now, state: Mutex::default(), kept: Mutex::default() });
        known.insert(key.clone(), import.clone());
        drop(known);
        // Personal data are not kept longer than was said, whether anybody asks again or not.
        let imports = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(LASTS.to_std().unwrap_or(Duration::from_secs(3600))).await;
            if let Some(imports) = imports.upgrade() {
                lock(&imports.known).remove(&key);
            }
        });
        Some(import)
    }
}

#[derive(Template)]
#[template(path = "console/import.html", config = "src/pages/askama.toml")]
struct FormPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    here: String,
    wrong: Option<&'a str>,
    /// Names the import.
    id: String,
}

struct RefusedLine {
    line: u64,
    code: String,
    message: String,
}

#[derive(Template)]
#[template(path = "console/imported.html", config = "src/pages/askama.toml")]
struct ResultPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    here: String,
    heading: &'static str,
    broken: Option<&'static str>,
    running: bool,
    counts: Vec<(&'static str, u64, &'static str)>,
    lines: Vec<RefusedLine>,
    more: bool,
    kept_not: u64,
    files: Vec<(&'static str, String)>,
    until: Dated,
    again: String,
}

fn form_page(visit: &Visit, wrong: Option<&str>, status: StatusCode) -> Response {
    let id = match desk::chance::<16>() {
        Ok(chance) => URL_SAFE_NO_PAD.encode(chance),
        Err(_) => return failure(Failure::Fault, visit.say),
    };
    let (say, here) = (visit.say, IMPORT.path.to_owned());
    page(&FormPage { say, assets: Assets, shell: &visit.shell, here, wrong, id }, status, say)
}

pub(super) async fn form(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    match admit(&counter, &headers, IMPORT, say).await {
        Ok(visit) => form_page(&visit, None, StatusCode::OK),
        Err(elsewhere) => elsewhere,
    }
}

fn is_name(id: &str) -> bool {
    id.len() == 22 && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

pub(super) async fn receive(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    sent: Result<Multipart, MultipartRejection>,
) -> Response {
    let visit = match admit(&counter, &headers, IMPORT, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    let nothing = say.pick("请选择一个文件。", "Please choose a file.");
    let Ok(mut sent) = sent else {
        return form_page(&visit, Some(nothing), StatusCode::UNPROCESSABLE_ENTITY);
    };
    let Ok(_place) = counter.imports.places.try_acquire() else {
        return failure(Failure::Busy(Duration::from_secs(30)), say);
    };
    let mut id = None;
    while let Ok(Some(field)) = sent.next_field().await {
        match field.name() {
            Some("import") => id = field.text().await.ok().filter(|id| is_name(id)),
            Some("file") => {
                let name = field.file_name().unwrap_or_default().to_owned();
                let Some(id) = id.filter(|_| !name.is_empty()) else { break };
                let address = format!("{}/{id}{}", IMPORT.path, say.query());
                let of = visit.staff.who().account().id;
                let Some(import) = counter.imports.begin(of, &id, counter.desk.now()) else {
                    return see_other(&address);
                };
                enter_all(&counter.desk, visit.caller(), &import, Kind::of_name(&name), field).await;
                return see_other(&address);
            }
            _ => {}
        }
    }
    form_page(&visit, Some(nothing), StatusCode::UNPROCESSABLE_ENTITY)
}

async fn own_import(
    counter: &Counter,
    headers: &HeaderMap,
    id: Id,
    say: Speech,
) -> Result<(Visit, String, Arc<Import>), Response> {
    let visit = admit(counter, headers, IMPORT, say).await?;
    let of = visit.staff.who().account().id;
    let found = id.ok().and_then(|Path(id)| {
        let import = counter.imports.find(of, &id, counter.desk.now())?;
        Some((id, import))
    });
    match found {
        Some((id, import)) => Ok((visit, id, import)),
        None => {
            let words = [
                ("没有这次导入的记录", "Nothing is known of this import"),
                (
                    "导入结果只保留一小时，只给导入的人看；服务重启或由别的节点应答时也会看不到。已入册的记录不受影响，重复导入同一文件不会产生重复记录。",
                    "Results are kept for an hour, for whoever handed the file in; a restart loses them, and another node does not know them. What was entered stays, and handing the same file in again enters nothing twice.",
                ),
            ];
            let words = words.map(|(zh, en)| say.language.pick(zh, en).to_owned());
            Err(visit.said(words, StatusCode::NOT_FOUND))
        }
    }
}

pub(super) async fn show(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
) -> Response {
    let (visit, id, import) = match own_import(&counter, &headers, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    let progress = lock(&import.state).clone();
    let kept = lock(&import.kept);
    let shown = kept.lines.iter().take(NAMED).map(|line| RefusedLine {
        line: line.line,
        code: line.code.clone(),
        message: line.message(say.language),
    });
    let file = |ending: &str| format!("{}/{id}/refused.{ending}{}", IMPORT.path, say.query());
    let files = vec![("CSV", file("csv")), ("NDJSON", file("ndjson"))];
    let running = !progress.done;
    let html = ResultPage {
        say,
        assets: Assets,
        shell: &visit.shell,
        here: format!("{}/{id}", IMPORT.path),
        heading: match (running, progress.broken.is_some()) {
            (true, _) => say.language.pick("正在导入…", "Importing…"),
            (false, true) => say.language.pick("导入中断", "The import broke off"),
            (false, false) => say.language.pick("导入完成", "Imported"),
        },
        broken: progress.broken.map(|broken| broken.words(say)),
        running,
        counts: vec![
            (say.language.pick("新入册", "Created"), progress.created, "jade"),
            (say.language.pick("更新版本", "Updated"), progress.updated, "jade"),
            (say.language.pick("没有变化", "Unchanged"), progress.unchanged, "slate"),
            (
                say.language.pick("拒收", "Refused"),
                progress.refused,
                if progress.refused > 0 { "vermilion" } else { "slate" },
            ),
        ],
        lines: shown.collect(),
        more: kept.lines.len() > NAMED,
        kept_not: progress.refused.saturating_sub(kept.lines.len() as u64),
        files: if kept.lines.is_empty() { Vec::new() } else { files },
        until: say.moment(import.began_at + LASTS),
        again: format!("{}{}", IMPORT.path, say.query()),
    };
    page(&html, StatusCode::OK, say)
}

pub(super) async fn progress(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
) -> Response {
    let visit = match admit(&counter, &headers, IMPORT, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    let (of, now) = (visit.staff.who().account().id, counter.desk.now());
    // The page asks before the first piece of its file is here: nothing was done yet.
    let import = id.ok().and_then(|Path(id)| counter.imports.find(of, &id, now));
    let progress = import.map(|import| lock(&import.state).clone()).unwrap_or_default();
    ([(header::CACHE_CONTROL, "no-store")], Json(progress)).into_response()
}

pub(super) async fn refused_csv(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
) -> Response {
    match own_import(&counter, &headers, id, say).await {
        Ok((_, _, import)) => {
            attachment(csv_of(&lock(&import.kept).lines, say.language), cells::CSV, "refused.csv")
        }
        Err(elsewhere) => elsewhere,
    }
}

pub(super) async fn refused_ndjson(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
) -> Response {
    match own_import(&counter, &headers, id, say).await {
        Ok((_, _, import)) => {
            attachment(lines_of(&lock(&import.kept).lines, say.language), cells::NDJSON, "refused.ndjson")
        }
        Err(elsewhere) => elsewhere,
    }
}
