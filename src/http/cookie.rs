//! The cookie that a browser proves its session by, and the proof that a page of ours sent a request with it.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::desk::account::session::PREFIX;

/// Bound to this host, to https and to every path (RFC 6265bis, section 4.1.3.2).
const NAME: &str = "__Host-session";
/// Without https, in development, browsers keep no cookie with that prefix.
const PLAIN_NAME: &str = "session";

fn name(https: bool) -> &'static str {
    if https { NAME } else { PLAIN_NAME }
}

fn cookie(value: &str, rest: &str, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    // Lax: a link from a message leads to the page and not to the login; forms are guarded by `is_from_here`.
    let mut cookie = HeaderValue::from_str(&format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{rest}",
        name(https)
    ))
    .ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

/// The value of `Set-Cookie` that begins a session: it ends with the browser's, or with our own.
pub(crate) fn begin(token: &str, https: bool) -> Option<HeaderValue> {
    cookie(token, "", https)
}

/// The value of `Set-Cookie` that ends it.
pub(crate) fn end(https: bool) -> Option<HeaderValue> {
    cookie("", "; Max-Age=0", https)
}

/// The session token in a request's cookie; none where there are two of the name, of which one is not ours.
pub(crate) fn token(headers: &HeaderMap, https: bool) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(found, _)| *found == name(https)).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value).filter(|value| value.starts_with(PREFIX)),
        _ => None,
    }
}

/// Whether a page of ours sent the request: a page of another site, or one that says nothing of itself, must not act in
/// the name of whoever is logged in. Every browser says where a form comes from, in one header or the other.
pub(crate) fn is_from_here(headers: &HeaderMap, public_url: &str) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (said("sec-fetch-site"), said("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            // The host that the browser spoke to: behind a proxy it is the public one.
            let host =
                said("host").map(|host| origin.split_once("://").is_some_and(|(_, from)| from == host));
            origin == public_url || host == Some(true)
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).parse::<axum::http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_cookie_is_found_among_others_and_bound_to_the_host_under_https() {
        let both = headers(&[("cookie", "theme=dark; __Host-session=vs_1; session=vs_2")]);
        assert_eq!((token(&both, true), token(&both, false)), (Some("vs_1"), Some("vs_2")));
        assert_eq!(token(&headers(&[("cookie", "sessions=vs_3")]), false), None);
        assert_eq!(
            begin("vs_1", true).unwrap(),
            "__Host-session=vs_1; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(end(false).unwrap().to_str().unwrap().ends_with("Max-Age=0"));
    }

    #[test]
    fn only_a_page_of_ours_acts_in_the_name_of_whoever_is_logged_in() {
        let url = "https://verify.example.cn";
        for (said, ours) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site"), ("origin", url)], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", url)], true),
            (&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")], true),
            (&[("origin", "https://evil.example"), ("host", "verify.example.cn")], false),
            (&[("origin", "null")], false),
            (&[], false),
        ] {
            assert_eq!(is_from_here(&headers(said), url), ours, "{said:?}");
        }
    }
}
