//! Units (employers): how they open an account, and their home.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::desk::DeskError;
use crate::desk::account::unit::{FORMER_NAMES, UnitForm};
use crate::domain::account::{Account, Owner, Purpose};
use crate::domain::refusal::Refusal;
use crate::http::postage::Postage;
use crate::pages::assets::Assets;
use crate::pages::failure::{Failure, failure};
use crate::pages::faults::Faults;
use crate::pages::form::{Sent, read};
use crate::pages::holder::entry::{After, send_code, sent_note};
use crate::pages::holder::logged_in;
use crate::pages::speech::Speech;
use crate::pages::{Counter, page, see_other};

// ---- open an account ------------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "holder/unit_sign_up.html", config = "src/pages/askama.toml")]
struct SignUpPage<'a> {
    say: Speech,
    assets: Assets,
    note: Option<&'a str>,
    faults: Faults,
    typed: &'a SignUp,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignUp {
    name: String,
    uscc: String,
    mobile: String,
    code: String,
    password: String,
    act: String,
}

fn sign_up_page(typed: &SignUp, faults: Faults, note: Option<&str>, say: Speech) -> Response {
    let status = faults.status();
    let html = SignUpPage { say, assets: Assets, note, faults, typed };
    html.faults.dress(page(&html, status, say))
}

pub(super) async fn sign_up(say: Speech) -> Response {
    sign_up_page(&SignUp::default(), Faults::default(), None, say)
}

pub(super) async fn open_account(
    State(counter): State<Counter>,
    postage: Postage,
    say: Speech,
    sent: Sent<SignUp>,
) -> Response {
    let typed = read(sent);
    let refused = if typed.act == "send" {
        match send_code(&counter.desk, &postage, Purpose::SignUp, &typed.mobile, say).await {
            Ok(()) => return sign_up_page(&typed, Faults::default(), Some(sent_note(say)), say),
            Err(refused) => refused,
        }
    } else {
        let form = UnitForm {
            name: typed.name.clone(),
            uscc: typed.uscc.clone(),
            former_names: Vec::new(),
            mobile: typed.mobile.clone(),
            password: typed.password.clone(),
            code: typed.code.clone(),
        };
        match counter.desk.sign_up_unit(form).await {
            Ok(_) => return see_other(&After::SignUp.address(say)),
            Err(error) => Faults::of_error(&error, say),
        }
    };
    match refused {
        Ok(faults) => sign_up_page(&typed, faults, None, say),
        Err(elsewhere) => *elsewhere,
    }
}

// ---- its home -------------------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "holder/unit.html", config = "src/pages/askama.toml")]
struct HomePage<'a> {
    say: Speech,
    assets: Assets,
    faults: Faults,
    name: String,
    uscc: String,
    former_names: Vec<String>,
    is_full: bool,
    typed: &'a str,
}

fn home_page(account: &Account, typed: &str, faults: Faults, say: Speech) -> Response {
    let Owner::Unit { uscc, former_names } = &account.owner else {
        return failure(Failure::NotFound, say);
    };
    let status = faults.status();
    let html = HomePage {
        say,
        assets: Assets,
        faults,
        name: account.name.to_string(),
        uscc: uscc.to_string(),
        former_names: former_names.iter().map(ToString::to_string).collect(),
        is_full: former_names.len() >= FORMER_NAMES,
        typed,
    };
    html.faults.dress(page(&html, status, say))
}

pub(super) async fn show(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    match logged_in(&counter, &headers, say).await {
        Ok(who) => home_page(who.account(), "", Faults::default(), say),
        Err(elsewhere) => elsewhere,
    }
}

/// A former name to add, or one to remove.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FormerName {
    add: Option<String>,
    remove: Option<String>,
}

pub(super) async fn change_names(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    sent: Sent<FormerName>,
) -> Response {
    let who = match logged_in(&counter, &headers, say).await {
        Ok(who) => who,
        Err(elsewhere) => return elsewhere,
    };
    let Owner::Unit { former_names, .. } = &who.account().owner else {
        return failure(Failure::NotFound, say);
    };
    let typed = read(sent);
    let kept = former_names.iter().map(ToString::to_string);
    let mut names: Vec<String> = kept.filter(|name| Some(name) != typed.remove.as_ref()).collect();
    names.extend(typed.add.clone());
    let faults = match counter.desk.set_former_names(&who, &names).await {
        Ok(_) => return see_other(&format!("/unit{}", say.query())),
        // However the list names it, the one field of the page is meant.
        Err(DeskError::Refused(Refusal::Invalid(errors))) => {
            let fault = errors.first().map(|error| Faults::field("add", &error.fault, say));
            Ok(fault.unwrap_or_default())
        }
        Err(error) => Faults::of_error(&error, say),
    };
    match faults {
        Ok(faults) => home_page(who.account(), typed.add.as_deref().unwrap_or_default(), faults, say),
        Err(elsewhere) => *elsewhere,
    }
}
