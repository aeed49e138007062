//! The audit trail: who did what, when and why, in a chain that anybody can follow.

use serde_json::{Value, json};

use crate::call::Call;
use crate::records::record;
use crate::service::{Service, order};

/// Every entry that the caller may see, page by page.
fn trail(service: &Service, question: &str) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = service.get(&format!("/api/v1/admin/audit?limit=3{question}{cursor}")).expect(200);
        entries.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return entries,
        }
    }
}

fn deeds(entries: &[Value]) -> Vec<&str> {
    let events = entries.iter().flat_map(|entry| entry["events"].as_array().unwrap());
    events.map(|event| event["deed"].as_str().unwrap()).collect()
}

#[test]
fn the_life_of_a_copy_can_be_read_with_actor_time_and_reason() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let copy = service.copy(&certificate, 90);
    let id = copy["id"].as_str().unwrap();
    service.document(id);
    let revocation = format!("/api/v1/admin/annotations/{id}/revocation");
    service.post(&revocation, &json!({"reason": "本人要求"})).expect(200);

    let entries = trail(&service, &format!("&annotation={id}"));
    assert_eq!(
        deeds(&entries),
        ["annotation-ordered", "sealing-begun", "annotation-sealed", "document-read", "annotation-revoked"]
    );
    let events: Vec<&Value> = entries.iter().flat_map(|entry| entry["events"].as_array().unwrap()).collect();
    assert!(events[0]["actor"].as_str().unwrap().starts_with("key:"));
    assert_eq!(events[0]["reason"], "本人到柜台办理");
    assert_eq!(events[1]["actor"], "service");
    assert_eq!(events[4]["reason"], "本人要求");
    assert!(events.iter().all(|event| event["certificate_id"] == certificate.as_str()));
    let moments: Vec<&str> = events.iter().map(|event| event["at"].as_str().unwrap()).collect();
    assert!(moments.is_sorted() && moments[0].starts_with("2026-11-21T15:"), "{moments:?}");
}

#[test]
fn the_chain_of_the_whole_trail_holds_from_entry_to_entry() {
    let service = Service::start();
    for number in 0..4 {
        let certificate = service.enter(&record(number));
        service.copy(&certificate, 90);
    }
    let entries = trail(&service, "");
    assert!(entries.len() >= 12, "{}", entries.len());
    let digest = |entry: &Value, field: &str| bytes(entry[field].as_str().unwrap());
    for pair in entries.windows(2) {
        assert_eq!(pair[1]["seq"].as_u64(), pair[0]["seq"].as_u64().map(|seq| seq + 1), "no gap");
        let joined = [digest(&pair[0], "chain"), digest(&pair[1], "sha256")].concat();
        let expected = ring::digest::digest(&ring::digest::SHA256, &joined);
        assert_eq!(digest(&pair[1], "chain"), expected.as_ref(), "entry {}", pair[1]["seq"]);
    }
}

#[test]
fn decisions_about_a_certificate_stand_in_it_with_their_reason() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    service.copy(&certificate, 90);
    let status = format!("/api/v1/admin/certificates/{certificate}/status");
    service.post(&status, &json!({"status": "revoked", "reason": "示例决定书1号"})).expect(200);
    let entries = trail(&service, &format!("&certificate={certificate}"));
    let last = entries.last().unwrap()["events"].as_array().unwrap().clone();
    let of =
        |deed: &str| last.iter().find(|event| event["deed"] == deed).unwrap_or_else(|| panic!("{last:?}"));
    assert_eq!(of("status-decided")["reason"], "示例决定书1号");
    // The copy died in the same entry: nobody can see the one without the other.
    assert_eq!(of("annotation-revoked")["reason"], "certificate-ended");
}

#[test]
fn what_was_refused_leaves_no_entry() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let before = trail(&service, "").len();
    service.order(&certificate, 91).problem(422, "validity-too-long");
    let path = format!("/api/v1/admin/certificates/{certificate}/annotations");
    Call::post(&path).json(&order(90)).send(&service).problem(401, "unauthenticated");
    assert_eq!(trail(&service, "").len(), before);
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
