//! A holder's way from opening an account to revoking a copy: on a phone and on a desk, in both languages, without
//! scripts, and by the keyboard alone.

use serde_json::{Value, json};

use crate::browser::driver::{Browser, ENTER, SPACE};
use crate::call::AGENT;
use crate::judges::Exhibit;
use crate::kill::cluster::Ground;
use crate::people::{PASSWORD, Person};
use crate::records::record;
use crate::servers::node::Node;
use crate::service::{Service, until};

const MOBILE: &str = "13912345678";
const RECIPIENT: &str = "示例规划设计研究院有限公司";
const TITLE: &str = "注册城乡规划师职业资格证书";

/// The account of a record's holder, with the password that tests type; the notice is accepted.
pub(crate) fn account(service: &Service, record: &Value) -> String {
    let (holder, number) = (&record["holder"], record["holder"]["id_number"].as_str().unwrap());
    let form = json!({"kind": "holder", "name": holder["name"], "id_number": number, "password": PASSWORD});
    Person::made(service, &form);
    number.to_owned()
}

/// Fills in the page of the login, the captcha too.
pub(crate) fn fill_in_login(browser: &Browser, service: &Service, account: &str) {
    browser.find("#account").fill(account);
    browser.find("#password").fill(PASSWORD);
    let captcha = browser.find("input[name=captcha_id]").property("value");
    browser.find("#captcha").fill(&service.answer_to(captcha.as_str().unwrap()));
}

/// Logs in, from the page of the login to what follows it.
pub(crate) fn log_in(browser: &Browser, service: &Service, account: &str) {
    browser.open(&format!("{}/login", service.address()));
    fill_in_login(browser, service, account);
    browser.find("form .acts button").follow();
}

/// How the annotations of a certificate stand, the newest first.
pub(crate) fn states(service: &Service, certificate: &str) -> Vec<Value> {
    let all = service.get(&format!("/api/v1/admin/annotations?certificate={certificate}")).expect(200);
    all["items"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect()
}

#[test]
fn from_the_account_to_a_revoked_copy_on_a_phone_in_chinese() {
    walk((360, 740), "?lang=zh", |chinese, _| chinese);
}

#[test]
fn from_the_account_to_a_revoked_copy_on_a_desk_in_english() {
    walk((1280, 800), "?lang=en", |_, english| english);
}

fn walk((width, height): (u32, u32), query: &str, say: fn(&'static str, &'static str) -> &'static str) {
    let service = Service::start();
    let record = record(1);
    service.enter(&record);
    service.plant(MOBILE);
    service.plant(PASSWORD);
    let holder = Browser::start();
    holder.resize(width, height);
    holder.open(&format!("{}/login{query}", service.address()));
    holder.control(say("首次使用，注册账号", "First time here? Open an account")).follow();

    let text = |field: &str| record["holder"][field].as_str().unwrap().to_owned();
    holder.field(say("姓名", "Name")).fill(&text("name"));
    holder.field(say("证件号码", "Identity number")).fill(&text("id_number"));
    holder.field(say("手机号码", "Mobile")).fill(MOBILE);
    holder.control(say("获取验证码", "Send a code")).follow();
    assert_eq!(holder.find("#name").property("value"), text("name").as_str(), "what was typed is kept");
    holder.field(say("短信验证码", "Code from the message")).fill(&service.sent("sign_up", MOBILE));
    holder.field(say("设置密码", "Choose a password")).fill(PASSWORD);
    // The key means what the form is for, and not the first button, which sends a code.
    holder.leave(|| holder.press(ENTER));
    assert_eq!(holder.heading(), say("登录", "Log in"));
    let note = holder.find("[role=status]").text();
    assert_eq!(note, say("注册成功，请登录。", "The account is open; log in."));

    fill_in_login(&holder, &service, &text("id_number"));
    holder.control(say("登录", "Log in")).follow();
    assert_eq!(holder.heading(), say("服务须知", "Service notice"));
    let beneath =
        "const [notice, button] = ['.notice', '.notice button'].map(it => document.querySelector(it));
        return button.getBoundingClientRect().top >= notice.getBoundingClientRect().bottom;";
    assert_eq!(holder.script(beneath), true, "who agrees has scrolled past the text");
    holder.control(say("同意", "Agree")).follow();
    assert_eq!(holder.heading(), say("我的证书", "My certificates"));

    holder.control(TITLE).follow();
    assert_eq!(holder.find(".places").text(), say("还可加注 3 次，共 3 次", "3 of 3 places left"));
    holder.field(say("接收单位（可不填）", "Recipient (optional)")).fill(RECIPIENT);
    holder.control(say("提交加注申请", "Order")).follow();
    // It may be ready by now; either way nobody reloads the page.
    holder.watch_for(say("可以使用", "Ready to use"));
    assert!(holder.find("main").text().contains(RECIPIENT));
    holder.control(say("下载", "Download")).click();
    let file = holder.downloaded();
    let exhibit = Exhibit::new(&file);
    assert!(exhibit.text().contains(RECIPIENT));
    let [link] = &exhibit.qr_codes()[..] else { panic!("one code on the page") };

    let employer = Browser::start();
    employer.resize(width, height);
    let shown = format!("{link}{query}");
    employer.open(&shown);
    assert_eq!(employer.heading(), say("真实有效", "Genuine"));
    assert!(employer.find("main").text().contains(RECIPIENT));

    holder.control(say("撤销此加注件", "Revoke this copy")).click();
    holder.control(say("确认撤销", "Revoke it")).follow();
    assert_eq!(holder.heading(), say("加注件已撤销", "Revoked"));
    employer.open(&shown);
    assert_eq!(employer.heading(), say("已撤销", "Revoked"));
    for browser in [&holder, &employer] {
        assert!(browser.complaints().is_empty());
    }
}

/// A copy that no worker has taken up yet, on the page of its holder; and where a worker would find it.
fn waiting_copy(browser: &Browser) -> (Ground, Node, Option<String>) {
    let (ground, mut key) = (Ground::new(), None);
    let door = Node::start(ground.command("api"), &mut key);
    let post = |path: &str, body: &Value| -> Value {
        let call = AGENT.post(format!("{}{path}", door.url)).header("Authorization", &door.key);
        call.send_json(body).unwrap().body_mut().read_json().unwrap()
    };
    let (first, mine) = (record(1), record(2));
    // One before it: there is a place in the queue to show.
    let before = post("/api/v1/admin/certificates", &first);
    let mine_entered = post("/api/v1/admin/certificates", &mine);
    let made =
        json!({"kind": "holder", "name": mine["holder"]["name"], "id_number": mine["holder"]["id_number"]});
    let token = post("/dev/accounts", &made);
    let path = |entered: &Value| {
        format!("/api/v1/admin/certificates/{}/annotations", entered["certificate_id"].as_str().unwrap())
    };
    post(&path(&before), &crate::service::order(90));
    browser.set_cookie(&door.url, "session", token["token"].as_str().unwrap());
    let certificate = mine_entered["certificate_id"].as_str().unwrap();
    browser.open(&format!("{}/me/certificates/{certificate}", door.url));
    browser.control("提交加注申请").follow();
    assert_eq!(browser.heading(), "证书生成中…");
    assert!(
        browser.find("#meaning").text().starts_with("前面还有 1 份"),
        "{}",
        browser.find("#meaning").text()
    );
    (ground, door, key)
}

#[test]
fn a_copy_that_waits_is_shown_the_moment_it_is_there() {
    let browser = Browser::start();
    let (ground, door, mut key) = waiting_copy(&browser);
    let worker = Node::start(ground.command("all"), &mut key);
    browser.watch_for("可以使用");
    browser.control("下载").click();
    Exhibit::new(&browser.downloaded()).assert_accepted();
    worker.stop();
    door.stop();
}

#[test]
fn without_scripts_a_copy_is_ordered_waited_for_downloaded_and_verified() {
    let browser = Browser::without_scripts();
    let (ground, _door, mut key) = waiting_copy(&browser);
    let _worker = Node::start(ground.command("all"), &mut key);
    browser.watch_for("可以使用");
    browser.control("下载").click();
    let file = browser.downloaded();
    let [link] = &Exhibit::new(&file).qr_codes()[..] else { panic!("one code on the page") };
    browser.open(link);
    assert_eq!(browser.heading(), "真实有效");
}

#[test]
fn without_scripts_and_without_the_picture_the_holder_logs_in() {
    let service = Service::start();
    service.enter(&record(1));
    let account = account(&service, &record(1));
    let browser = Browser::without_scripts();
    browser.open(&format!("{}/login", service.address()));
    browser.find("#account").fill(&account);
    browser.control("看不清？换成文字题").follow();
    assert_eq!(browser.find("#account").property("value"), account.as_str());
    browser.find("#account").clear();
    fill_in_login(&browser, &service, &account);
    browser.control("登录").follow();
    assert_eq!(browser.heading(), "我的证书");
    browser.control("退出").follow();
    assert_eq!(browser.find("[role=status]").text(), "您已退出登录。");
}

#[test]
fn the_keyboard_alone_logs_in_orders_and_revokes() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let account = account(&service, &record(1));
    let browser = Browser::start();
    browser.open(&format!("{}/login", service.address()));
    browser.tab_to("#account");
    browser.press(&account);
    browser.tab_to("#password");
    browser.press(PASSWORD);
    browser.tab_to("#captcha");
    let captcha = browser.find("input[name=captcha_id]").property("value");
    browser.press(&service.answer_to(captcha.as_str().unwrap()));
    browser.leave(|| browser.press(ENTER));
    assert_eq!(browser.heading(), "我的证书");

    browser.tab_to(".card h2 a");
    browser.leave(|| browser.press(ENTER));
    browser.tab_to("#scenario");
    browser.tab_to("#recipient");
    browser.press(RECIPIENT);
    browser.tab_to("form .acts button");
    browser.leave(|| browser.press(SPACE));
    browser.watch_for("可以使用");

    browser.tab_to("summary");
    browser.press(SPACE);
    browser.tab_to("details button");
    browser.leave(|| browser.press(ENTER));
    assert_eq!(browser.heading(), "加注件已撤销");
    assert_eq!(states(&service, &certificate), ["revoked"]);
}

/// Somebody who is logged in, on the page of the own certificate.
fn on_the_certificate<'a>(service: &'a Service, browser: &Browser) -> (Person<'a>, String) {
    let certificate = service.enter(&record(1));
    let person = Person::holding(service, &record(1));
    browser.set_cookie(service.address(), "session", &person.token);
    browser.open(&format!("{}/me/certificates/{certificate}", service.address()));
    (person, certificate)
}

#[test]
fn a_copy_lasts_until_the_day_of_the_bid_and_a_wrong_day_is_told_beside_it() {
    let service = Service::start();
    let browser = Browser::start();
    let (_, certificate) = on_the_certificate(&service, &browser);
    assert_eq!(browser.script("return getComputedStyle(until).display"), "none", "a day that does not count");
    let choose = |day: &str| {
        browser.find("input[value=until]").click();
        browser.script(&format!("until.max = ''; until.value = '{day}'"));
        browser.control("提交加注申请").follow();
    };
    browser.find("#recipient").fill(RECIPIENT);
    let bounds = browser.script("return [until.min, until.max]");
    assert_eq!(bounds, json!(["2026-11-21", "2027-02-18"]), "the picker offers what is allowed");
    // As from a browser that has no picker.
    choose("2027-02-19");
    let beside = browser.find("#until + .fault");
    assert!(beside.text().contains("90"), "{}", beside.text());
    assert_eq!(browser.find("#until").property("ariaInvalid"), "true");
    assert_eq!(browser.find("#until").property("value"), "2027-02-19");
    assert_eq!(browser.find("input[value=until]").property("checked"), true);
    assert_eq!(browser.find("#recipient").property("value"), RECIPIENT);
    assert_eq!(browser.find("main .tag").text(), "有效", "the whole page is there");
    // The other language is one press away even here.
    browser.control("English").follow();
    assert_eq!(browser.find("#apply").text(), "Order an annotation");
    browser.back();
    assert!(states(&service, &certificate).is_empty());

    browser.open(&format!("{}/me/certificates/{certificate}", service.address()));
    browser.find("input[value=until]").click();
    browser.tab_to("#until");
    // The picker takes a day in the order of the browser's own language: month, day, year.
    browser.press("12152026");
    browser.control("提交加注申请").follow();
    browser.watch_for("可以使用");
    assert!(browser.find("#meaning").text().contains("2026年12月15日"));
}

#[test]
fn the_places_left_are_told_before_the_form_is_sent_and_a_fourth_is_not_offered() {
    let service = Service::start();
    let browser = Browser::start();
    let (person, certificate) = on_the_certificate(&service, &browser);
    for (left, days) in [(3, 60), (2, 30), (1, 90)] {
        browser.open(&browser.address());
        assert_eq!(browser.find(".places").text(), format!("还可加注 {left} 次，共 3 次"));
        browser.control("提交加注申请");
        person.copy(&certificate, days);
    }
    browser.open(&browser.address());
    let places = browser.find(".places").text();
    assert!(places.contains("名额已用完") && places.contains("2026年12月21日"), "{places}");
    let offered = browser.script("return document.querySelectorAll('main form').length");
    assert_eq!(offered, 0);
    browser.control("查看").follow();
    let offered = browser.script("return document.querySelectorAll('main form:not(details form)').length");
    assert_eq!(offered, 0, "nor does a copy offer to be ordered again");
}

#[test]
fn a_button_that_is_pressed_twice_orders_once() {
    let service = Service::start();
    let browser = Browser::start();
    let (_, certificate) = on_the_certificate(&service, &browser);
    browser.leave(|| browser.control("提交加注申请").double_click());
    browser.watch_for("可以使用");
    assert_eq!(states(&service, &certificate), ["ready"]);

    // As where both presses arrive: the form carries the name of its order.
    browser.open(&format!("{}/me/certificates/{certificate}", service.address()));
    let twice = "const form = document.querySelector('form[action*=annotations]');
        const send = () => fetch(form.action, {method: 'POST', body: new URLSearchParams(new FormData(form))});
        return Promise.all([send(), send()]).then(both => both.map(one => one.url));";
    let shown = browser.script(twice);
    assert_eq!(shown[0], shown[1], "both lead to the one copy");
    until(|| (states(&service, &certificate) == ["ready", "ready"]).then_some(())).expect("two orders");
}
