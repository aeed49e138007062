//! Documents on a real S3-compatible server: the one that `VERMILION_TEST_S3` names (`http://key:secret@host:port/bucket`),
//! or one that is started here.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::domain::ids::Sha256;
use crate::store::Store;
use crate::store::contract::{Home, keeping};
use crate::store::postgres::tests::s3::{KEY, SECRET, Server};
use crate::store::postgres::tests::{Cluster, digest};
use crate::store::postgres::{Documents, OpenError, Options, Postgres, S3};
use crate::store::samples::person;

fn bucket() -> S3 {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let s3 = |endpoint: &str, bucket: &str, key: &str, secret: &str| S3 {
        endpoint: endpoint.to_owned(),
        bucket: bucket.to_owned(),
        region: "us-east-1".to_owned(),
        access_key: key.to_owned(),
        secret_key: secret.to_owned().into(),
        authorities: None,
    };
    let Ok(given) = std::env::var("VERMILION_TEST_S3") else {
        let server = SERVER.get_or_init(Server::start);
        server.create("documents");
        return s3(&server.endpoint(), "documents", KEY, SECRET);
    };
    let parts = given.split_once("://").and_then(|(scheme, rest)| {
        let (caller, place) = rest.split_once('@')?;
        let ((key, secret), (host, bucket)) = (caller.split_once(':')?, place.split_once('/')?);
        Some(s3(&format!("{scheme}://{host}"), bucket, key, secret))
    });
    parts.expect("VERMILION_TEST_S3 is not http://key:secret@host:port/bucket")
}

/// One bucket, and one of the tests empties it.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A cluster whose documents are on the server.
struct OnServer(Cluster);

impl OnServer {
    async fn options(&self) -> Options {
        let s3 = tokio::task::spawn_blocking(bucket).await.unwrap();
        Options { documents: Documents::S3(s3), ..self.0.options().await }
    }
}

#[async_trait]
impl Home for OnServer {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(Postgres::open(self.options().await).await.unwrap())
    }

    async fn erase(&self, number: u64) -> usize {
        self.0.erase(number).await
    }

    fn digest(&self, bytes: &[u8]) -> Sha256 {
        digest(bytes)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_lie_in_a_bucket() {
    let _alone = ALONE.lock().await;
    keeping::documents_are_kept_under_their_digest(&OnServer(Cluster::new())).await;
    keeping::a_reset_forgets_everything(&OnServer(Cluster::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_said_at_the_start() {
    let home = OnServer(Cluster::new());
    let options = home.options().await;
    let Documents::S3(right) = options.documents.clone() else { panic!("no bucket") };
    let wrong = S3 { secret_key: "another".to_owned().into(), ..right };
    let opened = Postgres::open(Options { documents: Documents::S3(wrong), ..options }).await;
    assert!(matches!(opened, Err(OpenError::Documents(_))), "{opened:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_documents_are_kept_at_once_and_found_at_another_node() {
    let _alone = ALONE.lock().await;
    let home = OnServer(Cluster::new());
    let (one, other) = (home.open().await, home.open().await);
    let files: Vec<Vec<u8>> = (0..20u8).map(|number| vec![number; 70_000]).collect();
    let keeping: Vec<_> = files
        .iter()
        .cloned()
        .map(|file| {
            let one = one.clone();
            tokio::spawn(async move { one.put_document(&person(1), digest(&file), &file).await.unwrap() })
        })
        .collect();
    for kept in keeping {
        kept.await.unwrap();
    }
    for file in files {
        assert_eq!(other.document(digest(&file)).await.unwrap(), Some(file));
    }
}
