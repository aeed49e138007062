//! What strangers try in a holder's browser: script in what is shown, forms of other sites, cookies of before and after.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::json;

use crate::browser::driver::Browser;
use crate::browser::holder::{account, fill_in_login, log_in, states};
use crate::browser::pages::upload;
use crate::people::{PASSWORD, Person};
use crate::records::record;
use crate::service::Service;

/// What would open a window that nobody closes, if it ran.
const SCRIPT: &str = "<img src=x onerror=alert(1)>";

/// The text is there as it was written, and nothing came of it.
fn assert_only_shown(browser: &Browser, what: &str) {
    // With a window open the driver would answer nothing.
    let made = browser.script("return document.querySelectorAll('img[onerror]').length");
    assert_eq!(made, 0, "{what}: {}", browser.address());
    let complaints = browser.complaints();
    let refused = complaints.iter().filter(|said| said["source"] != "network").count();
    assert_eq!(refused, 0, "{what}: {complaints:?}");
    let shown = browser.script("return document.body.innerText");
    let values = browser.script("return [...document.querySelectorAll('input')].map(input => input.value)");
    let said = format!("{shown}{values}");
    assert!(said.contains(SCRIPT), "{what}: {said}");
}

#[test]
fn script_that_came_with_the_data_is_text_on_every_page() {
    let service = Service::start();
    let mut bad = record(1);
    bad["title"] = json!(SCRIPT);
    bad["specialty"] = json!(SCRIPT);
    bad["level"] = json!("<svg onload=alert()>");
    bad["holder"]["name"] = json!(SCRIPT);
    bad["issuer"]["name"] = json!(SCRIPT);
    let certificate = service.enter(&bad);
    let person = Person::holding(&service, &bad);
    let form = json!({"scenario": "self_use", "days": 90, "recipient": SCRIPT});
    let ordered =
        person.post(&format!("/api/v1/me/certificates/{certificate}/annotations"), &form).expect(202);
    let annotation = ordered["id"].as_str().unwrap();
    let code = service.ready(annotation)["code"].as_str().unwrap().to_owned();
    let file = service.scratch("<img src=x onerror=alert(1)>.pdf");
    std::fs::write(&file, service.document(annotation)).unwrap();

    let browser = Browser::start();
    browser.set_cookie(service.address(), "session", &person.token);
    let pages = [
        "/me".to_owned(),
        format!("/me/certificates/{certificate}"),
        format!("/me/annotations/{annotation}"),
        "/me/account".to_owned(),
        format!("/v/{code}"),
    ];
    for page in pages {
        for language in ["zh", "en"] {
            browser.open(&format!("{}{page}?lang={language}", service.address()));
            assert_only_shown(&browser, "stored");
        }
    }
    browser.open(service.address());
    upload(&browser, &file);
    assert_only_shown(&browser, "a file and its name");
}

#[test]
fn script_that_is_typed_comes_back_as_text() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let person = Person::holding(&service, &record(1));
    let browser = Browser::start();
    let open = |path: &str| browser.open(&format!("{}{path}", service.address()));
    open("/v?code=%22%3E%3Cimg+src%3Dx+onerror%3Dalert(1)%3E");
    assert_only_shown(&browser, "a code");
    open("/login");
    browser.find("#account").fill(SCRIPT);
    browser.control("看不清？换成文字题").follow();
    assert_only_shown(&browser, "the account");
    for page in ["/sign-up", "/recovery"] {
        open(page);
        for field in browser
            .script("return [...document.querySelectorAll('input[type=text]')].map(it => it.id)")
            .as_array()
            .unwrap()
        {
            browser.script(&format!("document.getElementById({field}).removeAttribute('maxlength')"));
            browser.find(&format!("#{}", field.as_str().unwrap())).fill(SCRIPT);
        }
        browser.find("button[value=send]").follow();
        assert_only_shown(&browser, page);
    }
    browser.set_cookie(service.address(), "session", &person.token);
    open(&format!("/me/certificates/{certificate}"));
    browser.find("input[value=until]").click();
    browser.find("#recipient").fill(SCRIPT);
    // No day was chosen.
    browser.control("提交加注申请").follow();
    assert_only_shown(&browser, "the recipient");
    assert!(states(&service, &certificate).is_empty());
    let answers = [
        "/%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
        "/login?after=%3Cscript%3E",
        "/?lang=%22%3E%3Cscript%3E",
    ];
    for path in answers {
        open(path);
        assert!(!browser.find("main").text().contains("alert"), "an address is not repeated");
    }
}

/// A page of another origin, which sends a form as soon as it is opened; its address ends in the form's.
fn evil(target: &str, fields: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let page = format!(
        "<!doctype html><title>prize</title><form method=post action='{target}'>{fields}</form>\
         <script>document.forms[0].submit()</script>"
    );
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, page) = (stream.unwrap(), page.clone());
            // Browsers connect ahead of what they may ask.
            std::thread::spawn(move || {
                // One read is the whole of a request without a body.
                let _ = stream.read(&mut [0; 8192]);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
                let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
            });
        }
    });
    format!("http://127.0.0.1:{port}/")
}

#[test]
fn a_form_of_another_site_does_nothing() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let person = Person::holding(&service, &record(1));
    let copy = person.copy(&certificate, 90);
    let browser = Browser::start();
    browser.set_cookie(service.address(), "session", &person.token);
    let order = "<input name=scenario value=self_use><input name=how value=most>";
    let annotation = format!("/me/annotations/{}/revocation", copy["id"].as_str().unwrap());
    let (orders, login) = (format!("/me/certificates/{certificate}/annotations"), "/login");
    for (path, fields) in [
        (orders.as_str(), order),
        (&annotation, ""),
        ("/logout", ""),
        ("/me/account/sessions", ""),
        ("/me/notice", ""),
        (login, "<input name=account value=evil>"),
    ] {
        let site = evil(&format!("{}{path}", service.address()), fields);
        // Another port is the same site: the cookie goes along. Another name is another site.
        for site in [site.clone(), site.replace("127.0.0.1", "localhost")] {
            browser.open(&site);
            browser.watch_for("请从本站提交");
        }
    }
    assert_eq!(states(&service, &certificate), ["ready"]);
    browser.open(&format!("{}/me", service.address()));
    assert_eq!(browser.heading(), "我的证书", "still logged in");
}

#[test]
fn after_logging_out_neither_the_way_back_nor_the_old_cookie_leads_anywhere() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let account = account(&service, &record(1));
    let browser = Browser::start();
    log_in(&browser, &service, &account);
    browser.open(&format!("{}/me/certificates/{certificate}", service.address()));
    let cookie = browser.cookies()[0].clone();
    assert_eq!((&cookie["httpOnly"], &cookie["sameSite"]), (&json!(true), &json!("Lax")));
    let token = cookie["value"].as_str().unwrap();
    service.plant(token);
    browser.control("退出").follow();
    assert!(browser.cookies().is_empty());
    for _ in 0..2 {
        browser.back();
        assert_eq!(browser.heading(), "登录", "{}", browser.address());
        let name = record(1)["holder"]["name"].as_str().unwrap().to_owned();
        assert!(!browser.script("return document.body.innerText").as_str().unwrap().contains(&name));
    }
    browser.set_cookie(service.address(), "session", token);
    browser.open(&format!("{}/me", service.address()));
    assert_eq!(browser.find("[role=status]").text(), "登录已失效，请重新登录。");
    assert!(browser.cookies().is_empty(), "a dead cookie is taken away");
}

#[test]
fn a_cookie_that_was_planted_before_the_login_is_not_the_one_after_it() {
    let service = Service::start();
    service.enter(&record(1));
    let (account, stranger) = (account(&service, &record(1)), Person::holding(&service, &record(2)));
    service.plant(PASSWORD);
    let never = format!("vs_{}", "A".repeat(43));
    for planted in [stranger.token.as_str(), &never] {
        let browser = Browser::start();
        browser.set_cookie(service.address(), "session", planted);
        browser.open(&format!("{}/login", service.address()));
        fill_in_login(&browser, &service, &account);
        browser.control("登录").follow();
        assert_eq!(browser.heading(), "我的证书");
        let [cookie] = &browser.cookies()[..] else { panic!("one cookie") };
        let token = cookie["value"].as_str().unwrap();
        assert_ne!(token, planted);
        let me = Person::with(&service, token).get("/api/v1/me").expect(200);
        assert_eq!(me["name"], record(1)["holder"]["name"]);
    }
    assert_eq!(stranger.get("/api/v1/me").expect(200)["name"], record(2)["holder"]["name"]);
}
