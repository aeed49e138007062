//! The object that a problem is printed as (RFC 9457, section 3).

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::refusal::Refusal;
use crate::domain::refusal::filing::Filing;
use crate::http::problem::Problem;

/// A problem (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Names the kind of problem; ends in `code`.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    pub(super) kind: String,
    /// Names it for people.
    pub(super) title: &'static str,
    /// The HTTP status.
    pub(super) status: u16,
    /// The stable code.
    pub(super) code: &'static str,
    /// What happened and what to do.
    pub(super) detail: String,
    /// The wrong fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) errors: Vec<ProblemField>,
    #[serde(flatten)]
    pub(super) members: Members,
}

/// One wrong field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ProblemField {
    /// Where, as `holder.id_number`.
    pub(super) field: String,
    /// The stable code.
    pub(super) code: &'static str,
    /// What is wrong and what to do.
    pub(super) message: String,
}

/// What some problems tell besides.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Members {
    /// `quota-exceeded`: most annotations counted at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    quota: Option<u32>,
    /// `case-already-open`: the case that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    case_id: Option<String>,
    /// `condition-not-met`: the condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    condition: Option<&'static str>,
    /// `act-not-allowed`: who may act now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    actor: Option<&'static str>,
    /// `commitment-not-read`: how long the letter has still to be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    seconds_left: Option<u64>,
    /// `quota-exceeded`: within so many days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    window_days: Option<u32>,
    /// `quota-exceeded`: the day on which the next place falls free.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = Date)]
    next_free_on: Option<String>,
    /// `validity-too-long`: the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max_days: Option<u32>,
    /// `scenario-not-allowed`: the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    allowed: Option<Vec<String>>,
    /// `certificate-not-valid`, `status-final`: how it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    certificate: Option<ProblemCertificate>,
    /// `annotation-expired`: its last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = Date)]
    valid_until: Option<String>,
    /// `annotation-not-live`: its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    state: Option<&'static str>,
    /// `unprintable-character`: the character.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    character: Option<String>,
    /// `scope-missing`: the scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    scope: Option<&'static str>,
    /// `too-large`: the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max_bytes: Option<u64>,
}

/// The certificate that a problem is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ProblemCertificate {
    /// How it stands.
    status: &'static str,
}

impl Members {
    pub(super) fn of(problem: &Problem) -> Self {
        let mut members = Self::default();
        match problem {
            Problem::Refused(refusal) => match refusal {
                Refusal::QuotaExceeded { quota, window_days, next_free_on } => {
                    members.quota = Some(*quota);
                    members.window_days = Some(*window_days);
                    members.next_free_on = next_free_on.map(|day| day.to_string());
                }
                Refusal::ValidityTooLong { max_days } => members.max_days = Some(*max_days),
                Refusal::ScenarioNotAllowed { allowed } => members.allowed = Some(allowed.clone()),
                Refusal::CertificateNotValid { status } | Refusal::StatusFinal { status } => {
                    members.certificate = Some(ProblemCertificate { status: status.word() });
                }
                Refusal::AnnotationExpired { valid_until } => {
                    members.valid_until = Some(valid_until.to_string())
                }
                Refusal::AnnotationNotLive { phase } => members.state = Some(phase.word()),
                Refusal::Filing(Filing::CaseAlreadyOpen { case }) => {
                    members.case_id = Some(case.to_string());
                }
                Refusal::Filing(Filing::ConditionNotMet(unmet)) => members.condition = Some(unmet.word()),
                Refusal::Filing(Filing::CommitmentNotRead { seconds_left }) => {
                    members.seconds_left = Some(*seconds_left);
                }
                Refusal::Filing(Filing::ActNotAllowed { state, who, .. }) => {
                    members.state = Some(state.word);
                    members.actor = who.map(|who| who.word);
                }
                Refusal::Unprintable { character, .. } => members.character = Some(character.to_string()),
                _ => {}
            },
            Problem::ScopeMissing(scope) => members.scope = Some(scope.word()),
            Problem::TooLarge(limit) => members.max_bytes = Some(*limit as u64),
            _ => {}
        }
        members
    }
}
