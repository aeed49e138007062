//! Invitations of staff: made by an administrator, in by a link that works once, with a second factor from the first day.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::desk::account::password::Password;
use crate::desk::account::second_factor::{Offer, with_used};
use crate::desk::account::{unchanged, write};
use crate::desk::keys::Secret;
use crate::desk::record::Fields;
use crate::desk::{Caller, Desk, DeskError, Plan};
use crate::domain::account::{Account, Invitation, LoginName, Mobile, Owner, PasswordHash};
use crate::domain::certificate::Name;
use crate::domain::event::Deed;
use crate::domain::identity::CreditCode;
use crate::domain::ids::{AccountId, Malformed, Sha256};
use crate::domain::key::Scope;
use crate::domain::refusal::Refusal;
use crate::domain::staff::{Level, Post, Region, Role};
use crate::domain::totp::Totp;
use crate::store::{Change, Expect, Revision};

/// How long an invitation can be accepted.
pub const INVITATION_LASTS: TimeDelta = TimeDelta::days(3);

/// What every invitation's token begins with, so that scanners for leaked secrets find it.
const PREFIX: &str = "vi_";

/// Who is invited, and for what.
#[derive(Clone, Debug)]
pub struct Invitee {
    /// What they are called.
    pub name: Name,
    /// Where codes for a forgotten password go.
    pub mobile: Mobile,
    /// Their post.
    pub post: Post,
}

/// The same as text, as forms and the command line have it.
#[derive(Clone, Default)]
pub struct InviteeForm {
    /// The name to log in with.
    pub login: String,
    /// What they are called.
    pub name: String,
    /// Mobile number.
    pub mobile: String,
    /// `administrator`, `registrar`, `reviewer` or `auditor`.
    pub role: String,
    /// `province`, `association`, `ministry` or `department`.
    pub level: String,
    /// Two digits.
    pub region: Option<String>,
    /// Credit code of the one issuer.
    pub issuer: Option<String>,
}

impl InviteeForm {
    /// Reads every field.
    ///
    /// # Errors
    /// Names every wrong one at once.
    pub fn parse(&self) -> Result<Invitee, Refusal> {
        let mut fields = Fields::default();
        let login: Option<LoginName> = fields.parse("login", self.login.trim());
        let name: Option<Name> = fields.parse("name", &self.name);
        let mobile: Option<Mobile> = fields.parse("mobile", self.mobile.trim());
        let role: Option<Role> = fields.parse("role", &self.role);
        let level: Option<Level> = fields.parse("level", &self.level);
        let region: Option<Region> = fields.parse_some("region", self.region.as_deref());
        let issuer: Option<CreditCode> = fields.parse_some("issuer", self.issuer.as_deref());
        let invitee = (|| {
            let post = Post { login: login?, level: level?, region, role: role?, issuer };
            Some(Invitee { name: name?, mobile: mobile?, post })
        })();
        fields.finish(invitee)
    }
}

/// An invitation that was just made; its token is shown this once.
#[derive(Clone, Debug)]
pub struct Invited {
    /// Whose account it opens.
    pub account: Account,
    /// `vi_…`, for the link.
    pub token: Secret,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

impl Invited {
    /// The link to be handed on.
    pub fn link(&self, public_url: &str) -> String {
        format!("{public_url}/invitations/{}", self.token.reveal())
    }
}

/// An invitation as its receiver sees it.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// Whose it is.
    pub account: Account,
    /// The second factor to put into an authenticator app.
    pub offer: Offer,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

/// The token of a link as it is read: the account's name, and the digest of it all with its 256 bits of chance.
#[derive(Clone, Copy, Debug)]
pub struct InvitationToken {
    account: AccountId,
    digest: Sha256,
}

impl InvitationToken {
    fn text(account: AccountId, chance: &[u8; 32]) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([&account.as_bytes()[..], chance].concat()))
    }
}

impl FromStr for InvitationToken {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed("invitation");
        let bytes = text.strip_prefix(PREFIX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let bytes: [u8; 48] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(malformed)?;
        let (account, _) = bytes.split_first_chunk().ok_or(malformed)?;
        let digest = crate::desk::digest(text.as_bytes());
        Ok(Self { account: AccountId::from_bytes(*account), digest })
    }
}

impl Desk {
    /// Invites somebody to a post. Nobody gives what they do not have: neither scopes nor another issuer, nor, as staff of
    /// a region, another region or level.
    ///
    /// # Errors
    /// `Forbidden`, `foreign-issuer`, `beyond-own-post`, `login-taken`.
    pub async fn invite(&self, caller: &Caller, invitee: &Invitee) -> Result<Invited, DeskError> {
        caller.needs(Scope::StaffWrite)?;
        self.reach(caller).await?.may_give(&invitee.post)?;
        let owner = Owner::Staff(invitee.post.clone());
        let nobodys = PasswordHash(String::new());
        let account = self.new_account(owner, invitee.name.clone(), invitee.mobile.clone(), nobodys)?;
        let (account, token) = self.with_invitation(account)?;
        let plan = || Box::pin(self.plan_invitation(caller, &account)) as _;
        self.settle(plan).await?;
        Ok(invited(account, token))
    }

    async fn plan_invitation(&self, caller: &Caller, account: &Account) -> Result<Plan<()>, DeskError> {
        let login = account.owner.login();
        if self.store.account_by_login(&login).await?.is_some() {
            return Err(Refusal::LoginTaken.into());
        }
        let change = Change {
            expects: vec![Expect::Account(login, None)],
            writes: vec![write(account)],
            events: vec![self.staff_event(Deed::StaffInvited, caller, account)],
        };
        Ok(Plan::Write(change, ()))
    }

    /// Invites a staff member anew: password and second factor are void at once, and so is an earlier link. As with the
    /// first invitation, nobody gives what they do not have.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; `own-post`.
    pub async fn invite_again(&self, caller: &Caller, id: AccountId) -> Result<Invited, DeskError> {
        let plan = || Box::pin(self.plan_other_invitation(caller, id)) as _;
        let (invited, _) = self.settle(plan).await?;
        Ok(invited)
    }

    async fn plan_other_invitation(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<Plan<Invited>, DeskError> {
        let (reach, account, revision) = self.other_staff(caller, id).await?;
        let Owner::Staff(post) = &account.owner else { return Err(DeskError::NotFound) };
        // The link leads in: whoever gets it gets what the post may do.
        reach.may_give(post)?;
        let account = Account {
            password: PasswordHash(String::new()),
            ended_at: None,
            sessions_since: self.now().max(account.sessions_since),
            ..account
        };
        let (account, token) = self.with_invitation(account)?;
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account)],
            events: vec![self.staff_event(Deed::StaffInvited, caller, &account)],
        };
        Ok(Plan::Write(change, invited(account, token)))
    }

    fn with_invitation(&self, account: Account) -> Result<(Account, String), DeskError> {
        let text = InvitationToken::text(account.id, &crate::desk::chance()?);
        let invitation = Invitation {
            token: crate::desk::digest(text.as_bytes()),
            expires_at: self.now() + INVITATION_LASTS,
        };
        let totp = Some(Totp::new(crate::desk::chance()?));
        Ok((Account { invitation: Some(invitation), totp, ..account }, text))
    }

    /// An invitation that can still be accepted.
    ///
    /// # Errors
    /// `invitation-over` for one that was accepted, taken back or is too old, and for what never was one.
    pub async fn invitation(&self, token: InvitationToken) -> Result<Welcome, DeskError> {
        let (account, _, expires_at) = self.invited_account(token).await?;
        let totp = account.totp.as_ref().ok_or(Refusal::InvitationOver)?;
        Ok(Welcome { offer: Offer::of(&totp.secret, &account), account, expires_at })
    }

    async fn invited_account(
        &self,
        token: InvitationToken,
    ) -> Result<(Account, Revision, DateTime<Utc>), DeskError> {
        let over = || DeskError::from(Refusal::InvitationOver);
        let (account, revision) = self.store.account(token.account).await?.ok_or_else(over)?;
        let invitation = account.invitation.as_ref().filter(|invitation| {
            invitation.token == token.digest
                && self.now() < invitation.expires_at
                && account.ended_at.is_none()
        });
        let expires_at = invitation.ok_or_else(over)?.expires_at;
        Ok((account, revision, expires_at))
    }

    /// Accepts an invitation: sets the password, and proves by a code that the authenticator app has the second factor.
    ///
    /// # Errors
    /// `invitation-over`; what is wrong with the password; `second-factor-wrong`.
    pub async fn accept_invitation(
        &self,
        token: InvitationToken,
        password: &str,
        typed: &str,
    ) -> Result<Account, DeskError> {
        let (account, _, _) = self.invited_account(token).await?;
        let password = Password::parse(password, &account.owner.login(), &account.mobile)
            .map_err(|fault| Refusal::field("password", fault))?;
        // A wrong code costs no hash.
        with_used(&account, typed, self.now())?;
        let hash = self.doors.passwords.hash(&password).await?;
        let (account, _) = self.settle(|| Box::pin(self.plan_acceptance(token, &hash, typed))).await?;
        Ok(account)
    }

    async fn plan_acceptance(
        &self,
        token: InvitationToken,
        hash: &PasswordHash,
        typed: &str,
    ) -> Result<Plan<Account>, DeskError> {
        let (account, revision, _) = self.invited_account(token).await?;
        let account = with_used(&account, typed, self.now())?;
        let account = Account { password: hash.clone(), invitation: None, ..account };
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account)],
            events: vec![self.own_event(Deed::InvitationAccepted, &account)],
        };
        Ok(Plan::Write(change, account))
    }
}

fn invited(account: Account, token: String) -> Invited {
    let expires_at =
        account.invitation.as_ref().map_or(account.created_at, |invitation| invitation.expires_at);
    Invited { account, token: Secret::new(token), expires_at }
}
