//! Databases for the tests of the store: on the server that `VERMILION_TEST_POSTGRES` names, or on one that is started
//! here.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use crate::store::postgres::tests::server::Server;

/// Where the server is that all tests share.
fn shared() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    match std::env::var("VERMILION_TEST_POSTGRES") {
        Ok(url) => url,
        Err(_) => SERVER.get_or_init(Server::start).url("postgres"),
    }
}

/// An empty database on the shared server; dropped in the end.
pub(crate) struct Scratch {
    server: String,
    name: String,
}

impl Scratch {
    pub(crate) async fn new() -> Self {
        let server = tokio::task::spawn_blocking(shared).await.unwrap();
        Self::on(server).await
    }

    /// On a server of one's own.
    pub(crate) async fn on(server: String) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("vermilion_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let scratch = Self { server, name };
        scratch.administer(format!("create database {}", scratch.name)).await;
        scratch
    }

    async fn administer(&self, statement: String) {
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    pub(crate) fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    /// A connection beside the store's.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// Ends every connection to the database but the one that asks.
    pub(crate) async fn cut_connections(&self) -> u64 {
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        let cut = sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1")
            .bind(&self.name)
            .execute(&mut connection)
            .await
            .unwrap();
        cut.rows_affected()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let (server, statement) =
            (self.server.clone(), format!("drop database if exists {} with (force)", self.name));
        // Another thread: this one may be in the middle of a runtime. Where the server is gone, so is the database.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Ok(mut connection) = PgConnection::connect(&server).await {
                    let _ = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await;
                }
            });
        });
        let _ = dropping.join();
    }
}
