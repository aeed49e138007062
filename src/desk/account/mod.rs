//! Accounts of people: the doors that they come in by, and what they may do once they are in.
//!
//! Whoever has a session token is [`LoggedIn`]; whoever has certificates and accepted the service
//! notice is a [`Holder`](session::Holder). Both are minted here alone, and every call for somebody takes one.

pub mod back_off;
pub mod captcha;
pub mod code;
pub mod development;
pub mod invitation;
pub mod message;
pub mod own;
pub mod password;
pub mod recollection;
mod sealer;
pub mod second_factor;
pub mod session;
pub mod settings;
pub mod sign_up;
pub mod staff;
pub mod unit;

use std::sync::Arc;

use crate::desk::account::back_off::BackOff;
use crate::desk::account::captcha::Captchas;
use crate::desk::account::message::Messenger;
use crate::desk::account::password::Passwords;
use crate::desk::account::second_factor::Factors;
use crate::desk::account::session::LoggedIn;
use crate::desk::registration::registries::Registries;
use crate::desk::{Desk, DeskError};
use crate::domain::account::{Account, LoginName};
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::refusal::Refusal;
use crate::store::{Expect, Revision, Write};

/// What the doors keep in memory, for each process its own.
#[derive(Debug)]
pub struct Doors {
    pub(super) messenger: Arc<dyn Messenger>,
    pub(super) registries: Arc<dyn Registries>,
    captchas: Captchas,
    passwords: Passwords,
    back_off: BackOff,
    factors: Factors,
}

impl Doors {
    /// Doors that send codes through a messenger and hold filings against the registers of others. `master` is the master key, which every node has: what one node draws
    /// from it, another can check.
    pub fn new(messenger: Arc<dyn Messenger>, registries: Arc<dyn Registries>, master: &[u8; 32]) -> Self {
        Self {
            messenger,
            registries,
            captchas: Captchas::new(master),
            passwords: Passwords::new(),
            back_off: BackOff::default(),
            factors: Factors::new(master),
        }
    }

    /// Development only: as if the process had just started.
    pub(super) fn forget(&self) {
        self.back_off.clear();
        self.captchas.clear();
    }
}

impl Desk {
    /// The account of this name as it stands now, for a decision about itself.
    async fn own_account(&self, login: &LoginName) -> Result<(Account, Revision), DeskError> {
        // An account that is gone has no session either.
        self.store.account_by_login(login).await?.ok_or(DeskError::Unauthenticated)
    }

    /// The account that somebody logged in acts for, as it stands now.
    async fn account_of(&self, who: &LoggedIn) -> Result<(Account, Revision), DeskError> {
        self.own_account(&who.account().owner.login()).await
    }

    /// An event of this moment that an account's owner brought about, about the account.
    fn own_event(&self, deed: Deed, account: &Account) -> Event {
        Event { account: Some(account.id), ..self.event(deed, Actor::Account(account.id)) }
    }
}

/// What must hold of an account for a change of it.
fn unchanged(account: &Account, revision: Revision) -> Expect {
    Expect::Account(account.owner.login(), Some(revision))
}

/// What a decision about a code came to: an answer, or a "no" that costs a try and is written down too.
type Judged<T> = Result<T, Refusal>;

/// The write of an account as it stands now.
fn write(account: &Account) -> Write {
    Write::Account(account.clone())
}
