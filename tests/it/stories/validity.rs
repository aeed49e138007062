//! How long a copy is good for: 90 days at most, both ends counted, until midnight in Shanghai.

use serde_json::{Value, json};

use crate::records::record;
use crate::service::{Service, order};

#[test]
fn ninety_days_are_accepted_and_ninety_one_refused() {
    let service = Service::start();
    let certificate = service.enter(&record(1));

    let problem = service.order(&certificate, 91).problem(422, "validity-too-long");
    assert_eq!(problem["max_days"], 90);
    assert!(problem["detail"].as_str().unwrap().contains("90"), "{problem}");
    service.order(&certificate, 0).problem(422, "validity-too-short");

    let answer = service.order(&certificate, 90);
    let ordered = answer.expect(202);
    let id = ordered["id"].as_str().unwrap();
    assert!(answer.header("location").unwrap().ends_with(&format!("/api/v1/admin/annotations/{id}")));
    assert_eq!(ordered["state"], "queued");
    assert_eq!(ordered["certificate_id"], certificate);
    assert_eq!(ordered["code"].as_str().unwrap().len(), 26);
    assert_eq!(ordered["failure"], Value::Null);

    let ready = service.ready(id);
    assert_eq!((&ready["valid_from"], &ready["valid_until"]), (&json!("2026-11-21"), &json!("2027-02-18")));
    assert_eq!(ready["code"], ordered["code"]);
    assert_eq!(ready["requested_at"], ordered["requested_at"]);
    assert!(ready["requested_at"].as_str().unwrap().ends_with("+08:00"));
    assert_eq!(ready["place_in_queue"], Value::Null);
}

#[test]
fn an_order_is_due_a_day_after_it_was_made() {
    let service = Service::start();
    let ordered = service.order(&service.enter(&record(1)), 90).expect(202);
    let moment = |field: &str| {
        let text = ordered[field].as_str().unwrap();
        chrono::DateTime::parse_from_rfc3339(text).unwrap()
    };
    assert_eq!(moment("due_at") - moment("requested_at"), chrono::TimeDelta::hours(24));
}

#[test]
fn a_scenario_that_the_policy_does_not_list_is_refused_with_the_list() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let mut form = order(90);
    form["scenario"] = json!("bidding");
    let path = format!("/api/v1/admin/certificates/{certificate}/annotations");
    let problem = service.post(&path, &form).problem(422, "scenario-not-allowed");
    assert_eq!(problem["allowed"], json!(["self_use"]));
}

#[test]
fn a_copy_expires_at_midnight_in_shanghai() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let copy = service.copy(&certificate, 1);
    let (id, code) = (copy["id"].as_str().unwrap(), copy["code"].as_str().unwrap());
    let bytes = service.document(id);

    service.set_clock("2026-11-21T23:59:00+08:00");
    assert_eq!(service.verdict(code), "genuine");
    assert_eq!(service.annotation(id)["state"], "ready");
    assert_eq!(service.judge_file(&bytes)["verdict"], "genuine");
    service.document(id);

    service.set_clock("2026-11-22T00:00:00+08:00");
    assert_eq!(service.verdict(code), "expired");
    assert_eq!(service.annotation(id)["state"], "expired");
    assert_eq!(service.judge_file(&bytes)["verdict"], "expired");
    let refused = service.get(&format!("/api/v1/admin/annotations/{id}/document"));
    assert_eq!(refused.problem(410, "annotation-expired")["valid_until"], "2026-11-21");

    let expired = service.get("/api/v1/admin/annotations?state=expired").expect(200);
    assert_eq!(expired["items"][0]["id"], id);
    let ready = service.get("/api/v1/admin/annotations?state=ready").expect(200);
    assert_eq!(ready["items"], json!([]));
}

#[test]
fn a_copy_for_ninety_days_is_good_on_the_ninetieth_day_and_not_on_the_next() {
    let service = Service::start();
    let copy = service.copy(&service.enter(&record(1)), 90);
    let code = copy["code"].as_str().unwrap();
    service.advance("P89D");
    assert_eq!(service.verdict(code), "genuine");
    service.advance("P1D");
    assert_eq!(service.verdict(code), "expired");
}

#[test]
fn what_is_ordered_before_midnight_and_made_after_it_is_valid_from_the_day_on_which_it_is_made() {
    let service = Service::start();
    let record = record(1);
    let certificate = service.enter(&record);
    // A suspension holds the job across midnight.
    let ordered = service.order(&certificate, 90).expect(202);
    let id = ordered["id"].as_str().unwrap();
    let status = format!("/api/v1/admin/certificates/{certificate}/status");
    service.post(&status, &json!({"status": "suspended", "reason": "核查中"})).expect(200);
    service.set_clock("2026-11-22T09:00:00+08:00");
    service.post(&status, &json!({"status": "valid", "reason": "核查完毕"})).expect(200);
    service.set_clock("2026-11-22T10:00:00+08:00");
    let ready = service.ready(id);
    // Whichever came first, the worker or the suspension: the first day is the day of the seal.
    let sealed_at = ready["sealed_at"].as_str().unwrap();
    assert_eq!(ready["valid_from"], sealed_at[..10]);
    assert_eq!(ready["code"], ordered["code"]);
}

#[test]
fn while_a_copy_is_being_made_it_can_be_neither_seen_nor_called_genuine() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let ordered = service.order(&certificate, 90).expect(202);
    let (id, code) = (ordered["id"].as_str().unwrap(), ordered["code"].as_str().unwrap());
    // The worker is quick: whatever is seen, state and answers agree.
    let verdict = service.verdict(code);
    assert!(["pending", "genuine"].contains(&verdict.as_str()), "{verdict}");
    let document = service.get(&format!("/api/v1/admin/annotations/{id}/document"));
    if document.status != 200 {
        document.problem(409, "annotation-not-ready");
    }
    service.ready(id);
    assert_eq!(service.verdict(code), "genuine");
}
