//! What was refused of a file: kept without photos, up to a bound, and printed in the language of whoever fetches it.

use std::fmt;

use serde_json::json;

use crate::desk::record::RecordForm;
use crate::domain::language::Language;
use crate::domain::refusal::Refusal;
use crate::http::record_file::Unread;
use crate::pages::console::cells;

/// Bytes of refused records that are kept of one import.
const MOST: usize = 4 * 1024 * 1024;

/// A refused record.
pub(super) struct Refused {
    pub(super) line: u64,
    pub(super) code: String,
    why: Why,
    record: Option<Box<RecordForm>>,
}

impl fmt::Debug for Refused {
    /// Its record is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused({}, {})", self.line, self.code)
    }
}

enum Why {
    Refused(Refusal),
    Unread(Unread),
}

impl Refused {
    /// A rule said no. The photo of the record was taken out before.
    pub(super) fn by_rule(line: u64, record: RecordForm, refusal: Refusal) -> Self {
        let code = refusal.code().to_owned();
        Self { line, code, why: Why::Refused(refusal), record: Some(Box::new(record)) }
    }

    /// The line was no record.
    pub(super) fn unread(line: u64, unread: Unread) -> Self {
        Self { line, code: unread.code().to_owned(), why: Why::Unread(unread), record: None }
    }

    /// Why, naming every wrong field.
    pub(super) fn message(&self, language: Language) -> String {
        match &self.why {
            Why::Refused(Refusal::Invalid(errors)) => {
                let one = |error: &crate::domain::refusal::FieldError| {
                    format!("{}: {}", error.field, error.fault.message(language))
                };
                errors.iter().map(one).collect::<Vec<_>>().join(language.pick("；", "; "))
            }
            Why::Refused(refusal) => refusal.detail(language),
            Why::Unread(unread) => unread.detail(language),
        }
    }

    fn text(&self) -> &str {
        match &self.why {
            Why::Unread(unread) => &unread.text,
            Why::Refused(_) => "",
        }
    }

    /// About what it takes in memory.
    fn weight(&self) -> usize {
        let record = self.record.as_ref().map_or(0, |record| {
            let RecordForm { management_no, title, holder, issuer, .. } = &**record;
            management_no.len() + title.len() + holder.name.len() + holder.id_number.len() + issuer.name.len()
        });
        512 + record + self.text().len()
    }
}

/// The refused records of an import, up to a bound.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) lines: Vec<Refused>,
    weight: usize,
}

impl Kept {
    pub(super) fn add(&mut self, refused: Refused) {
        self.weight += refused.weight();
        if self.weight <= MOST {
            self.lines.push(refused);
        }
    }
}

const COLUMNS: [&str; 19] = [
    "line",
    "code",
    "message",
    "type",
    "management_no",
    "title",
    "level",
    "specialty",
    "holder.name",
    "holder.id_type",
    "holder.id_number",
    "holder.sex",
    "holder.born",
    "issuer.name",
    "issuer.uscc",
    "approved_on",
    "issued_on",
    "valid_until",
    "unread",
];

/// As CSV: mended, it can be handed in as it is, for the columns about the refusal are passed over.
pub(super) fn csv_of(lines: &[Refused], language: Language) -> Vec<u8> {
    let mut file = [cells::MARK, &cells::row(COLUMNS)].concat();
    for refused in lines {
        let some = |text: &Option<String>| text.clone().unwrap_or_default();
        let fields = match refused.record.as_deref() {
            Some(it) => [
                it.kind.clone(),
                it.management_no.clone(),
                it.title.clone(),
                some(&it.level),
                some(&it.specialty),
                it.holder.name.clone(),
                it.holder.id_type.clone(),
                it.holder.id_number.clone(),
                some(&it.holder.sex),
                some(&it.holder.born),
                it.issuer.name.clone(),
                it.issuer.uscc.clone(),
                it.approved_on.clone(),
                it.issued_on.clone(),
                some(&it.valid_until),
            ],
            None => Default::default(),
        };
        let (line, message) = (refused.line.to_string(), refused.message(language));
        let first = [line.as_str(), refused.code.as_str(), message.as_str()];
        let cells = first.into_iter().chain(fields.iter().map(String::as_str)).chain([refused.text()]);
        file.extend(cells::row(cells));
    }
    file
}

/// As NDJSON.
pub(super) fn lines_of(lines: &[Refused], language: Language) -> Vec<u8> {
    let mut file = Vec::new();
    for refused in lines {
        let record = match refused.record.as_deref() {
            Some(record) => serde_json::to_value(record).unwrap_or_default(),
            None => refused.text().into(),
        };
        let line = json!({
            "line": refused.line, "code": refused.code, "message": refused.message(language), "record": record,
        });
        file.extend(line.to_string().into_bytes());
        file.push(b'\n');
    }
    file
}
