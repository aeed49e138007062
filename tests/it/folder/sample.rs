//! All bundled samples: each prints right, or is refused with the character named.

use std::collections::BTreeMap;

use crate::call::Call;
use crate::judges::{Exhibit, dense};
use crate::records::{samples, samples_file};
use crate::service::Service;

#[test]
fn every_sample_prints_right_or_is_refused_with_the_character_named() {
    let service = Service::start();
    let body = std::fs::read(samples_file()).unwrap();
    let call = Call::post("/api/v1/admin/certificates/batch").key(service.key());
    let results = call.body("application/x-ndjson", &body).send(&service).lines();
    let samples = samples();
    assert_eq!((samples.len(), results.len()), (300, 300));

    // All ordered first, so that the worker never waits for us.
    let ordered: Vec<_> = results
        .iter()
        .map(|result| {
            assert_eq!(result["status"], "created", "{result}");
            let ordered = service.order(result["certificate_id"].as_str().unwrap(), 90).expect(202);
            ordered["id"].as_str().unwrap().to_owned()
        })
        .collect();

    let mut failures = BTreeMap::new();
    for (sample, id) in samples.iter().zip(&ordered) {
        let annotation = service.settled(id);
        let name = sample["holder"]["name"].as_str().unwrap();
        if annotation["state"] == "failed" {
            let message = annotation["failure"]["message"].as_str().unwrap();
            assert_eq!(annotation["failure"]["code"], "unprintable-character");
            assert!(
                name.chars().any(|character| message.contains(character)),
                "{message} names nothing of it"
            );
            failures.insert(name.to_owned(), message.to_owned());
            continue;
        }
        assert_eq!(annotation["state"], "ready");
        let exhibit = Exhibit::new(&service.document(id));
        let text = exhibit.text();
        let holder = &sample["holder"];
        for value in [
            &sample["title"],
            &sample["level"],
            &sample["specialty"],
            &sample["management_no"],
            &sample["issuer"]["name"],
            &holder["name"],
            &holder["id_number"],
        ] {
            if let Some(value) = value.as_str() {
                assert!(text.contains(&dense(value)), "{value} is not on the page:\n{text}");
            }
        }
    }
    println!("{} of 300 samples cannot be printed: {failures:?}", failures.len());
}

#[test]
fn every_kind_of_sample_passes_every_judge() {
    let service = Service::start();
    let mut kinds = BTreeMap::new();
    for sample in samples() {
        kinds.entry(sample["type"].as_str().unwrap().to_owned()).or_insert(sample);
    }
    assert_eq!(kinds.len(), 5);
    for sample in kinds.values() {
        let copy = service.copy(&service.enter(sample), 90);
        let exhibit = Exhibit::new(&service.document(copy["id"].as_str().unwrap()));
        exhibit.assert_accepted();
        let link = format!("/v/{}", copy["code"].as_str().unwrap());
        assert!(matches!(&exhibit.qr_codes()[..], [one] if one.ends_with(&link)), "{:?}", exhibit.qr_codes());
    }
}
