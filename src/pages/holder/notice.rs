//! The service notice, read and accepted before the first use.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::pages::assets::Assets;
use crate::pages::frame::Frame;
use crate::pages::holder::{logged_in, turn_away};
use crate::pages::speech::Speech;
use crate::pages::{Counter, page, see_other};

#[derive(Template)]
#[template(path = "holder/notice.html", config = "src/pages/askama.toml")]
struct NoticePage {
    say: Speech,
    assets: Assets,
    frame: Frame,
}

pub(super) async fn show(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    match logged_in(&counter, &headers, say).await {
        Ok(who) => {
            let html = NoticePage { say, assets: Assets, frame: Frame::of(&who, say) };
            page(&html, StatusCode::OK, say)
        }
        Err(elsewhere) => elsewhere,
    }
}

pub(super) async fn accept(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    let who = match logged_in(&counter, &headers, say).await {
        Ok(who) => who,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.accept_notice(&who).await {
        Ok(_) => see_other(&format!("/me{}", say.query())),
        Err(error) => turn_away(&counter, &error, say),
    }
}
