//! People at the service's doors: how they open an account, log in, and act as themselves.

use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::service::Service;

/// A password that is good enough.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody with a session token.
#[derive(Clone)]
pub(crate) struct Person<'a> {
    service: &'a Service,
    /// `vs_…`
    pub(crate) token: String,
}

impl<'a> Person<'a> {
    /// Whoever has this token.
    pub(crate) fn with(service: &'a Service, token: &str) -> Self {
        assert!(token.starts_with("vs_") && token.len() == 46, "256 bits of chance");
        service.plant(token);
        Self { service, token: token.to_owned() }
    }

    /// The holder of a record, verified by nobody, the notice accepted.
    pub(crate) fn holding(service: &'a Service, record: &Value) -> Self {
        let holder = &record["holder"];
        let body = json!({"kind": "holder", "name": holder["name"], "id_number": holder["id_number"]});
        Self::made(service, &body)
    }

    /// An account of development.
    pub(crate) fn made(service: &'a Service, form: &Value) -> Self {
        let made = Call::post("/dev/accounts").json(form).send(service).expect(200);
        Self::with(service, made["token"].as_str().unwrap())
    }

    /// The header of the browser that the session lives in.
    pub(crate) fn cookie(&self) -> String {
        format!("session={}", self.token)
    }

    /// Asks.
    pub(crate) fn get(&self, path: &str) -> Answer {
        Call::get(path).key(&self.token).send(self.service)
    }

    /// Sends JSON.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        Call::post(path).key(&self.token).json(body).send(self.service)
    }

    /// Deletes.
    pub(crate) fn delete(&self, path: &str) -> Answer {
        Call::new("DELETE", path).key(&self.token).send(self.service)
    }

    /// Orders an annotation of an own certificate.
    pub(crate) fn order(&self, certificate: &str, days: u32) -> Answer {
        let path = format!("/api/v1/me/certificates/{certificate}/annotations");
        self.post(&path, &json!({"scenario": "self_use", "days": days}))
    }

    /// Orders one and waits until its copy is ready.
    pub(crate) fn copy(&self, certificate: &str, days: u32) -> Value {
        let ordered = self.order(certificate, days).expect(202);
        self.service.ready(ordered["id"].as_str().unwrap())
    }
}

impl Service {
    /// Asks for a code and reads it from the outbox.
    pub(crate) fn code(&self, purpose: &str, mobile: &str) -> String {
        self.plant(mobile);
        let body = json!({"purpose": purpose, "mobile": mobile});
        Call::post("/api/v1/verification-codes").json(&body).send(self).expect(202);
        self.sent(purpose, mobile)
    }

    /// The newest code that was sent to a mobile, for a purpose.
    pub(crate) fn sent(&self, purpose: &str, mobile: &str) -> String {
        let sent = self.public(&format!("/dev/outbox?to={mobile}")).expect(200);
        let newest = &sent["items"][0];
        assert_eq!(newest["kind"], purpose);
        let code = newest["value"].as_str().unwrap().to_owned();
        assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
        code
    }

    /// What answers a captcha.
    pub(crate) fn answer_to(&self, captcha: &str) -> String {
        let drawn = self.public(&format!("/dev/outbox?to=captcha:{captcha}")).expect(200);
        drawn["items"][0]["value"].as_str().unwrap().to_owned()
    }

    /// Draws a captcha and reads its answer from the outbox.
    pub(crate) fn captcha(&self) -> (String, String) {
        let drawn = Call::post("/api/v1/captchas").send(self).expect(200);
        let id = drawn["captcha_id"].as_str().unwrap().to_owned();
        let answer = self.answer_to(&id);
        (id, answer)
    }

    /// The form that opens the account of a record's holder.
    pub(crate) fn sign_up_form(&self, record: &Value, mobile: &str, code: &str) -> Value {
        self.plant(PASSWORD);
        json!({
            "name": record["holder"]["name"], "id_type": "111", "id_number": record["holder"]["id_number"],
            "mobile": mobile, "password": PASSWORD, "code": code,
        })
    }

    /// Opens the account of a record's holder and returns what is typed to log in.
    pub(crate) fn sign_up(&self, record: &Value, mobile: &str) -> String {
        let code = self.code("sign_up", mobile);
        let form = self.sign_up_form(record, mobile, &code);
        Call::post("/api/v1/accounts").json(&form).send(self).expect(201);
        record["holder"]["id_number"].as_str().unwrap().to_owned()
    }

    /// Tries to log in, the captcha answered right.
    pub(crate) fn try_log_in(&self, account: &str, password: &str) -> Answer {
        let (captcha_id, captcha) = self.captcha();
        let form =
            json!({"account": account, "password": password, "captcha_id": captcha_id, "captcha": captcha});
        Call::post("/api/v1/sessions").json(&form).send(self)
    }

    /// What an authenticator app with this secret shows so many seconds from now.
    pub(crate) fn shown_by_app(&self, secret: &str, later: i64) -> String {
        self.plant(secret);
        let moment = self.post("/dev/clock", &json!({"advance": "PT0S"})).expect(200);
        let now = chrono::DateTime::parse_from_rfc3339(moment["now"].as_str().unwrap()).unwrap();
        crate::judges::totp(secret, now.timestamp() + later)
    }

    /// Logs in.
    pub(crate) fn log_in(&self, account: &str, password: &str) -> Person<'_> {
        let begun = self.try_log_in(account, password).expect(200);
        Person::with(self, begun["token"].as_str().unwrap())
    }
}
