//! Passwords: which are good enough, and their hashes (argon2id, RFC 9106), made a few at a time.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::desk::DeskError;
use crate::domain::account::{LoginName, Mobile, PasswordHash};
use crate::domain::refusal::FieldFault;
use crate::store::Fault;

/// Fewest characters.
const SHORTEST: usize = 10;

/// Most characters.
const LONGEST: usize = 128;

/// How many hashes may wait for a core; more are sent away.
const WAITING: usize = 128;

/// The first choice of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// A hash of the same cost that no password has: who has no account waits as long as who has one.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0IQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What everybody tries first, the longer before the shorter that they contain.
const COMMON: &[&str] = &[
    "administrator",
    "12345678910",
    "0123456789",
    "1234567890",
    "9876543210",
    "0987654321",
    "1357924680",
    "2468013579",
    "qwertyuiop",
    "123456789",
    "asdfghjkl",
    "vermilion",
    "1q2w3e4r",
    "1qaz2wsx",
    "12345678",
    "password",
    "passw0rd",
    "aa123456",
    "qq123456",
    "iloveyou",
    "football",
    "princess",
    "sunshine",
    "changeme",
    "5201314",
    "1314520",
    "zxcvbnm",
    "a123456",
    "welcome",
    "letmein",
    "123456",
    "woaini",
    "qwerty",
    "abcdef",
    "abc123",
    "monkey",
    "dragon",
    "111111",
    "000000",
    "888888",
    "666666",
    "admin",
    "zhuce",
    "mima",
];

/// A password that may be set.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password for an account: at least ten characters, none that everybody tries, and nothing that stands
    /// in the account.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, login: &LoginName, mobile: &Mobile) -> Result<Self, FieldFault> {
        let length = text.chars().count();
        if length < SHORTEST {
            return Err(FieldFault::PasswordTooShort(SHORTEST));
        }
        if length > LONGEST {
            return Err(FieldFault::TooLong(LONGEST));
        }
        let small = text.to_lowercase();
        let told = [login.as_str().to_lowercase(), mobile.as_str().to_owned()];
        if told.iter().any(|told| small.contains(told.as_str())) || is_common(&small) {
            return Err(FieldFault::PasswordGuessable);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Whether hardly anything is left of a password without what everybody tries, or it is a few characters over and over.
fn is_common(small: &str) -> bool {
    let different: std::collections::BTreeSet<char> = small.chars().collect();
    let rest = COMMON.iter().fold(small.to_owned(), |rest, common| rest.replace(common, ""));
    different.len() < 4 || rest.chars().count() <= 3
}

/// Makes and checks hashes: as many at once as there are cores, since each takes one and 19 MiB.
#[derive(Debug)]
pub(crate) struct Passwords {
    cores: Arc<Semaphore>,
    places: Semaphore,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { cores: Arc::new(Semaphore::new(cores)), places: Semaphore::new(WAITING) }
    }

    /// The hash of a password.
    pub(crate) async fn hash(&self, password: &Password) -> Result<PasswordHash, DeskError> {
        let salt = crate::desk::chance::<16>()?;
        let password = password.0.clone();
        let hashed = self.work(move || {
            let hash = argon2()?.hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string())
                .map_err(|error| Fault::new("hashing a password", error.to_string()))
        });
        Ok(PasswordHash(hashed.await??))
    }

    /// Whether a password is the one behind a hash. Without a hash it is not, after the same time.
    pub(crate) async fn fits(&self, typed: &str, hash: Option<&PasswordHash>) -> Result<bool, DeskError> {
        let typed = Zeroizing::new(typed.to_owned());
        // An account that was made without a password has no hash that could be read.
        let hash = hash.map(|hash| hash.0.clone()).filter(|hash| !hash.is_empty());
        let judged = self.work(move || {
            let verified = argon2()?.verify_password(typed.as_bytes(), hash.as_deref().unwrap_or(NOBODYS));
            Ok::<_, Fault>(verified.is_ok() && hash.is_some())
        });
        Ok(judged.await??)
    }

    /// Runs what takes a core beside the threads that answer. The core is held until the work ends, even where nobody
    /// waits for it any more.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, DeskError> {
        let overloaded = |_| DeskError::Unavailable("overloaded");
        let _place = self.places.try_acquire().map_err(overloaded)?;
        let core: OwnedSemaphorePermit =
            self.cores.clone().acquire_owned().await.map_err(|_| DeskError::Unavailable("overloaded"))?;
        let worked = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(core);
            result
        });
        worked.await.map_err(|error| Fault::new("working on a password", error).into())
    }
}

fn argon2() -> Result<Argon2<'static>, Fault> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None)
        .map_err(|error| Fault::new("setting up the password hash", error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn parse(text: &str) -> Result<Password, FieldFault> {
        Password::parse(text, &"11010519491231002X".parse().unwrap(), &"13800005678".parse().unwrap())
    }

    #[test]
    fn a_password_is_long_and_neither_common_nor_told_by_the_account() {
        assert_eq!(parse("短密码").unwrap_err(), FieldFault::PasswordTooShort(10));
        assert_eq!(parse(&"长".repeat(129)).unwrap_err(), FieldFault::TooLong(128));
        for guessable in [
            "my11010519491231002x",
            "tel13800005678!",
            "1234567890",
            "Password123",
            "qwertyuiop1",
            "Qwerty!123456",
            "aaaaaaaaaa",
            "123123123123",
            "passwordpassword",
            "888888888888",
        ] {
            assert_eq!(parse(guessable).unwrap_err(), FieldFault::PasswordGuessable, "{guessable}");
        }
        for good in ["朱砂批注印泥纸张笔墨", "correct horse battery", "tR7#kq02Lm", "zhubi-2026-stone"]
        {
            assert!(parse(good).is_ok(), "{good}");
        }
    }

    #[tokio::test]
    async fn a_hash_is_fitted_by_its_password_alone_and_differs_each_time() {
        let passwords = Passwords::new();
        let password = parse("correct horse battery").unwrap();
        let (one, other) =
            (passwords.hash(&password).await.unwrap(), passwords.hash(&password).await.unwrap());
        assert!(one.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(one.0, other.0);
        assert!(passwords.fits("correct horse battery", Some(&one)).await.unwrap());
        assert!(!passwords.fits("correct horse batterY", Some(&one)).await.unwrap());
        assert!(!passwords.fits("", Some(&PasswordHash(String::new()))).await.unwrap());
        assert!(!passwords.fits("correct horse battery", None).await.unwrap());
    }

    #[test]
    fn nobodys_hash_is_read_and_costs_what_others_cost() {
        let verified = argon2().unwrap().verify_password(b"", NOBODYS);
        assert_eq!(verified, Err(argon2::password_hash::Error::PasswordInvalid));
        assert!(NOBODYS.contains(&format!("m={MEMORY_KIB},t={PASSES},p=1")));
    }
}
