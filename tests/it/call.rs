//! One HTTP call and its answer, each held against the published document.

use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request};

use crate::document::Document;
use crate::service::Service;

/// Never follows, never fails by status: the tests judge both.
pub(crate) static AGENT: LazyLock<ureq::Agent> = LazyLock::new(|| {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // A killed service leaves its connections behind, and the next one may be given its port.
        .max_idle_connections(0)
        .timeout_global(Some(Duration::from_secs(120)))
        .allow_non_standard_methods(true)
        .build();
    config.new_agent()
});

/// A call that is being put together.
#[derive(Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    documented: bool,
}

impl Call {
    /// Any method.
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            documented: true,
        }
    }

    /// GET
    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// POST
    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// With an API key.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("Authorization", &format!("Bearer {key}"))
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body of a media type.
    pub(crate) fn body(mut self, media_type: &str, bytes: &[u8]) -> Self {
        self.body = Some(bytes.to_vec());
        self.header("Content-Type", media_type)
    }

    /// With a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().as_bytes())
    }

    /// With a page's form, sent as a browser sends it from there.
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let call = self.body("application/x-www-form-urlencoded", pairs.join("&").as_bytes());
        call.header("Sec-Fetch-Site", "same-origin").page()
    }

    /// To a page, as a browser asks for it.
    pub(crate) fn page(self) -> Self {
        self.header("Accept", "text/html").undocumented()
    }

    /// Somewhere that the document does not speak of.
    pub(crate) fn undocumented(mut self) -> Self {
        self.documented = false;
        self
    }

    /// Sends it, and holds call and answer against the document.
    pub(crate) fn send(self, service: &Service) -> Answer {
        self.try_send(service.address())
            .map(|answer| self.judged(answer, service.address()))
            .unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    /// Sends it to somebody who may be dying: no answer is an answer too.
    pub(crate) fn try_send(&self, address: &str) -> Result<Answer, ureq::Error> {
        let mut request =
            Request::builder().method(self.method.clone()).uri(format!("{address}{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = match &self.body {
            Some(body) => AGENT.run(request.body(body.as_slice()).unwrap())?,
            None => AGENT.run(request.body(()).unwrap())?,
        };
        let body = response.body_mut().with_config().limit(256 << 20).read_to_vec()?;
        Ok(Answer {
            call: format!("{} {}", self.method, self.path),
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
        })
    }

    fn judged(&self, answer: Answer, address: &str) -> Answer {
        if self.documented {
            let document = Document::published(address);
            let operation = document.operation(self.method.as_str(), &self.path);
            let media_type = answer.media_type();
            document.judge_answer(&operation, answer.status, media_type.as_deref(), &answer.body);
            if let Some(body) = self.body.as_ref().filter(|_| answer.status < 300) {
                document.judge_accepted_body(&operation, self.media_type().as_deref(), body);
            }
        }
        assert!(answer.header("x-powered-by").is_none() && answer.header("server").is_none());
        answer
    }

    fn media_type(&self) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"))?;
        Some(essence(value))
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    call: String,
    /// The status code.
    pub(crate) status: u16,
    headers: HeaderMap,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Every header, by name.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
    }

    /// All that a stranger sees of it, but for what tells every answer from every other: the moment, here any digit, and
    /// the request's name.
    pub(crate) fn seen(&self) -> String {
        let headers = self.headers().filter(|(name, _)| !["date", "x-request-id"].contains(name));
        let mut lines: Vec<_> = headers.map(|(name, value)| format!("{name}: {value}")).collect();
        lines.sort();
        let whole = format!("{}\n{}\n\n{}", self.status, lines.join("\n"), self.text());
        whole.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
    }

    /// The media type without parameters.
    pub(crate) fn media_type(&self) -> Option<String> {
        self.header("content-type").map(essence)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The body as JSON, where the status is this.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        self.value()
    }

    /// The body as JSON, where something was made or found made already.
    pub(crate) fn created(&self) -> Value {
        assert!([200, 201].contains(&self.status), "{self}");
        self.value()
    }

    /// The body, where it is a PDF.
    pub(crate) fn pdf(self) -> Vec<u8> {
        assert_eq!(self.status, 200, "{self}");
        assert_eq!(self.media_type().as_deref(), Some("application/pdf"));
        assert!(self.body.starts_with(b"%PDF-"));
        self.body
    }

    /// The lines of an NDJSON body.
    pub(crate) fn lines(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{self}");
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The problem, where the status and its stable code are these; its form is checked on the way.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self}");
        assert_eq!(self.media_type().as_deref(), Some("application/problem+json"), "{self}");
        let problem = self.value();
        let kind = problem["type"].as_str().unwrap();
        assert!(kind.ends_with(&format!("/{code}")), "{kind} does not end in {code}: {problem}");
        assert_eq!(problem["status"], status);
        for words in ["title", "detail"] {
            assert!(!problem[words].as_str().unwrap().is_empty(), "{problem}");
        }
        problem
    }

    /// The fields that a problem names, with the code of each.
    pub(crate) fn wrong_fields(&self) -> Vec<(String, String)> {
        let problem = self.problem(422, "invalid-fields");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let errors = problem["errors"].as_array().unwrap().iter();
        errors.map(|error| (text(&error["field"]), text(&error["code"]))).collect()
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = self.text();
        let shown: String = body.chars().take(2_000).collect();
        write!(f, "{} answered {}: {shown}", self.call, self.status)
    }
}

fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
