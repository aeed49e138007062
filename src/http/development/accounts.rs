//! Accounts of development: verified by nobody, the notice accepted, logged in at once.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::tools;
use crate::desk::account::development::{Made, fictitious_person, fictitious_staff_login};
use crate::desk::account::sign_up::parse_person;
use crate::desk::record::Fields;
use crate::domain::account::{Mobile, Owner};
use crate::domain::identity::{CreditCode, RESIDENT_CARD};
use crate::domain::refusal::FieldFault;
use crate::domain::staff::{Post, Role};
use crate::http::Shared;
use crate::http::body::Sent;
use crate::http::problem::Problem;
use crate::http::words::{AccountKind, AuthorityLevel, StaffRole};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(make_development_account))
}

/// Where nobody says another.
const MOBILE: &str = "13800000000";

/// Whose account is made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DevelopmentAccountForm {
    /// Whose it is.
    #[schema(value_type = AccountKind)]
    kind: String,
    /// What its owner is called.
    name: String,
    /// Holders: kind of the identity document; 111 where it is not said.
    #[serde(default)]
    id_type: Option<String>,
    /// Holders: identity number; a fictitious one where it is not said.
    #[serde(default)]
    id_number: Option<String>,
    /// Units: credit code.
    #[serde(default)]
    uscc: Option<String>,
    /// Mobile; several accounts may have the same.
    #[serde(default)]
    mobile: Option<String>,
    /// Staff: the level of the authority.
    #[serde(default)]
    #[schema(value_type = Option<AuthorityLevel>)]
    level: Option<String>,
    /// Staff: two digits; every region where none.
    #[serde(default)]
    region: Option<String>,
    /// Staff: what for; an administrator where it is not said.
    #[serde(default)]
    #[schema(value_type = Option<StaffRole>)]
    role: Option<String>,
    /// Staff: credit code of the one issuer whose certificates they deal with; every issuer's where none.
    #[serde(default)]
    issuer: Option<String>,
    /// A password to log in with; where none is given, nobody logs in with one.
    #[serde(default)]
    password: Option<String>,
    /// Persons: credit code of the employer in the profile, a unit that has an account.
    #[serde(default)]
    employer: Option<String>,
    /// Persons: whether the profile is filled in, with photo and signature.
    #[serde(default)]
    complete: Option<bool>,
}

/// An account, and a session of it.
#[derive(Debug, Serialize, ToSchema)]
struct DevelopmentAccount {
    /// Its name.
    account_id: String,
    /// What its owner types to log in.
    account: String,
    /// `vs_…`
    token: String,
    /// Staff with a password: the secret of their second factor, in base32.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    second_factor: Option<String>,
}

/// Makes an account that has accepted the notice, or takes the one that there is, and begins a session of it.
#[utoipa::path(
    post, path = "/dev/accounts", tag = "development", request_body = DevelopmentAccountForm,
    responses((status = 200, description = "The account", body = DevelopmentAccount)),
)]
async fn make_development_account(
    State(api): State<Shared>,
    Sent { form, .. }: Sent<DevelopmentAccountForm>,
) -> Result<Json<DevelopmentAccount>, Problem> {
    tools(&api)?;
    let (complete, employer) = (form.complete.unwrap_or(false), form.employer.clone());
    let made = form.parse()?;
    let (owner, mobile) = (made.owner.clone(), made.mobile.clone());
    let account = made.owner.login().as_str().to_owned();
    let ready = api.desk.make_account(made).await?;
    if let Owner::Holder(person) = &owner
        && (complete || employer.is_some())
    {
        let mut fields = Fields::default();
        let employer: Option<CreditCode> = fields.parse_some("employer", employer.as_deref());
        let employer = fields.finish(Some(employer))?;
        api.desk.complete_profile(person, &mobile, employer).await?;
    }
    Ok(Json(DevelopmentAccount {
        account_id: ready.account.id.to_string(),
        account,
        token: ready.begun.token.reveal().to_owned(),
        second_factor: ready.second_factor(),
    }))
}

impl DevelopmentAccountForm {
    fn parse(self) -> Result<Made, Problem> {
        let mut fields = Fields::default();
        let name = fields.parse("name", &self.name);
        let mobile: Option<Mobile> = fields.parse("mobile", self.mobile.as_deref().unwrap_or(MOBILE));
        let _: Option<CreditCode> = fields.parse_some("employer", self.employer.as_deref());
        let owner = match self.kind.as_str() {
            "holder" => match &self.id_number {
                Some(number) => {
                    let id_type = self.id_type.as_deref().unwrap_or(RESIDENT_CARD);
                    parse_person(&mut fields, id_type, number).map(Owner::Holder)
                }
                None => Some(Owner::Holder(fictitious_person()?)),
            },
            "unit" => required(&mut fields, "uscc", self.uscc.as_deref())
                .map(|uscc| Owner::Unit { uscc, former_names: Vec::new() }),
            "staff" => {
                let level = required(&mut fields, "level", self.level.as_deref());
                let region = fields.parse_some("region", self.region.as_deref());
                let role = fields.parse_some("role", self.role.as_deref()).unwrap_or(Role::Administrator);
                let issuer = fields.parse_some("issuer", self.issuer.as_deref());
                let login = fictitious_staff_login()?;
                level.map(|level| Owner::Staff(Post { login, level, region, role, issuer }))
            }
            _ => fields.take("kind", Err(FieldFault::NotOneOf("holder, unit, staff"))),
        };
        let made = owner.zip(name.zip(mobile)).map(|(owner, (name, mobile))| Made {
            owner,
            name,
            mobile,
            password: self.password,
        });
        Ok(fields.finish(made)?)
    }
}

fn required<T: std::str::FromStr<Err = FieldFault>>(
    fields: &mut Fields,
    field: &str,
    text: Option<&str>,
) -> Option<T> {
    match text {
        Some(text) => fields.parse(field, text),
        None => fields.take(field, Err(FieldFault::Missing)),
    }
}
