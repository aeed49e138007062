//! Calendar days of Asia/Shanghai: China has one time zone and has kept no summer time since 1991.

use chrono::{DateTime, Days, FixedOffset, Months, NaiveDate, NaiveTime, TimeZone, Utc};

const SHANGHAI_SECONDS_EAST: i32 = 8 * 3600;

/// The moment as a clock in Shanghai shows it.
pub fn in_shanghai(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    match FixedOffset::east_opt(SHANGHAI_SECONDS_EAST) {
        Some(offset) => at.with_timezone(&offset),
        None => at.fixed_offset(),
    }
}

/// The day on which a moment falls in Shanghai.
pub fn day_of(at: DateTime<Utc>) -> NaiveDate {
    in_shanghai(at).date_naive()
}

/// The first moment of a day in Shanghai.
pub fn start_of(day: NaiveDate) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    Utc.from_utc_datetime(&midnight) - chrono::TimeDelta::seconds(SHANGHAI_SECONDS_EAST.into())
}

/// The day `days` later; the calendar's last day where there is none.
pub fn plus_days(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX)
}

/// The last day of a validity that begins on `from` and counts that day.
pub fn last_day(from: NaiveDate, days: u32) -> NaiveDate {
    plus_days(from, days.saturating_sub(1))
}

/// The birthday `years` later; who was born on 29 February turns a year older on 1 March.
pub fn birthday(born: NaiveDate, years: u32) -> NaiveDate {
    let months = Months::new(years.saturating_mul(12));
    let day = born.checked_add_months(months).unwrap_or(NaiveDate::MAX);
    let clamped = chrono::Datelike::day(&day) != chrono::Datelike::day(&born);
    if clamped { plus_days(day, 1) } else { day }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_begins_at_midnight_in_shanghai() {
        let eve: DateTime<Utc> = "2026-11-21T15:59:59Z".parse().unwrap();
        assert_eq!(day_of(eve), day("2026-11-21"));
        assert_eq!(day_of(eve + chrono::TimeDelta::seconds(1)), day("2026-11-22"));
        assert_eq!(start_of(day("2026-11-22")), eve + chrono::TimeDelta::seconds(1));
    }

    #[test]
    fn ninety_days_from_21_november_end_on_18_february() {
        assert_eq!(last_day(day("2026-11-21"), 90), day("2027-02-18"));
        assert_eq!(last_day(day("2026-11-21"), 1), day("2026-11-21"));
    }

    #[test]
    fn a_birthday_on_a_leap_day_is_kept_on_1_march() {
        assert_eq!(birthday(day("1960-02-29"), 65), day("2025-03-01"));
        assert_eq!(birthday(day("1960-02-29"), 64), day("2024-02-29"));
        assert_eq!(birthday(day("1961-07-31"), 65), day("2026-07-31"));
    }
    proptest! {
        #[test]
        fn a_moment_lies_between_the_midnights_of_its_day(seconds in -10_000_000_000i64..10_000_000_000) {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            let on = day_of(at);
            prop_assert!(start_of(on) <= at && at < start_of(plus_days(on, 1)));
            prop_assert_eq!(in_shanghai(at).to_utc(), at);
            prop_assert!(in_shanghai(at).to_rfc3339().ends_with("+08:00"));
        }

        #[test]
        fn a_birthday_is_the_first_day_on_which_the_age_is_reached(born in 0i64..40_000, years in 0u32..120) {
            let born = day("1900-01-01") + Days::new(born.unsigned_abs());
            let birthday = birthday(born, years);
            // `years_since` counts full years its own way.
            prop_assert_eq!(birthday.years_since(born), Some(years));
            if let Some(eve) = birthday.pred_opt().filter(|eve| *eve >= born) {
                prop_assert_eq!(eve.years_since(born), years.checked_sub(1));
            }
        }
    }

    #[test]
    fn the_calendar_s_end_is_no_panic() {
        assert_eq!(plus_days(NaiveDate::MAX, 1), NaiveDate::MAX);
        assert_eq!(last_day(day("2026-11-21"), 0), day("2026-11-21"));
        assert_eq!(birthday(day("1960-02-29"), u32::MAX), NaiveDate::MAX);
    }
}
