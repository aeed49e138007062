//! The doors: log in and out, open an account, set a forgotten password anew.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::desk::account::back_off::Address;
use crate::desk::account::captcha::{Kind, Solution};
use crate::desk::account::session::{Begun, Credentials, Entered};
use crate::desk::account::settings::Recovery;
use crate::desk::account::sign_up::SignUpForm;
use crate::desk::{Desk, DeskError};
use crate::domain::account::{Mobile, Purpose};
use crate::domain::identity::RESIDENT_CARD;
use crate::domain::refusal::Refusal;
use crate::http::client::Client;
use crate::http::postage::Postage;
use crate::pages::assets::Assets;
use crate::pages::faults::Faults;
use crate::pages::form::{Captcha, Sent, read, wanted};
use crate::pages::holder::{logged_in, to_login, turn_away, with_session};
use crate::pages::speech::Speech;
use crate::pages::{Counter, page, see_other, undone};

/// Where failures of whoever asks are counted.
pub(super) fn address(client: Option<Extension<Client>>) -> Option<Address> {
    client.map(|Extension(client)| Address::new(client.bits()))
}

// ---- log in ---------------------------------------------------------------------------------------------------------

/// What led to the login, where that is worth a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum After {
    SignUp,
    Recovery,
    Logout,
    End,
    Invitation,
}

impl After {
    /// Where the login is that says so.
    pub(super) fn address(self, say: Speech) -> String {
        let word = match self {
            Self::SignUp => "sign-up",
            Self::Recovery => "recovery",
            Self::Logout => "logout",
            Self::End => "end",
            Self::Invitation => "invitation",
        };
        format!("/login{}", say.query_with("after", word))
    }

    fn note(self, say: Speech) -> &'static str {
        let (zh, en) = match self {
            Self::SignUp => ("注册成功，请登录。", "The account is open; log in."),
            Self::Recovery => ("新密码已生效，请登录。", "The new password is set; log in."),
            Self::Logout => ("您已退出登录。", "You are logged out."),
            Self::Invitation => ("账号已开通，请登录。", "The account is ready; log in."),
            Self::End => ("登录已失效，请重新登录。", "Your session has ended; log in again."),
        };
        say.language.pick(zh, en)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Arrival {
    after: Option<After>,
}

#[derive(Template)]
#[template(path = "holder/login.html", config = "src/pages/askama.toml")]
struct LoginPage<'a> {
    say: Speech,
    assets: Assets,
    note: Option<&'a str>,
    faults: Faults,
    account: &'a str,
    captcha: Captcha,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Login {
    account: String,
    password: String,
    captcha_id: String,
    captcha: String,
    instead: Option<String>,
    asked: Option<String>,
}

async fn login_page(desk: &Desk, account: &str, kind: Kind, faults: Faults, say: Speech) -> Response {
    login_page_with(desk, account, kind, faults, None, say).await
}

async fn login_page_with(
    desk: &Desk,
    account: &str,
    kind: Kind,
    faults: Faults,
    note: Option<&str>,
    say: Speech,
) -> Response {
    match Captcha::draw(desk, kind, say).await {
        Ok(captcha) => {
            let status = faults.status();
            let html = LoginPage { say, assets: Assets, note, faults, account, captcha };
            let response = page(&html, status, say);
            html.faults.dress(response)
        }
        Err(error) => undone(&error, say),
    }
}

pub(super) async fn login(
    State(counter): State<Counter>,
    say: Speech,
    arrival: Result<Query<Arrival>, QueryRejection>,
) -> Response {
    let after = arrival.ok().and_then(|Query(arrival)| arrival.after);
    let note = after.map(|after| after.note(say));
    login_page_with(&counter.desk, "", Kind::Picture, Faults::default(), note, say).await
}

pub(super) async fn log_in(
    State(counter): State<Counter>,
    client: Option<Extension<Client>>,
    say: Speech,
    sent: Sent<Login>,
) -> Response {
    let form = read(sent);
    let kind = wanted(form.instead.as_deref().or(form.asked.as_deref()));
    if form.instead.is_some() {
        return login_page(&counter.desk, &form.account, kind, Faults::default(), say).await;
    }
    let credentials = Credentials { account: form.account.clone(), password: form.password };
    let solution = Solution { id: form.captcha_id, answer: form.captcha };
    match counter.desk.log_in(&credentials, &solution, address(client)).await {
        Ok(Entered::Session(begun)) => inside(&counter, &begun, say),
        Ok(Entered::HalfWay(pass)) => half_way(&pass.text, Faults::default(), say),
        Err(error) => match Faults::of_error(&error, say) {
            Ok(faults) => login_page(&counter.desk, &form.account, kind, faults, say).await,
            Err(elsewhere) => *elsewhere,
        },
    }
}

/// To where a session begins.
fn inside(counter: &Counter, begun: &Begun, say: Speech) -> Response {
    let next = match begun.notice_accepted {
        _ if begun.of_staff => "/console",
        true => "/me",
        false => "/me/notice",
    };
    with_session(counter, begun, see_other(&format!("{next}{}", say.query())))
}

#[derive(Template)]
#[template(path = "holder/half_way.html", config = "src/pages/askama.toml")]
struct HalfWayPage<'a> {
    say: Speech,
    assets: Assets,
    faults: Faults,
    pass: &'a str,
}

/// Asks for a code of the second factor.
fn half_way(pass: &str, faults: Faults, say: Speech) -> Response {
    let status = faults.status();
    let html = HalfWayPage { say, assets: Assets, faults, pass };
    let response = page(&html, status, say);
    html.faults.dress(response)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SecondFactor {
    pass: String,
    code: String,
}

pub(super) async fn finish_log_in(
    State(counter): State<Counter>,
    client: Option<Extension<Client>>,
    say: Speech,
    sent: Sent<SecondFactor>,
) -> Response {
    let form = read(sent);
    match counter.desk.finish_log_in(&form.pass, &form.code, address(client)).await {
        Ok(begun) => inside(&counter, &begun, say),
        Err(error) => match Faults::of_error(&error, say) {
            Ok(faults) => half_way(&form.pass, faults, say),
            Err(elsewhere) => *elsewhere,
        },
    }
}

pub(super) async fn log_out(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    match logged_in(&counter, &headers, say).await {
        Ok(who) => match counter.desk.log_out(&who).await {
            Ok(()) => to_login(&counter, After::Logout, say),
            Err(error) => turn_away(&counter, &error, say),
        },
        Err(elsewhere) => elsewhere,
    }
}

// ---- open an account ------------------------------------------------------------------------------------------------

/// Kinds of identity documents that people sign up with (GA/T 517), with their names.
pub(in crate::pages) const KINDS: [(&str, &str, &str); 5] = [
    (RESIDENT_CARD, "居民身份证", "Resident identity card"),
    ("414", "普通护照", "Passport"),
    ("516", "港澳居民来往内地通行证", "Mainland travel permit, Hong Kong and Macao"),
    ("511", "台湾居民来往大陆通行证", "Mainland travel permit, Taiwan"),
    ("553", "外国人永久居留身份证", "Foreign permanent resident card"),
];

#[derive(Template)]
#[template(path = "holder/sign_up.html", config = "src/pages/askama.toml")]
struct SignUpPage<'a> {
    say: Speech,
    assets: Assets,
    note: Option<&'a str>,
    faults: Faults,
    typed: &'a SignUp,
    /// Whether the register knows nobody like that: then a ticket may help.
    unmatched: bool,
    kinds: &'a [(&'a str, &'a str, &'a str)],
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignUp {
    name: String,
    id_type: String,
    id_number: String,
    mobile: String,
    code: String,
    password: String,
    act: String,
}

fn sign_up_page(
    typed: &SignUp,
    faults: Faults,
    unmatched: bool,
    note: Option<&str>,
    say: Speech,
) -> Response {
    let status = faults.status();
    let html = SignUpPage { say, assets: Assets, note, faults, typed, unmatched, kinds: &KINDS };
    let response = page(&html, status, say);
    html.faults.dress(response)
}

pub(super) async fn sign_up(say: Speech) -> Response {
    sign_up_page(&SignUp::default(), Faults::default(), false, None, say)
}

/// What is said when a code is on its way, whether anybody has the mobile or not.
pub(in crate::pages) fn sent_note(say: Speech) -> &'static str {
    say.language.pick("验证码已发送，五分钟内有效。", "The code is on its way; it is good for five minutes.")
}

/// Sends a code, or says why not.
pub(in crate::pages) async fn send_code(
    desk: &Desk,
    postage: &Postage,
    purpose: Purpose,
    mobile: &str,
    say: Speech,
) -> Result<(), Result<Faults, Box<Response>>> {
    let mobile = match mobile.trim().parse::<Mobile>() {
        Ok(mobile) => mobile,
        Err(fault) => return Err(Ok(Faults::field("mobile", &fault, say))),
    };
    let sent = async {
        postage.pay()?;
        desk.send_code(purpose, &mobile.into()).await
    };
    sent.await.map(drop).map_err(|error| Faults::of_error(&error, say))
}

pub(super) async fn open_account(
    State(counter): State<Counter>,
    postage: Postage,
    say: Speech,
    sent: Sent<SignUp>,
) -> Response {
    let typed = read(sent);
    let mut unmatched = false;
    let refused = if typed.act == "send" {
        match send_code(&counter.desk, &postage, Purpose::SignUp, &typed.mobile, say).await {
            Ok(()) => return sign_up_page(&typed, Faults::default(), false, Some(sent_note(say)), say),
            Err(refused) => refused,
        }
    } else {
        let form = SignUpForm {
            name: typed.name.clone(),
            id_type: typed.id_type.clone(),
            id_number: typed.id_number.clone(),
            mobile: typed.mobile.clone(),
            password: typed.password.clone(),
            code: typed.code.clone(),
        };
        match counter.desk.sign_up(form).await {
            Ok(_) => return see_other(&After::SignUp.address(say)),
            Err(error) => {
                unmatched = matches!(error, DeskError::Refused(Refusal::IdentityNotMatched));
                Faults::of_error(&error, say)
            }
        }
    };
    match refused {
        Ok(faults) => sign_up_page(&typed, faults, unmatched, None, say),
        Err(elsewhere) => *elsewhere,
    }
}

// ---- a forgotten password -------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "holder/recovery.html", config = "src/pages/askama.toml")]
struct RecoveryPage<'a> {
    say: Speech,
    assets: Assets,
    note: Option<&'a str>,
    faults: Faults,
    typed: &'a Forgotten,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Forgotten {
    account: String,
    mobile: String,
    code: String,
    password: String,
    act: String,
}

fn recovery_page(typed: &Forgotten, faults: Faults, note: Option<&str>, say: Speech) -> Response {
    let status = faults.status();
    let html = RecoveryPage { say, assets: Assets, note, faults, typed };
    let response = page(&html, status, say);
    html.faults.dress(response)
}

pub(super) async fn recovery(say: Speech) -> Response {
    recovery_page(&Forgotten::default(), Faults::default(), None, say)
}

pub(super) async fn recover(
    State(counter): State<Counter>,
    postage: Postage,
    say: Speech,
    sent: Sent<Forgotten>,
) -> Response {
    let typed = read(sent);
    let refused = if typed.act == "send" {
        match send_code(&counter.desk, &postage, Purpose::Recovery, &typed.mobile, say).await {
            Ok(()) => return recovery_page(&typed, Faults::default(), Some(sent_note(say)), say),
            Err(refused) => refused,
        }
    } else {
        match typed.mobile.trim().parse::<Mobile>() {
            Err(fault) => Ok(Faults::field("mobile", &fault, say)),
            Ok(mobile) => {
                let recovery = Recovery {
                    account: typed.account.clone(),
                    mobile,
                    code: typed.code.clone(),
                    password: typed.password.clone(),
                };
                match counter.desk.recover(&recovery).await {
                    Ok(()) => return see_other(&After::Recovery.address(say)),
                    Err(error) => Faults::of_error(&error, say),
                }
            }
        }
    };
    match refused {
        Ok(faults) => recovery_page(&typed, faults, None, say),
        Err(elsewhere) => *elsewhere,
    }
}
