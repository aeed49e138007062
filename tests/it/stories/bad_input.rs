//! Bad input: each is refused with a stable code, the field, and what to do, in the reader's language; nothing is done
//! by halves.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::records::record;
use crate::service::{Service, order};

fn enter(service: &Service, record: &Value) -> Answer {
    Call::post("/api/v1/admin/certificates").key(service.key()).json(record).send(service)
}

/// The record with the field at a path, as `holder.sex`, set to a value.
fn with(path: &str, value: Value) -> Value {
    let mut record = record(1);
    let pointer = format!("/{}", path.replace('.', "/"));
    *record.pointer_mut(&pointer).unwrap() = value;
    record
}

#[test]
fn every_field_of_a_record_is_judged_and_named() {
    let service = Service::start();
    for (field, value, code) in [
        ("type", json!("Planner"), "not-a-certificate-type"),
        ("type", json!(""), "not-a-certificate-type"),
        ("management_no", json!("123"), "not-a-management-number"),
        ("management_no", json!("2024092211-00000"), "not-a-management-number"),
        ("title", json!("  "), "empty"),
        ("title", json!("证".repeat(61)), "too-long"),
        ("title", json!("证\n书"), "control-character"),
        ("level", json!("级".repeat(21)), "too-long"),
        ("specialty", json!("\u{7}"), "control-character"),
        ("holder.name", json!("名".repeat(41)), "too-long"),
        ("holder.name", json!(""), "empty"),
        ("holder.id_type", json!("11"), "not-three-digits"),
        ("holder.id_number", json!("110105194912310021"), "check-digit"),
        ("holder.id_number", json!("11010519490230002X"), "no-such-birth-date"),
        ("holder.id_number", json!("1"), "not-a-citizen-number"),
        ("holder.sex", json!("女性"), "not-one-of"),
        ("holder.sex", json!("女"), "contradicts-id-number"),
        ("holder.born", json!("1990-03-08"), "contradicts-id-number"),
        ("holder.born", json!("1990-3-7"), "not-a-day"),
        ("issuer.name", json!(""), "empty"),
        ("issuer.uscc", json!("12430000700000043X"), "check-digit"),
        ("issuer.uscc", json!("1243"), "not-a-credit-code"),
        ("approved_on", json!("2024-02-30"), "not-a-day"),
        ("issued_on", json!("2024-09-21"), "day-contradicts"),
        ("valid_until", json!("2024-10-31"), "day-contradicts"),
        ("photo", json!("***"), "not-base64"),
        ("photo", json!("aGVsbG8="), "bad-photo"),
    ] {
        let wrong = enter(&service, &with(field, value.clone())).wrong_fields();
        assert_eq!(wrong, [(field.to_owned(), code.to_owned())], "{field} = {value}");
    }
    assert_eq!(
        service.get("/api/v1/admin/certificates").expect(200)["items"],
        json!([]),
        "nothing by halves"
    );
}

#[test]
fn everything_wrong_is_told_at_once() {
    let service = Service::start();
    let mut record = with("title", json!(""));
    record["holder"]["id_number"] = json!("1");
    record["approved_on"] = json!("yesterday");
    let wrong: Vec<_> = enter(&service, &record).wrong_fields().into_iter().map(|(field, _)| field).collect();
    assert_eq!(wrong, ["title", "holder.id_number", "approved_on"]);
}

#[test]
fn a_field_that_is_unknown_missing_or_of_another_kind_is_named_by_its_path() {
    let service = Service::start();
    let mut unknown = record(1);
    unknown["holder"]["nickname"] = json!("x");
    let mut missing = record(1);
    missing["issuer"].as_object_mut().unwrap().remove("uscc");
    for (record, field, code) in [
        (unknown, "holder.nickname", "unknown-field"),
        (missing, "issuer.uscc", "missing"),
        (with("title", json!(7)), "title", "wrong-kind"),
        (with("holder", json!("x")), "holder", "wrong-kind"),
    ] {
        assert_eq!(enter(&service, &record).wrong_fields(), [(field.to_owned(), code.to_owned())]);
    }
    let certificate = service.enter(&record(1));
    let path = format!("/api/v1/admin/certificates/{certificate}/annotations");
    for (field, value) in
        [("days", json!("90")), ("days", json!(-1)), ("days", json!(1.5)), ("scenario", json!(null))]
    {
        let mut form = order(90);
        form[field] = value;
        assert_eq!(service.post(&path, &form).wrong_fields()[0].0, field);
    }
    let mut form = order(90);
    form["priority"] = json!("high");
    assert_eq!(
        service.post(&path, &form).wrong_fields(),
        [("priority".to_owned(), "unknown-field".to_owned())]
    );
}

#[test]
fn a_refused_value_is_never_repeated() {
    let service = Service::start();
    let number = "110105194912310021";
    service.plant(number);
    let answer = enter(&service, &with("holder.id_number", json!(number)));
    assert!(!answer.text().contains(number), "{answer}");
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    let service = Service::start();
    let send = |body: &[u8]| {
        let call = Call::post("/api/v1/admin/certificates").key(service.key());
        call.body("application/json", body).send(&service)
    };
    for body in [&b""[..], b"{", b"{\"type\": }", b"\xff\xfe", b"{} {}"] {
        let answer = send(body);
        assert!([400, 422].contains(&answer.status), "{answer}");
    }
    send(b"{\n \"type\": }").problem(400, "malformed-json");
    send("[".repeat(100_000).as_bytes()).problem(400, "malformed-json");
    let call = Call::post("/api/v1/admin/certificates").key(service.key());
    call.body("text/plain", b"{}").send(&service).problem(415, "unsupported-media-type");
}

#[test]
fn a_body_over_the_limit_ends_early() {
    let service = Service::start();
    let long = with("specialty", json!("长".repeat(2 << 20)));
    enter(&service, &long).problem(413, "too-large");
}

#[test]
fn every_refusal_speaks_the_language_that_was_asked_for() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let path = format!("/api/v1/admin/certificates/{certificate}/annotations");
    let ask = |language: &str| {
        let call = Call::post(&path).key(service.key()).header("Accept-Language", language);
        let answer = call.json(&order(91)).send(&service);
        let spoken = answer.header("content-language").map(str::to_owned);
        (answer.problem(422, "validity-too-long"), spoken)
    };
    let has_han = |problem: &Value, field: &str| {
        problem[field].as_str().unwrap().chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    };
    for language in ["zh-CN", "zh", "fr", "*", "zh;q=0.9, en;q=0.8", ""] {
        let (problem, spoken) = ask(language);
        assert!(has_han(&problem, "title") && has_han(&problem, "detail"), "{language}: {problem}");
        assert_eq!(spoken.as_deref(), Some("zh-CN"), "{language}");
    }
    for language in ["en", "en-GB,en;q=0.9,zh;q=0.1", "fr, en;q=0.5"] {
        let (problem, spoken) = ask(language);
        assert!(!has_han(&problem, "title") && !has_han(&problem, "detail"), "{language}: {problem}");
        assert_eq!(spoken.as_deref(), Some("en"), "{language}");
    }
}

#[test]
fn a_path_or_method_that_does_not_exist_is_a_problem_too() {
    let service = Service::start();
    for path in ["/nowhere", "/api/v1/admin", "/api/v2/verify/x", "/api/v1/admin/certificates/x/y/z"] {
        let call = Call::get(path).key(service.key()).undocumented();
        call.send(&service).problem(404, "not-found");
    }
    let answer =
        Call::new("DELETE", "/api/v1/admin/certificates").key(service.key()).undocumented().send(&service);
    answer.problem(405, "method-not-allowed");
    assert!(answer.header("allow").unwrap().contains("POST"));
}

#[test]
fn a_question_with_unknown_or_wrong_parameters_is_refused() {
    let service = Service::start();
    for (question, field) in [
        ("sort=up", "sort"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("cursor=nonsense", "cursor"),
        ("status=good", "status"),
        ("management_no=1", "management_no"),
        ("issuer=1", "issuer"),
    ] {
        let answer = service.get(&format!("/api/v1/admin/certificates?{question}"));
        assert_eq!(answer.wrong_fields()[0].0, field, "{question}");
    }
    assert_eq!(service.get("/api/v1/admin/annotations?state=done").wrong_fields()[0].0, "state");
}

#[test]
fn every_answer_carries_the_headers_that_keep_it_where_it_belongs() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    for answer in [
        service.get(&format!("/api/v1/admin/certificates/{certificate}")),
        service.public("/api/v1/verify/nonsense"),
        service.public("/healthz"),
    ] {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert!(answer.header("x-request-id").is_some());
    }
}
