//! The second factor of a log-in: codes that change every half minute (TOTP, RFC 6238), of six digits by HMAC-SHA-1, which
//! is what every authenticator app takes.

use std::fmt;

use chrono::{DateTime, Utc};

/// How long a code lasts, in seconds.
const STEP: i64 = 30;
/// Codes of so many steps before and after now are taken too: clocks differ.
const DRIFT: i64 = 1;

/// A shared secret, and the last step whose code was used.
#[derive(Clone, PartialEq, Eq)]
pub struct Totp {
    /// 160 bits of chance.
    pub secret: [u8; 20],
    /// Number of the step whose code was last taken: no code is taken twice.
    pub last_step: i64,
}

impl Totp {
    /// A secret whose codes were never used.
    pub fn new(secret: [u8; 20]) -> Self {
        Self { secret, last_step: 0 }
    }

    /// The steps whose codes are taken at `now`, those used and older ones left out; the likeliest first.
    pub fn steps(&self, now: DateTime<Utc>) -> impl Iterator<Item = i64> {
        let current = now.timestamp().div_euclid(STEP);
        let last = self.last_step;
        (0..=DRIFT).flat_map(move |away| [current - away, current + away]).filter(move |step| *step > last)
    }
}

impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Totp(…)")
    }
}

/// The six digits in an HMAC-SHA-1 (RFC 4226, section 5.3); none where it is no such thing.
pub fn digits(mac: &[u8]) -> Option<String> {
    let offset = usize::from(mac.get(19)? & 15);
    let four: [u8; 4] = mac.get(offset..offset + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_read() {
        // RFC 4226, section 5.4.
        let mac = [
            0x1f, 0x86, 0x98, 0x69, 0x0e, 0x02, 0xca, 0x16, 0x61, 0x85, 0x50, 0xef, 0x7f, 0x19, 0xda, 0x8e,
            0x94, 0x5b, 0x55, 0x5a,
        ];
        assert_eq!(digits(&mac).unwrap(), "872921");
        assert_eq!(digits(&mac[1..]), None);
    }

    #[test]
    fn no_step_is_taken_twice() {
        let now = DateTime::from_timestamp(3000, 0).unwrap();
        let steps = |last_step| -> Vec<_> { Totp { secret: [0; 20], last_step }.steps(now).collect() };
        assert_eq!(steps(0), [100, 100, 99, 101]);
        assert_eq!(steps(100), [101]);
        assert_eq!(steps(101), [0; 0]);
    }
}
