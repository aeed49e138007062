//! What people change about their own account: the notice, the password, the mobile, the e-mail address.

use std::fmt;

use tokio::sync::OnceCell;

use crate::desk::account::back_off::Address;
use crate::desk::account::code::Sent;
use crate::desk::account::password::Password;
use crate::desk::account::session::{Begun, LoggedIn, draw_token, fresh};
use crate::desk::account::{Judged, unchanged, write};
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::{Account, LoginName, Mobile, NOTICE_VERSION, PasswordHash, Purpose};
use crate::domain::contact::{Contact, Email};
use crate::domain::event::Deed;
use crate::domain::refusal::Refusal;
use crate::store::{Change, Write};

/// What somebody types who forgot the password.
#[derive(Clone)]
pub struct Recovery {
    /// Identity number, credit code or staff name.
    pub account: String,
    /// The account's mobile.
    pub mobile: Mobile,
    /// The code that was sent to it.
    pub code: String,
    /// The new password.
    pub password: String,
}

impl fmt::Debug for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recovery(…)")
    }
}

impl Desk {
    /// Accepts the service notice in force; accepting it twice is accepting it once.
    pub async fn accept_notice(&self, who: &LoggedIn) -> Result<Account, DeskError> {
        let (account, _) = self.settle(|| Box::pin(self.plan_notice(who))).await?;
        Ok(account)
    }

    async fn plan_notice(&self, who: &LoggedIn) -> Result<Plan<Account>, DeskError> {
        let (account, revision) = self.own_account(&who.account().owner.login()).await?;
        if account.has_accepted() {
            return Ok(Plan::Nothing(account));
        }
        let account = Account { notice: Some((NOTICE_VERSION, self.now())), ..account };
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account)],
            events: vec![self.own_event(Deed::NoticeAccepted, &account)],
        };
        Ok(Plan::Write(change, account))
    }

    /// Sets a new password in place of the old one. Every session ends, and a new one begins.
    ///
    /// # Errors
    /// `wrong-credentials` where the old one is wrong; what is wrong with the new one.
    pub async fn change_password(
        &self,
        who: &LoggedIn,
        old: &str,
        new: &str,
        from: Option<Address>,
    ) -> Result<Begun, DeskError> {
        let account = who.accepted()?.account();
        let login = account.owner.login();
        let password = Password::parse(new, &login, &account.mobile)
            .map_err(|fault| Refusal::field("new_password", fault))?;
        self.judge_password(login.as_str(), Some(account), old, from).await?;
        let hash = self.doors.passwords.hash(&password).await?;
        let token = draw_token()?;
        let (begun, _) = self.settle(|| Box::pin(self.plan_password(who, &hash, &token))).await?;
        Ok(begun)
    }

    async fn plan_password(
        &self,
        who: &LoggedIn,
        hash: &PasswordHash,
        token: &str,
    ) -> Result<Plan<Begun>, DeskError> {
        let (account, revision) = self.own_account(&who.account().owner.login()).await?;
        // The old password was judged by what was known when the call began.
        if account.password != who.account().password {
            return Err(Refusal::WrongCredentials.into());
        }
        let account =
            Account { password: hash.clone(), sessions_since: self.after(who.session()), ..account };
        let (session, begun) = fresh(&account, token, self.now());
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account), Write::Session(session)],
            events: vec![self.own_event(Deed::PasswordChanged, &account)],
        };
        Ok(Plan::Write(change, begun))
    }

    /// Puts a new mobile, which the code proves, in place of the old one. The password proves that it is the owner who
    /// asks: codes for a forgotten password go to the mobile.
    ///
    /// # Errors
    /// `wrong-credentials`; `code-wrong`.
    pub async fn change_mobile(
        &self,
        who: &LoggedIn,
        mobile: &Mobile,
        code: &str,
        password: &str,
        from: Option<Address>,
    ) -> Result<Account, DeskError> {
        let account = who.accepted()?.account();
        self.judge_password(account.owner.login().as_str(), Some(account), password, from).await?;
        let (judged, _) = self.settle(|| Box::pin(self.plan_mobile(who, mobile, code))).await?;
        Ok(judged?)
    }

    async fn plan_mobile(
        &self,
        who: &LoggedIn,
        mobile: &Mobile,
        code: &str,
    ) -> Result<Plan<Judged<Account>>, DeskError> {
        let typed = self.judge_code(Purpose::ChangeMobile, &mobile.clone().into(), code).await?;
        let (mut change, _) = match typed.proven() {
            Ok(proven) => proven,
            Err(refused) => return Ok(refused),
        };
        let (account, revision) = self.own_account(&who.account().owner.login()).await?;
        let account = Account { mobile: mobile.clone(), ..account };
        change.expects.push(unchanged(&account, revision));
        change.writes.push(write(&account));
        change.events.push(self.own_event(Deed::MobileChanged, &account));
        Ok(Plan::Write(change, Ok(account)))
    }

    /// Sends a code that proves an e-mail address. Only for who is logged in: strangers send nobody mail.
    ///
    /// # Errors
    /// As [`Desk::send_code`].
    pub async fn send_email_code(&self, who: &LoggedIn, email: &Email) -> Result<Sent, DeskError> {
        who.accepted()?;
        self.send_code(Purpose::ChangeEmail, &email.clone().into()).await
    }

    /// Sets the e-mail address, which the code proves. No password: reminders go there, and nothing that opens a door.
    ///
    /// # Errors
    /// `code-wrong`.
    pub async fn change_email(
        &self,
        who: &LoggedIn,
        email: &Email,
        code: &str,
    ) -> Result<Account, DeskError> {
        who.accepted()?;
        let (judged, _) = self.settle(|| Box::pin(self.plan_email(who, email, code))).await?;
        Ok(judged?)
    }

    async fn plan_email(
        &self,
        who: &LoggedIn,
        email: &Email,
        code: &str,
    ) -> Result<Plan<Judged<Account>>, DeskError> {
        let to = Contact::Email(email.clone());
        let typed = self.judge_code(Purpose::ChangeEmail, &to, code).await?;
        let (mut change, _) = match typed.proven() {
            Ok(proven) => proven,
            Err(refused) => return Ok(refused),
        };
        let (account, revision) = self.own_account(&who.account().owner.login()).await?;
        let account = Account { email: Some(email.clone()), ..account };
        change.expects.push(unchanged(&account, revision));
        change.writes.push(write(&account));
        change.events.push(self.own_event(Deed::EmailChanged, &account));
        Ok(Plan::Write(change, Ok(account)))
    }

    /// Takes the e-mail address away; where there is none, nothing is done.
    pub async fn remove_email(&self, who: &LoggedIn) -> Result<(), DeskError> {
        who.accepted()?;
        self.settle(|| Box::pin(self.plan_no_email(who))).await?;
        Ok(())
    }

    async fn plan_no_email(&self, who: &LoggedIn) -> Result<Plan<()>, DeskError> {
        let (account, revision) = self.own_account(&who.account().owner.login()).await?;
        if account.email.is_none() {
            return Ok(Plan::Nothing(()));
        }
        let account = Account { email: None, ..account };
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account)],
            events: vec![self.own_event(Deed::EmailRemoved, &account)],
        };
        Ok(Plan::Write(change, ()))
    }

    /// Sets a new password in place of a forgotten one; a code proves the mobile. Every session ends.
    ///
    /// # Errors
    /// `code-wrong`; `identity-not-matched`, which costs one of the code's tries, where the account is not there or has
    /// another mobile.
    pub async fn recover(&self, recovery: &Recovery) -> Result<(), DeskError> {
        let login =
            recovery.account.trim().parse::<LoginName>().map_err(|fault| Refusal::field("account", fault))?;
        let password = Password::parse(&recovery.password, &login, &recovery.mobile)
            .map_err(|fault| Refusal::field("password", fault))?;
        let hash = OnceCell::new();
        let (judged, _) =
            self.settle(|| Box::pin(self.plan_recovery(recovery, &login, &password, &hash))).await?;
        Ok(judged?)
    }

    async fn plan_recovery(
        &self,
        recovery: &Recovery,
        login: &LoginName,
        password: &Password,
        hash: &OnceCell<PasswordHash>,
    ) -> Result<Plan<Judged<()>>, DeskError> {
        let to = recovery.mobile.clone().into();
        let typed = self.judge_code(Purpose::Recovery, &to, &recovery.code).await?;
        let (mut change, charge) = match typed.proven() {
            Ok(proven) => proven,
            Err(refused) => return Ok(refused),
        };
        let found = self.store.account_by_login(login).await?;
        let hash = hash.get_or_try_init(|| self.doors.passwords.hash(password)).await?;
        let Some((account, revision)) =
            found.filter(|(account, _)| account.mobile == recovery.mobile && account.is_open())
        else {
            return Ok(Plan::Write(charge, Err(Refusal::IdentityNotMatched)));
        };
        let sessions_since = self.now().max(account.sessions_since);
        let account = Account { password: hash.clone(), sessions_since, ..account };
        change.expects.push(unchanged(&account, revision));
        change.writes.push(write(&account));
        change.events.push(self.own_event(Deed::PasswordChanged, &account));
        Ok(Plan::Write(change, Ok(())))
    }
}
