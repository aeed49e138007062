//! Three active annotations within 90 days, whoever asks and however many ask at once.

use std::sync::Barrier;

use serde_json::json;

use crate::records::{record, record_of};
use crate::service::{Service, order};

#[test]
fn the_fourth_is_refused_until_the_day_that_the_refusal_names() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    for days in [60, 30, 90] {
        service.copy(&certificate, days);
    }
    let full = |on: &str| {
        let problem = service.order(&certificate, 90).problem(409, "quota-exceeded");
        assert_eq!(problem["next_free_on"], on);
        assert!(problem["detail"].as_str().unwrap().contains(on), "{problem}");
    };
    full("2026-12-21");
    let shown = service.get(&format!("/api/v1/admin/certificates/{certificate}")).expect(200);
    assert_eq!((&shown["places_left"], &shown["next_free_on"]), (&json!(0), &json!("2026-12-21")));
    service.set_clock("2026-12-20T23:59:00+08:00");
    full("2026-12-21");

    service.set_clock("2026-12-21T00:00:00+08:00");
    service.copy(&certificate, 90);
    full("2027-01-20");
}

#[test]
fn what_still_waits_counts_as_sealed_today() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    for _ in 0..3 {
        service.order(&certificate, 10).expect(202);
    }
    let problem = service.order(&certificate, 10).problem(409, "quota-exceeded");
    assert_eq!(problem["next_free_on"], "2026-12-01");
}

#[test]
fn revoking_a_copy_frees_its_place_and_never_gives_the_copy_back() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let copies: Vec<_> = (0..3).map(|_| service.copy(&certificate, 90)).collect();
    service.order(&certificate, 90).problem(409, "quota-exceeded");

    let id = copies[0]["id"].as_str().unwrap();
    let revocation = format!("/api/v1/admin/annotations/{id}/revocation");
    let revoked = service.post(&revocation, &json!({"reason": "不再使用"})).expect(200);
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(service.verdict(copies[0]["code"].as_str().unwrap()), "revoked");
    service.get(&format!("/api/v1/admin/annotations/{id}/document")).problem(410, "annotation-revoked");
    service.post(&revocation, &json!({"reason": "再次"})).problem(409, "annotation-not-live");

    service.copy(&certificate, 90);
    service.order(&certificate, 90).problem(409, "quota-exceeded");
}

#[test]
fn what_cannot_be_printed_fails_at_once_and_frees_its_place() {
    let service = Service::start();
    let mut record = record(1);
    // U+3106C of Unicode 15: no face of ours holds it.
    record["holder"]["name"] = json!("王𱁬");
    let certificate = service.enter(&record);
    for _ in 0..4 {
        let ordered = service.order(&certificate, 90).expect(202);
        let failed = service.settled(ordered["id"].as_str().unwrap());
        assert_eq!(failed["state"], "failed");
        assert_eq!(failed["failure"]["code"], "unprintable-character");
        assert!(failed["failure"]["message"].as_str().unwrap().contains('𱁬'), "{failed}");
        assert_eq!(service.verdict(ordered["code"].as_str().unwrap()), "unknown");
        let document = format!("/api/v1/admin/annotations/{}/document", ordered["id"].as_str().unwrap());
        service.get(&document).problem(410, "annotation-failed");
    }
    assert_eq!(service.get("/api/v1/admin/queue").expect(200)["depth"], 0);
}

#[test]
fn a_recipient_that_cannot_be_printed_is_refused_when_it_is_ordered() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let mut form = order(90);
    form["recipient"] = json!("示例𱁬设计院");
    let path = format!("/api/v1/admin/certificates/{certificate}/annotations");
    let problem = service.post(&path, &form).problem(422, "unprintable-character");
    assert_eq!(problem["character"], "𱁬");
    assert_eq!(problem["errors"][0]["field"], "recipient");
}

#[test]
fn of_fifty_orders_at_once_three_are_accepted() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let gate = Barrier::new(50);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let one = || {
            gate.wait();
            let answer = service.order(&certificate, 90);
            if answer.status != 202 {
                answer.problem(409, "quota-exceeded");
            }
            answer.status
        };
        let threads: Vec<_> = (0..50).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 202).count(), 3);

    let path = format!("/api/v1/admin/annotations?certificate={certificate}");
    let annotations = service.get(&path).expect(200);
    let annotations = annotations["items"].as_array().unwrap();
    assert_eq!(annotations.len(), 3, "nothing of the refused orders is left");
    for annotation in annotations {
        service.ready(annotation["id"].as_str().unwrap());
    }
}

#[test]
fn certificates_do_not_share_their_places() {
    let service = Service::start();
    let (one, other) = (service.enter(&record(1)), service.enter(&record_of(2, crate::records::SICHUAN)));
    for _ in 0..3 {
        service.order(&one, 90).expect(202);
    }
    service.order(&one, 90).problem(409, "quota-exceeded");
    service.order(&other, 90).expect(202);
}
