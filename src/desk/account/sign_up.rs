//! Opening an account: who has a certificate and the mobile that a code went to.

use std::fmt;

use tokio::sync::OnceCell;

use crate::desk::account::password::Password;
use crate::desk::account::{Judged, write};
use crate::desk::record::Fields;
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::{Account, Mobile, Owner, PasswordHash, Purpose};
use crate::domain::certificate::{Name, Standing, same_name};
use crate::domain::event::Deed;
use crate::domain::identity::{PersonId, PersonIdFault, RESIDENT_CARD};
use crate::domain::ids::AccountId;
use crate::domain::query::CertificateQuery;
use crate::domain::refusal::Refusal;
use crate::store::{Change, Expect};

/// What somebody types to open an account.
#[derive(Clone)]
pub struct SignUpForm {
    /// Name as on the certificate.
    pub name: String,
    /// Kind of identity document (GA/T 517).
    pub id_type: String,
    /// Identity number as when the certificate was obtained.
    pub id_number: String,
    /// Mobile number.
    pub mobile: String,
    /// Password.
    pub password: String,
    /// The code that was sent to the mobile.
    pub code: String,
}

impl fmt::Debug for SignUpForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignUpForm(…)")
    }
}

/// A form whose every field is parsed.
struct Applicant {
    owner: Owner,
    person: PersonId,
    name: Name,
    mobile: Mobile,
    password: Password,
    code: String,
}

impl SignUpForm {
    fn parse(self) -> Result<Applicant, Refusal> {
        let mut fields = Fields::default();
        let name = fields.parse("name", &self.name);
        let person = parse_person(&mut fields, &self.id_type, &self.id_number);
        let mobile: Option<Mobile> = fields.parse("mobile", self.mobile.trim());
        let owner = person.clone().map(Owner::Holder);
        let password = owner.as_ref().zip(mobile.as_ref()).and_then(|(owner, mobile)| {
            fields.take("password", Password::parse(&self.password, &owner.login(), mobile))
        });
        let applicant = (|| {
            let (owner, person) = (owner?, person?);
            Some(Applicant {
                owner,
                person,
                name: name?,
                mobile: mobile?,
                password: password?,
                code: self.code,
            })
        })();
        fields.finish(applicant)
    }
}

/// An identity document as people type it: with white space around it, and a small x for the check digit.
pub(crate) fn parse_person(fields: &mut Fields, id_type: &str, number: &str) -> Option<PersonId> {
    let (id_type, number) = (id_type.trim(), number.trim());
    let number = if id_type == RESIDENT_CARD { number.to_ascii_uppercase() } else { number.to_owned() };
    match PersonId::parse(id_type, &number) {
        Ok(person) => Some(person),
        Err(PersonIdFault::Type(fault)) => fields.take("id_type", Err(fault)),
        Err(PersonIdFault::Number(fault)) => fields.take("id_number", Err(fault)),
    }
}

impl Desk {
    /// Opens the account of a person of the register, whose mobile the code proves.
    ///
    /// # Errors
    /// `invalid-fields`; `code-wrong`; `identity-not-matched`, which costs one of the code's tries, whether nobody of
    /// the register has this number, or under another name, or there is an account already.
    pub async fn sign_up(&self, form: SignUpForm) -> Result<AccountId, DeskError> {
        let applicant = form.parse()?;
        let hash = OnceCell::new();
        let (judged, _) = self.settle(|| Box::pin(self.plan_sign_up(&applicant, &hash))).await?;
        Ok(judged?)
    }

    async fn plan_sign_up(
        &self,
        applicant: &Applicant,
        hash: &OnceCell<PasswordHash>,
    ) -> Result<Plan<Judged<AccountId>>, DeskError> {
        let Applicant { owner, name, mobile, password, code, .. } = applicant;
        let typed = self.judge_code(Purpose::SignUp, &mobile.clone().into(), code).await?;
        let (redeem, charge) = match typed.proven() {
            Ok(proven) => proven,
            Err(refused) => return Ok(refused),
        };
        // All of it in every case, so that the time tells nothing.
        let is_known = self.knows(&applicant.person, name).await?;
        let is_taken = self.store.account_by_login(&owner.login()).await?.is_some();
        let hash = hash.get_or_try_init(|| self.doors.passwords.hash(password)).await?;
        if is_taken || !is_known {
            return Ok(Plan::Write(charge, Err(Refusal::IdentityNotMatched)));
        }
        let account = self.new_account(owner.clone(), name.clone(), mobile.clone(), hash.clone())?;
        self.opening(redeem, &account).await
    }

    /// Opens an account with what redeems the code that was sent to its mobile.
    pub(super) async fn opening(
        &self,
        redeem: Change,
        account: &Account,
    ) -> Result<Plan<Judged<AccountId>>, DeskError> {
        let mut change = redeem;
        change.expects.push(Expect::Account(account.owner.login(), None));
        change.writes.push(write(account));
        change.events.push(self.own_event(Deed::AccountOpened, account));
        self.enter_company(account, &mut change).await?;
        Ok(Plan::Write(change, Ok(account.id)))
    }

    /// Whether the register has a certificate of this person under this name; a version that was replaced says nothing
    /// any more.
    async fn knows(&self, person: &PersonId, name: &Name) -> Result<bool, DeskError> {
        let query =
            CertificateQuery { person: Some(person.clone()), limit: 500, ..CertificateQuery::default() };
        let found = self.store.certificates(&query).await?.items;
        Ok(found.iter().any(|certificate| {
            !matches!(certificate.standing, Standing::Superseded { .. })
                && same_name(&certificate.details.holder.name, name)
        }))
    }

    pub(super) fn new_account(
        &self,
        owner: Owner,
        name: Name,
        mobile: Mobile,
        password: PasswordHash,
    ) -> Result<Account, DeskError> {
        let now = self.now();
        Ok(Account {
            id: AccountId::mint(now, crate::desk::chance()?),
            owner,
            name,
            mobile,
            email: None,
            password,
            totp: None,
            invitation: None,
            ended_at: None,
            notice: None,
            created_at: now,
            sessions_since: now,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn every_wrong_field_is_named_at_once_and_a_small_x_is_an_x() {
        let form = SignUpForm {
            name: " ".into(),
            id_type: "111".into(),
            id_number: "110105194912310021".into(),
            mobile: "12".into(),
            password: "short".into(),
            code: String::new(),
        };
        let Err(Refusal::Invalid(errors)) = form.clone().parse() else { panic!("it was taken") };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["name", "id_number", "mobile"]);
        let form = SignUpForm {
            name: "张三".into(),
            id_number: " 11010519491231002x ".into(),
            mobile: "13800005678".into(),
            ..form
        };
        let Err(Refusal::Invalid(errors)) = form.clone().parse() else { panic!("it was taken") };
        assert_eq!(errors[0].field, "password");
        let applicant = SignUpForm { password: "correct horse battery".into(), ..form }.parse().unwrap();
        assert_eq!(applicant.person.number(), "11010519491231002X");
    }
}
