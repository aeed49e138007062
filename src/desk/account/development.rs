//! Accounts without ceremony, for development and the demo: verified by nobody, the notice accepted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::desk::account::password::Password;
use crate::desk::account::second_factor::Offer;
use crate::desk::account::session::{Begun, draw_token, fresh};
use crate::desk::account::{unchanged, write};
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::{Account, LoginName, Mobile, NOTICE_VERSION, Owner, PasswordHash};
use crate::domain::certificate::Name;
use crate::domain::event::Deed;
use crate::domain::identity::{PersonId, RESIDENT_CARD};
use crate::domain::refusal::Refusal;
use crate::domain::totp::Totp;
use crate::store::{Change, Expect, Write};

/// An account to be made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) owner: Owner,
    pub(crate) name: Name,
    pub(crate) mobile: Mobile,
    /// Without one nobody logs in with a password.
    pub(crate) password: Option<String>,
}

/// An account that was made, or was there, and a session of it.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) account: Account,
    pub(crate) begun: Begun,
}

impl Ready {
    /// The secret of its second factor, in base32.
    pub(crate) fn second_factor(&self) -> Option<String> {
        self.account.totp.as_ref().map(|totp| Offer::of(&totp.secret, &self.account).secret)
    }
}

impl Desk {
    /// Makes an account that has accepted the notice, or takes the one that there is, and begins a session of it.
    pub(crate) async fn make_account(&self, made: Made) -> Result<Ready, DeskError> {
        let hash = match &made.password {
            Some(text) => {
                let password = Password::parse(text, &made.owner.login(), &made.mobile)
                    .map_err(|fault| Refusal::field("password", fault))?;
                Some(self.doors.passwords.hash(&password).await?)
            }
            None => None,
        };
        let token = draw_token()?;
        let (answer, _) = self.settle(|| Box::pin(self.plan_account(&made, hash.as_ref(), &token))).await?;
        Ok(answer)
    }

    async fn plan_account(
        &self,
        made: &Made,
        hash: Option<&PasswordHash>,
        token: &str,
    ) -> Result<Plan<Ready>, DeskError> {
        let login = made.owner.login();
        let (account, expected, deed) = match self.store.account_by_login(&login).await? {
            Some((account, revision)) => {
                let password = hash.cloned().unwrap_or(account.password);
                let account = Account { password, ..account };
                let expected = unchanged(&account, revision);
                (account, expected, Deed::SessionBegun)
            }
            None => {
                let password = hash.cloned().unwrap_or(PasswordHash(String::new()));
                let account =
                    self.new_account(made.owner.clone(), made.name.clone(), made.mobile.clone(), password)?;
                (account, Expect::Account(login, None), Deed::AccountOpened)
            }
        };
        let mut account = Account { notice: Some((NOTICE_VERSION, self.now())), ..account };
        // Staff with a password log in with a second factor too.
        if hash.is_some() && matches!(account.owner, Owner::Staff(_)) && account.totp.is_none() {
            account.totp = Some(Totp::new(crate::desk::chance()?));
        }
        let (session, begun) = fresh(&account, token, self.now());
        let mut change = Change {
            expects: vec![expected],
            writes: vec![write(&account), Write::Session(session)],
            events: vec![self.own_event(deed, &account)],
        };
        self.enter_company(&account, &mut change).await?;
        Ok(Plan::Write(change, Ready { account, begun }))
    }
}

/// A valid identity number that nobody has: of an area that does not exist.
pub(crate) fn fictitious_person() -> Result<PersonId, DeskError> {
    let [a, b, c, d] = crate::desk::chance::<4>()?;
    let (year, month, day) = (1960 + u32::from(a) % 40, u32::from(b) % 12 + 1, u32::from(c) % 28 + 1);
    let body = format!("990000{year:04}{month:02}{day:02}{:03}", u32::from(d) + 100);
    // Of the eleven check digits one fits.
    let fits = "0123456789X"
        .chars()
        .find_map(|check| PersonId::parse(RESIDENT_CARD, &format!("{body}{check}")).ok());
    fits.ok_or(DeskError::Unavailable("busy"))
}

/// A password that nobody has used before.
pub(crate) fn draw_password() -> Result<String, DeskError> {
    Ok(URL_SAFE_NO_PAD.encode(crate::desk::chance::<12>()?))
}

/// A staff member's name that nobody has.
pub(crate) fn fictitious_staff_login() -> Result<LoginName, DeskError> {
    let [a, b, c, d] = crate::desk::chance::<4>()?;
    let name = format!("STAFF-{a:02X}{b:02X}{c:02X}{d:02X}");
    name.parse().map_err(|_| DeskError::Unavailable("busy"))
}
