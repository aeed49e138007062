//! Reminders: fifteen, seven and one day before a copy expires its holder is told, once; by e-mail where there is an
//! address, else by message.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::Person;
use crate::records::record;
use crate::service::Service;

const MOBILE: &str = "13912345678";
const EMAIL: &str = "chen.siyuan@example.com";

/// A round of reminders: how many were sent.
fn round(service: &Service) -> u64 {
    let round = Call::post("/dev/reminders").send(service).expect(200);
    assert_eq!(round["lost"], 0);
    round["sent"].as_u64().unwrap()
}

/// How many are sent on a day, asked twice and at different hours.
fn sent_on(service: &Service, day: &str) -> u64 {
    service.set_clock(&format!("{day}T00:00:00+08:00"));
    let sent = round(service);
    service.set_clock(&format!("{day}T23:59:00+08:00"));
    assert_eq!(round(service), 0, "a second time on {day}");
    sent
}

/// What somebody was reminded of, the newest first.
fn reminders(service: &Service, to: &str) -> Vec<String> {
    let all = service.public(&format!("/dev/outbox?to={to}")).expect(200);
    let reminders = all["items"].as_array().unwrap().iter().filter(|one| one["kind"] == "reminder");
    reminders.map(|one| one["value"].as_str().unwrap().to_owned()).collect()
}

/// The holder of a record, with a mobile.
fn holder<'a>(service: &'a Service, record: &Value) -> Person<'a> {
    service.plant(MOBILE);
    let (name, number) = (&record["holder"]["name"], &record["holder"]["id_number"]);
    Person::made(service, &json!({"kind": "holder", "name": name, "id_number": number, "mobile": MOBILE}))
}

/// Proves an address.
fn set_email(service: &Service, person: &Person<'_>, email: &str) -> Answer {
    service.plant(email);
    person.post("/api/v1/me/email/codes", &json!({"email": email})).expect(202);
    let code = service.sent("change_email", email);
    person.post("/api/v1/me/email", &json!({"email": email, "code": code}))
}

#[test]
fn a_holder_is_told_at_fifteen_seven_and_one_day_and_at_no_other() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let me = holder(&service, &record(1));
    let copy = me.copy(&certificate, 90);
    assert_eq!(copy["valid_until"], "2027-02-18");
    for (day, sent) in [
        ("2026-11-21", 0),
        ("2027-02-02", 0),
        ("2027-02-03", 1),
        ("2027-02-04", 0),
        ("2027-02-10", 0),
        ("2027-02-11", 1),
        ("2027-02-16", 0),
        ("2027-02-17", 1),
        ("2027-02-18", 0),
        ("2027-02-19", 0),
    ] {
        assert_eq!(sent_on(&service, day), sent, "{day}");
    }
    let told = reminders(&service, MOBILE);
    assert_eq!(told.len(), 3);
    for (text, left) in told.iter().zip(["还剩 1 天", "还剩 7 天", "还剩 15 天"]) {
        assert!(text.contains("《注册城乡规划师职业资格证书》加注件有效期至2027年2月18日"), "{text}");
        assert!(text.contains(left) && text.contains("重新申请加注"), "{text}");
        for personal in ["name", "id_number"] {
            assert!(!text.contains(record(1)["holder"][personal].as_str().unwrap()), "{text}");
        }
    }
    // The ledger knows it: the holder reads it in the log, the agency in its trail.
    let me = holder(&service, &record(1));
    let thresholds = |text: Value| {
        let mut found = Vec::new();
        let mut open = vec![text];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(items) => open.extend(items),
                Value::Object(fields) if fields.get("deed") == Some(&json!("reminder-sent")) => {
                    found.push(fields["reason"].as_str().unwrap().parse::<u32>().unwrap());
                }
                Value::Object(fields) => open.extend(fields.into_iter().map(|(_, value)| value)),
                _ => {}
            }
        }
        found.sort_unstable();
        found
    };
    assert_eq!(thresholds(me.get("/api/v1/me/log").expect(200)), [1, 7, 15]);
    let trail = format!("/api/v1/admin/audit?annotation={}", copy["id"].as_str().unwrap());
    assert_eq!(thresholds(service.get(&trail).expect(200)), [1, 7, 15]);
}

#[test]
fn missed_days_are_made_up_for_once_and_a_restart_repeats_nothing() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    holder(&service, &record(1)).copy(&certificate, 90);
    assert_eq!(sent_on(&service, "2027-02-05"), 1, "fifteen days before, nobody was there");
    let service = service.restart();
    assert_eq!(sent_on(&service, "2027-02-05"), 0);
    assert_eq!(sent_on(&service, "2027-02-18"), 1, "of seven and one only the nearer");
    assert!(reminders(&service, MOBILE)[0].contains("今天 24:00 到期"));
    assert_eq!(reminders(&service, MOBILE).len(), 1);
}

#[test]
fn an_address_takes_the_reminders_until_it_is_removed() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let me = holder(&service, &record(1));
    assert_eq!(me.get("/api/v1/me").expect(200)["email"], Value::Null);
    let wrong = me.post("/api/v1/me/email/codes", &json!({"email": "nobody\r\nBcc: a@example.com"}));
    assert_eq!(wrong.wrong_fields(), [("email".to_owned(), "not-an-email".to_owned())]);
    let unproved = me.post("/api/v1/me/email", &json!({"email": EMAIL, "code": "000000"}));
    unproved.problem(422, "code-wrong");
    assert_eq!(set_email(&service, &me, EMAIL).expect(200)["email"], "c***@example.com");
    me.post("/api/v1/me/email/codes", &json!({"email": EMAIL})).problem(429, "too-many-requests");
    assert_eq!(me.get("/api/v1/me/export").expect(200)["email"], EMAIL);
    me.copy(&certificate, 90);

    assert_eq!(sent_on(&service, "2027-02-03"), 1);
    assert_eq!((reminders(&service, EMAIL).len(), reminders(&service, MOBILE).len()), (1, 0));
    let me = holder(&service, &record(1));
    for _ in 0..2 {
        assert_eq!(me.delete("/api/v1/me/email").status, 204);
    }
    assert_eq!(me.get("/api/v1/me").expect(200)["email"], Value::Null);
    assert_eq!(sent_on(&service, "2027-02-11"), 1);
    assert_eq!((reminders(&service, EMAIL).len(), reminders(&service, MOBILE).len()), (1, 1));
    let log = holder(&service, &record(1)).get("/api/v1/me/log").text();
    assert!(log.contains("email-changed") && log.matches("email-removed").count() == 1, "{log}");
}

#[test]
fn a_code_for_an_address_is_good_once_for_it_alone_and_mistyped_five_times() {
    let service = Service::start();
    let me = holder(&service, &record(1));
    let other = "other@example.com";
    for email in [EMAIL, other] {
        service.plant(email);
        me.post("/api/v1/me/email/codes", &json!({"email": email})).expect(202);
    }
    let set = |email: &str, code: &str| me.post("/api/v1/me/email", &json!({"email": email, "code": code}));
    let (code, others) = (service.sent("change_email", EMAIL), service.sent("change_email", other));
    if code != others {
        set(other, &code).problem(422, "code-wrong");
    }
    set(EMAIL, &code).expect(200);
    set(EMAIL, &code).problem(422, "code-wrong");
    let wrong = if others == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        set(other, wrong).problem(422, "code-wrong");
    }
    set(other, &others).problem(422, "code-wrong");
    service.advance("PT5M");
    me.post("/api/v1/me/email/codes", &json!({"email": other})).expect(202);
    let late = service.sent("change_email", other);
    service.advance("PT5M");
    set(other, &late).problem(422, "code-wrong");
    // To a mobile no such code is sent: only who is logged in sends codes to addresses.
    let form = json!({"purpose": "change_email", "mobile": MOBILE});
    let refused = Call::post("/api/v1/verification-codes").json(&form).send(&service);
    assert_eq!(refused.wrong_fields(), [("purpose".to_owned(), "not-one-of".to_owned())]);
}

#[test]
fn of_what_is_revoked_closed_or_nobodys_nobody_is_told() {
    let service = Service::start();
    let revoked = service.enter(&record(1));
    let me = holder(&service, &record(1));
    let id = me.copy(&revoked, 90)["id"].as_str().unwrap().to_owned();
    me.post(&format!("/api/v1/me/annotations/{id}/revocation"), &json!({})).expect(200);
    // Suspended, then closed; and a holder without an account.
    let closed = service.enter(&record(2));
    holder(&service, &record(2)).copy(&closed, 90);
    let status = |word: &str| {
        let path = format!("/api/v1/admin/certificates/{closed}/status");
        service.post(&path, &json!({"status": word, "reason": "核查"})).expect(200);
    };
    status("suspended");
    let nobodys = service.enter(&record(3));
    service.copy(&nobodys, 90);
    assert_eq!(sent_on(&service, "2027-02-03"), 0);
    status("valid");
    service.set_clock("2027-02-04T09:00:00+08:00");
    assert_eq!(round(&service), 1, "in force again, it is worth a word");
    status("revoked");
    assert_eq!(sent_on(&service, "2027-02-11"), 0);
    // Whoever opens an account later is told from then on.
    holder(&service, &record(3));
    assert_eq!(sent_on(&service, "2027-02-12"), 1);
}

#[test]
fn the_pages_show_what_expires_soon_and_set_an_address_without_scripts() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let me = holder(&service, &record(1));
    me.copy(&certificate, 90);
    let page = |person: &Person<'_>, path: &str| {
        let cookie = format!("session={}", person.token);
        Call::get(path).header("Cookie", &cookie).undocumented().send(&service).text()
    };
    assert!(!page(&me, "/me?lang=zh").contains("天内到期"), "ninety days are long");
    let form = |person: &Person<'_>, fields: &str| {
        let cookie = format!("session={}", person.token);
        let call = Call::post("/me/account/email?lang=en").header("Cookie", &cookie);
        let call = call.header("Sec-Fetch-Site", "same-origin");
        call.body("application/x-www-form-urlencoded", fields.as_bytes()).undocumented().send(&service)
    };
    service.plant(EMAIL);
    let typed = EMAIL.replace('@', "%40");
    let sent = form(&me, &format!("email={typed}&code=&act=send"));
    assert!(
        sent.status == 200 && sent.text().contains(EMAIL) && sent.text().contains("The code is on its way")
    );
    let code = service.sent("change_email", EMAIL);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let refused = form(&me, &format!("email={typed}&code={wrong}&act=change"));
    assert!(refused.status == 422 && refused.text().contains("id=\"email-code-fault\""), "{refused}");
    assert!(form(&me, "email=nobody&act=send").text().contains("id=\"email-fault\""));
    assert_eq!(form(&me, &format!("email={typed}&code={code}&act=change")).status, 303);
    let account = page(&me, "/me/account?lang=zh&done=email");
    assert!(account.contains("c***@example.com") && account.contains("电子邮箱已设置"), "{account}");
    assert!(!account.contains(EMAIL), "shown by its ends");
    assert_eq!(form(&me, "email=&code=&act=remove").status, 303);
    assert!(page(&me, "/me/account?lang=en&done=no-email").contains("The e-mail address was removed."));

    service.set_clock("2027-02-02T23:00:00+08:00");
    assert!(!page(&holder(&service, &record(1)), "/me?lang=zh").contains("天内到期"));
    service.set_clock("2027-02-03T00:00:00+08:00");
    let me = holder(&service, &record(1));
    assert!(page(&me, "/me?lang=zh").contains("有 1 份加注件将在 15 天内到期，最早为 2027年2月18日"));
    assert!(page(&me, "/me?lang=en").contains("One copy expires within 15 days, on 18 February 2027."));
}
