//! API keys: shown once, scoped, ended at once; made on the command line before anybody has one.

use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use crate::call::Call;
use crate::command;
use crate::records::{HUNAN, record};
use crate::service::Service;

#[test]
fn an_ended_key_is_dead_at_once() {
    let service = Service::start();
    let form = json!({"scopes": ["certificates:read"], "issuer": HUNAN, "label": "查询"});
    let made = service.post("/api/v1/admin/keys", &form).expect(201);
    let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    service.plant(key);
    let list = || Call::get("/api/v1/admin/certificates").key(key).send(&service);
    list().expect(200);
    let ended = service.post(&format!("/api/v1/admin/keys/{id}/revocation"), &json!({})).expect(200);
    assert!(ended["revoked_at"].is_string());
    list().problem(401, "unauthenticated");

    let listed = service.get("/api/v1/admin/keys").expect(200).to_string();
    assert!(listed.contains(id) && !listed.contains(key), "the secret is shown once");
}

#[test]
fn nobody_gives_what_they_do_not_have() {
    let service = Service::start();
    let key = service.new_key(&["keys:write", "certificates:read"], HUNAN);
    let make = |scopes: &[&str], issuer: &str| {
        let form = json!({"scopes": scopes, "issuer": issuer, "label": "x"});
        Call::post("/api/v1/admin/keys").key(&key).json(&form).send(&service)
    };
    let made = make(&["certificates:read"], HUNAN).expect(201);
    service.plant(made["key"].as_str().unwrap());
    make(&["certificates:write"], HUNAN).problem(403, "scope-missing");
    make(&["*"], HUNAN).problem(403, "scope-missing");
    assert_eq!(make(&["certificates:read"], "*").wrong_fields()[0].0, "issuer");
    assert_eq!(make(&[], HUNAN).wrong_fields()[0].0, "scopes");
    assert_eq!(make(&["everything"], HUNAN).wrong_fields()[0].1, "not-one-of");
}

#[test]
fn the_first_key_is_made_beside_the_stopped_service_and_works_once_it_runs() {
    let folder = Arc::new(TempDir::new().unwrap());
    let data = folder.path().join("data");
    let args = ["admin", "key", "create", "--scopes", "certificates:read", "--issuer", HUNAN, "--json"];
    let made = command::beside(&data, &args).json();
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("vk_"));

    let service = Service::start_on(folder);
    service.plant(key);
    Call::get("/api/v1/admin/certificates").key(key).send(&service).expect(200);
    let entering = Call::post("/api/v1/admin/certificates").key(key).json(&record(1)).send(&service);
    entering.problem(403, "scope-missing");
}

#[test]
fn a_key_is_made_through_the_running_service_too() {
    let service = Service::start();
    let args = [
        "admin",
        "key",
        "create",
        "--scopes",
        "certificates:read,annotations:read",
        "--issuer",
        "*",
        "--json",
    ];
    let server = ["--server", service.address(), "--key", service.key()];
    let made = command::run(&[&args[..], &server].concat()).json();
    let key = made["key"].as_str().unwrap();
    service.plant(key);
    Call::get("/api/v1/admin/annotations").key(key).send(&service).expect(200);
}
