//! What is wrong with a form, beside the fields that it is about.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::desk::DeskError;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::pages::failure::{Failure, failure};
use crate::pages::speech::Speech;
use crate::pages::undone;

/// What is wrong with a form; nothing where it is shown for the first time.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    status: Option<StatusCode>,
    wait: Option<u64>,
    general: Option<String>,
    fields: Vec<(String, String)>,
}

impl Faults {
    /// What a "no" of the desk means for the form; the page for it where no form can help.
    pub(crate) fn of_error(error: &DeskError, say: Speech) -> Result<Self, Box<Response>> {
        match error {
            DeskError::Refused(refusal) => Ok(Self::of_refusal(refusal, say)),
            DeskError::TooOften(seconds) => Ok(Self {
                status: Some(StatusCode::TOO_MANY_REQUESTS),
                wait: Some(*seconds),
                general: Some(too_often(*seconds, say)),
                fields: Vec::new(),
            }),
            DeskError::NotFound => Err(Box::new(failure(Failure::NotFound, say))),
            error => Err(Box::new(undone(error, say))),
        }
    }

    pub(crate) fn of_refusal(refusal: &Refusal, say: Speech) -> Self {
        let language = say.language;
        let (mut general, mut fields) = (None, Vec::new());
        let whole =
            || format!("{}{}{}", refusal.title(language), say.pick("。", ". "), refusal.detail(language));
        match refusal {
            Refusal::Invalid(errors) => {
                let one = |error: &crate::domain::refusal::FieldError| {
                    (error.field.clone(), error.fault.message(language))
                };
                fields.extend(errors.iter().map(one));
            }
            Refusal::CaptchaWrong => fields.push(("captcha".to_owned(), whole())),
            Refusal::CodeWrong | Refusal::SecondFactorWrong => fields.push(("code".to_owned(), whole())),
            Refusal::ValidityTooLong { .. } | Refusal::ValidityTooShort => {
                fields.push(("days".to_owned(), whole()));
            }
            Refusal::ScenarioNotAllowed { .. } => fields.push(("scenario".to_owned(), whole())),
            Refusal::Unprintable { .. } => fields.push(("recipient".to_owned(), refusal.detail(language))),
            _ => general = Some(whole()),
        }
        Self { status: Some(StatusCode::UNPROCESSABLE_ENTITY), wait: None, general, fields }
    }

    /// One wrong field.
    pub(crate) fn field(name: &str, fault: &FieldFault, say: Speech) -> Self {
        Self::said(name, fault.message(say.language))
    }

    /// One wrong field, in words of the page.
    pub(crate) fn said(name: &str, what: String) -> Self {
        Self {
            status: Some(StatusCode::UNPROCESSABLE_ENTITY),
            fields: vec![(name.to_owned(), what)],
            ..Self::default()
        }
    }

    /// The same, of a page that has the field under another name.
    pub(crate) fn renamed(mut self, from: &str, to: &str) -> Self {
        self.fields
            .iter_mut()
            .filter(|(field, _)| field == from)
            .for_each(|(field, _)| *field = to.to_owned());
        self
    }

    /// What is wrong with a field. Names as the API says them mean the field of the page.
    pub(crate) fn of(&self, name: &str) -> Option<&str> {
        let same = |field: &str| field == name || field.strip_suffix("_password") == Some(name);
        self.fields.iter().find(|(field, _)| same(field)).map(|(_, what)| what.as_str())
    }

    /// What is wrong with the first field that anything is wrong with.
    pub(crate) fn first(&self) -> Option<&str> {
        self.fields.first().map(|(_, what)| what.as_str())
    }

    /// What is wrong with the whole.
    pub(crate) fn general(&self) -> Option<&str> {
        self.general.as_deref()
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.status.unwrap_or(StatusCode::OK)
    }

    /// Says when to come back, where it was too often.
    pub(crate) fn dress(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn too_often(seconds: u64, say: Speech) -> String {
    let wait = Duration::from_secs(seconds);
    let minutes = wait.as_secs().div_ceil(60);
    match (say.is_chinese(), seconds < 100) {
        (true, true) => format!("操作过于频繁，请在 {seconds} 秒后重试。"),
        (true, false) => format!("操作过于频繁，请在 {minutes} 分钟后重试。"),
        (false, true) => format!("Too often; try again in {seconds} seconds."),
        (false, false) => format!("Too often; try again in {minutes} minutes."),
    }
}
