//! The names of a regime's parts: words of its file, parsed once.

use std::fmt;
use std::str::FromStr;

use crate::domain::ids::Malformed;

macro_rules! word {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(String);

        impl $name {
            /// The word.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            /// 1 to 40 small letters, digits and underscores, a letter first.
            fn from_str(text: &str) -> Result<Self, Malformed> {
                let fits = (1..=40).contains(&text.len())
                    && text.starts_with(|c: char| c.is_ascii_lowercase())
                    && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
                if fits { Ok(Self(text.to_owned())) } else { Err(Malformed($what)) }
            }
        }
    )+ };
}

word! {
    /// A regime, as `planner`.
    RegimeId, "regime";
    /// A class of a regime, as `interim`.
    ClassId, "class";
    /// A business type, as `renewal`.
    TypeId, "business type";
    /// A stage of a business type, as `unit`.
    StageId, "stage";
    /// A field of a form.
    FieldName, "field name";
    /// A kind of attachment.
    AttachmentKind, "kind of attachment";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_small_letters_digits_and_underscores() {
        for good in ["planner", "add_specialty", "a1"] {
            assert_eq!(good.parse::<TypeId>().map(|word| word.to_string()), Ok(good.to_owned()));
        }
        let long = "a".repeat(41);
        for bad in ["", "1a", "_a", "Planner", "a-b", "注册", long.as_str()] {
            assert!(bad.parse::<TypeId>().is_err(), "{bad}");
        }
    }
}
