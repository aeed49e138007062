//! What forms of several pages have in common: how they are read, and the captcha on them.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::desk::account::captcha::{Kind, Puzzle};
use crate::desk::account::second_factor::Offer;
use crate::desk::{Desk, DeskError};
use crate::pages::failure::{Failure, failure};
use crate::pages::speech::Speech;

/// The longest form: names, numbers and a password.
pub(crate) const FORM_BYTES: usize = 16 * 1024;

/// Takes a form whole, bounded in size and time, before anything is made of it.
pub(crate) async fn take_whole(
    State(patience): State<Duration>,
    say: Speech,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(patience, to_bytes(body, FORM_BYTES)).await {
        Ok(Ok(form)) => next.run(Request::from_parts(parts, Body::from(form))).await,
        // Or it broke off, and nobody is there to be told.
        Ok(Err(_)) => failure(Failure::TooLarge, say),
        Err(_) => failure(Failure::TooSlow, say),
    }
}

/// What a sent form says of itself where a field was forgotten: nothing.
pub(crate) type Sent<T> = Result<Form<T>, FormRejection>;

/// The form; an empty one where it was none.
pub(crate) fn read<T: Default>(sent: Sent<T>) -> T {
    sent.map(|Form(form)| form).unwrap_or_default()
}

/// What an authenticator app scans, or whoever uses it types.
pub(crate) struct Secret {
    /// In groups of four.
    pub(crate) text: String,
    /// Modules along one side of the code.
    pub(crate) side: usize,
    /// The code, as a path.
    pub(crate) path: String,
}

impl Secret {
    pub(crate) fn of(offer: &Offer) -> Result<Self, DeskError> {
        let (side, path) = offer.drawn()?;
        let groups = offer.secret.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>();
        Ok(Self { text: groups.join(" "), side, path })
    }
}

/// A captcha on a form.
pub(crate) struct Captcha {
    pub(crate) id: String,
    pub(crate) image: Option<String>,
    pub(crate) question: Option<String>,
}

impl Captcha {
    pub(crate) async fn draw(desk: &Desk, kind: Kind, say: Speech) -> Result<Self, DeskError> {
        let captcha = desk.draw_captcha(kind, say.language).await?;
        let (image, question) = match captcha.puzzle {
            Puzzle::Picture(png) => (Some(format!("data:image/png;base64,{}", BASE64.encode(png))), None),
            Puzzle::Question(question) => (None, Some(question)),
        };
        Ok(Self { id: captcha.id, image, question })
    }
}

/// The kind of captcha that a form names: the one asked for instead, else the one that it showed.
pub(crate) fn wanted(word: Option<&str>) -> Kind {
    if word == Some("question") { Kind::Question } else { Kind::Picture }
}
