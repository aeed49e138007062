//! Days and times as the page, the PDF and its metadata spell them, all in Shanghai time (UTC+8, no summer time).

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Utc};

/// `2026年11月21日`.
pub(crate) fn day(date: NaiveDate) -> String {
    date.format("%Y年%m月%d日").to_string()
}

/// `2026年11月`.
pub(crate) fn month(date: NaiveDate) -> String {
    date.format("%Y年%m月").to_string()
}

/// The wall clock of Shanghai.
pub(crate) fn shanghai(at: DateTime<Utc>) -> NaiveDateTime {
    at.naive_utc() + Duration::hours(8)
}

/// `2026年11月21日 23:41`.
pub(crate) fn minute(at: DateTime<Utc>) -> String {
    shanghai(at).format("%Y年%m月%d日 %H:%M").to_string()
}

/// `20261121234100`, as the fields of electronic licences have it (yyyyMMddHHmmss).
pub(crate) fn compact(at: NaiveDateTime) -> String {
    at.format("%Y%m%d%H%M%S").to_string()
}

/// `D:20261121234100+08'00'` (ISO 32000-1, 7.9.4).
pub(crate) fn pdf(at: DateTime<Utc>) -> String {
    shanghai(at).format("D:%Y%m%d%H%M%S+08'00'").to_string()
}

/// `2026-11-21T23:41:00+08:00` (XMP, ISO 16684-1).
pub(crate) fn xmp(at: DateTime<Utc>) -> String {
    shanghai(at).format("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]

    use super::*;

    #[test]
    fn an_evening_in_utc_is_the_next_day_in_shanghai() {
        let at = "2026-11-21T16:05:09Z".parse().unwrap();
        assert_eq!(minute(at), "2026年11月22日 00:05");
        assert_eq!(pdf(at), "D:20261122000509+08'00'");
        assert_eq!(xmp(at), "2026-11-22T00:05:09+08:00");
        assert_eq!(compact(shanghai(at)), "20261122000509");
    }
}
