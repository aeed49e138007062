//! Regimes as data: what may be filed, how it goes, what is typed and uploaded.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::language::Language;
use crate::http::Shared;
use crate::http::body::Nothing;
use crate::http::language::Speaks;
use crate::http::params::Asked;
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::words::{ActWord, FieldKindWord, MediaWord, SeatWord, WithdrawalWord};
use crate::registration::case::Act;
use crate::registration::regime::{
    AttachmentRule, Business, Class, FieldKind, FormField, Label, Regime, Stage, Withdrawal,
};

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list_regimes)).routes(routes!(read_regime))
}

/// Regimes at a glance.
#[derive(Debug, Serialize, ToSchema)]
struct RegimeList {
    /// In the order of their names.
    items: Vec<RegimeMention>,
}

/// A regime at a glance.
#[derive(Debug, Serialize, ToSchema)]
struct RegimeMention {
    /// Its name.
    id: String,
    /// What it is called.
    name: String,
}

/// A regime (注册制度) as data.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Regime)]
struct RegimeShape {
    /// Its name.
    id: String,
    /// What it is called.
    name: String,
    /// Its classes; the first is meant where nobody names one.
    classes: Vec<ClassShape>,
    /// The specialties of all classes, each once.
    specialties: Vec<String>,
    /// Its business types. One id occurs twice where classes differ; `classes` says whose each is.
    types: Vec<BusinessShape>,
}

/// A class of a regime.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegimeClass)]
struct ClassShape {
    /// Its name.
    id: String,
    /// What it is called.
    name: String,
    /// Its specialties (专业).
    specialties: Vec<String>,
    /// The ids of its business types.
    types: Vec<String>,
    /// The type of certificate that qualifies for it, where the register holds such.
    #[schema(required)]
    qualification: Option<String>,
    /// The type of certificate of a registration.
    certificate: String,
    /// How many years a registration holds.
    years: u32,
}

/// A business type (业务类型).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegimeType)]
struct BusinessShape {
    /// Its name.
    id: String,
    /// What it is called.
    name: String,
    /// The classes that have it so.
    classes: Vec<String>,
    /// The way that its cases go.
    stages: Vec<StageShape>,
    /// What is typed.
    form: Vec<FieldShape>,
    /// What is uploaded.
    attachments: Vec<AttachmentShape>,
    /// What is read and promised before it is submitted.
    #[schema(required)]
    commitment: Option<LetterShape>,
    /// Whether a submission needs a code sent to the mobile.
    sms_code: bool,
    /// What has to hold, by the names of conditions.
    conditions: Vec<&'static str>,
}

/// A stage of a business type.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegimeStage)]
struct StageShape {
    /// Its name.
    id: String,
    /// What it is called.
    name: String,
    /// Who acts there.
    #[schema(value_type = SeatWord)]
    actor: &'static str,
    /// What they may do.
    #[schema(value_type = Vec<ActWord>)]
    acts: Vec<&'static str>,
    /// Within how many working days.
    #[schema(required)]
    days: Option<u32>,
    /// Whether the person may withdraw from there: at will, with the unit's consent, or no more.
    #[schema(value_type = WithdrawalWord)]
    withdrawal: &'static str,
}

/// A field of a form.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegimeField)]
struct FieldShape {
    /// Its name.
    name: String,
    /// What it is called.
    label: String,
    /// What it takes.
    #[schema(value_type = FieldKindWord)]
    kind: &'static str,
    /// Whether a case without it cannot be submitted.
    required: bool,
    /// What can be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    choices: Option<Vec<String>>,
}

/// A kind of attachment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegimeAttachment)]
struct AttachmentShape {
    /// Its name.
    kind: String,
    /// What it is called.
    label: String,
    /// Whether a case without it cannot be submitted.
    required: bool,
    /// The least size; 0 where there is none.
    min_bytes: u64,
    /// The most. A larger picture is fitted into it.
    max_bytes: u64,
    /// What it may be.
    #[schema(value_type = Vec<MediaWord>)]
    types: Vec<&'static str>,
}

/// A commitment letter (承诺书), its places unfilled.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegimeCommitment)]
struct LetterShape {
    /// Which version of the text it is.
    version: u16,
    /// How long it has to be open before it can be accepted.
    seconds: u64,
    /// Its clauses.
    clauses: Vec<String>,
}

/// What a label says in a language; in Chinese where the regime says nothing else.
pub(crate) fn say(label: &Label, language: Language) -> String {
    let english = || label.en.as_ref().unwrap_or(&label.zh).to_string();
    match language {
        Language::Chinese => label.zh.to_string(),
        Language::English => english(),
    }
}

impl RegimeShape {
    fn of(regime: &Regime, language: Language) -> Self {
        let mut specialties: Vec<String> = Vec::new();
        for specialty in regime.classes.iter().flat_map(|class| &class.specialties) {
            if !specialties.iter().any(|known| known == specialty.as_str()) {
                specialties.push(specialty.to_string());
            }
        }
        Self {
            id: regime.id.to_string(),
            name: say(&regime.name, language),
            classes: regime.classes.iter().map(|class| ClassShape::of(class, language)).collect(),
            specialties,
            types: regime
                .businesses
                .iter()
                .map(|business| BusinessShape::of(regime, business, language))
                .collect(),
        }
    }
}

impl ClassShape {
    fn of(class: &Class, language: Language) -> Self {
        Self {
            id: class.id.to_string(),
            name: say(&class.name, language),
            specialties: class.specialties.iter().map(ToString::to_string).collect(),
            types: class.types.iter().map(ToString::to_string).collect(),
            qualification: class.qualification.as_ref().map(ToString::to_string),
            certificate: class.certificate.kind.to_string(),
            years: class.certificate.years,
        }
    }
}

impl BusinessShape {
    fn of(regime: &Regime, business: &Business, language: Language) -> Self {
        let has = |class: &&Class| class.types.contains(&business.id) && business.serves(&class.id);
        Self {
            id: business.id.to_string(),
            name: say(&business.name, language),
            classes: regime.classes.iter().filter(has).map(|class| class.id.to_string()).collect(),
            stages: business.chain.stages.iter().map(|stage| StageShape::of(stage, language)).collect(),
            form: business.form.iter().map(|field| FieldShape::of(field, language)).collect(),
            attachments: business
                .attachments
                .iter()
                .map(|rule| AttachmentShape::of(rule, language))
                .collect(),
            commitment: business.letter.as_ref().map(|letter| LetterShape {
                version: letter.version,
                seconds: letter.seconds,
                clauses: letter.clauses.iter().map(|clause| clause.template()).collect(),
            }),
            sms_code: business.sms_code,
            conditions: business.conditions.iter().map(|condition| condition.word()).collect(),
        }
    }
}

impl StageShape {
    fn of(stage: &Stage, language: Language) -> Self {
        Self {
            id: stage.id.to_string(),
            name: say(&stage.name, language),
            actor: stage.seat.word(),
            acts: stage.acts.keys().copied().map(Act::word).collect(),
            days: stage.days,
            withdrawal: match stage.withdrawal {
                Withdrawal::Free => "free",
                Withdrawal::Consent => "consent",
                Withdrawal::None => "none",
            },
        }
    }
}

impl FieldShape {
    fn of(field: &FormField, language: Language) -> Self {
        let choices = match &field.kind {
            FieldKind::Choice(choices) => Some(choices.iter().map(ToString::to_string).collect()),
            FieldKind::Text | FieldKind::Date | FieldKind::Uscc | FieldKind::Bool => None,
        };
        Self {
            name: field.name.to_string(),
            label: say(&field.label, language),
            kind: field.kind.word(),
            required: field.required,
            choices,
        }
    }
}

impl AttachmentShape {
    fn of(rule: &AttachmentRule, language: Language) -> Self {
        Self {
            kind: rule.kind.to_string(),
            label: say(&rule.label, language),
            required: rule.required,
            min_bytes: rule.min_bytes,
            max_bytes: rule.max_bytes,
            types: rule.media.iter().map(|media| media.media_type()).collect(),
        }
    }
}

/// The regimes.
#[utoipa::path(
    get, path = "/api/v1/registration/regimes", tag = "registration",
    responses((status = 200, description = "All of them", body = RegimeList)),
)]
async fn list_regimes(
    State(api): State<Shared>,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<RegimeList>, Problem> {
    let mention =
        |regime: &Regime| RegimeMention { id: regime.id.to_string(), name: say(&regime.name, language) };
    Ok(Json(RegimeList { items: api.desk.regimes().regimes().map(mention).collect() }))
}

/// One regime as data.
#[utoipa::path(
    get, path = "/api/v1/registration/regimes/{regime}", tag = "registration",
    params(("regime" = String, Path, description = "As `planner`")),
    responses(
        (status = 200, description = "The regime", body = RegimeShape),
        (status = 404, description = "`not-found`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn read_regime(
    State(api): State<Shared>,
    Path(name): Path<String>,
    Speaks(language): Speaks,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<RegimeShape>, Problem> {
    let regime = name.parse().ok().and_then(|id| api.desk.regimes().regime(&id)).ok_or(Problem::NotFound)?;
    Ok(Json(RegimeShape::of(regime, language)))
}
