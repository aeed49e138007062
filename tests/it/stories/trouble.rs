//! Copies that nobody made in time.

use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::records::record;
use crate::service::{START, Service};

fn queue(service: &Service) -> Value {
    service.get("/api/v1/admin/queue").expect(200)
}

#[test]
fn an_order_that_nobody_made_within_a_day_fails_and_frees_its_place() {
    let folder = Arc::new(TempDir::new().unwrap());
    let counter = Service::start_as(folder, "api", Some(START));
    let certificate = counter.enter(&record(1));
    let late: Vec<String> = (0..3)
        .map(|_| counter.order(&certificate, 90).expect(202)["id"].as_str().unwrap().to_owned())
        .collect();
    counter.order(&certificate, 90).problem(409, "quota-exceeded");
    counter.advance("PT21H");
    assert_eq!(queue(&counter)["at_risk"], 3, "seen three hours before it is too late");
    let (_, folder) = counter.stop();

    // The day is over before the first worker comes.
    let service = Service::start_as(folder, "all", Some("2026-11-22T15:01:00+08:00"));
    for id in &late {
        let failed = service.settled(id);
        assert_eq!(
            (&failed["state"], &failed["failure"]["code"]),
            (&json!("failed"), &json!("deadline-missed"))
        );
    }
    assert_eq!(queue(&service)["failed"], 3);
    service.copy(&certificate, 90);
}
