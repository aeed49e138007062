//! What staff do with a certificate and its copies: decide, order, revoke, and take documents along.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::desk::order::OrderForm;
use crate::desk::record::Fields;
use crate::desk::{DeskError, Idempotency};
use crate::domain::certificate::{Decision, Line};
use crate::domain::ids::{AnnotationId, CertificateId};
use crate::domain::key::Scope;
use crate::domain::refusal::FieldFault;
use crate::pages::console::certificate::{Done, Typed, link_to, shown};
use crate::pages::console::{CERTIFICATES, Id, Visit, asked, attachment};
use crate::pages::faults::Faults;
use crate::pages::form::{Sent, read};
use crate::pages::holder::sealed;
use crate::pages::speech::Speech;
use crate::pages::{Counter, see_other};

pub(super) async fn decide(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
    sent: Sent<Typed>,
) -> Response {
    let (visit, id) = match asked(&counter, &headers, CERTIFICATES, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    if !visit.may(Scope::CertificatesWrite) {
        return visit.forbidden();
    }
    let typed = read(sent);
    let mut fields = Fields::default();
    let decision: Option<Decision> = fields.parse("status", &typed.status);
    let reason: Option<Line<200>> = fields.parse("reason", &typed.reason);
    let done = match fields.finish(decision.zip(reason)) {
        Ok((decision, reason)) => counter.desk.decide_status(visit.caller(), id, decision, reason).await,
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(_) => see_other(&link_to(id, Some(Done::Status), say)),
        Err(error) => mend(&counter, &visit, id, typed, &error).await,
    }
}

/// The page again with what was wrong; where no form can help, the page for that.
async fn mend(
    counter: &Counter,
    visit: &Visit,
    id: CertificateId,
    typed: Typed,
    error: &DeskError,
) -> Response {
    match error {
        DeskError::Refused(refusal) => {
            shown(counter, visit, id, typed, Faults::of_refusal(refusal, visit.say), None).await
        }
        error => visit.undone(counter, error),
    }
}

pub(super) async fn order(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
    sent: Sent<Typed>,
) -> Response {
    let (visit, id) = match asked::<CertificateId>(&counter, &headers, CERTIFICATES, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    if !visit.may(Scope::AnnotationsWrite) {
        return visit.forbidden();
    }
    let typed = read(sent);
    let mut fields = Fields::default();
    let scenario = fields.parse("scenario", &typed.scenario);
    let recipient = Some(typed.recipient.trim()).filter(|it| !it.is_empty());
    let recipient = fields.parse_some("recipient", recipient);
    let reason = fields.parse("on_behalf_reason", &typed.on_behalf_reason);
    let days = typed.days.trim().parse::<u32>();
    let days = fields.take("days", days.map_err(|_| FieldFault::OutOfRange("1–")));
    let form = scenario.zip(reason).zip(days).map(|((scenario, reason), days)| OrderForm {
        scenario,
        days,
        recipient,
        on_behalf_reason: Some(reason),
    });
    let request = [id.to_string(), typed.scenario.clone(), typed.days.clone(), typed.recipient.clone()];
    let request: Vec<&[u8]> = request.iter().map(String::as_bytes).collect();
    // Pressing twice is ordering once: the form carries the name of its order.
    let key = Idempotency::parse(&typed.key, &request).ok();
    let done = match fields.finish(form) {
        Ok(form) => counter.desk.order(visit.caller(), id, form, key).await,
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(_) => see_other(&link_to(id, Some(Done::Order), say)),
        Err(error) => mend(&counter, &visit, id, typed, &error).await,
    }
}

pub(super) async fn plain_document(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
) -> Response {
    let (visit, id) = match asked(&counter, &headers, CERTIFICATES, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.plain_document(visit.caller(), id).await {
        Ok(document) => sealed(document.bytes, &format!("certificate-{id}.pdf"), false),
        Err(error) => visit.undone(&counter, &error),
    }
}

pub(super) async fn document(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
) -> Response {
    let (visit, id) = match asked::<AnnotationId>(&counter, &headers, CERTIFICATES, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.document(visit.caller(), id).await {
        Ok(document) => sealed(document.bytes, &format!("annotation-{id}.pdf"), false),
        Err(error) => visit.undone(&counter, &error),
    }
}

pub(super) async fn evidence(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
) -> Response {
    let (visit, id) = match asked::<AnnotationId>(&counter, &headers, CERTIFICATES, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    match counter.desk.evidence(visit.caller(), id).await {
        Ok(bundle) => attachment(bundle.bytes, "application/zip", &format!("evidence-{id}.zip")),
        Err(error) => visit.undone(&counter, &error),
    }
}

pub(super) async fn revoke(
    State(counter): State<Counter>,
    headers: HeaderMap,
    id: Id,
    say: Speech,
    sent: Sent<Typed>,
) -> Response {
    let (visit, id) = match asked::<AnnotationId>(&counter, &headers, CERTIFICATES, id, say).await {
        Ok(asked) => asked,
        Err(elsewhere) => return elsewhere,
    };
    if !visit.may(Scope::AnnotationsWrite) {
        return visit.forbidden();
    }
    let mut fields = Fields::default();
    let reason: Option<Line<200>> = fields.parse("reason", &read(sent).reason);
    let done = match fields.finish(reason) {
        Ok(reason) => counter.desk.revoke(visit.caller(), id, Some(reason)).await,
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(annotation) => see_other(&link_to(annotation.certificate, Some(Done::Revocation), say)),
        Err(error) => visit.undone(&counter, &error),
    }
}
