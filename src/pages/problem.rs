//! The page behind the `type` of a problem (RFC 9457, section 3.1.1): what it means, and what to do about it.

use askama::Template;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::response::Response;

use crate::domain::refusal::examples::faults;
use crate::http::problem::Problem;
use crate::http::problem::examples::problems;
use crate::pages::assets::Assets;
use crate::pages::failure::{Failure, failure};
use crate::pages::page;
use crate::pages::speech::Speech;

#[derive(Template)]
#[template(path = "problem.html", config = "src/pages/askama.toml")]
pub(crate) struct ProblemPage {
    say: Speech,
    assets: Assets,
    code: &'static str,
    title: &'static str,
    /// As in an answer; numbers and days are an example's.
    detail: String,
    status: u16,
    reason: &'static str,
    /// The codes that `errors` may hold, with what each means.
    faults: Vec<(&'static str, String)>,
}

impl ProblemPage {
    pub(crate) fn new(problem: &Problem, say: Speech) -> Self {
        let language = say.language;
        let is_of_fields = problem.code() == "invalid-fields";
        let faults = faults().into_iter().filter(|_| is_of_fields);
        Self {
            say,
            assets: Assets,
            code: problem.code(),
            title: problem.title(language),
            detail: problem.detail(language),
            status: problem.status().as_u16(),
            reason: problem.status().canonical_reason().unwrap_or_default(),
            faults: faults.map(|fault| (fault.code(), fault.message(language))).collect(),
        }
    }
}

pub(crate) async fn explain(path: Result<Path<String>, PathRejection>, say: Speech) -> Response {
    let code = path.map(|Path(code)| code).unwrap_or_default();
    match problems().iter().find(|problem| problem.code() == code) {
        Some(problem) => page(&ProblemPage::new(problem, say), StatusCode::OK, say),
        None => failure(Failure::NotFound, say),
    }
}
