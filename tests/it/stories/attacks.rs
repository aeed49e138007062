//! What strangers try with what they know or stole: forms of other sites, others' names of things, script in what is
//! written down, a cookie after its session.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::judges::Exhibit;
use crate::people::Person;
use crate::records::{HUNAN, SICHUAN, exempt_record, record, record_of};
use crate::service::{Service, until};

#[test]
fn a_form_that_a_page_of_ours_did_not_send_is_not_dealt_with() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let person = Person::holding(&service, &record(1));
    let copy = person.copy(&certificate, 90);
    let annotation = copy["id"].as_str().unwrap();
    let paths = [
        "/login".to_owned(),
        "/logout".to_owned(),
        "/sign-up".to_owned(),
        "/recovery".to_owned(),
        "/me/notice".to_owned(),
        format!("/me/certificates/{certificate}/annotations"),
        format!("/me/annotations/{annotation}/revocation"),
        "/me/account/mobile".to_owned(),
        "/me/account/password".to_owned(),
        "/me/account/sessions".to_owned(),
    ];
    let fields = b"act=send&mobile=13912345678&scenario=self_use&how=most";
    for path in &paths {
        let call = || {
            let call = Call::post(path).header("Cookie", &person.cookie()).page();
            call.body("application/x-www-form-urlencoded", fields)
        };
        for foreign in [
            call(),
            call().header("Sec-Fetch-Site", "cross-site"),
            call().header("Sec-Fetch-Site", "same-site"),
            call().header("Origin", "null"),
            call().header("Origin", "https://evil.example"),
            call().header("Origin", &format!("{}.evil.example", service.address())),
        ] {
            let answer = foreign.send(&service);
            assert_eq!(answer.status, 403, "{path}: {answer}");
        }
        // Nor by a link, a picture or a script of another site, which ask with GET.
        let asked = Call::get(path).header("Cookie", &person.cookie()).page().send(&service);
        assert!([200, 303, 405].contains(&asked.status), "{asked}");
    }
    person.get("/api/v1/me").expect(200);
    let annotations =
        service.get(&format!("/api/v1/admin/annotations?certificate={certificate}")).expect(200);
    let states: Vec<_> = annotations["items"].as_array().unwrap().iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["ready"], "nothing was ordered or revoked");
    assert_eq!(service.public("/dev/outbox?to=13912345678").expect(200)["items"], json!([]));
}

#[test]
fn what_belongs_to_another_holder_is_not_there() {
    let service = Service::start();
    let (theirs, mine) = (service.enter(&record(1)), service.enter(&record(2)));
    let exempt = {
        let mut record = exempt_record(3);
        record["holder"] = self::record(1)["holder"].clone();
        service.enter(&record)
    };
    let (them, me) = (Person::holding(&service, &record(1)), Person::holding(&service, &record(2)));
    let (copy, own) = (them.copy(&theirs, 90), me.copy(&mine, 90));
    let (copy, own) = (copy["id"].as_str().unwrap(), own["id"].as_str().unwrap());
    let never = "0192f0c1-0000-7000-8000-000000000000";
    let page = |method: &str, path: &str| {
        let call = Call::new(method, path).header("Cookie", &me.cookie());
        match method {
            "POST" => call.form(&[("scenario", "self_use"), ("how", "most")]),
            _ => call.page(),
        }
    };
    let program = |method: &str, path: &str| {
        let call = Call::new(method, path).key(&me.token);
        match method {
            "POST" => call.json(&json!({"scenario": "self_use", "days": 1})),
            _ => call,
        }
    };
    for (method, path, foreign, own) in [
        ("GET", "/me/certificates/{id}", theirs.as_str(), mine.as_str()),
        ("GET", "/me/certificates/{id}/document", &exempt, ""),
        ("POST", "/me/certificates/{id}/annotations", &theirs, ""),
        ("GET", "/me/annotations/{id}", copy, own),
        ("GET", "/me/annotations/{id}/document", copy, own),
        ("POST", "/me/annotations/{id}/revocation", copy, ""),
        ("GET", "/api/v1/me/certificates/{id}", &theirs, &mine),
        ("GET", "/api/v1/me/certificates/{id}/checks", &theirs, &mine),
        ("GET", "/api/v1/me/certificates/{id}/document", &exempt, ""),
        ("POST", "/api/v1/me/certificates/{id}/annotations", &theirs, ""),
        ("GET", "/api/v1/me/annotations/{id}", copy, own),
        ("GET", "/api/v1/me/annotations/{id}/checks", copy, own),
        ("GET", "/api/v1/me/annotations/{id}/events", copy, ""),
        ("GET", "/api/v1/me/annotations/{id}/document", copy, own),
        ("POST", "/api/v1/me/annotations/{id}/revocation", copy, ""),
    ] {
        let ask = |id: &str| -> Answer {
            let path = path.replace("{id}", id);
            let call = if path.starts_with("/api/") { program(method, &path) } else { page(method, &path) };
            match path.ends_with("/revocation") && path.starts_with("/api/") {
                true => Call::post(&path).key(&me.token).json(&json!({})).send(&service),
                false => call.send(&service),
            }
        };
        let refused = ask(foreign);
        assert_eq!(refused.status, 404, "{method} {path}: {refused}");
        assert_eq!(refused.seen(), ask(never).seen(), "{method} {path}: like one that was never made");
        if !own.is_empty() {
            assert_eq!(ask(own).status, 200, "{method} {path}: the own one is there");
        }
    }
    let state = |id: &str| service.annotation(id)["state"].clone();
    assert_eq!(state(copy), "ready");
    for path in ["/api/v1/me/certificates", "/api/v1/me/log", "/api/v1/me/export"] {
        let text = me.get(path).text();
        for name in [theirs.as_str(), &exempt, copy] {
            assert!(!text.contains(name), "{path} tells of another's {name}");
        }
    }
}

#[test]
fn no_filter_and_no_cursor_leads_to_another_agencys_records() {
    let service = Service::start();
    let foreign: Vec<String> = (1..=3).map(|number| service.enter(&record_of(number, SICHUAN))).collect();
    let own: Vec<String> = (11..=13).map(|number| service.enter(&record_of(number, HUNAN))).collect();
    let copy = service.copy(&foreign[0], 90);
    service.copy(&foreign[1], 90);
    let key = service.new_key(&["*"], HUNAN);
    let mine = |path: &str| Call::get(path).key(&key).send(&service);
    let hidden = |path: &str| {
        let text = mine(path).text();
        for name in foreign.iter().map(String::as_str).chain([copy["id"].as_str().unwrap()]) {
            assert!(!text.contains(name), "{path}: {text}");
        }
    };
    let number = record_of(1, SICHUAN)["management_no"].as_str().unwrap().to_owned();
    for question in [
        String::new(),
        "?limit=500".to_owned(),
        format!("?issuer={SICHUAN}"),
        format!("?management_no={number}"),
        "?status=valid".to_owned(),
    ] {
        hidden(&format!("/api/v1/admin/certificates{question}"));
    }
    for question in [String::new(), format!("?certificate={}", foreign[0]), "?state=ready".to_owned()] {
        hidden(&format!("/api/v1/admin/annotations{question}"));
    }
    for question in [
        String::new(),
        format!("?certificate={}", foreign[0]),
        format!("?annotation={}", copy["id"].as_str().unwrap()),
    ] {
        hidden(&format!("/api/v1/admin/audit{question}"));
    }
    // A cursor is a place in one's own list, whoever was given it.
    for list in ["certificates", "annotations", "audit"] {
        let whole = service.get(&format!("/api/v1/admin/{list}?limit=1")).expect(200);
        if let Some(cursor) = whole["next_cursor"].as_str() {
            hidden(&format!("/api/v1/admin/{list}?limit=500&cursor={cursor}"));
        }
    }
    let listed = mine("/api/v1/admin/certificates").expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), own.len());
}

/// What would run if a page took it for its own.
const SCRIPT: &str = "<img src=x onerror=alert(1)>";

#[test]
fn script_in_what_is_imported_and_written_down_is_text_in_every_answer_and_ink_on_the_copy() {
    let service = Service::start();
    let mut bad = record(1);
    for field in ["/title", "/specialty", "/holder/name", "/issuer/name"] {
        *bad.pointer_mut(field).unwrap() = json!(SCRIPT);
    }
    bad["level"] = json!("<svg onload=a()>");
    service.plant_record(&bad);
    let batch = Call::post("/api/v1/admin/certificates/batch").key(service.key());
    let line = batch.body("application/x-ndjson", bad.to_string().as_bytes()).send(&service).lines();
    let certificate = line[0]["certificate_id"].as_str().unwrap();
    let orders = format!("/api/v1/admin/certificates/{certificate}/annotations");
    let order = json!({"scenario": "self_use", "days": 90, "recipient": SCRIPT, "on_behalf_reason": SCRIPT});
    let copies: Vec<Value> = (0..2)
        .map(|_| {
            let ordered = service.post(&orders, &order).expect(202);
            service.ready(ordered["id"].as_str().unwrap())
        })
        .collect();
    let id = |copy: &Value| copy["id"].as_str().unwrap().to_owned();
    let reason = json!({"reason": SCRIPT});
    service.post(&format!("/api/v1/admin/annotations/{}/revocation", id(&copies[1])), &reason).expect(200);
    let status = format!("/api/v1/admin/certificates/{certificate}/status");
    service.post(&status, &json!({"status": "suspended", "reason": SCRIPT})).expect(200);
    let label = json!({"scopes": ["audit:read"], "issuer": HUNAN, "label": SCRIPT});
    service.plant(service.post("/api/v1/admin/keys", &label).expect(201)["key"].as_str().unwrap());

    let person = Person::holding(&service, &bad);
    let shown = |path: &str| Call::get(path).header("Cookie", &person.cookie()).page().send(&service);
    let mut pages = vec![
        "/me".to_owned(),
        "/me/account".to_owned(),
        format!("/me/certificates/{certificate}"),
        format!("/v?code={SCRIPT}").replace(['<', '>', ' '], "+"),
    ];
    for copy in &copies {
        pages.push(format!("/me/annotations/{}", id(copy)));
        pages.push(format!("/v/{}", copy["code"].as_str().unwrap()));
    }
    for page in &pages {
        let answer = shown(page);
        let html = answer.text();
        assert_eq!(answer.media_type().as_deref(), Some("text/html"), "{page}");
        assert!(!html.contains("<img src=x") && !html.contains("<svg onload"), "{page}: {html}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
    assert!(shown("/me").text().contains("&#60;img src=x"), "it is there, as text");
    for path in [
        "/api/v1/admin/certificates".to_owned(),
        format!("/api/v1/admin/certificates/{certificate}"),
        "/api/v1/admin/annotations".to_owned(),
        "/api/v1/admin/audit".to_owned(),
        "/api/v1/admin/keys".to_owned(),
    ] {
        let answer = service.get(&path);
        assert_eq!(answer.media_type().as_deref(), Some("application/json"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }

    service.post(&status, &json!({"status": "valid", "reason": SCRIPT})).expect(200);
    let file = service.document(&id(&copies[0]));
    let printed: String = Exhibit::new(&file).text().split_whitespace().collect();
    assert!(printed.contains("<imgsrc=xonerror=alert(1)>"), "{printed}");
    for act in ["/JavaScript", "/JS", "/OpenAction", "/Launch", "/AA", "/SubmitForm"] {
        let acts = file
            .windows(act.len() + 1)
            .any(|part| part.starts_with(act.as_bytes()) && !part[act.len()].is_ascii_alphanumeric());
        assert!(!acts, "the copy can do {act}");
    }
}

#[test]
fn a_cookie_that_was_taken_is_worth_nothing_after_the_logout() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let person = Person::holding(&service, &record(1));
    let copy = person.copy(&certificate, 90);
    let paths = [
        "/me".to_owned(),
        "/me/account".to_owned(),
        format!("/me/certificates/{certificate}"),
        format!("/me/annotations/{}", copy["id"].as_str().unwrap()),
        format!("/me/annotations/{}/document", copy["id"].as_str().unwrap()),
    ];
    let ask = |path: &str| Call::get(path).header("Cookie", &person.cookie()).page().send(&service);
    for path in &paths {
        assert_eq!(ask(path).status, 200, "{path}");
    }
    let out = Call::post("/logout").header("Cookie", &person.cookie()).form(&[]).send(&service);
    assert_eq!((out.status, out.header("location")), (303, Some("/login?after=logout")));
    for path in &paths {
        let turned_away = ask(path);
        assert_eq!((turned_away.status, turned_away.header("location")), (303, Some("/login?after=end")));
        assert!(turned_away.header("set-cookie").unwrap().contains("Max-Age=0"), "{path}");
    }
    person.get("/api/v1/me").problem(401, "unauthenticated");
    let order = Call::post(&format!("/me/certificates/{certificate}/annotations"));
    let order = order.header("Cookie", &person.cookie());
    assert_eq!(order.form(&[("scenario", "self_use"), ("how", "most")]).send(&service).status, 303);
    // A stream that was open is not a way around it.
    let events = format!("/api/v1/me/annotations/{}/events", copy["id"].as_str().unwrap());
    until(|| (person.get(&events).status == 401).then_some(())).unwrap();
}
