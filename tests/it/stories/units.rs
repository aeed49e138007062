//! Units (employers): how they open an account, and what they say of themselves.

use serde_json::{Value, json};

use crate::call::Call;
use crate::people::{PASSWORD, Person};
use crate::records::SICHUAN;
use crate::service::Service;

const MOBILE: &str = "13912345678";

fn form(service: &Service, code: &str) -> Value {
    service.plant(PASSWORD);
    json!({
        "name": "示例设计院", "uscc": SICHUAN, "former_names": ["旧名设计院"], "mobile": MOBILE,
        "password": PASSWORD, "code": code,
    })
}

#[test]
fn a_unit_opens_its_account_logs_in_and_keeps_its_former_names() {
    let service = Service::start();
    let code = service.code("sign_up", MOBILE);
    let sign_up = |form: &Value| Call::post("/api/v1/units").json(form).send(&service);
    let mut wrong = form(&service, &code);
    wrong["uscc"] = json!("91110000802100433A");
    assert_eq!(sign_up(&wrong).wrong_fields()[0].0, "uscc");
    sign_up(&form(&service, "000000")).problem(422, "code-wrong");
    let opened = sign_up(&form(&service, &code)).expect(201);
    let me = service.log_in(&SICHUAN.to_lowercase(), PASSWORD);
    let shown = me.get("/api/v1/me").expect(200);
    assert_eq!((&shown["account_id"], &shown["kind"]), (&opened["account_id"], &json!("unit")));
    assert_eq!(shown["former_names"], json!(["旧名设计院"]));

    let set = |names: &[&str]| me.post("/api/v1/me/former-names", &json!({"former_names": names}));
    let kept = set(&["旧名一", "示例设计院", "旧名一", "旧名二"]).expect(200);
    assert_eq!(kept["former_names"], json!(["旧名一", "旧名二"]), "each once, and not the one in use");
    assert_eq!(me.get("/api/v1/me").expect(200)["former_names"], kept["former_names"]);
    let many: Vec<String> = (0..11).map(|number| format!("旧名{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(set(&many).wrong_fields()[0].0, "former_names");
    set(&many[..10]).expect(200);
    assert_eq!(set(&[]).expect(200)["former_names"], json!([]));

    service.advance("PT1M");
    let code = service.code("sign_up", MOBILE);
    let taken = sign_up(&form(&service, &code)).problem(409, "unit-taken");
    assert!(!taken["detail"].as_str().unwrap().is_empty());
    let holder = Person::made(&service, &json!({"kind": "holder", "name": "甲"}));
    let names = json!({"former_names": []});
    holder.post("/api/v1/me/former-names", &names).problem(404, "not-found");
    let log = me.get("/api/v1/me/log").expect(200);
    let deeds: Vec<_> = log["items"].as_array().unwrap().iter().map(|done| done["deed"].clone()).collect();
    assert_eq!(deeds[..2], ["account-opened", "session-begun"]);
    assert!(deeds[2..].iter().all(|deed| deed == "former-names-changed") && deeds.len() == 5, "{deeds:?}");
}

#[test]
fn units_and_holders_have_homes_of_their_own() {
    let service = Service::start();
    let unit = Person::made(&service, &json!({"kind": "unit", "name": "示例设计院", "uscc": SICHUAN}));
    let holder = Person::made(&service, &json!({"kind": "holder", "name": "甲"}));
    let page = |person: &Person<'_>, path: &str| {
        let cookie = format!("session={}", person.token);
        Call::get(path).header("Cookie", &cookie).undocumented().send(&service)
    };
    let led = page(&unit, "/me");
    assert_eq!((led.status, led.header("location")), (303, Some("/unit")));
    assert_eq!(page(&holder, "/unit").status, 404);
    assert_eq!(page(&holder, "/me").status, 200);
    let home = page(&unit, "/unit");
    assert!(home.text().contains(SICHUAN) && home.text().contains("/query"), "{home}");
    let account = page(&unit, "/me/account");
    assert!(account.text().contains("/unit") && !account.text().contains("/api/v1/me/export"), "{account}");
    let change = |body: &str| {
        let call = Call::post("/unit/former-names").header("Cookie", &format!("session={}", unit.token));
        let call = call.header("Sec-Fetch-Site", "same-origin").undocumented();
        call.body("application/x-www-form-urlencoded", body.as_bytes()).send(&service)
    };
    assert_eq!(change("add=Old+Name+1").status, 303);
    assert_eq!(change("add=Old+Name+2").status, 303);
    assert_eq!(change("add=").status, 422);
    assert_eq!(change("remove=Old+Name+1").status, 303);
    let names = unit.get("/api/v1/me").expect(200)["former_names"].clone();
    assert_eq!(names, json!(["Old Name 2"]));
}
