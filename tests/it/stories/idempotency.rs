//! A call that is repeated because its answer was lost does its work once.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::records::record;
use crate::service::{Service, order};

fn order_under(service: &Service, certificate: &str, key: &str, form: &Value) -> Answer {
    let path = format!("/api/v1/admin/certificates/{certificate}/annotations");
    Call::post(&path).key(service.key()).header("Idempotency-Key", key).json(form).send(service)
}

#[test]
fn the_same_order_under_the_same_key_is_one_order_with_one_answer() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let first = order_under(&service, &certificate, "k-1", &order(90)).expect(202);
    service.ready(first["id"].as_str().unwrap());
    for _ in 0..5 {
        assert_eq!(order_under(&service, &certificate, "k-1", &order(90)).expect(202), first);
    }
    let path = format!("/api/v1/admin/annotations?certificate={certificate}");
    assert_eq!(service.get(&path).expect(200)["items"].as_array().unwrap().len(), 1);
}

#[test]
fn the_same_key_for_another_order_is_refused() {
    let service = Service::start();
    let (one, other) = (service.enter(&record(1)), service.enter(&record(2)));
    order_under(&service, &one, "k-1", &order(90)).expect(202);
    order_under(&service, &one, "k-1", &order(89)).problem(422, "idempotency-key-reused");
    order_under(&service, &other, "k-1", &order(90)).problem(422, "idempotency-key-reused");
    order_under(&service, &one, "k-2", &order(90)).expect(202);
}

#[test]
fn a_key_belongs_to_its_caller() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let ordered = order_under(&service, &certificate, "k-1", &order(90)).expect(202);
    let other = service.new_key(&["*"], "*");
    let path = format!("/api/v1/admin/certificates/{certificate}/annotations");
    let answer =
        Call::post(&path).key(&other).header("Idempotency-Key", "k-1").json(&order(90)).send(&service);
    assert_ne!(answer.expect(202)["id"], ordered["id"]);
}

#[test]
fn twenty_repeats_at_once_are_one_order() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let ids: std::collections::BTreeSet<String> = std::thread::scope(|scope| {
        let one = || {
            let ordered = order_under(&service, &certificate, "k-1", &order(90)).expect(202);
            ordered["id"].as_str().unwrap().to_owned()
        };
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 1);
}

#[test]
fn a_key_outlives_the_process() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let agency = service.new_key(&["annotations:write"], "*");
    let path = format!("/api/v1/admin/certificates/{certificate}/annotations");
    let call = Call::post(&path).key(&agency).header("Idempotency-Key", "k-1").json(&order(90));
    let first = call.clone().send(&service).expect(202);
    let service = service.restart();
    assert_eq!(call.send(&service).expect(202), first);
}

#[test]
fn entering_a_record_is_repeated_with_the_first_answer() {
    let service = Service::start();
    let record = record(1);
    service.plant_record(&record);
    let enter = |record: &Value| {
        Call::post("/api/v1/admin/certificates")
            .key(service.key())
            .header("Idempotency-Key", "r-1")
            .json(record)
            .send(&service)
    };
    let first = enter(&record).created();
    assert_eq!(first["status"], "created");
    assert_eq!(enter(&record).created(), first);
    let mut other = record.clone();
    other["specialty"] = json!("其他");
    enter(&other).problem(422, "idempotency-key-reused");
}

#[test]
fn a_key_that_is_no_text_of_a_sensible_length_is_refused() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    for key in ["", " ", &"k".repeat(201)] {
        let wrong = order_under(&service, &certificate, key, &order(90)).wrong_fields();
        assert_eq!(wrong[0].0, "Idempotency-Key", "{key:?}");
    }
}
