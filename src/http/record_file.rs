//! Files of records: NDJSON, a record a line, or CSV with a header. Read as they come, whatever their length; a record
//! that cannot be read is named by its line, and its neighbours are read all the same.

use std::io::{BufRead as _, BufReader, Read};

use serde::de::IgnoredAny;

use crate::desk::record::{HolderForm, IssuerForm, RecordForm};
use crate::domain::language::Language;
use crate::domain::refusal::Refusal;
use crate::http::body::{self, RECORD};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A JSON object a line.
    Ndjson,
    /// Comma-separated values with a header (RFC 4180), UTF-8.
    Csv,
}

impl Kind {
    /// By the end of its name.
    pub(crate) fn of_name(name: &str) -> Self {
        let csv = name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("csv"));
        if csv { Self::Csv } else { Self::Ndjson }
    }
}

/// A record and the line that it began on, from 1.
pub(crate) struct Numbered {
    pub(crate) line: u64,
    pub(crate) record: Result<RecordForm, Unread>,
}

/// Why a line is no record.
pub(crate) struct Unread {
    pub(crate) why: Why,
    /// The line, as far as it may be shown to whoever handed it in: no photo, and no more than [`SHOWN`].
    pub(crate) text: String,
}

/// What is wrong with a line.
pub(crate) enum Why {
    /// Fields are wrong.
    Refused(Refusal),
    /// Another number of columns than the header has.
    Columns { expected: u64, found: u64 },
    /// The header lacks a column, or has one that is not known.
    Header,
    /// Not UTF-8.
    Encoding,
    /// Longer than a record may be.
    TooLong,
    /// The file ended unexpectedly, or its quotes do.
    Broken,
}

/// Characters of a line that is no record which are kept.
const SHOWN: usize = 1_000;

impl Unread {
    fn new(why: Why, line: &[u8]) -> Self {
        let text = String::from_utf8_lossy(line);
        let end = text.find("\"photo\"").unwrap_or(text.len());
        Self { why, text: text[..end].trim_end().chars().take(SHOWN).collect() }
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match &self.why {
            Why::Refused(refusal) => refusal.code(),
            Why::Columns { .. } => "wrong-number-of-columns",
            Why::Header => "wrong-header",
            Why::Encoding => "not-utf-8",
            Why::TooLong => "too-large",
            Why::Broken => "unreadable",
        }
    }

    /// What is wrong, without the values: they are personal.
    pub(crate) fn detail(&self, language: Language) -> String {
        let (chinese, english) = match &self.why {
            Why::Refused(refusal) => return refusal.detail(language),
            Why::Columns { expected, found } => {
                return match language {
                    Language::Chinese => format!("这一行有 {found} 列，表头有 {expected} 列。"),
                    Language::English => format!("has {found} columns where the header has {expected}"),
                };
            }
            Why::Header => ("表头缺少必需的列，或有不认识的列。", "a column is missing or not known"),
            Why::Encoding => ("不是 UTF-8 编码，请另存为 UTF-8。", "is not UTF-8: save the file as UTF-8"),
            Why::TooLong => ("这一行超过 1 MiB。", "the line is longer than 1 MiB"),
            Why::Broken => ("无法读取。", "cannot be read"),
        };
        language.pick(chinese, english).to_owned()
    }
}

/// The records of a file.
pub(crate) fn read(
    kind: Kind,
    input: impl Read + Send + 'static,
) -> Box<dyn Iterator<Item = Numbered> + Send> {
    match kind {
        Kind::Ndjson => Box::new(lines(input)),
        Kind::Csv => Box::new(rows(input)),
    }
}

/// NDJSON: a record a line; empty lines are passed over.
fn lines(input: impl Read + Send) -> impl Iterator<Item = Numbered> + Send {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let (mut number, mut ended) = (0, false);
    std::iter::from_fn(move || {
        while !ended {
            number += 1;
            let mut line = Vec::new();
            let unread =
                |why, line: &[u8]| Some(Numbered { line: number, record: Err(Unread::new(why, line)) });
            match (&mut input).take(RECORD as u64 + 1).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(read) if read > RECORD => {
                    // The rest of the line is skipped, so that its tail is not read as a record.
                    let mut rest = line.clone();
                    while rest.last() != Some(&b'\n') {
                        rest.clear();
                        match (&mut input).take(RECORD as u64).read_until(b'\n', &mut rest) {
                            Ok(0) | Err(_) => break,
                            Ok(_) => {}
                        }
                    }
                    return unread(Why::TooLong, &line);
                }
                Ok(_) if line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => {
                    // Excel and Notepad begin UTF-8 with a mark (RFC 3629, section 6).
                    let text = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| number == 1).unwrap_or(&line);
                    let record = body::from_json(text);
                    let record = record.map_err(|refusal| Unread::new(Why::Refused(refusal), text));
                    return Some(Numbered { line: number, record });
                }
                Err(_) => {
                    ended = true;
                    return unread(Why::Broken, b"");
                }
            }
        }
        None
    })
}

/// CSV: the record's fields as columns, those of holder and issuer with their path, as `holder.name`.
fn rows(input: impl Read + Send) -> impl Iterator<Item = Numbered> + Send {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(Bounded { input, since: 0 });
    let (mut ended, mut row) = (false, csv::ByteRecord::new());
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let headers = match reader.byte_headers() {
            Ok(headers) => headers.clone(),
            Err(_) => csv::ByteRecord::new(),
        };
        let next = reader.read_byte_record(&mut row);
        reader.get_mut().since = 0;
        let line = row.position().map_or_else(|| reader.position().line(), csv::Position::line);
        let record = match next {
            Ok(false) => return None,
            Ok(true) => row.deserialize::<Row>(Some(&headers)).map(RecordForm::from),
            Err(error) => {
                // A row with too few columns ends where the next begins; what the input does not give is over.
                ended = matches!(error.kind(), csv::ErrorKind::Io(_));
                Err(error)
            }
        };
        let record = record.map_err(|error| Unread::new(why(&error), &joined(&row)));
        Some(Numbered { line, record })
    })
}

fn joined(row: &csv::ByteRecord) -> Vec<u8> {
    // A photo is longer than any other field may be.
    row.iter().filter(|field| field.len() < 500).collect::<Vec<_>>().join(&b","[..])
}

fn why(error: &csv::Error) -> Why {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => match err.kind() {
            csv::DeserializeErrorKind::InvalidUtf8(_) => Why::Encoding,
            _ => Why::Header,
        },
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Why::Columns { expected: *expected_len, found: *len }
        }
        csv::ErrorKind::Utf8 { .. } => Why::Encoding,
        csv::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => Why::TooLong,
        _ => Why::Broken,
    }
}

/// Input of which no row takes too much: one quote that is never closed would fill the memory.
struct Bounded<R> {
    input: R,
    since: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        // What was read ahead belongs to the rows that follow.
        if self.since > RECORD + (1 << 16) {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let read = self.input.read(into)?;
        self.since += read;
        Ok(read)
    }
}

/// A row of a CSV file. Its fields are columns; those of holder and issuer have their path.
#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "columns that are passed over")]
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
    // What a file of refused lines says beside them: mended, it is handed in again as it is.
    #[serde(default)]
    line: IgnoredAny,
    #[serde(default)]
    code: IgnoredAny,
    #[serde(default)]
    message: IgnoredAny,
    #[serde(default)]
    unread: IgnoredAny,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use std::io::Cursor;

    use super::*;

    const HEADER: &str = "type,management_no,title,holder.name,holder.id_type,holder.id_number,issuer.name,issuer.uscc,approved_on,issued_on";
    const ROW: &str = "t,2024,证书,张三,111,1,机构,X,2024-01-01,2024-01-02";

    fn codes(kind: Kind, text: &str) -> Vec<(u64, &'static str)> {
        let numbered = read(kind, Cursor::new(text.as_bytes().to_vec()));
        numbered.map(|it| (it.line, it.record.map_or_else(|unread| unread.code(), |_| "read"))).collect()
    }

    #[test]
    fn rows_are_numbered_by_their_lines_and_a_bad_one_spares_its_neighbours() {
        let file = format!("\u{FEFF}{HEADER}\n{ROW}\nshort\n\"t\nu\"{}\n{ROW}\n", &ROW[1..]);
        let expected = vec![(2, "read"), (3, "wrong-number-of-columns"), (4, "read"), (6, "read")];
        assert_eq!(codes(Kind::Csv, &file), expected);
        assert_eq!(codes(Kind::Csv, "type,unheard_of\nt,1\n"), [(2, "wrong-header")]);
        let again = format!("{HEADER},line,code,message,unread\n{ROW},2,x,y,\n");
        assert_eq!(codes(Kind::Csv, &again), [(2, "read")], "a mended file of refused lines is a file");
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
        let file = format!("{HEADER}\n{ROW}\n\"{}", "x".repeat(3 * RECORD));
        assert_eq!(codes(Kind::Csv, &file), [(2, "read"), (3, "too-large")]);
    }

    #[test]
    fn a_line_that_is_no_record_is_kept_without_its_photo() {
        let long = "x".repeat(RECORD);
        let file = format!("\n{{\"type\":3,\"photo\":\"secret\"}}\n{long}y\n{{}}");
        assert_eq!(
            codes(Kind::Ndjson, &file),
            [(2, "invalid-fields"), (3, "too-large"), (4, "invalid-fields")]
        );
        let first = read(Kind::Ndjson, Cursor::new(file.into_bytes())).next().unwrap();
        assert!(first.record.is_err_and(|unread| unread.text == "{\"type\":3,"));
    }
}
