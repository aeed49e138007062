//! The account's own page: mobile, e-mail address, password, sessions, what was done.

use askama::Template;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Extension, Form, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::desk::account::session::LoggedIn;
use crate::desk::{Desk, DeskError};
use crate::domain::account::{Mobile, Owner, Purpose};
use crate::domain::contact::Email;
use crate::domain::event::Deed;
use crate::domain::refusal::Refusal;
use crate::http::client::Client;
use crate::http::postage::Postage;
use crate::pages::assets::Assets;
use crate::pages::console::wording;
use crate::pages::faults::Faults;
use crate::pages::frame::Frame;
use crate::pages::holder::entry::{After, address, send_code, sent_note};
use crate::pages::holder::{logged_in, to_login, turn_away, with_session};
use crate::pages::speech::{Dated, Speech};
use crate::pages::{Counter, page, see_other};

/// Lines of the log that the page shows, the newest first.
const LOG_LINES: usize = 20;

struct LogLine {
    at: Dated,
    what: &'static str,
}

#[derive(Template)]
#[template(path = "holder/account.html", config = "src/pages/askama.toml")]
struct AccountPage<'a> {
    say: Speech,
    assets: Assets,
    note: Option<&'a str>,
    faults: Faults,
    frame: Frame,
    name: String,
    id_masked: String,
    mobile_masked: String,
    has_factor: bool,
    email_masked: Option<String>,
    typed: Typed<'a>,
    log: Vec<LogLine>,
}

/// What was typed into a form that is shown again.
#[derive(Clone, Copy, Debug, Default)]
struct Typed<'a> {
    mobile: &'a str,
    email: &'a str,
}

fn what(deed: Deed, say: Speech) -> &'static str {
    let (zh, en) = match deed {
        Deed::AccountOpened => ("注册账号", "Opened the account"),
        Deed::SessionBegun => ("登录", "Logged in"),
        Deed::SessionEnded => ("退出", "Logged out"),
        Deed::SessionsEnded => ("退出所有设备", "Logged out everywhere"),
        Deed::NoticeAccepted => ("同意服务须知", "Accepted the notice"),
        Deed::MobileChanged => ("更换手机号码", "Changed the mobile"),
        Deed::EmailChanged => ("设置电子邮箱", "Set the e-mail address"),
        Deed::EmailRemoved => ("移除电子邮箱", "Removed the e-mail address"),
        Deed::ReminderSent => ("平台提醒：加注件即将到期", "Was reminded: a copy expires soon"),
        Deed::PasswordChanged => ("修改密码", "Changed the password"),
        Deed::SecondFactorSet => ("启用动态口令", "Set a second factor"),
        Deed::SecondFactorRemoved => ("停用动态口令", "Removed the second factor"),
        Deed::FormerNamesChanged => ("更改曾用名", "Changed the former names"),
        Deed::AnnotationOrdered => ("提交加注申请", "Ordered an annotation"),
        Deed::AnnotationRevoked => ("撤销加注件", "Revoked a copy"),
        Deed::CaseOpened => ("新建申报", "Opened a case"),
        Deed::CaseFilled => ("填写申报", "Filled in a case"),
        Deed::CaseActed => ("办理申报", "Acted upon a case"),
        Deed::LetterOpened => ("打开承诺书", "Opened a commitment letter"),
        Deed::ProfileChanged => ("修改个人资料", "Changed the profile"),
        Deed::QualificationEntered => ("资格入库", "A qualification was entered"),
        Deed::AnomalyNoticed => ("平台提示：发现异常", "Was told of an anomaly"),
        Deed::AnomalyAnswered => ("提交申辩", "Answered an anomaly"),
        _ => ("其他操作", "Something else"),
    };
    say.language.pick(zh, en)
}

/// The newest lines of the log.
async fn newest(desk: &Desk, who: &LoggedIn, say: Speech) -> Result<Vec<LogLine>, DeskError> {
    let (mut done, mut after) = (Vec::new(), None);
    loop {
        let some = desk.own_log(who, after, 500).await?;
        after = some.items.last().map(|done| done.seq);
        let more = some.more && after.is_some();
        done.extend(some.items);
        if !more {
            break;
        }
        done.drain(..done.len().saturating_sub(LOG_LINES));
    }
    let newest = done.iter().rev().take(LOG_LINES);
    // What staff do, the console has words for.
    let is_staff = matches!(who.account().owner, Owner::Staff(_));
    let name = if is_staff { wording::deed } else { what };
    Ok(newest
        .map(|done| LogLine { at: say.moment(done.event.at), what: name(done.event.deed, say) })
        .collect())
}

async fn account_page(
    counter: &Counter,
    who: &LoggedIn,
    typed: Typed<'_>,
    faults: Faults,
    note: Option<&str>,
    say: Speech,
) -> Response {
    let log = match newest(&counter.desk, who, say).await {
        Ok(log) => log,
        Err(error) => return turn_away(counter, &error, say),
    };
    let account = who.account();
    let status = faults.status();
    let html = AccountPage {
        say,
        assets: Assets,
        note,
        faults,
        frame: Frame::of(who, say),
        name: account.name.to_string(),
        id_masked: account.owner.login_masked(),
        mobile_masked: account.mobile.masked(),
        has_factor: account.totp.is_some(),
        email_masked: account.email.as_ref().map(Email::masked),
        typed,
        log,
    };
    let response = page(&html, status, say);
    html.faults.dress(response)
}

/// What was just done, which the page confirms.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Done {
    Mobile,
    Email,
    NoEmail,
    Password,
    FactorSet,
    FactorRemoved,
}

impl Done {
    fn word(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::NoEmail => "no-email",
            Self::Password => "password",
            Self::FactorSet => "factor-set",
            Self::FactorRemoved => "factor-removed",
        }
    }

    fn note(self, say: Speech) -> &'static str {
        let (zh, en) = match self {
            Self::FactorSet => ("动态口令已启用。", "The second factor is set."),
            Self::FactorRemoved => ("动态口令已停用。", "The second factor was removed."),
            Self::Mobile => ("手机号码已更换。", "The mobile was changed."),
            Self::Email => {
                ("电子邮箱已设置，到期提醒将发送到该邮箱。", "The e-mail address is set; reminders go there.")
            }
            Self::NoEmail => ("电子邮箱已移除。", "The e-mail address was removed."),
            Self::Password => {
                ("密码已修改，其他设备已退出。", "The password was changed; other devices are logged out.")
            }
        };
        say.language.pick(zh, en)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Arrival {
    done: Option<Done>,
}

pub(super) async fn show(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    arrival: Result<Query<Arrival>, QueryRejection>,
) -> Response {
    let done = arrival.ok().and_then(|Query(arrival)| arrival.done);
    let note = done.map(|done| done.note(say));
    match logged_in(&counter, &headers, say).await {
        Ok(who) => account_page(&counter, &who, Typed::default(), Faults::default(), note, say).await,
        Err(elsewhere) => elsewhere,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewMobile {
    mobile: String,
    code: String,
    password: String,
    act: String,
}

pub(super) async fn change_mobile(
    State(counter): State<Counter>,
    postage: Postage,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    say: Speech,
    sent: Result<Form<NewMobile>, FormRejection>,
) -> Response {
    let who = match logged_in(&counter, &headers, say).await {
        Ok(who) => who,
        Err(elsewhere) => return elsewhere,
    };
    let typed = sent.map(|Form(typed)| typed).unwrap_or_default();
    let refused = if typed.act == "send" {
        match send_code(&counter.desk, &postage, Purpose::ChangeMobile, &typed.mobile, say).await {
            Ok(()) => {
                let again = Typed { mobile: &typed.mobile, ..Typed::default() };
                let note = Some(sent_note(say));
                return account_page(&counter, &who, again, Faults::default(), note, say).await;
            }
            Err(refused) => refused,
        }
    } else {
        match typed.mobile.trim().parse::<Mobile>() {
            Err(fault) => Ok(Faults::field("mobile", &fault, say)),
            Ok(mobile) => {
                let from = address(client);
                match counter.desk.change_mobile(&who, &mobile, &typed.code, &typed.password, from).await {
                    Ok(_) => {
                        return see_other(&format!(
                            "/me/account{}",
                            say.query_with("done", Done::Mobile.word())
                        ));
                    }
                    Err(error) => Faults::of_error(&error, say),
                }
            }
        }
    };
    match refused {
        Ok(faults) => {
            let again = Typed { mobile: &typed.mobile, ..Typed::default() };
            account_page(&counter, &who, again, faults, None, say).await
        }
        Err(elsewhere) => *elsewhere,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewEmail {
    email: String,
    code: String,
    act: String,
}

/// What became of the form of the e-mail address, where all went well.
enum Did {
    Sent,
    Changed(Done),
}

impl NewEmail {
    async fn carry_out(&self, desk: &Desk, who: &LoggedIn) -> Result<Did, DeskError> {
        if self.act == "remove" {
            desk.remove_email(who).await?;
            return Ok(Did::Changed(Done::NoEmail));
        }
        let email = self.email.trim().parse::<Email>().map_err(|fault| Refusal::field("email", fault))?;
        if self.act == "send" {
            desk.send_email_code(who, &email).await?;
            return Ok(Did::Sent);
        }
        desk.change_email(who, &email, &self.code).await?;
        Ok(Did::Changed(Done::Email))
    }
}

pub(super) async fn change_email(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    sent: Result<Form<NewEmail>, FormRejection>,
) -> Response {
    let who = match logged_in(&counter, &headers, say).await {
        Ok(who) => who,
        Err(elsewhere) => return elsewhere,
    };
    let typed = sent.map(|Form(typed)| typed).unwrap_or_default();
    let again = Typed { email: &typed.email, ..Typed::default() };
    match typed.carry_out(&counter.desk, &who).await {
        Ok(Did::Changed(done)) => see_other(&format!("/me/account{}", say.query_with("done", done.word()))),
        Ok(Did::Sent) => {
            account_page(&counter, &who, again, Faults::default(), Some(sent_note(say)), say).await
        }
        Err(error) => match Faults::of_error(&error, say) {
            Ok(faults) => {
                let faults = faults.renamed("code", "email-code");
                account_page(&counter, &who, again, faults, None, say).await
            }
            Err(elsewhere) => *elsewhere,
        },
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewPassword {
    old: String,
    new: String,
    again: String,
}

pub(super) async fn change_password(
    State(counter): State<Counter>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    say: Speech,
    sent: Result<Form<NewPassword>, FormRejection>,
) -> Response {
    let who = match logged_in(&counter, &headers, say).await {
        Ok(who) => who,
        Err(elsewhere) => return elsewhere,
    };
    let typed = sent.map(|Form(typed)| typed).unwrap_or_default();
    let refused = if typed.new == typed.again {
        match counter.desk.change_password(&who, &typed.old, &typed.new, address(client)).await {
            Ok(begun) => {
                let there = format!("/me/account{}", say.query_with("done", Done::Password.word()));
                return with_session(&counter, &begun, see_other(&there));
            }
            Err(error) => Faults::of_error(&error, say),
        }
    } else {
        let differs = say.pick("两次输入的新密码不一致。", "The two new passwords differ.");
        Ok(Faults::said("again", differs.to_owned()))
    };
    match refused {
        Ok(faults) => account_page(&counter, &who, Typed::default(), faults, None, say).await,
        Err(elsewhere) => *elsewhere,
    }
}

pub(super) async fn log_out_everywhere(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
) -> Response {
    match logged_in(&counter, &headers, say).await {
        Ok(who) => match counter.desk.log_out_everywhere(&who).await {
            Ok(()) => to_login(&counter, After::Logout, say),
            Err(error) => turn_away(&counter, &error, say),
        },
        Err(elsewhere) => elsewhere,
    }
}
