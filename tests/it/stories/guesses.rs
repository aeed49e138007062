//! Whoever guesses: at codes, at captchas and at passwords.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::{PASSWORD, Person};
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
fn one_network_has_codes_sent_to_few_mobiles_by_pages_and_programs_together() {
    let narrow = [("VERMILION_LIMITS__CODES__PER_HOUR", "1"), ("VERMILION_LIMITS__CODES__BURST", "4")];
    let service = Service::start_with("api", &narrow);
    let person = Person::holding(&service, &record(1));
    let send = |path: &str, mobile: &str| {
        let call = Call::post(path).header("Cookie", &person.cookie());
        call.form(&[("act", "send"), ("mobile", mobile)]).send(&service)
    };
    ask_for_code(&service, "13912345601").expect(202);
    assert_eq!(send("/sign-up", "13912345602").status, 200);
    assert_eq!(send("/recovery", "13912345603").status, 200);
    // What is no mobile costs nothing.
    ask_for_code(&service, "1391234560").wrong_fields();
    assert_eq!(send("/me/account/mobile", "13912345604").status, 200);

    let refused = ask_for_code(&service, "13912345605");
    refused.problem(429, "too-many-requests");
    assert!((3_000..=3_601).contains(&refused.header("retry-after").unwrap().parse::<u32>().unwrap()));
    for path in ["/sign-up", "/recovery", "/me/account/mobile"] {
        let refused = send(path, "13912345606");
        assert_eq!(refused.status, 429, "{refused}");
        assert!(refused.header("retry-after").is_some() && refused.text().contains("操作过于频繁"));
    }
    for mobile in ["13912345605", "13912345606"] {
        assert_eq!(service.public(&format!("/dev/outbox?to={mobile}")).expect(200)["items"], json!([]));
    }
    assert_eq!(service.verdict("00000000000000000000000000"), "unknown", "nothing else is held");
}

#[test]
fn who_has_an_account_or_a_certificate_is_told_by_no_answer() {
    let service = Service::start();
    service.enter(&record(1));
    service.enter(&record(3));
    let known = service.sign_up(&record(1), MOBILE);
    let (stranger, never) = (record(2)["holder"]["id_number"].clone(), "13912345670");
    service.plant(stranger.as_str().unwrap());
    service.advance("PT1M");
    let alike = |what: &str, answers: &[Answer]| {
        for pair in answers.windows(2) {
            assert_eq!(pair[0].seen(), pair[1].seen(), "{what}");
        }
    };

    alike("a code", &[ask_for_code(&service, MOBILE), ask_for_code(&service, never)]);
    alike("a code too soon", &[ask_for_code(&service, MOBILE), ask_for_code(&service, never)]);
    service.advance("PT1M");
    let page = |path: &str, mobile: &str| {
        let fields = [("act", "send"), ("mobile", mobile), ("account", "x")];
        Call::post(path).form(&fields).send(&service)
    };
    alike("a code from a page", &[page("/recovery", MOBILE), page("/recovery", never)]);

    service.advance("PT1M");
    let (mine, theirs) = (service.code("recovery", MOBILE), service.code("recovery", never));
    let recover = |account: &str, mobile: &str, code: &str| {
        let form =
            json!({"account": account, "mobile": mobile, "code": code, "password": "a third good one"});
        Call::post("/api/v1/accounts/recovery").json(&form).send(&service)
    };
    let stranger = stranger.as_str().unwrap();
    alike(
        "a recovery with a wrong code",
        &[
            recover(&known, MOBILE, &other(&mine, 1)),
            recover(stranger, MOBILE, &other(&mine, 1)),
            recover(&known, never, &other(&theirs, 1)),
        ],
    );
    alike(
        "a recovery with a right code",
        &[
            recover(stranger, MOBILE, &mine),
            recover(&known, never, &theirs),
            recover(stranger, never, &theirs),
        ],
    );

    let code = service.code("sign_up", never);
    let open = |record: &Value, name: &str| {
        let mut form = service.sign_up_form(record, never, &code);
        form["name"] = json!(name);
        Call::post("/api/v1/accounts").json(&form).send(&service)
    };
    let name = |number: u32| record(number)["holder"]["name"].as_str().unwrap().to_owned();
    alike(
        "a sign-up",
        &[
            open(&record(3), &name(4)),
            open(&record(4), &name(4)),
            open(&record(1), &name(1)),
            open(&record(1), &name(4)),
        ],
    );
    service.log_in(&known, PASSWORD);
}

#[test]
fn a_code_that_nobody_has_is_answered_like_what_is_no_code() {
    let service = Service::start();
    for path in ["/api/v1/verify/", "/v/"] {
        let ask = |code: &str| Call::get(&format!("{path}{code}")).undocumented().send(&service).seen();
        let unknown = ask("K7QF2M9X4TRA81WD30VNC6JP5H");
        for code in ["K7QF-2M9X", "nonsense", "%E8%AF%81", "%ff", "..%2fme", "%00"] {
            assert_eq!(ask(code), unknown, "{path}{code}");
        }
    }
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
