//! 查验记录: how often a copy or a certificate was verified, day by day and by which door.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::calendar;
use crate::domain::tally::{Door, Tallies};
use crate::pages::speech::{Dated, Speech};

/// Days that are shown one by one: the last on which anything was verified. What was before is summed up.
const DAYS: usize = 14;

/// What the page says of it.
pub(super) struct Checks {
    /// How often and when last; or that nobody has yet.
    pub(super) summary: String,
    pub(super) days: Vec<Day>,
    /// The most of one day.
    pub(super) most: u64,
    /// What was before these days.
    pub(super) earlier: Option<String>,
}

/// One day.
pub(super) struct Day {
    pub(super) day: Dated,
    /// By which doors, and how often.
    pub(super) doors: String,
    pub(super) count: u64,
}

impl Checks {
    pub(super) fn of(tallies: &Tallies, say: Speech) -> Self {
        let mut days: BTreeMap<NaiveDate, BTreeMap<Door, u64>> = BTreeMap::new();
        for (heading, count) in tallies {
            let day = days.entry(calendar::day_of(heading.hour.begins())).or_default();
            *day.entry(heading.door).or_default() += count;
        }
        let mut days = days.into_iter().rev().map(|(day, doors)| Day {
            day: say.day(day),
            doors: doors.iter().map(|(door, count)| part(*door, *count, say)).collect::<Vec<_>>().join(" · "),
            count: doors.values().sum(),
        });
        let shown: Vec<Day> = days.by_ref().take(DAYS).collect();
        let before: u64 = days.map(|day| day.count).sum();
        Self {
            summary: summary(tallies, say),
            most: shown.iter().map(|day| day.count).max().unwrap_or(1),
            days: shown,
            earlier: (before > 0).then(|| times(before, say)),
        }
    }
}

fn summary(tallies: &Tallies, say: Speech) -> String {
    let Some((last, _)) = tallies.last_key_value() else {
        return say.pick("还没有人查验过。", "Nobody has checked it yet.").to_owned();
    };
    let begins = calendar::in_shanghai(last.hour.begins());
    let (day, hour) = (say.day(begins.date_naive()).text, begins.format("%-H"));
    let total = times(tallies.values().sum(), say);
    match say.is_chinese() {
        true => format!("共查验 {total}，最近一次在 {day} {hour} 时许。"),
        false => format!("Checked {total}, last on {day} after {hour}:00."),
    }
}

fn times(count: u64, say: Speech) -> String {
    match (say.is_chinese(), count) {
        (true, _) => format!("{count} 次"),
        (false, 1) => "once".to_owned(),
        (false, _) => format!("{count} times"),
    }
}

fn part(door: Door, count: u64, say: Speech) -> String {
    let (chinese, english) = match door {
        Door::Link => ("扫码或打开链接", "QR code or link"),
        Door::Typed => ("输入编号", "typed code"),
        Door::Program => ("程序接口", "by a program"),
        Door::File => ("上传文件", "file"),
        Door::Query => ("按证书信息查询", "by what stands on it"),
    };
    format!("{} {count}", say.language.pick(chinese, english))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::domain::ids::AnnotationId;
    use crate::domain::language::Language;
    use crate::domain::tally::{Heading, Hour, Subject};

    fn tallies(counts: &[(&str, Door, u64)]) -> Tallies {
        let subject = Subject::Annotation(AnnotationId::from_bytes([1; 16]));
        let heading = |at: &str, door| Heading { subject, hour: Hour::of(at.parse().unwrap()), door };
        counts.iter().map(|(at, door, count)| (heading(at, *door), *count)).collect()
    }

    #[test]
    fn days_are_those_of_shanghai_the_last_one_first() {
        let tallies = tallies(&[
            ("2026-11-21T15:59:00Z", Door::Link, 2),
            ("2026-11-21T16:00:00Z", Door::File, 1),
            ("2026-11-21T17:10:00Z", Door::Link, 4),
        ]);
        let checks = Checks::of(&tallies, Speech::unasked(Language::Chinese));
        assert_eq!(checks.summary, "共查验 7 次，最近一次在 2026年11月22日 1 时许。");
        let days: Vec<_> =
            checks.days.iter().map(|day| (day.day.machine.as_str(), day.doors.as_str())).collect();
        assert_eq!(
            days,
            [("2026-11-22", "扫码或打开链接 4 · 上传文件 1"), ("2026-11-21", "扫码或打开链接 2")]
        );
        assert_eq!((checks.most, checks.earlier), (5, None));
    }

    #[test]
    fn what_is_long_ago_is_summed_up_and_nothing_is_said_plainly() {
        let english = Speech::unasked(Language::English);
        let days: Vec<String> = (1..=16).map(|day| format!("2026-11-{day:02}T08:00:00Z")).collect();
        let counts: Vec<_> = days.iter().map(|day| (day.as_str(), Door::Typed, 1)).collect();
        let checks = Checks::of(&tallies(&counts), english);
        assert_eq!((checks.days.len(), checks.earlier.as_deref()), (14, Some("2 times")));
        assert_eq!(checks.summary, "Checked 16 times, last on 16 November 2026 after 16:00.");
        assert_eq!(Checks::of(&Tallies::new(), english).summary, "Nobody has checked it yet.");
    }
}
