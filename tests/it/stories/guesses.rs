//! Whoever guesses: at codes, at captchas, at passwords, at what stands on a certificate.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::PASSWORD;
use crate::records::record;
use crate::service::Service;

const MOBILE: &str = "13912345678";

fn ask_for_code(service: &Service, mobile: &str) -> Answer {
    let form = json!({"purpose": "sign_up", "mobile": mobile});
    Call::post("/api/v1/verification-codes").json(&form).send(service)
}

/// Another code than this.
fn other(code: &str, by: u32) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + by) % 1_000_000)
}

fn sign_up(service: &Service, code: &str) -> Answer {
    let form = service.sign_up_form(&record(1), MOBILE, code);
    Call::post("/api/v1/accounts").json(&form).send(service)
}

#[test]
fn a_code_is_dead_after_five_wrong_tries_even_for_who_has_it() {
    let service = Service::start();
    service.enter(&record(1));
    let code = service.code("sign_up", MOBILE);
    for by in 1..=5 {
        sign_up(&service, &other(&code, by)).problem(422, "code-wrong");
    }
    sign_up(&service, &code).problem(422, "code-wrong");
    service.advance("PT1M");
    sign_up(&service, &service.code("sign_up", MOBILE)).expect(201);
}

#[test]
fn of_fifty_guesses_at_once_no_more_than_five_are_heard() {
    let service = Service::start();
    service.enter(&record(1));
    let code = service.code("sign_up", MOBILE);
    std::thread::scope(|scope| {
        for by in 1..=50 {
            let guess = other(&code, by);
            let service = &service;
            scope.spawn(move || sign_up(service, &guess).problem(422, "code-wrong"));
        }
    });
    sign_up(&service, &code).problem(422, "code-wrong");
    let trail = service.get("/api/v1/admin/audit?limit=500").expect(200);
    let events =
        trail["items"].as_array().unwrap().iter().flat_map(|entry| entry["events"].as_array().unwrap());
    assert_eq!(events.filter(|event| event["deed"] == "code-mistyped").count(), 5);
}

#[test]
fn a_code_lasts_five_minutes_and_the_next_is_sent_after_one() {
    let service = Service::start();
    service.enter(&record(1));
    let first = service.code("sign_up", MOBILE);
    let refused = ask_for_code(&service, MOBILE);
    refused.problem(429, "too-many-requests");
    assert!((1..=61).contains(&refused.header("retry-after").unwrap().parse::<u32>().unwrap()));
    ask_for_code(&service, "13912345670").expect(202);
    service.advance("PT1M");
    let second = service.code("sign_up", MOBILE);
    if first != second {
        sign_up(&service, &first).problem(422, "code-wrong");
    }
    service.advance("PT4M59S");
    // Not used up by a purpose that it was not sent for.
    let form = json!({"account": "x", "mobile": MOBILE, "code": second, "password": PASSWORD});
    Call::post("/api/v1/accounts/recovery").json(&form).send(&service).problem(422, "code-wrong");
    service.advance("PT1S");
    sign_up(&service, &second).problem(422, "code-wrong");
    sign_up(&service, &service.code("sign_up", MOBILE)).expect(201);
}

#[test]
fn a_captcha_is_answered_once_in_time_and_can_be_a_question() {
    let service = Service::start();
    service.enter(&record(1));
    let account = service.sign_up(&record(1), MOBILE);
    let log_in = |id: &str, answer: &str| {
        let form = json!({"account": account, "password": PASSWORD, "captcha_id": id, "captcha": answer});
        Call::post("/api/v1/sessions").json(&form).send(&service)
    };
    let (id, answer) = service.captcha();
    log_in(&id, "WRONG").problem(422, "captcha-wrong");
    log_in(&id, &answer).problem(422, "captcha-wrong");
    let (id, answer) = service.captcha();
    log_in(&id, &format!(" {} ", answer.to_lowercase())).expect(200);
    log_in(&id, &answer).problem(422, "captcha-wrong");
    let (id, answer) = service.captcha();
    service.advance("PT5M");
    log_in(&id, &answer).problem(422, "captcha-wrong");
    log_in("nonsense", &answer).problem(422, "captcha-wrong");

    let draw = |form: Value| Call::post("/api/v1/captchas").json(&form);
    let picture = draw(json!({"kind": "picture"})).send(&service).expect(200);
    let picture =
        picture["image"].as_str().unwrap().strip_prefix("data:image/png;base64,").unwrap().to_owned();
    use base64::Engine as _;
    let png = base64::engine::general_purpose::STANDARD.decode(picture).unwrap();
    assert!(image::load_from_memory(&png).is_ok());
    let question =
        draw(json!({"kind": "question"})).header("Accept-Language", "en").send(&service).expect(200);
    assert!(question["question"].as_str().unwrap().starts_with("What is "), "{question}");
    assert!(question.get("image").is_none());
    let id = question["captcha_id"].as_str().unwrap();
    let heard = service.public(&format!("/dev/outbox?to=captcha:{id}")).expect(200);
    log_in(id, heard["items"][0]["value"].as_str().unwrap()).expect(200);
    assert_eq!(draw(json!({"kind": "song"})).send(&service).wrong_fields()[0].0, "kind");
}

#[test]
fn who_fails_to_log_in_five_times_waits_and_then_twice_as_long() {
    let service = Service::start();
    service.enter(&record(1));
    let account = service.sign_up(&record(1), MOBILE);
    for _ in 0..5 {
        service.try_log_in(&account, "not the password").problem(401, "wrong-credentials");
    }
    let wait = |answer: Answer| {
        answer.problem(429, "too-many-requests");
        answer.header("retry-after").unwrap().parse::<u32>().unwrap()
    };
    assert!((1..=6).contains(&wait(service.try_log_in(&account, "not the password"))));
    assert!(wait(service.try_log_in(&account, PASSWORD)) <= 6, "the right one waits too");
    service.advance("PT6S");
    service.try_log_in(&account, "not the password").problem(401, "wrong-credentials");
    assert!((6..=11).contains(&wait(service.try_log_in(&account, PASSWORD))));
    service.advance("PT11S");
    service.log_in(&account, PASSWORD);
    for _ in 0..5 {
        service.try_log_in(&account, "not the password").problem(401, "wrong-credentials");
    }
}

#[test]
fn an_account_that_is_not_there_is_answered_like_one_that_is() {
    let service = Service::start();
    service.enter(&record(1));
    let known = service.sign_up(&record(1), MOBILE);
    let unknown = record(2)["holder"]["id_number"].as_str().unwrap().to_owned();
    service.plant(&unknown);
    let ask = |account: &str| {
        let begun = std::time::Instant::now();
        let answer = service.try_log_in(account, "not the password");
        (answer, begun.elapsed().as_secs_f64())
    };
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..5 {
        let ((one, took), (other, took_too)) = (ask(&known), ask(&unknown));
        assert_eq!(one.problem(401, "wrong-credentials"), other.problem(401, "wrong-credentials"));
        times[0].push(took);
        times[1].push(took_too);
    }
    ask(&known).0.problem(429, "too-many-requests");
    ask(&unknown).0.problem(429, "too-many-requests");
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[2]
    };
    let (known, unknown) = (median(&mut times[0]), median(&mut times[1]));
    assert!(known < 3.0 * unknown && unknown < 3.0 * known, "{known} and {unknown} s");
}

#[test]
fn three_fields_and_a_captcha_find_a_certificate_and_every_miss_is_the_same() {
    let service = Service::start();
    service.enter(&record(1));
    let ask = |change: fn(&mut Value)| {
        let (captcha_id, captcha) = service.captcha();
        let record = record(1);
        let mut form = json!({
            "name": record["holder"]["name"], "id_number": record["holder"]["id_number"],
            "management_no": record["management_no"], "captcha_id": captcha_id, "captcha": captcha,
        });
        change(&mut form);
        Call::post("/api/v1/verify/query").json(&form).send(&service)
    };
    let found = ask(|_| {}).expect(200);
    assert_eq!(found["verdict"], "genuine");
    assert!(
        !found.to_string().contains(record(1)["holder"]["id_number"].as_str().unwrap()),
        "masked: {found}"
    );
    for change in [
        (|form: &mut Value| form["name"] = json!("李四")) as fn(&mut Value),
        |form| form["id_number"] = json!("11010519491231002X"),
        |form| form["management_no"] = json!("2024092211999999"),
        |form| form["management_no"] = json!("?"),
    ] {
        let missed = ask(change).expect(200);
        assert_eq!(missed["verdict"], "unknown");
        assert_eq!(missed.as_object().unwrap().len(), 2, "{missed}");
    }
    ask(|form| form["captcha"] = json!("WRONG")).problem(422, "captcha-wrong");
}
