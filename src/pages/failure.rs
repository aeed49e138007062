//! The pages for what went wrong before there was anything to judge.

use std::time::Duration;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::pages::assets::Assets;
use crate::pages::page;
use crate::pages::speech::Speech;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such page.
    NotFound,
    /// The page exists, but not for this method.
    MethodNotAllowed,
    /// The invitation was accepted, taken back or is too old; or there never was one.
    InvitationOver,
    /// The form was sent by another site's page.
    Foreign,
    /// The upload is larger than what is judged.
    TooLarge,
    /// The upload took too long to arrive.
    TooSlow,
    /// The caller asks too often; when to ask again.
    TooManyRequests(Duration),
    /// Too much is asked of the service just now; when to ask again.
    Busy(Duration),
    /// The machine failed.
    Fault,
}

impl Failure {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::NotFound,
        Self::InvitationOver,
        Self::MethodNotAllowed,
        Self::Foreign,
        Self::TooLarge,
        Self::TooSlow,
        Self::TooManyRequests(Duration::from_secs(30)),
        Self::Busy(Duration::from_secs(5)),
        Self::Fault,
    ];

    /// The status of the answer (RFC 9110, section 15).
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::InvitationOver => StatusCode::GONE,
            Self::Foreign => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The failure behind an answer that has no page; where it says when to ask again, so does the page.
    pub(crate) fn behind(status: StatusCode, retry_after: Option<Duration>) -> Self {
        let wait = retry_after.unwrap_or(Duration::from_secs(5));
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::REQUEST_TIMEOUT => Self::TooSlow,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyRequests(wait),
            StatusCode::SERVICE_UNAVAILABLE => Self::Busy(wait),
            _ => Self::Fault,
        }
    }

    fn retry_after(self) -> Option<Duration> {
        match self {
            Self::TooManyRequests(wait) | Self::Busy(wait) => Some(wait),
            _ => None,
        }
    }

    /// Heading, meaning, and what to do; in Chinese and in English.
    fn words(self) -> [(&'static str, &'static str); 3] {
        match self {
            Self::NotFound => [
                ("没有这个页面", "No such page"),
                ("这个网址下没有内容。", "There is nothing at this address."),
                (
                    "如果您想查验证书，请扫描证书上的二维码，或回到首页输入编号。",
                    "To check a certificate, scan its QR code or type its code on the first page.",
                ),
            ],
            Self::MethodNotAllowed => [
                ("不支持这种访问方式", "Not possible in this way"),
                ("这个网址不接受这样的请求。", "This address does not take requests of this kind."),
                ("请从首页重新开始。", "Please start again from the first page."),
            ],
            Self::InvitationOver => [
                ("邀请已失效", "The invitation is over"),
                (
                    "邀请链接三天内有效，只能使用一次。",
                    "An invitation is good for three days and works once.",
                ),
                ("请联系管理员重新邀请。", "Ask an administrator for another."),
            ],
            Self::Foreign => [
                ("请从本站提交", "Please send it from our own page"),
                (
                    "这次提交不是从本站的页面发出的，为保护您的账号没有处理。",
                    "This was not sent from a page of ours; to protect your account it was not dealt with.",
                ),
                ("请回到本站的页面重新操作。", "Please go back to our page and do it there."),
            ],
            Self::TooLarge => [
                ("文件太大", "The file is too large"),
                ("只查验不超过 10 MB 的文件。", "Files of at most 10 MB are checked."),
                (
                    "本平台签发的证书文件远小于此。请上传持证人下载的原始 PDF 文件。",
                    "Files issued here are far smaller. Upload the original PDF as downloaded by the holder.",
                ),
            ],
            Self::TooSlow => [
                ("上传超时", "The upload took too long"),
                ("内容没有在规定的时间内传完。", "What you sent did not arrive in time."),
                ("请换一个更好的网络再试。", "Please try again on a better connection."),
            ],
            Self::TooManyRequests(_) => [
                ("查验过于频繁", "Too many checks"),
                (
                    "短时间内从您的网络发来了太多请求。",
                    "Too many requests came from your network in a short time.",
                ),
                ("请稍等片刻再试。", "Please wait a moment and try again."),
            ],
            Self::Busy(_) => [
                ("系统繁忙", "Very busy just now"),
                (
                    "此刻的请求太多，您的请求没有处理。",
                    "There are too many requests; yours was not dealt with.",
                ),
                ("请稍等片刻再试。", "Please wait a moment and try again."),
            ],
            Self::Fault => [
                ("系统出了故障", "Something broke on our side"),
                (
                    "这次查验没有完成，不能据此判断证书的真伪。",
                    "The check was not finished; it says nothing about the certificate.",
                ),
                ("请稍后再试。故障已经记录。", "Please try again later. The fault has been recorded."),
            ],
        }
    }
}

#[derive(Template)]
#[template(path = "failure.html", config = "src/pages/askama.toml")]
struct FailurePage {
    say: Speech,
    assets: Assets,
    heading: &'static str,
    meaning: &'static str,
    advice: &'static str,
}

/// The page that says what went wrong.
pub(crate) fn failure(failure: Failure, say: Speech) -> Response {
    let [heading, meaning, advice] =
        failure.words().map(|(chinese, english)| say.language.pick(chinese, english));
    let html = FailurePage { say, assets: Assets, heading, meaning, advice };
    let mut response = page(&html, failure.status(), say);
    if let Some(wait) = failure.retry_after() {
        let seconds = wait.as_secs().max(1);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
