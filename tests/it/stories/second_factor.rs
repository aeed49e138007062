//! The second factor: set by its owner, asked for at every log-in, guessed by nobody.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::{PASSWORD, Person};
use crate::records::record;
use crate::service::Service;

/// A holder with an account and a second factor, and its secret.
fn guarded(service: &Service) -> (String, String) {
    service.enter(&record(1));
    let account = service.sign_up(&record(1), "13912345678");
    let holder = service.log_in(&account, PASSWORD);
    holder.post("/api/v1/me/notice", &json!({})).expect(200);
    let secret = set(service, &holder);
    (account, secret)
}

/// Sets the second factor that a session offers.
fn set(service: &Service, person: &Person<'_>) -> String {
    let offer = person.get("/api/v1/me/second-factor").expect(200);
    let secret = offer["secret"].as_str().unwrap().to_owned();
    assert!(offer["otpauth"].as_str().unwrap().contains(&secret));
    let again = person.get("/api/v1/me/second-factor").expect(200);
    assert_eq!(again["secret"], secret.as_str(), "the same throughout a session");
    let form = json!({"password": PASSWORD, "code": service.shown_by_app(&secret, 0)});
    assert_eq!(person.post("/api/v1/me/second-factor", &form).status, 204);
    secret
}

/// The pass that the right password is answered with.
fn pass(service: &Service, account: &str) -> String {
    let half = service.try_log_in(account, PASSWORD).expect(202);
    assert_eq!(half.get("token"), None);
    let pass = half["pass"].as_str().unwrap().to_owned();
    service.plant(&pass);
    pass
}

fn finish(service: &Service, pass: &str, code: &str) -> Answer {
    Call::post("/api/v1/sessions/second-factor").json(&json!({"pass": pass, "code": code})).send(service)
}

#[test]
fn who_has_a_second_factor_logs_in_with_both_and_a_code_works_once() {
    let service = Service::start();
    let (account, secret) = guarded(&service);
    let half = pass(&service, &account);
    finish(&service, &half, &service.shown_by_app(&secret, 0)).problem(401, "second-factor-wrong");
    service.advance("PT30S");
    let code = service.shown_by_app(&secret, 0);
    let begun = finish(&service, &half, &code).expect(200);
    let holder = Person::with(&service, begun["token"].as_str().unwrap());
    assert_eq!(holder.get("/api/v1/me/certificates").expect(200)["items"].as_array().unwrap().len(), 1);
    finish(&service, &half, &code).problem(401, "second-factor-wrong");
    finish(&service, &half, &service.shown_by_app(&secret, 30)).expect(200);

    let form = |code: &str| json!({"password": PASSWORD, "code": code});
    holder.post("/api/v1/me/second-factor/removal", &form("000000")).problem(401, "second-factor-wrong");
    service.advance("PT1M");
    let code = service.shown_by_app(&secret, 0);
    assert_eq!(holder.post("/api/v1/me/second-factor/removal", &form(&code)).status, 204);
    service.log_in(&account, PASSWORD);
    let log = holder.get("/api/v1/me/log").expect(200);
    let deeds: Vec<&Value> = log["items"].as_array().unwrap().iter().map(|done| &done["deed"]).collect();
    assert!(deeds.contains(&&json!("second-factor-set")) && deeds.contains(&&json!("second-factor-removed")));
}

#[test]
fn a_pass_lasts_five_minutes_and_dies_with_the_password() {
    let service = Service::start();
    let (account, secret) = guarded(&service);
    let late = pass(&service, &account);
    service.advance("PT5M");
    finish(&service, &late, &service.shown_by_app(&secret, 0)).problem(401, "second-factor-wrong");
    let stale = pass(&service, &account);
    let code = service.code("recovery", "13912345678");
    service.plant("another good password");
    let form = json!({"account": account, "mobile": "13912345678", "code": code,
        "password": "another good password"});
    assert_eq!(Call::post("/api/v1/accounts/recovery").json(&form).send(&service).status, 204);
    finish(&service, &stale, &service.shown_by_app(&secret, 0)).problem(401, "second-factor-wrong");
    let half = service.try_log_in(&account, "another good password").expect(202);
    finish(&service, half["pass"].as_str().unwrap(), &service.shown_by_app(&secret, 0)).expect(200);
    for forged in ["", "AAAA", &late[..late.len() - 1]] {
        finish(&service, forged, &service.shown_by_app(&secret, 30)).problem(401, "second-factor-wrong");
    }
}

#[test]
fn who_knows_the_password_does_not_guess_codes_for_long() {
    let service = Service::start();
    let (account, secret) = guarded(&service);
    service.advance("PT1M");
    let right = service.shown_by_app(&secret, 0);
    let mut guesses = 0;
    // The right password between two guesses does not make up for them.
    let waits = loop {
        let half = service.try_log_in(&account, PASSWORD);
        if half.status == 429 {
            break half;
        }
        let guess = format!("{:06}", (right.parse::<u32>().unwrap() + 1 + guesses) % 1_000_000);
        let answer = finish(&service, half.expect(202)["pass"].as_str().unwrap(), &guess);
        guesses += 1;
        assert!(guesses < 10, "still guessing");
        if answer.status == 429 {
            break answer;
        }
        answer.problem(401, "second-factor-wrong");
    };
    waits.problem(429, "too-many-requests");
    service.advance("PT1H");
    let half = pass(&service, &account);
    finish(&service, &half, &service.shown_by_app(&secret, 0)).expect(200);
}
