//! Registration numbers (注册编号): the management numbers of the certificates that cases end in.

use crate::domain::calendar::in_shanghai;
use crate::domain::certificate::ManagementNo;
use crate::domain::ids::CaseId;

use chrono::{DateTime, Datelike};

/// Digits and capitals without I, L, O and U, which are mistaken for others.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The number of the registration that a case begins: the year in which the case was opened, and sixteen characters of its
/// name. One case always gives the same number, so that granting twice is granting once.
pub(super) fn registration_number(case: CaseId) -> Option<ManagementNo> {
    let bytes = case.as_bytes();
    // RFC 9562, section 5.7: 48 bits of time, then chance. Time is mixed in: whatever the chance, moments differ.
    let time = bytes[..6].iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    let chance = bytes[6..].iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    let mixed = chance ^ time;
    let millis = i64::try_from(time).unwrap_or(0);
    let year = DateTime::from_timestamp_millis(millis).map_or(1970, |at| in_shanghai(at).year());
    let tail = (0..16).rev().map(|place| char::from(DIGITS[(mixed >> (5 * place)) as usize & 31]));
    format!("{year:04}{}", tail.collect::<String>()).parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::domain::sample::{day, noon};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_case_has_one_number_and_another_case_another(chance: [u8; 10], other: [u8; 10]) {
            let at = noon(day("2026-11-24"));
            let number = registration_number(CaseId::mint(at, chance)).unwrap();
            prop_assert_eq!(&number, &registration_number(CaseId::mint(at, chance)).unwrap());
            prop_assert!(number.as_str().starts_with("2026") && number.as_str().len() == 20);
            let another = CaseId::mint(at, other);
            prop_assume!(another != CaseId::mint(at, chance));
            prop_assert_ne!(number, registration_number(another).unwrap());
        }
    }

    #[test]
    fn cases_of_two_moments_have_two_numbers_whatever_the_chance() {
        let at = noon(day("2026-11-24"));
        let later = at + chrono::TimeDelta::milliseconds(1);
        assert_ne!(
            registration_number(CaseId::mint(at, [0; 10])),
            registration_number(CaseId::mint(later, [0; 10]))
        );
    }
}
