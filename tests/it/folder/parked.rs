//! A copy that cannot be made though nothing is wrong with the service: parked for a person, and sent back.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::records::{base64, portrait, record};
use crate::service::{Service, until};

fn queue(service: &Service) -> Value {
    service.get("/api/v1/admin/queue").expect(200)
}

/// How often a deed stands in the trail of an annotation.
fn times(service: &Service, id: &str, deed: &str) -> usize {
    let trail = service.get(&format!("/api/v1/admin/audit?annotation={id}&limit=100")).expect(200);
    let deeds =
        trail["items"].as_array().unwrap().iter().flat_map(|entry| entry["events"].as_array().unwrap());
    deeds.filter(|event| event["deed"] == deed).count()
}

/// The only file in a folder of documents.
fn only_file(documents: &Path) -> PathBuf {
    let within = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = within(documents.to_owned()).flat_map(within).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn a_copy_that_keeps_failing_is_parked_seen_and_made_once_it_is_sent_back() {
    let service = Service::start();
    let mut with_photo = record(1);
    with_photo["photo"] = json!(base64(&portrait()));
    let certificate = service.enter(&with_photo);
    let (photo, aside) = (only_file(&service.data().join("documents")), service.scratch("aside"));
    fs::rename(&photo, &aside).unwrap();
    let ordered = service.order(&certificate, 90).expect(202);
    let id = ordered["id"].as_str().unwrap();
    for tries in 1..8 {
        until(|| (times(&service, id, "sealing-postponed") == tries).then_some(()))
            .expect("it is tried again");
        service.advance("PT15M");
    }
    let seen =
        until(|| Some(queue(&service)).filter(|queue| queue["parked"] == 1)).expect("it is never parked");
    assert_eq!((&seen["depth"], &seen["failed"]), (&json!(1), &json!(0)), "{seen}");
    assert_eq!(service.annotation(id)["state"], "queued", "an order is not lost because its copy fails");
    let metrics = service.public("/metrics").text();
    assert!(
        metrics.lines().any(|line| line.starts_with("vermilion_queue_parked") && line.ends_with(" 1")),
        "{metrics}"
    );

    // Another order does not wait behind it.
    service.copy(&service.enter(&record(2)), 90);

    fs::rename(&aside, &photo).unwrap();
    service.post(&format!("/api/v1/admin/annotations/{id}/retry"), &json!({})).expect(200);
    service.ready(id);
    assert_eq!(queue(&service)["parked"], 0);
    let again = service.post(&format!("/api/v1/admin/annotations/{id}/retry"), &json!({}));
    again.problem(409, "not-parked");
}
