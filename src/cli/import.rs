//! `vermilion import`: bulk loading from NDJSON or CSV, beside the data folder or through a running service. Good
//! records are kept; each refused one is named by its line.

use std::fs::File;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::app;
use crate::app::Failure;
use crate::cli::output::{note, say};
use crate::cli::{Place, Server};
use crate::desk::record::{Record, RecordForm};
use crate::desk::register::How;
use crate::desk::{Caller, Desk, DeskError};
use crate::domain::language::Language;
use crate::domain::refusal::Refusal;
use crate::http::record_file::{self, Kind, Numbered, Unread};

/// Records being entered at a time: enough for the ledger to write many with one fsync.
const AT_ONCE: usize = 256;

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// NDJSON, or CSV with a header where the name ends in .csv; - for standard input (NDJSON).
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    server: Server,
}

#[derive(Default)]
struct Tally {
    created: u64,
    updated: u64,
    unchanged: u64,
    refused: u64,
}

impl Import {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let progress = self.progress()?;
        let input = self.open(&progress)?;
        let kind = Kind::of_name(&self.file.to_string_lossy());
        let records = record_file::read(kind, input);
        let tally = match &self.server.server {
            Some(url) => through(url, self.server.key.as_deref().unwrap_or_default(), records, &progress)?,
            None => self.beside(records, &progress)?,
        };
        progress.finish_and_clear();
        let Tally { created, updated, unchanged, refused } = tally;
        note(&format!("{created} created, {updated} updated, {unchanged} unchanged, {refused} refused"));
        Ok(ExitCode::from(u8::from(refused > 0)))
    }

    fn progress(&self) -> Result<ProgressBar, Failure> {
        if !std::io::stderr().is_terminal() {
            return Ok(ProgressBar::hidden());
        }
        let total = std::fs::metadata(&self.file).map(|meta| meta.len()).unwrap_or(0);
        let style = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} ETA {eta}";
        Ok(ProgressBar::new(total).with_style(ProgressStyle::with_template(style)?))
    }

    fn open(&self, progress: &ProgressBar) -> Result<Box<dyn Read + Send>, Failure> {
        if self.file.as_os_str() == "-" {
            return Ok(Box::new(std::io::stdin()));
        }
        let file = File::open(&self.file).map_err(|error| format!("{}: {error}", self.file.display()))?;
        Ok(Box::new(progress.wrap_read(file)))
    }

    fn beside(
        &self,
        records: impl Iterator<Item = Numbered> + Send,
        progress: &ProgressBar,
    ) -> Result<Tally, Failure> {
        let settings = self.place.settings(None)?;
        app::block_on(async move {
            let (desk, store) = app::open_desk(&settings).await?;
            let caller = desk.operator();
            let mut tally = Tally::default();
            let mut entered = stream::iter(records)
                .map(|numbered| {
                    let (desk, caller) = (&desk, &caller);
                    async move { (numbered.line, enter(desk, caller, numbered.record).await) }
                })
                .buffered(AT_ONCE);
            while let Some((line, outcome)) = entered.next().await {
                match outcome {
                    Ok(How::Created) => tally.created += 1,
                    Ok(How::Updated) => tally.updated += 1,
                    Ok(How::Unchanged) => tally.unchanged += 1,
                    Err(Trouble::Refused(why)) => {
                        tally.refused += 1;
                        progress.suspend(|| say(&format!("line {line}: {why}")));
                    }
                    Err(Trouble::Fault(error)) => return Err(error.into()),
                }
            }
            drop(entered);
            store.close().await?;
            Ok(tally)
        })
    }
}

enum Trouble {
    Refused(String),
    Fault(DeskError),
}

async fn enter(desk: &Desk, caller: &Caller, record: Result<RecordForm, Unread>) -> Result<How, Trouble> {
    let refused = |refusal: Refusal| Trouble::Refused(refusal.detail(Language::English));
    let form = record.map_err(|unread| Trouble::Refused(unread.detail(Language::English)))?;
    let record: Record = form.parse().map_err(refused)?;
    match desk.enter(caller, record, None).await {
        Ok(entered) => Ok(entered.how),
        Err(DeskError::Refused(refusal)) => Err(refused(refusal)),
        Err(error) => Err(Trouble::Fault(error)),
    }
}

/// Records sent through a running service at a time.
const BATCH: usize = 2_000;

/// Sends the records in batches; what the service refuses is named by the file's lines.
fn through(
    url: &str,
    key: &str,
    records: impl Iterator<Item = Numbered> + Send,
    progress: &ProgressBar,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let mut records = records.peekable();
    while records.peek().is_some() {
        let (mut numbers, mut body) = (Vec::new(), Vec::new());
        for Numbered { line: number, record } in records.by_ref().take(BATCH) {
            match record {
                Ok(record) => {
                    numbers.push(number);
                    serde_json::to_writer(&mut body, &record)?;
                    body.push(b'\n');
                }
                Err(unread) => {
                    tally.refused += 1;
                    let why = unread.detail(Language::English);
                    progress.suspend(|| say(&format!("line {number}: {why}")));
                }
            }
        }
        if numbers.is_empty() {
            continue;
        }
        let answer = ureq::post(format!("{}/api/v1/admin/certificates/batch", url.trim_end_matches('/')))
            .header("Authorization", format!("Bearer {key}"))
            .header("Content-Type", "application/x-ndjson")
            .header("Accept-Language", "en")
            .send(&body[..])?;
        let results = BufReader::new(answer.into_body().into_reader());
        for (line, number) in results.lines().zip(numbers) {
            let result: Value = serde_json::from_str(&line?)?;
            match result.get("status").and_then(Value::as_str) {
                Some("created") => tally.created += 1,
                Some("updated") => tally.updated += 1,
                Some("unchanged") => tally.unchanged += 1,
                _ => {
                    tally.refused += 1;
                    let why = result.pointer("/problem/detail").and_then(Value::as_str).unwrap_or("refused");
                    progress.suspend(|| say(&format!("line {number}: {why}")));
                }
            }
        }
    }
    Ok(tally)
}
