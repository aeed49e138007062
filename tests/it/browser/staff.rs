//! Staff: their way in, from the link of an invitation past an authenticator app to a session; and how an administrator
//! invites colleagues, changes their posts and ends them.

use serde_json::json;

use crate::browser::driver::Browser;
use crate::browser::holder::fill_in_login;
use crate::browser::office::{ask, id_of, send, staff};
use crate::judges::{codes_in_picture, totp};
use crate::people::{PASSWORD, Person};
use crate::records::{HUNAN, SICHUAN};
use crate::service::{START, Service};

#[test]
fn from_the_invitation_through_the_authenticator_app_into_the_service() {
    let service = Service::start();
    let form = json!({"login": "zhang.san", "name": "张三", "mobile": "13700000001", "role": "registrar",
        "level": "ministry", "issuer": "*"});
    let invited = service.post("/api/v1/admin/staff", &form).expect(201);
    let link = invited["link"].as_str().unwrap();
    service.plant(link.rsplit('/').next().unwrap());
    service.plant(PASSWORD);
    let browser = Browser::without_scripts();
    browser.resize(360, 740);
    browser.open(link);
    assert_eq!(browser.heading(), "开通工作人员账号");

    // What the app's camera sees.
    let seen = codes_in_picture(&browser.picture());
    let [offer] = &seen[..] else { panic!("one code on the page: {seen:?}") };
    let (_, rest) = offer.split_once("secret=").unwrap();
    let secret = rest.split('&').next().unwrap();
    service.plant(secret);
    let start = chrono::DateTime::parse_from_rfc3339(START).unwrap().timestamp();
    browser.field("应用显示的六位数字").fill(&totp(secret, start));
    browser.field("设置密码").fill(PASSWORD);
    browser.control("开通账号").follow();
    assert_eq!(browser.heading(), "登录");
    assert_eq!(browser.find("[role=status]").text(), "账号已开通，请登录。");

    service.advance("PT1M");
    fill_in_login(&browser, &service, "zhang.san");
    browser.control("登录").follow();
    assert_eq!(browser.heading(), "动态口令");
    browser.find("#code").fill("000000");
    browser.control("登录").follow();
    assert!(browser.find("#code-fault").text().contains("动态口令不正确"));
    browser.find("#code").fill(&service.shown_by_app(secret, 0));
    browser.control("登录").follow();
    assert!(browser.cookies().iter().any(|cookie| cookie["name"] == "session"));

    browser.open(link);
    assert_eq!(browser.heading(), "邀请已失效");
}

#[test]
fn an_administrator_invites_a_colleague_changes_their_post_and_ends_them() {
    deal_with_a_colleague(&Browser::start(), (1280, 800));
}

#[test]
fn without_scripts_and_on_a_phone_an_administrator_does_the_same() {
    deal_with_a_colleague(&Browser::without_scripts(), (360, 740));
}

fn deal_with_a_colleague(browser: &Browser, (width, height): (u32, u32)) {
    let service = Service::start();
    browser.resize(width, height);
    browser.set_cookie(service.address(), "session", &staff(&service, "administrator", None));
    browser.open(&format!("{}/console", service.address()));
    browser.control("工作人员").follow();
    assert_eq!(browser.heading(), "工作人员");
    service.plant("古扎丽阿依");
    service.plant("13700000009");
    browser.field("姓名").fill("古扎丽阿依");
    browser.field("登录名").fill("guzaliayi");
    browser.field("手机号码").fill("13700000009");
    browser.find("#role option[value=reviewer]").click();
    browser.field("发证机构代码").fill("1");
    browser.control("生成邀请链接").follow();
    assert!(
        browser.find("#issuer-fault").text().contains("信用代码"),
        "{}",
        browser.find("#issuer-fault").text()
    );
    assert_eq!(browser.field("登录名").property("value"), "guzaliayi", "what was right stays");
    browser.field("发证机构代码").clear();
    browser.field("发证机构代码").fill(HUNAN);
    browser.control("生成邀请链接").follow();
    let link = browser.find("#link").text();
    service.plant(link.rsplit('/').next().unwrap());
    assert!(link.starts_with(&format!("{}/invitations/vi_", service.address())), "{link}");
    assert!(browser.find("[role=status]").text().contains("有效期至 2026年11月24日"), "three days");

    browser.control("古扎丽阿依").follow();
    assert_eq!(browser.heading(), "古扎丽阿依 已邀请");
    assert!(!browser.find("main").text().contains("vi_"), "shown once");
    let accept = |link: &str| {
        let path = link.replace(service.address(), "");
        let secret =
            service.public(&format!("/api/v1{path}")).expect(200)["secret"].as_str().unwrap().to_owned();
        let form = json!({"password": PASSWORD, "code": service.shown_by_app(&secret, 0)});
        let accepted = crate::call::Call::post(&format!("/api/v1{path}")).json(&form).send(&service);
        assert_eq!(accepted.status, 204);
    };
    accept(&link);
    browser.find("#role option[value=auditor]").click();
    browser.field("发证机构代码").clear();
    browser.control("确认调整").follow();
    assert_eq!(browser.heading(), "古扎丽阿依 在职");
    assert!(
        browser.find("dl").text().contains("审计 · 省级 · 湖南 · 所有机构"),
        "{}",
        browser.find("dl").text()
    );

    browser.control("重新邀请").click();
    browser.control("生成新链接").follow();
    assert_eq!(browser.heading(), "古扎丽阿依 已邀请", "the password is void");
    let again = browser.find("#link").text();
    service.plant(again.rsplit('/').next().unwrap());
    assert_ne!(link, again);
    browser.control("停用账号").click();
    browser.control("确认停用").follow();
    assert_eq!(browser.heading(), "古扎丽阿依 已停用");
    service.public(&again.replace(service.address(), "/api/v1")).problem(410, "invitation-over");
    // That a form was refused, the browser calls a failure of the network.
    assert!(browser.complaints().iter().all(|said| said["source"] == "network"));
}

#[test]
fn at_the_console_nobody_gives_more_than_they_have_nor_changes_their_own_post() {
    let service = Service::start();
    let invited = |login: &str, level: &str, region: &str, issuer: &str| {
        let form = json!({"login": login, "name": "甲", "mobile": "13700000001", "role": "reviewer", "level": level,
            "region": region, "issuer": issuer});
        id_of(&service.post("/api/v1/admin/staff", &form).expect(201)["staff"])
    };
    let own = invited("hunans", "province", "43", HUNAN);
    let script = json!({"login": "<b>", "name": "<img src=x onerror=alert(1)>", "mobile": "13700000001",
        "role": "reviewer", "level": "province", "region": "43", "issuer": HUNAN});
    let script = id_of(&service.post("/api/v1/admin/staff", &script).expect(201)["staff"]);
    let others = [
        invited("sichuans", "province", "51", SICHUAN),
        invited("shandongs", "province", "37", HUNAN),
        invited("ministrys", "ministry", "43", HUNAN),
        invited("everybodys", "province", "43", "*"),
    ];
    let administrator = staff(&service, "administrator", Some(HUNAN));
    let list = ask(&service, &administrator, "/console/staff").text();
    for page in [&list, &ask(&service, &administrator, &format!("/console/staff/{script}")).text()] {
        assert!(
            page.contains("img src=x onerror") && !page.contains("<img") && !page.contains("<B>"),
            "{page}"
        );
    }
    assert!(list.contains("HUNANS") && !list.contains("SHANDONGS") && !list.contains("MINISTRYS"), "{list}");
    for id in others {
        assert_eq!(ask(&service, &administrator, &format!("/console/staff/{id}")).status, 404);
        for (act, form) in [("post", "role=reviewer&region=43&issuer="), ("invitation", ""), ("end", "")] {
            let path = format!("/console/staff/{id}/{act}");
            assert_eq!(send(&service, &administrator, &path, form).status, 404, "{act}");
        }
    }
    let change = |form: &str| send(&service, &administrator, &format!("/console/staff/{own}/post"), form);
    for (form, field) in [
        (format!("role=reviewer&region=43&issuer={SICHUAN}"), "issuer"),
        ("role=reviewer&region=43&issuer=".to_owned(), "issuer"),
        (format!("role=reviewer&region=37&issuer={HUNAN}"), "region"),
        (format!("role=reviewer&region=&issuer={HUNAN}"), "region"),
        (format!("role=none&region=43&issuer={HUNAN}"), "role"),
    ] {
        let refused = change(&form);
        let fault = format!("id=\"{field}-fault\"");
        assert!(refused.status == 422 && refused.text().contains(&fault), "{form}: {refused}");
    }
    assert_eq!(change(&format!("role=administrator&region=43&issuer={HUNAN}")).status, 303);
    let mine = service.get("/api/v1/admin/staff").expect(200);
    let mine = mine["items"].as_array().unwrap().iter().find(|one| one["name"] == "欧阳经办").unwrap();
    let path = format!("/console/staff/{}", id_of(mine));
    let page = ask(&service, &administrator, &path).text();
    assert!(page.contains("岗位由另一位管理员调整") && !page.contains("确认停用"), "{page}");
    for (act, form) in [("post", "role=auditor&region=43&issuer="), ("invitation", ""), ("end", "")] {
        let refused = send(&service, &administrator, &format!("{path}/{act}"), form);
        assert!(refused.text().contains("不能更改自己的岗位"), "{act}: {refused}");
    }
}

#[test]
fn everybody_sees_their_own_account_in_their_own_frame() {
    let service = Service::start();
    let unit = Person::made(&service, &json!({"kind": "unit", "name": "示例设计院", "uscc": SICHUAN})).token;
    let holder = Person::made(&service, &json!({"kind": "holder", "name": "甲"})).token;
    let people = [
        (staff(&service, "reviewer", None), "href=\"/console/queue\"", "发证管理台"),
        (unit, "href=\"/unit\"", "本单位"),
        (holder, "href=\"/me\"", "我的证书"),
    ];
    for (token, own, words) in &people {
        for path in ["/me/account", "/me/account/second-factor", "/me/notice"] {
            let page = ask(&service, token, path).text();
            assert!(page.contains(own) && page.contains(words), "{path}: {page}");
            for (_, foreign, _) in people.iter().filter(|(_, link, _)| link != own) {
                assert!(!page.contains(foreign), "{path} leads to {foreign}");
            }
            assert_eq!(
                page.contains("/api/v1/me/export"),
                *words == "我的证书" && path == "/me/account",
                "{path}"
            );
        }
    }
    // What a role may not do, it is not offered here either.
    let page = ask(&service, &people[0].0, "/me/account").text();
    assert!(!page.contains("/console/staff") && !page.contains("/console/keys"));
}
