//! Certificates issued before 17 December 2021 are served without annotation.

use serde_json::json;

use crate::judges::{Exhibit, dense};
use crate::records::{exempt_record, record};
use crate::service::Service;

#[test]
fn an_exempt_certificate_is_served_as_a_plain_sealed_copy() {
    let service = Service::start();
    let record = exempt_record(1);
    let certificate = service.enter(&record);
    let path = format!("/api/v1/admin/certificates/{certificate}/document");
    let bytes = service.get(&path).pdf();

    let exhibit = Exhibit::new(&bytes);
    exhibit.assert_accepted();
    let text = exhibit.text();
    assert!(text.contains(record["holder"]["name"].as_str().unwrap()));
    assert!(!text.contains("使用场景") && !text.contains("加注有效期"), "{text}");
    assert_eq!(exhibit.qr_codes(), Vec::<String>::new());

    assert_eq!(service.get(&path).pdf(), bytes, "made once, then kept");
    assert_eq!(service.judge_file(&bytes)["verdict"], "genuine");
}

#[test]
fn a_certificate_issued_on_the_day_of_the_rule_needs_an_annotation() {
    let service = Service::start();
    let mut record = record(1);
    record["approved_on"] = json!("2021-12-01");
    record["issued_on"] = json!("2021-12-17");
    let certificate = service.enter(&record);
    service
        .get(&format!("/api/v1/admin/certificates/{certificate}/document"))
        .problem(409, "annotation-required");
}

#[test]
fn an_exempt_certificate_can_be_annotated_all_the_same() {
    let service = Service::start();
    let copy = service.copy(&service.enter(&exempt_record(1)), 90);
    let text = Exhibit::new(&service.document(copy["id"].as_str().unwrap())).text();
    assert!(text.contains(&dense("本人调用")));
}

#[test]
fn a_plain_copy_loses_its_good_name_with_its_certificate() {
    let service = Service::start();
    let certificate = service.enter(&exempt_record(1));
    let path = format!("/api/v1/admin/certificates/{certificate}/document");
    let bytes = service.get(&path).pdf();
    let status = format!("/api/v1/admin/certificates/{certificate}/status");
    service.post(&status, &json!({"status": "revoked", "reason": "骗取"})).expect(200);
    let problem = service.get(&path).problem(409, "certificate-not-valid");
    assert_eq!(problem["certificate"]["status"], "revoked");
    assert_eq!(service.judge_file(&bytes)["verdict"], "certificate_revoked");
}
