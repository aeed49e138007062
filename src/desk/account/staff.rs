//! Staff of authorities: who they are, what their posts are, and who may change them.

use std::str::FromStr;

use crate::desk::account::{unchanged, write};
use crate::desk::record::Fields;
use crate::desk::{Caller, Desk, DeskError, Plan};
use crate::domain::account::{Account, Owner};
use crate::domain::certificate::Line;
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::identity::CreditCode;
use crate::domain::ids::AccountId;
use crate::domain::key::Scope;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::domain::staff::{Post, Region, Role};
use crate::store::{Change, Revision};

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

impl Desk {
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
    pub(super) async fn other_staff(
        &self,
        caller: &Caller,
        id: AccountId,
    ) -> Result<(Reach, Account, Revision), DeskError> {
        let found = self.found_staff(caller, id).await?;
        if caller.actor == Actor::Account(id) { Err(Refusal::OwnPost.into()) } else { Ok(found) }
    }

    /// How far the caller's own rights go just now.
    pub(super) async fn reach(&self, caller: &Caller) -> Result<Reach, DeskError> {
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

    pub(super) fn staff_event(&self, deed: Deed, caller: &Caller, account: &Account) -> Event {
        Event { account: Some(account.id), ..self.event(deed, caller.actor) }
    }
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
pub(super) struct Reach {
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

    pub(super) fn may_give(&self, post: &Post) -> Result<(), DeskError> {
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
