//! Who is logged in: a session token in the `Authorization` header, or in a cookie where a browser keeps it.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

use crate::desk::account::back_off::Address;
use crate::desk::account::session::{Holder, LoggedIn, PREFIX};
use crate::desk::{Desk, DeskError};
use crate::http::client::Client;
use crate::http::cookie;
use crate::http::problem::Problem;
use crate::http::{Api, Shared};

/// Somebody logged in, who may not yet have accepted the service notice.
pub(crate) struct Session(pub(crate) LoggedIn);

/// A holder who accepted the service notice. A handler cannot speak to the desk for a holder without one.
pub(crate) struct Holding(pub(crate) Holder);

impl FromRequestParts<Shared> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        prove(parts, api, Desk::logged_in).await.map(Self)
    }
}

impl FromRequestParts<Shared> for Holding {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        prove(parts, api, Desk::holder).await.map(Self)
    }
}

/// Where the call comes from, as the desk counts failures by.
pub(crate) struct Whence(pub(crate) Option<Address>);

impl<S: Sync> FromRequestParts<S> for Whence {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Client>().map(|client| Address::new(client.bits()))))
    }
}

async fn prove<T>(
    parts: &Parts,
    api: &Api,
    proof: impl AsyncFn(&Desk, &str) -> Result<T, DeskError>,
) -> Result<T, Problem> {
    let proven = match token(parts, api.https, &api.desk.rules().public_url)? {
        Some(token) => proof(&api.desk, token).await,
        None => Err(DeskError::Unauthenticated),
    };
    if let Err(DeskError::Unauthenticated) = proven {
        let client = parts.extensions.get::<Client>();
        client.map_or(Ok(()), |client| api.gates.fail(*client))?;
    }
    Ok(proven?)
}

/// The token of a call. A browser sends its cookie whoever asks it to, so a call that changes something and is proved
/// by a cookie alone must come from our own pages.
fn token<'a>(parts: &'a Parts, https: bool, public_url: &str) -> Result<Option<&'a str>, Problem> {
    if parts.headers.contains_key(AUTHORIZATION) {
        return Ok(bearer(&parts.headers));
    }
    let Some(token) = cookie::token(&parts.headers, https) else { return Ok(None) };
    let is_safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if is_safe || cookie::is_from_here(&parts.headers, public_url) {
        Ok(Some(token))
    } else {
        Err(Problem::CrossSite)
    }
}

/// The token of an `Authorization: Bearer` header (RFC 6750, section 2.1); none where there is more than one header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(PREFIX)).then_some(token)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use axum::http::Request;

    use super::*;

    const URL: &str = "https://vermilion.example";

    fn found(method: &str, headers: &[(&str, &str)]) -> Result<Option<String>, &'static str> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        token(&parts, true, URL).map(|token| token.map(str::to_owned)).map_err(|problem| problem.code())
    }

    #[test]
    fn a_token_is_a_bearer_or_the_one_cookie_of_its_name() {
        let some = |token: &str| Ok(Some(token.to_owned()));
        assert_eq!(found("GET", &[("authorization", "bearer vs_a")]), some("vs_a"));
        assert_eq!(found("GET", &[("cookie", "a=b; __Host-session=vs_c; d=e")]), some("vs_c"));
        assert_eq!(
            found("POST", &[("authorization", "Bearer vs_a"), ("cookie", "__Host-session=vs_c")]),
            some("vs_a")
        );
        for none in [
            &[][..],
            &[("authorization", "Bearer vk_a")],
            &[("authorization", "Basic x"), ("cookie", "__Host-session=vs_c")],
            &[("cookie", "session=vs_c")],
            &[("cookie", "__Host-session=vk_c")],
            &[("cookie", "__Host-session=vs_c"), ("cookie", "__Host-session=vs_d")],
            &[("cookie", "__Host-session=x; __Host-session=vs_d")],
        ] {
            assert_eq!(found("GET", none), Ok(None), "{none:?}");
        }
    }

    #[test]
    fn what_a_cookie_alone_proves_changes_something_only_from_our_own_pages() {
        let cookie = ("cookie", "__Host-session=vs_c");
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            for ours in [("sec-fetch-site", "same-origin"), ("origin", URL)] {
                assert!(found(method, &[cookie, ours]).unwrap().is_some(), "{method} {ours:?}");
            }
            for theirs in [
                &[cookie][..],
                &[cookie, ("sec-fetch-site", "cross-site")],
                &[cookie, ("sec-fetch-site", "same-site"), ("origin", URL)],
                &[cookie, ("sec-fetch-site", "none")],
                &[cookie, ("origin", "https://vermilion.example.evil.test")],
                &[cookie, ("origin", "null")],
                &[cookie, ("referer", "https://vermilion.example/")],
            ] {
                assert_eq!(found(method, theirs), Err("cross-site"), "{method} {theirs:?}");
            }
        }
        assert!(found("GET", &[cookie, ("sec-fetch-site", "cross-site")]).unwrap().is_some());
    }
}
