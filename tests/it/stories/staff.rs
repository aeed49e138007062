//! Staff: invited by an administrator, in by a link that works once, with a second factor from the first day.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::{PASSWORD, Person};
use crate::records::{HUNAN, SICHUAN};
use crate::service::Service;

fn form(login: &str, role: &str, issuer: &str) -> Value {
    json!({"login": login, "name": "阿依古丽·买买提", "mobile": "13700000001", "role": role, "level": "ministry",
        "issuer": issuer})
}

/// Invites somebody; says who it is, and the token of the link.
fn invite(service: &Service, login: &str, role: &str, issuer: &str) -> (String, String) {
    service.plant("阿依古丽");
    told(service, &service.post("/api/v1/admin/staff", &form(login, role, issuer)).expect(201))
}

fn told(service: &Service, invited: &Value) -> (String, String) {
    let token = invited["link"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    service.plant(&token);
    (invited["staff"]["id"].as_str().unwrap().to_owned(), token)
}

fn accept(service: &Service, token: &str, code: &str) -> Answer {
    service.plant(PASSWORD);
    let form = json!({"password": PASSWORD, "code": code});
    Call::post(&format!("/api/v1/invitations/{token}")).json(&form).send(service)
}

/// The secret that an invitation shows.
fn secret(service: &Service, token: &str) -> String {
    let welcome = service.public(&format!("/api/v1/invitations/{token}")).expect(200);
    welcome["secret"].as_str().unwrap().to_owned()
}

/// Logs in with both factors.
fn log_in<'a>(service: &'a Service, login: &str, secret: &str) -> Person<'a> {
    // No code is taken twice.
    service.advance("PT1M");
    let half = service.try_log_in(login, PASSWORD).expect(202);
    let form = json!({"pass": half["pass"], "code": service.shown_by_app(secret, 0)});
    let begun = Call::post("/api/v1/sessions/second-factor").json(&form).send(service).expect(200);
    assert_eq!(begun["notice_accepted"], true, "the notice is for holders");
    Person::with(service, begun["token"].as_str().unwrap())
}

#[test]
fn an_invitation_is_accepted_once_and_leads_in_with_both_factors() {
    let service = Service::start();
    let (id, token) = invite(&service, "zhang.san", "registrar", HUNAN);
    let secret = secret(&service, &token);
    service.try_log_in("zhang.san", "").problem(401, "wrong-credentials");
    accept(&service, &token, "000000").problem(401, "second-factor-wrong");
    assert_eq!(accept(&service, &token, &service.shown_by_app(&secret, 0)).status, 204);
    accept(&service, &token, &service.shown_by_app(&secret, 30)).problem(410, "invitation-over");
    service.public(&format!("/api/v1/invitations/{token}")).problem(410, "invitation-over");

    let member = log_in(&service, "ZHANG.SAN", &secret);
    let me = member.get("/api/v1/me").expect(200);
    assert_eq!((&me["kind"], &me["level"]), (&json!("staff"), &json!("ministry")));
    let form = json!({"password": PASSWORD, "code": service.shown_by_app(&secret, 30)});
    member.post("/api/v1/me/second-factor/removal", &form).problem(409, "second-factor-compulsory");
    member.get("/api/v1/me/certificates").problem(404, "not-found");

    let listed = service.get("/api/v1/admin/staff").expect(200);
    assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["state"]), (&json!(id), &json!("active")));
    service
        .post("/api/v1/admin/staff", &self::form("zhang.SAN", "auditor", HUNAN))
        .problem(409, "login-taken");
}

#[test]
fn whoever_is_invited_anew_or_ended_is_out_at_once() {
    let service = Service::start();
    let (id, token) = invite(&service, "lisi", "administrator", "*");
    let first = secret(&service, &token);
    assert_eq!(accept(&service, &token, &service.shown_by_app(&first, 0)).status, 204);
    let member = log_in(&service, "lisi", &first);

    let invited = service.post(&format!("/api/v1/admin/staff/{id}/invitation"), &json!({})).expect(200);
    member.get("/api/v1/me").problem(401, "unauthenticated");
    service.try_log_in("lisi", PASSWORD).problem(401, "wrong-credentials");
    let (_, again) = told(&service, &invited);
    let second = secret(&service, &again);
    assert_ne!(first, second);
    assert_eq!(accept(&service, &again, &service.shown_by_app(&second, 0)).status, 204);
    let member = log_in(&service, "lisi", &second);

    service.post(&format!("/api/v1/admin/staff/{id}/end"), &json!({})).expect(200);
    member.get("/api/v1/me").problem(401, "unauthenticated");
    service.try_log_in("lisi", PASSWORD).problem(401, "wrong-credentials");
    let trail = service.get("/api/v1/admin/audit?limit=500").expect(200);
    let events =
        trail["items"].as_array().unwrap().iter().flat_map(|entry| entry["events"].as_array().unwrap());
    let count = |deed: &str| events.clone().filter(|event| event["deed"] == deed).count();
    assert_eq!((count("staff-invited"), count("invitation-accepted"), count("staff-ended")), (2, 2, 1));
}

#[test]
fn an_invitation_lasts_three_days_and_a_later_one_takes_its_place() {
    let service = Service::start();
    let (id, token) = invite(&service, "wangwu", "auditor", HUNAN);
    let other = service.post(&format!("/api/v1/admin/staff/{id}/invitation"), &json!({})).expect(200);
    service.public(&format!("/api/v1/invitations/{token}")).problem(410, "invitation-over");
    let (_, token) = told(&service, &other);
    service.advance("PT71H");
    let secret = secret(&service, &token);
    service.advance("PT1H");
    accept(&service, &token, &service.shown_by_app(&secret, 0)).problem(410, "invitation-over");
    for forged in ["vi_AAAA", "x", &token[..token.len() - 2]] {
        service.public(&format!("/api/v1/invitations/{forged}")).problem(404, "not-found");
    }
}

#[test]
fn nobody_gives_what_they_do_not_have() {
    let service = Service::start();
    let hunans =
        service.new_key(&["staff:write", "certificates:read", "annotations:read", "filings:review"], HUNAN);
    let ask = |form: &Value| Call::post("/api/v1/admin/staff").key(&hunans).json(form).send(&service);
    ask(&form("a", "reviewer", HUNAN)).expect(201);
    for more in ["administrator", "registrar", "auditor"] {
        ask(&form("b", more, HUNAN)).problem(403, "scope-missing");
    }
    for wider in [SICHUAN, "*"] {
        assert_eq!(ask(&form("b", "reviewer", wider)).wrong_fields()[0].0, "issuer");
    }
    let (sichuans, _) = invite(&service, "c", "reviewer", SICHUAN);
    let end = format!("/api/v1/admin/staff/{sichuans}/end");
    Call::post(&end).key(&hunans).json(&json!({})).send(&service).problem(404, "not-found");
    let seen = Call::get("/api/v1/admin/staff").key(&hunans).send(&service).expect(200);
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);

    // Who invites anew holds the link: it must not lead further than the inviter's own way.
    let again = |id: &str| {
        let path = format!("/api/v1/admin/staff/{id}/invitation");
        Call::post(&path).key(&hunans).json(&json!({})).send(&service)
    };
    let (chief, _) = invite(&service, "chief", "administrator", HUNAN);
    again(&chief).problem(403, "scope-missing");
    again(&sichuans).problem(404, "not-found");
    let (reviewer, _) = invite(&service, "d", "reviewer", HUNAN);
    service.plant(again(&reviewer).expect(200)["link"].as_str().unwrap().rsplit('/').next().unwrap());

    let change = |id: &str, form: &Value| {
        Call::post(&format!("/api/v1/admin/staff/{id}/role")).key(&hunans).json(form).send(&service)
    };
    change(&reviewer, &json!({"role": "auditor"})).problem(403, "scope-missing");
    for wider in [SICHUAN, "*"] {
        let wrong = change(&reviewer, &json!({"issuer": wider})).wrong_fields();
        assert_eq!(wrong, [("issuer".to_owned(), "foreign-issuer".to_owned())]);
    }
    change(&sichuans, &json!({"role": "reviewer"})).problem(404, "not-found");
    change(&reviewer, &json!({"region": "43"})).expect(200);
}

#[test]
fn a_post_changes_in_all_its_parts_from_the_next_call_on() {
    let service = Service::start();
    let (id, token) = invite(&service, "zhaoliu", "reviewer", HUNAN);
    let secret = secret(&service, &token);
    assert_eq!(accept(&service, &token, &service.shown_by_app(&secret, 0)).status, 204);
    let member = log_in(&service, "zhaoliu", &secret);
    let audit = || {
        let call = Call::get("/console/audit").header("Cookie", &member.cookie()).undocumented();
        call.send(&service).status
    };
    assert_eq!(audit(), 403);
    let path = format!("/api/v1/admin/staff/{id}/role");
    let change = |form: Value| service.post(&path, &form);
    let post = |staff: &Value| ["role", "region", "issuer"].map(|part| staff[part].clone());
    let changed = change(json!({"role": "auditor"})).expect(200);
    assert_eq!(post(&changed), [json!("auditor"), Value::Null, json!(HUNAN)]);
    assert_eq!(audit(), 200, "the session is the same");
    let changed = change(json!({"region": "43", "issuer": SICHUAN})).expect(200);
    assert_eq!(post(&changed), [json!("auditor"), json!("43"), json!(SICHUAN)]);
    for same in [json!({}), json!({"region": "43"}), json!({"role": "auditor", "issuer": SICHUAN})] {
        assert_eq!(change(same).expect(200), changed);
    }
    let changed = change(json!({"role": "reviewer", "region": "*", "issuer": "*"})).expect(200);
    assert_eq!(post(&changed), [json!("reviewer"), Value::Null, json!("*")]);
    assert_eq!(audit(), 403);
    let wrong = change(json!({"role": "king", "region": "4a", "issuer": "1"})).wrong_fields();
    let fields: Vec<_> = wrong.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["role", "region", "issuer"]);

    let trail = service.get("/api/v1/admin/audit?limit=500").expect(200);
    let events =
        trail["items"].as_array().unwrap().iter().flat_map(|entry| entry["events"].as_array().unwrap());
    let reasons: Vec<_> = events
        .filter(|event| event["deed"] == "staff-changed")
        .map(|event| event["reason"].clone())
        .collect();
    assert_eq!(
        reasons,
        [format!("auditor * {HUNAN}"), format!("auditor 43 {SICHUAN}"), "reviewer * *".into()]
    );
}
