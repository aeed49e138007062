//! The page behind the QR code: the verdict first, then what to compare.

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::desk::standing::Answer;
use crate::domain::ids::Code;
use crate::domain::tally::Door;
use crate::pages::assets::Assets;
use crate::pages::home::host_of;
use crate::pages::shown::{Grant, Paper};
use crate::pages::speech::{Dated, Speech};
use crate::pages::wording::{self, Wording};
use crate::pages::{Counter, page, undone};

#[derive(Template)]
#[template(path = "verdict.html", config = "src/pages/askama.toml")]
pub(crate) struct VerdictPage<'a> {
    say: Speech,
    assets: Assets,
    host: &'a str,
    wording: Wording,
    checked_at: Dated,
    paper: Option<Paper<'a>>,
    grant: Option<Grant<'a>>,
    code: Option<String>,
    link: Option<String>,
    digest: Option<String>,
}

impl<'a> VerdictPage<'a> {
    /// Where nothing may be shown, nothing of the question is: every unknown code has the same page.
    pub(crate) fn new(answer: &'a Answer, code: Option<Code>, public_url: &'a str, say: Speech) -> Self {
        let shown = answer.shown.as_ref();
        let code = shown.and(code);
        let annotation = shown.and_then(|shown| shown.annotation.as_ref());
        let status = shown.map(|shown| shown.certificate.status);
        Self {
            say,
            assets: Assets,
            host: host_of(public_url),
            wording: wording::of_code(answer.verdict, status, say.language),
            checked_at: say.moment(answer.checked_at),
            paper: shown.map(|shown| Paper::of(&shown.certificate, say)),
            grant: annotation.map(|it| Grant::of(it, answer.verdict, answer.checked_at, say)),
            code: code.map(|code| code.grouped()),
            link: code.map(|code| format!("{public_url}/v/{code}")),
            digest: shown.and_then(|shown| shown.document).map(|digest| digest.to_string()),
        }
    }
}

/// How somebody came to the page: with `typed`, from the form for a code. The link itself never says so.
#[derive(Debug, Deserialize)]
pub(crate) struct Way {
    typed: Option<String>,
}

pub(crate) async fn judge(
    State(counter): State<Counter>,
    path: Result<Path<String>, PathRejection>,
    way: Result<Query<Way>, QueryRejection>,
    say: Speech,
) -> Response {
    // A path that is no text is a malformed code, and that is an unknown one.
    let typed = path.map(|Path(typed)| typed).unwrap_or_default();
    let was_typed = way.is_ok_and(|Query(way)| way.typed.is_some());
    let door = if was_typed { Door::Typed } else { Door::Link };
    match counter.desk.verify(&typed, door).await {
        Ok(answer) => {
            let public_url = &counter.desk.rules().public_url;
            let html = VerdictPage::new(&answer, typed.parse().ok(), public_url, say);
            page(&html, StatusCode::OK, say)
        }
        Err(error) => undone(&error, say),
    }
}
