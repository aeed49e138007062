//! Staff at the console, in a real browser and without one: they find, import, decide and export; what is another
//! agency's is not there; a role sees what it may do and no more.

use serde_json::json;

use crate::browser::driver::Browser;
use crate::browser::office::{ROLES, ask, id_of, parked, send, staff};
use crate::people::Person;
use crate::records::{HUNAN, SICHUAN, record, record_of};
use crate::service::{Service, until};

fn logged_in(service: &Service, browser: &Browser, role: &str, path: &str) -> String {
    let token = staff(service, role, Some(HUNAN));
    browser.set_cookie(service.address(), "session", &token);
    browser.open(&format!("{}{path}", service.address()));
    token
}

#[test]
fn staff_search_import_mend_decide_and_export() {
    let service = Service::start();
    let browser = Browser::start();
    let certificate = service.enter(&record(1));
    let copy = service.copy(&certificate, 30);
    let link = format!("{}/v/{}", service.address(), copy["code"].as_str().unwrap());
    logged_in(&service, &browser, "administrator", "/me");
    assert_eq!(browser.heading(), "队列", "staff are led to the console");

    browser.control("导入").follow();
    let good = [record(2), record(3), record(4)].map(|it| it.to_string()).join("\n");
    let file = service.scratch("records.ndjson");
    std::fs::write(&file, format!("{good}\n{}\n", record_of(5, SICHUAN))).unwrap();
    browser.find("#file").fill(file.to_str().unwrap());
    browser.leave(|| browser.control("上传并导入").click());
    browser.watch_for("导入完成");
    let counts = browser.find(".figures").text();
    assert_eq!(
        counts.split_whitespace().collect::<Vec<_>>().join(" "),
        "新入册 3 更新版本 0 没有变化 0 拒收 1"
    );
    browser.control("下载 CSV").click();
    let refused = String::from_utf8(browser.downloaded()).unwrap();
    let rows: Vec<&str> = refused.lines().collect();
    assert!(rows.len() == 2 && rows[0].contains("line,code,message,type,management_no"), "{refused}");
    assert!(rows[1].starts_with("4,invalid-fields,") && rows[1].contains(SICHUAN), "{refused}");
    service.plant_record(&record_of(5, SICHUAN));

    // Mended, the file of refused records is a file like any other.
    let mended = service.scratch("mended.csv");
    std::fs::write(&mended, refused.replace(SICHUAN, HUNAN)).unwrap();
    browser.control("导入").follow();
    browser.find("#file").fill(mended.to_str().unwrap());
    browser.leave(|| browser.control("上传并导入").click());
    browser.watch_for("导入完成");
    assert!(browser.find(".figures").text().contains("新入册\n1"), "{}", browser.find(".figures").text());

    browser.control("证书").follow();
    browser.find("#id_number").fill(record(1)["holder"]["id_number"].as_str().unwrap());
    browser.control("按持证人查询").follow();
    assert!(!browser.address().contains("1990"), "{}", browser.address());
    browser.find(".list a").follow();
    assert_eq!(browser.heading(), "注册城乡规划师职业资格证书 有效");
    browser.control("变更证书状态").click();
    browser.find("input[value=suspended]").click();
    browser.find("#reason").fill("=依据示例决定");
    browser.control("确认变更").follow();
    assert_eq!(browser.heading(), "注册城乡规划师职业资格证书 已暂停");
    assert_eq!(browser.find(".note").text(), "状态已记录。");
    assert!(browser.find(".timeline").text().contains("=依据示例决定"));
    browser.open(&link);
    assert_eq!(browser.heading(), "证书已失效");

    browser.open(&format!("{}/console/audit", service.address()));
    browser.control("导出 CSV").click();
    let trail = String::from_utf8(browser.downloaded()).unwrap();
    let decided = trail.lines().find(|line| line.contains("status-decided")).unwrap();
    assert!(decided.contains(&certificate) && decided.ends_with(",'=依据示例决定"), "no formula: {decided}");
    assert!(
        trail.contains("certificate-entered") && !trail.contains("session-begun"),
        "an issuer's own trail"
    );
    browser.control("导出 NDJSON").click();
    let trail = String::from_utf8(browser.downloaded()).unwrap();
    let lines: Vec<serde_json::Value> =
        trail.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["deed"] == "status-decided" && line["reason"] == "=依据示例决定"));
    assert!(browser.complaints().is_empty());
}

#[test]
fn without_scripts_a_file_is_imported_and_a_copy_ordered_for_the_holder() {
    let service = Service::start();
    let browser = Browser::without_scripts();
    logged_in(&service, &browser, "registrar", "/console/import");
    let file = service.scratch("records.ndjson");
    std::fs::write(&file, format!("{}\nnot a record\n", record(1))).unwrap();
    service.plant_record(&record(1));
    browser.find("#file").fill(file.to_str().unwrap());
    browser.control("上传并导入").click();
    browser.watch_for("导入完成");
    assert!(browser.find(".list").text().contains("invalid-fields"), "{}", browser.find(".list").text());
    browser.control("证书").click();
    browser.watch_for("证书");
    browser.find(".list a").click();
    browser.watch_for("注册城乡规划师职业资格证书 有效");
    browser.control("代办加注").click();
    browser.find("#on_behalf_reason").fill("本人到柜台办理");
    browser.control("提交加注申请").click();
    let told = || Some(browser.find("#copies + div").text()).filter(|text| text.contains("本人到柜台办理"));
    assert!(until(told).is_some());
}

#[test]
fn another_agencys_business_is_not_there() {
    let service = Service::start();
    let certificate = service.enter(&record_of(1, SICHUAN));
    let copy = id_of(&service.copy(&certificate, 30));
    let token = staff(&service, "administrator", Some(HUNAN));
    for path in [
        format!("/console/certificates/{certificate}"),
        format!("/console/certificates/{certificate}/document"),
        format!("/console/annotations/{copy}/document"),
        format!("/console/audit?certificate={certificate}"),
        format!("/console/audit?annotation={copy}"),
        "/console/certificates/no-name".to_owned(),
        "/console/tickets/no-name".to_owned(),
    ] {
        assert_eq!(ask(&service, &token, &path).status, 404, "{path}");
    }
    for (path, form) in [
        (format!("/console/certificates/{certificate}/status"), "status=revoked&reason=x"),
        (
            format!("/console/certificates/{certificate}/annotations"),
            "scenario=self_use&days=9&on_behalf_reason=x",
        ),
        (format!("/console/annotations/{copy}/revocation"), "reason=x"),
        (format!("/console/annotations/{copy}/retry"), ""),
        (format!("/console/annotations/{copy}/evidence"), ""),
    ] {
        assert_eq!(send(&service, &token, &path, form).status, 404, "{path}");
    }
    let number = record(1)["management_no"].as_str().unwrap().to_owned();
    let found = ask(&service, &token, &format!("/console/certificates?management_no={number}")).text();
    assert!(found.contains("没有符合条件的证书") && !found.contains(&certificate));
    let typed = format!("id_type=111&id_number={}", record(1)["holder"]["id_number"].as_str().unwrap());
    assert!(!send(&service, &token, "/console/certificates", &typed).text().contains(&certificate));
    assert!(!ask(&service, &token, "/console/audit").text().contains(&certificate));
    assert!(!ask(&service, &token, "/console/audit/export.csv").text().contains(&certificate));
    let queue = ask(&service, &token, "/console/queue").text();
    assert!(queue.contains("24 小时内申请 0 份"), "{queue}");
    assert_eq!(service.annotation(&copy)["state"], "ready");
}

#[test]
fn a_role_sees_what_it_may_do_and_whoever_is_no_staff_sees_nothing() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let copy = id_of(&service.copy(&certificate, 30));
    let everybody = ROLES;
    let pages: [(String, &[&str]); 9] = [
        ("/console/queue".to_owned(), &everybody),
        ("/console/certificates".to_owned(), &everybody),
        (format!("/console/certificates/{certificate}"), &everybody),
        ("/console/import".to_owned(), &["administrator", "registrar"]),
        ("/console/audit".to_owned(), &["administrator", "auditor"]),
        ("/console/audit/export.csv".to_owned(), &["administrator", "auditor"]),
        ("/console/keys".to_owned(), &["administrator"]),
        ("/console/staff".to_owned(), &["administrator"]),
        ("/console/policy".to_owned(), &everybody),
    ];
    let deeds: [(String, &str, &[&str]); 6] = [
        (
            format!("/console/certificates/{certificate}/status"),
            "status=valid&reason=x",
            &["administrator", "registrar"],
        ),
        (format!("/console/annotations/{copy}/retry"), "", &["administrator", "registrar"]),
        (format!("/console/annotations/{copy}/evidence"), "", &["administrator", "auditor"]),
        (format!("/console/annotations/{copy}/revocation"), "reason=", &["administrator", "registrar"]),
        ("/console/keys".to_owned(), "label=", &["administrator"]),
        ("/console/staff".to_owned(), "login=", &["administrator"]),
    ];
    let holder = Person::holding(&service, &record(1)).token;
    for role in ROLES {
        let token = staff(&service, role, None);
        let shown = ask(&service, &token, "/console/queue").text();
        for (path, may) in &pages {
            let status = ask(&service, &token, path).status;
            assert_eq!(status, if may.contains(&role) { 200 } else { 403 }, "{role} {path}");
            let offered = shown.contains(&format!("href=\"{path}\"")) || path.matches('/').count() > 2;
            assert!(
                offered == may.contains(&role) || path.matches('/').count() > 2,
                "{role} is offered {path}"
            );
        }
        for (path, form, may) in &deeds {
            let status = send(&service, &token, path, form).status;
            assert_eq!(status != 403, may.contains(&role), "{role} {path} {status}");
        }
        let page = ask(&service, &token, &format!("/console/certificates/{certificate}")).text();
        assert_eq!(page.contains("变更证书状态"), ["administrator", "registrar"].contains(&role), "{role}");
        assert_eq!(
            page.contains("class=\"timeline\""),
            ["administrator", "auditor"].contains(&role),
            "{role}"
        );
    }
    for (path, _) in &pages {
        assert_eq!(ask(&service, &holder, path).status, 404, "a holder on {path}");
        let nobody = ask(&service, "", path);
        assert_eq!((nobody.status, nobody.header("location")), (303, Some("/login")), "{path}");
    }
    for (path, form, _) in &deeds {
        assert_eq!(send(&service, &holder, path, form).status, 404, "a holder on {path}");
        let call = crate::call::Call::post(path).header("Cookie", &format!("session={holder}"));
        let foreign = call.header("Sec-Fetch-Site", "cross-site").header("Accept", "text/html");
        let foreign = foreign.body("application/x-www-form-urlencoded", form.as_bytes()).undocumented();
        assert_eq!(foreign.send(&service).status, 403, "from another site: {path}");
    }
}

#[test]
fn a_parked_job_is_seen_and_sent_back_with_one_press() {
    let service = Service::start();
    let copy = parked(&service);
    let browser = Browser::start();
    logged_in(&service, &browser, "registrar", "/console");
    assert!(browser.find(".figures").text().contains("搁置待处理\n1"), "{}", browser.find(".figures").text());
    let documents = service.data().join("documents");
    let photo = std::fs::read(service.scratch("aside")).unwrap();
    let folder = std::fs::read_dir(&documents).unwrap().map(|entry| entry.unwrap().path());
    let lost = service.get(&format!("/api/v1/admin/annotations/{copy}")).expect(200);
    assert_eq!(lost["state"], "queued");
    assert!(folder.count() > 0 && !photo.is_empty());
    browser.control("重试").follow();
    assert_eq!(browser.heading(), "队列");
    assert!(browser.find(".figures").text().contains("搁置待处理\n0"), "{}", browser.find(".figures").text());
}

#[test]
fn an_import_belongs_to_whoever_handed_it_in_and_is_forgotten_within_an_hour() {
    let service = Service::start();
    let browser = Browser::start();
    logged_in(&service, &browser, "registrar", "/console/import");
    let file = service.scratch("records.csv");
    std::fs::write(&file, "type,management_no\n1,2\n").unwrap();
    browser.find("#file").fill(file.to_str().unwrap());
    browser.leave(|| browser.control("上传并导入").click());
    browser.watch_for("导入完成");
    let path = browser.address().replace(service.address(), "");
    let own = &browser.cookies()[0]["value"];
    let other = staff(&service, "registrar", Some(HUNAN));
    for file in ["", "/progress", "/refused.csv", "/refused.ndjson"] {
        assert_eq!(ask(&service, own.as_str().unwrap(), &format!("{path}{file}")).status, 200, "{file}");
        let theirs = ask(&service, &other, &format!("{path}{file}"));
        match file {
            "/progress" => assert_eq!(theirs.value()["records"], 0, "as of an import that never began"),
            _ => assert_eq!(theirs.status, 404, "{file}"),
        }
    }
    for _ in 0..3 {
        service.advance("PT20M");
        ask(&service, own.as_str().unwrap(), "/console");
    }
    assert_eq!(ask(&service, own.as_str().unwrap(), &path).status, 404);
}

#[test]
fn a_key_that_is_made_works_until_it_is_ended_and_its_secret_is_shown_once() {
    let service = Service::start();
    let browser = Browser::start();
    logged_in(&service, &browser, "administrator", "/console/keys");
    browser.find("#label").fill("交换平台");
    browser.find("input[value='certificates:read']").click();
    browser.control("生成密钥").follow();
    let secret = browser.find("#secret").text();
    service.plant(&secret);
    let works = || crate::call::Call::get("/api/v1/admin/certificates").key(&secret).send(&service).status;
    assert_eq!(works(), 200);
    browser.open(&format!("{}/console/keys", service.address()));
    assert_eq!(browser.script("return document.body.innerText.includes('vk_')"), json!(false));
    let page = browser.find("details.slim summary");
    page.click();
    browser.control("确认停用").follow();
    assert_eq!(works(), 401);
}
