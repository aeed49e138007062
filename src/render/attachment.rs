//! `certificate.json`, attached to the copy: its data for programs, with the fields that electronic licences
//! keep of a copy (制作时间, 制作者, 制作事由, 有效期截止时间).

use serde::Serialize;

use super::{CopyKind, Sheet, Unprintable, dates};

#[derive(Serialize)]
struct Record<'a> {
    title: &'a str,
    level: Option<&'a str>,
    specialty: Option<&'a str>,
    holder: Holder<'a>,
    issuer: &'a str,
    approved_on: String,
    issued_on: String,
    valid_until: Option<String>,
    management_no: &'a str,
    licence_id: &'a str,
    annotation: Option<Annotation<'a>>,
    #[serde(rename = "制作时间")]
    made_at: String,
    #[serde(rename = "制作者")]
    made_by: &'a str,
    #[serde(rename = "制作事由")]
    made_for: String,
    #[serde(rename = "有效期截止时间")]
    expires_at: Option<String>,
}

#[derive(Serialize)]
struct Holder<'a> {
    name: &'a str,
    id_number: &'a str,
    sex: Option<&'a str>,
    born: Option<String>,
}

#[derive(Serialize)]
struct Annotation<'a> {
    scenario: &'a str,
    recipient: Option<&'a str>,
    valid_from: String,
    valid_until: String,
    code: String,
    verify_url: &'a str,
}

/// Writes the record. The order of its members is fixed: the same sheet gives the same bytes.
pub(crate) fn write(sheet: &Sheet) -> Result<Vec<u8>, Unprintable> {
    let block = match &sheet.copy {
        CopyKind::Annotated(block) => Some(block),
        CopyKind::Plain => None,
    };
    let last_day = block.map(|block| block.valid_until).or(sheet.valid_until);
    let record = Record {
        title: &sheet.title,
        level: sheet.level.as_deref(),
        specialty: sheet.specialty.as_deref(),
        holder: Holder {
            name: &sheet.holder_name,
            id_number: &sheet.id_number,
            sex: sheet.sex.as_deref(),
            born: sheet.born.map(|day| day.to_string()),
        },
        issuer: &sheet.issuer,
        approved_on: sheet.approved_on.to_string(),
        issued_on: sheet.issued_on.to_string(),
        valid_until: sheet.valid_until.map(|day| day.to_string()),
        management_no: &sheet.management_no,
        licence_id: &sheet.licence_id,
        annotation: block.map(|block| Annotation {
            scenario: &block.scenario,
            recipient: block.recipient.as_deref(),
            valid_from: block.valid_from.to_string(),
            valid_until: block.valid_until.to_string(),
            code: block.code.split_whitespace().collect(),
            verify_url: &block.verify_url,
        }),
        made_at: dates::compact(dates::shanghai(sheet.made_at)),
        made_by: &sheet.issuer,
        made_for: reason(sheet),
        expires_at: last_day.and_then(|day| day.and_hms_opt(23, 59, 59)).map(dates::compact),
    };
    serde_json::to_vec(&record).map_err(|_| Unprintable::Fault("the attachment cannot be written"))
}

/// Why the copy was made, in the words of the page.
pub(crate) fn reason(sheet: &Sheet) -> String {
    match &sheet.copy {
        CopyKind::Annotated(block) => format!("电子证书加注：{}", block.scenario),
        CopyKind::Plain => "电子证书下载".to_owned(),
    }
}
