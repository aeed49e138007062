//! Acts on cases: one, or a batch with a result for each.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::record::Fields;
use crate::desk::registration::acting::{ActForm, BATCH};
use crate::domain::ids::CaseId;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::http::Shared;
use crate::http::body::{RECORD, Sent};
use crate::http::language::Speaks;
use crate::http::params::Named;
use crate::http::problem::Problem;
use crate::http::problem::body::ProblemBody;
use crate::http::registration::Registrar;
use crate::http::registration::case_shape::{CaseMentionShape, CaseShape};
use crate::http::words::ActWord;
use crate::registration::acts::Commitment;
use crate::registration::case::CorrectionItem;

pub(crate) fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(act)).routes(routes!(act_on_many))
}

/// What somebody does with a case.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ActSent {
    /// What.
    #[schema(value_type = ActWord)]
    act: String,
    /// Why; `return` and `reject` need it.
    #[serde(default)]
    opinion: Option<String>,
    /// `request_correction`: everything that is to be corrected, at once.
    #[serde(default)]
    items: Vec<ItemSent>,
    /// `submit`: what the person says to the commitment letter, where there is one.
    #[serde(default)]
    commitment: Option<CommitmentSent>,
    /// `submit`: whether the person goes on with a commitment after `social-insurance-anomaly`.
    #[serde(default)]
    insurance_commitment: bool,
    /// `submit`: the code of purpose `submit` that was sent to the mobile, where the regime wants one.
    #[serde(default)]
    code: Option<String>,
}

/// One thing to correct.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ItemSent {
    /// The field or the kind of attachment that it is about.
    #[serde(default)]
    what: Option<String>,
    /// What is to be corrected.
    content: String,
    /// Why.
    reason: String,
}

/// What a person says to a commitment letter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CommitmentSent {
    /// The version that they read.
    version: u16,
    /// Whether they commit themselves; not to do so (不作出承诺) ends the case.
    accepted: bool,
}

impl ActSent {
    fn parse(self, at: &str) -> Result<ActForm, Refusal> {
        let mut fields = Fields::default();
        let known = "submit, confirm, return, accept, approve, reject, request_correction, correct, withdraw, consent_withdrawal, refuse_withdrawal, deliver";
        let act = fields.take(&format!("{at}act"), self.act.parse().map_err(|_| FieldFault::NotOneOf(known)));
        let opinion = self.opinion.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let opinion = opinion.and_then(|text| fields.parse(&format!("{at}opinion"), text));
        let mut items = Vec::new();
        for (nth, item) in self.items.iter().enumerate() {
            let place = |name: &str| format!("{at}items[{nth}].{name}");
            let what = item.what.as_deref().map(|text| text.parse().map_err(|_| FieldFault::NotAName));
            let what = what.map(|what| fields.take(&place("what"), what));
            let content = fields.parse(&place("content"), &item.content);
            let reason = fields.parse(&place("reason"), &item.reason);
            items.extend(content.zip(reason).map(|(content, reason)| CorrectionItem {
                what: what.flatten(),
                content,
                reason,
            }));
        }
        let form = act.map(|act| ActForm {
            act,
            opinion,
            items,
            commitment: self
                .commitment
                .map(|sent| Commitment { version: sent.version, accepted: sent.accepted }),
            insurance_commitment: self.insurance_commitment,
            code: self.code,
        });
        fields.finish(form)
    }
}

/// Acts on many cases.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ActsSent {
    /// At most 500.
    items: Vec<ActOnCase>,
}

/// An act on a case of a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ActOnCase {
    /// Which case.
    case_id: String,
    /// What.
    #[schema(value_type = ActWord)]
    act: String,
    /// Why.
    #[serde(default)]
    opinion: Option<String>,
}

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
struct ActsDone {
    /// One result for each, in their order.
    items: Vec<ActDone>,
}

/// What became of an act.
#[derive(Debug, Serialize, ToSchema)]
struct ActDone {
    /// Which case.
    case_id: String,
    /// The case as it is then; null where the act was refused.
    #[schema(required)]
    case: Option<CaseMentionShape>,
    /// Why it was refused.
    #[schema(required)]
    problem: Option<ProblemBody>,
}

/// Does an act. Of two at once one is done, and the other is answered 409 with what was done.
#[utoipa::path(
    post, path = "/api/v1/registration/cases/{id}/acts", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), params(("id" = String, Path)),
    request_body = ActSent,
    responses(
        (status = 200, description = "The case", body = CaseShape),
        (status = 409, description = "`act-not-allowed`, `condition-not-met`, `commitment-not-read`, `social-insurance-anomaly`, `case-already-open`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn act(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Named(id): Named<CaseId>,
    Speaks(language): Speaks,
    Sent { form, .. }: Sent<ActSent>,
) -> Result<Json<CaseShape>, Problem> {
    let view = api.desk.act(&who, id, &form.parse("")?).await?;
    Ok(Json(CaseShape::of(&api, &who, &view, language)?))
}

/// Does many acts at once, each for itself: what is refused holds up nothing.
#[utoipa::path(
    post, path = "/api/v1/registration/acts", tag = "registration",
    security(("session" = []), ("session_cookie" = [])), request_body = ActsSent,
    responses((status = 200, description = "A result for each", body = ActsDone)),
)]
async fn act_on_many(
    State(api): State<Shared>,
    Registrar { who, .. }: Registrar,
    Speaks(language): Speaks,
    Sent { form, .. }: Sent<ActsSent, RECORD>,
) -> Result<Json<ActsDone>, Problem> {
    if form.items.len() > BATCH {
        return Err(Problem::field("items", FieldFault::OutOfRange("0–500")));
    }
    let mut acts = Vec::with_capacity(form.items.len());
    for (nth, item) in form.items.into_iter().enumerate() {
        let unknown = |_| Problem::field(format!("items[{nth}].case_id"), FieldFault::NotAName);
        let id: CaseId = item.case_id.parse().map_err(unknown)?;
        let sent = ActSent {
            act: item.act,
            opinion: item.opinion,
            items: Vec::new(),
            commitment: None,
            insurance_commitment: false,
            code: None,
        };
        acts.push((id, sent.parse(&format!("items[{nth}]."))?));
    }
    let public_url = &api.desk.rules().public_url;
    let mut items = Vec::with_capacity(acts.len());
    for (id, acted) in api.desk.act_on_many(&who, acts).await {
        let shown = acted.map_err(Problem::from);
        let shown = shown.and_then(|view| CaseMentionShape::of(&api, &who, &view, language));
        let (case, problem) = match shown {
            Ok(case) => (Some(case), None),
            Err(problem) => (None, Some(problem.body(public_url, language))),
        };
        items.push(ActDone { case_id: id.to_string(), case, problem });
    }
    Ok(Json(ActsDone { items }))
}
