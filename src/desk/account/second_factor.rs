//! The second factor: codes of an authenticator app (RFC 6238). Whoever has one gives the password first, and then, with
//! what the password was answered, a code.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE32_NOPAD;
use ring::hmac;

use crate::desk::account::back_off::Address;
use crate::desk::account::sealer::Sealer;
use crate::desk::account::session::{Begun, LoggedIn, draw_token, fresh, guessed};
use crate::desk::account::{unchanged, write};
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::{Account, Owner};
use crate::domain::event::Deed;
use crate::domain::ids::AccountId;
use crate::domain::refusal::Refusal;
use crate::domain::totp::{Totp, digits};
use crate::render;
use crate::store::{Change, Fault, Write};

/// How long after the password the code can be given.
const LASTS: TimeDelta = TimeDelta::minutes(5);

/// What an authenticator app calls us.
const ISSUER: &str = "Vermilion";

/// What the password was answered: with a code it becomes a session.
#[derive(Clone)]
pub struct Pass {
    /// To be handed back.
    pub text: String,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pass(…)")
    }
}

/// A secret to be put into an authenticator app.
#[derive(Clone)]
pub struct Offer {
    /// In base32 (RFC 4648), to be typed.
    pub secret: String,
    /// `otpauth://totp/…`, to be scanned.
    pub uri: String,
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Offer(…)")
    }
}

impl Offer {
    /// The offer of a secret to an account. The label holds no whole identity number: apps show it to who looks on.
    pub(crate) fn of(secret: &[u8; 20], account: &Account) -> Self {
        let secret = BASE32_NOPAD.encode(secret);
        let label = account.owner.login_masked();
        // Percent-encoded (RFC 3986, section 2.1): a login name may have any visible character.
        let encode = |byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        };
        let label: String = label.bytes().map(encode).collect();
        let uri = format!("otpauth://totp/{ISSUER}:{label}?secret={secret}&issuer={ISSUER}");
        Self { secret, uri }
    }

    /// The code to be scanned: how many modules are along one side, and the dark ones as the data of an SVG path.
    pub(crate) fn drawn(&self) -> Result<(usize, String), DeskError> {
        Ok(render::qr::path(&self.uri).map_err(|error| Fault::new("drawing a second factor", error))?)
    }
}

/// Seals passes, and offers secrets that nothing is kept of until a code proves that they arrived.
pub(super) struct Factors {
    sealer: Sealer,
    offers: hmac::Key,
}

impl fmt::Debug for Factors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Factors(…)")
    }
}

impl Factors {
    pub(super) fn new(master: &[u8; 32]) -> Self {
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, master), b"second factors");
        Self {
            sealer: Sealer::new(master, "second factor"),
            offers: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()),
        }
    }

    /// The secret offered in a session: the same as long as it lasts.
    fn offered(&self, who: &LoggedIn) -> [u8; 20] {
        let (account, session) = (who.account().id, who.session().token);
        let drawn = hmac::sign(&self.offers, &[&account.as_bytes()[..], &session.as_bytes()[..]].concat());
        let mut secret = [0; 20];
        secret.copy_from_slice(&drawn.as_ref()[..20]);
        secret
    }
}

/// The step whose code was typed.
fn step(totp: &Totp, typed: &str, now: DateTime<Utc>) -> Option<i64> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &totp.secret);
    let typed = crate::desk::account::captcha::normal(typed);
    let is_typed =
        |step: &i64| digits(hmac::sign(&key, &step.to_be_bytes()).as_ref()).is_some_and(|code| code == typed);
    totp.steps(now).find(is_typed)
}

/// The account with the code used, where it is one.
pub(super) fn with_used(account: &Account, typed: &str, now: DateTime<Utc>) -> Result<Account, Refusal> {
    let used = account.totp.as_ref().and_then(|totp| {
        let last_step = step(totp, typed, now)?;
        Some(Totp { last_step, ..totp.clone() })
    });
    match used {
        Some(totp) => Ok(Account { totp: Some(totp), ..account.clone() }),
        None => Err(Refusal::SecondFactorWrong),
    }
}

impl Desk {
    /// The pass of an account whose password was right.
    pub(super) fn pass(&self, account: &Account) -> Result<Pass, DeskError> {
        let expires_at = self.now() + LASTS;
        let password = crate::desk::digest(account.password.0.as_bytes());
        let plain = [
            &account.id.as_bytes()[..],
            &password.as_bytes()[..],
            &expires_at.timestamp_millis().to_be_bytes()[..],
        ];
        let text = self.doors.factors.sealer.seal(crate::desk::chance()?, &plain.concat())?;
        Ok(Pass { text, expires_at })
    }

    /// The account of a pass that is neither too old nor of a password that was changed.
    async fn account_of_pass(&self, text: &str) -> Result<Account, DeskError> {
        let wrong = || DeskError::from(Refusal::SecondFactorWrong);
        let (_, plain) = self.doors.factors.sealer.open(text).ok_or_else(wrong)?;
        let (id, rest) = plain.split_first_chunk::<16>().ok_or_else(wrong)?;
        let (password, expiry) = rest.split_first_chunk::<32>().ok_or_else(wrong)?;
        let expiry = i64::from_be_bytes(expiry.try_into().map_err(|_| wrong())?);
        let left = expiry - self.now().timestamp_millis();
        if left <= 0 || left > LASTS.num_milliseconds() {
            return Err(wrong());
        }
        let found = self.store.account(AccountId::from_bytes(*id)).await?;
        let account = found.map(|(account, _)| account).filter(|account| {
            crate::desk::digest(account.password.0.as_bytes()).as_bytes() == password && account.is_open()
        });
        account.ok_or_else(wrong)
    }

    /// Begins the session that a pass and a code stand for. A code counts once, and a wrong one as a failure to log in.
    ///
    /// # Errors
    /// `second-factor-wrong`; `TooOften` after many failures.
    pub async fn finish_log_in(
        &self,
        pass: &str,
        typed: &str,
        from: Option<Address>,
    ) -> Result<Begun, DeskError> {
        let account = self.account_of_pass(pass).await?;
        let name = guessed(account.owner.login().as_str());
        self.doors.back_off.charge(name, from, self.now())?;
        let token = draw_token()?;
        let (begun, _) = self.settle(|| Box::pin(self.plan_second_half(&account, typed, &token))).await?;
        self.doors.back_off.forgive(name, from);
        Ok(begun)
    }

    async fn plan_second_half(
        &self,
        proved: &Account,
        typed: &str,
        token: &str,
    ) -> Result<Plan<Begun>, DeskError> {
        let (account, revision) = self.own_account(&proved.owner.login()).await?;
        if account.password != proved.password || account.id != proved.id || !account.is_open() {
            return Err(Refusal::SecondFactorWrong.into());
        }
        let account = with_used(&account, typed, self.now())?;
        let (session, begun) = fresh(&account, token, self.now());
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account), Write::Session(session)],
            events: vec![self.own_event(Deed::SessionBegun, &account)],
        };
        Ok(Plan::Write(change, begun))
    }

    /// A secret for whoever is logged in and has no second factor yet; the same throughout the session.
    ///
    /// # Errors
    /// `notice-not-accepted`.
    pub fn offer_second_factor(&self, who: &LoggedIn) -> Result<Offer, DeskError> {
        let account = who.accepted()?.account();
        Ok(Offer::of(&self.doors.factors.offered(who), account))
    }

    /// Sets the second factor that was offered in this session; a code proves that the app has it, the password that it
    /// is the owner who asks.
    ///
    /// # Errors
    /// `wrong-credentials`; `second-factor-wrong`.
    pub async fn set_second_factor(
        &self,
        who: &LoggedIn,
        password: &str,
        typed: &str,
        from: Option<Address>,
    ) -> Result<Account, DeskError> {
        let account = who.accepted()?.account();
        self.judge_password(account.owner.login().as_str(), Some(account), password, from).await?;
        let (account, _) = self.settle(|| Box::pin(self.plan_second_factor(who, typed))).await?;
        Ok(account)
    }

    async fn plan_second_factor(&self, who: &LoggedIn, typed: &str) -> Result<Plan<Account>, DeskError> {
        let (account, revision) = self.account_of(who).await?;
        let offered = Totp::new(self.doors.factors.offered(who));
        if account.totp.as_ref().is_some_and(|totp| totp.secret == offered.secret) {
            return Ok(Plan::Nothing(account));
        }
        let account = with_used(&Account { totp: Some(offered), ..account }, typed, self.now())?;
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account)],
            events: vec![self.own_event(Deed::SecondFactorSet, &account)],
        };
        Ok(Plan::Write(change, account))
    }

    /// Removes the second factor; password and a code prove that it is the owner who asks.
    ///
    /// # Errors
    /// `second-factor-compulsory` for staff; `wrong-credentials`; `second-factor-wrong`.
    pub async fn remove_second_factor(
        &self,
        who: &LoggedIn,
        password: &str,
        typed: &str,
        from: Option<Address>,
    ) -> Result<Account, DeskError> {
        let account = who.accepted()?.account();
        if matches!(account.owner, Owner::Staff(_)) {
            return Err(Refusal::SecondFactorCompulsory.into());
        }
        self.judge_password(account.owner.login().as_str(), Some(account), password, from).await?;
        let name = guessed(account.owner.login().as_str());
        self.doors.back_off.charge(name, from, self.now())?;
        let (account, _) = self.settle(|| Box::pin(self.plan_removal(who, typed))).await?;
        self.doors.back_off.forgive(name, from);
        Ok(account)
    }

    async fn plan_removal(&self, who: &LoggedIn, typed: &str) -> Result<Plan<Account>, DeskError> {
        let (account, revision) = self.account_of(who).await?;
        with_used(&account, typed, self.now())?;
        let account = Account { totp: None, ..account };
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account)],
            events: vec![self.own_event(Deed::SecondFactorRemoved, &account)],
        };
        Ok(Plan::Write(change, account))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_taken_once() {
        // RFC 6238, appendix B, of which an app shows the last six digits.
        let secret = *b"12345678901234567890";
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let now = DateTime::from_timestamp(second, 0).unwrap();
            let totp = Totp::new(secret);
            let used = step(&totp, code, now).unwrap();
            assert_eq!(used, second / 30);
            assert_eq!(step(&Totp { last_step: used, ..totp.clone() }, code, now), None, "twice");
            assert!(step(&totp, code, now + TimeDelta::seconds(30)).is_some(), "a clock that is slow");
            assert_eq!(step(&totp, code, now + TimeDelta::seconds(90)), None);
            assert_eq!(step(&totp, "", now), None);
        }
    }
}
