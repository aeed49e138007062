//! What a signature dictionary says of itself, and the hole that it fills (ISO 32000-2, 12.8.1).

use std::ops::Range;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::reason::Reason;
use super::syntax::{Dictionary, Object};

/// Room for a hole; that of ours is far smaller.
const MAX_HOLE: usize = 1 << 18;

/// A signature dictionary as it presents itself.
pub(super) struct Claim {
    byte_range: Option<[usize; 4]>,
    hole: Option<Range<usize>>,
    pub(super) subfilter_allowed: bool,
    pub(super) signed_at: Option<DateTime<Utc>>,
}

/// What is signed: everything up to `end` but the hole.
pub(super) struct SignedRange {
    pub(super) hole: Range<usize>,
    pub(super) end: usize,
}

impl Claim {
    pub(super) fn read(dictionary: &Dictionary) -> Self {
        let byte_range = match dictionary.value("ByteRange") {
            Some(Object::Array(items)) => items
                .iter()
                .map(|item| match item {
                    Object::Integer(number) => usize::try_from(*number).ok(),
                    _ => None,
                })
                .collect::<Option<Vec<_>>>()
                .and_then(|numbers| numbers.try_into().ok()),
            _ => None,
        };
        let hole = match dictionary.value("Contents") {
            Some(Object::Hex(place)) => Some(place.clone()),
            _ => None,
        };
        let signed_at = match dictionary.value("M") {
            Some(Object::Text(text)) => date(text),
            _ => None,
        };
        let subfilter_allowed = dictionary.has_name("SubFilter", "ETSI.CAdES.detached")
            && dictionary.has_name("Filter", "Adobe.PPKLite");
        Self { byte_range, hole, subfilter_allowed, signed_at }
    }

    /// Whether there is a hole with nothing in it, wherever it stands.
    pub(super) fn is_empty(&self, bytes: &[u8]) -> bool {
        let hole = self.hole.clone().and_then(|hole| bytes.get(hole));
        hole.is_some_and(|hole| matches!(read(hole), Err((Reason::ContentsEmpty, _))))
    }

    /// The signed range of a file of that many bytes: begins at 0 and leaves out exactly the hole.
    pub(super) fn range(&self, file: usize) -> Result<SignedRange, Reason> {
        let [0, start, after, length] = self.byte_range.ok_or(Reason::ByteRangeMalformed)? else {
            return Err(Reason::ByteRangeMalformed);
        };
        let end = after.checked_add(length).filter(|end| *end <= file).ok_or(Reason::ByteRangeMalformed)?;
        let hole = self.hole.clone().ok_or(Reason::ContentsMalformed)?;
        if hole != (start..after) {
            return Err(Reason::ByteRangeGap);
        }
        Ok(SignedRange { hole, end })
    }
}

/// Takes the signature out of its hole. Where the hole is not written as we write it, what could be read is given
/// beside the reason, so that the signature may be judged for what it is.
pub(super) fn read(hole: &[u8]) -> Result<Vec<u8>, (Reason, Vec<u8>)> {
    let [b'<', digits @ .., b'>'] = hole else { return Err((Reason::ContentsMalformed, Vec::new())) };
    if digits.len() > MAX_HOLE {
        return Err((Reason::ContentsMalformed, Vec::new()));
    }
    // One spelling only: capitals would say the same and give the file another digest.
    let ours = digits.len() % 2 == 0 && digits.iter().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    let values: Vec<u8> =
        digits.iter().filter_map(|c| char::from(*c).to_digit(16)).map(|digit| digit as u8).collect();
    let mut bytes: Vec<u8> = values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if bytes.iter().all(|byte| *byte == 0) {
        return Err((Reason::ContentsEmpty, Vec::new()));
    }
    match der_length(&bytes) {
        Some(length) if length <= bytes.len() => {
            let padding = bytes.split_off(length);
            if ours && padding.iter().all(|byte| *byte == 0) {
                Ok(bytes)
            } else {
                Err((Reason::ContentsMalformed, bytes))
            }
        }
        _ => Err((Reason::ContentsMalformed, Vec::new())),
    }
}

/// How many bytes the DER value takes that begins here.
fn der_length(bytes: &[u8]) -> Option<usize> {
    use der::{Encode as _, Header, SliceReader};
    let header = Header::peek(&SliceReader::new(bytes).ok()?).ok()?;
    usize::try_from((header.encoded_len().ok()? + header.length()).ok()?).ok()
}

/// A date (ISO 32000-2, 7.9.4), whole to the second: `D:20261122093000+08'00'`, `D:20261122013000Z`.
fn date(text: &[u8]) -> Option<DateTime<Utc>> {
    let digits = |from: usize, to: usize| {
        let part = text.get(from..to).filter(|part| part.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(part).ok()?.parse::<u32>().ok()
    };
    let (b"D:", year) = (text.get(..2)?, i32::try_from(digits(2, 6)?).ok()?) else { return None };
    let day = NaiveDate::from_ymd_opt(year, digits(6, 8)?, digits(8, 10)?)?;
    let local = day.and_hms_opt(digits(10, 12)?, digits(12, 14)?, digits(14, 16)?)?.and_utc();
    let zone = text.get(16..)?;
    let offset = match zone {
        b"" | b"Z" => TimeDelta::zero(),
        [sign @ (b'+' | b'-'), _, _, b'\'', _, _] | [sign @ (b'+' | b'-'), _, _, b'\'', _, _, b'\''] => {
            let (hours, minutes) = (digits(17, 19).filter(|h| *h < 24)?, digits(20, 22).filter(|m| *m < 60)?);
            let offset = TimeDelta::minutes(i64::from(hours * 60 + minutes));
            if *sign == b'+' { offset } else { -offset }
        }
        _ => return None,
    };
    local.checked_sub_signed(offset)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read_in_their_own_zone() {
        let moment = "2026-11-22T01:30:00Z".parse::<DateTime<Utc>>().unwrap();
        for text in [
            "D:20261122093000+08'00'",
            "D:20261122093000+08'00",
            "D:20261122013000Z",
            "D:20261121203000-05'00'",
        ] {
            assert_eq!(date(text.as_bytes()), Some(moment), "{text}");
        }
        for text in [
            "",
            "D:2026",
            "20261122093000",
            "D:20261322093000Z",
            "D:20261122093000+99'00'",
            "D:20261122093000X",
        ] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_hole_has_one_spelling() {
        assert_eq!(read(b"<3003020107000000>").unwrap(), [0x30, 3, 2, 1, 7]);
        for (hole, reason) in [
            (b"<3003020107000001>".as_slice(), Reason::ContentsMalformed),
            (b"<300302010700000>", Reason::ContentsMalformed),
            (b"<3003020107 00000>", Reason::ContentsMalformed),
            (b"<30030201AA000000>", Reason::ContentsMalformed),
            (b"<3081030201070000>", Reason::ContentsMalformed),
            (b"<3080020107000000>", Reason::ContentsMalformed),
            (b"<30ff020107000000>", Reason::ContentsMalformed),
            (b"<3009020107000000>", Reason::ContentsMalformed),
            (b"(3003020107000000>", Reason::ContentsMalformed),
            (b"<0000000000000000>", Reason::ContentsEmpty),
            (b"<>", Reason::ContentsEmpty),
        ] {
            assert_eq!(read(hole).unwrap_err().0, reason, "{}", String::from_utf8_lossy(hole));
        }
    }

    proptest! {
        #[test]
        fn no_hole_and_no_date_makes_the_readers_panic(bytes: Vec<u8>) {
            let _ = (read(&bytes), date(&bytes));
            let _ = read(&[b"<".as_slice(), &bytes, b">"].concat());
        }
    }
}
