//! Which of the two languages a request prefers.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;

use crate::domain::language::Language;

/// The language of an `Accept-Language` header (RFC 9110, section 12.5.4): the one with the higher weight; Chinese
/// where both weigh the same or neither is asked for.
pub(crate) fn preferred(accept_language: &str) -> Language {
    let (mut chinese, mut english, mut any) = (None, None, None);
    for range in accept_language.split(',') {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(Some(1.0), |q| q.trim().parse().ok());
        let Some(weight) = weight.filter(|weight: &f32| (0.0..=1.0).contains(weight)) else { continue };
        let primary = tag.split('-').next().unwrap_or_default();
        let slot = match primary {
            "*" => &mut any,
            tag if tag.eq_ignore_ascii_case("zh") => &mut chinese,
            tag if tag.eq_ignore_ascii_case("en") => &mut english,
            _ => continue,
        };
        *slot = Some(weight.max(slot.unwrap_or(0.0)));
    }
    let weight = |named: Option<f32>| named.or(any).unwrap_or(0.0);
    if weight(english) > weight(chinese) { Language::English } else { Language::Chinese }
}

/// The language that the headers of a request prefer.
pub(crate) fn of(headers: &HeaderMap) -> Language {
    headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map_or(Language::Chinese, preferred)
}

/// The language that the request prefers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaks(pub(crate) Language);

impl<S: Sync> FromRequestParts<S> for Speaks {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(of(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heavier_language_wins_and_chinese_where_nothing_is_said() {
        for (header, language) in [
            ("", Language::Chinese),
            ("en", Language::English),
            ("EN-gb", Language::English),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en;q=0.8, zh-Hans;q=0.9", Language::Chinese),
            ("fr, en;q=0.5", Language::English),
            ("fr", Language::Chinese),
            ("*", Language::Chinese),
            ("zh;q=0, *", Language::English),
            ("en;q=0", Language::Chinese),
            ("en;q=2, ;;;,,q=", Language::Chinese),
            ("de-DE, *;q=0.1, en; q=0.3", Language::English),
        ] {
            assert_eq!(preferred(header), language, "{header}");
        }
    }
}
