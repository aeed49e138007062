//! What messages say: short ones in Chinese, e-mails in Chinese and then in English. No names, no numbers of people, and no
//! links: whoever gets used to following links from a service like this one follows the wrong one some day.

use chrono::NaiveDate;

use crate::desk::account::message::{Message, Reminder};
use crate::domain::account::Purpose;

fn purpose_words(purpose: Purpose) -> (&'static str, &'static str) {
    match purpose {
        Purpose::SignUp => ("注册账号", "opening an account"),
        Purpose::Submit => ("提交申报", "submitting a filing"),
        Purpose::ChangeMobile => ("更换手机号码", "changing your mobile"),
        Purpose::ChangeEmail => ("绑定电子邮箱", "setting your e-mail address"),
        Purpose::Recovery => ("找回密码", "setting a forgotten password anew"),
    }
}

fn day(day: NaiveDate) -> String {
    day.format("%Y年%-m月%-d日").to_string()
}

fn left(days: u32) -> (String, String) {
    match days {
        0 => ("今天 24:00 到期".to_owned(), "It expires today at midnight".to_owned()),
        1 => ("还剩 1 天".to_owned(), "One day is left".to_owned()),
        days => (format!("还剩 {days} 天"), format!("{days} days are left")),
    }
}

/// A code in a short message. A gateway may have a template of its own.
pub(crate) fn short_code(purpose: Purpose, code: &str) -> String {
    format!("您正在{}，验证码 {code}，五分钟内有效。请勿告诉他人。", purpose_words(purpose).0)
}

/// A reminder in a short message.
pub(crate) fn short_reminder(reminder: &Reminder) -> String {
    let Reminder { title, valid_until, days_left, .. } = reminder;
    let (until, left) = (day(*valid_until), left(*days_left).0);
    format!(
        "您的《{title}》加注件有效期至{until}，{left}。如需继续使用，请登录平台，在“我的证书”中重新申请加注；不再需要则无须处理。"
    )
}

/// That a ticket was answered, in a short message of 70 characters at most: longer ones are sent in parts.
pub(crate) const SHORT_TICKET_ANSWERED: &str =
    "您提交的申请已有答复，请凭编号查询。Your request was answered; look it up by its number.";

/// What an e-mail says.
#[derive(Debug)]
pub(crate) struct Letter {
    /// Its subject.
    pub(crate) subject: String,
    /// Its text.
    pub(crate) text: String,
}

/// A message as an e-mail.
pub(crate) fn letter(message: &Message) -> Letter {
    let (subject, zh, en) = match message {
        Message::Code { purpose, code, .. } => {
            let (what_zh, what_en) = purpose_words(*purpose);
            (
                "验证码 · Verification code".to_owned(),
                format!(
                    "您正在{what_zh}，验证码为：\n\n    {code}\n\n五分钟内有效，请勿告诉他人。如非本人操作，请忽略本邮件。"
                ),
                format!(
                    "The code for {what_en} is\n\n    {code}\n\nIt is good for five minutes; tell nobody. If it was not \
                     you who asked, ignore this e-mail."
                ),
            )
        }
        Message::Reminder(Reminder { title, valid_until, days_left, .. }) => {
            let (left_zh, left_en) = left(*days_left);
            let until_en = valid_until.format("%-d %B %Y");
            (
                format!("加注件将于{}到期 · An annotated copy expires soon", day(*valid_until)),
                format!(
                    "您的《{title}》加注件有效期至{}，{left_zh}。到期后，核验结果将显示“加注件已过期”。\n\n如需继续使用，请照常登录平台，\
                     在“我的证书”中选择该证书并重新申请加注。不再需要则无须处理。",
                    day(*valid_until)
                ),
                format!(
                    "The annotated copy of your certificate 《{title}》 is valid until {until_en}. {left_en}; after that, whoever \
                     verifies it is told that it has expired.\n\nTo go on using it, log in the way you always do, choose the \
                     certificate under \"My certificates\" and order another copy. If you do not need it any more, there is \
                     nothing to do."
                ),
            )
        }
        Message::TicketAnswered { .. } => (
            "您提交的申请已有答复 · Your request was answered".to_owned(),
            "您提交的申请已有答复。请照常打开平台，凭编号和证件号码查询。".to_owned(),
            "Your request was answered. Open the service the way you always do, and look it up by its number and your \
             identity number."
                .to_owned(),
        ),
    };
    let text = format!(
        "{zh}\n\n本邮件由系统自动发送，不含任何链接，请勿回复。\n\n----\n\n{en}\n\nThis e-mail was sent by a machine and holds no \
         links; do not answer it.\n"
    );
    Letter { subject, text }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use chrono::DateTime;

    use super::*;

    fn reminder(days_left: u32) -> Reminder {
        let valid_until = "2026-12-09".parse().unwrap();
        Reminder { title: "示例证书".into(), valid_until, days_left, at: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn a_reminder_says_which_certificate_until_when_and_what_to_do() {
        let short = short_reminder(&reminder(15));
        assert!(short.contains("《示例证书》加注件有效期至2026年12月9日，还剩 15 天"), "{short}");
        assert!(short_reminder(&reminder(0)).contains("今天 24:00 到期"));
        let long = letter(&Message::Reminder(reminder(1)));
        assert!(long.subject.starts_with("加注件将于2026年12月9日到期"), "{}", long.subject);
        let (zh, en) = long.text.split_once("----").unwrap();
        assert!(zh.contains("还剩 1 天") && zh.contains("重新申请加注"), "{zh}");
        assert!(
            en.contains("valid until 9 December 2026. One day is left;") && en.contains("order another copy"),
            "{en}"
        );
    }

    #[test]
    fn no_letter_holds_a_link() {
        let code =
            Message::Code { purpose: Purpose::ChangeEmail, code: "012345".into(), at: DateTime::UNIX_EPOCH };
        let answered = Message::TicketAnswered { at: DateTime::UNIX_EPOCH };
        for message in [code, Message::Reminder(reminder(7)), answered] {
            let Letter { subject, text } = letter(&message);
            assert!(
                !text.contains("://") && !text.contains("www.") && subject.lines().count() == 1,
                "{text}"
            );
        }
        assert!(SHORT_TICKET_ANSWERED.chars().count() <= 70);
        assert_eq!(
            short_code(Purpose::SignUp, "012345"),
            "您正在注册账号，验证码 012345，五分钟内有效。请勿告诉他人。"
        );
    }
}
