//! How often callers may call: the section `limits`, over the rates of the profile.

use std::num::NonZeroU32;

use crate::config::Profile;
use crate::config::reader::Reader;
use crate::http::limits::{Limits, Rate};

/// The bounds of the HTTP edge, as `limits.public.per_second` and the like change them.
pub(super) fn limits(reader: &mut Reader<'_>, profile: Profile) -> Limits {
    let usual = match profile {
        Profile::Development => Limits::development(),
        Profile::Production => Limits::production(),
    };
    reader.section("limits", |limits| Limits {
        public: rate(limits, "public", usual.public),
        documents: rate(limits, "documents", usual.documents),
        queries: rate(limits, "queries", usual.queries),
        agency: rate(limits, "agency", usual.agency),
        strangers: rate(limits, "strangers", usual.strangers),
        ..usual
    })
}

/// One rate; what is not set stays as usual.
fn rate(limits: &mut Reader<'_>, name: &str, usual: Rate) -> Rate {
    limits.section(name, |rate| {
        let mut number = |name, usual| {
            let set: Option<NonZeroU32> = rate.parse(name, "a whole number above 0");
            set.map_or(usual, NonZeroU32::get)
        };
        Rate { per_second: number("per_second", usual.per_second), burst: number("burst", usual.burst) }
    })
}
