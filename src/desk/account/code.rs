//! Verification codes: sent once a minute to a mobile or an e-mail address, mistyped at most five times, used once.

use crate::desk::account::message::Message;
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::{CODE_LASTS, CODE_PAUSE, Purpose, VerificationCode};
use crate::domain::contact::Contact;
use crate::domain::event::{Actor, Deed};
use crate::domain::refusal::Refusal;
use crate::store::{Change, Expect, Revision, Write};

/// A code on its way, and when the next may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Until when it can be used.
    pub expires_at: chrono::DateTime<chrono::Utc>,
    /// When another may be asked for.
    pub next_at: chrono::DateTime<chrono::Utc>,
}

/// What somebody typed, held against the code that was sent.
pub(in crate::desk) enum Typed {
    /// It is the code: what redeems it, and what a "no" of another rule costs.
    Right {
        /// Writes the code as used.
        redeem: Change,
        /// Writes one more mistype.
        charge: Change,
    },
    /// It is not: what that costs.
    Wrong(Change),
    /// There is no code that could be used.
    Closed,
}

impl Desk {
    /// Sends a fresh code; what was sent before for the same purpose is void. Whether anybody has the
    /// mobile or the address is not asked, so that nobody learns it.
    ///
    /// # Errors
    /// `TooOften` within a minute of the last; `Unavailable` where nothing can be sent.
    pub async fn send_code(&self, purpose: Purpose, to: &Contact) -> Result<Sent, DeskError> {
        let digits = draw()?;
        let (sent, _) = self.settle(|| Box::pin(self.plan_code(purpose, to, &digits))).await?;
        let message = Message::Code { purpose, code: digits, at: sent.next_at - CODE_PAUSE };
        self.doors.messenger.send(to, message).await?;
        Ok(sent)
    }

    async fn plan_code(&self, purpose: Purpose, to: &Contact, digits: &str) -> Result<Plan<Sent>, DeskError> {
        let now = self.now();
        let last = self.store.verification_code(purpose, to).await?;
        if let Some((last, _)) = &last {
            let wait = (last.sent_at + CODE_PAUSE - now).min(CODE_PAUSE);
            if wait > chrono::TimeDelta::zero() {
                return Err(DeskError::TooOften(u64::try_from(wait.num_seconds()).unwrap_or(0) + 1));
            }
        }
        let salt = crate::desk::chance()?;
        let code = VerificationCode {
            purpose,
            digest: crate::desk::digest(&[&salt[..], digits.as_bytes()].concat()),
            salt,
            sent_at: now,
            mistyped: 0,
            used: false,
        };
        let change = Change {
            expects: vec![Expect::VerificationCode(purpose, to.clone(), last.map(|(_, revision)| revision))],
            writes: vec![Write::VerificationCode(to.clone(), code)],
            events: vec![self.event(Deed::CodeSent, Actor::Service)],
        };
        Ok(Plan::Write(change, Sent { expires_at: now + CODE_LASTS, next_at: now + CODE_PAUSE }))
    }

    /// Holds what somebody typed against the last code sent.
    pub(in crate::desk) async fn judge_code(
        &self,
        purpose: Purpose,
        to: &Contact,
        typed: &str,
    ) -> Result<Typed, DeskError> {
        let Some((code, revision)) = self.store.verification_code(purpose, to).await? else {
            return Ok(Typed::Closed);
        };
        if !code.is_open(self.now()) {
            return Ok(Typed::Closed);
        }
        let mistyped = VerificationCode { mistyped: code.mistyped + 1, ..code.clone() };
        let charge = Change {
            events: vec![self.event(Deed::CodeMistyped, Actor::Service)],
            ..rewrite(to, revision, mistyped)
        };
        let digest = crate::desk::digest(&[&code.salt[..], typed.trim().as_bytes()].concat());
        if digest != code.digest {
            return Ok(Typed::Wrong(charge));
        }
        let redeem = rewrite(to, revision, VerificationCode { used: true, ..code });
        Ok(Typed::Right { redeem, charge })
    }
}

impl Typed {
    /// The two changes of a right code; for any other a plan that says no, and charges a wrong one.
    pub(in crate::desk) fn proven<T>(self) -> Result<(Change, Change), Plan<super::Judged<T>>> {
        match self {
            Self::Right { redeem, charge } => Ok((redeem, charge)),
            Self::Wrong(charge) => Err(Plan::Write(charge, Err(Refusal::CodeWrong))),
            Self::Closed => Err(Plan::Nothing(Err(Refusal::CodeWrong))),
        }
    }
}

fn rewrite(to: &Contact, revision: Revision, code: VerificationCode) -> Change {
    Change {
        expects: vec![Expect::VerificationCode(code.purpose, to.clone(), Some(revision))],
        writes: vec![Write::VerificationCode(to.clone(), code)],
        events: Vec::new(),
    }
}

/// Six digits, each as likely as any.
fn draw() -> Result<String, DeskError> {
    const MILLION: u64 = 1_000_000;
    loop {
        let drawn = u64::from_be_bytes(crate::desk::chance()?);
        // The last, incomplete million would make small numbers likelier.
        if drawn < u64::MAX - u64::MAX % MILLION {
            return Ok(format!("{:06}", drawn % MILLION));
        }
    }
}
