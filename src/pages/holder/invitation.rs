//! The page behind an invitation: sets the password, binds an authenticator app.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use crate::desk::DeskError;
use crate::desk::account::invitation::{InvitationToken, Welcome};
use crate::domain::refusal::Refusal;
use crate::pages::assets::Assets;
use crate::pages::failure::{Failure, failure};
use crate::pages::faults::Faults;
use crate::pages::form::{Secret, Sent, read};
use crate::pages::holder::entry::After;
use crate::pages::speech::{Dated, Speech};
use crate::pages::{Counter, page, see_other, undone};

#[derive(Template)]
#[template(path = "holder/invitation.html", config = "src/pages/askama.toml")]
struct InvitationPage<'a> {
    say: Speech,
    assets: Assets,
    faults: Faults,
    token: &'a str,
    name: String,
    login: String,
    until: Dated,
    secret: Secret,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Acceptance {
    password: String,
    code: String,
}

fn turn_away(error: &DeskError, say: Speech) -> Response {
    match error {
        DeskError::Refused(Refusal::InvitationOver) => failure(Failure::InvitationOver, say),
        error => undone(error, say),
    }
}

fn invitation_page(token: &str, welcome: &Welcome, faults: Faults, say: Speech) -> Response {
    let secret = match Secret::of(&welcome.offer) {
        Ok(secret) => secret,
        Err(error) => return undone(&error, say),
    };
    let status = faults.status();
    let html = InvitationPage {
        say,
        assets: Assets,
        faults,
        token,
        name: welcome.account.name.to_string(),
        login: welcome.account.owner.login().as_str().to_owned(),
        until: say.moment(welcome.expires_at),
        secret,
    };
    let response = page(&html, status, say);
    html.faults.dress(response)
}

async fn opened(counter: &Counter, token: &str, say: Speech) -> Result<(InvitationToken, Welcome), Response> {
    let parsed = token.parse().map_err(|_| failure(Failure::InvitationOver, say))?;
    let welcome = counter.desk.invitation(parsed).await.map_err(|error| turn_away(&error, say))?;
    Ok((parsed, welcome))
}

pub(super) async fn show(State(counter): State<Counter>, Path(token): Path<String>, say: Speech) -> Response {
    match opened(&counter, &token, say).await {
        Ok((_, welcome)) => invitation_page(&token, &welcome, Faults::default(), say),
        Err(elsewhere) => elsewhere,
    }
}

pub(super) async fn accept(
    State(counter): State<Counter>,
    Path(token): Path<String>,
    say: Speech,
    sent: Sent<Acceptance>,
) -> Response {
    let (parsed, welcome) = match opened(&counter, &token, say).await {
        Ok(opened) => opened,
        Err(elsewhere) => return elsewhere,
    };
    let form = read(sent);
    match counter.desk.accept_invitation(parsed, &form.password, &form.code).await {
        Ok(_) => see_other(&After::Invitation.address(say)),
        Err(error @ DeskError::Refused(Refusal::InvitationOver)) => turn_away(&error, say),
        Err(error) => match Faults::of_error(&error, say) {
            Ok(faults) => invitation_page(&token, &welcome, faults, say),
            Err(elsewhere) => *elsewhere,
        },
    }
}
