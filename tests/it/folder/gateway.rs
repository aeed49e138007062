//! The gateway of short messages, as its operator sees it: a real HTTP server takes what the service sends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::{PASSWORD, Person};
use crate::records::{base64, record};
use crate::service::Service;

const KEY: &str = "a key of the tests, long enough";

/// What the gateway was sent.
struct Sent {
    timestamp: String,
    signature: String,
    body: String,
}

/// A gateway that answers every request the same way; its address, and what it was sent.
fn gateway(answer: &'static str) -> (String, Receiver<Sent>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/sms", listener.local_addr().unwrap());
    let (sender, sent) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut line) = (Vec::<(String, String)>::new(), String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some((name, value)) = line.trim().split_once(": ") {
                    head.push((name.to_ascii_lowercase(), value.to_owned()));
                }
                line.clear();
            }
            let header = |name: &str| {
                head.iter()
                    .find(|(found, _)| found == name)
                    .map(|(_, value)| value.clone())
                    .unwrap_or_default()
            };
            let mut body = vec![0; header("content-length").parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let body = String::from_utf8(body).unwrap();
            let (timestamp, signature) = (header("x-vermilion-timestamp"), header("x-vermilion-signature"));
            stream.write_all(answer.as_bytes()).unwrap();
            if sender.send(Sent { timestamp, signature, body }).is_err() {
                return;
            }
        }
    });
    (address, sent)
}

fn ask(service: &Service, mobile: &str) -> Answer {
    let form = json!({"purpose": "sign_up", "mobile": mobile});
    Call::post("/api/v1/verification-codes").json(&form).send(service)
}

/// What openssl says that the signature must be.
fn signed(timestamp: &str, body: &str) -> String {
    let script = "openssl dgst -sha256 -hmac \"$0\" -binary | openssl base64 -A";
    let mut openssl = Command::new("sh")
        .args(["-c", script, KEY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(format!("{timestamp}.{body}").as_bytes()).unwrap();
    String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn a_code_reaches_the_gateway_signed_and_opens_an_account() {
    let (address, sent) = gateway("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
    let service =
        Service::start_with("all", &[("VERMILION_SMS__URL", &address), ("VERMILION_SMS__KEY", KEY)]);
    let record = record(1);
    service.post("/api/v1/admin/certificates", &record).expect(201);

    let mobile = "13800005678";
    service.plant(mobile);
    ask(&service, mobile).expect(202);
    let sent = sent.recv().unwrap();
    assert_eq!(sent.signature, signed(&sent.timestamp, &sent.body), "openssl says so too");
    let message: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!((&message["to"], &message["purpose"]), (&json!(mobile), &json!("sign_up")));
    assert_eq!(message["kind"], "code");
    let code = message["code"].as_str().unwrap();
    assert!(message["text"].as_str().unwrap().contains(code));

    let holder = &record["holder"];
    let form = json!({
        "name": holder["name"], "id_type": "111", "id_number": holder["id_number"],
        "mobile": mobile, "password": PASSWORD, "code": code,
    });
    Call::post("/api/v1/accounts").json(&form).send(&service).expect(201);
}

#[test]
fn a_reminder_reaches_the_gateway_signed_like_a_code() {
    let (address, sent) = gateway("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let service =
        Service::start_with("all", &[("VERMILION_SMS__URL", &address), ("VERMILION_SMS__KEY", KEY)]);
    let certificate = service.enter(&record(1));
    let mobile = "13800005678";
    service.plant(mobile);
    let holder = &record(1)["holder"];
    let form = json!({
        "kind": "holder", "name": holder["name"], "id_number": holder["id_number"], "mobile": mobile,
    });
    Person::made(&service, &form).copy(&certificate, 90);
    service.set_clock("2027-02-11T09:00:00+08:00");
    assert_eq!(Call::post("/dev/reminders").send(&service).expect(200), json!({"sent": 1, "lost": 0}));
    let sent = sent.recv().unwrap();
    assert_eq!(sent.signature, signed(&sent.timestamp, &sent.body), "openssl says so too");
    let message: Value = serde_json::from_str(&sent.body).unwrap();
    let text = message["text"].as_str().unwrap().to_owned();
    assert!(text.contains("还剩 7 天"), "{text}");
    let expected = json!({
        "kind": "reminder", "to": mobile, "certificate": record(1)["title"], "valid_until": "2027-02-18",
        "days_left": 7, "text": text,
    });
    assert_eq!(message, expected, "and nothing else");
}

/// Opens a ticket with the code that the gateway was sent.
fn open_ticket(service: &Service, sent: &Receiver<Sent>, number: u32, mobile: &str) -> String {
    service.plant_record(&record(number));
    service.plant(mobile);
    ask(service, mobile).expect(202);
    let message: Value = serde_json::from_str(&sent.recv().unwrap().body).unwrap();
    let holder = &record(number)["holder"];
    let form = json!({
        "name": holder["name"], "id_number": holder["id_number"], "management_no": record(number)["management_no"],
        "mobile": mobile, "code": message["code"], "scan": base64(b"%PDF-1.7"),
    });
    let opened = Call::post("/api/v1/tickets").json(&form).send(service).expect(201);
    opened["ticket_id"].as_str().unwrap().to_owned()
}

fn answer(service: &Service, ticket: &str) -> Answer {
    let path = format!("/api/v1/admin/tickets/{ticket}/answer");
    service.post(&path, &json!({"outcome": "declined", "words": "扫描件不清晰"}))
}

#[test]
fn of_an_answered_ticket_the_gateway_is_told_once_and_nothing_of_it() {
    let (address, sent) = gateway("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let service =
        Service::start_with("all", &[("VERMILION_SMS__URL", &address), ("VERMILION_SMS__KEY", KEY)]);
    let ticket = open_ticket(&service, &sent, 1, "13800005678");
    let other = open_ticket(&service, &sent, 2, "13800005679");
    answer(&service, &ticket).expect(200);
    answer(&service, &ticket).problem(409, "ticket-answered");
    let told = sent.try_recv().expect("it was told before the answer was answered");
    assert_eq!(told.signature, signed(&told.timestamp, &told.body), "openssl says so too");
    let message: Value = serde_json::from_str(&told.body).unwrap();
    let text = "您提交的申请已有答复，请凭编号查询。Your request was answered; look it up by its number.";
    assert_eq!(message, json!({"kind": "ticket_answered", "to": "13800005678", "text": text}));
    assert!(sent.try_recv().is_err(), "once");

    // With the gateway away the answer stands, and nobody is told later.
    let folder = service.kill9();
    let gone = format!("http://{}/", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let mut command = Service::command(&folder.path().join("data"));
    command.env("VERMILION_SMS__URL", &gone).env("VERMILION_SMS__KEY", KEY);
    let service = Service::run(command, folder);
    answer(&service, &other).expect(200);
    assert_eq!(service.get(&format!("/api/v1/admin/tickets/{other}")).expect(200)["state"], "answered");
    let log = service.log();
    assert!(log.contains("an applicant could not be told") && log.contains(&other), "{log}");
}

#[test]
fn a_gateway_that_refuses_or_is_not_there_is_an_answer_of_503() {
    let (refusing, _sent) = gateway("HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\n\r\n");
    let gone = format!("http://{}/", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    for address in [refusing, gone] {
        let service =
            Service::start_with("all", &[("VERMILION_SMS__URL", &address), ("VERMILION_SMS__KEY", KEY)]);
        service.plant("13800005678");
        let answer = ask(&service, "13800005678");
        answer.problem(503, "unavailable");
        assert!(answer.header("retry-after").is_some());
    }
}
