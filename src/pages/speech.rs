//! In which language a page speaks, and how it says days and moments.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

use crate::domain::calendar;
use crate::domain::language::Language;
use crate::http::language;

/// The language of one page, and whether the reader chose it by hand: then links carry it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Speech {
    pub(crate) language: Language,
    chosen: bool,
}

/// A day or a moment, for people and for machines.
#[derive(Debug)]
pub(crate) struct Dated {
    pub(crate) text: String,
    pub(crate) machine: String,
}

impl Speech {
    /// `?lang=en|zh` decides; else `Accept-Language` (RFC 9110, section 12.5.4); else Chinese.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let asked = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("lang="));
        match asked.and_then(language_of) {
            Some(language) => Self { language, chosen: true },
            None => Self { language: language::of(headers), chosen: false },
        }
    }

    /// A page in this language that nobody asked for by hand.
    #[cfg(test)]
    pub(crate) fn unasked(language: Language) -> Self {
        Self { language, chosen: false }
    }

    pub(crate) fn pick<'a>(&self, chinese: &'a str, english: &'a str) -> &'a str {
        self.language.pick(chinese, english)
    }

    pub(crate) fn is_chinese(&self) -> bool {
        self.language == Language::Chinese
    }

    pub(crate) fn tag(&self) -> &'static str {
        self.language.tag()
    }

    /// What a link appends to stay in a language chosen by hand.
    pub(crate) fn query(&self) -> &'static str {
        match (self.chosen, self.language) {
            (false, _) => "",
            (true, Language::Chinese) => "?lang=zh",
            (true, Language::English) => "?lang=en",
        }
    }

    /// The value of `lang` that a form sends on.
    pub(crate) fn chosen_word(&self) -> Option<&'static str> {
        self.chosen.then(|| self.language.pick("zh", "en"))
    }

    pub(crate) fn other_query(&self) -> &'static str {
        self.language.pick("?lang=en", "?lang=zh")
    }

    pub(crate) fn other_tag(&self) -> &'static str {
        self.language.pick(Language::English.tag(), Language::Chinese.tag())
    }

    /// The other language by its own name: who cannot read this page can read that.
    pub(crate) fn other_name(&self) -> &'static str {
        self.language.pick("English", "中文")
    }

    /// `2024年9月22日`, `22 September 2024`.
    pub(crate) fn day(&self, day: NaiveDate) -> Dated {
        let text = day.format(self.pick("%Y年%-m月%-d日", "%-d %B %Y")).to_string();
        Dated { text, machine: day.to_string() }
    }

    /// To the second, as a clock in Shanghai shows it.
    pub(crate) fn moment(&self, at: DateTime<Utc>) -> Dated {
        let here = calendar::in_shanghai(at);
        let text = here.format(self.pick("%Y年%-m月%-d日 %H:%M:%S", "%-d %b %Y, %H:%M:%S")).to_string();
        Dated { text, machine: here.to_rfc3339_opts(SecondsFormat::Secs, false) }
    }
}

impl<S: Sync> FromRequestParts<S> for Speech {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri, &parts.headers))
    }
}

fn language_of(tag: &str) -> Option<Language> {
    match tag.split('-').next()?.to_ascii_lowercase().as_str() {
        "zh" => Some(Language::Chinese),
        "en" => Some(Language::English),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use axum::http::header::ACCEPT_LANGUAGE;

    use super::*;

    fn speech(uri: &str, accept: Option<&str>) -> Speech {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT_LANGUAGE, accept.parse().unwrap());
        }
        Speech::of(&uri.parse().unwrap(), &headers)
    }

    #[test]
    fn chinese_is_spoken_unless_english_is_asked_for() {
        use Language::{Chinese, English};
        for (uri, accept, language) in [
            ("/", None, Chinese),
            ("/", Some("fr"), Chinese),
            ("/", Some("*"), Chinese),
            ("/", Some("en-US,en;q=0.9"), English),
            ("/", Some("fr, en;q=0.5"), English),
            ("/", Some("zh-CN,zh;q=0.9,en;q=0.8"), Chinese),
            ("/", Some("en;q=0.3, zh;q=0.7"), Chinese),
            ("/", Some("en;q=0, fr"), Chinese),
            ("/", Some("en;q=lots"), Chinese),
            ("/?lang=en", Some("zh"), English),
            ("/v?code=1&lang=zh", Some("en"), Chinese),
            ("/?lang=xx", Some("en"), English),
        ] {
            assert_eq!(speech(uri, accept).language, language, "{uri} {accept:?}");
        }
    }

    #[test]
    fn links_carry_a_language_only_where_it_was_chosen() {
        assert_eq!(speech("/", Some("en")).query(), "");
        assert_eq!(speech("/?lang=en", None).query(), "?lang=en");
    }

    #[test]
    fn moments_are_those_of_a_clock_in_shanghai() {
        let at = "2026-11-21T15:41:07Z".parse().unwrap();
        let moment = Speech::unasked(Language::Chinese).moment(at);
        assert_eq!(
            (moment.text.as_str(), moment.machine.as_str()),
            ("2026年11月21日 23:41:07", "2026-11-21T23:41:07+08:00")
        );
        assert_eq!(Speech::unasked(Language::English).moment(at).text, "21 Nov 2026, 23:41:07");
    }
}
