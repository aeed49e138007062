//! Who may do what: keys with scopes, each for its own issuer; others' business is not there at all.

use serde_json::json;

use crate::call::Call;
use crate::records::{HUNAN, SICHUAN, record_of};
use crate::service::{Service, order};

#[test]
fn a_key_sees_and_touches_nothing_of_another_issuer() {
    let service = Service::start();
    let own = service.enter(&record_of(1, HUNAN));
    let other = service.enter(&record_of(2, SICHUAN));
    let copy = service.copy(&other, 90);
    let id = copy["id"].as_str().unwrap();
    let key = service.new_key(&["*"], HUNAN);
    let get = |path: &str| Call::get(path).key(&key).send(&service);
    let post = |path: &str, body| Call::post(path).key(&key).json(&body).send(&service);

    get(&format!("/api/v1/admin/certificates/{own}")).expect(200);
    get(&format!("/api/v1/admin/certificates/{other}")).problem(404, "not-found");
    get(&format!("/api/v1/admin/certificates/{other}/document")).problem(404, "not-found");
    get(&format!("/api/v1/admin/annotations/{id}")).problem(404, "not-found");
    get(&format!("/api/v1/admin/annotations/{id}/document")).problem(404, "not-found");
    post(&format!("/api/v1/admin/certificates/{other}/annotations"), order(90)).problem(404, "not-found");
    let revoked = json!({"status": "revoked", "reason": "越权"});
    post(&format!("/api/v1/admin/certificates/{other}/status"), revoked).problem(404, "not-found");
    post(&format!("/api/v1/admin/annotations/{id}/revocation"), json!({})).problem(404, "not-found");
    post(&format!("/api/v1/admin/annotations/{id}/retry"), json!({})).problem(404, "not-found");
    assert_eq!(service.verdict(copy["code"].as_str().unwrap()), "genuine");

    let listed = get("/api/v1/admin/certificates").expect(200);
    let ids: Vec<_> = listed["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    assert_eq!(ids, [json!(own)]);
    assert_eq!(get("/api/v1/admin/annotations").expect(200)["items"], json!([]));
    let trail = get("/api/v1/admin/audit").expect(200).to_string();
    assert!(!trail.contains(id) && !trail.contains(&other), "{trail}");
}

#[test]
fn a_record_of_another_issuer_is_refused_and_so_is_taking_over_its_number() {
    let service = Service::start();
    let theirs = record_of(1, SICHUAN);
    service.enter(&theirs);
    let key = service.new_key(&["certificates:write"], HUNAN);
    let enter = |record| Call::post("/api/v1/admin/certificates").key(&key).json(record).send(&service);
    let foreign = record_of(2, SICHUAN);
    service.plant_record(&foreign);
    assert_eq!(enter(&foreign).wrong_fields(), [("issuer.uscc".to_owned(), "foreign-issuer".to_owned())]);
    let mut taken = theirs.clone();
    taken["issuer"]["uscc"] = json!(HUNAN);
    assert_eq!(enter(&taken).wrong_fields(), [("management_no".to_owned(), "foreign-issuer".to_owned())]);
}

#[test]
fn a_key_that_was_never_made_and_one_that_is_no_key_are_both_told_nothing() {
    let service = Service::start();
    let certificate = service.enter(&record_of(1, HUNAN));
    let path = format!("/api/v1/admin/certificates/{certificate}");
    let never = format!("vk_{}", "A".repeat(43));
    for key in [never.as_str(), "vk_", "", "Bearer", "secret", &service.key()[..20]] {
        let answer = Call::get(&path).key(key).send(&service);
        answer.problem(401, "unauthenticated");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    }
    Call::get(&path).send(&service).problem(401, "unauthenticated");
    Call::get(&path).header("Authorization", "Basic dms6eA==").send(&service).problem(401, "unauthenticated");
}

#[test]
fn nobody_without_a_key_learns_what_exists() {
    let service = Service::start();
    let certificate = service.enter(&record_of(1, HUNAN));
    let never = "0192f0c1-0000-7000-8000-000000000000";
    for id in [certificate.as_str(), never, "nonsense"] {
        let path = format!("/api/v1/admin/certificates/{id}");
        Call::get(&path).send(&service).problem(401, "unauthenticated");
    }
}
