//! The three-field query: who has no code asks by what stands on the certificate, and gets the verdict on it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::desk::account::captcha::{Kind, Solution};
use crate::desk::standing::{Answer, Inquiry};
use crate::pages::assets::Assets;
use crate::pages::faults::Faults;
use crate::pages::form::{Captcha, Sent, read, wanted};
use crate::pages::home::host_of;
use crate::pages::shown::{Grant, Paper};
use crate::pages::speech::{Dated, Speech};
use crate::pages::wording::{self, Wording};
use crate::pages::{Counter, page, undone};

#[derive(Template)]
#[template(path = "query.html", config = "src/pages/askama.toml")]
pub(crate) struct QueryPage<'a> {
    pub(crate) say: Speech,
    pub(crate) assets: Assets,
    pub(crate) faults: Faults,
    pub(crate) typed: &'a Typed,
    pub(crate) captcha: Captcha,
}

/// What was typed.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Typed {
    name: String,
    id_number: String,
    management_no: String,
    captcha_id: String,
    captcha: String,
    asked: Option<String>,
    instead: Option<String>,
}

#[derive(Template)]
#[template(path = "found.html", config = "src/pages/askama.toml")]
pub(crate) struct FoundPage<'a> {
    say: Speech,
    assets: Assets,
    host: &'a str,
    public_url: &'a str,
    wording: Wording,
    checked_at: Dated,
    paper: Option<Paper<'a>>,
    /// A certificate has none; its copies have.
    grant: Option<Grant<'a>>,
}

impl<'a> FoundPage<'a> {
    /// Where nothing may be shown, nothing of the question is: every miss has the same page.
    pub(crate) fn new(answer: &'a Answer, public_url: &'a str, say: Speech) -> Self {
        let certificate = answer.shown.as_ref().map(|shown| &shown.certificate);
        let status = certificate.map(|certificate| certificate.status);
        Self {
            say,
            assets: Assets,
            host: host_of(public_url),
            public_url,
            wording: wording::of_certificate(answer.verdict, status, say.language),
            checked_at: say.moment(answer.checked_at),
            paper: certificate.map(|certificate| Paper::of(certificate, say)),
            grant: None,
        }
    }
}

async fn form(counter: &Counter, typed: &Typed, kind: Kind, faults: Faults, say: Speech) -> Response {
    match Captcha::draw(&counter.desk, kind, say).await {
        Ok(captcha) => {
            let status = faults.status();
            let html = QueryPage { say, assets: Assets, faults, typed, captcha };
            html.faults.dress(page(&html, status, say))
        }
        Err(error) => undone(&error, say),
    }
}

pub(crate) async fn ask(State(counter): State<Counter>, say: Speech) -> Response {
    form(&counter, &Typed::default(), Kind::Picture, Faults::default(), say).await
}

pub(crate) async fn judge(State(counter): State<Counter>, say: Speech, sent: Sent<Typed>) -> Response {
    let typed = read(sent);
    let kind = wanted(typed.instead.as_deref().or(typed.asked.as_deref()));
    if typed.instead.is_some() {
        return form(&counter, &typed, kind, Faults::default(), say).await;
    }
    let inquiry = Inquiry {
        name: typed.name.clone(),
        id_number: typed.id_number.clone(),
        management_no: typed.management_no.clone(),
    };
    let solution = Solution { id: typed.captcha_id.clone(), answer: typed.captcha.clone() };
    match counter.desk.query(&inquiry, &solution).await {
        Ok(answer) => {
            let html = FoundPage::new(&answer, &counter.desk.rules().public_url, say);
            page(&html, StatusCode::OK, say)
        }
        Err(error) => match Faults::of_error(&error, say) {
            Ok(faults) => form(&counter, &typed, kind, faults, say).await,
            Err(elsewhere) => *elsewhere,
        },
    }
}
