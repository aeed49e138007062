//! An employer without a code asks by what stands on a certificate: name, identity number, management number.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::records::record;
use crate::service::Service;

/// The three fields of a record.
fn fields(record: &Value) -> Value {
    let holder = &record["holder"];
    json!({"name": holder["name"], "id_number": holder["id_number"], "management_no": record["management_no"]})
}

/// Asks with the captcha answered right.
fn ask(service: &Service, fields: &Value) -> Answer {
    let (id, answer) = service.captcha();
    ask_with(service, fields, &id, &answer)
}

fn ask_with(service: &Service, fields: &Value, captcha_id: &str, captcha: &str) -> Answer {
    for field in ["name", "id_number", "management_no"] {
        if !fields[field].as_str().unwrap().trim().is_empty() {
            service.plant(fields[field].as_str().unwrap());
        }
    }
    let mut form = fields.clone();
    form["captcha_id"] = json!(captcha_id);
    form["captcha"] = json!(captcha);
    Call::post("/api/v1/verify/query").json(&form).send(service)
}

fn with(fields: &Value, field: &str, value: &str) -> Value {
    let mut changed = fields.clone();
    changed[field] = json!(value);
    changed
}

#[test]
fn three_fields_that_fit_show_the_certificate_and_never_the_whole_number() {
    let service = Service::start();
    service.enter(&record(1));
    let found = ask(&service, &fields(&record(1))).expect(200);
    assert_eq!((&found["verdict"], &found["certificate"]["status"]), (&json!("genuine"), &json!("valid")));
    assert_eq!(found["certificate"]["title"], record(1)["title"]);
    let members: Vec<_> = found.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["certificate", "checked_at", "verdict"], "of a certificate, not of a copy");
    for private in ["name", "id_number", "management_no"] {
        assert!(!found.to_string().contains(fields(&record(1))[private].as_str().unwrap()), "{found}");
    }
    // As people type and paste them.
    let right = fields(&record(1));
    let text = |field: &str| right[field].as_str().unwrap();
    let typed = json!({
        "name": format!(" {}\u{3000}", text("name")),
        "id_number": spaced(text("id_number")),
        "management_no": spaced(text("management_no")),
    });
    assert_eq!(ask(&service, &typed).expect(200)["verdict"], "genuine");
}

/// A number in two groups, the first in full-width digits, the other in small letters.
fn spaced(number: &str) -> String {
    let wide = |c: char| char::from_u32(c as u32 - u32::from('0') + 0xff10).unwrap();
    let (area, rest) = number.split_at(6);
    format!(" {} {} ", area.chars().map(wide).collect::<String>(), rest.to_lowercase())
}

#[test]
fn whichever_field_is_wrong_the_answer_is_the_same() {
    let service = Service::start();
    service.enter(&record(1));
    service.enter(&record(2));
    let right = fields(&record(1));
    let other = fields(&record(2));
    let mut missed = Vec::new();
    for (field, value) in [
        ("name", "李四"),
        ("name", other["name"].as_str().unwrap()),
        ("id_number", "11010519491231002X"),
        ("id_number", other["id_number"].as_str().unwrap()),
        ("id_number", "?"),
        ("management_no", "2024092211999999"),
        ("management_no", other["management_no"].as_str().unwrap()),
        ("management_no", "?"),
    ] {
        let answer = ask(&service, &with(&right, field, value));
        let mut body = answer.expect(200);
        body["checked_at"] = json!(null);
        missed.push(body);
    }
    for body in &missed {
        assert_eq!(body, &json!({"verdict": "unknown", "checked_at": null}));
    }
}

#[test]
fn a_miss_takes_as_long_as_a_hit() {
    let service = Service::start();
    service.enter(&record(1));
    let right = fields(&record(1));
    let asked = [
        right.clone(),
        with(&right, "name", "李四"),
        with(&right, "id_number", "11010519491231002X"),
        with(&right, "management_no", "2024092211999999"),
    ];
    let medians = asked.map(|fields| {
        let mut times: Vec<f64> = (0..7)
            .map(|_| {
                let (id, answer) = service.captcha();
                let begun = std::time::Instant::now();
                ask_with(&service, &fields, &id, &answer).expect(200);
                begun.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times[3]
    });
    let (least, most) =
        (medians.iter().copied().fold(f64::MAX, f64::min), medians.iter().copied().fold(0.0, f64::max));
    assert!(least >= 0.01 && most < 2.0 * least, "{medians:?} s");
}

#[test]
fn how_the_certificate_stands_is_said() {
    let service = Service::start();
    for (number, status) in [(1, "revoked"), (2, "cancelled"), (3, "suspended")] {
        let certificate = service.enter(&record(number));
        let decision = json!({"status": status, "reason": "依据示例决定〔2026〕1号"});
        service.post(&format!("/api/v1/admin/certificates/{certificate}/status"), &decision).expect(200);
        let found = ask(&service, &fields(&record(number))).expect(200);
        assert_eq!(
            (&found["verdict"], &found["certificate"]["status"]),
            (&json!("certificate_revoked"), &json!(status))
        );
    }
    let mut lapsing = record(4);
    lapsing["valid_until"] = json!("2026-11-30");
    service.enter(&lapsing);
    assert_eq!(ask(&service, &fields(&lapsing)).expect(200)["verdict"], "genuine");
    service.set_clock("2026-12-01T00:00:00+08:00");
    let found = ask(&service, &fields(&lapsing)).expect(200);
    assert_eq!(
        (&found["verdict"], &found["certificate"]["status"]),
        (&json!("certificate_revoked"), &json!("lapsed"))
    );
}

#[test]
fn the_newest_version_answers_and_what_stands_on_an_older_one_alone_is_superseded() {
    let service = Service::start();
    let old = record(1);
    service.enter(&old);
    let mut corrected = old.clone();
    corrected["specialty"] = json!("城乡规划(更正)");
    service.enter(&corrected);
    let found = ask(&service, &fields(&old)).expect(200);
    assert_eq!(
        (&found["verdict"], &found["certificate"]["specialty"]),
        (&json!("genuine"), &corrected["specialty"])
    );

    let mut renamed = corrected.clone();
    renamed["holder"]["name"] = json!("欧阳静仪");
    service.enter(&renamed);
    assert_eq!(ask(&service, &fields(&renamed)).expect(200)["verdict"], "genuine");
    let found = ask(&service, &fields(&old)).expect(200);
    assert_eq!(
        (&found["verdict"], &found["certificate"]["status"]),
        (&json!("superseded"), &json!("superseded"))
    );
}

#[test]
fn without_a_fresh_captcha_answered_right_nothing_is_looked_up() {
    let service = Service::start();
    service.enter(&record(1));
    let right = fields(&record(1));
    let (id, answer) = service.captcha();
    // Who forgot a field has not used the captcha up.
    let forgot = ask_with(&service, &with(&right, "management_no", " "), &id, &answer);
    assert_eq!(forgot.wrong_fields(), [("management_no".to_owned(), "empty".to_owned())]);
    ask_with(&service, &right, &id, &answer).expect(200);
    ask_with(&service, &right, &id, &answer).problem(422, "captcha-wrong");
    let (id, answer) = service.captcha();
    ask_with(&service, &right, &id, "WRONG").problem(422, "captcha-wrong");
    ask_with(&service, &right, &id, &answer).problem(422, "captcha-wrong");
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back_and_can_still_check_a_code() {
    let narrow = [("VERMILION_LIMITS__QUERIES__PER_SECOND", "1"), ("VERMILION_LIMITS__QUERIES__BURST", "2")];
    let service = Service::start_with("api", &narrow);
    let ask = || ask_with(&service, &fields(&record(1)), "none", "none");
    let refused =
        (0..50).map(|_| ask()).find(|answer| answer.status == 429).expect("nothing was one too many");
    refused.problem(429, "too-many-requests");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(service.verdict("00000000000000000000000000"), "unknown");
}

/// The value of a hidden field.
fn hidden(html: &str, name: &str) -> String {
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\"")).expect(name);
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn the_page_asks_without_scripts_and_says_what_is_wrong_beside_the_field() {
    let service = Service::start();
    service.enter(&record(1));
    let right = fields(&record(1));
    let text = |field: &str| right[field].as_str().unwrap();
    let send = |name: &str, captcha_id: &str, captcha: &str, more: &str| {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let form = format!(
            "name={}&id_number={}&management_no={}&captcha_id={captcha_id}&captcha={captcha}{more}",
            encode(name),
            text("id_number"),
            text("management_no")
        );
        let call = Call::post("/query").body("application/x-www-form-urlencoded", form.as_bytes());
        call.header("Accept", "text/html").undocumented().send(&service)
    };
    let first = Call::get("/query").undocumented().send(&service).text();
    assert!(first.contains("按证书信息查询") && !first.contains("<script"), "{first}");
    let captcha = |html: &str| {
        let id = hidden(html, "captcha_id");
        let heard = service.public(&format!("/dev/outbox?to=captcha:{id}")).expect(200);
        (id, heard["items"][0]["value"].as_str().unwrap().to_owned())
    };

    let (id, answer) = captcha(&first);
    let wrong = send(text("name"), &id, "WRONG", "");
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("id=\"captcha-fault\"") && wrong.text().contains(text("name")), "{wrong}");
    assert_eq!(send(text("name"), &id, &answer, "").status, 422, "used up");

    // Another kind of captcha costs nothing that was typed.
    let question = send(text("name"), "", "", "&instead=question");
    assert_eq!(question.status, 200);
    assert!(question.text().contains("请用数字回答") && question.text().contains(text("management_no")));
    let (id, answer) = captcha(&question.text());
    let found = send(text("name"), &id, &answer, "&asked=question");
    assert_eq!(found.status, 200);
    let html = found.text();
    assert!(html.contains("真实有效") && html.contains("注册城乡规划师职业资格证书"), "{html}");
    for private in ["name", "id_number", "management_no"] {
        assert!(!html.contains(text(private)), "{private} in {html}");
    }

    let miss = |name: &str| {
        let (id, answer) = captcha(&Call::get("/query").undocumented().send(&service).text());
        let html = send(name, &id, &answer, "").text();
        assert!(html.contains("查无此证") && !html.contains(name), "{html}");
    };
    miss("李四");
    miss("<img src=x onerror=alert(1)>");
}
