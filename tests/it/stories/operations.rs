//! What whoever runs the service needs: health, metrics, a document of the interface, a log without personal data.

use serde_json::Value;

use crate::call::Call;
use crate::document::Document;
use crate::records::record;
use crate::service::Service;

#[test]
fn a_running_service_is_alive_and_ready() {
    let service = Service::start();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(service.public(path).expect(200)["status"], "ok");
    }
}

#[test]
fn the_metrics_count_the_queue_and_name_nobody() {
    let service = Service::start();
    let record = record(1);
    let copy = service.copy(&service.enter(&record), 90);
    let answer = service.public("/metrics");
    assert_eq!(answer.status, 200);
    let text = answer.text();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    assert!(
        samples.clone().count() > 10 && samples.clone().all(|line| line.starts_with("vermilion_")),
        "{text}"
    );
    for word in ["depth", "oldest", "failed"] {
        assert!(text.contains(word), "nothing counts {word}:\n{text}");
    }
    for private in [&record["holder"]["name"], &record["holder"]["id_number"], &copy["code"], &copy["id"]] {
        assert!(!text.contains(private.as_str().unwrap()));
    }
}

#[test]
fn the_log_tells_what_happened_and_never_to_whom() {
    let service = Service::start();
    let record = record(1);
    let copy = service.copy(&service.enter(&record), 90);
    service.verify(copy["code"].as_str().unwrap());
    service.document(copy["id"].as_str().unwrap());
    service.plant(copy["code"].as_str().unwrap());
    let log = service.log();
    assert!(log.contains("/api/v1/verify/{code}"), "the route is logged, never the code:\n{log}");
    // On drop the fixture searches the log for everything planted: names, numbers, keys, and here the code.
}

#[test]
fn the_document_is_openapi_3_1_and_every_operation_says_what_it_needs() {
    let service = Service::start();
    let document = Document::published(service.address());
    let version = document.root()["openapi"].as_str().unwrap();
    assert!(version.starts_with("3.1."), "{version}");
    for operation in document.operations() {
        let pointer = format!(
            "/paths/{}/{}",
            operation.path.replace('~', "~0").replace('/', "~1"),
            operation.method.to_lowercase()
        );
        let described = document.root().pointer(&pointer).unwrap();
        assert!(described["summary"].is_string() || described["description"].is_string(), "{operation:?}");
        assert!(described["operationId"].is_string(), "{operation:?}");
        let ways = described.get("security").and_then(Value::as_array).cloned().unwrap_or_default();
        let ways: Vec<_> = ways.iter().flat_map(|way| way.as_object().unwrap().keys()).collect();
        // Regimes are public, filings are not.
        let filed =
            operation.path.starts_with("/api/v1/registration/") && !operation.path.contains("/regimes");
        let own = operation.path.starts_with("/api/v1/me") || operation.method == "DELETE" || filed;
        let expected: &[&str] = match operation.path.starts_with("/api/v1/admin/") {
            true => &["agency_key"],
            false if own => &["session", "session_cookie"],
            false => &[],
        };
        assert_eq!(ways, expected, "{operation:?}");
    }
    let answer = Call::get("/openapi.json").send(&service);
    assert_eq!(answer.media_type().as_deref(), Some("application/json"));
}
