//! Sessions: begun with a captcha and a password, proved by a token, ended by their owner or by time.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::desk::account::back_off::Address;
use crate::desk::account::captcha::Solution;
use crate::desk::account::second_factor::Pass;
use crate::desk::account::{unchanged, write};
use crate::desk::keys::Secret;
use crate::desk::{Caller, Desk, DeskError, Party, Plan};
use crate::domain::account::{Account, LoginName, Owner, Session};
use crate::domain::certificate::Certificate;
use crate::domain::event::{Actor, Deed};
use crate::domain::identity::PersonId;
use crate::domain::ids::{AccountId, KeyId, Sha256};
use crate::domain::refusal::Refusal;
use crate::domain::staff::Post;
use crate::store::{Change, CommitError, Expect, Write};

/// What every token begins with, so that scanners for leaked secrets find it.
pub const PREFIX: &str = "vs_";

/// What somebody types to log in.
#[derive(Clone)]
pub struct Credentials {
    /// Identity number, credit code or staff name.
    pub account: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// A session that has just begun; its token is shown this once.
#[derive(Clone, Debug)]
pub struct Begun {
    /// `vs_` and 256 bits of chance.
    pub token: Secret,
    /// When it ends if it is not used.
    pub expires_at: DateTime<Utc>,
    /// Whether the service notice in force was accepted.
    pub notice_accepted: bool,
    /// Whether it is a staff member's.
    pub of_staff: bool,
}

/// What the right password leads to.
#[derive(Clone, Debug)]
pub enum Entered {
    /// A session.
    Session(Begun),
    /// A code of the second factor is wanted too.
    HalfWay(Pass),
}

/// Proof that somebody is logged in. Only [`Desk::logged_in`] mints one.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    account: Account,
    session: Session,
}

impl LoggedIn {
    /// Whose account it is.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// When the session ends if it is not used any more.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.session.expires_at()
    }

    /// Passes where the service notice in force was accepted.
    ///
    /// # Errors
    /// `notice-not-accepted`.
    pub fn accepted(&self) -> Result<&Self, Refusal> {
        if self.account.has_accepted() { Ok(self) } else { Err(Refusal::NoticeNotAccepted) }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }
}

/// Proof that a holder of certificates is logged in and accepted the notice. Only [`Desk::holder`] mints one.
#[derive(Clone, Debug)]
pub struct Holder {
    who: LoggedIn,
    person: PersonId,
}

impl Holder {
    /// Whose account it is.
    pub fn account(&self) -> &Account {
        &self.who.account
    }

    pub(super) fn id(&self) -> AccountId {
        self.who.account.id
    }

    pub(super) fn person(&self) -> &PersonId {
        &self.person
    }

    pub(super) fn token(&self) -> Sha256 {
        self.who.session.token
    }
}

/// Proof that a staff member is logged in. It comes of a [`LoggedIn`] alone.
#[derive(Clone, Debug)]
pub struct StaffMember {
    who: LoggedIn,
    post: Post,
    caller: Caller,
}

impl StaffMember {
    /// Whoever is logged in, as a staff member; holders and units are none.
    pub fn of(who: &LoggedIn) -> Option<Self> {
        let Owner::Staff(post) = &who.account.owner else { return None };
        let caller = Caller {
            actor: Actor::Account(who.account.id),
            scopes: post.role.scopes().to_vec(),
            issuer: post.issuer,
        };
        Some(Self { post: post.clone(), caller, who: who.clone() })
    }

    /// Who is logged in.
    pub fn who(&self) -> &LoggedIn {
        &self.who
    }

    /// Where they work, and what for.
    pub fn post(&self) -> &Post {
        &self.post
    }

    /// What they may do, as an agency's key may: the same calls take either.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl Party for Holder {
    fn actor(&self) -> Actor {
        Actor::Account(self.id())
    }

    fn may_see(&self, certificate: &Certificate) -> bool {
        certificate.details.holder.id == self.person
    }

    fn asks_as(&self) -> Option<KeyId> {
        // Accounts and keys are named from one space of 128 bits: no name is both.
        Some(KeyId::from_bytes(*self.id().as_bytes()))
    }
}

impl Desk {
    /// Begins a session, or asks for a code of the second factor. Who has no account is told the same as who mistyped, after the same time.
    ///
    /// # Errors
    /// `captcha-wrong`; `wrong-credentials`; `TooOften` after many failures of the account or from the address.
    pub async fn log_in(
        &self,
        credentials: &Credentials,
        solution: &Solution,
        from: Option<Address>,
    ) -> Result<Entered, DeskError> {
        let name = guessed(&credentials.account);
        self.doors.back_off.admit(name, from, self.now())?;
        self.judge_captcha(solution)?;
        let login = credentials.account.trim().parse::<LoginName>().ok();
        let account = match &login {
            Some(login) => self.store.account_by_login(login).await?,
            None => None,
        };
        let account = account.map(|(account, _)| account).filter(Account::is_open);
        self.judge_password(&credentials.account, account.as_ref(), &credentials.password, from).await?;
        let account = account.ok_or(Refusal::WrongCredentials)?;
        match (&account.totp, &account.owner) {
            (Some(_), _) => self.pass(&account).map(Entered::HalfWay),
            // None that was invited is without; one that development made may be.
            (None, Owner::Staff(_)) => Err(Refusal::WrongCredentials.into()),
            (None, _) => self.begin_session(&account).await.map(Entered::Session),
        }
    }

    /// Passes where the password is the account's. Every failure makes the next try wait longer.
    pub(super) async fn judge_password(
        &self,
        name: &str,
        account: Option<&Account>,
        typed: &str,
        from: Option<Address>,
    ) -> Result<(), DeskError> {
        let name = guessed(name);
        self.doors.back_off.charge(name, from, self.now())?;
        let hash = account.map(|account| &account.password);
        if !self.doors.passwords.fits(typed, hash).await? {
            return Err(Refusal::WrongCredentials.into());
        }
        // Else who knows the password could guess codes of the second factor for ever.
        if account.is_some_and(|account| account.totp.is_some()) {
            self.doors.back_off.refund(name, from);
        } else {
            self.doors.back_off.forgive(name, from);
        }
        Ok(())
    }

    /// Begins a session of an account whose owner was proved, unless the password was changed meanwhile.
    pub(super) async fn begin_session(&self, account: &Account) -> Result<Begun, DeskError> {
        let token = draw_token()?;
        let (begun, _) = self.settle(|| Box::pin(self.plan_session(account, &token))).await?;
        Ok(begun)
    }

    async fn plan_session(&self, proved: &Account, token: &str) -> Result<Plan<Begun>, DeskError> {
        let (account, revision) = self.own_account(&proved.owner.login()).await?;
        if account.password != proved.password || account.id != proved.id {
            return Err(Refusal::WrongCredentials.into());
        }
        let (session, begun) = fresh(&account, token, self.now());
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![Write::Session(session)],
            events: vec![self.own_event(Deed::SessionBegun, &account)],
        };
        Ok(Plan::Write(change, begun))
    }

    /// Who holds this token. That the session is in use is written down every few minutes.
    ///
    /// # Errors
    /// `Unauthenticated` for a token that is unknown, ended or too old; all take the same way.
    pub async fn logged_in(&self, token: &str) -> Result<LoggedIn, DeskError> {
        let found = self.store.session(crate::desk::digest(token.as_bytes())).await?;
        let now = self.now();
        let live = found.filter(|(session, _, account)| session.is_live(account, now));
        let (session, revision, account) = live.ok_or(DeskError::Unauthenticated)?;
        if !session.is_to_be_noted(now) {
            return Ok(LoggedIn { account, session });
        }
        let session = Session { seen_at: now, ..session };
        let change = Change {
            expects: vec![Expect::Session(session.token, revision)],
            writes: vec![Write::Session(session.clone())],
            events: Vec::new(),
        };
        match self.store.commit(change).await {
            // Another call noted it, or ended the session while this one was under way; a store that takes nothing new
            // still answers.
            Ok(_) | Err(CommitError::Conflict | CommitError::LeaseLost | CommitError::ReadOnly(_)) => {}
            Err(CommitError::Fault(fault)) => return Err(fault.into()),
        }
        Ok(LoggedIn { account, session })
    }

    /// The holder who has this token and accepted the notice.
    ///
    /// # Errors
    /// As [`Desk::logged_in`]; `notice-not-accepted`; `NotFound` for accounts of units and staff, who hold no
    /// certificates.
    pub async fn holder(&self, token: &str) -> Result<Holder, DeskError> {
        let who = self.logged_in(token).await?;
        who.accepted()?;
        match &who.account.owner {
            Owner::Holder(person) => Ok(Holder { person: person.clone(), who }),
            Owner::Unit { .. } | Owner::Staff(_) => Err(DeskError::NotFound),
        }
    }

    /// The staff member who has this token.
    ///
    /// # Errors
    /// As [`Desk::logged_in`]; `NotFound` for accounts of holders and units.
    pub async fn staff_member(&self, token: &str) -> Result<StaffMember, DeskError> {
        StaffMember::of(&self.logged_in(token).await?).ok_or(DeskError::NotFound)
    }

    /// Ends a session; the token is dead at once, on every node.
    pub async fn log_out(&self, who: &LoggedIn) -> Result<(), DeskError> {
        self.settle(|| Box::pin(self.plan_end(who))).await?;
        Ok(())
    }

    async fn plan_end(&self, who: &LoggedIn) -> Result<Plan<()>, DeskError> {
        let Some((session, revision, account)) = self.store.session(who.session.token).await? else {
            return Ok(Plan::Nothing(()));
        };
        if session.ended_at.is_some() {
            return Ok(Plan::Nothing(()));
        }
        let change = Change {
            expects: vec![Expect::Session(session.token, revision)],
            writes: vec![Write::Session(Session { ended_at: Some(self.now()), ..session })],
            events: vec![self.own_event(Deed::SessionEnded, &account)],
        };
        Ok(Plan::Write(change, ()))
    }

    /// Ends every session of the account, this one too.
    pub async fn log_out_everywhere(&self, who: &LoggedIn) -> Result<(), DeskError> {
        self.settle(|| Box::pin(self.plan_end_of_all(who))).await?;
        Ok(())
    }

    async fn plan_end_of_all(&self, who: &LoggedIn) -> Result<Plan<()>, DeskError> {
        let (account, revision) = self.own_account(&who.account.owner.login()).await?;
        let account = Account { sessions_since: self.after(&who.session), ..account };
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account)],
            events: vec![self.own_event(Deed::SessionsEnded, &account)],
        };
        Ok(Plan::Write(change, ()))
    }

    /// A moment after which a session that began now would be younger than this one, whatever the clock does.
    pub(super) fn after(&self, session: &Session) -> DateTime<Utc> {
        self.now().max(session.began_at + TimeDelta::milliseconds(1))
    }
}

/// A session of an account, and what its owner is told.
pub(super) fn fresh(account: &Account, token: &str, now: DateTime<Utc>) -> (Session, Begun) {
    let began_at = now.max(account.sessions_since);
    let session = Session {
        token: crate::desk::digest(token.as_bytes()),
        account: account.id,
        began_at,
        seen_at: began_at,
        ended_at: None,
    };
    let begun = Begun {
        token: Secret::new(token.to_owned()),
        expires_at: session.expires_at(),
        notice_accepted: account.has_accepted(),
        of_staff: matches!(account.owner, Owner::Staff(_)),
    };
    (session, begun)
}

/// A token that nobody guesses.
pub(super) fn draw_token() -> Result<String, DeskError> {
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(crate::desk::chance::<32>()?)))
}

/// The name that failures are counted by, whether there is such an account or not.
pub(super) fn guessed(name: &str) -> Sha256 {
    crate::desk::digest(name.trim().to_ascii_uppercase().as_bytes())
}
