//! A holder sees how often and when each copy was verified, and by which door; never by whom.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::Person;
use crate::records::{exempt_record, record};
use crate::service::{START, Service};

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

fn visit(service: &Service, path: &str) -> Answer {
    Call::get(path).header("Accept", "text/html").undocumented().send(service)
}

fn checks(person: &Person<'_>, copy: &Value) -> Value {
    person.get(&format!("/api/v1/me/annotations/{}/checks", text(copy, "id"))).expect(200)
}

/// Door and count of each item.
fn doors(checks: &Value) -> Vec<(String, u64)> {
    let items = checks["items"].as_array().unwrap().iter();
    items.map(|item| (text(item, "door").to_owned(), item["count"].as_u64().unwrap())).collect()
}

fn own(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs.iter().map(|(door, count)| ((*door).to_owned(), *count)).collect()
}

#[test]
fn every_door_counts_by_itself_and_by_the_hour() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let holder = Person::holding(&service, &record(1));
    let copy = holder.copy(&certificate, 90);
    assert_eq!(checks(&holder, &copy), json!({"total": 0, "last_hour": null, "items": []}));

    let code = text(&copy, "code");
    for _ in 0..2 {
        assert_eq!(visit(&service, &format!("/v/{code}")).status, 200);
    }
    let typed = visit(&service, &format!("/v?code={code}&lang=en"));
    assert_eq!(typed.status, 303);
    assert_eq!(visit(&service, typed.header("location").unwrap()).status, 200);
    service.verify(code);
    service.judge_file(&service.document(text(&copy, "id")));
    let seen = checks(&holder, &copy);
    assert_eq!(doors(&seen), own(&[("link", 2), ("code", 1), ("api", 1), ("file", 1)]));
    assert_eq!((&seen["total"], text(&seen, "last_hour")), (&json!(5), "2026-11-21T15:00:00.000+08:00"));

    service.advance("PT1H");
    service.verify(code);
    let holder = Person::holding(&service, &record(1));
    let seen = checks(&holder, &copy);
    assert_eq!((&seen["total"], text(&seen, "last_hour")), (&json!(6), "2026-11-21T16:00:00.000+08:00"));
    assert_eq!(doors(&seen).last(), Some(&("api".to_owned(), 1)));
}

#[test]
fn what_is_not_found_counts_nothing_and_what_has_ended_counts_on() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let holder = Person::holding(&service, &record(1));
    let copy = holder.copy(&certificate, 1);
    let mut file = service.document(text(&copy, "id"));
    for unknown in ["00000000000000000000000000", "nonsense"] {
        visit(&service, &format!("/v/{unknown}"));
        service.verify(unknown);
    }
    let middle = file.len() / 2;
    file[middle] ^= 1;
    service.judge_file(&file);
    assert_eq!(checks(&holder, &copy)["total"], 0);
    service.advance("P2D");
    assert_eq!(service.verdict(text(&copy, "code")), "expired");
    let holder = Person::holding(&service, &record(1));
    assert_eq!(checks(&holder, &copy)["total"], 1);
}

#[test]
fn counts_outlive_a_stop() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let holder = Person::holding(&service, &record(1));
    let copy = holder.copy(&certificate, 90);
    let token = holder.token.clone();
    for _ in 0..3 {
        service.verify(text(&copy, "code"));
    }
    let (status, folder) = service.stop();
    assert!(status.success());
    let service = Service::start_as(folder, "all", Some(START));
    let holder = Person::with(&service, &token);
    service.verify(text(&copy, "code"));
    assert_eq!(doors(&checks(&holder, &copy)), own(&[("api", 4)]));
}

#[test]
fn a_query_and_a_plain_copy_count_for_the_certificate() {
    let service = Service::start();
    let record = exempt_record(1);
    let certificate = service.enter(&record);
    let holder = Person::holding(&service, &record);
    let plain = holder.get(&format!("/api/v1/me/certificates/{certificate}/document")).pdf();
    assert_eq!(service.judge_file(&plain)["verdict"], "genuine");
    let ask = |name: &Value| {
        let (id, answer) = service.captcha();
        let form = json!({
            "name": name, "id_number": record["holder"]["id_number"], "management_no": record["management_no"],
            "captcha_id": id, "captcha": answer,
        });
        Call::post("/api/v1/verify/query").json(&form).send(&service).expect(200)
    };
    assert_eq!(ask(&record["holder"]["name"])["verdict"], "genuine");
    assert_eq!(ask(&json!("李四"))["verdict"], "unknown");
    let seen = holder.get(&format!("/api/v1/me/certificates/{certificate}/checks")).expect(200);
    assert_eq!(doors(&seen), own(&[("file", 1), ("query", 1)]));
}

#[test]
fn anothers_counts_are_not_there() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let copy = Person::holding(&service, &record(1)).copy(&certificate, 90);
    service.enter(&record(2));
    let other = Person::holding(&service, &record(2));
    for path in [
        format!("annotations/{}", text(&copy, "id")),
        format!("certificates/{certificate}"),
        "annotations/x".to_owned(),
    ] {
        other.get(&format!("/api/v1/me/{path}/checks")).problem(404, "not-found");
    }
}

#[test]
fn the_holders_pages_show_the_counts() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let holder = Person::holding(&service, &record(1));
    let copy = holder.copy(&certificate, 90);
    let page = |path: &str| {
        let call = Call::get(path).header("Cookie", &format!("session={}", holder.token));
        call.header("Accept", "text/html").undocumented().send(&service).text()
    };
    let of_copy = format!("/me/annotations/{}", text(&copy, "id"));
    assert!(page(&of_copy).contains("还没有人查验过"), "{}", page(&of_copy));
    visit(&service, &format!("/v/{}", text(&copy, "code")));
    service.judge_file(&service.document(text(&copy, "id")));
    let html = page(&of_copy);
    assert!(html.contains("共查验 2 次") && html.contains("扫码或打开链接 1 · 上传文件 1"), "{html}");
}
