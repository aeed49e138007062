//! A holder and the own certificates; and another holder, who sees nothing of them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::call::Call;
use crate::people::Person;
use crate::records::{exempt_record, record};
use crate::service::{START, Service};

#[test]
fn what_is_anothers_is_not_there() {
    let service = Service::start();
    let (mine, theirs) = (service.enter(&record(1)), service.enter(&record(2)));
    let (me, them) = (Person::holding(&service, &record(1)), Person::holding(&service, &record(2)));
    let copy = them.copy(&theirs, 90);
    let annotation = copy["id"].as_str().unwrap();
    let never = "0192f0c1-0000-7000-8000-000000000000";
    let get = |path: String| me.get(&path).problem(404, "not-found");
    let post = |path: String, body: Value| me.post(&path, &body).problem(404, "not-found");
    let order = json!({"scenario": "self_use", "days": 1});
    for (theirs, never) in [
        (get(format!("/api/v1/me/certificates/{theirs}")), get(format!("/api/v1/me/certificates/{never}"))),
        (
            get(format!("/api/v1/me/certificates/{theirs}/document")),
            get(format!("/api/v1/me/certificates/{never}/document")),
        ),
        (
            post(format!("/api/v1/me/certificates/{theirs}/annotations"), order.clone()),
            post(format!("/api/v1/me/certificates/{never}/annotations"), order.clone()),
        ),
        (get(format!("/api/v1/me/annotations/{annotation}")), get(format!("/api/v1/me/annotations/{never}"))),
        (
            get(format!("/api/v1/me/annotations/{annotation}/document")),
            get(format!("/api/v1/me/annotations/{never}/document")),
        ),
        (
            get(format!("/api/v1/me/annotations/{annotation}/events")),
            get(format!("/api/v1/me/annotations/{never}/events")),
        ),
        (
            post(format!("/api/v1/me/annotations/{annotation}/revocation"), json!({})),
            post(format!("/api/v1/me/annotations/{never}/revocation"), json!({})),
        ),
    ] {
        assert_eq!(theirs, never, "word for word");
    }
    let own = me.get("/api/v1/me/certificates").expect(200);
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert_eq!(own["items"][0]["id"], mine);
    for path in ["/api/v1/me/export", "/api/v1/me/log"] {
        let text = me.get(path).text();
        assert!(!text.contains(annotation) && !text.contains(&theirs), "{path}");
    }
    assert_eq!(service.annotation(annotation)["state"], "ready");
}

#[test]
fn the_fourth_is_refused_until_the_day_that_was_shown_before() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let me = Person::holding(&service, &record(1));
    let path = format!("/api/v1/me/certificates/{certificate}");
    for (left, days) in [(3, 60), (2, 30), (1, 90)] {
        assert_eq!(me.get(&path).expect(200)["places_left"], left);
        me.copy(&certificate, days);
    }
    let own = me.get(&path).expect(200);
    assert_eq!((&own["places_left"], &own["next_free_on"]), (&json!(0), &json!("2026-12-21")));
    assert_eq!((&own["max_days"], &own["scenarios"][0]["name"]), (&json!(90), &json!("本人调用")));
    let refused = me.order(&certificate, 90).problem(409, "quota-exceeded");
    assert_eq!(refused["next_free_on"], "2026-12-21");
    service.order(&certificate, 90).problem(409, "quota-exceeded");

    service.set_clock("2026-12-21T00:00:00+08:00");
    let me = Person::holding(&service, &record(1));
    me.copy(&certificate, 90);
    let states = me.get(&path).expect(200);
    let states: Vec<_> =
        states["annotations"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["ready", "ready", "expired", "ready"], "newest first");
}

#[test]
fn the_rules_of_an_order_are_those_of_the_counter() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let me = Person::holding(&service, &record(1));
    me.order(&certificate, 91).problem(422, "validity-too-long");
    me.order(&certificate, 0).problem(422, "validity-too-short");
    let path = format!("/api/v1/me/certificates/{certificate}/annotations");
    me.post(&path, &json!({"scenario": "sale", "days": 1})).problem(422, "scenario-not-allowed");
    let form = json!({"scenario": "self_use", "days": 1, "recipient": "示例𱁬设计院"});
    me.post(&path, &form).problem(422, "unprintable-character");
    let form = json!({"scenario": "self_use", "days": 1, "on_behalf_reason": "x"});
    assert_eq!(me.post(&path, &form).wrong_fields()[0].0, "on_behalf_reason");
    let suspended = json!({"status": "suspended", "reason": "核查"});
    service.post(&format!("/api/v1/admin/certificates/{certificate}/status"), &suspended).expect(200);
    me.order(&certificate, 1).problem(409, "certificate-not-valid");
}

#[test]
fn an_order_under_the_same_key_is_one_order_and_keys_of_others_are_others() {
    let service = Service::start();
    let (mine, theirs) = (service.enter(&record(1)), service.enter(&record(2)));
    let (me, them) = (Person::holding(&service, &record(1)), Person::holding(&service, &record(2)));
    let order = |person: &Person<'_>, certificate: &str, days: u32| {
        Call::post(&format!("/api/v1/me/certificates/{certificate}/annotations"))
            .key(&person.token)
            .header("Idempotency-Key", "one")
            .json(&json!({"scenario": "self_use", "days": days}))
            .send(&service)
    };
    let first = order(&me, &mine, 30).expect(202);
    assert_eq!(order(&me, &mine, 30).expect(202), first);
    order(&me, &mine, 31).problem(422, "idempotency-key-reused");
    assert_ne!(order(&them, &theirs, 30).expect(202)["id"], first["id"]);
}

#[test]
fn of_fifty_orders_of_the_holder_at_once_three_are_accepted() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let me = Person::holding(&service, &record(1));
    let gate = Barrier::new(50);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let one = || {
            gate.wait();
            let answer = me.order(&certificate, 90);
            if answer.status != 202 {
                answer.problem(409, "quota-exceeded");
            }
            answer.status
        };
        let threads: Vec<_> = (0..50).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 202).count(), 3);
    let own = me.get(&format!("/api/v1/me/certificates/{certificate}")).expect(200);
    assert_eq!(own["annotations"].as_array().unwrap().len(), 3);
}

#[test]
fn the_stream_tells_every_state_until_the_copy_is_ready() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let me = Person::holding(&service, &record(1));
    let ordered = me.order(&certificate, 90).expect(202);
    let path = format!("/api/v1/me/annotations/{}/events", ordered["id"].as_str().unwrap());
    // The stream ends by itself, so that it can be read like any answer.
    let stream = me.get(&path);
    assert_eq!(stream.media_type().as_deref(), Some("text/event-stream"));
    let text = stream.text();
    let events: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let last = events.last().unwrap();
    assert_eq!((&last["id"], &last["state"]), (&ordered["id"], &json!("ready")), "{text}");
    let states: Vec<_> = events.iter().map(|event| event["state"].as_str().unwrap()).collect();
    let order =
        |state: &str| ["queued", "sealing", "ready"].iter().position(|known| *known == state).unwrap();
    assert!(states.windows(2).all(|pair| order(pair[0]) <= order(pair[1])), "{states:?}");
    let again = me.get(&path).text();
    assert_eq!(again.matches("data:").count(), 1, "what is settled is told once");
}

/// A stream of events that is being read.
struct Stream {
    socket: TcpStream,
    text: String,
}

impl Stream {
    /// Begins to read, up to the first event.
    fn open(service: &Service, path: &str, token: &str) -> Self {
        let host = service.address().strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(host).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut stream = Self { socket, text: String::new() };
        while !stream.text.contains("data:") {
            assert!(stream.read() > 0, "{}", stream.text);
        }
        stream
    }

    fn read(&mut self) -> usize {
        let mut piece = [0; 4096];
        let length = self.socket.read(&mut piece).unwrap();
        self.text.push_str(&String::from_utf8_lossy(&piece[..length]));
        length
    }

    /// Reads to the end.
    fn rest(mut self) -> String {
        while self.read() > 0 {}
        self.text
    }
}

#[test]
fn a_stream_of_what_still_waits_ends_with_its_session_and_with_the_service() {
    // Without a worker nothing is ever ready.
    let service = Service::start_as(Arc::new(TempDir::new().unwrap()), "api", Some(START));
    let certificate = service.enter(&record(1));
    let (me, too) = (Person::holding(&service, &record(1)), Person::holding(&service, &record(1)));
    let ordered = me.order(&certificate, 90).expect(202);
    let path = format!("/api/v1/me/annotations/{}/events", ordered["id"].as_str().unwrap());
    let (mine, other) = (Stream::open(&service, &path, &me.token), Stream::open(&service, &path, &too.token));
    assert_eq!(me.delete("/api/v1/sessions/current").status, 204);
    let told = mine.rest();
    assert!(told.contains("\"state\":\"queued\"") && told.ends_with("0\r\n\r\n"), "{told}");

    drop((me, too));
    let asked = Instant::now();
    let (status, _folder) = service.stop();
    assert!(status.success() && asked.elapsed() < Duration::from_secs(15), "an open stream holds it up");
    assert!(other.rest().ends_with("0\r\n\r\n"), "the stream was ended, not cut off");
}

#[test]
fn an_exempt_certificate_downloads_directly_and_no_other_does() {
    let service = Service::start();
    let exempt = service.enter(&exempt_record(1));
    let other = service.enter(&record(2));
    let me = Person::holding(&service, &exempt_record(1));
    let own = me.get(&format!("/api/v1/me/certificates/{exempt}")).expect(200);
    assert_eq!(own["annotation_required"], false);
    let pdf = me.get(&format!("/api/v1/me/certificates/{exempt}/document")).pdf();
    assert_eq!(service.judge_file(&pdf)["verdict"], "genuine");
    let them = Person::holding(&service, &record(2));
    them.get(&format!("/api/v1/me/certificates/{other}/document")).problem(409, "annotation-required");
}
