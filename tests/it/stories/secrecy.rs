//! Personal data and secrets are where they belong and nowhere else: every one is marked, handed in by every door, rightly
//! and wrongly, and then looked for in the log at its most talkative, in the metrics, in addresses, in problems, and in
//! the data folder.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::people::Person;
use crate::records::{SICHUAN, base64, record};
use crate::service::Service;

/// A service and all that it was told and said.
struct Scene {
    service: Service,
    /// What each marked value is, and the value.
    marked: RefCell<BTreeMap<String, &'static str>>,
    answers: RefCell<Vec<Answer>>,
}

impl Scene {
    fn mark(&self, what: &'static str, value: &str) -> String {
        assert!(value.chars().count() >= 2, "{what}: too short to be looked for");
        if value.len() > SHORT {
            self.service.plant(value);
        }
        self.marked.borrow_mut().insert(value.to_owned(), what);
        value.to_owned()
    }

    fn send(&self, call: &Call) -> Answer {
        let answer = call.clone().send(&self.service);
        self.answers.borrow_mut().push(answer.clone());
        answer
    }

    /// Which marked values a text holds.
    fn found(&self, text: &str) -> Vec<&'static str> {
        let marked = self.marked.borrow();
        let found = marked.iter().filter(|(value, _)| holds(text, value) || holds_encoded(text, value));
        found.map(|(_, what)| *what).collect()
    }

    /// Which of them a file holds: short ones may be there by chance.
    fn found_in_file(&self, bytes: &[u8]) -> Vec<&'static str> {
        let text = String::from_utf8_lossy(bytes);
        let marked = self.marked.borrow();
        let found = marked.iter().filter(|(value, _)| value.len() > SHORT && text.contains(value.as_str()));
        found.map(|(_, what)| *what).collect()
    }

    fn captcha(&self) -> (String, String) {
        let (id, answer) = self.service.captcha();
        self.mark("a captcha's answer", &answer);
        (id, answer)
    }
}

/// Up to so many bytes a value may occur by chance: among digits, or in what looks like it.
const SHORT: usize = 8;

/// A short value counts where it stands alone.
fn holds(text: &str, value: &str) -> bool {
    text.match_indices(value).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + value.len()..].chars().next();
        let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '.');
        value.len() > SHORT || ends(before) && ends(after)
    })
}

/// As an address would carry it.
fn holds_encoded(text: &str, value: &str) -> bool {
    !value.is_ascii() && {
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        text.to_ascii_uppercase().contains(&encoded)
    }
}

const NAME: &str = "司徒䶮翀彧";
const RECIPIENT: &str = "暗号接收单位甲乙丙";
const REASON: &str = "暗号代办事由子丑寅";
const RULING: &str = "暗号停用理由卯辰巳";
const REVOKED: &str = "暗号撤销理由午未申";
const LABEL: &str = "对接系统甲子乙丑";
const MOBILE: &str = "13987654321";
const NEW_MOBILE: &str = "13987654322";
const TICKET_MOBILE: &str = "13987654323";
const UNIT_MOBILE: &str = "13987654324";
const STAFF_MOBILE: &str = "13987654325";
const COLLEAGUE: &str = "阿卜杜赛麦提丁";
const FORMER_NAME: &str = "暗号曾用名称申酉戌";
const TICKET_WORDS: &str = "暗号工单说明亥子丑";
const ANSWER: &str = "暗号工单答复寅卯辰";
const EMAIL: &str = "marked.address@example.com";
const WRONG_EMAIL: &str = "marked.address@@example.com";
const PASSWORD: &str = "marked horse battery 1";
const NEW_PASSWORD: &str = "marked horse battery 2";
const LAST_PASSWORD: &str = "marked horse battery 3";
const WRONG_PASSWORD: &str = "marked horse battery 9";
const IDEMPOTENCY: &str = "marked-idempotency-key-1";

/// Everything that a person, an employer and an agency do, with marked values, right and wrong.
fn act(scene: &Scene, record: &Value) {
    let service = &scene.service;
    let number = scene.mark("an identity number", record["holder"]["id_number"].as_str().unwrap());
    let management = scene.mark("a management number", record["management_no"].as_str().unwrap());
    for (what, value) in [
        ("a name", NAME),
        ("a recipient", RECIPIENT),
        ("a reason of an order", REASON),
        ("a reason of a status", RULING),
        ("a reason of a revocation", REVOKED),
        ("a mobile", MOBILE),
        ("a new mobile", NEW_MOBILE),
        ("a ticket's mobile", TICKET_MOBILE),
        ("a unit's mobile", UNIT_MOBILE),
        ("a staff member's mobile", STAFF_MOBILE),
        ("a staff member's name", COLLEAGUE),
        ("a former name", FORMER_NAME),
        ("what a ticket says", TICKET_WORDS),
        ("what a ticket is answered", ANSWER),
        ("an e-mail address", EMAIL),
        ("a mistyped e-mail address", WRONG_EMAIL),
        ("a password", PASSWORD),
        ("a new password", NEW_PASSWORD),
        ("a third password", LAST_PASSWORD),
        ("a mistyped password", WRONG_PASSWORD),
        ("an idempotency key", IDEMPOTENCY),
        ("a stranger's number", "110105194912310021"),
    ] {
        scene.mark(what, value);
    }
    scene.mark("an API key", service.key());

    // An agency.
    let admin = |path: &str, body: &Value| scene.send(&Call::post(path).key(service.key()).json(body));
    let entered = admin("/api/v1/admin/certificates", record).created();
    let certificate = entered["certificate_id"].as_str().unwrap();
    let mut wrong = record.clone();
    wrong["holder"]["id_number"] = json!("110105194912310021");
    wrong["holder"]["born"] = json!(NAME);
    admin("/api/v1/admin/certificates", &wrong).problem(422, "invalid-fields");
    let line = format!("{record}\n{{\"holder\": {{\"name\": 1, \"{NAME}\": 2}}}}\nnonsense {number}\n");
    let batch = Call::post("/api/v1/admin/certificates/batch").key(service.key());
    scene.send(&batch.body("application/x-ndjson", line.as_bytes())).lines();
    let orders = format!("/api/v1/admin/certificates/{certificate}/annotations");
    let order =
        json!({"scenario": "self_use", "days": 90, "recipient": RECIPIENT, "on_behalf_reason": REASON});
    let under = Call::post(&orders).key(service.key()).header("Idempotency-Key", IDEMPOTENCY);
    let ordered = scene.send(&under.clone().json(&order)).expect(202);
    let ready = service.ready(ordered["id"].as_str().unwrap());
    let code = scene.mark("a copy's code", ready["code"].as_str().unwrap());
    let mut other = order.clone();
    other["days"] = json!(91);
    scene.send(&under.json(&other)).problem(422, "idempotency-key-reused");
    let mut unprintable = order.clone();
    unprintable["recipient"] = json!(format!("{RECIPIENT}\u{2fa1e}"));
    admin(&orders, &unprintable);
    let second = admin(&orders, &order).expect(202);
    let second = service.ready(second["id"].as_str().unwrap());
    let revocation = format!("/api/v1/admin/annotations/{}/revocation", second["id"].as_str().unwrap());
    admin(&revocation, &json!({"reason": REVOKED})).expect(200);
    let status = format!("/api/v1/admin/certificates/{certificate}/status");
    for word in ["suspended", "valid"] {
        admin(&status, &json!({"status": word, "reason": RULING})).expect(200);
    }
    let key = json!({"scopes": ["audit:read"], "issuer": "*", "label": LABEL});
    let made = admin("/api/v1/admin/keys", &key).expect(201);
    scene.mark("a made API key", made["key"].as_str().unwrap());
    for question in [format!("management_no={management}"), format!("cursor={number}"), format!("x={number}")]
    {
        let path = format!("/api/v1/admin/certificates?{question}");
        scene.send(&Call::get(&path).key(service.key()).undocumented());
    }

    // A person.
    let code_for = |purpose: &str, mobile: &str| {
        service.advance("PT1M");
        let form = json!({"purpose": purpose, "mobile": mobile});
        scene.send(&Call::post("/api/v1/verification-codes").json(&form)).expect(202);
        scene.send(&Call::post("/api/v1/verification-codes").json(&form)).problem(429, "too-many-requests");
        let code = service.sent(purpose, mobile);
        scene.mark("a verification code", &code)
    };
    let sign_up = |name: &str, code: &str| {
        let form = json!({"name": name, "id_type": "111", "id_number": number, "mobile": MOBILE, "password": PASSWORD, "code": code});
        scene.send(&Call::post("/api/v1/accounts").json(&form))
    };
    let right = code_for("sign_up", MOBILE);
    sign_up(NAME, "987654").problem(422, "code-wrong");
    sign_up(RECIPIENT, &right).problem(422, "identity-not-matched");
    sign_up(NAME, &right).expect(201);
    let log_in = |account: &str, password: &str| {
        let (captcha_id, captcha) = scene.captcha();
        let form =
            json!({"account": account, "password": password, "captcha_id": captcha_id, "captcha": captcha});
        scene.send(&Call::post("/api/v1/sessions").json(&form))
    };
    log_in(&number, WRONG_PASSWORD).problem(401, "wrong-credentials");
    log_in(NAME, PASSWORD);
    let begun = log_in(&number, PASSWORD).expect(200);
    let token = scene.mark("a session's token", begun["token"].as_str().unwrap());
    let me = Person::with(service, &token);
    let own = |path: &str, body: &Value| scene.send(&Call::post(path).key(&token).json(body));
    own("/api/v1/me/notice", &json!({})).expect(200);
    let order = json!({"scenario": "self_use", "days": 5, "recipient": RECIPIENT});
    let mine = own(&format!("/api/v1/me/certificates/{certificate}/annotations"), &order).expect(202);
    let mine = service.ready(mine["id"].as_str().unwrap());
    scene.mark("another copy's code", mine["code"].as_str().unwrap());
    own("/api/v1/me/certificates/x/annotations", &json!({"days": NAME, "scenario": RECIPIENT}));
    let change = code_for("change_mobile", NEW_MOBILE);
    let mobile = |password: &str| json!({"mobile": NEW_MOBILE, "code": change, "password": password});
    own("/api/v1/me/mobile", &mobile(WRONG_PASSWORD)).problem(401, "wrong-credentials");
    own("/api/v1/me/mobile", &mobile(PASSWORD)).expect(200);
    for path in ["/me", "/me/account"] {
        scene.send(&Call::get(path).header("Cookie", &me.cookie()).page());
    }
    for path in ["/api/v1/me", "/api/v1/me/log", "/api/v1/me/export", "/api/v1/me/certificates"] {
        scene.send(&Call::get(path).key(&token)).expect(200);
    }
    for email in [EMAIL, WRONG_EMAIL] {
        own("/api/v1/me/email/codes", &json!({"email": email}));
        own("/api/v1/me/email", &json!({"email": email, "code": "987654"}));
    }
    let emailed = scene.mark("an e-mailed code", &service.sent("change_email", EMAIL));
    own("/api/v1/me/email", &json!({"email": EMAIL, "code": emailed})).expect(200);
    for (email, act) in [(EMAIL, "send"), (EMAIL, "change"), (WRONG_EMAIL, "send")] {
        let fields = [("email", email), ("code", "987654"), ("act", act)];
        let page = Call::post("/me/account/email").header("Cookie", &me.cookie()).form(&fields);
        assert!([422, 429].contains(&scene.send(&page).status), "{email} {act}");
    }
    let passwords = json!({"old_password": PASSWORD, "new_password": NEW_PASSWORD});
    let begun = own("/api/v1/me/password", &passwords).expect(200);
    scene.mark("a session's next token", begun["token"].as_str().unwrap());
    let code_again = code_for("recovery", NEW_MOBILE);
    let recovery = |code: &str| json!({"account": number, "mobile": NEW_MOBILE, "code": code, "password": LAST_PASSWORD});
    let recover = |code: &str| scene.send(&Call::post("/api/v1/accounts/recovery").json(&recovery(code)));
    recover("987654").problem(422, "code-wrong");
    assert_eq!(recover(&code_again).status, 204);

    // The same by pages, right and wrong.
    let form = |path: &str, fields: &[(&str, &str)]| {
        scene.send(&Call::post(path).header("Cookie", &me.cookie()).form(fields))
    };
    let (captcha_id, captcha) = scene.captcha();
    let login = [("account", number.as_str()), ("password", LAST_PASSWORD), ("captcha_id", &captcha_id)];
    form("/login", &[&login[..], &[("captcha", "WRONG")]].concat());
    let (captcha_id, captcha_two) = scene.captcha();
    let login = [("account", number.as_str()), ("password", LAST_PASSWORD), ("captcha_id", &captcha_id)];
    let entered = form("/login", &[&login[..], &[("captcha", &captcha_two)]].concat());
    assert_eq!(entered.status, 303, "{entered}, {captcha}");
    let cookie = entered.header("set-cookie").unwrap();
    scene.mark("a cookie", cookie.split_once('=').unwrap().1.split(';').next().unwrap());
    let all =
        [("name", NAME), ("id_type", "111"), ("id_number", &number), ("mobile", MOBILE), ("code", "987654")];
    form("/sign-up", &[&all[..], &[("password", PASSWORD)]].concat());
    form(
        "/recovery",
        &[("account", &number), ("mobile", MOBILE), ("code", "987654"), ("password", PASSWORD)],
    );
    form("/me/account/password", &[("old", PASSWORD), ("new", NEW_PASSWORD), ("again", LAST_PASSWORD)]);
    form("/logout", &[]);

    applicant_and_unit(scene, code_for);
    colleague(scene);

    // An employer.
    let query = |name: &str, number: &str| {
        let (captcha_id, captcha) = scene.captcha();
        let fields = json!({"name": name, "id_number": number, "management_no": management, "captcha_id": captcha_id, "captcha": captcha});
        scene.send(&Call::post("/api/v1/verify/query").json(&fields)).expect(200)
    };
    query(NAME, &number);
    query(RECIPIENT, "110105194912310021");
    let (captcha_id, captcha) = scene.captcha();
    let fields = [("name", NAME), ("id_number", number.as_str()), ("management_no", &management)];
    form("/query", &[&fields[..], &[("captcha_id", &captcha_id), ("captcha", &captcha)]].concat());
    for path in [format!("/v/{code}"), format!("/api/v1/verify/{code}"), format!("/api/v1/verify/{number}")] {
        scene.send(&Call::get(&path).undocumented());
    }
    let document = service.document(mine["id"].as_str().unwrap());
    scene.send(&Call::post("/api/v1/verify/document").body("application/pdf", &document)).expect(200);
    // Where nobody asks for them: in an address that is not there, in a head.
    let encoded: String = NAME.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for path in
        [format!("/{number}/{encoded}"), format!("/me/certificates/{number}"), format!("/problems/{number}")]
    {
        scene.send(&Call::get(&path).undocumented());
    }
    scene.send(&Call::get("/healthz").header("User-Agent", &number).header("Referer", &format!("/{number}")));
}

/// Somebody whom the register does not know sends a ticket and is answered, and a unit opens its account.
fn applicant_and_unit(scene: &Scene, code_for: impl Fn(&str, &str) -> String) {
    let service = &scene.service;
    let stranger = record(78);
    let number = scene.mark("an applicant's number", stranger["holder"]["id_number"].as_str().unwrap());
    let code = code_for("sign_up", TICKET_MOBILE);
    let ticket = |code: &str, words: &str| {
        json!({"name": NAME, "id_number": number, "management_no": stranger["management_no"], "mobile": TICKET_MOBILE,
            "code": code, "words": words, "scan": base64(b"%PDF-1.7")})
    };
    let open = |form: &Value| scene.send(&Call::post("/api/v1/tickets").json(form));
    open(&ticket("987654", TICKET_WORDS)).problem(422, "code-wrong");
    open(&ticket(&code, &TICKET_WORDS.repeat(50))).problem(422, "invalid-fields");
    let opened = open(&ticket(&code, TICKET_WORDS)).expect(201);
    let id = opened["ticket_id"].as_str().unwrap();
    let path = format!("/api/v1/admin/tickets/{id}");
    let admin = |call: Call| scene.send(&call.key(service.key()));
    admin(Call::get(&path)).expect(200);
    admin(Call::get("/api/v1/admin/tickets")).expect(200);
    for status in [200, 409] {
        let answer = json!({"outcome": "declined", "words": ANSWER});
        assert_eq!(admin(Call::post(&format!("{path}/answer")).json(&answer)).status, status);
    }
    let told = service.public(&format!("/dev/outbox?to={TICKET_MOBILE}")).text();
    assert!(told.contains("ticket_answered") && !told.contains(ANSWER) && !told.contains(NAME), "{told}");

    let code = code_for("sign_up", UNIT_MOBILE);
    let unit = |code: &str| {
        json!({"name": "示例设计院", "uscc": SICHUAN, "former_names": [FORMER_NAME], "mobile": UNIT_MOBILE,
            "password": PASSWORD, "code": code})
    };
    for (code, status) in [("987654", 422), (code.as_str(), 201), (code.as_str(), 422)] {
        assert_eq!(scene.send(&Call::post("/api/v1/units").json(&unit(code))).status, status);
    }
    let begun = service.log_in(SICHUAN, PASSWORD);
    let token = scene.mark("a unit's token", &begun.token);
    for path in ["/unit", "/me/account"] {
        scene.send(&Call::get(path).header("Cookie", &begun.cookie()).page());
    }
    let names = json!({"former_names": [FORMER_NAME, MOBILE, ""]});
    scene.send(&Call::post("/api/v1/me/former-names").key(&token).json(&names));
}

/// An administrator invites a colleague at the console and by the interface, rightly and wrongly; the colleague comes.
fn colleague(scene: &Scene) {
    let service = &scene.service;
    let login = scene.mark("a staff member's log-in name", "Marked.Colleague");
    scene.mark("the same in capitals", &login.to_ascii_uppercase());
    let admin = |path: &str, form: &Value| scene.send(&Call::post(path).key(service.key()).json(form));
    let form = |role: &str| json!({"login": login, "name": COLLEAGUE, "mobile": STAFF_MOBILE, "role": role, "level": "ministry", "issuer": "*"});
    admin("/api/v1/admin/staff", &form(COLLEAGUE)).problem(422, "invalid-fields");
    let invited = admin("/api/v1/admin/staff", &form("reviewer")).expect(201);
    admin("/api/v1/admin/staff", &form("reviewer")).problem(409, "login-taken");
    let (id, link) = (invited["staff"]["id"].as_str().unwrap(), invited["link"].as_str().unwrap());
    scene.mark("an invitation", link.rsplit('/').next().unwrap());
    let chief = Person::made(
        service,
        &json!({"kind": "staff", "name": "管理员", "role": "administrator", "level": "ministry"}),
    );
    let page = |path: &str| scene.send(&Call::get(path).header("Cookie", &chief.cookie()).page());
    let press = |path: &str, fields: &[(&str, &str)]| {
        scene.send(&Call::post(path).header("Cookie", &chief.cookie()).form(fields))
    };
    assert!(page("/console/staff").text().contains(COLLEAGUE), "administrators see names whole");
    assert!(
        !page(&format!("/console/staff/{id}")).text().contains(STAFF_MOBILE),
        "and mobiles by their ends"
    );
    let typed =
        [("login", login.as_str()), ("name", COLLEAGUE), ("mobile", STAFF_MOBILE), ("role", "reviewer")];
    assert_eq!(press("/console/staff", &typed).status, 422);
    assert_eq!(press("/console/staff", &[&typed[..], &[("level", "ministry")]].concat()).status, 422);
    assert_eq!(press(&format!("/console/staff/{id}/post"), &[("role", COLLEAGUE)]).status, 422);
    assert_eq!(press(&format!("/console/staff/{id}/post"), &[("role", "auditor")]).status, 303);
    let again = press(&format!("/console/staff/{id}/invitation"), &[]).text();
    let (_, token) = again.split_once("/invitations/").unwrap();
    let token = scene.mark("another invitation", &token[..token.find('<').unwrap()]);
    let path = format!("/api/v1/invitations/{token}");
    let secret = service.public(&path).expect(200)["secret"].as_str().unwrap().to_owned();
    scene.mark("a second factor", &secret);
    let accept =
        |code: &str| scene.send(&Call::post(&path).json(&json!({"password": PASSWORD, "code": code})));
    accept("987654").problem(401, "second-factor-wrong");
    assert_eq!(accept(&service.shown_by_app(&secret, 0)).status, 204);
    press(&format!("/console/staff/{id}/end"), &[]);
}

#[test]
fn what_is_personal_or_secret_is_in_no_log_metric_address_problem_or_file() {
    let service = Service::start_with("all", &[("RUST_LOG", "trace")]);
    let scene = Scene { service, marked: RefCell::default(), answers: RefCell::default() };
    let mut record = record(77);
    record["holder"]["name"] = json!(NAME);
    act(&scene, &record);

    let mut wrong = Vec::new();
    let mut judge = |place: &str, text: &str| {
        wrong.extend(scene.found(text).into_iter().map(|what| format!("{what} in {place}")));
    };
    judge("the metrics", &scene.service.public("/metrics").text());
    let answers = scene.answers.borrow();
    assert!(answers.len() > 50, "{}", answers.len());
    for answer in answers.iter() {
        for (name, value) in answer.headers() {
            if name == "location" {
                judge("a redirect", value);
            } else if name != "set-cookie" {
                judge("a header", value);
            }
        }
        match answer.media_type().as_deref() {
            Some("application/problem+json") => judge("a problem", &answer.text()),
            Some("text/html") => {
                let html = answer.text();
                for attribute in ["href=\"", "src=\"", "action=\"", "content=\""] {
                    for part in html.split(attribute).skip(1) {
                        let address = part.split('"').next().unwrap();
                        // The codes of own copies are links, and that is what they are for.
                        if !address.contains("/v/") {
                            judge("an address of a page", address);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let log = scene.service.log();
    judge("the log", &log);
    assert!(log.contains("answered") && log.contains("DEBUG"), "it told what people are not told");
    let (mut in_files, mut control) = (Vec::new(), false);
    if !crate::home::is_shared() {
        for file in files(&scene.service.data()) {
            let bytes = std::fs::read(&file).unwrap();
            // What a key is for concerns a system, not a person: it is not encrypted, and so must be found.
            control |= String::from_utf8_lossy(&bytes).contains(LABEL);
            let name = file.strip_prefix(scene.service.data()).unwrap().display().to_string();
            judge("a name of a file", &name);
            // What units are called stands in the company register, for everybody to find their employer by.
            let found = scene.found_in_file(&bytes).into_iter().filter(|what| *what != "a former name");
            in_files.extend(found.map(|what| format!("{what} in {name}")));
        }
    }
    assert!(control || crate::home::is_shared(), "the files were not read as they lie");
    wrong.extend(in_files);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files
}
