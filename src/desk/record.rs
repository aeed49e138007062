//! The certificate record as agencies send it, and what it becomes once every field is parsed.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::certificate::{Details, Holder, Issuer};
use crate::domain::identity::{PersonId, PersonIdFault, Sex};
use crate::domain::refusal::{FieldError, FieldFault, Refusal};
use crate::render::photo::{BadPhoto, Photo};

/// One certificate, as sent.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordForm {
    /// Type, as `planner-qualification`.
    #[serde(rename = "type")]
    pub kind: String,
    /// 管理号
    pub management_no: String,
    /// 证书名称
    pub title: String,
    /// 级别
    #[serde(default)]
    pub level: Option<String>,
    /// 专业
    #[serde(default)]
    pub specialty: Option<String>,
    /// Holder.
    pub holder: HolderForm,
    /// Issuing body.
    pub issuer: IssuerForm,
    /// YYYY-MM-DD
    pub approved_on: String,
    /// YYYY-MM-DD
    pub issued_on: String,
    /// YYYY-MM-DD
    #[serde(default)]
    pub valid_until: Option<String>,
    /// JPEG or PNG of at most 500 KB, in base64.
    #[serde(default)]
    pub photo: Option<String>,
}

/// The holder, as sent.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolderForm {
    /// Name as printed.
    pub name: String,
    /// Kind of identity document (GA/T 517): 111 for the resident card.
    pub id_type: String,
    /// Identity number.
    pub id_number: String,
    /// 男 or 女
    #[serde(default)]
    pub sex: Option<String>,
    /// YYYY-MM-DD
    #[serde(default)]
    pub born: Option<String>,
}

/// The issuing body, as sent.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerForm {
    /// Name as printed.
    pub name: String,
    /// Unified social credit code.
    pub uscc: String,
}

/// A record whose every field is parsed. The photo is not yet kept, so `details.photo` is none.
#[derive(Clone)]
pub struct Record {
    /// What it says.
    pub details: Details,
    /// The portrait, decoded and encoded again.
    pub photo: Option<Photo>,
}

/// Parses fields and gathers what is wrong with them.
#[derive(Default)]
pub(crate) struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// The parsed value, or none with the error gathered.
    pub(crate) fn take<T>(&mut self, field: &str, parsed: Result<T, FieldFault>) -> Option<T> {
        parsed.map_err(|fault| self.errors.push(FieldError::new(field, fault))).ok()
    }

    /// A text to parse.
    pub(crate) fn parse<T: FromStr<Err = FieldFault>>(&mut self, field: &str, text: &str) -> Option<T> {
        self.take(field, text.parse())
    }

    /// A text to parse where there is one.
    pub(crate) fn parse_some<T: FromStr<Err = FieldFault>>(
        &mut self,
        field: &str,
        text: Option<&str>,
    ) -> Option<T> {
        text.and_then(|text| self.parse(field, text))
    }

    /// A day.
    pub(crate) fn day(&mut self, field: &str, text: &str) -> Option<NaiveDate> {
        // One spelling: `2024-1-2` is no day.
        let parsed = text.parse::<NaiveDate>().ok().filter(|day| text.len() == 10 && day.to_string() == text);
        self.take(field, parsed.ok_or(FieldFault::NotADay))
    }

    /// A fault that no single field's parser sees.
    pub(crate) fn fault(&mut self, field: &str, fault: FieldFault) {
        self.errors.push(FieldError::new(field, fault));
    }

    /// What was built, where nothing is wrong.
    pub(crate) fn finish<T>(self, built: Option<T>) -> Result<T, Refusal> {
        match built {
            Some(built) if self.errors.is_empty() => Ok(built),
            _ => Err(Refusal::Invalid(self.errors)),
        }
    }
}

impl RecordForm {
    /// Parses every field.
    ///
    /// # Errors
    /// `invalid-fields` with all that is wrong, by field.
    pub fn parse(self) -> Result<Record, Refusal> {
        let mut fields = Fields::default();
        let photo = self.photo.as_deref().and_then(|text| {
            let parsed = parse_photo(text);
            fields.take("photo", parsed)
        });
        let details = self.details(&mut fields);
        fields.finish(details.map(|details| Record { details, photo }))
    }

    fn details(&self, fields: &mut Fields) -> Option<Details> {
        let kind = fields.parse("type", &self.kind);
        let management_no = fields.parse("management_no", &self.management_no);
        let title = fields.parse("title", &self.title);
        let level = fields.parse_some("level", self.level.as_deref());
        let specialty = fields.parse_some("specialty", self.specialty.as_deref());
        let holder = self.holder.parse(fields);
        let issuer_name = fields.parse("issuer.name", &self.issuer.name);
        let issuer_code = fields.parse("issuer.uscc", &self.issuer.uscc);
        let approved_on = fields.day("approved_on", &self.approved_on);
        let issued_on = fields.day("issued_on", &self.issued_on);
        let valid_until = self.valid_until.as_deref().and_then(|text| fields.day("valid_until", text));
        if let (Some(approved), Some(issued)) = (approved_on, issued_on)
            && issued < approved
        {
            fields.fault("issued_on", FieldFault::DayContradicts("approved_on"));
        }
        if let (Some(issued), Some(last)) = (issued_on, valid_until)
            && last < issued
        {
            fields.fault("valid_until", FieldFault::DayContradicts("issued_on"));
        }
        Some(Details {
            kind: kind?,
            management_no: management_no?,
            title: title?,
            level,
            specialty,
            holder: holder?,
            issuer: Issuer { name: issuer_name?, uscc: issuer_code? },
            approved_on: approved_on?,
            issued_on: issued_on?,
            valid_until,
            photo: None,
            signature: None,
        })
    }
}

impl HolderForm {
    fn parse(&self, fields: &mut Fields) -> Option<Holder> {
        let name = fields.parse("holder.name", &self.name);
        let id = match PersonId::parse(&self.id_type, &self.id_number) {
            Ok(id) => Some(id),
            Err(PersonIdFault::Type(fault)) => fields.take("holder.id_type", Err(fault)),
            Err(PersonIdFault::Number(fault)) => fields.take("holder.id_number", Err(fault)),
        };
        let sex: Option<Sex> = fields.parse_some("holder.sex", self.sex.as_deref());
        let born = self.born.as_deref().and_then(|text| fields.day("holder.born", text));
        if let Some(citizen) = id.as_ref().and_then(PersonId::citizen) {
            if born.is_some_and(|born| born != citizen.born()) {
                fields.fault("holder.born", FieldFault::ContradictsIdNumber);
            }
            if sex.is_some_and(|sex| sex != citizen.sex()) {
                fields.fault("holder.sex", FieldFault::ContradictsIdNumber);
            }
        }
        Some(Holder { name: name?, id: id?, sex, born })
    }
}

/// The longest base64 of a photo that may be read.
const PHOTO_BASE64: usize = 500 * 1024 / 3 * 4 + 8;

fn parse_photo(text: &str) -> Result<Photo, FieldFault> {
    if text.len() > PHOTO_BASE64 {
        return Err(FieldFault::BadPhoto("over 500 KB"));
    }
    let bytes = STANDARD.decode(text).map_err(|_| FieldFault::NotBase64)?;
    Photo::parse(&bytes).map_err(|bad| {
        FieldFault::BadPhoto(match bad {
            BadPhoto::TooLarge => "over 500 KB or too many pixels",
            BadPhoto::UnknownFormat => "neither JPEG nor PNG",
            BadPhoto::Broken => "cannot be decoded",
            BadPhoto::TooSmall => "too small",
        })
    })
}
