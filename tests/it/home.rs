//! Where the services of the tests keep what they are given: in their data folder, or, with
//! `VERMILION_TEST_HOME=postgres`, in a database and a bucket of their own on servers that start with the first test.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use crate::servers::{postgres, s3};

/// The servers, and the database of each folder that a test named.
struct Shared {
    postgres: postgres::Server,
    s3: s3::Server,
    databases: Mutex<HashMap<String, String>>,
}

/// Whether services share a database and an object store instead of living in a folder.
pub(crate) fn is_shared() -> bool {
    match std::env::var("VERMILION_TEST_HOME").as_deref() {
        Err(_) | Ok("embedded") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("VERMILION_TEST_HOME is embedded or postgres, not {other}"),
    }
}

/// The settings that lead a service to its home: the same for every process that names the folder.
pub(crate) fn settings(data: &Path) -> Vec<(&'static str, String)> {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    if !is_shared() {
        return Vec::new();
    }
    let shared = SHARED.get_or_init(|| Shared {
        postgres: postgres::Server::start(),
        s3: s3::Server::start(),
        databases: Mutex::default(),
    });
    // Names of buckets and databases are letters and digits.
    let name: String = data.to_str().unwrap().chars().filter(char::is_ascii_alphanumeric).collect();
    let name = name.to_ascii_lowercase();
    let mut databases = shared.databases.lock().unwrap();
    let url = databases.entry(name.clone()).or_insert_with(|| {
        shared.s3.create(&name);
        shared.postgres.create(&name)
    });
    vec![
        ("VERMILION_POSTGRES__URL", url.clone()),
        ("VERMILION_POSTGRES__CONNECTIONS", "8".to_owned()),
        ("VERMILION_DOCUMENTS__ENDPOINT", shared.s3.endpoint()),
        ("VERMILION_DOCUMENTS__BUCKET", name),
        ("VERMILION_DOCUMENTS__ACCESS_KEY", s3::KEY.to_owned()),
        ("VERMILION_DOCUMENTS__SECRET_KEY", s3::SECRET.to_owned()),
    ]
}
