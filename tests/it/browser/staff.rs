//! A staff member's way in: from the link of an invitation, past an authenticator app, to a session.

use serde_json::json;

use crate::browser::driver::Browser;
use crate::browser::holder::fill_in_login;
use crate::judges::{codes_in_picture, totp};
use crate::people::PASSWORD;
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
