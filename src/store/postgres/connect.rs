//! Connections: a bounded pool whose every connection has its time-outs, and what the failures of a database mean.

use std::future::Future;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::time::{Instant, sleep, timeout};

use crate::store::Fault;
use crate::store::postgres::{OpenError, Options};

/// How long the database may take for one statement; the network gets a little more.
const STATEMENT: &str = "15s";
const CALL: Duration = Duration::from_secs(20);
/// How long a statement waits for a row that somebody else holds.
const LOCK: &str = "5s";
/// How long a caller waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a read is repeated over new connections before it fails.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is said while the database cannot be reached.
pub(crate) const UNREACHABLE: &str = "the database cannot be reached";
/// What is said while it does not keep up.
pub(crate) const OVERLOADED: &str = "the database is overloaded";

pub(crate) fn connect_options(options: &Options) -> Result<PgConnectOptions, OpenError> {
    if !options.url.starts_with("postgres://") && !options.url.starts_with("postgresql://") {
        return Err(OpenError::Address);
    }
    let connect: PgConnectOptions = options.url.parse().map_err(|_| OpenError::Address)?;
    Ok(connect.application_name("vermilion").options([
        ("statement_timeout", STATEMENT),
        ("lock_timeout", LOCK),
        ("idle_in_transaction_session_timeout", STATEMENT),
        ("default_transaction_isolation", "read committed"),
        // Planned for a few rows at a time: compiling a plan takes longer than running it.
        ("jit", "off"),
    ]))
}

/// A pool that connects when it is first used.
pub(crate) fn pool(connect: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections.max(2))
        .acquire_timeout(ACQUIRE)
        .idle_timeout(Duration::from_secs(600))
        .max_lifetime(Duration::from_secs(3600))
        // Not asked before each use: who finds a connection dead takes another one.
        .test_before_acquire(false)
        .connect_lazy_with(connect)
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

/// Whether the database, or the way to it, was lost.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => true,
        // Connection exceptions, shutting down, starting up, too many connections, read-only since a failover.
        _ => code(error).is_some_and(|code| {
            code.starts_with("08")
                || ["57P01", "57P02", "57P03", "57P05", "25P03", "53300", "25006"].contains(&code.as_str())
        }),
    }
}

/// Whether a transaction failed for what others did at the same time: it can be repeated as it is.
pub(crate) fn is_contention(error: &sqlx::Error) -> bool {
    // Serialization failure, deadlock, a lock not had in time, a statement not done in time.
    code(error).is_some_and(|code| ["40001", "40P01", "55P03", "57014"].contains(&code.as_str()))
}

/// Whether a unique key was taken.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("23505")
}

/// Whether something that was to be made is there already.
pub(crate) fn is_there(error: &sqlx::Error) -> bool {
    // A row of the catalogue, an object, a table: whichever the engine notices first.
    code(error).is_some_and(|code| ["23505", "42710", "42P07"].contains(&code.as_str()))
}

/// Does what may be repeated until it succeeds, fails for good, or the database stays away.
pub(crate) async fn again<T, F: Future<Output = Result<T, sqlx::Error>>>(
    doing: &'static str,
    act: impl Fn() -> F,
) -> Result<T, Fault> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(2);
    loop {
        let error = match timeout(CALL, act()).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) if is_lost(&error) || is_contention(&error) => error,
            Ok(Err(error)) => return Err(Fault::new(doing, error)),
            Err(late) => return Err(Fault::away(doing, OVERLOADED, late)),
        };
        if Instant::now() + pause > deadline {
            let what = if is_lost(&error) { UNREACHABLE } else { OVERLOADED };
            return Err(Fault::away(doing, what, error));
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}
