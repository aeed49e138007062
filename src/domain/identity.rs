//! Identity numbers of citizens (GB 11643) and credit codes of bodies (GB 32100).

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};

use crate::domain::refusal::FieldFault;

/// 男 or 女.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
}

impl Sex {
    /// The word of the field.
    pub fn word(self) -> &'static str {
        match self {
            Self::Male => "男",
            Self::Female => "女",
        }
    }
}

impl FromStr for Sex {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        match text {
            "男" => Ok(Self::Male),
            "女" => Ok(Self::Female),
            _ => Err(FieldFault::NotOneOf("男, 女")),
        }
    }
}

/// A citizen identity number of 18 characters, checked after GB 11643-1999.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CitizenNumber([u8; 18]);

impl CitizenNumber {
    /// Day of birth, digits 7 to 14.
    pub fn born(&self) -> NaiveDate {
        date(&self.0[6..14]).unwrap_or_default()
    }

    /// Digit 17: odd for men.
    pub fn sex(&self) -> Sex {
        if self.0[16] % 2 == 1 { Sex::Male } else { Sex::Female }
    }
}

impl FromStr for CitizenNumber {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let digits: [u8; 18] = text.as_bytes().try_into().map_err(|_| FieldFault::NotACitizenNumber)?;
        if !digits[..17].iter().all(u8::is_ascii_digit) {
            return Err(FieldFault::NotACitizenNumber);
        }
        date(&digits[6..14]).ok_or(FieldFault::NoSuchBirthDate)?;
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: u32 =
            digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        if b"10X98765432"[(sum % 11) as usize] != digits[17] {
            return Err(FieldFault::CheckDigit);
        }
        Ok(Self(digits))
    }
}

impl fmt::Debug for CitizenNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CitizenNumber(…)")
    }
}

fn date(yyyymmdd: &[u8]) -> Option<NaiveDate> {
    let number = |range: std::ops::Range<usize>| std::str::from_utf8(&yyyymmdd[range]).ok()?.parse().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).filter(|date| date.year() >= 1800)
}

/// Who a person is: a kind of document and its number. Two records with the same are the same person.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId {
    id_type: String,
    number: String,
}

/// The kind of a resident identity card (GA/T 517): its numbers are checked after GB 11643.
pub const RESIDENT_CARD: &str = "111";

impl PersonId {
    /// Parses a document kind (three digits) and its number. A resident card's number of 18 characters is
    /// checked; one of 15 has no check and means a birth in the 1900s; other documents' are 4 to 30 letters,
    /// digits and `()-/`.
    pub fn parse(id_type: &str, number: &str) -> Result<Self, PersonIdFault> {
        if id_type.len() != 3 || !id_type.bytes().all(|c| c.is_ascii_digit()) {
            return Err(PersonIdFault::Type(FieldFault::NotThreeDigits));
        }
        if id_type == RESIDENT_CARD {
            let old = number.len() == 15 && number.bytes().all(|c| c.is_ascii_digit());
            if old {
                let born = format!("19{}", &number[6..12]);
                date(born.as_bytes()).ok_or(PersonIdFault::Number(FieldFault::NoSuchBirthDate))?;
            } else {
                number.parse::<CitizenNumber>().map_err(PersonIdFault::Number)?;
            }
        } else if !(4..=30).contains(&number.len())
            || !number.bytes().all(|c| c.is_ascii_alphanumeric() || b"()-/".contains(&c))
        {
            return Err(PersonIdFault::Number(FieldFault::NotADocumentNumber));
        }
        Ok(Self { id_type: id_type.to_owned(), number: number.to_owned() })
    }

    /// Kind of document (GA/T 517).
    pub fn id_type(&self) -> &str {
        &self.id_type
    }

    /// The number, whole.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The number for the public: two characters at each end stay, as `11**************34`.
    pub fn masked(&self) -> String {
        let total = self.number.len();
        let kept = if total > 8 { 2 } else { 1 };
        format!("{}{}{}", &self.number[..kept], "*".repeat(total - 2 * kept), &self.number[total - kept..])
    }

    /// Day of birth, where the number is a resident card's: one of 15 digits means the 1900s.
    pub fn born(&self) -> Option<NaiveDate> {
        match self.citizen() {
            Some(citizen) => Some(citizen.born()),
            None if self.id_type == RESIDENT_CARD => {
                date(format!("19{}", self.number.get(6..12)?).as_bytes())
            }
            None => None,
        }
    }

    /// The number as a citizen number, where it is one of 18 characters.
    pub fn citizen(&self) -> Option<CitizenNumber> {
        (self.id_type == RESIDENT_CARD).then(|| self.number.parse().ok()).flatten()
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonId(…)")
    }
}

/// Which half of a [`PersonId`] is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonIdFault {
    /// The kind of document.
    Type(FieldFault),
    /// Its number.
    Number(FieldFault),
}

/// A unified social credit code (GB 32100-2015). The inner organisation check digit (GB 11714) is not judged:
/// some codes in use fail it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CreditCode([u8; 18]);

const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

impl CreditCode {
    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for CreditCode {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let code: [u8; 18] = text.as_bytes().try_into().map_err(|_| FieldFault::NotACreditCode)?;
        let value = |c: u8| CREDIT_ALPHABET.iter().position(|a| *a == c).ok_or(FieldFault::NotACreditCode);
        let (mut sum, mut weight) = (0, 1);
        for c in &code[..17] {
            sum += value(*c)? * weight;
            weight = weight * 3 % 31;
        }
        if value(code[17])? == (31 - sum % 31) % 31 { Ok(Self(code)) } else { Err(FieldFault::CheckDigit) }
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreditCode({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_standard_is_a_citizen_number() {
        let number: CitizenNumber = "11010519491231002X".parse().unwrap();
        assert_eq!((number.born(), number.sex()), ("1949-12-31".parse().unwrap(), Sex::Female));
        assert_eq!("110105194912310021".parse::<CitizenNumber>(), Err(FieldFault::CheckDigit));
        assert_eq!("11010519490230002X".parse::<CitizenNumber>(), Err(FieldFault::NoSuchBirthDate));
        assert_eq!("11010519491231002x".parse::<CitizenNumber>(), Err(FieldFault::CheckDigit));
        assert_eq!("11010519491231002".parse::<CitizenNumber>(), Err(FieldFault::NotACitizenNumber));
    }

    proptest! {
        #[test]
        fn one_wrong_digit_never_passes(place in 0usize..17, by in 1u8..10) {
            let mut digits = *b"11010519491231002X";
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            prop_assert!(std::str::from_utf8(&digits).unwrap().parse::<CitizenNumber>().is_err());
        }

        #[test]
        fn no_text_makes_a_parser_panic(text: String) {
            let _ = (text.parse::<CitizenNumber>(), text.parse::<CreditCode>(), PersonId::parse("111", &text));
        }
    }

    #[test]
    fn old_numbers_and_other_documents_are_people_too() {
        assert!(PersonId::parse("111", "110105491231002").is_ok());
        assert_eq!(
            PersonId::parse("111", "110105491331002"),
            Err(PersonIdFault::Number(FieldFault::NoSuchBirthDate))
        );
        assert!(PersonId::parse("414", "E12345678").is_ok());
        assert_eq!(PersonId::parse("41", "E12345678"), Err(PersonIdFault::Type(FieldFault::NotThreeDigits)));
        assert_eq!(
            PersonId::parse("414", "E1 2"),
            Err(PersonIdFault::Number(FieldFault::NotADocumentNumber))
        );
    }

    #[test]
    fn a_resident_card_says_when_its_holder_was_born() {
        let born = |id_type, number| PersonId::parse(id_type, number).unwrap().born();
        assert_eq!(born("111", "11010519491231002X"), NaiveDate::from_ymd_opt(1949, 12, 31));
        assert_eq!(born("111", "110105491231002"), NaiveDate::from_ymd_opt(1949, 12, 31));
        assert_eq!(born("414", "E12345678"), None);
    }

    #[test]
    fn a_masked_number_keeps_its_ends_only() {
        assert_eq!(PersonId::parse("111", "11010519491231002X").unwrap().masked(), "11**************2X");
        assert_eq!(PersonId::parse("414", "E123").unwrap().masked(), "E**3");
    }

    #[test]
    fn credit_codes_in_use_are_read() {
        for code in ["11100000000013338W", "11430000006122244L", "91110000802100433B"] {
            assert_eq!(code.parse::<CreditCode>().unwrap().to_string(), code);
        }
        assert_eq!("11100000000013338X".parse::<CreditCode>(), Err(FieldFault::CheckDigit));
        assert_eq!("1110000000001333IW".parse::<CreditCode>(), Err(FieldFault::NotACreditCode));
    }
}
