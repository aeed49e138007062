//! Shapes that several answers share. They are the interface, not the domain: a rename there changes nothing here.

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::desk::order::Document;
use crate::domain::annotation::{Annotation, Failure, State};
use crate::domain::calendar;
use crate::domain::certificate::{Certificate, Standing};
use crate::domain::language::Language;
use crate::domain::refusal::Refusal;
use crate::http::words::{AnnotationState, CertificateStatus};

/// A moment as RFC 3339 prints it, with the offset of Shanghai and milliseconds.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-03-01T09:30:00.000+08:00")]
pub(crate) struct Moment(pub(crate) DateTime<Utc>);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = calendar::in_shanghai(self.0);
        serializer.serialize_str(&shown.to_rfc3339_opts(SecondsFormat::Millis, false))
    }
}

/// A day as YYYY-MM-DD.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(value_type = String, format = Date)]
pub(crate) struct Day(pub(crate) NaiveDate);

/// An annotation, as everybody who manages it sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Annotation)]
pub(crate) struct AnnotationShape {
    /// Its name for those who manage it.
    id: String,
    /// Its name for the public, 26 characters of Crockford base32.
    code: String,
    /// The version of the certificate that it annotates.
    certificate_id: String,
    /// Where it stands.
    #[schema(value_type = AnnotationState)]
    state: &'static str,
    /// Usage scenario.
    scenario: String,
    /// Length of the validity in days, both ends counted.
    days: u32,
    /// 接收单位
    #[schema(required)]
    recipient: Option<String>,
    /// When it was ordered.
    requested_at: Moment,
    /// By when it is done.
    due_at: Moment,
    /// First day of validity, once it is sealed.
    #[schema(required)]
    valid_from: Option<Day>,
    /// Last day of validity, once it is sealed.
    #[schema(required)]
    valid_until: Option<Day>,
    /// When it was sealed.
    #[schema(required)]
    sealed_at: Option<Moment>,
    /// SHA-256 of the sealed file.
    #[schema(required)]
    document_sha256: Option<String>,
    /// Why it could not be made.
    #[schema(required)]
    failure: Option<FailureShape>,
    /// How many copies are due before it, while it waits.
    #[schema(required)]
    place_in_queue: Option<u64>,
}

/// Why a copy could not be made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Failure)]
pub(crate) struct FailureShape {
    /// The stable code.
    code: String,
    /// What happened and what to do.
    message: String,
}

impl AnnotationShape {
    /// Shows an annotation on a day.
    pub(crate) fn of(
        annotation: &Annotation,
        place: Option<u64>,
        today: NaiveDate,
        language: Language,
    ) -> Self {
        let order = &annotation.order;
        let sealed = annotation.sealed();
        let failure = match &annotation.state {
            State::Failed(failed) => Some(&failed.failure),
            _ => None,
        };
        Self {
            id: annotation.id.to_string(),
            code: annotation.code.to_string(),
            certificate_id: annotation.certificate.to_string(),
            state: annotation.phase_on(today).word(),
            scenario: order.scenario.to_string(),
            days: order.days,
            recipient: order.recipient.as_ref().map(ToString::to_string),
            requested_at: Moment(order.requested_at),
            due_at: Moment(order.due_at),
            valid_from: sealed.map(|sealed| Day(sealed.intent.valid_from)),
            valid_until: sealed.map(|sealed| Day(sealed.intent.valid_until)),
            sealed_at: sealed.map(|sealed| Moment(sealed.intent.at)),
            document_sha256: sealed.map(|sealed| sealed.document.to_string()),
            failure: failure.map(|failure| FailureShape {
                code: failure.code.clone(),
                message: failure_message(failure, language),
            }),
            place_in_queue: place.filter(|_| waits(annotation)),
        }
    }

    /// Where the annotation lies.
    pub(crate) fn location(&self) -> String {
        format!("/api/v1/admin/annotations/{}", self.id)
    }
}

/// Whether the annotation has a place in the queue.
pub(crate) fn waits(annotation: &Annotation) -> bool {
    matches!(annotation.state, State::Queued(_) | State::Sealing(_))
}

fn failure_message(failure: &Failure, language: Language) -> String {
    let about = failure.about.as_deref().unwrap_or("?");
    let text = match failure.code.as_str() {
        "unprintable-character" => match language {
            Language::Chinese => format!("没有字体可以打印字符“{about}”。"),
            Language::English => format!("No face holds the character “{about}”."),
        },
        "does-not-fit" => match language {
            Language::Chinese => format!("{about} 的内容太长，无法排入版面。"),
            Language::English => format!("The text of {about} is too long for the page."),
        },
        "certificate-not-valid" => match language {
            Language::Chinese => format!("证书当时无效（{about}）。"),
            Language::English => format!("The certificate was not valid: {about}."),
        },
        "deadline-missed" => {
            language.pick("未能在 24 小时内生成。", "It could not be made within 24 hours.").to_owned()
        }
        _ => String::new(),
    };
    format!("{text}{}", Refusal::AnnotationFailed.detail(language))
}

/// One version of a certificate, as its agency sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Certificate)]
pub(crate) struct CertificateShape {
    /// Its name.
    id: String,
    /// 1, 2, 3 … per type and management number.
    version: u16,
    /// 证照标识 (GB/T 36904)
    licence_id: String,
    /// How it stands today.
    #[schema(value_type = CertificateStatus)]
    status: &'static str,
    /// The version that replaced it.
    #[schema(required)]
    superseded_by: Option<String>,
    /// When this version entered the register.
    entered_at: Moment,
    /// Type, as `planner-qualification`.
    #[serde(rename = "type")]
    kind: String,
    /// 管理号
    management_no: String,
    /// 证书名称
    title: String,
    /// 级别
    #[schema(required)]
    level: Option<String>,
    /// 专业
    #[schema(required)]
    specialty: Option<String>,
    /// Holder.
    holder: HolderShape,
    /// Issuing body.
    issuer: IssuerShape,
    /// Day of approval.
    approved_on: Day,
    /// Day of issue.
    issued_on: Day,
    /// Last day of the registration.
    #[schema(required)]
    valid_until: Option<Day>,
    /// Whether there is a portrait.
    has_photo: bool,
}

/// The person whom a certificate belongs to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Holder)]
pub(crate) struct HolderShape {
    /// Name as printed.
    name: String,
    /// Kind of identity document (GA/T 517).
    id_type: String,
    /// Identity number.
    id_number: String,
    /// 男 or 女
    #[schema(required)]
    sex: Option<&'static str>,
    /// Day of birth.
    #[schema(required)]
    born: Option<Day>,
}

/// The body that issues a certificate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Issuer)]
pub(crate) struct IssuerShape {
    /// Name as printed.
    name: String,
    /// Unified social credit code.
    uscc: String,
}

impl CertificateShape {
    /// Shows a certificate on a day.
    pub(crate) fn of(certificate: &Certificate, today: NaiveDate) -> Self {
        let details = &certificate.details;
        let holder = &details.holder;
        Self {
            id: certificate.id.to_string(),
            version: certificate.version,
            licence_id: certificate.licence_id.to_string(),
            status: certificate.status_on(today).word(),
            superseded_by: match &certificate.standing {
                Standing::Superseded { by } => Some(by.to_string()),
                _ => None,
            },
            entered_at: Moment(certificate.entered_at),
            kind: details.kind.to_string(),
            management_no: details.management_no.to_string(),
            title: details.title.to_string(),
            level: details.level.as_ref().map(ToString::to_string),
            specialty: details.specialty.as_ref().map(ToString::to_string),
            holder: HolderShape {
                name: holder.name.to_string(),
                id_type: holder.id.id_type().to_owned(),
                id_number: holder.id.number().to_owned(),
                sex: holder.sex.map(|sex| sex.word()),
                born: holder.born.map(Day),
            },
            issuer: IssuerShape {
                name: details.issuer.name.to_string(),
                uscc: details.issuer.uscc.to_string(),
            },
            approved_on: Day(details.approved_on),
            issued_on: Day(details.issued_on),
            valid_until: details.valid_until.map(Day),
            has_photo: details.photo.is_some(),
        }
    }
}

/// A file to keep, with its digest (RFC 9530).
pub(crate) fn file(document: Document, kind: &'static str, name: &str) -> Response {
    let digest = format!("sha-256=:{}:", STANDARD.encode(document.digest.as_bytes()));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_DISPOSITION, header(format!("attachment; filename=\"{name}\""))),
        (HeaderName::from_static("repr-digest"), header(digest)),
    ];
    (headers, document.bytes).into_response()
}

/// A header's value from a text of ours, which is ASCII.
pub(crate) fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn a_moment_is_printed_with_the_offset_of_shanghai() {
        let at = "2026-02-28T16:00:00.25Z".parse().unwrap();
        assert_eq!(serde_json::to_string(&Moment(at)).unwrap(), "\"2026-03-01T00:00:00.250+08:00\"");
        assert_eq!(serde_json::to_string(&Day(calendar::day_of(at))).unwrap(), "\"2026-03-01\"");
    }
}
