//! Staff of authorities: invited by an administrator, in by a link that works once, with a second factor from the first
//! day.

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
use crate::domain::certificate::{Line, Name};
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::identity::CreditCode;
use crate::domain::ids::{AccountId, Malformed, Sha256};
use crate::domain::key::Scope;
use crate::domain::refusal::{FieldFault, Refusal};
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

/// What becomes of a post; what is not named stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostChange {
    /// What they are there for.
    pub role: Option<Role>,
    /// Which region they deal with; `Some(None)` is every region.
    pub region: Option<Option<Region>>,
    /// Whose certificates they deal with; `Some(None)` is every issuer's.
    pub issuer: Option<Option<CreditCode>>,
}

impl PostChange {
    /// Reads what is changed; `*` is every region, and every issuer.
    ///
    /// # Errors
    /// Names every wrong field at once.
    pub fn parse(role: Option<&str>, region: Option<&str>, issuer: Option<&str>) -> Result<Self, Refusal> {
        let mut fields = Fields::default();
        let role = fields.parse_some("role", role);
        let region = some_or_all(&mut fields, "region", region);
        let issuer = some_or_all(&mut fields, "issuer", issuer);
        fields.finish(Some(Self { role, region, issuer }))
    }

    /// The post as it is afterwards.
    fn of(self, post: &Post) -> Post {
        Post {
            role: self.role.unwrap_or(post.role),
            region: self.region.unwrap_or(post.region),
            issuer: self.issuer.unwrap_or(post.issuer),
            ..post.clone()
        }
    }
}

/// Whether a staff member's account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffState {
    /// They did not come yet.
    Invited,
    /// They can log in.
    Active,
    /// They are out.
    Ended,
}

impl StaffState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Invited, Self::Active, Self::Ended];

    /// How an account stands.
    pub fn of(account: &Account) -> Self {
        match (account.ended_at, &account.invitation) {
            (Some(_), _) => Self::Ended,
            (None, Some(_)) => Self::Invited,
            (None, None) => Self::Active,
        }
    }

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Ended => "ended",
        }
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

    /// Changes what a staff member is there for, from their next call on. As with invitations, nobody gives what they do
    /// not have.
    ///
    /// # Errors
    /// `Forbidden`, `foreign-issuer`, `beyond-own-post`, `own-post`, `NotFound`.
    pub async fn change_post(
        &self,
        caller: &Caller,
        id: AccountId,
        change: PostChange,
    ) -> Result<Account, DeskError> {
        let plan = || Box::pin(self.plan_post(caller, id, change)) as _;
        let (account, _) = self.settle(plan).await?;
        Ok(account)
    }

    async fn plan_post(
        &self,
        caller: &Caller,
        id: AccountId,
        change: PostChange,
    ) -> Result<Plan<Account>, DeskError> {
        let (reach, account, revision) = self.other_staff(caller, id).await?;
        let Owner::Staff(held) = &account.owner else { return Err(DeskError::NotFound) };
        let post = change.of(held);
        if post == *held {
            return Ok(Plan::Nothing(account));
        }
        reach.may_give(&post)?;
        let reason = Some(summary(&post)?);
        let account = Account { owner: Owner::Staff(post), ..account };
        let event = Event { reason, ..self.staff_event(Deed::StaffChanged, caller, &account) };
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account)],
            events: vec![event],
        };
        Ok(Plan::Write(change, account))
    }

    /// Ends a staff member's account and all its sessions at once; ending it twice is ending it once.
    ///
    /// # Errors
    /// `Forbidden`, `own-post`, `NotFound`.
    pub async fn end_staff(&self, caller: &Caller, id: AccountId) -> Result<Account, DeskError> {
        let plan = || Box::pin(self.plan_end_of_staff(caller, id)) as _;
        let (account, _) = self.settle(plan).await?;
        Ok(account)
    }

    async fn plan_end_of_staff(&self, caller: &Caller, id: AccountId) -> Result<Plan<Account>, DeskError> {
        let (_, account, revision) = self.other_staff(caller, id).await?;
        if account.ended_at.is_some() {
            return Ok(Plan::Nothing(account));
        }
        let account = Account { ended_at: Some(self.now()), invitation: None, ..account };
        let change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account)],
            events: vec![self.staff_event(Deed::StaffEnded, caller, &account)],
        };
        Ok(Plan::Write(change, account))
    }

    /// The staff that the caller may deal with, ended ones too, oldest first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn staff(&self, caller: &Caller) -> Result<Vec<Account>, DeskError> {
        caller.needs(Scope::StaffWrite)?;
        let reach = self.reach(caller).await?;
        let all = self.store.staff().await?.into_iter();
        Ok(all.filter(|account| reach.deals_with(account)).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn one_of_staff(&self, caller: &Caller, id: AccountId) -> Result<Account, DeskError> {
        let (_, account, _) = self.found_staff(caller, id).await?;
        Ok(account)
    }

    async fn found_staff(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<(Reach, Account, Revision), DeskError> {
        caller.needs(Scope::StaffWrite)?;
        let reach = self.reach(caller).await?;
        let found = self.store.account(id).await?;
        let found = found.filter(|(account, _)| reach.deals_with(account));
        let (account, revision) = found.ok_or(DeskError::NotFound)?;
        Ok((reach, account, revision))
    }

    /// A staff member whom the caller may change: any but themselves.
    async fn other_staff(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<(Reach, Account, Revision), DeskError> {
        let found = self.found_staff(caller, id).await?;
        if caller.actor == Actor::Account(id) { Err(Refusal::OwnPost.into()) } else { Ok(found) }
    }

    /// How far the caller's own rights go just now.
    async fn reach(&self, caller: &Caller) -> Result<Reach, DeskError> {
        let own = match caller.actor {
            Actor::Account(id) => self.store.account(id).await?,
            Actor::Agency(_) | Actor::Service | Actor::Operator => None,
        };
        let post = own.and_then(|(account, _)| match account.owner {
            Owner::Staff(post) => Some(post),
            Owner::Holder(_) | Owner::Unit { .. } => None,
        });
        Ok(Reach { caller: caller.clone(), post })
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

    fn staff_event(&self, deed: Deed, caller: &Caller, account: &Account) -> Event {
        Event { account: Some(account.id), ..self.event(deed, caller.actor) }
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

/// What a field says, if it says anything; `*` is all.
fn some_or_all<T: FromStr<Err = FieldFault>>(
    fields: &mut Fields,
    name: &str,
    text: Option<&str>,
) -> Option<Option<T>> {
    text.map(|text| if text == "*" { None } else { fields.parse(name, text) })
}

/// What a caller has, and therefore may give.
struct Reach {
    caller: Caller,
    /// The caller's own post; a key has none.
    post: Option<Post>,
}

impl Reach {
    /// Whether an account is staff that is any business of the caller's. Who is not is not there.
    fn deals_with(&self, account: &Account) -> bool {
        match &account.owner {
            Owner::Staff(post) => {
                (self.caller.issuer.is_none() || self.caller.issuer == post.issuer)
                    && self.beyond(post).is_none()
            }
            Owner::Holder(_) | Owner::Unit { .. } => false,
        }
    }

    fn may_give(&self, post: &Post) -> Result<(), DeskError> {
        post.role.scopes().iter().try_for_each(|scope| self.caller.needs(*scope))?;
        if self.caller.issuer.is_some() && self.caller.issuer != post.issuer {
            return Err(Refusal::field("issuer", FieldFault::ForeignIssuer).into());
        }
        match self.beyond(post) {
            Some(field) => Err(Refusal::field(field, FieldFault::BeyondOwnPost).into()),
            None => Ok(()),
        }
    }

    /// Where a post reaches further than the caller's own: authorities of a region give nothing outside of it.
    fn beyond(&self, post: &Post) -> Option<&'static str> {
        let own = self.post.as_ref().filter(|own| own.level.is_regional())?;
        if post.level != own.level {
            Some("level")
        } else if own.region.is_some() && post.region != own.region {
            Some("region")
        } else {
            None
        }
    }
}

/// A post in words that stay, for the trail: role, region and issuer.
fn summary(post: &Post) -> Result<Line<200>, DeskError> {
    let region = post.region.map_or_else(|| "*".to_owned(), |region| region.to_string());
    let issuer = post.issuer.map_or_else(|| "*".to_owned(), |issuer| issuer.to_string());
    let text = format!("{} {region} {issuer}", post.role.word());
    text.parse().map_err(|fault| Refusal::field("role", fault).into())
}
