//! Units (employers): how they open an account, and what they say of themselves.

use std::fmt;

use tokio::sync::OnceCell;

use crate::desk::account::password::Password;
use crate::desk::account::session::LoggedIn;
use crate::desk::account::{Judged, unchanged, write};
use crate::desk::record::Fields;
use crate::desk::{Desk, DeskError, Plan};
use crate::domain::account::{Account, Mobile, Owner, PasswordHash, Purpose};
use crate::domain::certificate::Name;
use crate::domain::event::Deed;
use crate::domain::identity::CreditCode;
use crate::domain::ids::AccountId;
use crate::domain::refusal::applying::Applying;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::store::Change;

/// Most former names of a unit.
pub const FORMER_NAMES: usize = 10;

/// What a unit types to open an account.
#[derive(Clone)]
pub struct UnitForm {
    /// What it is called.
    pub name: String,
    /// Its unified social credit code.
    pub uscc: String,
    /// 曾用名: what it was called before.
    pub former_names: Vec<String>,
    /// Mobile number.
    pub mobile: String,
    /// Password.
    pub password: String,
    /// The code of purpose `sign_up` that was sent to the mobile.
    pub code: String,
}

impl fmt::Debug for UnitForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnitForm(…)")
    }
}

/// A form whose every field is parsed.
struct Applicant {
    owner: Owner,
    name: Name,
    mobile: Mobile,
    password: Password,
    code: String,
}

impl UnitForm {
    fn parse(self) -> Result<Applicant, Refusal> {
        let mut fields = Fields::default();
        let name: Option<Name> = fields.parse("name", &self.name);
        let uscc: Option<CreditCode> = fields.parse("uscc", &self.uscc.trim().to_ascii_uppercase());
        let former_names = parse_former(&mut fields, &self.former_names, name.as_ref());
        let mobile: Option<Mobile> = fields.parse("mobile", self.mobile.trim());
        let owner = uscc.map(|uscc| Owner::Unit { uscc, former_names });
        let password = owner.as_ref().zip(mobile.as_ref()).and_then(|(owner, mobile)| {
            fields.take("password", Password::parse(&self.password, &owner.login(), mobile))
        });
        let applicant = (|| {
            let code = self.code;
            Some(Applicant { owner: owner?, name: name?, mobile: mobile?, password: password?, code })
        })();
        fields.finish(applicant)
    }
}

/// Names that differ from each other and from the one in use.
fn parse_former(fields: &mut Fields, typed: &[String], name: Option<&Name>) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for (at, text) in typed.iter().enumerate() {
        let parsed: Option<Name> = fields.parse(&format!("former_names[{at}]"), text);
        names.extend(parsed.filter(|former| Some(former) != name && !names.contains(former)));
    }
    if names.len() > FORMER_NAMES {
        fields.fault("former_names", FieldFault::OutOfRange("0–10"));
    }
    names
}

impl Desk {
    /// Opens the account of a unit; the code proves the mobile. Who is behind it is proved by nothing: an account of a
    /// unit opens no certificate.
    ///
    /// # Errors
    /// `invalid-fields`; `code-wrong`; `unit-taken`, which costs one of the code's tries.
    pub async fn sign_up_unit(&self, form: UnitForm) -> Result<AccountId, DeskError> {
        let applicant = form.parse()?;
        let hash = OnceCell::new();
        let (judged, _) = self.settle(|| Box::pin(self.plan_unit(&applicant, &hash))).await?;
        Ok(judged?)
    }

    async fn plan_unit(
        &self,
        applicant: &Applicant,
        hash: &OnceCell<PasswordHash>,
    ) -> Result<Plan<Judged<AccountId>>, DeskError> {
        let Applicant { owner, name, mobile, password, code } = applicant;
        let typed = self.judge_code(Purpose::SignUp, &mobile.clone().into(), code).await?;
        let (redeem, charge) = match typed.proven() {
            Ok(proven) => proven,
            Err(refused) => return Ok(refused),
        };
        if self.store.account_by_login(&owner.login()).await?.is_some() {
            return Ok(Plan::Write(charge, Err(Refusal::Applying(Applying::UnitTaken))));
        }
        let hash = hash.get_or_try_init(|| self.doors.passwords.hash(password)).await?;
        let account = self.new_account(owner.clone(), name.clone(), mobile.clone(), hash.clone())?;
        self.opening(redeem, &account).await
    }

    /// Sets what a unit was called before, all of it at once.
    ///
    /// # Errors
    /// `NotFound` for accounts of persons; `invalid-fields`.
    pub async fn set_former_names(&self, who: &LoggedIn, typed: &[String]) -> Result<Account, DeskError> {
        let Owner::Unit { .. } = who.account().owner else { return Err(DeskError::NotFound) };
        let mut fields = Fields::default();
        let names = parse_former(&mut fields, typed, Some(&who.account().name));
        let names = fields.finish(Some(names))?;
        let (account, _) = self.settle(|| Box::pin(self.plan_former_names(who, &names))).await?;
        Ok(account)
    }

    async fn plan_former_names(&self, who: &LoggedIn, names: &[Name]) -> Result<Plan<Account>, DeskError> {
        let (account, revision) = self.own_account(&who.account().owner.login()).await?;
        let Owner::Unit { uscc, former_names } = &account.owner else { return Err(DeskError::NotFound) };
        if former_names == names {
            return Ok(Plan::Nothing(account));
        }
        let owner = Owner::Unit { uscc: *uscc, former_names: names.to_vec() };
        let account = Account { owner, ..account };
        let mut change = Change {
            expects: vec![unchanged(&account, revision)],
            writes: vec![write(&account)],
            events: vec![self.own_event(Deed::FormerNamesChanged, &account)],
        };
        self.enter_company(&account, &mut change).await?;
        Ok(Plan::Write(change, account))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn a_credit_code_is_read_as_typed_and_former_names_are_each_said_once() {
        let form = UnitForm {
            name: "示例设计院".into(),
            uscc: " 91110000802100433b ".into(),
            former_names: ["旧名一", "示例设计院", "旧名一", "旧名二"].map(String::from).to_vec(),
            mobile: "13800005678".into(),
            password: "correct horse battery".into(),
            code: String::new(),
        };
        let Owner::Unit { uscc, former_names } = form.clone().parse().unwrap().owner else { panic!() };
        assert_eq!(uscc.as_str(), "91110000802100433B");
        assert_eq!(former_names.iter().map(Name::as_str).collect::<Vec<_>>(), ["旧名一", "旧名二"]);
        let many = (0..11).map(|number| format!("旧名{number}")).chain([String::new()]).collect();
        let wrong = UnitForm { uscc: "1".into(), former_names: many, ..form };
        let Err(Refusal::Invalid(errors)) = wrong.parse() else { panic!("it was taken") };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["uscc", "former_names[11]", "former_names"]);
    }
}
