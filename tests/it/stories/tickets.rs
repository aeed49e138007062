//! Tickets: sent by whoever the register does not know, seen and answered by staff, read by the applicant.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::Person;
use crate::records::{HUNAN, base64, portrait, record};
use crate::service::Service;

const MOBILE: &str = "13912345678";
const OTHER_MOBILE: &str = "13912345679";
const PDF: &[u8] = b"%PDF-1.7\n% a scan of paper\n%%EOF\n";

fn form(service: &Service, number: u32, mobile: &str, code: &str, scan: &[u8]) -> Value {
    let record = record(number);
    service.plant_record(&record);
    json!({
        "name": record["holder"]["name"], "id_number": record["holder"]["id_number"],
        "management_no": record["management_no"], "mobile": mobile, "code": code,
        "words": "登记时姓名有误", "scan": base64(scan),
    })
}

fn send(service: &Service, form: &Value) -> Answer {
    Call::post("/api/v1/tickets").json(form).send(service)
}

/// Sends the ticket of person `number` and gives its name.
pub(crate) fn opened(service: &Service, number: u32, mobile: &str, scan: &[u8]) -> String {
    let code = service.code("sign_up", mobile);
    let sent = send(service, &form(service, number, mobile, &code, scan)).expect(201);
    sent["ticket_id"].as_str().unwrap().to_owned()
}

fn ask(service: &Service, ticket: &str, id_number: &Value) -> Answer {
    let (captcha_id, captcha) = service.captcha();
    let asked =
        json!({"ticket_id": ticket, "id_number": id_number, "captcha_id": captcha_id, "captcha": captcha});
    Call::post("/api/v1/tickets/query").json(&asked).send(service)
}

pub(crate) fn registrar(service: &Service) -> Person<'_> {
    let form =
        json!({"kind": "staff", "name": "经办员", "level": "province", "region": "43", "complete": true});
    Person::made(service, &form)
}

#[test]
fn from_no_match_to_an_account() {
    let service = Service::start();
    let code = service.code("sign_up", MOBILE);
    let sign_up = || Call::post("/api/v1/accounts").json(&service.sign_up_form(&record(1), MOBILE, &code));
    sign_up().send(&service).problem(422, "identity-not-matched");
    // The same code still proves the mobile.
    let sent = send(&service, &form(&service, 1, MOBILE, &code, &portrait())).expect(201);
    let ticket = sent["ticket_id"].as_str().unwrap();
    let id_number = record(1)["holder"]["id_number"].clone();
    let shown = ask(&service, ticket, &id_number).expect(200);
    assert_eq!((&shown["state"], &shown["answer"]), (&json!("open"), &Value::Null));

    let path = format!("/api/v1/admin/tickets/{ticket}");
    let list = service.get("/api/v1/admin/tickets?state=open").expect(200);
    assert_eq!(list["items"], json!([service.get(&path).expect(200)]));
    let seen = &list["items"][0];
    assert_eq!((&seen["id_number"], &seen["mobile"]), (&id_number, &json!(MOBILE)));
    assert_eq!((&seen["words"], &seen["scan_type"]), (&json!("登记时姓名有误"), &json!("image/jpeg")));
    let scan = service.get(&format!("{path}/scan"));
    assert_eq!((scan.status, scan.media_type().as_deref()), (200, Some("image/jpeg")));
    assert!(scan.body.starts_with(b"\xff\xd8\xff"), "a PNG came, a JPEG of ours is kept");
    assert!(scan.header("content-security-policy").unwrap().contains("sandbox"));
    assert_eq!(scan.header("x-content-type-options"), Some("nosniff"));

    service.enter(&record(1));
    let answer = json!({"outcome": "accepted", "words": "已补录,请重新注册"});
    let answered = service.post(&format!("{path}/answer"), &answer).expect(200);
    assert_eq!(
        (&answered["state"], &answered["answer"]["outcome"]),
        (&json!("answered"), &json!("accepted"))
    );
    service.post(&format!("{path}/answer"), &answer).problem(409, "ticket-answered");
    assert_eq!(service.get("/api/v1/admin/tickets?state=open").expect(200)["items"], json!([]));
    let shown = ask(&service, ticket, &id_number).expect(200);
    assert_eq!(shown["answer"]["words"], "已补录,请重新注册");
    service.advance("PT1M");
    service.sign_up(&record(1), MOBILE);

    let trail = service.get("/api/v1/admin/audit?limit=500").expect(200);
    let events =
        trail["items"].as_array().unwrap().iter().flat_map(|entry| entry["events"].as_array().unwrap());
    let deeds: Vec<_> =
        events.filter(|event| event["ticket_id"] == ticket).map(|event| event["deed"].clone()).collect();
    assert_eq!(deeds, ["ticket-opened", "ticket-read", "ticket-answered"]);
}

/// What a mobile was told of tickets.
fn told(service: &Service, mobile: &str) -> Vec<String> {
    let sent = service.public(&format!("/dev/outbox?to={mobile}")).expect(200);
    let of_tickets = sent["items"].as_array().unwrap().iter().filter(|one| one["kind"] == "ticket_answered");
    of_tickets.map(|one| one["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn whoever_sent_a_ticket_is_told_once_that_it_was_answered_and_not_what() {
    let service = Service::start();
    let ticket = opened(&service, 1, MOBILE, PDF);
    let other = opened(&service, 2, OTHER_MOBILE, PDF);
    let path = format!("/api/v1/admin/tickets/{ticket}/answer");
    let answer =
        |outcome: &str| service.post(&path, &json!({"outcome": outcome, "words": "已补录,请重新注册"}));
    assert_eq!(answer("lost").status, 422);
    assert!(told(&service, MOBILE).is_empty(), "nothing is told before there is an answer");
    answer("accepted").expect(200);
    for _ in 0..2 {
        answer("declined").problem(409, "ticket-answered");
    }
    let said = "您提交的申请已有答复，请凭编号查询。Your request was answered; look it up by its number.";
    assert_eq!(told(&service, MOBILE), [said]);
    assert!(told(&service, OTHER_MOBILE).is_empty(), "another's is not answered");
    // In the console it is the same call.
    let form = "outcome=declined&words=%E6%97%A0";
    let call =
        Call::post(&format!("/console/tickets/{other}/answer")).header("Sec-Fetch-Site", "same-origin");
    let call = call.header("Cookie", &registrar(&service).cookie()).undocumented();
    let sent = call.body("application/x-www-form-urlencoded", form.as_bytes()).send(&service);
    assert_eq!((sent.status, told(&service, OTHER_MOBILE)), (303, vec![said.to_owned()]));
}

#[test]
fn one_ticket_of_a_person_and_of_a_mobile_waits_at_a_time() {
    let service = Service::start();
    let first = opened(&service, 1, MOBILE, PDF);
    service.advance("PT1M");
    let code = service.code("sign_up", MOBILE);
    send(&service, &form(&service, 2, MOBILE, &code, PDF)).problem(409, "ticket-open");
    let other = service.code("sign_up", OTHER_MOBILE);
    send(&service, &form(&service, 1, OTHER_MOBILE, &other, PDF)).problem(409, "ticket-open");
    let answer = json!({"outcome": "declined", "words": "扫描件不清晰"});
    service.post(&format!("/api/v1/admin/tickets/{first}/answer"), &answer).expect(200);
    // Refusals cost a try, not the code.
    send(&service, &form(&service, 2, MOBILE, &code, PDF)).expect(201);
    send(&service, &form(&service, 1, OTHER_MOBILE, &other, PDF)).expect(201);
    send(&service, &form(&service, 3, OTHER_MOBILE, &other, PDF)).problem(422, "code-wrong");
}

#[test]
fn the_content_of_a_scan_decides_and_a_broken_one_costs_a_try() {
    let service = Service::start();
    let code = service.code("sign_up", MOBILE);
    let fault = |scan: &[u8]| send(&service, &form(&service, 1, MOBILE, &code, scan)).wrong_fields();
    let bad_scan = [("scan".to_owned(), "bad-scan".to_owned())];
    for none in [&b"GIF89a"[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"MZ", &portrait()[1..]] {
        assert_eq!(fault(none), bad_scan);
    }
    assert_eq!(fault(b""), [("scan".to_owned(), "missing".to_owned())]);
    let mut large = PDF.to_vec();
    large.resize(5 * 1024 * 1024 + 1, b' ');
    assert_eq!(fault(&large), bad_scan);
    large.resize(6 * 1024 * 1024, b' ');
    send(&service, &form(&service, 1, MOBILE, &code, &large)).problem(413, "too-large");
    let mut no_base64 = form(&service, 1, MOBILE, &code, PDF);
    no_base64["scan"] = json!("%PDF-");
    assert_eq!(send(&service, &no_base64).wrong_fields(), [("scan".to_owned(), "not-base64".to_owned())]);
    for _ in 0..4 {
        assert_eq!(fault(&portrait()[..80]), bad_scan, "it begins as a picture");
    }
    large.truncate(5 * 1024 * 1024);
    let sent = send(&service, &form(&service, 1, MOBILE, &code, &large)).expect(201);
    let scan = service.get(&format!("/api/v1/admin/tickets/{}/scan", sent["ticket_id"].as_str().unwrap()));
    assert!(scan.header("content-disposition").unwrap().starts_with("attachment"));
    assert_eq!(scan.pdf(), large, "as it came");
}

#[test]
fn nobody_else_reads_a_ticket_and_every_miss_is_told_alike() {
    let service = Service::start();
    let ticket = opened(&service, 1, MOBILE, PDF);
    let (id_number, other) = (record(1)["holder"]["id_number"].clone(), json!("11010519491231002X"));
    let never = "019aa9b1-7480-7101-8101-010101010101";
    let misses = [(&*ticket, &other), (never, &id_number), ("no number", &id_number)];
    let told: Vec<_> =
        misses.map(|(ticket, number)| ask(&service, ticket, number).problem(404, "not-found")).to_vec();
    assert!(told.iter().all(|problem| *problem == told[0]), "word for word");
    let wrong = json!({"ticket_id": ticket, "id_number": id_number, "captcha_id": "none", "captcha": "x"});
    Call::post("/api/v1/tickets/query").json(&wrong).send(&service).problem(422, "captcha-wrong");

    // A ticket is no issuer's business: who acts for one sees none.
    let bound = service.new_key(&["*"], HUNAN);
    let call = |path: &str, key: &str| Call::get(path).key(key).send(&service);
    assert_eq!(call("/api/v1/admin/tickets", &bound).expect(200)["items"], json!([]));
    let path = format!("/api/v1/admin/tickets/{ticket}");
    call(&path, &bound).problem(404, "not-found");
    call(&format!("{path}/scan"), &bound).problem(404, "not-found");
    let answer = json!({"outcome": "declined", "words": "无"});
    Call::post(&format!("{path}/answer")).key(&bound).json(&answer).send(&service).problem(404, "not-found");
    let scoped = service.new_key(&["tickets:write"], "*");
    call(&path, &scoped).expect(200);
    call(&path, &service.new_key(&["certificates:write", "audit:read"], "*")).problem(403, "scope-missing");
    call(&path, &registrar(&service).token).problem(401, "unauthenticated");
    assert_eq!(service.get(&path).expect(200)["state"], "open");
}

#[test]
fn tickets_are_listed_page_by_page_and_outlive_a_restart() {
    let service = Service::start();
    let tickets: Vec<String> =
        (1..=3).map(|number| opened(&service, number, &format!("1391234560{number}"), PDF)).collect();
    let service = service.restart();
    let page = service.get("/api/v1/admin/tickets?limit=2").expect(200);
    let names = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&page), tickets[..2]);
    let rest = format!("/api/v1/admin/tickets?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    let page = service.get(&rest).expect(200);
    assert_eq!((names(&page), &page["next_cursor"]), (tickets[2..].to_vec(), &Value::Null));
    let scan = service.get(&format!("/api/v1/admin/tickets/{}/scan", tickets[0]));
    assert_eq!(scan.pdf(), PDF, "the same file on three tickets is three documents");
    let wrong = service.get("/api/v1/admin/tickets?state=lost").wrong_fields();
    assert_eq!(wrong, [("state".to_owned(), "not-one-of".to_owned())]);
}

#[test]
fn staff_answer_in_the_console_and_holders_and_units_find_nothing_there() {
    let service = Service::start();
    let ticket = opened(&service, 1, MOBILE, &portrait());
    let staff = registrar(&service);
    let page = |token: &str, path: &str| {
        Call::get(path).header("Cookie", &format!("session={token}")).undocumented().send(&service)
    };
    let list = page(&staff.token, "/console/tickets");
    assert_eq!(list.status, 200, "{list}");
    assert!(list.text().contains(&ticket));
    let path = format!("/console/tickets/{ticket}");
    let shown = page(&staff.token, &path);
    assert!(shown.text().contains(&format!("src=\"{path}/scan\"")), "{shown}");
    let scan = page(&staff.token, &format!("{path}/scan"));
    assert!(scan.header("content-disposition").unwrap().starts_with("inline"), "a picture of ours");
    assert!(scan.header("content-security-policy").unwrap().contains("sandbox"));
    let answer = |token: &str, body: &str| {
        let call = Call::post(&format!("{path}/answer")).header("Cookie", &format!("session={token}"));
        let call = call.header("Sec-Fetch-Site", "same-origin").undocumented();
        call.body("application/x-www-form-urlencoded", body.as_bytes()).send(&service)
    };
    let holder = Person::made(&service, &json!({"kind": "holder", "name": "甲"}));
    for path in ["/console/tickets", &path, &format!("{path}/scan")] {
        assert_eq!(page(&holder.token, path).status, 404, "{path}");
    }
    assert_eq!(answer(&holder.token, "outcome=accepted&words=x").status, 404);
    assert_eq!(answer(&staff.token, "outcome=accepted&words=").status, 422);
    assert_eq!(answer(&staff.token, "outcome=accepted&words=mended").status, 303);
    assert!(answer(&staff.token, "outcome=declined&words=no").status == 422, "answered already");
    let shown = ask(&service, &ticket, &record(1)["holder"]["id_number"]).expect(200);
    assert_eq!(shown["answer"]["words"], "mended");
}
