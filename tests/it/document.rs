//! The published OpenAPI document, as the judge of every call and answer of the suite.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use serde_json::Value;

/// The document of the binary under test, asked for once.
pub(crate) struct Document {
    root: Value,
    validators: Mutex<HashMap<String, &'static Validator>>,
}

/// An operation of the document.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// In capitals.
    pub(crate) method: String,
    /// The path as the document writes it, as `/v/{code}`.
    pub(crate) path: String,
}

impl Document {
    /// The document that a service publishes. Every service of a run is of one binary, so the first one's speaks for all.
    pub(crate) fn published(address: &str) -> &'static Self {
        static PUBLISHED: OnceLock<Document> = OnceLock::new();
        PUBLISHED.get_or_init(|| {
            let answer = crate::call::Call::get("/openapi.json").try_send(address).unwrap();
            Self { root: answer.expect(200), validators: Mutex::default() }
        })
    }

    /// The whole of it.
    pub(crate) fn root(&self) -> &Value {
        &self.root
    }

    /// Every operation.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let mut found = Vec::new();
        for (path, item) in self.root["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys().filter(|key| is_method(key)) {
                found.push(Operation { method: method.to_uppercase(), path: path.clone() });
            }
        }
        found
    }

    /// The operation of a call. A path that the document spells out goes before one with a placeholder.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Operation {
        let path = path.split('?').next().unwrap_or_default();
        let mut fitting: Vec<_> = self
            .operations()
            .into_iter()
            .filter(|operation| operation.method == method && fits(&operation.path, path))
            .collect();
        fitting.sort_by_key(|operation| operation.path.matches('{').count());
        let found = fitting.into_iter().next();
        found.unwrap_or_else(|| panic!("{method} {path} is not in the document"))
    }

    /// Holds an answer against the document: its status, its media type, its form.
    pub(crate) fn judge_answer(
        &self,
        operation: &Operation,
        status: u16,
        media_type: Option<&str>,
        body: &[u8],
    ) {
        let Operation { method, path } = operation;
        let mut pointer = format!("/paths/{}/{}/responses", escape(path), method.to_lowercase());
        let responses = &self.root.pointer(&pointer).unwrap();
        let class = format!("{}XX", status / 100);
        let key = [status.to_string(), class, "default".to_owned()]
            .into_iter()
            .find(|key| responses.get(key).is_some());
        let key = key.unwrap_or_else(|| panic!("{method} {path}: the document knows no answer {status}"));
        pointer = self.follow(format!("{pointer}/{key}"));
        let response = self.root.pointer(&pointer).unwrap();
        let content =
            response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty());
        let Some(content) = content else {
            assert!(
                body.is_empty(),
                "{method} {path}: answer {status} has a body that the document does not know"
            );
            return;
        };
        let media_type = media_type.unwrap_or_default();
        assert!(
            content.contains_key(media_type),
            "{method} {path}: the document knows no {status} as {media_type:?}"
        );
        self.judge(
            &format!("{pointer}/content"),
            media_type,
            body,
            &format!("{method} {path} answered {status}"),
        );
    }

    /// Holds a body that the service accepted against the document.
    pub(crate) fn judge_accepted_body(&self, operation: &Operation, media_type: Option<&str>, body: &[u8]) {
        let Operation { method, path } = operation;
        let pointer = self.follow(format!("/paths/{}/{}/requestBody", escape(path), method.to_lowercase()));
        let what = format!("{method} {path} accepted");
        let media_type = media_type.unwrap_or_default();
        let content = self.root.pointer(&format!("{pointer}/content")).and_then(Value::as_object);
        let known = content.is_some_and(|content| content.contains_key(media_type));
        assert!(known, "{what} a body of {media_type:?}, which the document does not know");
        self.judge(&format!("{pointer}/content"), media_type, body, &what);
    }

    fn judge(&self, content: &str, media_type: &str, body: &[u8], what: &str) {
        let pointer = format!("{content}/{}/schema", escape(media_type));
        if self.root.pointer(&pointer).is_none() {
            return;
        }
        // The schema of NDJSON is that of one line.
        if media_type == "application/x-ndjson" {
            let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
            // What the service refuses line by line need not fit.
            if what.ends_with("accepted") {
                return;
            }
            lines.for_each(|line| self.judge_json(&pointer, line, what));
        } else if media_type.ends_with("json") {
            self.judge_json(&pointer, body, what);
        }
    }

    fn judge_json(&self, pointer: &str, body: &[u8], what: &str) {
        let instance: Value = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{what}: {error}"));
        let validator = self.validator(pointer);
        let faults: Vec<_> = validator
            .iter_errors(&instance)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{what}, unlike the document: {}\n{instance}", faults.join("; "));
    }

    fn validator(&self, pointer: &str) -> &'static Validator {
        // One failed test does not fail the others.
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        validators.entry(pointer.to_owned()).or_insert_with(|| {
            // The whole document is the root, so that `#/components/…` resolves.
            let mut root = self.root.clone();
            // A fragment holds no braces (RFC 6901, section 6).
            let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
            root["$ref"] = Value::String(format!("#{fragment}"));
            let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&root);
            Box::leak(Box::new(validator.unwrap_or_else(|error| panic!("{pointer}: {error}"))))
        })
    }

    /// Follows a reference in the place of a response or request body.
    fn follow(&self, pointer: String) -> String {
        match self.root.pointer(&pointer).and_then(|at| at.get("$ref")).and_then(Value::as_str) {
            Some(reference) => reference.trim_start_matches('#').to_owned(),
            None => pointer,
        }
    }
}

fn is_method(key: &str) -> bool {
    ["get", "put", "post", "delete", "patch", "head", "options"].contains(&key)
}

/// Whether a path fits one of the document's, segment by segment.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(part, given)| {
            (part.starts_with('{') && part.ends_with('}') && !given.is_empty()) || *part == given
        })
}

/// One token of a JSON pointer (RFC 6901).
fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

#[test]
fn a_path_fits_its_template_segment_by_segment() {
    assert!(fits("/v/{code}", "/v/ABC") && fits("/healthz", "/healthz"));
    assert!(!fits("/v/{code}", "/v/") && !fits("/v/{code}", "/v/A/B") && !fits("/v/x", "/v/y"));
}
