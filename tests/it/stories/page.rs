//! The page behind the QR code, as a stranger's phone gets it.

use crate::call::{Answer, Call};
use crate::records::record;
use crate::service::Service;

fn page(service: &Service, code: &str, language: &str) -> Answer {
    let answer =
        Call::get(&format!("/v/{code}")).header("Accept-Language", language).undocumented().send(service);
    assert_eq!(answer.media_type().as_deref(), Some("text/html"), "{answer}");
    answer
}

#[test]
fn the_page_says_the_verdict_first_in_the_readers_language() {
    let service = Service::start();
    let copy = service.copy(&service.enter(&record(1)), 90);
    let code = copy["code"].as_str().unwrap();
    let chinese = page(&service, code, "zh-CN").text();
    assert!(chinese.contains("真实有效") && chinese.contains("lang=\"zh"), "{chinese}");
    let english = page(&service, code, "en").text();
    assert!(english.contains("Genuine") && english.contains("lang=\"en"), "{english}");

    service.set_clock("2027-03-01T09:00:00+08:00");
    assert!(page(&service, code, "zh-CN").text().contains("已过期"));
    assert!(page(&service, "00000000000000000000000000", "zh-CN").text().contains("查无此件"));
}

#[test]
fn the_page_shows_what_to_compare_and_nothing_that_is_not_the_publics() {
    let service = Service::start();
    let record = record(1);
    let copy = service.copy(&service.enter(&record), 90);
    let html = page(&service, copy["code"].as_str().unwrap(), "zh-CN").text();
    for shown in
        ["注册城乡规划师职业资格证书", "示例人事考试中心", "＊", copy["document_sha256"].as_str().unwrap()]
    {
        assert!(html.contains(shown), "{shown} is not on the page:\n{html}");
    }
    let holder = &record["holder"];
    for hidden in [&holder["name"], &holder["id_number"], &record["management_no"]] {
        assert!(!html.contains(hidden.as_str().unwrap()), "{hidden} is on the page");
    }
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let service = Service::start();
    let copy = service.copy(&service.enter(&record(1)), 90);
    let answer = page(&service, copy["code"].as_str().unwrap(), "zh-CN");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(answer.text().contains("name=\"viewport\""), "phone first");
    for outside in ["src=\"http", "src=\"//", "@import", "url(http"] {
        assert!(!answer.text().contains(outside), "{outside}");
    }
}

#[test]
fn a_code_that_is_markup_stays_text() {
    let service = Service::start();
    let html = page(&service, "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "zh-CN").text();
    assert!(!html.contains("<script>alert"), "{html}");
}
