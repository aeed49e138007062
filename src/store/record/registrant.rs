//! The shape of a registrant on disk.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::certificate::{Line, ManagementNo};
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AnomalyId, CaseId, CertificateId, Malformed, Sha256};
use crate::registration::case::Specialty;
use crate::registration::registrant::{
    Anomaly, CaseMention, Defence, Employment, Profile, Qualification, Registrant, Registration,
};
use crate::registration::word::{ClassId, RegimeId};
use crate::store::record::case::SubjectShape;
use crate::store::record::{Text, Unreadable, read, text, text_option, write};

#[derive(Serialize, Deserialize)]
struct RegistrantShape {
    id_type: String,
    id_number: String,
    profile: ProfileShape,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    qualifications: Vec<QualificationShape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    registrations: Vec<RegistrationShape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cases: Vec<MentionShape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    anomalies: Vec<AnomalyShape>,
}

#[derive(Serialize, Deserialize)]
struct ProfileShape {
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    ethnicity: Option<Line<20>>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    education: Option<Line<20>>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    degree: Option<Line<20>>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    school: Option<Line<60>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    employment: Option<EmploymentShape>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    photo: Option<Sha256>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    signature: Option<Sha256>,
}

#[derive(Serialize, Deserialize)]
struct EmploymentShape {
    #[serde(with = "text")]
    uscc: CreditCode,
    #[serde(with = "text")]
    name: Line<60>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    qualifications: Vec<Text<Line<40>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
    from: NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<NaiveDate>,
}

#[derive(Serialize, Deserialize)]
struct QualificationShape {
    #[serde(with = "text")]
    regime: RegimeId,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    class: Option<ClassId>,
    #[serde(with = "text")]
    specialty: Specialty,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    management_no: Option<ManagementNo>,
    entered_at: DateTime<Utc>,
    source: String,
}

#[derive(Serialize, Deserialize)]
struct RegistrationShape {
    #[serde(with = "text")]
    regime: RegimeId,
    #[serde(with = "text")]
    class: ClassId,
    #[serde(with = "text")]
    specialty: Specialty,
    #[serde(with = "text")]
    certificate: CertificateId,
    #[serde(with = "text")]
    management_no: ManagementNo,
    #[serde(with = "text")]
    employer: CreditCode,
    valid_until: NaiveDate,
    cancelled: bool,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    category: Option<Line<40>>,
}

#[derive(Serialize, Deserialize)]
struct MentionShape {
    #[serde(with = "text")]
    id: CaseId,
    subject: SubjectShape,
    live: bool,
    approved: bool,
}

#[derive(Serialize, Deserialize)]
struct AnomalyShape {
    #[serde(with = "text")]
    id: AnomalyId,
    kind: String,
    noticed_at: DateTime<Utc>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    case: Option<CaseId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    defence: Option<DefenceShape>,
}

#[derive(Serialize, Deserialize)]
struct DefenceShape {
    #[serde(with = "text")]
    words: Line<500>,
    at: DateTime<Utc>,
}

impl From<Profile> for ProfileShape {
    fn from(profile: Profile) -> Self {
        let Profile { ethnicity, education, degree, school, employment, photo, signature } = profile;
        let employment = employment.map(|employment| EmploymentShape {
            uscc: employment.uscc,
            name: employment.name,
            qualifications: employment.qualifications.into_iter().map(Text).collect(),
            contact: employment.contact.map(|mobile| mobile.as_str().to_owned()),
            from: employment.from,
            until: employment.until,
        });
        Self { ethnicity, education, degree, school, employment, photo, signature }
    }
}

impl TryFrom<ProfileShape> for Profile {
    type Error = Malformed;

    fn try_from(shape: ProfileShape) -> Result<Self, Malformed> {
        let ProfileShape { ethnicity, education, degree, school, employment, photo, signature } = shape;
        let employment = match employment {
            Some(employment) => Some(Employment {
                uscc: employment.uscc,
                name: employment.name,
                qualifications: employment.qualifications.into_iter().map(|Text(number)| number).collect(),
                contact: employment
                    .contact
                    .map(|mobile| mobile.parse())
                    .transpose()
                    .map_err(|_| Malformed("mobile"))?,
                from: employment.from,
                until: employment.until,
            }),
            None => None,
        };
        Ok(Self { ethnicity, education, degree, school, employment, photo, signature })
    }
}

impl From<Qualification> for QualificationShape {
    fn from(qualification: Qualification) -> Self {
        let Qualification { regime, class, specialty, management_no, entered_at, source } = qualification;
        Self { regime, class, specialty, management_no, entered_at, source: source.word().to_owned() }
    }
}

impl TryFrom<QualificationShape> for Qualification {
    type Error = Malformed;

    fn try_from(shape: QualificationShape) -> Result<Self, Malformed> {
        let QualificationShape { regime, class, specialty, management_no, entered_at, source } = shape;
        Ok(Self { regime, class, specialty, management_no, entered_at, source: source.parse()? })
    }
}

impl From<Registration> for RegistrationShape {
    fn from(registration: Registration) -> Self {
        let Registration { regime, class, specialty, certificate, management_no, .. } = registration;
        let Registration { employer, valid_until, cancelled, category, .. } = registration;
        Self {
            regime,
            class,
            specialty,
            certificate,
            management_no,
            employer,
            valid_until,
            cancelled,
            category,
        }
    }
}

impl From<RegistrationShape> for Registration {
    fn from(shape: RegistrationShape) -> Self {
        let RegistrationShape { regime, class, specialty, certificate, management_no, .. } = shape;
        let RegistrationShape { employer, valid_until, cancelled, category, .. } = shape;
        Self {
            regime,
            class,
            specialty,
            certificate,
            management_no,
            employer,
            valid_until,
            cancelled,
            category,
        }
    }
}

impl From<CaseMention> for MentionShape {
    fn from(mention: CaseMention) -> Self {
        let CaseMention { id, subject, live, approved } = mention;
        Self { id, subject: subject.into(), live, approved }
    }
}

impl From<MentionShape> for CaseMention {
    fn from(shape: MentionShape) -> Self {
        let MentionShape { id, subject, live, approved } = shape;
        Self { id, subject: subject.into(), live, approved }
    }
}

impl From<Anomaly> for AnomalyShape {
    fn from(anomaly: Anomaly) -> Self {
        let Anomaly { id, kind, noticed_at, case, defence } = anomaly;
        let defence = defence.map(|Defence { words, at }| DefenceShape { words, at });
        Self { id, kind: kind.word().to_owned(), noticed_at, case, defence }
    }
}

impl TryFrom<AnomalyShape> for Anomaly {
    type Error = Malformed;

    fn try_from(shape: AnomalyShape) -> Result<Self, Malformed> {
        let AnomalyShape { id, kind, noticed_at, case, defence } = shape;
        let defence = defence.map(|DefenceShape { words, at }| Defence { words, at });
        Ok(Self { id, kind: kind.parse()?, noticed_at, case, defence })
    }
}

/// The bytes of a registrant, to be encrypted.
pub(crate) fn write_registrant(registrant: &Registrant) -> Result<Vec<u8>, Unreadable> {
    let Registrant { person, profile, qualifications, registrations, cases, anomalies } = registrant.clone();
    write(&RegistrantShape {
        id_type: person.id_type().to_owned(),
        id_number: person.number().to_owned(),
        profile: profile.into(),
        qualifications: qualifications.into_iter().map(QualificationShape::from).collect(),
        registrations: registrations.into_iter().map(RegistrationShape::from).collect(),
        cases: cases.into_iter().map(MentionShape::from).collect(),
        anomalies: anomalies.into_iter().map(AnomalyShape::from).collect(),
    })
}

/// Reads what [`write_registrant`] gave, of any version.
pub(crate) fn read_registrant(bytes: &[u8]) -> Result<Registrant, Unreadable> {
    let shape: RegistrantShape = read(bytes)?;
    let qualifications = shape.qualifications.into_iter().map(Qualification::try_from);
    Ok(Registrant {
        person: PersonId::parse(&shape.id_type, &shape.id_number).map_err(|_| Malformed("identity"))?,
        profile: shape.profile.try_into()?,
        qualifications: qualifications.collect::<Result<_, _>>()?,
        registrations: shape.registrations.into_iter().map(Registration::from).collect(),
        cases: shape.cases.into_iter().map(CaseMention::from).collect(),
        anomalies: shape.anomalies.into_iter().map(Anomaly::try_from).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::registration::registrant::{AnomalyKind, Source};
    use crate::store::samples::person;
    use crate::store::samples::registration::registrant;

    #[track_caller]
    fn assert_kept(registrant: &Registrant) {
        let bytes = write_registrant(registrant).unwrap();
        assert!(read_registrant(&bytes).unwrap() == *registrant, "{}", String::from_utf8_lossy(&bytes[1..]));
    }

    #[test]
    fn a_registrant_of_whom_all_is_known_or_nothing_is_read_as_it_was_written() {
        let full = registrant(1);
        let sources: Vec<_> = full.qualifications.iter().map(|it| it.source).collect();
        let kinds: Vec<_> = full.anomalies.iter().map(|it| it.kind).collect();
        assert_eq!(sources, [Source::Examination, Source::Enrolment]);
        assert_eq!(kinds, [AnomalyKind::SocialInsurance, AnomalyKind::Duplicate]);
        assert_kept(&full);
        assert_kept(&Registrant::new(person(1)));
        let mut sparse = full;
        if let Some(employment) = &mut sparse.profile.employment {
            employment.qualifications.clear();
            (employment.contact, employment.until) = (None, None);
        }
        (sparse.profile.photo, sparse.profile.degree) = (None, None);
        assert_kept(&sparse);
    }

    #[test]
    fn a_word_that_is_none_is_refused() {
        let text = String::from_utf8(write_registrant(&registrant(1)).unwrap()).unwrap();
        for (word, other) in [("\"enrolment\"", "\"luck\""), ("\"duplicate\"", "\"twin\"")] {
            assert!(text.contains(word), "{word}");
            let altered = text.replace(word, other);
            assert!(matches!(read_registrant(altered.as_bytes()), Err(Unreadable::Value(_))), "{other}");
        }
    }
}
