//! The holder's pages: log in, accept the notice, see the certificates, order copies and watch them become ready. Every
//! task works without scripts; one script shows a copy the moment it is there.

mod account;
pub(super) mod annotation;
pub(super) mod certificates;
mod checks;
pub(super) mod entry;
mod invitation;
mod notice;
mod second_factor;
mod unit;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::desk::DeskError;
use crate::desk::account::session::{Begun, Holder, LoggedIn};
use crate::domain::account::Owner;
use crate::domain::refusal::Refusal;
use crate::http::cookie;
use crate::pages::failure::{Failure, failure};
use crate::pages::form::take_whole;
use crate::pages::holder::entry::After;
use crate::pages::speech::Speech;
use crate::pages::{Counter, see_other, undone};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

pub(super) fn router(counter: Counter) -> Router<Counter> {
    Router::new()
        .route("/login", get(entry::login).post(entry::log_in))
        .route("/login/second-factor", get(entry::login).post(entry::finish_log_in))
        .route("/invitations/{token}", get(invitation::show).post(invitation::accept))
        .route("/logout", post(entry::log_out))
        .route("/sign-up", get(entry::sign_up).post(entry::open_account))
        .route("/sign-up/unit", get(unit::sign_up).post(unit::open_account))
        .route("/unit", get(unit::show))
        .route("/unit/former-names", post(unit::change_names))
        .route("/recovery", get(entry::recovery).post(entry::recover))
        .route("/me", get(certificates::list))
        .route("/me/notice", get(notice::show).post(notice::accept))
        .route("/me/certificates/{id}", get(certificates::show))
        .route("/me/certificates/{id}/annotations", post(certificates::order))
        .route("/me/certificates/{id}/document", get(certificates::plain_document))
        .route("/me/annotations/{id}", get(annotation::show))
        .route("/me/annotations/{id}/document", get(annotation::document))
        .route("/me/annotations/{id}/revocation", post(annotation::revoke))
        .route("/me/account", get(account::show))
        .route("/me/account/mobile", post(account::change_mobile))
        .route("/me/account/email", post(account::change_email))
        .route("/me/account/password", post(account::change_password))
        .route("/me/account/second-factor", get(second_factor::show).post(second_factor::change))
        .route("/me/account/sessions", post(account::log_out_everywhere))
        .layer(from_fn_with_state(counter.patience, take_whole))
        .layer(from_fn_with_state(counter, guard_forms))
}

/// A form is taken from a page of ours only: see [`cookie::is_from_here`].
pub(super) async fn guard_forms(
    State(counter): State<Counter>,
    say: Speech,
    request: Request<Body>,
    next: Next,
) -> Response {
    if request.method().is_safe() || cookie::is_from_here(request.headers(), &counter.desk.rules().public_url)
    {
        next.run(request).await
    } else {
        failure(Failure::Foreign, say)
    }
}

pub(super) fn is_https(counter: &Counter) -> bool {
    counter.desk.rules().public_url.starts_with("https://")
}

/// The answer with the cookie of a session that has just begun.
fn with_session(counter: &Counter, begun: &Begun, mut response: Response) -> Response {
    if let Some(cookie) = cookie::begin(begun.token.reveal(), is_https(counter)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// To the login, without a cookie of a session.
fn to_login(counter: &Counter, after: After, say: Speech) -> Response {
    let mut response = see_other(&after.address(say));
    if let Some(cookie) = cookie::end(is_https(counter)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    // Chromium keeps pages that are not to be stored for the button "back" (W3C Clear Site Data, section 3.1).
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    response
}

/// Whoever is logged in; else the page that leads there.
async fn logged_in(counter: &Counter, headers: &HeaderMap, say: Speech) -> Result<LoggedIn, Response> {
    let Some(token) = cookie::token(headers, is_https(counter)) else {
        return Err(see_other(&format!("/login{}", say.query())));
    };
    counter.desk.logged_in(token).await.map_err(|error| turn_away(counter, &error, say))
}

/// The holder who is logged in and accepted the notice; else the page that leads there.
async fn holder(counter: &Counter, headers: &HeaderMap, say: Speech) -> Result<Holder, Response> {
    let Some(token) = cookie::token(headers, is_https(counter)) else {
        return Err(see_other(&format!("/login{}", say.query())));
    };
    counter.desk.holder(token).await.map_err(|error| turn_away(counter, &error, say))
}

/// Where somebody is led whom the holder's pages do not know: units and staff to their own.
async fn own_home(counter: &Counter, headers: &HeaderMap, say: Speech, elsewhere: Response) -> Response {
    if elsewhere.status() != StatusCode::NOT_FOUND {
        return elsewhere;
    }
    match logged_in(counter, headers, say).await.map(|who| who.account().owner.clone()) {
        Ok(Owner::Unit { .. }) => see_other(&format!("/unit{}", say.query())),
        Ok(Owner::Staff(_)) => see_other(&format!("/console{}", say.query())),
        _ => elsewhere,
    }
}

/// The page for whoever may not see another one.
pub(super) fn turn_away(counter: &Counter, error: &DeskError, say: Speech) -> Response {
    match error {
        DeskError::Unauthenticated => to_login(counter, After::End, say),
        DeskError::Refused(Refusal::NoticeNotAccepted) => see_other(&format!("/me/notice{}", say.query())),
        DeskError::NotFound => failure(Failure::NotFound, say),
        error => undone(error, say),
    }
}

/// A sealed file, to keep or to look at.
pub(super) fn sealed(bytes: Vec<u8>, name: &str, view: bool) -> Response {
    let how = if view { "inline" } else { "attachment" };
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("{how}; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (StatusCode::OK, headers, bytes).into_response()
}
