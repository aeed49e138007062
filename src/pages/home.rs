//! The first page: type a code, or hand in a file.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use crate::domain::ids::Code;
use crate::domain::language::Language;
use crate::pages::assets::Assets;
use crate::pages::speech::Speech;
use crate::pages::{Counter, page, see_other};

#[derive(Template)]
#[template(path = "home.html", config = "src/pages/askama.toml")]
pub(crate) struct HomePage<'a> {
    say: Speech,
    assets: Assets,
    host: &'a str,
    typed: &'a str,
    wrong_code: Option<String>,
    wrong_file: Option<&'a str>,
}

impl<'a> HomePage<'a> {
    pub(crate) fn new(say: Speech, public_url: &'a str) -> Self {
        Self { say, assets: Assets, host: host_of(public_url), typed: "", wrong_code: None, wrong_file: None }
    }

    /// The page once more, saying why the file could not be judged.
    pub(crate) fn with_wrong_file(self, why: &'a str) -> Self {
        Self { wrong_file: Some(why), ..self }
    }

    /// The page once more, saying why what was typed is no code.
    pub(crate) fn with_wrong_code(self, typed: &'a str) -> Self {
        let wrong = Some(wrong_code(typed, self.say));
        Self { wrong_code: wrong, typed, ..self }
    }
}

/// Where the browser's address bar should stand.
pub(crate) fn host_of(public_url: &str) -> &str {
    let (_, rest) = public_url.split_once("://").unwrap_or(("", public_url));
    rest.split('/').next().unwrap_or(rest)
}

pub(crate) async fn home(State(counter): State<Counter>, say: Speech) -> Response {
    let mut response = page(&HomePage::new(say, &counter.desk.rules().public_url), StatusCode::OK, say);
    // The one page that people should find.
    response.headers_mut().remove(HeaderName::from_static("x-robots-tag"));
    response
}

/// Who comes to the address of the upload without a file finds the form.
pub(crate) async fn document(say: Speech) -> Response {
    see_other(&format!("/{}#document", say.query()))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    code: String,
}

/// A typed code leads to its page; what is no code, back to the form with the reason.
pub(crate) async fn typed(
    State(counter): State<Counter>,
    typed: Result<Query<Typed>, QueryRejection>,
    say: Speech,
) -> Response {
    let typed = typed.map(|Query(typed)| typed.code).unwrap_or_default();
    match plain(&typed).parse::<Code>() {
        Ok(code) => see_other(&format!("/v/{code}{}", say.query_with("typed", "1"))),
        Err(_) => {
            let html = HomePage::new(say, &counter.desk.rules().public_url).with_wrong_code(&typed);
            page(&html, StatusCode::UNPROCESSABLE_ENTITY, say)
        }
    }
}

/// What was typed or pasted, as the code's parser reads it: of a whole link its last part, full-width characters of
/// Chinese keyboards as plain ones, any white space and any kind of dash ignored.
fn plain(typed: &str) -> String {
    let code = match typed.rsplit_once("/v/") {
        Some((_, code)) => code.split(['?', '#', '/']).next().unwrap_or(code),
        None => typed,
    };
    code.chars()
        .map(|c| match c {
            '！'..='～' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            c => c,
        })
        .filter(|c| {
            !c.is_whitespace() && !matches!(c, '-' | '‐'..='―' | '−' | '\u{200B}'..='\u{200F}' | '\u{FEFF}')
        })
        .collect()
}

fn wrong_code(typed: &str, say: Speech) -> String {
    let plain = plain(typed);
    let count = plain.chars().count();
    let stranger = plain.chars().find(|c| !c.is_ascii_alphanumeric() || c.eq_ignore_ascii_case(&'u'));
    let english = say.language == Language::English;
    match (stranger, english) {
        _ if count == 0 => say.pick("请输入编号。", "Please type the code.").to_owned(),
        (Some(c), false) => format!("编号里没有“{c}”这个字符，请对照二维码下方的编号修改。"),
        (Some(c), true) => {
            format!("A code never holds “{c}”. Please compare it with the one below the QR code.")
        }
        (None, false) if count != 26 => {
            format!("编号应为 26 位，您输入了 {count} 位，请检查有没有漏掉或多出的字符。")
        }
        (None, true) if count != 26 => {
            format!("A code has 26 characters; you typed {count}. Is one missing, or one too many?")
        }
        (None, _) => say
            .pick(
                "这不是一个编号：第一位只能是 0 到 7。",
                "This is no code: the first character is always 0 to 7.",
            )
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_understood_however_it_is_typed_or_pasted() {
        for typed in [
            "0123456789ABCDEFGHJKMNPQRS",
            "  0123 4567 89ab cdef ghjk mnpq rs ",
            "０１２３　４５６７　８９ＡＢ　ＣＤＥＦ　ＧＨＪＫ　ＭＮＰＱ　ＲＳ",
            "0123-4567—89AB–CDEF－GHJK-MNPQ-RS",
            "https://verify.example.cn/v/0123456789ABCDEFGHJKMNPQRS?lang=en",
        ] {
            assert_eq!(plain(typed).to_uppercase(), "0123456789ABCDEFGHJKMNPQRS", "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_told_why() {
        let chinese = Speech::unasked(Language::Chinese);
        for (typed, reason) in [
            (" ", "请输入编号"),
            ("0123", "您输入了 4 位"),
            ("0123456789ABCDEFGHJKMNPQRU", "没有“U”"),
            ("证书", "没有“证”"),
            ("Z123456789ABCDEFGHJKMNPQRS", "第一位"),
        ] {
            assert!(wrong_code(typed, chinese).contains(reason), "{typed}: {}", wrong_code(typed, chinese));
        }
    }

    #[test]
    fn the_host_is_what_an_address_bar_shows() {
        assert_eq!(host_of("https://verify.example.cn"), "verify.example.cn");
        assert_eq!(host_of("http://127.0.0.1:8080/base"), "127.0.0.1:8080");
    }
}
