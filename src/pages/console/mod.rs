//! The console: pages for staff of authorities.

pub(super) mod tickets;

use axum::http::HeaderMap;
use axum::response::Response;

use crate::desk::account::session::StaffMember;
use crate::http::cookie;
use crate::pages::holder::{is_https, turn_away};
use crate::pages::speech::Speech;
use crate::pages::{Counter, see_other};

/// The staff member who is logged in; else the page that leads there.
async fn staff(counter: &Counter, headers: &HeaderMap, say: Speech) -> Result<StaffMember, Response> {
    let Some(token) = cookie::token(headers, is_https(counter)) else {
        return Err(see_other(&format!("/login{}", say.query())));
    };
    counter.desk.staff_member(token).await.map_err(|error| turn_away(counter, &error, say))
}
