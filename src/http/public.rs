//! What anybody may ask without an account: the verdict on a code, the verdict on a file.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::account::captcha::Solution;
use crate::desk::standing::{Answer, FileAnswer, Shown, ShownAnnotation, ShownCertificate};
use crate::domain::language::Language;
use crate::http::body::{Nothing, Sent};
use crate::http::language::Speaks;
use crate::http::params::{Asked, refuse_query};
use crate::http::problem::Problem;
use crate::http::shapes::{Day, Moment};
use crate::http::words::{CertificateStatus, CopyVerdict, DocumentVerdict, File};
use crate::http::{Shared, body};
use crate::seal::check::SignatureFacts;

const PDF: &str = "application/pdf";

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(verify_code))
        .routes(routes!(verify_document))
        .routes(routes!(verify_query))
}

/// What stands on a certificate, to be looked up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QueryForm {
    /// 姓名
    name: String,
    /// 证件号码
    id_number: String,
    /// 管理号
    management_no: String,
    /// Which captcha.
    captcha_id: String,
    /// Its answer.
    captcha: String,
}

/// The verdict on a copy. For `unknown` only the verdict and the time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
struct VerdictShape {
    /// One plain word.
    #[schema(value_type = CopyVerdict)]
    verdict: &'static str,
    /// When it was checked.
    checked_at: Moment,
    /// The certificate, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    certificate: Option<ShownCertificateShape>,
    /// The annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    annotation: Option<ShownAnnotationShape>,
    /// SHA-256 of the sealed file; null until there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    document_sha256: Option<Option<String>>,
}

/// The certificate, masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShownCertificate)]
struct ShownCertificateShape {
    /// 证书名称
    title: String,
    /// 专业
    #[schema(required)]
    specialty: Option<String>,
    /// 发证机构
    issuer: String,
    /// 批准日期
    approved_on: Day,
    /// Last characters of the 管理号.
    management_no_tail: String,
    /// First character and ＊.
    holder_name_masked: String,
    /// Ends of the identity number.
    holder_id_masked: String,
    /// How it stands today.
    #[schema(value_type = CertificateStatus)]
    status: &'static str,
}

/// The annotation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShownAnnotation)]
struct ShownAnnotationShape {
    /// 使用场景
    scenario: String,
    /// 接收单位
    #[schema(required)]
    recipient: Option<String>,
    /// First day.
    #[schema(required)]
    valid_from: Option<Day>,
    /// Last day.
    #[schema(required)]
    valid_until: Option<Day>,
    /// When it was sealed.
    #[schema(required)]
    sealed_at: Option<Moment>,
}

/// The verdict on a file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FileVerdict)]
struct FileVerdictShape {
    /// One plain word: those of a code, and four of files.
    #[schema(value_type = DocumentVerdict)]
    verdict: &'static str,
    /// When it was checked.
    checked_at: Moment,
    /// What is wrong with the file; empty for one of ours that is untouched.
    reasons: Vec<ReasonShape>,
    /// What the signature says, where there is one. More than a claim only where there is no reason against it.
    #[schema(required)]
    signature: Option<SignatureShape>,
    /// The certificate, masked, where the file is ours and untouched.
    #[schema(required)]
    certificate: Option<ShownCertificateShape>,
    /// The annotation, where the file is an annotated copy of ours and untouched.
    #[schema(required)]
    annotation: Option<ShownAnnotationShape>,
    /// SHA-256 of the file that was sent.
    document_sha256: String,
}

/// One thing wrong with a file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reason)]
struct ReasonShape {
    /// The stable code.
    code: &'static str,
    /// What it means and what to do.
    message: &'static str,
}

/// What a signature says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Signature)]
struct SignatureShape {
    /// Common name of the signer.
    #[schema(required)]
    signer: Option<String>,
    /// Organisation of the signer.
    #[schema(required)]
    organisation: Option<String>,
    /// Who issued the signer's certificate.
    issuer: String,
    /// Serial number of the signer's certificate, in hexadecimal.
    serial: String,
    /// SHA-256 of the signer's certificate.
    certificate_sha256: String,
    /// Algorithm.
    algorithm: String,
    /// When the signature says that it was made.
    #[schema(required)]
    signed_at: Option<Moment>,
    /// Whether the signature speaks for every byte of the file but its own.
    covers_whole_file: bool,
}

impl From<Answer> for VerdictShape {
    fn from(answer: Answer) -> Self {
        let Answer { verdict, checked_at, shown } = answer;
        let mut shape = Self {
            verdict: verdict.word(),
            checked_at: Moment(checked_at),
            certificate: None,
            annotation: None,
            document_sha256: None,
        };
        if let Some(Shown { certificate, annotation, document }) = shown {
            shape.certificate = Some(certificate.into());
            shape.annotation = annotation.map(Into::into);
            shape.document_sha256 = Some(document.map(|digest| digest.to_string()));
        }
        shape
    }
}

impl From<ShownCertificate> for ShownCertificateShape {
    fn from(shown: ShownCertificate) -> Self {
        Self {
            title: shown.title,
            specialty: shown.specialty,
            issuer: shown.issuer,
            approved_on: Day(shown.approved_on),
            management_no_tail: shown.management_no_tail,
            holder_name_masked: shown.holder_name_masked,
            holder_id_masked: shown.holder_id_masked,
            status: shown.status.word(),
        }
    }
}

impl From<ShownAnnotation> for ShownAnnotationShape {
    fn from(shown: ShownAnnotation) -> Self {
        Self {
            scenario: shown.scenario,
            recipient: shown.recipient,
            valid_from: shown.valid_from.map(Day),
            valid_until: shown.valid_until.map(Day),
            sealed_at: shown.sealed_at.map(Moment),
        }
    }
}

impl From<SignatureFacts> for SignatureShape {
    fn from(facts: SignatureFacts) -> Self {
        Self {
            signer: facts.signer,
            organisation: facts.organisation,
            issuer: facts.issuer,
            serial: facts.serial,
            certificate_sha256: facts.certificate.to_string(),
            algorithm: facts.algorithm,
            signed_at: facts.signed_at.map(Moment),
            covers_whole_file: facts.covers_whole_file,
        }
    }
}

impl FileVerdictShape {
    fn of(answer: FileAnswer, language: Language) -> Self {
        let FileAnswer { finding, report, checked_at, shown } = answer;
        let (certificate, annotation) =
            shown.map_or((None, None), |shown| (Some(shown.certificate), shown.annotation));
        let reasons = report.reasons.iter();
        Self {
            verdict: finding.word(),
            checked_at: Moment(checked_at),
            reasons: reasons
                .map(|reason| ReasonShape { code: reason.code(), message: reason.message(language) })
                .collect(),
            signature: report.signature.map(Into::into),
            certificate: certificate.map(Into::into),
            annotation: annotation.map(Into::into),
            document_sha256: report.digest.to_string(),
        }
    }
}

/// Judges the code behind a QR code.
///
/// Case, spaces and hyphens of the code do not matter. A malformed code is answered like an unknown one.
#[utoipa::path(
    get, path = "/api/v1/verify/{code}", tag = "public",
    params(("code" = String, Path, description = "26 characters of Crockford base32, or what somebody took for them")),
    responses((status = 200, description = "The verdict", body = VerdictShape)),
)]
async fn verify_code(
    State(api): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<VerdictShape>, Problem> {
    // What is no text is no code either.
    let code = path.map(|Path(code)| code).unwrap_or_default();
    Ok(Json(api.desk.verify(&code).await?.into()))
}

/// Judges a certificate by three fields, which must all fit; every miss is answered alike, as `unknown`.
#[utoipa::path(
    post, path = "/api/v1/verify/query", tag = "public", request_body = QueryForm,
    responses((status = 200, description = "The verdict", body = VerdictShape)),
)]
async fn verify_query(
    State(api): State<Shared>,
    Sent { form, .. }: Sent<QueryForm>,
) -> Result<Json<VerdictShape>, Problem> {
    let QueryForm { name, id_number, management_no, captcha_id, captcha } = form;
    let solution = Solution { id: captcha_id, answer: captcha };
    Ok(Json(api.desk.query(&name, &id_number, &management_no, &solution).await?.into()))
}

/// Judges a file: its structure and seal, then the register.
///
/// At most 10 MiB.
#[utoipa::path(
    post, path = "/api/v1/verify/document", tag = "public",
    request_body(content = File, content_type = "application/pdf"),
    responses((status = 200, description = "The verdict", body = FileVerdictShape)),
)]
async fn verify_document(
    State(api): State<Shared>,
    Speaks(language): Speaks,
    request: Request,
) -> Result<Json<FileVerdictShape>, Problem> {
    let (parts, body) = request.into_parts();
    refuse_query(&parts.uri)?;
    body::demand(&parts.headers, PDF)?;
    body::announced(&parts.headers, body::DOCUMENT)?;
    let _room = api.gates.upload().await?;
    let bytes = body::read(&parts.headers, body, body::DOCUMENT, &api.gates.limits).await?;
    let _core = api.gates.judge().await?;
    let answer = api.desk.verify_document(bytes.into()).await?;
    Ok(Json(FileVerdictShape::of(answer, language)))
}
