//! The public pages in every state, a line each: what is judged and what pictures are made of. A new page is a new line;
//! one for somebody who is logged in adds the session's cookie: `world.visit("/…").with_cookie(name, value)`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::browser::driver::Browser;
use crate::browser::holdings::Holdings;
use crate::browser::office::Office;
use crate::call::Call;
use crate::records::{UNSIGNED, exempt_record, record};
use crate::service::{Service, until};

/// A page in one state.
pub(crate) struct Row {
    /// Names its pictures.
    pub(crate) name: &'static str,
    /// Its first heading, in Chinese and in English.
    pub(crate) headings: [&'static str; 2],
    /// How it is reached.
    pub(crate) visit: fn(&World) -> Visit,
}

pub(crate) const fn row(name: &'static str, headings: [&'static str; 2], visit: fn(&World) -> Visit) -> Row {
    Row { name, headings, visit }
}

#[rustfmt::skip]
pub(crate) const PAGES: &[Row] = &[
    row("home", ["证书查验", "Certificate check"], |world| world.visit("/")),
    row("home-guide", ["证书查验", "Certificate check"], |world| world.visit("/").then(|page| page.find("summary").click())),
    row("home-wrong-code", ["证书查验", "Certificate check"], |world| world.visit("/v?code=K7QF+2M9X")),
    row("home-no-file", ["证书查验", "Certificate check"], World::no_file),
    row("verdict-genuine", ["真实有效", "Genuine"], |world| world.code("genuine")),
    row("verdict-longest", ["真实有效", "Genuine"], |world| world.code("longest")),
    row("verdict-pending", ["生成中", "Being made"], |world| world.idle_visit(&world.pending)),
    row("verdict-expired", ["已过期", "Expired"], |world| world.code("expired")),
    row("verdict-revoked", ["已撤销", "Revoked"], |world| world.code("revoked")),
    row("verdict-superseded", ["已被更新", "Superseded"], |world| world.code("superseded")),
    row("verdict-certificate-revoked", ["证书已失效", "Certificate not valid"], |world| world.code("ended")),
    row("verdict-suspended", ["证书已失效", "Certificate not valid"], |world| world.code("suspended")),
    row("verdict-unknown", ["查无此件", "Not found"], |world| world.visit("/v/00000000000000000000000000")),
    row("report-genuine", ["真实有效", "Genuine"], |world| world.upload("genuine.pdf")),
    row("report-exempt", ["真实有效", "Genuine"], |world| world.upload("exempt.pdf")),
    row("report-revoked", ["已撤销", "Revoked"], |world| world.upload("revoked.pdf")),
    row("report-altered", ["已被改动", "Altered"], |world| world.upload("altered.pdf")),
    row("report-unsigned", ["没有签章", "No seal"], |world| world.upload("unsigned.pdf")),
    row("report-unreadable", ["无法读取", "Unreadable"], |world| world.upload("photo.pdf")),
    row("failure-not-found", ["没有这个页面", "No such page"], |world| world.visit("/nowhere")),
    row("failure-too-many", ["查验过于频繁", "Too many checks"], World::too_many),
    row("failure-method", ["不支持这种访问方式", "Not possible in this way"], |world| world.visit("/logout")),
    row("failure-too-large", ["文件太大", "The file is too large"], |world| world.upload("huge.pdf")),
    row("problem", ["可用加注次数已满", "No place is left for another annotation"], |world| world.visit("/problems/quota-exceeded")),
    row("problem-of-fields", ["填写有误", "Some fields are wrong"], |world| world.visit("/problems/invalid-fields")),
    row("query", ["按证书信息查询", "Query a certificate"], |world| world.visit("/query")),
    row("query-genuine", ["真实有效", "Genuine"], |world| world.query(2)),
    row("query-unknown", ["查无此证", "Not found"], |world| world.query(99)),
];

/// What is done on a page.
type Act = Box<dyn Fn(&Browser)>;

/// How a page is reached: an address, a cookie perhaps, and what is done there.
pub(crate) struct Visit {
    address: String,
    cookie: Option<(String, String)>,
    then: Vec<Act>,
}

impl Visit {
    pub(crate) fn to(address: String) -> Self {
        Self { address, cookie: None, then: Vec::new() }
    }

    /// As somebody who is logged in: a session's cookie, and no other.
    pub(crate) fn with_cookie(self, name: &str, value: &str) -> Self {
        Self { cookie: Some((name.to_owned(), value.to_owned())), ..self }
    }

    /// And then something is done.
    pub(crate) fn then(mut self, act: impl Fn(&Browser) + 'static) -> Self {
        self.then.push(Box::new(act));
        self
    }

    /// Goes there, in a language (`zh`, `en`).
    pub(crate) fn make(&self, browser: &Browser, language: &str) {
        browser.forget_cookies();
        if let Some((name, value)) = &self.cookie {
            browser.set_cookie(&self.address, name, value);
        }
        let joint = if self.address.contains('?') { '&' } else { '?' };
        browser.open(&format!("{}{joint}lang={language}", self.address));
        self.then.iter().for_each(|act| act(browser));
    }
}

/// What the pages show: a service with a copy in each state and a file of each kind, and one that makes no copies and
/// takes few files.
pub(crate) struct World {
    service: Service,
    idle: Service,
    copies: Vec<(&'static str, Value)>,
    pending: String,
    /// What holders have.
    pub(crate) holdings: Holdings,
    /// What staff see.
    pub(crate) office: Office,
}

impl World {
    pub(crate) fn new() -> Self {
        let service = Service::start();
        let long = "某某某省住房和城乡建设领域执业资格考试与注册事务服务中心（示例单位，不代表任何真实机构）";
        let mut longest = record(9);
        longest["title"] =
            json!("中华人民共和国注册土木工程师（水利水电工程规划、水工结构、水土保持）执业资格证书");
        longest["specialty"] = json!("水利水电工程规划、水工结构、水利水电工程地质、水利水电工程移民");
        longest["issuer"]["name"] = json!(long);

        let expired = copy(&service, &record(1), 1, None);
        service.advance("P2D");
        let copies = vec![
            ("expired", expired),
            ("genuine", copy(&service, &record(2), 90, Some("示例规划设计研究院有限公司"))),
            ("revoked", copy(&service, &record(3), 30, None)),
            ("superseded", copy(&service, &record(4), 30, None)),
            ("ended", copy(&service, &record(5), 30, None)),
            ("suspended", copy(&service, &record(6), 30, None)),
            ("longest", copy(&service, &longest, 90, Some(long))),
        ];
        let idle = Service::start_with(
            "api",
            &[("VERMILION_LIMITS__DOCUMENTS__PER_SECOND", "1"), ("VERMILION_LIMITS__DOCUMENTS__BURST", "1")],
        );
        let ordered = idle.order(&idle.enter(&record(1)), 90).expect(202);
        let pending = format!("/v/{}", ordered["code"].as_str().unwrap());
        let world = Self { service, idle, copies, pending, holdings: Holdings::new(), office: Office::new() };
        world.write_files();
        world.end_some();
        world
    }

    fn end_some(&self) {
        let act = |what: &str, of: &Value, action: &str, body: &Value| {
            self.service
                .post(&format!("/api/v1/admin/{what}/{}/{action}", of.as_str().unwrap()), body)
                .expect(200);
        };
        act("annotations", &self.copy("revoked")["id"], "revocation", &json!({"reason": "不再使用"}));
        for (state, status) in [("ended", "revoked"), ("suspended", "suspended")] {
            let ruling = json!({"status": status, "reason": "依据示例决定〔2026〕1号"});
            act("certificates", &self.copy(state)["certificate_id"], "status", &ruling);
        }
        let mut newer = record(4);
        newer["specialty"] = json!("城乡规划(更正)");
        self.service.enter(&newer);
    }

    fn write_files(&self) {
        let sealed = |state: &str| self.service.document(self.copy(state)["id"].as_str().unwrap());
        let exempt = self.service.enter(&exempt_record(7));
        let exempt = self.service.get(&format!("/api/v1/admin/certificates/{exempt}/document")).pdf();
        let mut altered = sealed("genuine");
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        for (name, bytes) in [
            ("genuine.pdf", sealed("genuine")),
            ("revoked.pdf", sealed("revoked")),
            ("exempt.pdf", exempt),
            ("altered.pdf", altered),
            ("unsigned.pdf", UNSIGNED.to_vec()),
            ("photo.pdf", crate::records::portrait()),
            ("huge.pdf", vec![b' '; (10 << 20) + 1]),
        ] {
            std::fs::write(self.file(name), bytes).unwrap();
        }
    }

    fn copy(&self, state: &str) -> &Value {
        let (_, copy) = self.copies.iter().find(|(name, _)| *name == state).unwrap();
        copy
    }

    fn file(&self, name: &str) -> PathBuf {
        self.service.scratch(name)
    }

    /// A page of the service.
    pub(crate) fn visit(&self, path: &str) -> Visit {
        Visit::to(format!("{}{path}", self.service.address()))
    }

    fn idle_visit(&self, path: &str) -> Visit {
        Visit::to(format!("{}{path}", self.idle.address()))
    }

    fn code(&self, state: &str) -> Visit {
        self.visit(&format!("/v/{}", self.copy(state)["code"].as_str().unwrap()))
    }

    fn upload(&self, name: &str) -> Visit {
        let file = self.file(name);
        self.visit("/").then(move |page| upload(page, &file))
    }

    /// Asks by what stands on a record.
    fn query(&self, number: u32) -> Visit {
        let (address, record) = (self.service.address().to_owned(), record(number));
        self.visit("/query").then(move |page| {
            let id = page.find("[name=captcha_id]").property("value");
            let outbox = Call::get(&format!("/dev/outbox?to=captcha:{}", id.as_str().unwrap()));
            let heard = outbox.try_send(&address).unwrap().expect(200);
            let holder = &record["holder"];
            for (field, value) in [
                ("name", &holder["name"]),
                ("id_number", &holder["id_number"]),
                ("management_no", &record["management_no"]),
                ("captcha", &heard["items"][0]["value"]),
            ] {
                page.find(&format!("#{field}")).fill(value.as_str().unwrap());
            }
            page.find("form button").follow();
        })
    }

    /// As from a browser that does not know of required fields.
    fn no_file(&self) -> Visit {
        self.visit("/").then(|page| {
            page.script("document.querySelector('input[type=file]').required = false");
            page.find("#document button").follow();
        })
    }

    /// One file too many: the bucket fills again within a second, so the next may have to be sent again.
    fn too_many(&self) -> Visit {
        let (file, address) = (self.file("unsigned.pdf"), self.idle.address().to_owned());
        let spend = Call::post("/api/v1/verify/document").body("application/pdf", UNSIGNED);
        self.idle_visit("/").then(move |page| {
            let form = page.address();
            let refused = until(|| {
                page.open(&form);
                page.find("input[type=file]").fill(file.to_str().unwrap());
                spend.try_send(&address).unwrap();
                page.find("#document button").follow();
                page.complaints().iter().any(|said| said.to_string().contains("429")).then_some(())
            });
            refused.expect("no file was one too many");
        })
    }
}

/// Hands in a file on the first page.
pub(crate) fn upload(page: &Browser, file: &Path) {
    page.find("input[type=file]").fill(file.to_str().unwrap());
    page.find("#document button").follow();
}

/// A ready copy of a new certificate, with the certificate's id.
fn copy(service: &Service, record: &Value, days: u32, recipient: Option<&str>) -> Value {
    let certificate = service.enter(record);
    let mut order = crate::service::order(days);
    order["recipient"] = json!(recipient);
    let path = format!("/api/v1/admin/certificates/{certificate}/annotations");
    let ordered = service.post(&path, &order).expect(202);
    let mut copy = service.ready(ordered["id"].as_str().unwrap());
    copy["certificate_id"] = json!(certificate);
    copy
}

#[test]
fn a_visit_takes_its_cookie_along_and_the_next_one_does_not() {
    let service = Service::start();
    let browser = Browser::start();
    let visit = || Visit::to(format!("{}/", service.address()));
    visit().with_cookie("__Host-session", "secret").make(&browser, "zh");
    let cookies = browser.cookies();
    assert_eq!((cookies.len(), &cookies[0]["value"]), (1, &json!("secret")), "{cookies:?}");
    visit().make(&browser, "en");
    assert!(browser.cookies().is_empty());
}
