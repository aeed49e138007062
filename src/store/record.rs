//! The shapes of the records on disk: versioned, and independent of the domain's own types, so that a rename there
//! never changes what lies here.
//!
//! A record about a person is one version byte and JSON, encrypted as a whole; see [`crate::store::entry`] for what
//! stands in clear beside it.

pub(crate) mod account;
pub(crate) mod case;
pub(crate) mod company;
pub(crate) mod registrant;
pub(crate) mod ticket;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::annotation::{
    Annotation, Failed, Failure, Intent, Order, Queued, Recipient, Revocation, Revoked, Scenario, Sealed,
    Sealing, State,
};
use crate::domain::certificate::{
    Certificate, CertificateType, Details, Holder, Issuer, Line, ManagementNo, Name, Standing,
};
use crate::domain::event::Actor;
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AnnotationId, CertificateId, Code, Malformed, Sha256};
use crate::domain::licence::LicenceId;

const VERSION: u8 = 1;

/// Values as the text that they print and parse.
pub(crate) mod text {
    use std::fmt::{self, Display};
    use std::marker::PhantomData;
    use std::str::FromStr;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        from.deserialize_str(Parser(PhantomData))
    }

    pub(super) struct Parser<T>(pub(super) PhantomData<T>);

    impl<T: FromStr> Visitor<'_> for Parser<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text of its kind")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            // The text may be personal: it is not repeated.
            text.parse().map_err(|_| E::custom("a field is malformed"))
        }
    }
}

/// The same for values that may be absent.
pub(crate) mod text_option {
    use std::fmt::{self, Display};
    use std::marker::PhantomData;
    use std::str::FromStr;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        from.deserialize_option(Parser(PhantomData))
    }

    struct Parser<T>(PhantomData<T>);

    impl<'de, T: FromStr> Visitor<'de> for Parser<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("nothing, or a text of its kind")
        }

        fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Option<T>, D::Error> {
            from.deserialize_str(super::text::Parser(PhantomData)).map(Some)
        }
    }
}

/// A value as the text that it prints and parses, where it stands in a list or a map.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent, bound(serialize = "T: fmt::Display", deserialize = "T: FromStr"))]
pub(crate) struct Text<T>(#[serde(with = "text")] pub(crate) T);

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// Written by a later version of this program.
    #[error("the record has version {0}, which this program does not know")]
    Version(u32),
    /// Not of the shape that its version says.
    #[error("the record is not of its shape")]
    Shape(#[from] serde_json::Error),
    /// A value is none that the rules allow.
    #[error("the record holds a value that is none")]
    Value(#[from] Malformed),
}

fn write<T: Serialize>(shape: &T) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::with_capacity(768);
    bytes.push(VERSION);
    serde_json::to_writer(&mut bytes, shape)?;
    Ok(bytes)
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Unreadable> {
    match bytes.split_first() {
        Some((&VERSION, json)) => Ok(serde_json::from_slice(json)?),
        Some((other, _)) => Err(Unreadable::Version((*other).into())),
        None => Err(Unreadable::Version(0)),
    }
}

#[derive(Serialize, Deserialize)]
struct CertificateShape {
    version: u16,
    #[serde(with = "text")]
    licence_id: LicenceId,
    #[serde(with = "text")]
    kind: CertificateType,
    #[serde(with = "text")]
    management_no: ManagementNo,
    #[serde(with = "text")]
    title: Line<60>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    level: Option<Line<20>>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    specialty: Option<Line<60>>,
    #[serde(with = "text")]
    name: Name,
    id_type: String,
    id_number: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sex: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    born: Option<NaiveDate>,
    #[serde(with = "text")]
    issuer_name: Line<60>,
    #[serde(with = "text")]
    issuer: CreditCode,
    approved_on: NaiveDate,
    issued_on: NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_until: Option<NaiveDate>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    photo: Option<Sha256>,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    signature: Option<Sha256>,
    standing: StandingShape,
    entered_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StandingShape {
    Valid,
    Suspended,
    Revoked,
    Cancelled,
    #[serde(with = "text")]
    SupersededBy(CertificateId),
}

/// The bytes of a certificate, to be encrypted.
pub(crate) fn write_certificate(certificate: &Certificate) -> Result<Vec<u8>, Unreadable> {
    let Certificate { id: _, version, licence_id, details, standing, entered_at } = certificate.clone();
    let Details { kind, management_no, title, level, specialty, holder, issuer, .. } = details;
    write(&CertificateShape {
        version,
        licence_id,
        kind,
        management_no,
        title,
        level,
        specialty,
        id_type: holder.id.id_type().to_owned(),
        id_number: holder.id.number().to_owned(),
        name: holder.name,
        sex: holder.sex.map(|sex| sex.word().to_owned()),
        born: holder.born,
        issuer_name: issuer.name,
        issuer: issuer.uscc,
        approved_on: details.approved_on,
        issued_on: details.issued_on,
        valid_until: details.valid_until,
        photo: details.photo,
        signature: details.signature,
        standing: match standing {
            Standing::Valid => StandingShape::Valid,
            Standing::Suspended => StandingShape::Suspended,
            Standing::Revoked => StandingShape::Revoked,
            Standing::Cancelled => StandingShape::Cancelled,
            Standing::Superseded { by } => StandingShape::SupersededBy(by),
        },
        entered_at,
    })
}

/// Reads what [`write_certificate`] gave, of any version.
pub(crate) fn read_certificate(id: CertificateId, bytes: &[u8]) -> Result<Certificate, Unreadable> {
    let shape: CertificateShape = read(bytes)?;
    let holder = Holder {
        name: shape.name,
        id: PersonId::parse(&shape.id_type, &shape.id_number).map_err(|_| Malformed("identity"))?,
        sex: shape.sex.map(|sex| sex.parse().map_err(|_| Malformed("sex"))).transpose()?,
        born: shape.born,
    };
    let details = Details {
        kind: shape.kind,
        management_no: shape.management_no,
        title: shape.title,
        level: shape.level,
        specialty: shape.specialty,
        holder,
        issuer: Issuer { name: shape.issuer_name, uscc: shape.issuer },
        approved_on: shape.approved_on,
        issued_on: shape.issued_on,
        valid_until: shape.valid_until,
        photo: shape.photo,
        signature: shape.signature,
    };
    let standing = match shape.standing {
        StandingShape::Valid => Standing::Valid,
        StandingShape::Suspended => Standing::Suspended,
        StandingShape::Revoked => Standing::Revoked,
        StandingShape::Cancelled => Standing::Cancelled,
        StandingShape::SupersededBy(by) => Standing::Superseded { by },
    };
    Ok(Certificate {
        id,
        version: shape.version,
        licence_id: shape.licence_id,
        details,
        standing,
        entered_at: shape.entered_at,
    })
}

#[derive(Serialize, Deserialize)]
struct AnnotationShape {
    #[serde(with = "text")]
    code: Code,
    #[serde(with = "text")]
    certificate: CertificateId,
    #[serde(with = "text")]
    scenario: Scenario,
    days: u32,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    recipient: Option<Recipient>,
    #[serde(with = "text")]
    by: Actor,
    #[serde(with = "text_option", default, skip_serializing_if = "Option::is_none")]
    on_behalf_reason: Option<Line<200>>,
    requested_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    state: StateShape,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateShape {
    Queued,
    Sealing(IntentShape),
    Sealed(SealedShape),
    Revoked {
        at: DateTime<Utc>,
        cause: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed: Option<SealedShape>,
    },
    Failed {
        at: DateTime<Utc>,
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
struct IntentShape {
    #[serde(with = "text")]
    sheet: Sha256,
    at: DateTime<Utc>,
    valid_from: NaiveDate,
    valid_until: NaiveDate,
}

#[derive(Serialize, Deserialize)]
struct SealedShape {
    intent: IntentShape,
    #[serde(with = "text")]
    document: Sha256,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reminded: Option<u32>,
}

impl From<&Intent> for IntentShape {
    fn from(intent: &Intent) -> Self {
        let Intent { sheet, at, valid_from, valid_until } = intent.clone();
        Self { sheet, at, valid_from, valid_until }
    }
}

impl From<IntentShape> for Intent {
    fn from(shape: IntentShape) -> Self {
        let IntentShape { sheet, at, valid_from, valid_until } = shape;
        Self { sheet, at, valid_from, valid_until }
    }
}

impl From<&Sealed> for SealedShape {
    fn from(sealed: &Sealed) -> Self {
        Self {
            intent: IntentShape::from(&sealed.intent),
            document: sealed.document,
            reminded: sealed.reminded,
        }
    }
}

impl From<SealedShape> for Sealed {
    fn from(shape: SealedShape) -> Self {
        Self { intent: shape.intent.into(), document: shape.document, reminded: shape.reminded }
    }
}

/// The bytes of an annotation, to be encrypted.
pub(crate) fn write_annotation(annotation: &Annotation) -> Result<Vec<u8>, Unreadable> {
    let order = annotation.order.clone();
    write(&AnnotationShape {
        code: annotation.code,
        certificate: annotation.certificate,
        scenario: order.scenario,
        days: order.days,
        recipient: order.recipient,
        by: order.by,
        on_behalf_reason: order.on_behalf_reason,
        requested_at: order.requested_at,
        due_at: order.due_at,
        state: match &annotation.state {
            State::Queued(Queued {}) => StateShape::Queued,
            State::Sealing(sealing) => StateShape::Sealing(IntentShape::from(&sealing.intent)),
            State::Sealed(sealed) => StateShape::Sealed(SealedShape::from(sealed)),
            State::Revoked(Revoked { sealed, revocation }) => StateShape::Revoked {
                at: revocation.at,
                cause: revocation.cause.word().to_owned(),
                sealed: sealed.as_ref().map(SealedShape::from),
            },
            State::Failed(Failed { failure }) => StateShape::Failed {
                at: failure.at,
                code: failure.code.clone(),
                about: failure.about.clone(),
            },
        },
    })
}

/// Reads what [`write_annotation`] gave, of any version.
pub(crate) fn read_annotation(id: AnnotationId, bytes: &[u8]) -> Result<Annotation, Unreadable> {
    let shape: AnnotationShape = read(bytes)?;
    let state = match shape.state {
        StateShape::Queued => State::Queued(Queued {}),
        StateShape::Sealing(intent) => State::Sealing(Sealing { intent: intent.into() }),
        StateShape::Sealed(sealed) => State::Sealed(sealed.into()),
        StateShape::Revoked { at, cause, sealed } => State::Revoked(Revoked {
            sealed: sealed.map(Sealed::from),
            revocation: Revocation { at, cause: cause.parse()? },
        }),
        StateShape::Failed { at, code, about } => {
            State::Failed(Failed { failure: Failure { at, code, about } })
        }
    };
    let order = Order {
        scenario: shape.scenario,
        days: shape.days,
        recipient: shape.recipient,
        by: shape.by,
        on_behalf_reason: shape.on_behalf_reason,
        requested_at: shape.requested_at,
        due_at: shape.due_at,
    };
    Ok(Annotation { id, code: shape.code, certificate: shape.certificate, order, state })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::store::samples::certificate;

    #[test]
    fn a_certificate_is_read_as_it_was_written_and_one_from_before_there_were_signatures_too() {
        let mut one = certificate(1);
        let before = write_certificate(&one).unwrap();
        assert!(!String::from_utf8(before[1..].to_vec()).unwrap().contains("signature"));
        assert!(read_certificate(one.id, &before).unwrap() == one);
        one.details.photo = Some(Sha256::new([1; 32]));
        one.details.signature = Some(Sha256::new([2; 32]));
        assert!(read_certificate(one.id, &write_certificate(&one).unwrap()).unwrap() == one);
    }
}
