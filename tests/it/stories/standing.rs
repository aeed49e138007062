//! What becomes of copies when their certificate is suspended, revoked, cancelled or replaced: at once, and for good.

use serde_json::{Value, json};

use crate::records::record;
use crate::service::Service;

fn decide(service: &Service, certificate: &str, status: &str) -> crate::call::Answer {
    let body = json!({"status": status, "reason": "依据示例决定〔2026〕1号"});
    service.post(&format!("/api/v1/admin/certificates/{certificate}/status"), &body)
}

fn code(annotation: &Value) -> &str {
    annotation["code"].as_str().unwrap()
}

fn document_path(annotation: &Value) -> String {
    format!("/api/v1/admin/annotations/{}/document", annotation["id"].as_str().unwrap())
}

#[test]
fn revoking_or_cancelling_a_certificate_turns_the_verdicts_of_its_copies_at_once() {
    let service = Service::start();
    for (number, status) in [(1, "revoked"), (2, "cancelled")] {
        let certificate = service.enter(&record(number));
        let copies = [service.copy(&certificate, 90), service.copy(&certificate, 30)];
        let file = service.document(copies[0]["id"].as_str().unwrap());
        assert_eq!(service.verdict(code(&copies[0])), "genuine");

        let decided = decide(&service, &certificate, status).expect(200);
        assert_eq!(decided["status"], status);

        for copy in &copies {
            let answer = service.verify(code(copy));
            assert_eq!(answer["verdict"], "certificate_revoked");
            assert_eq!(answer["certificate"]["status"], status);
            assert_eq!(service.annotation(copy["id"].as_str().unwrap())["state"], "revoked");
            service.get(&document_path(copy)).problem(410, "annotation-revoked");
        }
        assert_eq!(service.judge_file(&file)["verdict"], "certificate_revoked");
        let problem = service.order(&certificate, 90).problem(409, "certificate-not-valid");
        assert_eq!(problem["certificate"]["status"], status);

        // There is no way back.
        decide(&service, &certificate, "valid").problem(409, "status-final");
        assert_eq!(decide(&service, &certificate, status).expect(200)["status"], status);
        assert_eq!(service.verdict(code(&copies[0])), "certificate_revoked");
    }
}

#[test]
fn a_suspension_holds_the_copies_and_lifting_it_gives_them_back() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let copy = service.copy(&certificate, 90);

    decide(&service, &certificate, "suspended").expect(200);
    let answer = service.verify(code(&copy));
    assert_eq!(answer["verdict"], "certificate_revoked");
    assert_eq!(answer["certificate"]["status"], "suspended");
    let problem = service.get(&document_path(&copy)).problem(409, "certificate-not-valid");
    assert_eq!(problem["certificate"]["status"], "suspended");
    service.order(&certificate, 90).problem(409, "certificate-not-valid");

    decide(&service, &certificate, "valid").expect(200);
    assert_eq!(service.verdict(code(&copy)), "genuine");
    service.get(&document_path(&copy)).pdf();
}

#[test]
fn a_suspended_certificate_can_be_revoked() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let copy = service.copy(&certificate, 90);
    decide(&service, &certificate, "suspended").expect(200);
    decide(&service, &certificate, "revoked").expect(200);
    assert_eq!(service.verify(code(&copy))["certificate"]["status"], "revoked");
}

#[test]
fn a_newer_version_supersedes_the_old_one_and_its_copies() {
    let service = Service::start();
    let mut record = record(1);
    let old = service.enter(&record);
    let copy = service.copy(&old, 90);
    let file = service.document(copy["id"].as_str().unwrap());

    record["specialty"] = json!("城乡规划(更正)");
    let updated = service.post("/api/v1/admin/certificates", &record).created();
    assert_eq!(updated["status"], "updated");
    let new = updated["certificate_id"].as_str().unwrap();
    assert_ne!(new, old);

    assert_eq!(service.verdict(code(&copy)), "superseded");
    assert_eq!(service.judge_file(&file)["verdict"], "superseded");
    assert_eq!(service.annotation(copy["id"].as_str().unwrap())["state"], "revoked");
    service.get(&document_path(&copy)).problem(410, "annotation-revoked");
    let shown = service.get(&format!("/api/v1/admin/certificates/{old}")).expect(200);
    assert_eq!(shown["status"], "superseded");
    service.order(&old, 90).problem(409, "certificate-not-valid");

    // The new one begins with all its places, and its licence identifier counts on.
    for _ in 0..3 {
        service.order(new, 90).expect(202);
    }
    let shown = service.get(&format!("/api/v1/admin/certificates/{new}")).expect(200);
    assert_eq!(shown["version"], 2);
    assert!(shown["licence_id"].as_str().unwrap().contains(".002."), "{shown}");
}

#[test]
fn loading_the_same_record_again_changes_nothing() {
    let service = Service::start();
    let record = record(1);
    let certificate = service.enter(&record);
    let copy = service.copy(&certificate, 90);
    let again = service.post("/api/v1/admin/certificates", &record).created();
    assert_eq!((&again["status"], &again["certificate_id"]), (&json!("unchanged"), &json!(certificate)));
    assert_eq!(service.verdict(code(&copy)), "genuine");
}

#[test]
fn loading_a_revoked_certificate_again_does_not_restore_it() {
    let service = Service::start();
    let mut record = record(1);
    let certificate = service.enter(&record);
    decide(&service, &certificate, "revoked").expect(200);
    record["specialty"] = json!("另一个专业");
    let updated = service.post("/api/v1/admin/certificates", &record).created();
    let new = updated["certificate_id"].as_str().unwrap();
    let shown = service.get(&format!("/api/v1/admin/certificates/{new}")).expect(200);
    assert_eq!(shown["status"], "revoked");
}

#[test]
fn a_registration_lapses_after_its_last_day() {
    let service = Service::start();
    let mut record = record(1);
    record["valid_until"] = json!("2026-11-30");
    let certificate = service.enter(&record);
    service.set_clock("2026-11-30T23:59:00+08:00");
    let shown =
        |service: &Service| service.get(&format!("/api/v1/admin/certificates/{certificate}")).expect(200);
    assert_eq!(shown(&service)["status"], "valid");
    service.set_clock("2026-12-01T00:00:00+08:00");
    assert_eq!(shown(&service)["status"], "lapsed");
    let problem = service.order(&certificate, 90).problem(409, "certificate-not-valid");
    assert_eq!(problem["certificate"]["status"], "lapsed");
}

#[test]
fn an_unknown_and_a_malformed_code_are_answered_alike() {
    let service = Service::start();
    for code in
        ["00000000000000000000000000", "K7QF2M9XK7QF2M9XK7QF2M9X5H", "nonsense", "%E5%8A%A0%E6%B3%A8", "8"]
    {
        let answer = service.verify(code);
        let members: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(answer["verdict"], "unknown");
        assert!(members.iter().all(|member| ["verdict", "checked_at"].contains(member)), "{answer}");
    }
}

#[test]
fn a_code_is_read_however_a_person_types_it() {
    let service = Service::start();
    let copy = service.copy(&service.enter(&record(1)), 90);
    let grouped: Vec<_> =
        code(&copy).as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap()).collect();
    for typed in [grouped.join("%20"), grouped.join("-").to_lowercase(), code(&copy).replace('0', "o")] {
        assert_eq!(service.verdict(&typed), "genuine", "{typed}");
    }
}

#[test]
fn the_public_sees_enough_to_compare_and_never_the_whole_number() {
    let service = Service::start();
    let record = record(1);
    let copy = service.copy(&service.enter(&record), 90);
    let answer = service.verify(code(&copy));
    let text = answer.to_string();
    for private in ["name", "id_number"] {
        assert!(!text.contains(record["holder"][private].as_str().unwrap()), "{private} in {text}");
    }
    assert!(!text.contains(record["management_no"].as_str().unwrap()));
    let shown = &answer["certificate"];
    assert!(shown["holder_name_masked"].as_str().unwrap().contains('＊'));
    assert!(
        record["management_no"].as_str().unwrap().ends_with(shown["management_no_tail"].as_str().unwrap())
    );
    assert_eq!((&shown["title"], &shown["approved_on"]), (&record["title"], &record["approved_on"]));
    assert_eq!(answer["annotation"]["valid_until"], copy["valid_until"]);
    assert_eq!(answer["document_sha256"], copy["document_sha256"]);
}
