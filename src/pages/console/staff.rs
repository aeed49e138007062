//! Staff in the console: invited, given another post, invited anew, ended. The link of an invitation is shown once, on the
//! page that answers its making.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use crate::desk::DeskError;
use crate::desk::account::invitation::{Invited, InviteeForm};
use crate::desk::account::staff::{PostChange, StaffState};
use crate::domain::account::{Account, Owner};
use crate::domain::ids::AccountId;
use crate::domain::staff::{Level, Post, Role};
use crate::pages::assets::Assets;
use crate::pages::console::{Id, STAFF, Shell, Visit, admit, asked, wording};
use crate::pages::failure::{Failure, failure};
use crate::pages::faults::Faults;
use crate::pages::form::{Sent, read};
use crate::pages::speech::{Dated, Speech};
use crate::pages::{Counter, page, see_other};

pub(super) fn router() -> Router<Counter> {
    Router::new()
        .route("/console/staff", get(list).post(invite))
        .route("/console/staff/{id}", get(show))
        .route("/console/staff/{id}/post", post(change))
        .route("/console/staff/{id}/invitation", post(invite_again))
        .route("/console/staff/{id}/end", post(end))
}

fn link_to(id: AccountId, say: Speech) -> String {
    format!("{}/{id}{}", STAFF.path, say.query())
}

/// A link that was just made, and until when it leads in.
struct Link {
    address: String,
    until: Dated,
}

impl Link {
    fn of(counter: &Counter, invited: &Invited, say: Speech) -> Self {
        Self {
            address: invited.link(&counter.desk.rules().public_url),
            until: say.moment(invited.expires_at),
        }
    }
}

// ---- what may be given ----------------------------------------------------------------------------------------------

/// What was typed; in a form of a post the first three are not there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    name: String,
    login: String,
    mobile: String,
    level: String,
    role: String,
    /// Empty for every region.
    region: String,
    /// Empty for every issuer.
    issuer: String,
}

impl Typed {
    /// A post as its form shows it.
    fn of(post: &Post) -> Self {
        Self {
            level: post.level.word().to_owned(),
            role: post.role.word().to_owned(),
            region: post.region.map(|region| region.to_string()).unwrap_or_default(),
            issuer: post.issuer.map(|issuer| issuer.to_string()).unwrap_or_default(),
            ..Self::default()
        }
    }

    fn region(&self) -> Option<&str> {
        Some(self.region.as_str()).filter(|region| !region.is_empty())
    }

    fn issuer(&self) -> Option<String> {
        Some(self.issuer.trim().to_uppercase()).filter(|issuer| !issuer.is_empty())
    }

    fn invitee(&self) -> InviteeForm {
        InviteeForm {
            login: self.login.clone(),
            name: self.name.clone(),
            mobile: self.mobile.clone(),
            role: self.role.clone(),
            level: self.level.clone(),
            region: self.region().map(str::to_owned),
            issuer: self.issuer(),
        }
    }
}

struct Choice {
    word: String,
    words: String,
    chosen: bool,
}

/// The posts that somebody may give: nobody gives what they do not have.
struct Choices {
    roles: Vec<Choice>,
    levels: Vec<Choice>,
    regions: Vec<Choice>,
    /// The one issuer that the giver's own rights are bound to.
    bound: Option<String>,
}

impl Choices {
    fn of(visit: &Visit, typed: &Typed) -> Self {
        let (say, own) = (visit.say, visit.staff.post());
        let may_give = |role: &Role| role.scopes().iter().all(|scope| visit.may(*scope));
        let role = |role: Role| Choice {
            word: role.word().to_owned(),
            words: wording::role(role, say).to_owned(),
            chosen: role.word() == typed.role,
        };
        let level = |level: Level| Choice {
            word: level.word().to_owned(),
            words: wording::level(level, say).to_owned(),
            chosen: level.word() == typed.level,
        };
        let region = |digits: &str| Choice {
            word: digits.to_owned(),
            words: wording::region(digits, say),
            chosen: digits == typed.region,
        };
        let every = || Choice {
            word: String::new(),
            words: say.pick("所有地区", "Every region").to_owned(),
            chosen: typed.region.is_empty(),
        };
        let regional = own.level.is_regional();
        let regions = match own.region.filter(|_| regional) {
            Some(own) => vec![region(&own.to_string())],
            None => {
                let known = wording::REGIONS.iter().map(|(digits, _, _)| *digits);
                let other = Some(typed.region.as_str())
                    .filter(|it| !it.is_empty() && known.clone().all(|k| k != *it));
                std::iter::once(every()).chain(known.chain(other).map(region)).collect()
            }
        };
        Self {
            roles: Role::ALL.into_iter().filter(may_give).map(role).collect(),
            levels: Level::ALL.into_iter().filter(|it| !regional || *it == own.level).map(level).collect(),
            regions,
            bound: own.issuer.map(|issuer| issuer.to_string()),
        }
    }
}

// ---- all of them, and the form that invites -------------------------------------------------------------------------

struct Member {
    link: String,
    name: String,
    login: String,
    state: &'static str,
    tone: &'static str,
    role: &'static str,
    level: &'static str,
    region: String,
    /// The one issuer; every one where none.
    issuer: Option<String>,
}

impl Member {
    fn of(account: &Account, post: &Post, say: Speech) -> Self {
        let state = StaffState::of(account);
        let region = post.region.map(|region| wording::region(&region.to_string(), say));
        Self {
            link: link_to(account.id, say),
            name: account.name.to_string(),
            login: post.login.as_str().to_owned(),
            state: wording::staff_state(state, say),
            tone: match state {
                StaffState::Active => "jade",
                StaffState::Invited => "ochre",
                StaffState::Ended => "vermilion",
            },
            role: wording::role(post.role, say),
            level: wording::level(post.level, say),
            region: region.unwrap_or_else(|| say.pick("所有地区", "Every region").to_owned()),
            issuer: post.issuer.map(|issuer| issuer.to_string()),
        }
    }
}

#[derive(Template)]
#[template(path = "console/staff.html", config = "src/pages/askama.toml")]
struct ListPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    faults: Faults,
    invited: Option<Link>,
    members: Vec<Member>,
    typed: &'a Typed,
    choices: Choices,
}

async fn list_page(
    counter: &Counter,
    visit: &Visit,
    typed: &Typed,
    faults: Faults,
    invited: Option<Link>,
) -> Response {
    let say = visit.say;
    let staff = match counter.desk.staff(visit.caller()).await {
        Ok(staff) => staff,
        Err(error) => return visit.undone(counter, &error),
    };
    let member = |account: &Account| match &account.owner {
        Owner::Staff(post) => Some(Member::of(account, post, say)),
        Owner::Holder(_) | Owner::Unit { .. } => None,
    };
    let status = if invited.is_some() { StatusCode::CREATED } else { faults.status() };
    let html = ListPage {
        say,
        assets: Assets,
        shell: &visit.shell,
        faults,
        invited,
        members: staff.iter().rev().filter_map(member).collect(),
        typed,
        choices: Choices::of(visit, typed),
    };
    page(&html, status, say)
}

async fn list(State(counter): State<Counter>, headers: HeaderMap, say: Speech) -> Response {
    match admit(&counter, &headers, STAFF, say).await {
        Ok(visit) => list_page(&counter, &visit, &Typed::default(), Faults::default(), None).await,
        Err(elsewhere) => elsewhere,
    }
}

async fn invite(
    State(counter): State<Counter>,
    headers: HeaderMap,
    say: Speech,
    sent: Sent<Typed>,
) -> Response {
    let visit = match admit(&counter, &headers, STAFF, say).await {
        Ok(visit) => visit,
        Err(elsewhere) => return elsewhere,
    };
    let typed = read(sent);
    let made = match typed.invitee().parse() {
        Ok(invitee) => counter.desk.invite(visit.caller(), &invitee).await,
        Err(refusal) => Err(refusal.into()),
    };
    match made {
        Ok(invited) => {
            let link = Some(Link::of(&counter, &invited, say));
            list_page(&counter, &visit, &Typed::default(), Faults::default(), link).await
        }
        Err(DeskError::Refused(refusal)) => {
            list_page(&counter, &visit, &typed, Faults::of_refusal(&refusal, say), None).await
        }
        Err(error) => visit.undone(&counter, &error),
    }
}

// ---- one of them ----------------------------------------------------------------------------------------------------

#[derive(Template)]
#[template(path = "console/staff_member.html", config = "src/pages/askama.toml")]
struct MemberPage<'a> {
    say: Speech,
    assets: Assets,
    shell: &'a Shell,
    faults: Faults,
    here: String,
    id: String,
    member: Member,
    mobile: String,
    since: Dated,
    /// Of oneself nothing is changed.
    is_own: bool,
    is_ended: bool,
    invited: Option<Link>,
    typed: &'a Typed,
    choices: Choices,
}

fn member_page(
    visit: &Visit,
    account: &Account,
    typed: Option<&Typed>,
    faults: Faults,
    invited: Option<Link>,
) -> Response {
    let say = visit.say;
    let Owner::Staff(post) = &account.owner else { return failure(Failure::NotFound, say) };
    let held = Typed::of(post);
    let typed = typed.unwrap_or(&held);
    let status = faults.status();
    let html = MemberPage {
        say,
        assets: Assets,
        shell: &visit.shell,
        faults,
        here: format!("{}/{}", STAFF.path, account.id),
        id: account.id.to_string(),
        member: Member::of(account, post, say),
        mobile: account.mobile.masked(),
        since: say.moment(account.created_at),
        is_own: account.id == visit.staff.who().account().id,
        is_ended: account.ended_at.is_some(),
        invited,
        typed,
        choices: Choices::of(visit, typed),
    };
    page(&html, status, say)
}

async fn show(State(counter): State<Counter>, headers: HeaderMap, id: Id, say: Speech) -> Response {
    let (visit, id) = match asked::<AccountId>(&counter, &headers, STAFF, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.one_of_staff(visit.caller(), id).await {
        Ok(account) => member_page(&visit, &account, None, Faults::default(), None),
        Err(error) => visit.undone(&counter, &error),
    }
}

async fn change(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
    sent: Sent<Typed>,
) -> Response {
    let (visit, id) = match asked::<AccountId>(&counter, &headers, STAFF, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    let typed = read(sent);
    let (region, issuer) = (typed.region().unwrap_or("*"), typed.issuer().unwrap_or_else(|| "*".to_owned()));
    let done = match PostChange::parse(Some(&typed.role), Some(region), Some(&issuer)) {
        Ok(change) => counter.desk.change_post(visit.caller(), id, change).await,
        Err(refusal) => Err(refusal.into()),
    };
    let refusal = match done {
        Ok(_) => return see_other(&link_to(id, say)),
        Err(DeskError::Refused(refusal)) => refusal,
        Err(error) => return visit.undone(&counter, &error),
    };
    match counter.desk.one_of_staff(visit.caller(), id).await {
        Ok(account) => member_page(&visit, &account, Some(&typed), Faults::of_refusal(&refusal, say), None),
        Err(error) => visit.undone(&counter, &error),
    }
}

async fn invite_again(State(counter): State<Counter>, headers: HeaderMap, id: Id, say: Speech) -> Response {
    let (visit, id) = match asked::<AccountId>(&counter, &headers, STAFF, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.invite_again(visit.caller(), id).await {
        Ok(invited) => {
            let link = Some(Link::of(&counter, &invited, say));
            member_page(&visit, &invited.account, None, Faults::default(), link)
        }
        Err(error) => visit.undone(&counter, &error),
    }
}

async fn end(State(counter): State<Counter>, headers: HeaderMap, id: Id, say: Speech) -> Response {
    let (visit, id) = match asked::<AccountId>(&counter, &headers, STAFF, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.end_staff(visit.caller(), id).await {
        Ok(_) => see_other(&link_to(id, say)),
        Err(error) => visit.undone(&counter, &error),
    }
}
