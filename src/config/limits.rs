//! How often callers may call, and how long they may take: the section `limits`, over the rates of the profile.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::config::Profile;
use crate::config::reader::Reader;
use crate::http::limits::{Limits, Rate};

/// The bounds of the HTTP edge, as `limits.public.per_second` and the like change them.
pub(super) fn limits(reader: &mut Reader<'_>, profile: Profile) -> Limits {
    let usual = match profile {
        Profile::Development => Limits::development(),
        Profile::Production => Limits::production(),
    };
    reader.section("limits", |limits| {
        let body_timeout = seconds(limits, "body_seconds", usual.body_timeout);
        Limits {
            public: rate(limits, "public", SECOND, usual.public),
            documents: rate(limits, "documents", SECOND, usual.documents),
            queries: rate(limits, "queries", SECOND, usual.queries),
            codes: rate(limits, "codes", HOUR, usual.codes),
            agency: rate(limits, "agency", SECOND, usual.agency),
            strangers: rate(limits, "strangers", SECOND, usual.strangers),
            head_timeout: seconds(limits, "head_seconds", usual.head_timeout),
            body_pause: usual.body_pause.min(body_timeout),
            body_timeout,
            ..usual
        }
    })
}

/// A time; what is not set stays as usual.
fn seconds(limits: &mut Reader<'_>, name: &str, usual: Duration) -> Duration {
    let set: Option<NonZeroU32> = limits.parse(name, "a whole number of seconds above 0");
    set.map_or(usual, |seconds| Duration::from_secs(seconds.get().into()))
}

/// What calls are counted by: the setting's name, and the time.
type Unit = (&'static str, Duration);
const SECOND: Unit = ("per_second", Duration::from_secs(1));
const HOUR: Unit = ("per_hour", Duration::from_secs(3_600));

/// One rate; what is not set stays as usual.
fn rate(limits: &mut Reader<'_>, name: &str, (unit, time): Unit, usual: Rate) -> Rate {
    limits.section(name, |rate| {
        let mut number = |name| {
            let set: Option<NonZeroU32> = rate.parse(name, "a whole number above 0");
            set.map(NonZeroU32::get)
        };
        let (calls, burst) = (number(unit), number("burst").unwrap_or(usual.burst));
        match calls {
            Some(calls) => Rate { calls, within: time, burst },
            None => Rate { burst, ..usual },
        }
    })
}
