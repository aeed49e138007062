//! The console's pages in every state, a line each, and the agency whose business they show.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::browser::driver::Browser;
use crate::browser::pages::{Row, Visit, row};
use crate::call::Call;
use crate::people::Person;
use crate::records::{HUNAN, base64, exempt_record, portrait, record};
use crate::service::{Service, order, until};

#[rustfmt::skip]
pub(crate) const CONSOLE_PAGES: &[Row] = &[
    row("console-queue", ["队列", "Queue"], |world| world.office.visit("administrator", "/console")),
    row("console-queue-table", ["队列", "Queue"], |world| world.office.visit("reviewer", "/console/queue").then(|page| page.find("summary").click())),
    row("console-queue-empty", ["队列", "Queue"], |world| world.office.elsewhere("/console/queue")),
    row("console-search", ["证书", "Certificates"], |world| world.office.visit("administrator", "/console/certificates")),
    row("console-search-none", ["证书", "Certificates"], |world| world.office.visit("registrar", "/console/certificates?status=cancelled")),
    row("console-search-wrong", ["证书", "Certificates"], |world| world.office.visit("administrator", "/console/certificates?management_no=12&type=Ü&issuer=1")),
    row("console-search-person", ["证书", "Certificates"], |world| world.office.visit("registrar", "/console/certificates").then(|page| { page.find("#id_number").fill(record(303)["holder"]["id_number"].as_str().unwrap()); page.control(&either(page, "按持证人查询", "Search by person")).follow(); })),
    row("console-certificate", ["注册城乡规划师职业资格证书 有效", "注册城乡规划师职业资格证书 Valid"], |world| world.office.certificate("administrator", "busy")),
    row("console-certificate-deciding", ["注册城乡规划师职业资格证书 有效", "注册城乡规划师职业资格证书 Valid"], |world| world.office.certificate("administrator", "busy").then(unfold)),
    row("console-certificate-wrong", ["注册城乡规划师职业资格证书 有效", "注册城乡规划师职业资格证书 Valid"], |world| world.office.certificate("registrar", "exempt").then(wrong_order)),
    row("console-certificate-suspended", ["注册城乡规划师职业资格证书 已暂停", "注册城乡规划师职业资格证书 Suspended"], |world| world.office.certificate("registrar", "suspended")),
    row("console-certificate-read", ["注册城乡规划师职业资格证书 有效", "注册城乡规划师职业资格证书 Valid"], |world| world.office.certificate("reviewer", "exempt")),
    row("console-import", ["导入证书", "Import certificates"], |world| world.office.visit("registrar", "/console/import")),
    row("console-import-nothing", ["导入证书", "Import certificates"], |world| world.office.visit("registrar", "/console/import").then(|page| { page.script("file.required = false; document.querySelector('form[data-import]').submit()"); page.watch_for(&either(page, "导入证书", "Import certificates")); until(|| page.script("return !!document.querySelector('[role=alert]')").as_bool().filter(|it| *it)); })),
    row("console-imported", ["导入完成", "Imported"], |world| world.office.import()),
    row("console-import-forgotten", ["没有这次导入的记录", "Nothing is known of this import"], |world| world.office.visit("registrar", "/console/import/0000000000000000000000")),
    row("console-audit", ["审计", "Audit trail"], |world| world.office.visit("auditor", "/console/audit")),
    row("console-audit-none", ["审计", "Audit trail"], |world| world.office.visit("auditor", "/console/audit?from=2020-01-01&until=2020-01-02")),
    row("console-audit-wrong", ["审计", "Audit trail"], |world| world.office.visit("auditor", "/console/audit?certificate=1")),
    row("console-keys", ["接口密钥", "API keys"], |world| world.office.visit("administrator", "/console/keys")),
    row("console-keys-new", ["接口密钥", "API keys"], |world| world.office.visit("administrator", "/console/keys").then(new_key)),
    row("console-keys-wrong", ["接口密钥", "API keys"], |world| world.office.visit("administrator", "/console/keys").then(|page| { page.script("document.querySelectorAll('form').forEach(form => { form.noValidate = true; })"); page.find("#issuer").fill("1"); page.find("form[action^='/console/keys?'] button").follow(); })),
    row("console-staff", ["工作人员", "Staff"], |world| world.office.visit("administrator", "/console/staff")),
    row("console-staff-new", ["工作人员", "Staff"], |world| world.office.visit("administrator", "/console/staff").then(new_colleague)),
    row("console-staff-wrong", ["工作人员", "Staff"], |world| world.office.visit("administrator", "/console/staff").then(|page| { page.script("document.querySelectorAll('form').forEach(form => { form.noValidate = true; })"); page.find("main form button").follow(); })),
    row("console-staff-member", ["古扎丽阿依·买买提依明 已邀请", "古扎丽阿依·买买提依明 Invited"], |world| world.office.colleague("colleague").then(|page| page.find("details:last-of-type summary").click())),
    row("console-staff-member-wrong", ["古扎丽阿依·买买提依明 已邀请", "古扎丽阿依·买买提依明 Invited"], |world| world.office.colleague("colleague").then(|page| { page.find("#issuer").clear(); page.find("#issuer").fill("1"); page.find("form[action*='/post'] button").follow(); })),
    row("console-staff-ended", ["甲 已停用", "甲 Ended"], |world| world.office.colleague("ended")),
    row("console-staff-own", ["欧阳经办 在职", "欧阳经办 Active"], |world| world.office.colleague("own")),
    row("console-account", ["我的账号", "My account"], |world| world.office.visit("auditor", "/me/account")),
    row("console-second-factor", ["动态口令", "Second factor"], |world| world.office.visit("auditor", "/me/account/second-factor")),
    row("console-policy", ["策略与印章", "Policy and seal"], |world| world.office.visit("auditor", "/console/policy")),
    row("console-forbidden", ["没有这项权限", "Not part of your role"], |world| world.office.visit("reviewer", "/console/keys")),
];

/// What a page says in the language that it is in.
fn either(page: &Browser, chinese: &str, english: &str) -> String {
    let chosen = page.script("return document.documentElement.lang");
    if chosen == "en" { english } else { chinese }.to_owned()
}

/// An agency at work: staff of every role, certificates, copies in most states, and a service where nothing happened.
pub(crate) struct Office {
    service: Service,
    elsewhere: (Service, String),
    tokens: Vec<(&'static str, String)>,
    ids: Vec<(&'static str, String)>,
}

/// Every role, with its word.
pub(crate) const ROLES: [&str; 4] = ["administrator", "registrar", "reviewer", "auditor"];

/// A session of a new staff member; of every issuer's where none is named.
pub(crate) fn staff(service: &Service, role: &str, issuer: Option<&str>) -> String {
    let form = json!({
        "kind": "staff", "name": "欧阳经办", "level": "province", "region": "43", "role": role, "issuer": issuer,
    });
    Person::made(service, &form).token
}

/// A registrar of Hunan who was invited; their account's name.
fn invited(service: &Service, login: &str, name: &str) -> String {
    let form = json!({"login": login, "name": name, "mobile": "13700000001", "role": "registrar",
        "level": "province", "region": "43", "issuer": HUNAN});
    id_of(&service.post("/api/v1/admin/staff", &form).expect(201)["staff"])
}

/// The only file in a folder of documents.
fn only_file(documents: &Path) -> PathBuf {
    let within = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = within(documents.to_owned()).flat_map(within).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

/// An order whose copy cannot be made as long as the photo is away: parked after eight tries.
pub(crate) fn parked(service: &Service) -> String {
    let mut with_photo = record(301);
    with_photo["photo"] = json!(base64(&portrait()));
    let certificate = service.enter(&with_photo);
    fs::rename(only_file(&service.data().join("documents")), service.scratch("aside")).unwrap();
    let ordered = service.order(&certificate, 90).expect(202)["id"].as_str().unwrap().to_owned();
    let trail = format!("/api/v1/admin/audit?annotation={ordered}&limit=100");
    for tries in 1..8 {
        let tried = || {
            let trail = service.get(&trail).text();
            (trail.matches("sealing-postponed").count() == tries).then_some(())
        };
        until(tried).expect("it is tried again");
        service.advance("PT15M");
    }
    let queue = || service.get("/api/v1/admin/queue").expect(200)["parked"] == 1;
    until(|| queue().then_some(())).expect("it is never parked");
    ordered
}

impl Office {
    pub(crate) fn new() -> Self {
        let service = Service::start();
        parked(&service);
        let mut unprintable = record(302);
        unprintable["holder"]["name"] = json!("王𱁬");
        service.settled(service.order(&service.enter(&unprintable), 90).expect(202)["id"].as_str().unwrap());
        let busy = service.enter(&record(303));
        for _ in 0..2 {
            service.advance("PT1H");
            service.copy(&busy, 60);
            (304..309).for_each(|number| drop(service.copy(&service.enter(&record(number)), 30)));
        }
        let mut recipient = order(90);
        recipient["recipient"] = json!("示例规划设计研究院有限公司");
        let path = format!("/api/v1/admin/certificates/{busy}/annotations");
        let ready = service.post(&path, &recipient).expect(202);
        service.ready(ready["id"].as_str().unwrap());
        let suspended = service.enter(&record(309));
        let mut newer = record(309);
        newer["specialty"] = json!("城乡规划（更正）");
        service.copy(&suspended, 30);
        let suspended = service.enter(&newer);
        let ruling = json!({"status": "suspended", "reason": "依据示例决定〔2026〕1号"});
        service.post(&format!("/api/v1/admin/certificates/{suspended}/status"), &ruling).expect(200);
        let exempt = service.enter(&exempt_record(310));
        let colleague = invited(&service, "guzaliayi", "古扎丽阿依·买买提依明");
        let ended = invited(&service, "jia", "甲");
        service.post(&format!("/api/v1/admin/staff/{ended}/end"), &json!({})).expect(200);
        service.new_key(&["certificates:read", "audit:read"], HUNAN);
        // Sessions end with time: begun when the clock moves no more.
        let tokens = ROLES.map(|role| (role, staff(&service, role, None))).into();
        let quiet = Service::start();
        let elsewhere = staff(&quiet, "reviewer", Some(HUNAN));
        fs::write(service.scratch("records.ndjson"), records()).unwrap();
        let all = service.get("/api/v1/admin/staff").expect(200);
        let own = all["items"].as_array().unwrap().iter().find(|one| one["role"] == "administrator").unwrap();
        let ids = vec![
            ("busy", busy),
            ("suspended", suspended),
            ("exempt", exempt),
            ("colleague", colleague),
            ("ended", ended),
            ("own", id_of(own)),
        ];
        Self { service, elsewhere: (quiet, elsewhere), tokens, ids }
    }

    fn visit(&self, role: &str, path: &str) -> Visit {
        let (_, token) = self.tokens.iter().find(|(known, _)| *known == role).unwrap();
        Visit::to(format!("{}{path}", self.service.address())).with_cookie("session", token)
    }

    fn elsewhere(&self, path: &str) -> Visit {
        let (service, token) = &self.elsewhere;
        Visit::to(format!("{}{path}", service.address())).with_cookie("session", token)
    }

    fn certificate(&self, role: &str, name: &str) -> Visit {
        let (_, id) = self.ids.iter().find(|(known, _)| *known == name).unwrap();
        self.visit(role, &format!("/console/certificates/{id}"))
    }

    /// The page of one of the staff.
    fn colleague(&self, name: &str) -> Visit {
        let (_, id) = self.ids.iter().find(|(known, _)| *known == name).unwrap();
        self.visit("administrator", &format!("/console/staff/{id}"))
    }

    fn import(&self) -> Visit {
        let file = self.service.scratch("records.ndjson");
        self.visit("registrar", "/console/import").then(move |page| {
            page.find("#file").fill(file.to_str().unwrap());
            page.leave(|| page.find("form[data-import] button").click());
        })
    }
}

/// A file with two good records and three bad ones.
fn records() -> String {
    let mut wrong = record(322);
    wrong["holder"]["id_number"] = json!("430100199003070000");
    wrong["issued_on"] = json!("2024-02-30");
    let lines =
        [record(320).to_string(), "{\"type\":".to_owned(), wrong.to_string(), record(321).to_string()];
    format!("{}\n[]\n", lines.join("\n"))
}

/// Opens what is folded, as a reader does.
fn unfold(page: &Browser) {
    page.control(&either(page, "撤销此加注件", "Revoke this copy")).click();
    page.control(&either(page, "代办加注", "Order for the holder")).click();
    page.control(&either(page, "变更证书状态", "Decide the status")).click();
}

fn wrong_order(page: &Browser) {
    page.control(&either(page, "代办加注", "Order for the holder")).click();
    page.script("document.querySelectorAll('form').forEach(form => { form.noValidate = true; })");
    page.find("#days").clear();
    page.find("#days").fill("91");
    page.find("form[action*=annotations] button[type=submit]:not(.grave)").follow();
}

fn new_key(page: &Browser) {
    page.find("#label").fill("省厅数据交换平台");
    page.find("input[value='certificates:read']").click();
    page.find("form[action^='/console/keys?'] button").follow();
}

/// Another one each time: a name to log in with is taken once.
fn new_colleague(page: &Browser) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    page.find("#name").fill("阿依古丽");
    page.find("#login").fill(&format!("colleague.{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    page.find("#mobile").fill("13700000001");
    page.find("#role option[value=registrar]").click();
    page.find("form[action^='/console/staff'] button").follow();
}

/// What a page of the console answers to somebody's session.
pub(crate) fn ask(service: &Service, token: &str, path: &str) -> crate::call::Answer {
    let call = Call::get(path).header("Cookie", &format!("session={token}")).header("Accept", "text/html");
    call.undocumented().send(service)
}

/// What a form of the console answers, sent from a page of ours.
pub(crate) fn send(service: &Service, token: &str, path: &str, form: &str) -> crate::call::Answer {
    let call = Call::post(path).header("Cookie", &format!("session={token}")).header("Accept", "text/html");
    let call = call.header("Sec-Fetch-Site", "same-origin");
    call.body("application/x-www-form-urlencoded", form.as_bytes()).undocumented().send(service)
}

/// The name of what was made.
pub(crate) fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}
