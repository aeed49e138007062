//! A store moves house by the command line: from a folder to PostgreSQL and a bucket, and back.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{Ran, run};
use crate::kill::cluster::Ground;
use crate::kill::world::{Door, post};
use crate::records::record;
use crate::servers::node::{self, Node};
use crate::service::{order, until};

/// The settings of a home in a file, as an administrator has them.
fn settings(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    file
}

fn serve(settings: &Path, key: &mut Option<String>) -> (Node, Door) {
    let mut command = node::command();
    command.arg("--config").arg(settings);
    let node = Node::start(command, key);
    let door = Door::of(&node);
    (node, door)
}

fn migrate(from: &Path, to: &Path, switch: bool) -> Ran {
    let mut arguments = vec!["migrate", "--from", from.to_str().unwrap(), "--to", to.to_str().unwrap()];
    arguments.extend(switch.then_some("--switch"));
    run(&arguments)
}

/// Enters a certificate and orders a copy of it.
fn ordered(door: &Door, number: u32) -> Value {
    let (status, entered) =
        post(&format!("{}/api/v1/admin/certificates", door.url), &door.key, None, &record(number)).unwrap();
    assert_eq!(status, 201, "{entered}");
    let certificate = entered["certificate_id"].as_str().unwrap();
    let path = format!("{}/api/v1/admin/certificates/{certificate}/annotations", door.url);
    let (status, order) = post(&path, &door.key, None, &order(90)).unwrap();
    assert_eq!(status, 202, "{order}");
    order
}

fn ready(door: &Door, order: &Value) -> Value {
    until(|| {
        let (_, now) = door.get(&format!("/api/v1/admin/annotations/{}", order["id"].as_str().unwrap()));
        (now["state"] == "ready").then_some(now)
    })
    .unwrap()
}

#[test]
fn a_store_moves_to_postgresql_and_a_bucket_while_it_is_served_and_back() {
    let ground = Ground::new();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let first = settings(folder.path(), "first.toml", &format!("data = \"{}\"\n", at("first")));
    let shared = settings(folder.path(), "shared.toml", &ground.settings());
    let last = settings(folder.path(), "last.toml", &format!("data = \"{}\"\n", at("last")));

    let mut key = None;
    let (node, door) = serve(&first, &mut key);
    let early = ready(&door, &ordered(&door, 1));

    let copied = migrate(&first, &shared, false);
    assert_eq!(copied.code, 0, "{copied:?}");
    assert!(copied.stdout.contains("is verified so far"), "{copied:?}");
    assert_eq!(migrate(&first, &shared, true).code, 2, "it is still served");
    let late = ordered(&door, 2);
    node.stop();
    let switched = migrate(&first, &shared, true);
    assert_eq!(switched.code, 0, "{switched:?}");
    assert!(switched.stdout.contains("verified before the pause: up to entry"), "{switched:?}");

    let left = run(&["serve", "--listen", "127.0.0.1:0", "--config", first.to_str().unwrap()]);
    assert!(left.code != 0 && left.said().contains("moved"), "the home that was left: {left:?}");
    let (node, door) = serve(&shared, &mut key);
    assert_eq!(ready(&door, &early), early, "what was ready is as it was");
    let late = ready(&door, &late);
    let sheet = |door: &Door, of: &Value| {
        door.bytes(&format!("/api/v1/admin/annotations/{}/document", of["id"].as_str().unwrap()))
    };
    let sheets = [sheet(&door, &early), sheet(&door, &late)];
    assert!(sheets.iter().all(|sheet| sheet.starts_with(b"%PDF-")));

    // Back in one go, the service being stopped already.
    node.stop();
    let back = migrate(&shared, &last, true);
    assert_eq!(back.code, 0, "{back:?}");
    assert!(back.stdout.contains("run without --switch first"), "{back:?}");
    let (node, door) = serve(&last, &mut key);
    assert_eq!([ready(&door, &early), ready(&door, &late)], [early.clone(), late.clone()]);
    assert_eq!([sheet(&door, &early), sheet(&door, &late)], sheets, "the same files, byte for byte");
    node.stop();
    let checked = run(&["check", "--config", last.to_str().unwrap()]);
    assert_eq!(checked.code, 0, "{checked:?}");
}
