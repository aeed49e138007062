//! The gate that every request passes: bounds, deadlines, panics, problems in the reader's language, headers, the
//! request log and the counters. One layer, because it stands in front of the hot path too.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;

use crate::http::client::{self, Client};
use crate::http::limits::Class;
use crate::http::postage::Postage;
use crate::http::problem::Problem;
use crate::http::{Api, Shared, language, linger};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Passes a request on, or answers it.
pub(crate) async fn pass(State(api): State<Shared>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    // Only the route is ever logged or counted: the path holds codes and names.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let class = Class::of(route);
    let method = word(request.method());
    let reader = request.headers().get(axum::http::header::ACCEPT_LANGUAGE).cloned();
    let id = request_id(&api);
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let client = Client::of(client::behind(peer, request.headers(), &api.gates.limits.trusted_proxies));
    request.extensions_mut().insert(client);
    if request.method() == Method::POST {
        request.extensions_mut().insert(Postage::of(api.gates.buckets.clone(), client));
    }
    let request = linger::let_linger(request);

    let mut response = admit(&api, class, client, request, next).await;

    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        record(&problem, route, &id);
        let language = reader
            .as_ref()
            .and_then(|value| value.to_str().ok())
            .map_or_else(Default::default, language::preferred);
        problem.print(&api.desk.rules().public_url, language, &mut response);
    }
    dress(&api, &mut response, &id);

    let (status, took) = (response.status().as_u16(), started.elapsed());
    api.metrics.request(method, route, status, took);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    match class {
        // The public's questions are counted, not told one by one: they are the hot path, and nobody reads them.
        Class::Probe | Class::Public if status < 400 => {
            tracing::debug!(method, route, status, micros, request_id = id.to_str().ok(), "answered")
        }
        _ => tracing::info!(method, route, status, micros, request_id = id.to_str().ok(), "answered"),
    }
    response
}

async fn admit(api: &Api, class: Class, client: Client, request: Request, next: Next) -> Response {
    let _place = match class {
        Class::Probe => None,
        _ => match api.gates.enter() {
            Ok(place) => Some(place),
            Err(problem) => return problem.into_response(),
        },
    };
    if let Err(problem) = api.gates.visit(class, client) {
        return problem.into_response();
    }
    let limits = &api.gates.limits;
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    let done = match class {
        // A batch has no end that we set: its pieces have.
        Class::Batch | Class::Import => Ok(work.await),
        _ => tokio::time::timeout(limits.body_timeout + limits.work_timeout, work).await,
    };
    match done {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::Panicked.into_response(),
        Err(_) => Problem::Unavailable("too slow").into_response(),
    }
}

/// A failure of the machine is logged here, once, with its causes; nobody outside sees them.
fn record(problem: &Problem, route: &str, id: &HeaderValue) {
    let request_id = id.to_str().ok();
    match problem {
        Problem::Fault(error) => {
            tracing::error!(route, request_id, error = chain(error.as_ref()), "the machine failed");
        }
        Problem::Panicked => tracing::error!(route, request_id, "a handler panicked"),
        Problem::Unavailable(why) => tracing::warn!(route, request_id, why, "not now"),
        _ => {}
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

/// What every answer carries, unless its handler chose otherwise.
fn dress(api: &Api, response: &mut Response, id: &HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.clone());
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "no-referrer");
    set(CACHE_CONTROL, "no-store");
    set(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    if api.https {
        set(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

/// A name for the request: unique while the process runs, and hardly twice after.
fn request_id(api: &Api) -> HeaderValue {
    let number = api.requests.fetch_add(1, Ordering::Relaxed);
    let mut text = [b'-'; 17];
    hex(&mut text[..8], u64::from(api.boot));
    hex(&mut text[9..], number);
    HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("-"))
}

fn hex(out: &mut [u8], number: u64) {
    for (place, digit) in out.iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(number >> (4 * place)) as usize & 15];
    }
}

/// The method as a label: what anybody may invent is not one.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// No such path.
pub(crate) async fn nowhere() -> Problem {
    Problem::NotFound
}

/// No such method on this path.
pub(crate) async fn no_such_method() -> Problem {
    Problem::MethodNotAllowed
}
