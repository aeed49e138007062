//! An employer who was given a certificate: scans it, types its code, hands in its file; with what browser soever.

use serde_json::{Value, json};

use crate::browser::driver::{Browser, ENTER, SPACE, TAB};
use crate::browser::pages::upload;
use crate::judges::Exhibit;
use crate::records::record;
use crate::service::Service;

fn ready_copy(service: &Service) -> (Value, Vec<u8>) {
    let copy = service.copy(&service.enter(&record(1)), 90);
    let file = service.document(copy["id"].as_str().unwrap());
    (copy, file)
}

/// The verdict is the first heading, and seen without scrolling in any direction.
fn assert_at_a_glance(browser: &Browser, verdict: &str, (width, height): (u32, u32)) {
    assert_eq!(browser.heading(), verdict);
    let place = browser.find("h1").place();
    let end = |start: &str, length: &str| place[start].as_f64().unwrap() + place[length].as_f64().unwrap();
    assert!(end("x", "width") <= width.into() && end("y", "height") <= height.into(), "{place}");
    let wide = browser.script("return document.scrollingElement.scrollWidth - innerWidth").as_i64();
    assert!(wide.unwrap() <= 0, "it scrolls sideways by {wide:?} pixels");
}

#[test]
fn who_scans_the_code_of_a_copy_sees_at_a_glance_what_it_is_worth() {
    let service = Service::start();
    let (copy, file) = ready_copy(&service);
    let [link] = &Exhibit::new(&file).qr_codes()[..] else { panic!("one code on the page") };
    let browser = Browser::start();
    let look = |chinese: &str, english: &str| {
        for window in [(360, 640), (1280, 720)] {
            browser.resize(window.0, window.1);
            browser.open(link);
            assert_at_a_glance(&browser, chinese, window);
            browser.open(&format!("{link}?lang=en"));
            assert_at_a_glance(&browser, english, window);
        }
    };
    look("真实有效", "Genuine");
    let revocation = format!("/api/v1/admin/annotations/{}/revocation", copy["id"].as_str().unwrap());
    service.post(&revocation, &json!({"reason": "不再使用"})).expect(200);
    look("已撤销", "Revoked");
}

#[test]
fn without_scripts_a_code_is_typed_and_a_file_handed_in() {
    let service = Service::start();
    let (copy, file) = ready_copy(&service);
    let browser = Browser::without_scripts();
    browser.open("data:text/html,<p>off</p><script>document.querySelector('p').textContent = 'on'</script>");
    assert_eq!(browser.find("p").text(), "off");

    browser.open(service.address());
    browser.field("编号").fill(&copy["code"].as_str().unwrap().to_lowercase());
    browser.control("查验").follow();
    assert_eq!(browser.heading(), "真实有效");

    let path = service.scratch("from-the-holder.pdf");
    std::fs::write(&path, &file).unwrap();
    browser.control("查验 PDF 文件").click();
    upload(&browser, &path);
    assert_eq!(browser.heading(), "真实有效");
    let report = browser.find("main").text();
    assert!(
        report.contains("from-the-holder.pdf") && report.contains(copy["document_sha256"].as_str().unwrap())
    );

    std::fs::write(&path, &file[..file.len() / 2]).unwrap();
    browser.control("查验另一个文件").follow();
    upload(&browser, &path);
    assert_ne!(browser.heading(), "真实有效");
}

#[test]
fn the_keyboard_alone_reaches_the_verdict_and_shows_where_it_is() {
    let service = Service::start();
    let (copy, _) = ready_copy(&service);
    let browser = Browser::start();
    let tab_to = |what: &str| {
        for _ in 0..30 {
            browser.press(TAB);
            let outline = "return getComputedStyle(document.activeElement).outlineStyle";
            assert_ne!(browser.script(outline), "none", "{}", browser.focused().property("outerHTML"));
            if browser.focused().property("id") == what || browser.focused().property("localName") == what {
                return;
            }
        }
        panic!("no key leads to {what} on {}", browser.address());
    };
    browser.open(service.address());
    browser.press(TAB);
    assert_eq!(browser.focused().text(), "跳到正文", "past the head of the page in two keys");
    browser.press(ENTER);
    tab_to("code-field");
    browser.press(copy["code"].as_str().unwrap());
    browser.leave(|| browser.press(ENTER));
    assert_eq!(browser.heading(), "真实有效");

    tab_to("summary");
    browser.press(SPACE);
    assert_eq!(browser.find("details").property("open"), true);
}

#[test]
fn what_is_downloaded_comes_whole() {
    let browser = Browser::start();
    browser.open("data:text/html,<a download=a.txt href='data:text/plain,whole'>file</a>");
    browser.control("file").click();
    assert_eq!(browser.downloaded(), b"whole");
}
