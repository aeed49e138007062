//! Captchas: a picture of five characters, or a small sum in words for who cannot see it.
//!
//! Nothing is kept of a captcha that was drawn: its name is its answer, encrypted. What was answered is remembered until
//! it is too old anyway, by each node for itself: behind a balancer one captcha may be answered once per node.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::desk::account::sealer::{Sealer, Serial};
use crate::desk::{Desk, DeskError};
use crate::domain::language::Language;
use crate::domain::refusal::Refusal;
use crate::render;
use crate::store::Fault;

/// How long a captcha can be answered.
const LASTS: TimeDelta = TimeDelta::minutes(5);

/// Most answered captchas remembered; with more, none is taken until some are too old.
const REMEMBERED: usize = 200_000;

/// No characters that look alike.
const ALPHABET: &[u8; 28] = b"2345678ABCDEFGHJKMNPQRTUVWXY";

/// What kind of captcha is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Characters to read.
    Picture,
    /// A sum to do.
    Question,
}

/// A captcha to be answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Captcha {
    /// Its name, which the answer goes with.
    pub id: String,
    /// What to solve.
    pub puzzle: Puzzle,
}

/// What to solve.
#[derive(Clone, PartialEq, Eq)]
pub enum Puzzle {
    /// A picture (PNG).
    Picture(Vec<u8>),
    /// A question.
    Question(String),
}

impl fmt::Debug for Captcha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Captcha(…)")
    }
}

/// An answer to a captcha, as it was typed.
#[derive(Clone)]
pub struct Solution {
    /// The captcha's name.
    pub id: String,
    /// What was typed.
    pub answer: String,
}

impl fmt::Debug for Solution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Solution(…)")
    }
}

/// Encrypts answers, and remembers what was answered.
pub(crate) struct Captchas {
    sealer: Sealer,
    answered: Mutex<HashMap<Serial, DateTime<Utc>>>,
}

impl fmt::Debug for Captchas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Captchas(…)")
    }
}

impl Captchas {
    /// Every node with the same master key reads the captchas of every other.
    pub(crate) fn new(master: &[u8; 32]) -> Self {
        Self { sealer: Sealer::new(master, "captcha"), answered: Mutex::default() }
    }

    /// Forgets what was answered.
    pub(crate) fn clear(&self) {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The name of a captcha with this answer.
    fn name(&self, serial: Serial, answer: &str, now: DateTime<Utc>) -> Result<String, Fault> {
        let expires_at = (now + LASTS).timestamp_millis().to_be_bytes();
        self.sealer.seal(serial, &[&expires_at[..], answer.as_bytes()].concat())
    }

    /// Passes where the answer is right, in time and the first.
    fn judge(&self, solution: &Solution, now: DateTime<Utc>) -> Result<(), DeskError> {
        let (serial, expires_at, answer) = self.open(&solution.id).ok_or(Refusal::CaptchaWrong)?;
        if now >= expires_at || expires_at - now > LASTS {
            return Err(Refusal::CaptchaWrong.into());
        }
        // A wrong answer uses it up too: nobody tries twice.
        self.use_up(serial, expires_at, now)?;
        if normal(&solution.answer) == answer { Ok(()) } else { Err(Refusal::CaptchaWrong.into()) }
    }

    fn open(&self, id: &str) -> Option<(Serial, DateTime<Utc>, String)> {
        let (serial, opened) = self.sealer.open(id)?;
        let (expiry, answer) = opened.split_first_chunk::<8>()?;
        let expires_at = DateTime::from_timestamp_millis(i64::from_be_bytes(*expiry))?;
        Some((serial, expires_at, String::from_utf8(answer.to_vec()).ok()?))
    }

    fn use_up(&self, serial: Serial, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), DeskError> {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered.len() >= REMEMBERED {
            answered.retain(|_, expires_at| *expires_at > now);
        }
        if answered.len() >= REMEMBERED {
            return Err(DeskError::Unavailable("overloaded"));
        }
        match answered.insert(serial, expires_at) {
            None => Ok(()),
            Some(_) => Err(Refusal::CaptchaWrong.into()),
        }
    }
}

/// An answer or a number as it is compared: case, white space and full-width digits do not matter.
pub(in crate::desk) fn normal(typed: &str) -> String {
    let narrow = |c: char| match c {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    };
    typed.chars().filter(|c| !c.is_whitespace()).map(narrow).flat_map(char::to_uppercase).collect()
}

impl Desk {
    /// Draws a captcha.
    pub async fn draw_captcha(&self, kind: Kind, language: Language) -> Result<Captcha, DeskError> {
        let chance = crate::desk::chance::<32>()?;
        let (answer, puzzle) = match kind {
            Kind::Question => {
                let (answer, question) = sum(&chance, language);
                (answer, Puzzle::Question(question))
            }
            Kind::Picture => {
                let letter = |byte: &u8| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]);
                let text: String = chance[..5].iter().map(letter).collect();
                let shown = text.clone();
                let seed = crate::desk::chance::<32>()?;
                let drawn = tokio::task::spawn_blocking(move || render::captcha::draw(&shown, seed)).await;
                let drawn = drawn.map_err(|error| Fault::new("drawing a captcha", error))?;
                (text, Puzzle::Picture(drawn.map_err(|error| Fault::new("drawing a captcha", error))?))
            }
        };
        let now = self.now();
        let id = self.doors.captchas.name(crate::desk::chance()?, &answer, now)?;
        self.doors.messenger.overhear_captcha(&id, &answer, now);
        Ok(Captcha { id, puzzle })
    }

    /// Passes where the answer is right. Each captcha can be answered once.
    ///
    /// # Errors
    /// `captcha-wrong`.
    pub fn judge_captcha(&self, solution: &Solution) -> Result<(), DeskError> {
        self.doors.captchas.judge(solution, self.now())
    }
}

/// A sum of two numbers up to twenty, or a difference that is not below zero.
fn sum(chance: &[u8; 32], language: Language) -> (String, String) {
    let number = |byte: u8| usize::from(byte) % 20 + 1;
    let (one, other) = (number(chance[0]), number(chance[1]));
    let (more, less) = (one.max(other), one.min(other));
    let word = |number: usize| language.pick(CHINESE[number - 1], ENGLISH[number - 1]);
    let (more_word, less_word) = (word(more), word(less));
    match (chance[2] % 2, language) {
        (0, Language::Chinese) => {
            ((more + less).to_string(), format!("{more_word}加{less_word}等于几？请用数字回答。"))
        }
        (0, Language::English) => {
            ((more + less).to_string(), format!("What is {more_word} plus {less_word}? Answer in digits."))
        }
        (_, Language::Chinese) => {
            ((more - less).to_string(), format!("{more_word}减{less_word}等于几？请用数字回答。"))
        }
        (_, Language::English) => {
            ((more - less).to_string(), format!("What is {more_word} minus {less_word}? Answer in digits."))
        }
    }
}

const CHINESE: [&str; 20] = [
    "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三", "十四", "十五",
    "十六", "十七", "十八", "十九", "二十",
];

const ENGLISH: [&str; 20] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn solution(id: &str, answer: &str) -> Solution {
        Solution { id: id.to_owned(), answer: answer.to_owned() }
    }

    #[test]
    fn a_captcha_is_answered_once_within_five_minutes_on_any_node() {
        let (drawing, judging) = (Captchas::new(&[7; 32]), Captchas::new(&[7; 32]));
        let right = solution(&drawing.name([1; 12], "K7MXP", at(0)).unwrap(), " k7m Ｘp");
        assert!(!right.id.contains("K7MXP"));
        judging.judge(&right, at(299)).unwrap();
        assert!(judging.judge(&right, at(299)).is_err(), "twice");
        let late = solution(&drawing.name([2; 12], "K7MXP", at(0)).unwrap(), "K7MXP");
        assert!(judging.judge(&late, at(300)).is_err());
        let wrong = solution(&drawing.name([3; 12], "K7MXP", at(0)).unwrap(), "K7MXQ");
        assert!(judging.judge(&wrong, at(1)).is_err());
        assert!(judging.judge(&Solution { answer: "K7MXP".into(), ..wrong }, at(1)).is_err(), "a second try");
        for forged in ["", "AAAA", "日本", &right.id[..right.id.len() - 1], &right.id.replace('A', "B")] {
            assert!(judging.judge(&solution(forged, ""), at(1)).is_err(), "{forged}");
        }
        let other = Captchas::new(&[8; 32]).name([4; 12], "K7MXP", at(0)).unwrap();
        assert!(judging.judge(&solution(&other, "K7MXP"), at(1)).is_err(), "another installation's");
    }

    #[test]
    fn a_sum_is_never_below_zero_and_speaks_both_languages() {
        for one in 0..20 {
            for other in 0..20 {
                for sign in 0..2 {
                    let mut chance = [0; 32];
                    chance[..3].copy_from_slice(&[one, other, sign]);
                    let (answer, question) = sum(&chance, Language::Chinese);
                    let answer: i32 = answer.parse().unwrap();
                    assert!((0..=40).contains(&answer) && question.contains('几'));
                    assert_eq!(sum(&chance, Language::English).0, answer.to_string());
                }
            }
        }
    }
}
