//! A person's profile: personal data, employer, photo and signature, and how complete it is.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::registration::profile::{EmploymentForm, PersonalForm, Picture};
use crate::domain::language::Language;
use crate::domain::media::Media;
use crate::http::Shared;
use crate::http::body::{self, Nothing, Sent};
use crate::http::language::Speaks;
use crate::http::params::Asked;
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::registration::Registrar;
use crate::http::registration::cases::strangers_file;
use crate::http::shapes::{Day, Moment};
use crate::http::words::File;
use crate::registration::completeness::Completeness;
use crate::registration::registrant::{Employment, Qualification, Registrant, Registration};

/// Most bytes of a photo or a signature that are read at all; what is kept is far smaller.
const PICTURE: usize = 500 * 1024;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(read_profile, set_personal))
        .routes(routes!(set_employment))
        .routes(routes!(read_photo, set_photo))
        .routes(routes!(read_signature, set_signature))
}

/// What registration knows of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
struct ProfileShape {
    /// How complete it is, 0 to 100. It has to be complete before the first filing of most regimes.
    percent: u8,
    /// The three blocks, with what is missing in each.
    blocks: Vec<BlockShape>,
    /// Personal data.
    personal: PersonalShape,
    /// The employer.
    #[schema(required)]
    employment: Option<EmploymentShape>,
    /// Whether there is a photo.
    photo: bool,
    /// Whether there is a signature.
    signature: bool,
    /// Qualifications: examinations passed, and what was entered in a library.
    qualifications: Vec<QualificationShape>,
    /// Registrations.
    registrations: Vec<RegistrationShape>,
}

/// A block of the profile.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProfileBlock)]
struct BlockShape {
    /// `personal`, `employer` or `photo_and_signature`.
    id: &'static str,
    /// What it is called.
    name: &'static str,
    /// What is missing.
    missing: Vec<MissingShape>,
}

/// Something that is missing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProfileMissing)]
struct MissingShape {
    /// Its name.
    id: &'static str,
    /// What it is called.
    name: &'static str,
}

/// Personal data.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ProfilePersonal)]
struct PersonalShape {
    /// 民族
    ethnicity: Option<String>,
    /// 学历
    education: Option<String>,
    /// 学位; 无 is an answer.
    degree: Option<String>,
    /// 毕业院校
    school: Option<String>,
}

/// The employer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Employment)]
struct EmploymentShape {
    /// Its credit code.
    uscc: String,
    /// What it is called.
    name: String,
    /// Numbers of its qualification certificates; empty for 无.
    qualifications: Vec<String>,
    /// The mobile of somebody there, by its ends.
    #[schema(required)]
    contact: Option<String>,
    /// Since when.
    from: Day,
    /// Until when; null for 无固定期.
    #[schema(required)]
    until: Option<Day>,
}

/// The employer, as somebody says it. What it is called, the company register says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EmploymentSent {
    /// Credit code of a unit that has an account.
    uscc: String,
    /// Numbers of its qualification certificates, at most 20; none for 无.
    #[serde(default)]
    qualifications: Vec<String>,
    /// The mobile of somebody there.
    #[serde(default)]
    contact: Option<String>,
    /// Since when.
    #[schema(format = Date)]
    from: String,
    /// Until when; none for 无固定期.
    #[serde(default)]
    #[schema(format = Date)]
    until: Option<String>,
}

/// A qualification.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Qualification)]
struct QualificationShape {
    /// For which regime.
    regime: String,
    /// For which class; for every class where null.
    #[schema(required)]
    class: Option<String>,
    /// For which specialty.
    specialty: String,
    /// `examination` or `enrolment`.
    source: &'static str,
    /// When it was entered.
    entered_at: Moment,
}

/// A registration.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Registration)]
struct RegistrationShape {
    /// The regime.
    regime: String,
    /// The class of it.
    class: String,
    /// The specialty.
    specialty: String,
    /// The version of its certificate that was granted last.
    certificate_id: String,
    /// 注册编号
    management_no: String,
    /// The employer it is registered at.
    employer: String,
    /// Its last day.
    valid_until: Day,
    /// Whether it was cancelled.
    cancelled: bool,
    /// 登记类别, where it was converted.
    #[schema(required)]
    category: Option<String>,
}

impl ProfileShape {
    fn of(registrant: &Registrant, language: Language) -> Self {
        let profile = &registrant.profile;
        let complete = Completeness::of(profile);
        let text = |line: &dyn ToString| line.to_string();
        Self {
            percent: complete.percent,
            blocks: complete
                .blocks
                .iter()
                .map(|(block, missing)| BlockShape {
                    id: block.word().word,
                    name: block.word().text(language),
                    missing: missing
                        .iter()
                        .map(|word| MissingShape { id: word.word, name: word.text(language) })
                        .collect(),
                })
                .collect(),
            personal: PersonalShape {
                ethnicity: profile.ethnicity.as_ref().map(|line| text(line)),
                education: profile.education.as_ref().map(|line| text(line)),
                degree: profile.degree.as_ref().map(|line| text(line)),
                school: profile.school.as_ref().map(|line| text(line)),
            },
            employment: profile.employment.as_ref().map(EmploymentShape::of),
            photo: profile.photo.is_some(),
            signature: profile.signature.is_some(),
            qualifications: registrant.qualifications.iter().map(QualificationShape::of).collect(),
            registrations: registrant.registrations.iter().map(RegistrationShape::of).collect(),
        }
    }
}

impl EmploymentShape {
    fn of(employment: &Employment) -> Self {
        Self {
            uscc: employment.uscc.to_string(),
            name: employment.name.to_string(),
            qualifications: employment.qualifications.iter().map(ToString::to_string).collect(),
            contact: employment.contact.as_ref().map(|mobile| mobile.masked()),
            from: Day(employment.from),
            until: employment.until.map(Day),
        }
    }
}

impl QualificationShape {
    fn of(one: &Qualification) -> Self {
        Self {
            regime: one.regime.to_string(),
            class: one.class.as_ref().map(ToString::to_string),
            specialty: one.specialty.to_string(),
            source: one.source.word(),
            entered_at: Moment(one.entered_at),
        }
    }
}

impl RegistrationShape {
    fn of(one: &Registration) -> Self {
        Self {
            regime: one.regime.to_string(),
            class: one.class.to_string(),
            specialty: one.specialty.to_string(),
            certificate_id: one.certificate.to_string(),
            management_no: one.management_no.to_string(),
            employer: one.employer.to_string(),
            valid_until: Day(one.valid_until),
            cancelled: one.cancelled,
            category: one.category.as_ref().map(ToString::to_string),
        }
    }
}

/// The profile of the person who asks, with their qualifications and registrations.
#[utoipa::path(
    get, path = "/api/v1/registration/profile", tag = "registration",
    security(("session" = []), ("session_cookie" = [])),
    responses(
        (status = 200, description = "The profile", body = ProfileShape),
        (status = 404, description = "`not-found`: the account is no person's", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn read_profile(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<ProfileShape>, Problem> {
    Ok(Json(ProfileShape::of(&api.desk.own_registrant(&who).await?, language)))
}

/// Sets the personal data, all of it at once.
#[utoipa::path(
    put, path = "/api/v1/registration/profile", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), request_body = PersonalShape,
    responses((status = 200, description = "The profile", body = ProfileShape)),
)]
async fn set_personal(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Speaks(language): Speaks,
    Sent { form, .. }: Sent<PersonalShape>,
) -> Result<Json<ProfileShape>, Problem> {
    let PersonalShape { ethnicity, education, degree, school } = form;
    let form = PersonalForm { ethnicity, education, degree, school };
    Ok(Json(ProfileShape::of(&api.desk.set_personal(&who, &form).await?, language)))
}

/// Sets the employer: a unit of the company register.
#[utoipa::path(
    put, path = "/api/v1/registration/profile/employment", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), request_body = EmploymentSent,
    responses((status = 200, description = "The profile", body = ProfileShape)),
)]
async fn set_employment(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Speaks(language): Speaks,
    Sent { form, .. }: Sent<EmploymentSent>,
) -> Result<Json<ProfileShape>, Problem> {
    let EmploymentSent { uscc, qualifications, contact, from, until } = form;
    let form = EmploymentForm { uscc, qualifications, contact, from, until };
    Ok(Json(ProfileShape::of(&api.desk.set_employment(&who, &form).await?, language)))
}

/// The photo.
#[utoipa::path(
    get, path = "/api/v1/registration/profile/photo", tag = "registration",
    security(("session" = []), ("session_cookie" = [])),
    responses((status = 200, description = "A JPEG", body = File, content_type = "image/jpeg")),
)]
async fn read_photo(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Problem> {
    let bytes = api.desk.own_picture(&who, Picture::Photo).await?;
    Ok(strangers_file("photo", Media::Jpeg, bytes))
}

/// Sets the photo: a portrait as JPEG or PNG of at most 500 KB, kept as the service encodes it.
#[utoipa::path(
    put, path = "/api/v1/registration/profile/photo", tag = "registration",
    security(("session" = []), ("session_cookie" = [])),
    request_body(content = File, content_type = "application/octet-stream"),
    responses((status = 200, description = "The profile", body = ProfileShape)),
)]
async fn set_photo(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Speaks(language): Speaks,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ProfileShape>, Problem> {
    let file = body::read(&headers, body, PICTURE, &api.gates.limits).await?;
    Ok(Json(ProfileShape::of(&api.desk.set_photo(&who, file.to_vec()).await?, language)))
}

/// The signature.
#[utoipa::path(
    get, path = "/api/v1/registration/profile/signature", tag = "registration",
    security(("session" = []), ("session_cookie" = [])),
    responses((status = 200, description = "A PNG, black on nothing", body = File, content_type = "image/png")),
)]
async fn read_signature(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Problem> {
    let bytes = api.desk.own_picture(&who, Picture::Signature).await?;
    Ok(strangers_file("signature", Media::Png, bytes))
}

/// Sets the signature: a picture of one on white paper or on nothing, as JPEG or PNG of at most 500 KB, kept as transparent
/// line art.
#[utoipa::path(
    put, path = "/api/v1/registration/profile/signature", tag = "registration",
    security(("session" = []), ("session_cookie" = [])),
    request_body(content = File, content_type = "application/octet-stream"),
    responses((status = 200, description = "The profile", body = ProfileShape)),
)]
async fn set_signature(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Speaks(language): Speaks,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ProfileShape>, Problem> {
    let file = body::read(&headers, body, PICTURE, &api.gates.limits).await?;
    Ok(Json(ProfileShape::of(&api.desk.set_signature(&who, file.to_vec()).await?, language)))
}
