//! How long a registration holds, and until when something is to be done.

use chrono::{Datelike, NaiveDate, Weekday};

use crate::domain::calendar;
use crate::registration::conditions::opening;

/// The last day of a registration that begins on `from` and holds so many years: the eve of its anniversary.
pub fn last_day(from: NaiveDate, years: u32) -> NaiveDate {
    let anniversary = calendar::birthday(from, years);
    anniversary.pred_opt().unwrap_or(anniversary)
}

/// The last day of a registration that is extended: it goes on from the day after its old last day, whenever it is asked
/// for.
pub fn extended(old: NaiveDate, years: u32) -> NaiveDate {
    last_day(calendar::plus_days(old, 1), years)
}

/// The last day of one that begins again on `today`. At the original unit one with more than `keeps_months` left keeps its
/// last day, and one with less is extended; at another unit, and after it has lapsed, it begins anew.
pub fn reregistered(
    old: NaiveDate,
    same_unit: bool,
    keeps_months: u32,
    years: u32,
    today: NaiveDate,
) -> NaiveDate {
    if !same_unit || old < today {
        last_day(today, years)
    } else if today < opening(old, keeps_months) {
        old
    } else {
        extended(old, years)
    }
}

/// The day so many working days later, Monday to Friday. Public holidays and the working weekends that make up for them are
/// not known here: the government announces them year by year. A due date may so lie a few days early.
pub fn working_days_after(day: NaiveDate, days: u32) -> NaiveDate {
    let (mut day, mut left) = (day, days);
    while left > 0 {
        let Some(next) = day.succ_opt() else { return day };
        day = next;
        if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            left -= 1;
        }
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::day;

    #[test]
    fn three_years_end_on_the_eve_of_the_third_anniversary() {
        assert_eq!(last_day(day("2026-11-24"), 3), day("2029-11-23"));
        assert_eq!(last_day(day("2026-01-01"), 2), day("2027-12-31"));
        assert_eq!(last_day(day("2028-02-29"), 3), day("2031-02-28"));
    }

    #[test]
    fn a_renewal_goes_on_from_the_old_last_day() {
        assert_eq!(extended(day("2029-11-23"), 3), day("2032-11-23"));
        assert_eq!(extended(last_day(day("2026-01-01"), 2), 2), day("2029-12-31"));
    }

    #[test]
    fn a_registration_taken_up_again_at_its_unit_keeps_more_than_six_months_and_extends_less() {
        let old = day("2027-11-23");
        let again = |same_unit, today: &str| reregistered(old, same_unit, 6, 2, day(today));
        assert_eq!(again(true, "2027-05-22"), old, "more than six months are left");
        assert_eq!(again(true, "2027-05-23"), day("2029-11-23"), "six months are left");
        assert_eq!(again(true, "2027-11-23"), day("2029-11-23"));
        assert_eq!(again(true, "2027-11-24"), day("2029-11-23"), "it had lapsed: it begins anew");
        assert_eq!(again(false, "2026-11-24"), day("2028-11-23"), "another unit: it begins anew");
    }

    #[test]
    fn weekends_are_no_working_days() {
        // 2026-11-24 is a Tuesday.
        assert_eq!(working_days_after(day("2026-11-24"), 3), day("2026-11-27"));
        assert_eq!(working_days_after(day("2026-11-24"), 4), day("2026-11-30"));
        assert_eq!(working_days_after(day("2026-11-28"), 1), day("2026-11-30"));
        assert_eq!(working_days_after(day("2026-11-24"), 20), day("2026-12-22"));
    }
}
