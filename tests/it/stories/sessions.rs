//! Sessions: how they end, and what a browser's cookie may do.

use serde_json::json;

use crate::call::Call;
use crate::people::{PASSWORD, Person};
use crate::records::record;
use crate::service::Service;

const ME: &str = "/api/v1/me";

#[test]
fn logging_out_kills_the_token_and_no_other() {
    let service = Service::start();
    let (one, other) = (Person::holding(&service, &record(1)), Person::holding(&service, &record(1)));
    assert_eq!(one.delete("/api/v1/sessions/current").status, 204);
    one.get(ME).problem(401, "unauthenticated");
    one.delete("/api/v1/sessions/current").problem(401, "unauthenticated");
    other.get(ME).expect(200);
}

#[test]
fn logging_out_everywhere_kills_them_all_and_not_those_of_others() {
    let service = Service::start();
    let (one, other) = (Person::holding(&service, &record(1)), Person::holding(&service, &record(1)));
    let stranger = Person::holding(&service, &record(2));
    assert_eq!(one.delete("/api/v1/sessions").status, 204);
    one.get(ME).problem(401, "unauthenticated");
    other.get(ME).problem(401, "unauthenticated");
    stranger.get(ME).expect(200);
    Person::holding(&service, &record(1)).get(ME).expect(200);
}

#[test]
fn a_session_ends_half_an_hour_after_its_last_use_and_twelve_hours_after_it_began() {
    let service = Service::start();
    let (idle, busy) = (Person::holding(&service, &record(1)), Person::holding(&service, &record(1)));
    for _ in 0..2 {
        service.advance("PT14M");
        busy.get(ME).expect(200);
    }
    idle.get(ME).expect(200);
    service.advance("PT29M");
    busy.get(ME).expect(200);
    service.advance("PT2M");
    idle.get(ME).problem(401, "unauthenticated");
    busy.get(ME).expect(200);
    // Its use is written down every five minutes.
    for _ in 0..27 {
        service.advance("PT24M");
        busy.get(ME).expect(200);
    }
    service.advance("PT20M");
    busy.get(ME).problem(401, "unauthenticated");
}

#[test]
fn a_token_survives_a_restart_and_one_that_was_ended_stays_dead() {
    let service = Service::start();
    let one = Person::holding(&service, &record(1)).token;
    let other = Person::holding(&service, &record(1));
    other.delete("/api/v1/sessions/current");
    let other = other.token;
    let service = service.restart();
    Person::with(&service, &one).get(ME).expect(200);
    Person::with(&service, &other).get(ME).problem(401, "unauthenticated");
}

#[test]
fn a_token_that_was_never_given_and_a_key_are_nobody() {
    let service = Service::start();
    let never = format!("vs_{}", "A".repeat(43));
    for token in [never.as_str(), "vs_", "", service.key(), &service.key().replace("vk_", "vs_")] {
        let answer = Call::get(ME).key(token).send(&service);
        answer.problem(401, "unauthenticated");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    }
    let token = Person::holding(&service, &record(1)).token;
    Call::get("/api/v1/admin/certificates").key(&token).send(&service).problem(401, "unauthenticated");
}

#[test]
fn a_cookie_changes_something_only_where_the_page_is_our_own() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let cookie = format!("session={}", Person::holding(&service, &record(1)).token);
    let path = format!("/api/v1/me/certificates/{certificate}/annotations");
    let order =
        || Call::post(&path).header("Cookie", &cookie).json(&json!({"scenario": "self_use", "days": 1}));
    Call::get("/api/v1/me/certificates").header("Cookie", &cookie).send(&service).expect(200);
    order().send(&service).problem(403, "cross-site");
    order().header("Sec-Fetch-Site", "cross-site").send(&service).problem(403, "cross-site");
    order().header("Origin", "https://evil.test").send(&service).problem(403, "cross-site");
    order().header("Sec-Fetch-Site", "same-origin").send(&service).expect(202);
    order().header("Origin", service.address()).send(&service).expect(202);
    let log_out = || Call::new("DELETE", "/api/v1/sessions/current").header("Cookie", &cookie);
    log_out().send(&service).problem(403, "cross-site");
    assert_eq!(log_out().header("Sec-Fetch-Site", "same-origin").send(&service).status, 204);
    Call::get(ME).header("Cookie", &cookie).send(&service).problem(401, "unauthenticated");
}

#[test]
fn a_login_never_takes_over_a_token_that_somebody_planted() {
    let service = Service::start();
    service.enter(&record(1));
    let account = service.sign_up(&record(1), "13912345678");
    let planted = Person::holding(&service, &record(2)).token;
    let (captcha_id, captcha) = service.captcha();
    let form =
        json!({"account": account, "password": PASSWORD, "captcha_id": captcha_id, "captcha": captcha});
    let cookie = format!("session={planted}");
    let begun =
        Call::post("/api/v1/sessions").header("Cookie", &cookie).json(&form).send(&service).expect(200);
    let mine = Person::with(&service, begun["token"].as_str().unwrap());
    assert_ne!(mine.token, planted);
    let name = |person: &Person<'_>| person.get(ME).expect(200)["name"].clone();
    assert_ne!(name(&mine), name(&Person::with(&service, &planted)));
}
