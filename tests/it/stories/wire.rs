//! What strangers say on the wire: paths that lead out, heads and bodies that are too long, are none, or never end.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::call::Call;
use crate::people::Person;
use crate::records::{HUNAN, record};
use crate::service::Service;

/// How long an answer may be waited for before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to the service, on which is said what no client would say.
fn connect(service: &Service) -> TcpStream {
    let stream = TcpStream::connect(service.address().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Says it, and hears all that is answered.
fn say(service: &Service, said: &[u8]) -> String {
    let mut stream = connect(service);
    // It may be answered, and hung up on, before all was said.
    let _ = stream.write_all(said);
    let mut heard = Vec::new();
    match stream.read_to_end(&mut heard) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8_lossy(&heard).into_owned(),
    }
}

fn status(heard: &str) -> u16 {
    heard.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{heard:?}"))
}

#[test]
fn no_path_leads_out_of_where_it_begins() {
    let service = Service::start();
    let longest = format!("/v/{}", "A".repeat(30_000));
    for path in [
        "/v/..%2f",
        "/v/..%2f..%2fme",
        "/v/%2e%2e/%2e%2e/etc/passwd",
        "/v/../../../../etc/passwd",
        "/v/%00",
        "/v/%ff%fe",
        "/v/%u0041%zz%",
        "/v/a/b/c",
        "/assets/",
        "/assets/../",
        "/assets/../Cargo.toml",
        "/assets/..%2f..%2f..%2fCargo.toml",
        "/assets/%2e%2e%2fvermilion.css",
        "/assets/%00.css",
        "/assets/..\\..\\Cargo.toml",
        "/problems/..%2f..%2fetc%2fpasswd",
        "/problems/%00",
        "//evil.example/",
        "//evil.example/v?code=K7QF2M9X4TRA81WD30VNC6JP5H",
        "/\\evil.example",
        "/me/..%2f..%2fetc",
        "/me/certificates/..%2f..%2fannotations",
        "/me/annotations/%2e%2e%2f%2e%2e/document",
        "/api/v1/verify/..%2f..%2fadmin%2fkeys",
        "/api/v1/verify/../admin/keys",
        "/api/v1/me/../admin/certificates",
        "/api/v1/admin/certificates/%2e%2e",
        "/api/v1/admin/annotations/..%2f..%2f/document",
        "/api/v1/admin/certificates/%00/document",
        "/dev/outbox/..%2f..%2f",
        "http://evil.example/v/x",
        &longest,
    ] {
        let heard =
            say(&service, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
        let known = [200, 303, 307, 308, 400, 401, 404, 405, 414, 422, 431];
        assert!(known.contains(&status(&heard)), "{path}: {heard}");
        if status(&heard) == 200 {
            assert!(heard.contains("查无此件") || heard.contains("\"unknown\""), "{path}: {heard}");
        }
        for inside in ["root:", "[package]", ":root"] {
            assert!(!heard.contains(inside), "{path}: {heard}");
        }
        for line in heard.lines().filter(|line| line.to_ascii_lowercase().starts_with("location:")) {
            let place = line.split_once(": ").unwrap().1;
            assert!(place.starts_with('/') && !place[1..].starts_with(['/', '\\']), "{path}: {line}");
        }
    }
    assert_eq!(service.verdict("00000000000000000000000000"), "unknown");
}

#[test]
fn what_is_no_request_is_refused_and_others_are_served() {
    let service = Service::start();
    let many: String = (0..2_000).map(|number| format!("X-{number}: y\r\n")).collect();
    for (said, refused) in [
        (format!("GET /v/{} HTTP/1.1\r\nHost: x\r\n\r\n", "A".repeat(70_000)), &[400, 414, 431][..]),
        (format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: session={}\r\n\r\n", "A".repeat(70_000)), &[431]),
        (format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n"), &[431]),
        ("GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n".to_owned(), &[400]),
        ("GET / HTTP/1.1\r\nHost: x\r\n X: folded\r\n\r\n".to_owned(), &[400]),
        ("GET /\r\n\r\n".to_owned(), &[400]),
        ("\u{16}\u{3}\u{1}".to_owned() + &"x".repeat(600) + "\r\n\r\n", &[400]),
        // Two lengths, or a length and chunks, are how requests are smuggled past a proxy.
        (
            "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx".to_owned(),
            &[400],
        ),
        ("POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_owned(), &[400]),
        ("POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\nxx".to_owned(), &[400]),
    ] {
        let heard = say(&service, said.as_bytes());
        assert!(refused.contains(&status(&heard)), "{}: {heard}", &said[..said.len().min(80)]);
        assert!(!heard.contains("AAAA"), "what was sent is not repeated");
        assert_eq!(service.verdict("00000000000000000000000000"), "unknown");
    }
}

#[test]
fn a_body_that_is_too_long_is_refused_by_every_form() {
    let service = Service::start();
    let person = Person::holding(&service, &record(1));
    let key = service.new_key(&["*"], HUNAN);
    let forms = [
        "/login",
        "/sign-up",
        "/recovery",
        "/query",
        "/me/notice",
        "/me/account/mobile",
        "/me/account/password",
    ];
    let long = "x".repeat(20_000);
    for path in forms {
        let call = Call::post(path).header("Cookie", &person.cookie()).form(&[("account", &long)]);
        assert_eq!(call.send(&service).status, 413, "{path}");
    }
    let long = json!({"account": "x".repeat(70_000)});
    for path in [
        "/api/v1/captchas",
        "/api/v1/verification-codes",
        "/api/v1/accounts",
        "/api/v1/accounts/recovery",
        "/api/v1/sessions",
        "/api/v1/verify/query",
    ] {
        Call::post(path).json(&long).send(&service).problem(413, "too-large");
    }
    for path in ["/api/v1/me/password", "/api/v1/me/mobile", "/api/v1/me/notice"] {
        person.post(path, &long).problem(413, "too-large");
    }
    Call::post("/api/v1/admin/keys").key(&key).json(&long).send(&service).problem(413, "too-large");
    // By what it announces, before a byte of it is there.
    for (path, kind) in
        [("/api/v1/verify/document", "application/pdf"), ("/api/v1/sessions", "application/json")]
    {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 99999999999\r\n\
             Connection: close\r\n\r\n"
        );
        assert_eq!(status(&say(&service, head.as_bytes())), 413, "{path}");
    }
}

/// Drips on and on until the service hangs up, and tells what it answered before.
fn drip(service: &Service, head: &str) -> String {
    let mut stream = connect(service);
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let (mut heard, mut piece, begun) = (Vec::new(), [0; 4096], Instant::now());
    loop {
        assert!(begun.elapsed() < PATIENCE, "it listens on and on: {head}");
        let spoken = stream.write_all(b"1");
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => heard.extend_from_slice(&piece[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if spoken.is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

#[test]
fn who_drips_is_cut_off_while_others_are_served() {
    let short = [("VERMILION_LIMITS__HEAD_SECONDS", "1"), ("VERMILION_LIMITS__BODY_SECONDS", "2")];
    let service = Service::start_with("api", &short);
    let key = service.new_key(&["*"], "*");
    let form = |path: &str, kind: &str, more: &str| {
        let length = if more.contains("chunked") { "" } else { "Content-Length: 9999\r\n" };
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{length}{more}\r\n")
    };
    let same = "Sec-Fetch-Site: same-origin\r\n";
    let urlencoded = "application/x-www-form-urlencoded";
    let bodies = [
        form("/api/v1/sessions", "application/json", ""),
        form("/api/v1/verify/document", "application/pdf", ""),
        form("/login", urlencoded, same),
        form("/sign-up", urlencoded, same),
        form("/query", urlencoded, same),
        form("/verify/document", "multipart/form-data; boundary=edge", ""),
        form("/api/v1/admin/certificates", "application/json", &format!("Authorization: Bearer {key}\r\n")),
    ];
    let heads = ["", "GET / HTTP/1.1\r\nHost: x\r\nX: ", "GET /v/"];
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            let mut served = 0;
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(service.verdict("00000000000000000000000000"), "unknown");
                served += 1;
            }
            served
        });
        // Many of them at once: it is not one connection that brings a service down.
        let dripping: Vec<_> = (0..40)
            .map(|number| heads[number % heads.len()].to_owned())
            .map(|head| scope.spawn(|| (drip(&service, &head), head)))
            .collect();
        let bodies: Vec<_> =
            bodies.iter().map(|head| scope.spawn(|| (drip(&service, head), head.clone()))).collect();
        for (heard, head) in dripping.into_iter().map(|one| one.join().unwrap()) {
            assert!(heard.is_empty() || [400, 408].contains(&status(&heard)), "{head}: {heard}");
        }
        for (heard, head) in bodies.into_iter().map(|one| one.join().unwrap()) {
            assert_eq!(status(&heard), 408, "{head}: {heard}");
        }
        stop.store(true, Ordering::Relaxed);
        assert!(others.join().unwrap() > 10, "others were hardly served");
    });
}
