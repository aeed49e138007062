//! What the public may see of a certificate and its copy, said in the page's language.

use chrono::{DateTime, NaiveDate, Utc};

use crate::desk::standing::{ShownAnnotation, ShownCertificate};
use crate::domain::calendar;
use crate::domain::language::Language;
use crate::domain::verdict::Verdict;
use crate::pages::speech::{Dated, Speech};
use crate::pages::wording::status_word;

/// The certificate: what to compare with the paper.
#[derive(Debug)]
pub(crate) struct Paper<'a> {
    pub(crate) heading: &'static str,
    pub(crate) title: &'a str,
    pub(crate) specialty: Option<&'a str>,
    pub(crate) issuer: &'a str,
    pub(crate) approved_on: Dated,
    pub(crate) tail: &'a str,
    pub(crate) name: &'a str,
    pub(crate) id: &'a str,
    pub(crate) status: &'static str,
}

impl<'a> Paper<'a> {
    /// To compare with a sheet of paper, which may say anything.
    pub(crate) fn of(certificate: &'a ShownCertificate, say: Speech) -> Self {
        let heading = say.language.pick("请与纸面逐项核对", "Compare with the paper, line by line");
        Self {
            heading,
            title: &certificate.title,
            specialty: certificate.specialty.as_deref(),
            issuer: &certificate.issuer,
            approved_on: say.day(certificate.approved_on),
            tail: &certificate.management_no_tail,
            name: &certificate.holder_name_masked,
            id: &certificate.holder_id_masked,
            status: status_word(certificate.status, say.language),
        }
    }

    /// As the register has it, beside a file that was judged itself.
    pub(crate) fn registered(certificate: &'a ShownCertificate, say: Speech) -> Self {
        let heading = say.language.pick("登记内容", "What the register says");
        Self { heading, ..Self::of(certificate, say) }
    }
}

/// The annotation: for what, for whom, until when.
#[derive(Debug)]
pub(crate) struct Grant<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) recipient: Option<&'a str>,
    pub(crate) validity: Option<Validity>,
    pub(crate) sealed_at: Option<Dated>,
}

/// First and last day, and how far along today is.
#[derive(Debug)]
pub(crate) struct Validity {
    pub(crate) from: Dated,
    pub(crate) until: Dated,
    pub(crate) meter: Option<Meter>,
    pub(crate) note: String,
}

/// Days left, today included, of all days.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Meter {
    pub(crate) left: i64,
    pub(crate) total: i64,
}

impl<'a> Grant<'a> {
    pub(crate) fn of(
        annotation: &'a ShownAnnotation,
        verdict: Verdict,
        checked_at: DateTime<Utc>,
        say: Speech,
    ) -> Self {
        let today = calendar::day_of(checked_at);
        let days = annotation.valid_from.zip(annotation.valid_until);
        Self {
            scenario: say.pick(&annotation.scenario_chinese, &annotation.scenario_english),
            recipient: annotation.recipient.as_deref(),
            validity: days.map(|(from, until)| Validity::of(from, until, today, verdict, say)),
            sealed_at: annotation.sealed_at.map(|at| say.moment(at)),
        }
    }
}

impl Validity {
    fn of(from: NaiveDate, until: NaiveDate, today: NaiveDate, verdict: Verdict, say: Speech) -> Self {
        let total = (until - from).num_days() + 1;
        let left = (until - today).num_days() + 1;
        let (meter, note) = if left <= 0 {
            let over = 1 - left;
            let note = match over {
                1 => say.pick("已于今天零时过期", "Over since midnight").to_owned(),
                _ if say.language == Language::Chinese => {
                    format!("已过期 {over} 天")
                }
                _ => format!("Over for {over} days"),
            };
            (None, note)
        } else if verdict == Verdict::Genuine {
            let left = left.min(total);
            let note = match left {
                1 => say.pick("今天 24:00 到期", "Ends today at midnight").to_owned(),
                _ if say.language == Language::Chinese => {
                    format!("含今天还剩 {left} 天，共 {total} 天")
                }
                _ => format!("{left} of {total} days left, today included"),
            };
            (Some(Meter { left, total }), note)
        } else {
            // Days that are left on paper only would look like an authorisation. A suspension may be lifted again.
            let note = match verdict {
                Verdict::CertificateRevoked => say.pick("现在不能使用", "Cannot be used now"),
                _ => say.pick("已提前终止", "Ended early"),
            };
            (None, note.to_owned())
        };
        Self { from: say.day(from), until: say.day(until), meter, note }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn on(today: &str, verdict: Verdict) -> Validity {
        let day = |text: &str| text.parse().unwrap();
        let say = Speech::unasked(Language::Chinese);
        Validity::of(day("2026-11-21"), day("2027-02-18"), day(today), verdict, say)
    }

    #[test]
    fn the_meter_counts_today_and_ends_with_the_last_day() {
        for (today, left, note) in [
            ("2026-11-21", 90, "含今天还剩 90 天，共 90 天"),
            ("2027-02-17", 2, "含今天还剩 2 天，共 90 天"),
            ("2027-02-18", 1, "今天 24:00 到期"),
        ] {
            let validity = on(today, Verdict::Genuine);
            assert_eq!(validity.meter, Some(Meter { left, total: 90 }), "{today}");
            assert_eq!(validity.note, note);
        }
    }

    #[test]
    fn what_does_not_hold_shows_no_days_left() {
        for (today, verdict, note) in [
            ("2027-02-19", Verdict::Expired, "已于今天零时过期"),
            ("2027-03-01", Verdict::Expired, "已过期 11 天"),
            ("2026-12-01", Verdict::Revoked, "已提前终止"),
            ("2026-12-01", Verdict::CertificateRevoked, "现在不能使用"),
        ] {
            let validity = on(today, verdict);
            assert_eq!((validity.meter, validity.note.as_str()), (None, note), "{today}");
        }
    }
}
