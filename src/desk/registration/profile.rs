//! A person's profile: personal data, employer, photo and signature.

use chrono::NaiveDate;

use crate::desk::record::Fields;
use crate::desk::registration::Registering;
use crate::desk::{Desk, DeskError};
use crate::domain::account::Mobile;
use crate::domain::certificate::Line;
use crate::domain::event::Deed;
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::Sha256;
use crate::domain::refusal::file::FileFault;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::registration::registrant::{Employment, Registrant};
use crate::render::photo::{BadPhoto, Photo};
use crate::render::signature::{BadSignature, Signature};

/// Most qualification certificates of an employer that a person names.
const QUALIFICATIONS: usize = 20;

/// Personal data, as typed; what is left empty is unknown.
#[derive(Clone, Debug, Default)]
pub struct PersonalForm {
    /// 民族
    pub ethnicity: Option<String>,
    /// 学历
    pub education: Option<String>,
    /// 学位
    pub degree: Option<String>,
    /// 毕业院校
    pub school: Option<String>,
}

/// The employer, as typed. What it is called, the company register says.
#[derive(Clone, Debug)]
pub struct EmploymentForm {
    /// Credit code of a unit that has an account.
    pub uscc: String,
    /// Numbers of its qualification certificates; none for 无.
    pub qualifications: Vec<String>,
    /// The mobile of somebody there.
    pub contact: Option<String>,
    /// Since when.
    pub from: String,
    /// Until when; none for 无固定期.
    pub until: Option<String>,
}

/// A form whose every field is parsed.
struct Employed {
    uscc: CreditCode,
    qualifications: Vec<Line<40>>,
    contact: Option<Mobile>,
    from: NaiveDate,
    until: Option<NaiveDate>,
}

impl EmploymentForm {
    fn parse(&self) -> Result<Employed, Refusal> {
        let mut fields = Fields::default();
        let uscc = fields.parse("uscc", &self.uscc.trim().to_ascii_uppercase());
        let mut qualifications = Vec::new();
        for (at, number) in self.qualifications.iter().enumerate() {
            qualifications.extend(fields.parse::<Line<40>>(&format!("qualifications[{at}]"), number));
        }
        if qualifications.len() > QUALIFICATIONS {
            fields.fault("qualifications", FieldFault::OutOfRange("0–20"));
        }
        let contact = typed(self.contact.as_deref()).and_then(|text| fields.parse("contact", text));
        let from = fields.take("from", day(&self.from));
        let until = typed(self.until.as_deref()).and_then(|text| fields.take("until", day(text)));
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            fields.fault("until", FieldFault::DayContradicts("from"));
        }
        let employed =
            uscc.zip(from).map(|(uscc, from)| Employed { uscc, qualifications, contact, from, until });
        fields.finish(employed)
    }
}

fn typed(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn day(text: &str) -> Result<NaiveDate, FieldFault> {
    text.trim().parse().map_err(|_| FieldFault::NotADay)
}

impl Desk {
    /// The profile of the person who asks, and all else that is known of them.
    ///
    /// # Errors
    /// `NotFound` for units and authorities.
    pub async fn own_registrant(&self, who: &Registering) -> Result<Registrant, DeskError> {
        Ok(self.registrant(who.person()?).await?.0)
    }

    /// Sets the personal data, all of it at once.
    ///
    /// # Errors
    /// `invalid-fields`; `NotFound` for units and authorities.
    pub async fn set_personal(
        &self,
        who: &Registering,
        form: &PersonalForm,
    ) -> Result<Registrant, DeskError> {
        let mut fields = Fields::default();
        let ethnicity = typed(form.ethnicity.as_deref()).and_then(|text| fields.parse("ethnicity", text));
        let education = typed(form.education.as_deref()).and_then(|text| fields.parse("education", text));
        let degree = typed(form.degree.as_deref()).and_then(|text| fields.parse("degree", text));
        let school = typed(form.school.as_deref()).and_then(|text| fields.parse("school", text));
        fields.finish(Some(()))?;
        self.change_registrant(who, Deed::ProfileChanged, |registrant| {
            let profile = &mut registrant.profile;
            profile.ethnicity.clone_from(&ethnicity);
            profile.education.clone_from(&education);
            profile.degree.clone_from(&degree);
            profile.school.clone_from(&school);
            Ok(())
        })
        .await
    }

    /// Sets the employer: a unit of the company register.
    ///
    /// # Errors
    /// `invalid-fields`, also where no unit with this code has an account; `NotFound` for units and authorities.
    pub async fn set_employment(
        &self,
        who: &Registering,
        form: &EmploymentForm,
    ) -> Result<Registrant, DeskError> {
        let Employed { uscc, qualifications, contact, from, until } = form.parse()?;
        let Some((company, _)) = self.store.company(&uscc).await? else {
            return Err(Refusal::field("uscc", FieldFault::UnknownUnit).into());
        };
        let employment = Employment { uscc, name: company.name, qualifications, contact, from, until };
        self.change_registrant(who, Deed::ProfileChanged, |registrant| {
            registrant.profile.employment = Some(employment.clone());
            Ok(())
        })
        .await
    }

    /// Sets the photo: a portrait as JPEG or PNG, kept as the service encoded it.
    ///
    /// # Errors
    /// `invalid-fields`, where it cannot be used; `NotFound` for units and authorities.
    pub async fn set_photo(&self, who: &Registering, file: Vec<u8>) -> Result<Registrant, DeskError> {
        let photo = self.keep_picture(who, file, read_photo).await?;
        self.change_registrant(who, Deed::ProfileChanged, |registrant| {
            registrant.profile.photo = Some(photo);
            Ok(())
        })
        .await
    }

    /// Sets the signature: a picture of one on white or nothing, kept as transparent line art.
    ///
    /// # Errors
    /// As [`Desk::set_photo`].
    pub async fn set_signature(&self, who: &Registering, file: Vec<u8>) -> Result<Registrant, DeskError> {
        let signature = self.keep_picture(who, file, read_signature).await?;
        self.change_registrant(who, Deed::ProfileChanged, |registrant| {
            registrant.profile.signature = Some(signature);
            Ok(())
        })
        .await
    }

    async fn keep_picture(
        &self,
        who: &Registering,
        file: Vec<u8>,
        read: fn(&[u8]) -> Result<Vec<u8>, FieldFault>,
    ) -> Result<Sha256, DeskError> {
        let person = who.person()?;
        let picture = tokio::task::spawn_blocking(move || read(&file)).await;
        let picture = picture
            .unwrap_or(Err(FieldFault::BadFile(FileFault::Damaged)))
            .map_err(|fault| Refusal::field("file", fault))?;
        self.keep_file(person, &picture).await
    }

    /// Keeps a file of a person under its digest.
    pub(super) async fn keep_file(&self, person: &PersonId, file: &[u8]) -> Result<Sha256, DeskError> {
        let digest = crate::desk::digest(file);
        self.store.put_document(person, digest, file).await?;
        Ok(digest)
    }

    /// The photo or the signature of the person who asks, with its media type.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn own_picture(&self, who: &Registering, which: Picture) -> Result<Vec<u8>, DeskError> {
        let profile = self.own_registrant(who).await?.profile;
        let digest = match which {
            Picture::Photo => profile.photo,
            Picture::Signature => profile.signature,
        };
        self.store.document(digest.ok_or(DeskError::NotFound)?).await?.ok_or(DeskError::NotFound)
    }
}

pub(super) fn read_photo(file: &[u8]) -> Result<Vec<u8>, FieldFault> {
    let most = FileFault::TooLarge { most: Photo::MOST_BYTES as u64 };
    let read = Photo::parse(file).map_err(|bad| match bad {
        BadPhoto::TooLarge => most,
        BadPhoto::UnknownFormat => FileFault::OfAnotherKind,
        BadPhoto::Broken | BadPhoto::TooSmall => FileFault::Damaged,
    });
    read.map(|photo| photo.as_bytes().to_vec()).map_err(FieldFault::BadFile)
}

pub(super) fn read_signature(file: &[u8]) -> Result<Vec<u8>, FieldFault> {
    let most = FileFault::TooLarge { most: Signature::MOST_BYTES as u64 };
    let read = Signature::parse(file).map_err(|bad| match bad {
        BadSignature::TooLarge => most,
        BadSignature::UnknownFormat => FileFault::OfAnotherKind,
        BadSignature::Broken => FileFault::Damaged,
        BadSignature::TooSmall | BadSignature::NoInk | BadSignature::NotLineArt => FileFault::NoSignature,
    });
    read.map(|signature| signature.as_bytes().to_vec()).map_err(FieldFault::BadFile)
}

/// A picture of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    /// The photo, a JPEG.
    Photo,
    /// The signature, a PNG.
    Signature,
}
