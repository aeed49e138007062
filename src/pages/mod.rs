//! The public pages: what a stranger sees who scans a code, types one, hands in a file, or asks by what stands on a certificate. Server-rendered, phone first,
//! Chinese first and English second; they work without scripts, cookies or an account, and log nothing about what was asked.

mod assets;
mod console;
pub mod failure;
mod faults;
mod form;
mod frame;
mod holder;
mod home;
mod icons;
mod problem;
mod query;
mod report;
mod shown;
mod speech;
mod tickets;
mod upload;
mod verdict;
mod wording;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tokio::sync::Semaphore;

use crate::desk::{Desk, DeskError};
use crate::http::gate::chain;
use crate::pages::failure::Failure;
use crate::pages::speech::Speech;

/// Uploads that are held in memory at a time, 10 MiB each at most; who comes then is asked to come back.
const UPLOADS_AT_A_TIME: usize = 8;

/// What the handlers share.
#[derive(Clone, Debug)]
struct Counter {
    desk: Desk,
    uploads: Arc<Semaphore>,
    /// How long a form or a file may take to arrive.
    patience: Duration,
    /// Files of records that staff handed in here lately.
    imports: Arc<console::Imports>,
}

/// The routes of the public pages; `patience` is how long a form or a file may take to arrive. Sets no fallback, so that
/// it merges with other routers; see [`with_failure_pages`].
pub fn router(desk: Desk, patience: Duration) -> Router {
    let uploads = Arc::new(Semaphore::new(UPLOADS_AT_A_TIME));
    let counter = Counter { desk, uploads, patience, imports: Arc::default() };
    let document =
        get(home::document).post(report::judge).layer(DefaultBodyLimit::max(upload::MAX_DRAINED_BYTES));
    Router::new()
        .route("/", get(home::home))
        .route("/v", get(home::typed))
        .route("/v/{code}", get(verdict::judge))
        .route("/verify/document", document)
        .route(
            "/query",
            get(query::ask).post(query::judge).layer(from_fn_with_state(patience, form::take_whole)),
        )
        .route("/problems/{code}", get(problem::explain))
        .route("/assets/{name}", get(assets::serve))
        .merge(holder::router(counter.clone()))
        .merge(tickets::router())
        .merge(console::router(counter.clone()))
        .with_state(counter)
}

/// Around the whole service: a browser that was to get a page and would get a failure in another shape (no such address,
/// a rate limit, a timeout, a panic) gets the page for it. The API's own callers are left alone.
pub fn with_failure_pages(service: Router) -> Router {
    service.layer(from_fn(show_failures))
}

async fn show_failures(request: Request, next: Next) -> Response {
    let wants_page = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")));
    if !wants_page || request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let say = Speech::of(request.uri(), request.headers());
    let answer = next.run(request).await;
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let failed = answer.status().is_client_error() || answer.status().is_server_error();
    if !failed || header(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html")) {
        return answer;
    }
    let wait = header(header::RETRY_AFTER).and_then(|wait| wait.parse().ok()).map(Duration::from_secs);
    let mut shown = failure::failure(Failure::behind(answer.status(), wait), say);
    *shown.status_mut() = answer.status();
    for (name, value) in answer.headers() {
        // What describes the body that is not sent falls away with it.
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name)
            && !shown.headers().contains_key(name)
        {
            shown.headers_mut().insert(name, value.clone());
        }
    }
    shown
}

/// What browsers are told with every page. Inline styles and scripts are refused, so text that got past the escaping
/// could still not act; codes never leave in a referrer, a cache, a frame or a search engine.
const HEADERS: [(HeaderName, &str); 9] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // For browsers inside chat apps that do not know frame-ancestors.
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::VARY, "accept-language"),
];

/// A page with the headers that all of them have.
fn page(html: &impl Template, status: StatusCode, say: Speech) -> Response {
    match html.render() {
        Ok(html) => {
            let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
            let language = (header::CONTENT_LANGUAGE, say.tag());
            (status, HEADERS, [kind, language], html).into_response()
        }
        Err(fault) => {
            tracing::error!(fault = chain(&fault), "a page was not rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, HEADERS).into_response()
        }
    }
}

/// 303 to a page of ours, with the same discretion as a page.
fn see_other(path: &str) -> Response {
    (HEADERS, Redirect::to(path)).into_response()
}

/// The page for what the desk did not do. None of the questions asked here can be refused by a rule.
fn undone(error: &DeskError, say: Speech) -> Response {
    match error {
        DeskError::Unavailable(why) => {
            tracing::warn!(why, "a check was put off");
            failure::failure(Failure::Busy(Duration::from_secs(5)), say)
        }
        error => {
            tracing::error!(fault = chain(error), "a check failed");
            failure::failure(Failure::Fault, say)
        }
    }
}

#[cfg(test)]
mod tests;
