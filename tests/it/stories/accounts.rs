//! Opening an account and what stands around it: the notice, a new password, a new mobile, a forgotten password.

use std::time::Instant;

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::{PASSWORD, Person};
use crate::records::{SICHUAN, record, record_of};
use crate::service::Service;

const MOBILE: &str = "13912345678";
const OTHER_MOBILE: &str = "13912345679";

fn sign_up(service: &Service, form: &Value) -> Answer {
    Call::post("/api/v1/accounts").json(form).send(service)
}

#[test]
fn from_the_first_code_to_a_revoked_copy() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let account = service.sign_up(&record(1), MOBILE);
    let begun = service.try_log_in(&account.to_lowercase(), PASSWORD).expect(200);
    assert_eq!(begun["notice_accepted"], false);
    let me = Person::with(&service, begun["token"].as_str().unwrap());

    me.get("/api/v1/me/certificates").problem(403, "notice-not-accepted");
    me.order(&certificate, 90).problem(403, "notice-not-accepted");
    let shown = me.get("/api/v1/me").expect(200);
    assert_eq!((&shown["kind"], &shown["notice_accepted"]), (&json!("holder"), &json!(false)));
    assert_eq!(shown["mobile"], "139****5678");
    assert!(!shown["account"].as_str().unwrap().contains("19900307"), "{shown}");
    assert_eq!(me.post("/api/v1/me/notice", &json!({})).expect(200)["notice_accepted"], true);
    assert_eq!(me.post("/api/v1/me/notice", &json!({})).expect(200)["notice_accepted"], true);

    let own = me.get("/api/v1/me/certificates").expect(200);
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    let own = &own["items"][0];
    assert_eq!(
        (&own["id"], &own["status"], &own["places_left"]),
        (&json!(certificate), &json!("valid"), &json!(3))
    );
    assert_eq!((&own["annotation_state"], &own["annotation_required"]), (&Value::Null, &json!(true)));

    let ordered = me.order(&certificate, 90);
    let location = ordered.header("location").unwrap().to_owned();
    let ordered = ordered.expect(202);
    let id = ordered["id"].as_str().unwrap();
    assert_eq!(location, format!("/api/v1/me/annotations/{id}"));
    let ready = service.ready(id);
    assert_eq!(me.get(&location).expect(200), ready, "holder and agency see the same");
    let pdf = me.get(&format!("{location}/document")).pdf();
    assert_eq!(service.judge_file(&pdf)["verdict"], "genuine");
    assert_eq!(service.verdict(ordered["code"].as_str().unwrap()), "genuine");
    let own = me.get(&format!("/api/v1/me/certificates/{certificate}")).expect(200);
    assert_eq!((&own["annotation_state"], &own["places_left"]), (&json!("ready"), &json!(2)));

    let revoked = me.post(&format!("{location}/revocation"), &json!({})).expect(200);
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(service.verdict(ordered["code"].as_str().unwrap()), "revoked");
    me.get(&format!("{location}/document")).problem(410, "annotation-revoked");
    me.post(&format!("{location}/revocation"), &json!({})).problem(409, "annotation-not-live");

    let log = me.get("/api/v1/me/log").expect(200);
    let deeds: Vec<_> =
        log["items"].as_array().unwrap().iter().map(|done| done["deed"].as_str().unwrap()).collect();
    let expected =
        ["account-opened", "session-begun", "notice-accepted", "annotation-ordered", "annotation-revoked"];
    assert_eq!(deeds, expected);
    let export = me.get("/api/v1/me/export").expect(200);
    assert_eq!(export["id_number"], record(1)["holder"]["id_number"]);
    assert_eq!(export["mobile"], MOBILE);
    assert_eq!(export["certificates"][0]["annotations"][0]["state"], "revoked");
    assert_eq!(export["log"], log["items"]);
    let trail = service.get(&format!("/api/v1/admin/audit?annotation={id}")).expect(200);
    let actor = trail["items"][0]["events"][0]["actor"].as_str().unwrap();
    assert_eq!(actor, format!("account:{}", shown["account_id"].as_str().unwrap()));
}

#[test]
fn whoever_cannot_be_matched_is_told_the_same_whatever_the_reason() {
    let service = Service::start();
    service.enter(&record(1));
    service.enter(&record(2));
    service.sign_up(&record(2), OTHER_MOBILE);
    let code = service.code("sign_up", MOBILE);
    let form = |change: fn(&mut Value)| {
        let mut form = service.sign_up_form(&record(1), MOBILE, &code);
        change(&mut form);
        form
    };
    let nobody = form(|form| form["id_number"] = record(7)["holder"]["id_number"].clone());
    service.plant(nobody["id_number"].as_str().unwrap());
    let other_name = form(|form| form["name"] = json!("李四"));
    let taken = form(|form| {
        form["name"] = record(2)["holder"]["name"].clone();
        form["id_number"] = record(2)["holder"]["id_number"].clone();
    });
    let mut answers = Vec::new();
    for form in [&nobody, &other_name, &taken] {
        let begun = Instant::now();
        let answer = sign_up(&service, form);
        answers.push((answer.problem(422, "identity-not-matched"), begun.elapsed()));
    }
    assert!(answers.iter().all(|(problem, _)| *problem == answers[0].0), "word for word");
    let times: Vec<f64> = answers.iter().map(|(_, took)| took.as_secs_f64()).collect();
    let (least, most) =
        (times.iter().copied().fold(f64::MAX, f64::min), times.iter().copied().fold(0.0, f64::max));
    assert!(most < 4.0 * least, "every one of them hashes the password: {times:?}");

    // The code was not used up by that: three of its five tries were.
    let mut spaced = form(|_| {});
    spaced["name"] = json!(format!("　{} ", spaced["name"].as_str().unwrap()));
    sign_up(&service, &spaced).expect(201);
    sign_up(&service, &spaced).problem(422, "code-wrong");
}

#[test]
fn guessing_at_people_costs_the_tries_of_a_code() {
    let service = Service::start();
    service.enter(&record(1));
    let code = service.code("sign_up", MOBILE);
    let right = service.sign_up_form(&record(1), MOBILE, &code);
    let mut wrong = right.clone();
    wrong["name"] = json!("李四");
    for _ in 0..5 {
        sign_up(&service, &wrong).problem(422, "identity-not-matched");
    }
    sign_up(&service, &right).problem(422, "code-wrong");
}

#[test]
fn a_replaced_name_no_longer_opens_an_account() {
    let service = Service::start();
    service.enter(&record(1));
    let mut corrected = record(1);
    corrected["holder"]["name"] = json!("欧阳静宜");
    service.enter(&corrected);
    let code = service.code("sign_up", MOBILE);
    let form = service.sign_up_form(&record(1), MOBILE, &code);
    sign_up(&service, &form).problem(422, "identity-not-matched");
    sign_up(&service, &service.sign_up_form(&corrected, MOBILE, &code)).expect(201);
}

#[test]
fn every_wrong_field_is_named_and_weak_passwords_are_refused() {
    let service = Service::start();
    let code = service.code("sign_up", MOBILE);
    let mut form = service.sign_up_form(&record(1), MOBILE, &code);
    for (password, fault) in [
        ("short", "password-too-short"),
        ("password123", "password-guessable"),
        ("my 13912345678", "password-guessable"),
    ] {
        form["password"] = json!(password);
        assert_eq!(sign_up(&service, &form).wrong_fields(), [("password".to_owned(), fault.to_owned())]);
    }
    form["mobile"] = json!("12345");
    form["id_number"] = json!("110105194912310021");
    let wrong = sign_up(&service, &form).wrong_fields();
    let fields: Vec<_> = wrong.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["id_number", "mobile"]);
}

#[test]
fn a_new_password_ends_every_session_and_begins_one() {
    let service = Service::start();
    service.enter(&record(1));
    let account = service.sign_up(&record(1), MOBILE);
    let (first, second) = (service.log_in(&account, PASSWORD), service.log_in(&account, PASSWORD));
    assert_ne!(first.token, second.token, "every login makes a fresh token");
    let change = |old: &str, new: &str| {
        first.post("/api/v1/me/password", &json!({"old_password": old, "new_password": new}))
    };
    change(PASSWORD, "another good one").problem(403, "notice-not-accepted");
    first.post("/api/v1/me/notice", &json!({})).expect(200);
    change("not the password", "another good one").problem(401, "wrong-credentials");
    assert_eq!(change(PASSWORD, "1234567890").wrong_fields()[0].0, "new_password");
    let begun = change(PASSWORD, "another good one").expect(200);
    service.plant("another good one");
    first.get("/api/v1/me").problem(401, "unauthenticated");
    second.get("/api/v1/me").problem(401, "unauthenticated");
    Person::with(&service, begun["token"].as_str().unwrap()).get("/api/v1/me").expect(200);
    service.try_log_in(&account, PASSWORD).problem(401, "wrong-credentials");
    service.log_in(&account, "another good one");
}

#[test]
fn a_new_mobile_is_proved_by_a_code_and_the_password() {
    let service = Service::start();
    service.enter(&record(1));
    let account = service.sign_up(&record(1), MOBILE);
    let me = service.log_in(&account, PASSWORD);
    me.post("/api/v1/me/notice", &json!({})).expect(200);
    let code = service.code("change_mobile", OTHER_MOBILE);
    let change = |mobile: &str, password: &str| {
        me.post("/api/v1/me/mobile", &json!({"mobile": mobile, "code": code, "password": password}))
    };
    change(OTHER_MOBILE, "not the password").problem(401, "wrong-credentials");
    change(MOBILE, PASSWORD).problem(422, "code-wrong");
    assert_eq!(change(OTHER_MOBILE, PASSWORD).expect(200)["mobile"], "139****5679");
    change(OTHER_MOBILE, PASSWORD).problem(422, "code-wrong");

    // A forgotten password goes to the new one.
    let recover = |mobile: &str, code: &str, password: &str| {
        let form = json!({"account": account, "mobile": mobile, "code": code, "password": password});
        Call::post("/api/v1/accounts/recovery").json(&form).send(&service)
    };
    let code = service.code("recovery", MOBILE);
    recover(MOBILE, &code, "a third good one").problem(422, "identity-not-matched");
    let code = service.code("recovery", OTHER_MOBILE);
    assert_eq!(recover(OTHER_MOBILE, &code, "a third good one").status, 204);
    service.plant("a third good one");
    me.get("/api/v1/me").problem(401, "unauthenticated");
    service.log_in(&account, "a third good one");
    recover(OTHER_MOBILE, &code, "a fourth good one").problem(422, "code-wrong");
}

#[test]
fn units_and_staff_log_in_too_and_hold_no_certificates() {
    let service = Service::start();
    let unit = Person::made(&service, &json!({"kind": "unit", "name": "示例设计院", "uscc": SICHUAN}));
    assert_eq!(unit.get("/api/v1/me").expect(200)["account"], SICHUAN);
    unit.get("/api/v1/me/certificates").problem(404, "not-found");
    let form =
        json!({"kind": "staff", "name": "审核员", "level": "province", "region": "51", "complete": true});
    let staff = Person::made(&service, &form).get("/api/v1/me").expect(200);
    assert_eq!((&staff["level"], &staff["region"]), (&json!("province"), &json!("51")));
    let wrong =
        |form: Value| Call::post("/dev/accounts").json(&form).send(&service).wrong_fields()[0].clone();
    assert_eq!(wrong(json!({"kind": "unit", "name": "甲"})), ("uscc".to_owned(), "missing".to_owned()));
    assert_eq!(wrong(json!({"kind": "cat", "name": "甲"})), ("kind".to_owned(), "not-one-of".to_owned()));
    let anybody = Person::made(&service, &json!({"kind": "holder", "name": "甲"}));
    assert_eq!(anybody.get("/api/v1/me/certificates").expect(200), json!({"items": []}));
    assert_eq!(service.enter(&record_of(3, SICHUAN)).len(), 36);
}
