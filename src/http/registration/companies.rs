//! The company register: units that have an account, found by a part of their name.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::registration::company::QualificationForm;
use crate::http::Shared;
use crate::http::body::{Nothing, Sent};
use crate::http::params::Asked;
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::registration::Registrar;
use crate::registration::company::Company;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(find_companies)).routes(routes!(read_company, set_company))
}

/// Which companies.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CompaniesAsked {
    /// A part of the name, or of a former one: two characters at least.
    #[serde(default)]
    name: String,
}

/// Companies.
#[derive(Debug, Serialize, ToSchema)]
struct CompanyList {
    /// At most 50.
    items: Vec<CompanyShape>,
}

/// A company.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Company)]
struct CompanyShape {
    /// Its credit code.
    uscc: String,
    /// What it is called.
    name: String,
    /// What it was called before.
    former_names: Vec<String>,
    /// Its qualification certificates (资质证书); empty for 无.
    qualifications: Vec<CompanyQualificationShape>,
}

/// A qualification certificate of a company.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompanyQualification)]
struct CompanyQualificationShape {
    /// For which industry.
    industry: String,
    /// Its number.
    number: String,
}

/// What a unit says of itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CompanySent {
    /// Its qualification certificates, at most 50.
    qualifications: Vec<CompanyQualificationShape>,
}

impl CompanyShape {
    fn of(company: &Company) -> Self {
        Self {
            uscc: company.uscc.to_string(),
            name: company.name.to_string(),
            former_names: company.former_names.iter().map(ToString::to_string).collect(),
            qualifications: company
                .qualifications
                .iter()
                .map(|one| CompanyQualificationShape {
                    industry: one.industry.to_string(),
                    number: one.number.to_string(),
                })
                .collect(),
        }
    }
}

/// Units whose name, or a former one, contains a part.
#[utoipa::path(
    get, path = "/api/v1/registration/companies", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(CompaniesAsked),
    responses((status = 200, description = "The companies", body = CompanyList)),
)]
async fn find_companies(
    State(api): State<Shared>,
    Registrar { .. }: Registrar,
    Asked(asked): Asked<CompaniesAsked>,
) -> Result<Json<CompanyList>, Problem> {
    let found = api.desk.find_companies(&asked.name).await?;
    Ok(Json(CompanyList { items: found.iter().map(CompanyShape::of).collect() }))
}

/// The entry of the unit that asks.
#[utoipa::path(
    get, path = "/api/v1/registration/company", tag = "registration",
    security(("session" = []), ("session_cookie" = [])),
    responses(
        (status = 200, description = "The entry", body = CompanyShape),
        (status = 404, description = "`not-found`: the account is no unit's", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn read_company(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<CompanyShape>, Problem> {
    Ok(Json(CompanyShape::of(&api.desk.own_company(&who).await?)))
}

/// Sets the qualification certificates (资质证书) of the unit that asks, all of them at once.
#[utoipa::path(
    put, path = "/api/v1/registration/company", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), request_body = CompanySent,
    responses((status = 200, description = "The entry", body = CompanyShape)),
)]
async fn set_company(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Sent { form, .. }: Sent<CompanySent>,
) -> Result<Json<CompanyShape>, Problem> {
    let typed: Vec<QualificationForm> = form
        .qualifications
        .into_iter()
        .map(|one| QualificationForm { industry: one.industry, number: one.number })
        .collect();
    Ok(Json(CompanyShape::of(&api.desk.set_company_qualifications(&who, &typed).await?)))
}
