//! The two languages of screens and messages: Chinese first, English second.

/// A language that the service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Language {
    /// zh-CN, the default.
    #[default]
    Chinese,
    /// en.
    English,
}

impl Language {
    /// Picks the text in this language.
    pub fn pick<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    /// The language tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}
