//! What a path and a query ask for: parsed, unknown parameters refused.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::desk::record::Fields;
use crate::domain::ids::Malformed;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::http::body::{Nothing, structural};
use crate::http::problem::Problem;

/// Items on a page where the caller does not say.
const PAGE: usize = 50;

/// Most items on a page.
const LARGEST_PAGE: usize = 500;

/// The thing that the path names. What is no name of ours names nothing: 404.
pub(crate) struct Named<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr<Err = Malformed>> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Problem::NotFound)?;
        text.parse().map(Self).map_err(|_| Problem::NotFound)
    }
}

/// The query parameters.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query(&parts.uri).map(Self)
    }
}

/// Passes where there is no query.
pub(crate) fn refuse_query(uri: &Uri) -> Result<(), Problem> {
    query::<Nothing>(uri).map(|_| ())
}

/// Reads the query into a form whose fields are all optional texts.
fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let unreadable = |_| Problem::field("query", FieldFault::WrongKind("name=value&…".to_owned()));
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(unreadable)?;
    let mut form = serde_json::Map::new();
    for (name, value) in pairs {
        if form.contains_key(&name) {
            return Err(Refusal::Invalid(vec![structural("", &format!("duplicate field `{name}`"))]).into());
        }
        form.insert(name, value.into());
    }
    let form = T::deserialize(serde_json::Value::Object(form));
    form.map_err(|error| Refusal::Invalid(vec![structural("", &error.to_string())]).into())
}

/// Where a list goes on, and how far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span<C> {
    /// After this item.
    pub(crate) after: Option<C>,
    /// At most so many.
    pub(crate) limit: usize,
}

impl<C: FromStr> Span<C> {
    /// Parses `cursor` and `limit`.
    pub(crate) fn parse(fields: &mut Fields, cursor: Option<&str>, limit: Option<&str>) -> Self {
        let after =
            cursor.and_then(|text| fields.take("cursor", text.parse().map_err(|_| FieldFault::NotAName)));
        let in_range = |text: &str| text.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
        let limit = limit.map_or(Some(PAGE), |text| {
            fields.take("limit", in_range(text).ok_or(FieldFault::OutOfRange("1–500")))
        });
        Self { after, limit: limit.unwrap_or(PAGE) }
    }
}

/// A name of ours in a query.
pub(crate) fn name<T: FromStr<Err = Malformed>>(
    fields: &mut Fields,
    field: &str,
    text: Option<&str>,
) -> Option<T> {
    text.and_then(|text| fields.take(field, text.parse().map_err(|Malformed(_)| FieldFault::NotAName)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]
    use serde::Deserialize;

    use super::*;
    use crate::domain::ids::CertificateId;

    #[derive(Debug, Deserialize, PartialEq, Eq)]
    #[serde(deny_unknown_fields)]
    struct Form {
        #[serde(rename = "type")]
        kind: Option<String>,
        limit: Option<String>,
    }

    fn ask(uri: &str) -> Result<Form, (String, FieldFault)> {
        query(&uri.parse().unwrap()).map_err(|problem| match problem {
            Problem::Refused(Refusal::Invalid(errors)) => (errors[0].field.clone(), errors[0].fault.clone()),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_query_is_read_and_what_is_unknown_or_given_twice_is_named() {
        assert_eq!(ask("/x"), Ok(Form { kind: None, limit: None }));
        assert_eq!(
            ask("/x?type=a%20b&limit="),
            Ok(Form { kind: Some("a b".into()), limit: Some(String::new()) })
        );
        assert_eq!(ask("/x?sort=up"), Err(("sort".into(), FieldFault::UnknownField)));
        assert_eq!(ask("/x?type=a&type=b").unwrap_err().0, "type");
    }

    #[test]
    fn a_page_has_a_cursor_of_ours_and_a_size_within_bounds() {
        let id = CertificateId::from_bytes([7; 16]);
        let span = |cursor: Option<&str>, limit: Option<&str>| {
            let mut fields = Fields::default();
            let span = Span::<CertificateId>::parse(&mut fields, cursor, limit);
            fields.finish(Some((span.after, span.limit)))
        };
        assert_eq!(span(None, None).unwrap(), (None, 50));
        assert_eq!(span(Some(&id.to_string()), Some("500")).unwrap(), (Some(id), 500));
        for (cursor, limit) in
            [(Some("x"), None), (Some(""), None), (None, Some("0")), (None, Some("501")), (None, Some("-1"))]
        {
            assert!(span(cursor, limit).is_err(), "{cursor:?} {limit:?}");
        }
    }
}
