//! The second factor of one's own account: offered and set, or removed.

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::desk::account::session::LoggedIn;
use crate::domain::account::Owner;
use crate::http::client::Client;
use crate::pages::assets::Assets;
use crate::pages::faults::Faults;
use crate::pages::form::{Secret, Sent, read};
use crate::pages::frame::Frame;
use crate::pages::holder::entry::address;
use crate::pages::holder::{logged_in, turn_away};
use crate::pages::speech::Speech;
use crate::pages::{Counter, page, see_other};

#[derive(Template)]
#[template(path = "holder/second_factor.html", config = "src/pages/askama.toml")]
struct SecondFactorPage<'a> {
    say: Speech,
    assets: Assets,
    frame: Frame,
    note: Option<&'a str>,
    faults: Faults,
    secret: Option<Secret>,
    compulsory: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    password: String,
    code: String,
    act: String,
}

fn factor_page(counter: &Counter, who: &LoggedIn, faults: Faults, say: Speech) -> Response {
    let account = who.account();
    let secret = match &account.totp {
        Some(_) => None,
        None => {
            let offered = counter.desk.offer_second_factor(who).and_then(|offer| Secret::of(&offer));
            match offered {
                Ok(secret) => Some(secret),
                Err(error) => return turn_away(counter, &error, say),
            }
        }
    };
    let status = faults.status();
    let compulsory = matches!(account.owner, Owner::Staff(_)) && secret.is_none();
    let frame = Frame::of(who, say);
    let html = SecondFactorPage { say, assets: Assets, frame, note: None, faults, secret, compulsory };
    let response = page(&html, status, say);
    html.faults.dress(response)
}

pub(super) async fn show(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    match logged_in(&counter, &headers, say).await {
        Ok(who) => factor_page(&counter, &who, Faults::default(), say),
        Err(elsewhere) => elsewhere,
    }
}

pub(super) async fn change(
    State(counter): State<Counter>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    say: Speech,
    sent: Sent<Change>,
) -> Response {
    let who = match logged_in(&counter, &headers, say).await {
        Ok(who) => who,
        Err(elsewhere) => return elsewhere,
    };
    let form = read(sent);
    let from = address(client);
    let (changed, done) = if form.act == "remove" {
        (counter.desk.remove_second_factor(&who, &form.password, &form.code, from).await, "factor-removed")
    } else {
        (counter.desk.set_second_factor(&who, &form.password, &form.code, from).await, "factor-set")
    };
    match changed {
        Ok(_) => see_other(&format!("/me/account{}", say.query_with("done", done))),
        Err(error) => match Faults::of_error(&error, say) {
            Ok(faults) => factor_page(&counter, &who, faults, say),
            Err(elsewhere) => *elsewhere,
        },
    }
}
