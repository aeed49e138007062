//! What the store on PostgreSQL promises beyond the contract of every store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

mod bucket;
mod conditional;
mod copies;
mod documents;
mod failures;
mod limits;
mod moving;
mod nodes;
#[path = "../../../../tests/servers/s3.rs"]
mod s3;
mod scratch;
#[allow(dead_code, reason = "here it is spoken to without TLS")]
#[path = "../../../../tests/servers/seaweed.rs"]
mod seaweed;
#[allow(dead_code, reason = "here databases are made by SQL, on a server that may be another's")]
#[path = "../../../../tests/servers/postgres.rs"]
mod server;
mod upgrade;

mod keeping {
    use crate::store::contract::contract;
    use crate::store::postgres::tests::Cluster;

    contract!(Cluster::new());
}

use std::sync::Arc;

use async_trait::async_trait;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use tokio::sync::OnceCell;

use crate::domain::ids::Sha256;
use crate::store::Store;
use crate::store::chain::sha256;
use crate::store::cipher::Master;
use crate::store::contract::Home;
use crate::store::postgres::tests::scratch::Scratch;
use crate::store::postgres::{Documents, Options, Postgres};
use crate::store::samples::person;

/// A database and an object store, and any number of nodes on them.
pub(crate) struct Cluster {
    scratch: OnceCell<Scratch>,
    objects: Arc<dyn ObjectStore>,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        Self::with(Arc::new(InMemory::new()))
    }

    fn with(objects: Arc<dyn ObjectStore>) -> Self {
        Self { scratch: OnceCell::new(), objects }
    }

    async fn scratch(&self) -> &Scratch {
        self.scratch.get_or_init(Scratch::new).await
    }

    pub(crate) async fn options(&self) -> Options {
        let documents = Documents::Given(self.objects.clone());
        Options {
            connections: 6,
            ..Options::new(Master::new([7; 32]), &self.scratch().await.url(), documents)
        }
    }

    /// Changes the database behind the nodes' backs.
    pub(crate) async fn tamper(&self, statement: &'static str) {
        let mut beside = self.scratch().await.connect().await;
        sqlx::raw_sql(statement).execute(&mut beside).await.unwrap();
    }

    pub(crate) async fn node(&self) -> Arc<Postgres> {
        Arc::new(Postgres::open(self.options().await).await.unwrap())
    }
}

fn digest(bytes: &[u8]) -> Sha256 {
    Sha256::new(sha256(bytes))
}

#[async_trait]
impl Home for Cluster {
    async fn open(&self) -> Arc<dyn Store> {
        self.node().await
    }

    async fn erase(&self, number: u64) -> usize {
        // By another node: what it erased is erased at once here too.
        self.node().await.erase_person(&person(number)).await.unwrap()
    }

    fn digest(&self, bytes: &[u8]) -> Sha256 {
        digest(bytes)
    }
}
