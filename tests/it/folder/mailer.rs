//! E-mail, as the operator of a mail server sees it: a real one on loopback, with TLS and a password, takes what the
//! service sends, and a parser that is not ours reads it.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::call::Answer;
use crate::people::Person;
use crate::records::record;
use crate::servers::smtp::{self, Server};
use crate::service::Service;

const FROM: &str = "no-reply@vermilion.example";
const EMAIL: &str = "chen.siyuan@example.com";

/// A service that sends its mail to a port of this machine.
fn service(port: &str, tls: &str, password: &str, authority: Option<&str>) -> Service {
    let mut settings = vec![
        ("VERMILION_SMTP__HOST", "localhost"),
        ("VERMILION_SMTP__PORT", port),
        ("VERMILION_SMTP__TLS", tls),
        ("VERMILION_SMTP__USER", smtp::USER),
        ("VERMILION_SMTP__PASSWORD", password),
        ("VERMILION_SMTP__FROM", FROM),
    ];
    settings.extend(authority.map(|file| ("VERMILION_SMTP__CA_FILE", file)));
    let service = Service::start_with("all", &settings);
    for secret in [EMAIL, smtp::PASSWORD, "refused@example.com"] {
        service.plant(secret);
    }
    service
}

fn ask(person: &Person<'_>, email: &str) -> Answer {
    person.post("/api/v1/me/email/codes", &json!({"email": email}))
}

/// Chinese first, then English, both without a link; sent by a machine that nobody need answer.
fn assert_proper(mail: &Value) {
    let (text, header) =
        (mail["text"].as_str().unwrap(), |name: &str| mail["headers"][name].as_str().unwrap());
    assert!(mail["tls"].as_str().unwrap().starts_with("TLS"), "{mail}");
    assert_eq!((&mail["authenticated"], &mail["defects"]), (&json!(true), &json!([])));
    assert_eq!((&mail["from"], &mail["to"]), (&json!(FROM), &json!([EMAIL])));
    assert_eq!((header("from"), header("to")), (FROM, EMAIL));
    assert_eq!(header("content-type"), "text/plain; charset=\"utf-8\"");
    assert_eq!(header("auto-submitted"), "auto-generated");
    assert!(header("message-id").ends_with("@vermilion.example>"), "{mail}");
    assert!(
        header("date").starts_with("Sat, 21 Nov 2026") || header("date").contains(" Feb 2027 "),
        "{mail}"
    );
    assert_eq!(mail["ascii"], true, "what is not ASCII is encoded: no server need do more");
    assert!(mail["longest_line"].as_u64().unwrap() <= 78, "{mail}");
    assert!(!text.contains("://"), "{text}");
    let (chinese, english) = text.split_once("----").unwrap();
    assert!(chinese.contains("请勿回复") && english.contains("do not answer"), "{text}");
}

#[test]
fn a_code_and_a_reminder_reach_the_mailbox_over_either_kind_of_tls() {
    for mode in ["starttls", "implicit"] {
        let server = Server::start(mode);
        let service = service(&server.port(), mode, smtp::PASSWORD, Some(&server.authority()));
        let certificate = service.enter(&record(1));
        let holder = Person::holding(&service, &record(1));
        ask(&holder, EMAIL).expect(202);
        let mail = server.mail();
        assert_proper(&mail);
        assert_eq!(mail["headers"]["subject"], "验证码 · Verification code");
        let digits =
            |text: &str| text.lines().map(str::trim).find(|line| line.len() == 6).unwrap().to_owned();
        let code = digits(mail["text"].as_str().unwrap());
        service.plant(&code);
        let set = holder.post("/api/v1/me/email", &json!({"email": EMAIL, "code": code})).expect(200);
        assert_eq!(set["email"], "c***@example.com");

        holder.copy(&certificate, 90);
        service.set_clock("2027-02-03T09:00:00+08:00");
        let round = crate::call::Call::post("/dev/reminders").send(&service).expect(200);
        assert_eq!(round, json!({"sent": 1, "lost": 0}));
        let mail = server.mail();
        assert_proper(&mail);
        let subject = mail["headers"]["subject"].as_str().unwrap();
        assert_eq!(subject, "加注件将于2027年2月18日到期 · An annotated copy expires soon");
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains("注册城乡规划师职业资格证书") && text.contains("还剩 15 天"), "{text}");
        assert!(text.contains("valid until 18 February 2027. 15 days are left"), "{text}");
        for personal in ["name", "id_number"] {
            assert!(!text.contains(record(1)["holder"][personal].as_str().unwrap()), "{text}");
        }
        assert!(server.is_empty());
    }
}

#[test]
fn a_server_that_refuses_is_away_or_cannot_be_trusted_is_an_answer_of_503() {
    let server = Server::start("starttls");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    // One that accepts and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = mute.local_addr().unwrap().port().to_string();
    let (port, authority) = (server.port(), server.authority());
    for (port, password, authority, email) in [
        (&port, smtp::PASSWORD, Some(authority.as_str()), "refused@example.com"),
        (&port, "another password", Some(authority.as_str()), EMAIL),
        (&port, smtp::PASSWORD, None, EMAIL),
        (&gone, smtp::PASSWORD, Some(authority.as_str()), EMAIL),
        (&silent, smtp::PASSWORD, Some(authority.as_str()), EMAIL),
    ] {
        let service = service(port, "starttls", password, authority);
        let holder = Person::made(&service, &json!({"kind": "holder", "name": "甲"}));
        let answer = ask(&holder, email);
        answer.problem(503, "unavailable");
        assert!(answer.header("retry-after").is_some());
    }
    assert!(server.is_empty(), "nothing was sent");
}

#[test]
fn reminders_end_while_the_server_is_away_and_those_that_were_not_begun_come_later() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let server = Server::start("implicit");
    let service = service(&server.port(), "implicit", smtp::PASSWORD, Some(&server.authority()));
    for number in 1..=5 {
        let certificate = service.enter(&record(number));
        let holder = Person::holding(&service, &record(number));
        let email = format!("holder{number}@example.com");
        service.plant(&email);
        ask(&holder, &email).expect(202);
        let text = server.mail()["text"].as_str().unwrap().to_owned();
        let code = text.lines().map(str::trim).find(|line| line.len() == 6).unwrap();
        holder.post("/api/v1/me/email", &json!({"email": email, "code": code})).expect(200);
        holder.copy(&certificate, 90);
    }
    let folder = service.kill9();
    let mut command = Service::command(&folder.path().join("data"));
    command.envs([
        ("VERMILION_SMTP__HOST", "localhost"),
        ("VERMILION_SMTP__PORT", &gone),
        ("VERMILION_SMTP__FROM", FROM),
    ]);
    command.env("VERMILION_CLOCK", "2027-02-03T09:00:00+08:00");
    let away = Service::run(command, folder);
    // At the start it tries three, and gives up: two are still to be told.
    let trail = || away.get("/api/v1/admin/audit?limit=500").text().matches("reminder-sent").count();
    crate::service::until(|| (trail() == 3).then_some(())).expect("three are tried");
    let folder = away.kill9();
    let mut command = Service::command(&folder.path().join("data"));
    command.env("VERMILION_SMTP__HOST", "localhost").env("VERMILION_SMTP__PORT", server.port());
    command.env("VERMILION_SMTP__USER", smtp::USER).env("VERMILION_SMTP__PASSWORD", smtp::PASSWORD);
    command.env("VERMILION_SMTP__FROM", FROM).env("VERMILION_SMTP__CA_FILE", server.authority());
    command.env("VERMILION_CLOCK", "2027-02-03T12:00:00+08:00");
    let _back = Service::run(command, folder);
    let told = [server.mail(), server.mail()].map(|mail| mail["to"][0].as_str().unwrap().to_owned());
    assert_ne!(told[0], told[1]);
    assert!(server.is_empty());
}
