//! `vermilion import`: bulk loading from NDJSON or CSV, beside the data folder or through a running service. Good
//! records are kept; each refused one is named by its line.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal as _, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::app;
use crate::app::Failure;
use crate::cli::output::{note, say};
use crate::cli::{Place, Server};
use crate::desk::record::{HolderForm, IssuerForm, Record, RecordForm};
use crate::desk::register::How;
use crate::desk::{Caller, Desk, DeskError};
use crate::domain::language::Language;
use crate::domain::refusal::Refusal;

/// Records being entered at a time: enough for the ledger to write many with one fsync.
const AT_ONCE: usize = 256;

/// The longest line.
const LONGEST_LINE: u64 = 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// NDJSON, or CSV with a header where the name ends in .csv; - for standard input (NDJSON).
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    server: Server,
}

/// One record as it was read, with the line it began on.
type Numbered = (u64, Result<RecordForm, String>);

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
        let records: Box<dyn Iterator<Item = Numbered> + Send> =
            if self.file.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("csv")) {
                Box::new(csv_records(input))
            } else {
                Box::new(lines(input))
            };
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
        records: Box<dyn Iterator<Item = Numbered> + Send>,
        progress: &ProgressBar,
    ) -> Result<Tally, Failure> {
        let settings = self.place.settings(None)?;
        app::block_on(async move {
            let (desk, store) = app::open_desk(&settings).await?;
            let caller = desk.operator();
            let mut tally = Tally::default();
            let mut entered = stream::iter(records)
                .map(|(line, record)| {
                    let (desk, caller) = (&desk, &caller);
                    async move { (line, enter(desk, caller, record).await) }
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

async fn enter(desk: &Desk, caller: &Caller, record: Result<RecordForm, String>) -> Result<How, Trouble> {
    let refused = |refusal: Refusal| Trouble::Refused(refusal.detail(Language::English));
    let form = record.map_err(Trouble::Refused)?;
    let record: Record = form.parse().map_err(refused)?;
    match desk.enter(caller, record, None).await {
        Ok(entered) => Ok(entered.how),
        Err(DeskError::Refused(refusal)) => Err(refused(refusal)),
        Err(error) => Err(Trouble::Fault(error)),
    }
}

/// NDJSON: a record a line; empty lines are passed over.
fn lines(input: Box<dyn Read + Send>) -> impl Iterator<Item = Numbered> + Send {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut number = 0;
    std::iter::from_fn(move || {
        loop {
            number += 1;
            let mut line = Vec::new();
            match (&mut input).take(LONGEST_LINE + 1).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(read) if read as u64 > LONGEST_LINE => {
                    // The rest of the line is skipped, so that its tail is not read as a record.
                    let mut rest = Vec::new();
                    while line.last() != Some(&b'\n') {
                        rest.clear();
                        match (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut rest) {
                            Ok(0) | Err(_) => break,
                            Ok(_) => line = std::mem::take(&mut rest),
                        }
                    }
                    return Some((number, Err("the line is longer than 1 MiB".to_owned())));
                }
                Ok(_) if line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => return Some((number, read_json(&line))),
                Err(error) => return Some((number, Err(format!("cannot be read: {error}")))),
            }
        }
    })
}

fn read_json(line: &[u8]) -> Result<RecordForm, String> {
    crate::http::body::from_json(line).map_err(|refusal| refusal.detail(Language::English))
}

/// CSV: the record's fields as columns, those of holder and issuer with their path, as `holder.name`.
fn csv_records(input: Box<dyn Read + Send>) -> impl Iterator<Item = Numbered> + Send {
    let reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    reader.into_deserialize::<Row>().enumerate().map(|(at, row)| match row {
        Ok(row) => (at as u64 + 2, Ok(row.into())),
        Err(error) => {
            let line = error.position().map_or(at as u64 + 2, csv::Position::line);
            (line, Err(csv_reason(&error)))
        }
    })
}

/// The reason without the row's values: they are personal.
fn csv_reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => format!("a column is missing or wrong: {}", err.kind()),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} columns where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8: save the file as UTF-8".to_owned(),
        _ => "cannot be read".to_owned(),
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "type")]
    kind: String,
    management_no: String,
    title: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    specialty: String,
    #[serde(rename = "holder.name")]
    holder_name: String,
    #[serde(rename = "holder.id_type")]
    holder_id_type: String,
    #[serde(rename = "holder.id_number")]
    holder_id_number: String,
    #[serde(rename = "holder.sex", default)]
    holder_sex: String,
    #[serde(rename = "holder.born", default)]
    holder_born: String,
    #[serde(rename = "issuer.name")]
    issuer_name: String,
    #[serde(rename = "issuer.uscc")]
    issuer_uscc: String,
    approved_on: String,
    issued_on: String,
    #[serde(default)]
    valid_until: String,
    #[serde(default)]
    photo: String,
}

impl From<Row> for RecordForm {
    fn from(row: Row) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            kind: row.kind,
            management_no: row.management_no,
            title: row.title,
            level: some(row.level),
            specialty: some(row.specialty),
            holder: HolderForm {
                name: row.holder_name,
                id_type: row.holder_id_type,
                id_number: row.holder_id_number,
                sex: some(row.holder_sex),
                born: some(row.holder_born),
            },
            issuer: IssuerForm { name: row.issuer_name, uscc: row.issuer_uscc },
            approved_on: row.approved_on,
            issued_on: row.issued_on,
            valid_until: some(row.valid_until),
            photo: some(row.photo),
        }
    }
}

/// Records sent through a running service at a time.
const BATCH: usize = 2_000;

/// Sends the records in batches; what the service refuses is named by the file's lines.
fn through(
    url: &str,
    key: &str,
    records: Box<dyn Iterator<Item = Numbered> + Send>,
    progress: &ProgressBar,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let mut records = records.peekable();
    while records.peek().is_some() {
        let (mut numbers, mut body) = (Vec::new(), Vec::new());
        for (number, record) in records.by_ref().take(BATCH) {
            match record {
                Ok(record) => {
                    numbers.push(number);
                    serde_json::to_writer(&mut body, &record)?;
                    body.push(b'\n');
                }
                Err(why) => {
                    tally.refused += 1;
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
