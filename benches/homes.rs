//! Both homes of the store in one run: `cargo bench --bench homes`. Orders to ready, client included, and verification,
//! on a data folder and on PostgreSQL on the same machine, with documents in a folder and on an S3-compatible server (the
//! one of the tests, whose speed is its own).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for a person at a terminal"
)]

#[path = "../tests/servers/mod.rs"]
mod servers;
#[allow(dead_code, reason = "shared with the benchmark of the pipeline")]
#[path = "pipeline/service.rs"]
mod service;

use std::time::Instant;

use crate::servers::{postgres, s3};
use crate::service::{Server, certificate, wrk};

const MANY: usize = 3_000;
const SECONDS: u64 = 5;

fn main() {
    let (database, objects) = (postgres::Server::start(), s3::Server::start());
    objects.create("copies");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let beside = [
        ("VERMILION_POSTGRES__URL", database.create("beside")),
        ("VERMILION_DOCUMENTS__FOLDER", folder.path().display().to_string()),
    ];
    let bucket = [
        ("VERMILION_POSTGRES__URL", database.create("bench")),
        ("VERMILION_DOCUMENTS__ENDPOINT", objects.endpoint()),
        ("VERMILION_DOCUMENTS__BUCKET", "copies".to_owned()),
        ("VERMILION_DOCUMENTS__ACCESS_KEY", s3::KEY.to_owned()),
        ("VERMILION_DOCUMENTS__SECRET_KEY", s3::SECRET.to_owned()),
    ];
    let folder = measure("data folder", &[]);
    let postgres = measure("PostgreSQL, documents in a folder", &beside);
    measure("PostgreSQL, documents in a bucket", &bucket);
    println!("orders to ready     PostgreSQL against the data folder {:.2}", postgres.0 / folder.0);
    println!(
        "verification        PostgreSQL against the data folder {:.2} (target 0.5)",
        postgres.1 / folder.1
    );
}

/// Orders made ready per second, and verifications per second.
fn measure(name: &str, home: &[(&str, String)]) -> (f64, f64) {
    let server = Server::start(home);
    let body: String = (0..MANY).map(|n| certificate(n) + "\n").collect();
    let begun = Instant::now();
    let ids = server.import(&body);
    let imported = MANY as f64 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let (codes, _) = server.order_all(&ids);
    server.wait_until_idle();
    let ready = MANY as f64 / begun.elapsed().as_secs_f64();
    let verified = wrk(&server.address(), Some(&codes), SECONDS);
    println!(
        "{name:<34} import {imported:6.0}/s, orders to ready {ready:5.0}/s, verification {verified:6.0}/s, \
         {} MiB resident",
        server.resident_mib()
    );
    (ready, verified)
}
