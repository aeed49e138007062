//! The holder's pages in every state, a line each, and the certificates and copies that they show.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::browser::driver::Browser;
use crate::browser::pages::{Row, Visit, row};
use crate::people::{PASSWORD, Person};
use crate::records::{SICHUAN, exempt_record, portrait, record};
use crate::service::Service;
use crate::stories::tickets::{opened, registrar};

#[rustfmt::skip]
pub(crate) const HOLDERS_PAGES: &[Row] = &[
    row("login", ["登录", "Log in"], |world| world.holdings.door("/login")),
    row("login-question", ["登录", "Log in"], |world| world.holdings.door("/login").then(|page| page.find("button[name=instead]").follow())),
    row("login-wrong", ["登录", "Log in"], |world| world.holdings.door("/login").then(wrong_login)),
    row("login-ended", ["登录", "Log in"], |world| world.holdings.door("/login?after=end")),
    row("sign-up", ["注册账号", "Open an account"], |world| world.holdings.door("/sign-up")),
    row("sign-up-sent", ["注册账号", "Open an account"], |world| world.holdings.door("/sign-up").then(send_code)),
    row("sign-up-wrong", ["注册账号", "Open an account"], |world| world.holdings.door("/sign-up").then(|page| send_empty(page, "open"))),
    row("recovery", ["找回密码", "Forgotten password"], |world| world.holdings.door("/recovery")),
    row("recovery-wrong", ["找回密码", "Forgotten password"], |world| world.holdings.door("/recovery").then(|page| send_empty(page, "set"))),
    row("notice", ["服务须知", "Service notice"], |world| world.holdings.visit("newcomer", "/me/notice")),
    row("list", ["我的证书", "My certificates"], |world| world.holdings.visit("holder", "/me")),
    row("list-empty", ["我的证书", "My certificates"], |world| world.holdings.visit("nobody", "/me")),
    row("list-longest", ["我的证书", "My certificates"], |world| world.holdings.visit("longest", "/me")),
    row("certificate-new", ["注册城乡规划师职业资格证书 有效", "注册城乡规划师职业资格证书 Valid"], |world| world.holdings.certificate("new")),
    row("certificate-until", ["注册城乡规划师职业资格证书 有效", "注册城乡规划师职业资格证书 Valid"], |world| world.holdings.certificate("new").then(|page| page.find("input[value=until]").click())),
    row("certificate-wrong", ["注册城乡规划师职业资格证书 有效", "注册城乡规划师职业资格证书 Valid"], |world| world.holdings.certificate("new").then(wrong_day)),
    row("certificate-full", ["注册城乡规划师职业资格证书 有效", "注册城乡规划师职业资格证书 Valid"], |world| world.holdings.certificate("full")),
    row("certificate-mixed", ["注册城乡规划师职业资格证书 有效", "注册城乡规划师职业资格证书 Valid"], |world| world.holdings.certificate("mixed")),
    row("certificate-suspended", ["注册城乡规划师职业资格证书 已暂停", "注册城乡规划师职业资格证书 Suspended"], |world| world.holdings.certificate("suspended")),
    row("certificate-exempt", ["注册城乡规划师职业资格证书 有效", "注册城乡规划师职业资格证书 Valid"], |world| world.holdings.certificate("exempt")),
    row("certificate-longest", [LONG_HEADINGS[0], LONG_HEADINGS[1]], |world| world.holdings.of("longest", "certificates", "longest")),
    row("copy-pending", ["证书生成中…", "Being made…"], |world| world.holdings.pending()),
    row("copy-ready", ["可以使用", "Ready to use"], |world| world.holdings.copy("ready")),
    row("copy-revocation", ["可以使用", "Ready to use"], |world| world.holdings.copy("ready").then(|page| page.find("summary").click())),
    row("copy-longest", ["可以使用", "Ready to use"], |world| world.holdings.of("longest", "annotations", "longest")),
    row("copy-expired", ["加注件已过期", "Expired"], |world| world.holdings.copy("expired")),
    row("copy-revoked", ["加注件已撤销", "Revoked"], |world| world.holdings.copy("revoked")),
    row("copy-failed", ["证书生成失败", "Could not be made"], |world| world.holdings.of("unprintable", "annotations", "failed")),
    row("account", ["我的账号", "My account"], |world| world.holdings.visit("holder", "/me/account")),
    row("account-wrong", ["我的账号", "My account"], |world| world.holdings.visit("holder", "/me/account").then(wrong_account)),
    row("account-longest", ["我的账号", "My account"], |world| world.holdings.visit("longest", "/me/account")),
    row("second-factor", ["动态口令", "Second factor"], |world| world.holdings.visit("holder", "/me/account/second-factor")),
    row("second-factor-wrong", ["动态口令", "Second factor"], |world| world.holdings.visit("holder", "/me/account/second-factor").then(wrong_factor)),
    row("second-factor-set", ["动态口令", "Second factor"], |world| world.holdings.visit("guarded", "/me/account/second-factor")),
    row("half-way-wrong", ["动态口令", "Second factor"], |world| world.holdings.door("/login").then(half_way)),
    row("invitation", ["开通工作人员账号", "Open your staff account"], |world| world.holdings.door(&world.holdings.invitation)),
    row("invitation-wrong", ["开通工作人员账号", "Open your staff account"], |world| world.holdings.door(&world.holdings.invitation).then(wrong_factor)),
    row("invitation-over", ["邀请已失效", "The invitation is over"], |world| world.holdings.door("/invitations/vi_none")),
    row("unit-sign-up", ["单位注册", "Open a unit's account"], |world| world.holdings.door("/sign-up/unit")),
    row("unit-sign-up-wrong", ["单位注册", "Open a unit's account"], |world| world.holdings.door("/sign-up/unit").then(|page| send_empty(page, "open"))),
    row("unit", [UNIT, UNIT], |world| world.holdings.visit("unit", "/unit")),
    row("unit-notice", ["服务须知", "Service notice"], |world| world.holdings.visit("unit", "/me/notice")),
    row("unit-second-factor", ["动态口令", "Second factor"], |world| world.holdings.visit("unit", "/me/account/second-factor")),
    row("unit-account", ["我的账号", "My account"], |world| world.holdings.visit("unit", "/me/account")),
    row("ticket-new", ["提交工单", "Send a ticket"], |world| world.holdings.door("/tickets/new")),
    row("ticket-new-wrong", ["提交工单", "Send a ticket"], |world| world.holdings.door("/tickets/new").then(|page| send_empty(page, "open"))),
    row("ticket-ask", ["工单查询", "How a ticket stands"], |world| world.holdings.door("/tickets?sent=019aa9b1-7480-7101-8101-010101010101")),
    row("console-tickets", ["待处理的工单", "Tickets that wait"], |world| world.holdings.visit("registrar", "/console/tickets")),
    row("console-ticket", ["工单 · 待处理", "Ticket · Waiting"], |world| world.holdings.ticket()),
];

const UNIT: &str = "示例规划设计研究院有限公司";
const LONG_TITLE: &str = "中华人民共和国注册土木工程师（水利水电工程规划、水工结构、水土保持）执业资格证书";
const LONG_HEADINGS: [&str; 2] = [
    "中华人民共和国注册土木工程师（水利水电工程规划、水工结构、水土保持）执业资格证书 有效",
    "中华人民共和国注册土木工程师（水利水电工程规划、水工结构、水土保持）执业资格证书 Valid",
];
/// As long as names may be, with a character that few faces have.
const LONG_NAME: &str = "阿卜杜热合曼·买买提依明·图尔荪·艾合买提江·吐尔逊·玉苏甫·买买提·䶮";
const LONG_ISSUER: &str =
    "某某某省住房和城乡建设领域执业资格考试与注册事务服务中心（示例单位，不代表任何真实机构）";

/// People with their tokens, what they hold by its name, and a service that makes no copies.
pub(crate) struct Holdings {
    service: Service,
    idle: Service,
    tokens: Vec<(&'static str, String)>,
    ids: Vec<(&'static str, String)>,
    waiting: (String, String),
    /// Where somebody's invitation is.
    invitation: String,
}

impl Holdings {
    pub(crate) fn new() -> Self {
        let service = Service::start();
        let holder = record(201);
        let mut ids = Vec::new();
        let mut enter = |name: &'static str, record: Value| {
            let id = service.enter(&record);
            ids.push((name, id.clone()));
            id
        };
        let of_holder = |number: u32| owned(record(number), &holder);
        let mixed = enter("mixed", of_holder(202));
        let expired = service.copy(&mixed, 1)["id"].as_str().unwrap().to_owned();
        service.advance("P2D");
        enter("new", holder.clone());
        let full = enter("full", of_holder(203));
        let suspended = enter("suspended", of_holder(204));
        enter("exempt", owned(exempt_record(205), &holder));
        let longest = enter("longest", longest_record());
        let unprintable = enter("unprintable", unprintable_record());

        let tokens = tokens(&service, &holder);
        let unit = Person::with(&service, &tokens.iter().find(|(name, _)| *name == "unit").unwrap().1);
        let names = json!({"former_names": ["示例市规划设计院", "示例规划设计研究院"]});
        unit.post("/api/v1/me/former-names", &names).expect(200);
        let person = Person::with(&service, &tokens[0].1);
        let order = |certificate: &str, days: u32, recipient: Option<&str>| {
            let mut form = crate::service::order(days);
            form["recipient"] = json!(recipient);
            let path = format!("/api/v1/admin/certificates/{certificate}/annotations");
            let ordered = service.post(&path, &form).expect(202)["id"].as_str().unwrap().to_owned();
            service.settled(&ordered);
            ordered
        };
        let revoked = person.copy(&mixed, 30)["id"].as_str().unwrap().to_owned();
        person.post(&format!("/api/v1/me/annotations/{revoked}/revocation"), &json!({})).expect(200);
        let ready = order(&mixed, 90, Some("示例规划设计研究院有限公司"));
        for (days, recipient) in [(60, None), (30, Some("示例建设集团有限公司")), (90, None)] {
            order(&full, days, recipient);
        }
        let ruling = json!({"status": "suspended", "reason": "依据示例决定〔2026〕1号"});
        service.post(&format!("/api/v1/admin/certificates/{suspended}/status"), &ruling).expect(200);
        ids.extend([("expired", expired), ("revoked", revoked), ("ready", ready)]);
        ids.push(("longest", order(&longest, 90, Some(LONG_ISSUER))));
        ids.push(("failed", order(&unprintable, 90, None)));

        ids.push(("ticket", opened(&service, 220, "13900000220", &portrait())));

        let idle = Service::start_with("api", &[]);
        idle.order(&idle.enter(&record(1)), 90).expect(202);
        let certificate = idle.enter(&record(2));
        let person = Person::holding(&idle, &record(2));
        let ordered = person.order(&certificate, 90).expect(202)["id"].as_str().unwrap().to_owned();
        let waiting = (person.token, ordered);
        let form = json!({"login": "guzaliayi", "name": "古扎丽阿依·买买提依明", "mobile": "13700000001",
            "role": "registrar", "level": "association", "issuer": "*"});
        let invited = service.post("/api/v1/admin/staff", &form).expect(201);
        let token = invited["link"].as_str().unwrap().rsplit('/').next().unwrap();
        let invitation = format!("/invitations/{token}");
        Self { service, idle, tokens, ids, waiting, invitation }
    }

    /// A page for anybody.
    fn door(&self, path: &str) -> Visit {
        Visit::to(format!("{}{path}", self.service.address()))
    }

    /// A page as somebody sees it.
    fn visit(&self, who: &str, path: &str) -> Visit {
        let (_, token) = self.tokens.iter().find(|(name, _)| *name == who).unwrap();
        self.door(path).with_cookie("session", token)
    }

    /// The page of a certificate or an annotation. What has one name is first the one and last the other.
    fn of(&self, who: &str, what: &str, name: &str) -> Visit {
        let mut named = self.ids.iter().filter(|(known, _)| *known == name);
        let (_, id) = if what == "certificates" { named.next() } else { named.next_back() }.unwrap();
        self.visit(who, &format!("/me/{what}/{id}"))
    }

    fn ticket(&self) -> Visit {
        let (_, id) = self.ids.iter().find(|(name, _)| *name == "ticket").unwrap();
        self.visit("registrar", &format!("/console/tickets/{id}"))
    }

    fn certificate(&self, name: &str) -> Visit {
        self.of("holder", "certificates", name)
    }

    fn copy(&self, name: &str) -> Visit {
        self.of("holder", "annotations", name)
    }

    fn pending(&self) -> Visit {
        let (token, annotation) = &self.waiting;
        Visit::to(format!("{}/me/annotations/{annotation}", self.idle.address()))
            .with_cookie("session", token)
    }
}

/// A record that belongs to the holder of another.
fn owned(mut record: Value, holder: &Value) -> Value {
    record["holder"] = holder["holder"].clone();
    record
}

fn longest_record() -> Value {
    let mut longest = record(211);
    longest["title"] = json!(LONG_TITLE);
    longest["specialty"] = json!("水利水电工程规划、水工结构、水利水电工程地质、水利水电工程移民");
    longest["issuer"]["name"] = json!(LONG_ISSUER);
    longest["holder"]["name"] = json!(LONG_NAME);
    longest
}

fn unprintable_record() -> Value {
    let mut unprintable = record(212);
    // U+3106C of Unicode 15: no face of ours holds it.
    unprintable["holder"]["name"] = json!("王𱁬");
    unprintable
}

fn tokens(service: &Service, holder: &Value) -> Vec<(&'static str, String)> {
    let newcomer = record(213);
    service.enter(&newcomer);
    let account = service.sign_up(&newcomer, "13900000213");
    let people = [
        ("holder", Person::holding(service, holder)),
        ("longest", Person::holding(service, &longest_record())),
        ("unprintable", Person::holding(service, &unprintable_record())),
        ("nobody", Person::holding(service, &record(214))),
        ("guarded", guarded(service)),
        ("newcomer", service.log_in(&account, PASSWORD)),
        ("unit", Person::made(service, &json!({"kind": "unit", "name": UNIT, "uscc": SICHUAN}))),
        ("registrar", registrar(service)),
    ];
    people.map(|(name, person)| (name, person.token)).into()
}

/// A holder with a second factor.
fn guarded(service: &Service) -> Person<'_> {
    let form = json!({"kind": "holder", "name": "王安", "password": PASSWORD});
    let person = Person::made(service, &form);
    let offer = person.get("/api/v1/me/second-factor").expect(200);
    let code = service.shown_by_app(offer["secret"].as_str().unwrap(), 0);
    let form = json!({"password": PASSWORD, "code": code});
    assert_eq!(person.post("/api/v1/me/second-factor", &form).status, 204);
    person
}

// ---- what is done on the pages --------------------------------------------------------------------------------------

/// Sends a form as a browser would that does not know of required fields.
fn send_unchecked(page: &Browser, button: &str) {
    page.script("document.querySelectorAll('form').forEach(form => { form.noValidate = true; })");
    page.find(button).follow();
}

fn wrong_login(page: &Browser) {
    page.find("#account").fill("430100199003070019");
    page.find("#password").fill("what was it");
    page.find("#captcha").fill("00000");
    page.find("form .acts button").follow();
}

fn send_empty(page: &Browser, act: &str) {
    send_unchecked(page, &format!(".acts button[value={act}]"));
}

/// A mobile gets one code a minute: each time it is another.
fn send_code(page: &Browser) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mobile = format!("138{:08}", NEXT.fetch_add(1, Ordering::Relaxed));
    page.find("#name").fill("欧阳静怡");
    page.find("#id_number").fill("430100199003070019");
    page.find("#mobile").fill(&mobile);
    page.find("button[value=send]").follow();
}

fn wrong_day(page: &Browser) {
    page.find("input[value=until]").click();
    page.find("#recipient").fill("示例规划设计研究院有限公司");
    page.script("until.value = '2028-02-29'");
    send_unchecked(page, "form[action*=annotations] .acts button");
}

fn wrong_account(page: &Browser) {
    page.find("#old").fill(PASSWORD);
    page.find("#new").fill("a sentence will do");
    page.find("#again").fill("another sentence");
    page.find("form[action*=password] button").follow();
}

fn wrong_factor(page: &Browser) {
    page.find("#code").fill("000000");
    page.find("#password").fill(PASSWORD);
    page.find("form .acts button").follow();
}

/// The second step of a login whose first was never made.
fn half_way(page: &Browser) {
    page.script("document.querySelector('main form').action = '/login/second-factor' + location.search");
    send_unchecked(page, "form .acts button");
}
