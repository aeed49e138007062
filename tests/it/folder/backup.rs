//! A folder is one process's; a copy of it, made while it runs, answers the same.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{self, Ran};
use crate::people::Person;
use crate::records::{exempt_record, record};
use crate::service::Service;

fn back_up(data: &Path, to: &Path) -> Ran {
    command::run(&["backup", "--to", to.to_str().unwrap(), "--data", data.to_str().unwrap()])
}

fn restore(from: &Path, data: &Path) -> Ran {
    command::run(&["restore", from.to_str().unwrap(), "--data", data.to_str().unwrap()])
}

/// Every answer about every code, without the moment of asking.
fn answers(service: &Service, codes: &[String]) -> Vec<Value> {
    let answer = |code: &String| {
        let mut answer = service.verify(code);
        answer.as_object_mut().unwrap().remove("checked_at");
        answer
    };
    codes.iter().map(answer).collect()
}

/// How often a copy was verified, as its holder sees it.
fn checks(service: &Service, token: &str, copy: &str) -> Value {
    let path = format!("/api/v1/me/annotations/{copy}/checks");
    Person::with(service, token).get(&path).expect(200)
}

#[test]
fn a_restored_backup_of_a_running_service_answers_the_same_for_every_code() {
    let service = Service::start();
    let mut codes = Vec::new();
    let mut files = Vec::new();
    for number in 0..12 {
        let certificate = service.enter(&record(number));
        let copy = service.copy(&certificate, 1 + number * 7);
        let id = copy["id"].as_str().unwrap().to_owned();
        codes.push(copy["code"].as_str().unwrap().to_owned());
        files.push((id.clone(), service.document(&id)));
        let status = format!("/api/v1/admin/certificates/{certificate}/status");
        match number % 4 {
            1 => drop(service.post(&status, &json!({"status": "revoked", "reason": "x"})).expect(200)),
            2 => drop(service.post(&status, &json!({"status": "suspended", "reason": "x"})).expect(200)),
            3 => drop(
                service.post(&format!("/api/v1/admin/annotations/{id}/revocation"), &json!({})).expect(200),
            ),
            _ => {}
        }
    }
    let exempt = service.enter(&exempt_record(50));
    let plain = service.get(&format!("/api/v1/admin/certificates/{exempt}/document")).pdf();
    let before = answers(&service, &codes);
    // Each code was verified once; what was counted is written at the latest at a stop.
    let token = Person::holding(&service, &record(0)).token;
    let counted = checks(&service, &token, &files[0].0);
    assert_eq!((&counted["total"], &counted["items"][0]["door"]), (&json!(1), &json!("api")));
    let (status, folder) = service.stop();
    assert!(status.success());
    let service = Service::start_on(folder);

    let backup = service.scratch("backup");
    let ran = back_up(&service.data(), &backup);
    assert_eq!(ran.code, 0, "{ran:?}");
    let personal = record(0)["holder"]["id_number"].as_str().unwrap().to_owned();
    assert!(!holds(&backup, personal.as_bytes()), "personal data lies in the backup in clear");

    let folder = Arc::new(TempDir::new().unwrap());
    let ran = restore(&backup, &folder.path().join("data"));
    assert_eq!(ran.code, 0, "{ran:?}");
    let restored = Service::start_on(folder);
    assert_eq!(checks(&restored, &token, &files[0].0), counted);
    assert_eq!(answers(&restored, &codes), before);
    for (at, (id, bytes)) in files.iter().enumerate() {
        assert_eq!(restored.judge_file(bytes)["verdict"], before[at]["verdict"]);
        if before[at]["verdict"] == "genuine" {
            assert_eq!(&restored.document(id), bytes);
        }
    }
    assert_eq!(restored.judge_file(&plain)["verdict"], "genuine");
    // The old keys work, and life goes on.
    crate::call::Call::get("/api/v1/admin/queue").key(service.key()).send(&restored).expect(200);
    restored.copy(&restored.enter(&record(99)), 90);
}

#[test]
fn a_backup_is_restored_into_an_empty_folder_only() {
    let service = Service::start();
    service.enter(&record(1));
    let backup = service.scratch("backup");
    assert_eq!(back_up(&service.data(), &backup).code, 0);
    let ran = restore(&backup, &service.data());
    assert_ne!(ran.code, 0, "{ran:?}");
    let full = TempDir::new().unwrap();
    std::fs::write(full.path().join("something"), "precious").unwrap();
    assert_ne!(restore(&backup, full.path()).code, 0);
    assert_eq!(std::fs::read_to_string(full.path().join("something")).unwrap(), "precious");
}

#[test]
fn a_second_process_on_the_same_folder_is_refused_with_a_clear_message() {
    let service = Service::start();
    let ran = command::ran(Service::command(&service.data()).output().unwrap());
    assert_ne!(ran.code, 0, "{ran:?}");
    let said = ran.said();
    assert!(said.contains("another process works on this folder"), "{said}");
    service.copy(&service.enter(&record(1)), 90);
}

#[test]
fn a_stopped_service_has_finished_what_it_began() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let ordered = service.order(&certificate, 90).expect(202);
    let (status, folder) = service.stop();
    assert_eq!(status.code(), Some(0));
    let service = Service::start_on(folder);
    service.ready(ordered["id"].as_str().unwrap());
}

#[test]
fn nothing_personal_lies_in_the_data_folder_in_clear() {
    let service = Service::start();
    let record = record(1);
    let copy = service.copy(&service.enter(&record), 90);
    service.document(copy["id"].as_str().unwrap());
    for field in ["name", "id_number"] {
        let value = record["holder"][field].as_str().unwrap();
        assert!(!holds(&service.data(), value.as_bytes()), "{field} lies in the folder in clear");
    }
}

#[test]
fn a_folder_whose_index_is_gone_has_lost_nothing() {
    let service = Service::start();
    let certificate = service.enter(&record(1));
    let copy = service.copy(&certificate, 90);
    let (_, folder) = service.stop();
    std::fs::remove_dir_all(folder.path().join("data/index")).unwrap();
    let service = Service::start_on(folder);
    assert_eq!(service.verdict(copy["code"].as_str().unwrap()), "genuine");
    service.document(copy["id"].as_str().unwrap());
}

/// Whether any file beneath a folder holds these bytes.
fn holds(folder: &Path, what: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => holds(&path, what),
            false => std::fs::read(&path).unwrap().windows(what.len()).any(|window| window == what),
        }
    })
}
