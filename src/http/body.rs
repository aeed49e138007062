//! Request bodies: bounded in size and time, of the announced kind, every wrong field named by its path.

use std::future::Future;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::desk::Idempotency;
use crate::domain::refusal::{FieldError, FieldFault, Refusal};
use crate::http::Shared;
use crate::http::limits::Limits;
use crate::http::params::refuse_query;
use crate::http::problem::Problem;

/// Most bytes of a form.
pub(crate) const FORM: usize = 64 * 1024;

/// Most bytes of a certificate record, with its photo; also of a line of a batch.
pub(crate) const RECORD: usize = 1024 * 1024;

/// Most bytes of a file to judge.
pub(crate) const DOCUMENT: usize = 10 * 1024 * 1024;

/// The kind of JSON bodies.
pub(crate) const JSON: &str = "application/json";

/// A JSON body of at most `LIMIT` bytes, and the idempotency key of the call. Reads the body: comes after [`Agency`] in
/// a handler's arguments.
///
/// [`Agency`]: crate::http::auth::Agency
pub(crate) struct Sent<T, const LIMIT: usize = FORM> {
    /// What was sent.
    pub(crate) form: T,
    /// Under which key, if any.
    pub(crate) idempotency: Option<Idempotency>,
}

impl<T: DeserializeOwned, const LIMIT: usize> FromRequest<Shared> for Sent<T, LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Shared) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        refuse_query(&parts.uri)?;
        demand(&parts.headers, JSON)?;
        let bytes = read(&parts.headers, body, LIMIT, &api.gates.limits).await?;
        Ok(Self { form: parse(&bytes)?, idempotency: idempotency(&parts, &bytes)? })
    }
}

/// A JSON body that may be left out, or be null.
pub(crate) struct MaybeSent<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Shared> for MaybeSent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Shared) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        refuse_query(&parts.uri)?;
        let bytes = read(&parts.headers, body, FORM, &api.gates.limits).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        demand(&parts.headers, JSON)?;
        Ok(Self(parse::<Option<T>>(&bytes)?.unwrap_or_default()))
    }
}

fn idempotency(parts: &Parts, body: &[u8]) -> Result<Option<Idempotency>, Problem> {
    let request = [parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), body];
    idempotency_key(&parts.headers)?
        .map(|key| Idempotency::parse(key, &request).map_err(Problem::from))
        .transpose()
}

/// The `Idempotency-Key` header.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let unreadable = |_| Problem::field("Idempotency-Key", FieldFault::OutOfRange("1–200 ASCII"));
    value.to_str().map(Some).map_err(unreadable)
}

/// Passes where the body is of the kind that the call takes.
pub(crate) fn demand(headers: &HeaderMap, kind: &'static str) -> Result<(), Problem> {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let sent = sent.split(';').next().unwrap_or_default().trim();
    if sent.eq_ignore_ascii_case(kind) { Ok(()) } else { Err(Problem::UnsupportedMediaType(kind)) }
}

/// Refuses a body by the length that it announces, before any of it is read.
pub(crate) fn announced(headers: &HeaderMap, limit: usize) -> Result<(), Problem> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) { Err(Problem::TooLarge(limit)) } else { Ok(()) }
}

/// Reads a whole body, or as little as it takes to refuse it.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    limits: &Limits,
) -> Result<Bytes, Problem> {
    announced(headers, limit)?;
    let whole = tokio::time::timeout(limits.body_timeout, collect(Pieces::new(body, limits), limit));
    whole.await.map_err(|_| Problem::BodyTimeout)?
}

async fn collect(mut pieces: Pieces, limit: usize) -> Result<Bytes, Problem> {
    let Some(first) = pieces.next().await? else { return Ok(Bytes::new()) };
    if first.len() > limit {
        return Err(Problem::TooLarge(limit));
    }
    // Most bodies come in one piece, which needs no copy.
    let Some(second) = pieces.next().await? else { return Ok(first) };
    let mut whole = Vec::with_capacity(first.len() + second.len());
    whole.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(piece) = next {
        if whole.len() + piece.len() > limit {
            return Err(Problem::TooLarge(limit));
        }
        whole.extend_from_slice(&piece);
        next = pieces.next().await?;
    }
    Ok(whole.into())
}

/// A body piece by piece, none of which may take too long.
pub(crate) struct Pieces {
    body: Body,
    pause: std::time::Duration,
}

impl Pieces {
    pub(crate) fn new(body: Body, limits: &Limits) -> Self {
        Self { body, pause: limits.body_pause }
    }

    /// The next piece; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let frame = within(self.pause, self.body.frame()).await?;
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(Problem::BodyBroken),
                // Trailers are not for us.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

async fn within<T>(time: std::time::Duration, work: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(time, work).await.map_err(|_| Problem::BodyTimeout)
}

/// Parses JSON.
///
/// # Errors
/// `malformed-json` with the place; `invalid-fields` with the first field that is missing, unknown or of the wrong kind.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    // Serde would take an array for an object, field by field.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|first| *first == b'[') {
        serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map_err(|error| malformed(&error))?;
        return Err(Problem::field("body", FieldFault::WrongKind("an object".to_owned())));
    }
    let form = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            Category::Data => Refusal::Invalid(vec![structural(&path, &inner.to_string())]).into(),
            Category::Io | Category::Syntax | Category::Eof => malformed(&inner),
        }
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(form)
}

/// Parses JSON where every "no" must be a rule's: the records of a file.
///
/// # Errors
/// `invalid-fields`, as [`parse`]; for `record` where it is no JSON.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    parse(bytes).map_err(|problem| match problem {
        Problem::Refused(refusal) => refusal,
        _ => Refusal::field("record", FieldFault::WrongKind("JSON".to_owned())),
    })
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::MalformedJson { line: error.line(), column: error.column() }
}

/// What serde's complaint is about. Its text repeats the value, which may be personal: only what was expected is kept.
pub(crate) fn structural(path: &str, complaint: &str) -> FieldError {
    let quoted = |prefix: &str| {
        let rest = complaint.strip_prefix(prefix)?.strip_prefix(" `")?;
        Some(rest.split_once('`')?.0)
    };
    let base = if path == "." { "" } else { path };
    let below = |name: &str| {
        // Names come from the sender: shown, but not at any length.
        let name: String = name.chars().take(100).collect();
        match base {
            "" => name,
            base if base == name || base.ends_with(&format!(".{name}")) => base.to_owned(),
            base => format!("{base}.{name}"),
        }
    };
    if let Some(name) = quoted("missing field") {
        return FieldError::new(below(name), FieldFault::Missing);
    }
    if let Some(name) = quoted("unknown field") {
        return FieldError::new(below(name), FieldFault::UnknownField);
    }
    if let Some(name) = quoted("duplicate field") {
        return FieldError::new(below(name), FieldFault::WrongKind("a single value".to_owned()));
    }
    let expected = complaint.rsplit_once(", expected ").map_or("another value", |(_, expected)| expected);
    let expected = expected.rsplit_once(" at line ").map_or(expected, |(expected, _)| expected);
    let expected = match expected {
        expected if expected.starts_with("struct ") => "an object",
        expected => expected,
    };
    let field = if base.is_empty() { "body".to_owned() } else { base.to_owned() };
    FieldError::new(field, FieldFault::WrongKind(expected.to_owned()))
}

/// A form without fields.
#[derive(
    Clone, Copy, Debug, Default, serde::Deserialize, serde::Serialize, utoipa::ToSchema, utoipa::IntoParams,
)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]
    use super::*;
    use crate::desk::record::RecordForm;

    fn fault(json: &str) -> (String, FieldFault) {
        match parse::<RecordForm>(json.as_bytes()).map(|_| ()) {
            Err(Problem::Refused(Refusal::Invalid(errors))) => {
                (errors[0].field.clone(), errors[0].fault.clone())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_field_that_is_missing_unknown_or_of_the_wrong_kind_is_named_by_its_path() {
        assert_eq!(fault("{}"), ("type".into(), FieldFault::Missing));
        assert_eq!(
            fault(r#"{"holder":{"name":"x","id_type":"111"}}"#),
            ("holder.id_number".into(), FieldFault::Missing)
        );
        assert_eq!(fault(r#"{"sex":"男"}"#), ("sex".into(), FieldFault::UnknownField));
        assert_eq!(fault(r#"{"holder":{"age":30}}"#), ("holder.age".into(), FieldFault::UnknownField));
        assert_eq!(fault(r#"{"title":"a","title":"b"}"#).0, "title");
        assert_eq!(
            fault(r#"{"holder":{"name":12345678901}}"#),
            ("holder.name".into(), FieldFault::WrongKind("a string".into()))
        );
        assert_eq!(fault(r#"{"holder":"x"}"#), ("holder".into(), FieldFault::WrongKind("an object".into())));
        for no_object in ["3", "[]", r#"["a","b","c","d","e",{"name":"x"}]"#] {
            assert_eq!(fault(no_object), ("body".into(), FieldFault::WrongKind("an object".into())));
        }
    }

    #[test]
    fn a_complaint_never_repeats_the_value() {
        let (_, fault) = fault(r#"{"holder":{"name":["110101199003070011, expected nothing"]}}"#);
        assert!(!format!("{fault:?}").contains("1101"), "{fault:?}");
    }

    #[test]
    fn what_is_no_json_is_malformed_with_its_place() {
        for (json, at) in
            [("", (1, 0)), ("{\n  x", (2, 3)), ("{} {}", (1, 4)), ("{\"type\":\"\u{1}\"}", (1, 10))]
        {
            match parse::<Nothing>(json.as_bytes()) {
                Err(Problem::MalformedJson { line, column }) => assert_eq!((line, column), at, "{json}"),
                Err(Problem::Refused(_)) if json.contains("type") => {}
                other => panic!("{json}: {other:?}"),
            }
        }
        assert!(matches!(parse::<Nothing>(b"\xff"), Err(Problem::MalformedJson { .. })));
        assert!(matches!(
            parse::<serde_json::Value>("[".repeat(9_999).as_bytes()),
            Err(Problem::MalformedJson { .. })
        ));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_by_its_announcement_and_by_count() {
        let limits = Limits::development();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, "5".parse().unwrap());
        let early = read(&headers, Body::from("12345"), 4, &limits).await;
        assert!(matches!(early, Err(Problem::TooLarge(4))));
        let pieces = || {
            let pieces =
                ["12", "345"].map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes())));
            Body::from_stream(futures_util::stream::iter(pieces))
        };
        let counted = read(&HeaderMap::new(), pieces(), 4, &limits).await;
        assert!(matches!(counted, Err(Problem::TooLarge(4))));
        assert_eq!(read(&HeaderMap::new(), pieces(), 5, &limits).await.unwrap(), "12345");
    }

    #[tokio::test]
    async fn a_body_that_stops_coming_is_given_up() {
        let endless = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        let limits = Limits { body_pause: std::time::Duration::from_millis(1), ..Limits::production() };
        let given_up = read(&HeaderMap::new(), endless, 4, &limits).await;
        assert!(matches!(given_up, Err(Problem::BodyTimeout)));
    }

    #[test]
    fn only_the_announced_kind_is_taken() {
        let with = |kind: &str| HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
        assert!(demand(&with("Application/JSON; charset=utf-8"), JSON).is_ok());
        assert!(demand(&with("text/plain"), JSON).is_err());
        assert!(demand(&HeaderMap::new(), JSON).is_err());
    }
}
