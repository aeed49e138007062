//! The one place where a "no" becomes an answer: `application/problem+json` (RFC 9457), in two languages.

pub(crate) mod body;
pub(crate) mod examples;

use std::sync::Arc;

use axum::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::desk::DeskError;
use crate::domain::key::Scope;
use crate::domain::language::Language;
use crate::domain::refusal::{FieldError, FieldFault, Refusal};
use crate::http::problem::body::{Members, ProblemBody, ProblemField};

/// Why a request is not answered as asked.
#[derive(Clone, Debug)]
pub(crate) enum Problem {
    /// A rule says no.
    Refused(Refusal),
    /// No such thing, or somebody else's, or no such path.
    NotFound,
    /// The path knows other methods.
    MethodNotAllowed,
    /// No valid key or session.
    Unauthenticated,
    /// The key lacks this scope.
    ScopeMissing(Scope),
    /// A browser was sent here by another site.
    CrossSite,
    /// The body is no JSON, from this place on.
    MalformedJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The body broke off or is no HTTP.
    BodyBroken,
    /// The body came too slowly.
    BodyTimeout,
    /// The body is of another kind than this.
    UnsupportedMediaType(&'static str),
    /// The body, or a line of it, is longer than so many bytes.
    TooLarge(usize),
    /// Too often; try again after so many seconds.
    TooManyRequests(u64),
    /// Not now; why, without personal data.
    Unavailable(&'static str),
    /// The machine failed.
    Fault(Arc<DeskError>),
    /// A handler panicked.
    Panicked,
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Refused(refusal) => Self::Refused(refusal),
            DeskError::NotFound => Self::NotFound,
            DeskError::Unauthenticated => Self::Unauthenticated,
            DeskError::Forbidden(scope) => Self::ScopeMissing(scope),
            DeskError::Unavailable(why) => Self::Unavailable(why),
            DeskError::TooOften(seconds) => Self::TooManyRequests(seconds),
            fault @ DeskError::Fault(_) => Self::Fault(Arc::new(fault)),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Problem {
    /// One wrong field.
    pub(crate) fn field(field: impl Into<String>, fault: FieldFault) -> Self {
        Self::Refused(Refusal::field(field, fault))
    }

    /// The status code (RFC 9110, section 15).
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => match refusal {
                Refusal::Invalid(_)
                | Refusal::ValidityTooLong { .. }
                | Refusal::ValidityTooShort
                | Refusal::ScenarioNotAllowed { .. }
                | Refusal::Unprintable { .. }
                | Refusal::CaptchaWrong
                | Refusal::CodeWrong
                | Refusal::IdentityNotMatched
                | Refusal::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
                Refusal::NoticeNotAccepted => StatusCode::FORBIDDEN,
                Refusal::WrongCredentials | Refusal::SecondFactorWrong => StatusCode::UNAUTHORIZED,
                Refusal::QuotaExceeded { .. }
                | Refusal::CertificateNotValid { .. }
                | Refusal::StatusFinal { .. }
                | Refusal::AnnotationRequired
                | Refusal::AnnotationNotReady
                | Refusal::AnnotationNotLive { .. }
                | Refusal::SecondFactorCompulsory
                | Refusal::LoginTaken
                | Refusal::OwnPost
                | Refusal::Applying(_)
                | Refusal::Filing(_)
                | Refusal::NotParked => StatusCode::CONFLICT,
                Refusal::InvitationOver
                | Refusal::AnnotationExpired { .. }
                | Refusal::AnnotationRevoked
                | Refusal::AnnotationFailed => StatusCode::GONE,
            },
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::ScopeMissing(_) | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::MalformedJson { .. } | Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault(_) | Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable code, with which `type` ends; a page of that address explains it.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Unauthenticated => "unauthenticated",
            Self::ScopeMissing(_) => "scope-missing",
            Self::CrossSite => "cross-site",
            Self::MalformedJson { .. } => "malformed-json",
            Self::BodyBroken => "body-broken",
            Self::BodyTimeout => "body-timeout",
            Self::UnsupportedMediaType(_) => "unsupported-media-type",
            Self::TooLarge(_) => "too-large",
            Self::TooManyRequests(_) => "too-many-requests",
            Self::Unavailable(_) => "unavailable",
            Self::Fault(_) | Self::Panicked => "fault",
        }
    }

    /// One line that names it.
    pub(crate) fn title(&self, language: Language) -> &'static str {
        let (chinese, english) = match self {
            Self::Refused(refusal) => return refusal.title(language),
            Self::NotFound => ("未找到", "Not found"),
            Self::MethodNotAllowed => ("不支持此方法", "Method not allowed"),
            Self::Unauthenticated => ("请登录，或提供有效的密钥", "Log in, or send a valid key"),
            Self::ScopeMissing(_) => ("密钥权限不足", "The key may not do this"),
            Self::CrossSite => ("来自其他网站的请求", "A request of another site"),
            Self::MalformedJson { .. } => ("不是有效的 JSON", "Malformed JSON"),
            Self::BodyBroken => ("请求正文不完整", "The body broke off"),
            Self::BodyTimeout => ("请求正文传送过慢", "The body came too slowly"),
            Self::UnsupportedMediaType(_) => ("内容类型不符", "Unsupported media type"),
            Self::TooLarge(_) => ("内容过大", "Too large"),
            Self::TooManyRequests(_) => ("请求过于频繁", "Too many requests"),
            Self::Unavailable(_) => ("暂时无法处理", "Not now"),
            Self::Fault(_) | Self::Panicked => ("系统故障", "The service failed"),
        };
        language.pick(chinese, english)
    }

    /// What happened and what to do.
    pub(crate) fn detail(&self, language: Language) -> String {
        let pick = |chinese: &str, english: &str| language.pick(chinese, english).to_owned();
        match self {
            Self::Refused(refusal) => refusal.detail(language),
            Self::NotFound => pick(
                "此处没有可供查看的内容；请核对地址和标识。",
                "There is nothing here that you may see; check the address and the identifier.",
            ),
            Self::MethodNotAllowed => {
                pick("可用的方法见 Allow 标头。", "The Allow header names the methods that can be used.")
            }
            Self::Unauthenticated => pick(
                "请在 Authorization 标头中提供登录令牌（Bearer vs_…）或机构密钥（Bearer vk_…）。",
                "Send a session token (Bearer vs_…) or an agency's key (Bearer vk_…) in the Authorization header.",
            ),
            Self::ScopeMissing(scope) => match language {
                Language::Chinese => format!("此操作需要权限 {}，请向密钥管理人申请。", scope.word()),
                Language::English => {
                    format!("This needs the scope {}; ask whoever manages your keys.", scope.word())
                }
            },
            Self::CrossSite => pick("请从本站页面操作。", "Do it from our own pages."),
            Self::MalformedJson { line, column } => match language {
                Language::Chinese => format!("第 {line} 行第 {column} 列起无法解析，请更正。"),
                Language::English => {
                    format!("It cannot be read from line {line}, column {column} on; mend it.")
                }
            },
            Self::BodyBroken => pick("请重新发送完整的请求。", "Send the whole request again."),
            Self::BodyTimeout => pick("请检查网络后重试。", "Check the network and try again."),
            Self::UnsupportedMediaType(expected) => match language {
                Language::Chinese => format!("Content-Type 应为 {expected}。"),
                Language::English => format!("Send it with Content-Type: {expected}."),
            },
            Self::TooLarge(limit) => match language {
                Language::Chinese => format!("最多 {limit} 字节。"),
                Language::English => format!("At most {limit} bytes."),
            },
            Self::TooManyRequests(seconds) => match language {
                Language::Chinese => format!("请在 {seconds} 秒后重试。"),
                Language::English => format!("Try again in {seconds} seconds."),
            },
            Self::Unavailable(_) => pick(
                "系统繁忙或正在维护，请稍后重试。",
                "The service is busy or under maintenance; try again shortly.",
            ),
            Self::Fault(_) | Self::Panicked => pick(
                "故障已记录。请稍后重试；如仍失败，请提供 X-Request-Id 标头的值。",
                "The failure is on record. Try again later; if it persists, report the X-Request-Id header's value.",
            ),
        }
    }

    /// After how many seconds another try makes sense.
    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests(seconds) => Some(*seconds),
            Self::Unavailable("busy" | "overloaded") => Some(1),
            Self::Unavailable(_) => Some(30),
            _ => None,
        }
    }

    fn errors(&self, language: Language) -> Vec<ProblemField> {
        let one = |FieldError { field, fault }: &FieldError| ProblemField {
            field: field.clone(),
            code: fault.code(),
            message: fault.message(language),
        };
        match self {
            Self::Refused(Refusal::Invalid(errors)) => errors.iter().map(one).collect(),
            Self::Refused(refusal @ Refusal::Unprintable { field, .. }) => {
                vec![ProblemField {
                    field: (*field).to_owned(),
                    code: refusal.code(),
                    message: refusal.detail(language),
                }]
            }
            _ => Vec::new(),
        }
    }

    /// The object that is answered. `public_url` is where `type` lies.
    pub(crate) fn body(&self, public_url: &str, language: Language) -> ProblemBody {
        ProblemBody {
            kind: format!("{public_url}/problems/{}", self.code()),
            title: self.title(language),
            status: self.status().as_u16(),
            code: self.code(),
            detail: self.detail(language),
            errors: self.errors(language),
            members: Members::of(self),
        }
    }

    /// Prints the problem into the response that carries it; its other headers stay.
    pub(crate) fn print(&self, public_url: &str, language: Language, response: &mut Response) {
        let body = serde_json::to_vec(&self.body(public_url, language)).unwrap_or_default();
        *response.status_mut() = self.status();
        *response.body_mut() = body.into();
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        set(CONTENT_TYPE, "application/problem+json");
        set(CONTENT_LANGUAGE, language.tag());
        set(VARY, "Accept-Language");
        if self.status() == StatusCode::UNAUTHORIZED {
            set(WWW_AUTHENTICATE, "Bearer realm=\"vermilion\"");
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

/// The problem rides in the response until the gate, which knows the reader's language, prints it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::domain::annotation::Phase;
    use crate::domain::certificate::Status;

    fn refused(refusal: Refusal) -> Problem {
        Problem::from(DeskError::from(refusal))
    }

    fn printed(problem: &Problem, language: Language) -> serde_json::Value {
        serde_json::to_value(problem.body("https://vermilion.example", language)).unwrap()
    }

    #[test]
    fn every_no_has_its_status_and_code() {
        let day = "2026-03-01".parse().unwrap();
        let status = Status::Suspended;
        for (problem, number, code) in [
            (refused(Refusal::Invalid(vec![])), 422, "invalid-fields"),
            (refused(Refusal::ValidityTooLong { max_days: 90 }), 422, "validity-too-long"),
            (refused(Refusal::ScenarioNotAllowed { allowed: vec![] }), 422, "scenario-not-allowed"),
            (refused(Refusal::KeyReused), 422, "idempotency-key-reused"),
            (
                refused(Refusal::QuotaExceeded { quota: 3, window_days: 365, next_free_on: None }),
                409,
                "quota-exceeded",
            ),
            (refused(Refusal::CertificateNotValid { status }), 409, "certificate-not-valid"),
            (refused(Refusal::AnnotationNotReady), 409, "annotation-not-ready"),
            (refused(Refusal::AnnotationRequired), 409, "annotation-required"),
            (refused(Refusal::AnnotationNotLive { phase: Phase::Expired }), 409, "annotation-not-live"),
            (refused(Refusal::AnnotationExpired { valid_until: day }), 410, "annotation-expired"),
            (refused(Refusal::AnnotationRevoked), 410, "annotation-revoked"),
            (DeskError::NotFound.into(), 404, "not-found"),
            (DeskError::Unauthenticated.into(), 401, "unauthenticated"),
            (DeskError::Forbidden(Scope::AuditRead).into(), 403, "scope-missing"),
            (DeskError::Unavailable("busy").into(), 503, "unavailable"),
            (Problem::MalformedJson { line: 1, column: 2 }, 400, "malformed-json"),
            (Problem::TooLarge(9), 413, "too-large"),
            (Problem::TooManyRequests(3), 429, "too-many-requests"),
            (Problem::Panicked, 500, "fault"),
        ] {
            let body = printed(&problem, Language::Chinese);
            assert_eq!((problem.status().as_u16(), problem.code()), (number, code));
            assert_eq!((&body["status"], &body["code"]), (&number.into(), &code.into()));
            assert_eq!(body["type"], format!("https://vermilion.example/problems/{code}"));
        }
    }

    #[test]
    fn a_problem_tells_what_to_do_in_the_readers_language_and_what_a_program_needs() {
        let next = "2026-05-30".parse().ok();
        let quota = refused(Refusal::QuotaExceeded { quota: 3, window_days: 365, next_free_on: next });
        let (chinese, english) = (printed(&quota, Language::Chinese), printed(&quota, Language::English));
        assert_eq!(chinese["next_free_on"], "2026-05-30");
        assert!(chinese["detail"].as_str().unwrap().contains("名额将于 2026-05-30 释放"));
        assert!(english["detail"].as_str().unwrap().contains("falls free on 2026-05-30"));
        let ended = refused(Refusal::CertificateNotValid { status: Status::Cancelled });
        assert_eq!(printed(&ended, Language::English)["certificate"]["status"], "cancelled");
        let field = Problem::field("holder.id_number", FieldFault::CheckDigit);
        let body = printed(&field, Language::English);
        assert_eq!(body["errors"][0]["field"], "holder.id_number");
        assert_eq!(body["errors"][0]["code"], "check-digit");
        let rare = refused(Refusal::Unprintable { field: "recipient", character: '\u{2ebef}' });
        assert_eq!(printed(&rare, Language::English)["errors"][0]["code"], "unprintable-character");
    }

    #[test]
    fn a_problem_is_printed_with_its_headers() {
        let print = |problem: Problem| {
            let mut response = problem.clone().into_response();
            problem.print("", Language::English, &mut response);
            response
        };
        let denied = print(Problem::Unauthenticated);
        assert_eq!(denied.status(), 401);
        assert_eq!(denied.headers()["content-type"], "application/problem+json");
        assert_eq!(denied.headers()["content-language"], "en");
        assert!(denied.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        assert_eq!(print(Problem::TooManyRequests(7)).headers()["retry-after"], "7");
        assert!(print(Problem::Unavailable("spool")).headers().contains_key("retry-after"));
        assert!(!print(Problem::NotFound).headers().contains_key("retry-after"));
    }
}
