//! The schema: made and upgraded at the start of any node, by one node at a time, and the marks by which a store is
//! known.
//!
//! A change of the schema that running nodes can live with is a further migration. One that they cannot is made in two
//! steps: version N+1 writes the old and the new shape, and only N+2, when no node of version N runs any more, drops the
//! old one and raises the format; a program refuses a format above its own.

use std::borrow::Cow;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, PgPool, Row, SqlSafeStr};
use tokio::time::sleep;

use crate::store::chain::StoreId;
use crate::store::cipher::{Cipher, Master, VaultError, key_check};
use crate::store::migrate::Tenure;
use crate::store::postgres::connect::{is_contention, is_lost, is_there};
use crate::store::postgres::trust::is_untrusted;
use crate::store::postgres::{OpenError, Purpose};

/// The format that this program writes.
const FORMAT: i32 = 1;
/// How often the making of the schema is tried where nodes start together, or the database starts too.
const TRIES: u32 = 40;

/// A migration, which is never changed once it was released.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// What makes the schema of this program out of an empty database.
pub(crate) const STEPS: [Step; 10] = [
    Step { version: 1, name: "store", sql: include_str!("migrations/0001_store.sql") },
    Step { version: 2, name: "moving", sql: include_str!("migrations/0002_moving.sql") },
    Step { version: 3, name: "limits", sql: include_str!("migrations/0003_limits.sql") },
    Step { version: 4, name: "accounts", sql: include_str!("migrations/0004_accounts.sql") },
    Step { version: 5, name: "checks", sql: include_str!("migrations/0005_checks.sql") },
    Step { version: 6, name: "verified", sql: include_str!("migrations/0006_verified.sql") },
    Step { version: 7, name: "staff", sql: include_str!("migrations/0007_staff.sql") },
    Step { version: 8, name: "tickets", sql: include_str!("migrations/0008_tickets.sql") },
    Step { version: 9, name: "expiring", sql: include_str!("migrations/0009_expiring.sql") },
    Step { version: 10, name: "registration", sql: include_str!("migrations/0010_registration.sql") },
];

fn migrator(steps: &[Step]) -> Migrator {
    let migrations = steps.iter().map(|step| {
        let name = Cow::Borrowed(step.name);
        Migration::new(step.version, name, MigrationType::Simple, step.sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // The lock is a row: advisory locks are not everywhere. A later program may have migrated further.
    migrator.set_locking(false).set_ignore_missing(true);
    migrator
}

/// Brings the schema up to date and says which store it is. A new one gets `id`, or the name of the one that it receives.
pub(crate) async fn raise(
    pool: &PgPool,
    master: &Master,
    id: StoreId,
    purpose: Purpose,
) -> Result<StoreId, OpenError> {
    let mut tries = 0;
    loop {
        let raised = async {
            let mut connection = pool.acquire().await?;
            migrate(&mut connection, &STEPS).await?;
            mark(&mut connection, master, id, purpose).await
        }
        .await;
        tries += 1;
        match raised {
            Err(Raising::Sql(error)) if is_untrusted(&error) => {
                return Err(OpenError::UntrustedDatabase(error));
            }
            // Two that create the same table at once: one of them fails, however politely it asks.
            Err(Raising::Sql(error)) | Err(Raising::Migrate(MigrateError::Execute(error)))
                if tries < TRIES && (is_there(&error) || is_contention(&error) || is_lost(&error)) =>
            {
                sleep(Duration::from_millis(250)).await;
            }
            Err(Raising::Sql(error)) => return Err(OpenError::Database(error)),
            Err(Raising::Migrate(error)) => return Err(OpenError::Schema(error)),
            Err(Raising::Open(error)) => return Err(error),
            Ok(id) => return Ok(id),
        }
    }
}

/// Why the schema could not be raised.
#[derive(Debug)]
pub(crate) enum Raising {
    Sql(sqlx::Error),
    Migrate(MigrateError),
    Open(OpenError),
}

impl From<sqlx::Error> for Raising {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// Applies the steps that the database lacks; those that it has and this program does not know stay.
pub(crate) async fn migrate(connection: &mut PgConnection, steps: &[Step]) -> Result<(), Raising> {
    sqlx::raw_sql(
        "/* schema.lock_table */ create table if not exists migration_lock (one boolean primary key); \
         insert into migration_lock values (true) on conflict do nothing",
    )
    .execute(&mut *connection)
    .await?;
    let mut transaction = connection.begin().await?;
    // A large table takes its time.
    sqlx::raw_sql("set local statement_timeout = 0; set local lock_timeout = 0")
        .execute(&mut *transaction)
        .await?;
    sqlx::query("/* schema.lock */ select one from migration_lock for update")
        .execute(&mut *transaction)
        .await?;
    migrator(steps).run_direct(None, &mut *transaction, false).await.map_err(Raising::Migrate)?;
    transaction.commit().await?;
    Ok(())
}

/// Reads the marks of the store, or makes them.
async fn mark(
    connection: &mut PgConnection,
    master: &Master,
    id: StoreId,
    purpose: Purpose,
) -> Result<StoreId, Raising> {
    let (id, first) = match purpose {
        Purpose::Receive(id) => (id, Tenure::Receiving),
        Purpose::Serve | Purpose::Look => (id, Tenure::Live),
    };
    let check = key_check(master, &id).map_err(broken)?;
    let mut transaction = connection.begin().await?;
    sqlx::query(
        "/* schema.mark */ insert into store (format, id, key_check) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(FORMAT)
    .bind(&id[..])
    .bind(&check.0[..])
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "/* schema.begin */ insert into head (seq, chain, queued, standing) values (0, $1, 0, $2) \
         on conflict do nothing",
    )
    .bind(&[0u8; 32][..])
    .bind(word(first))
    .execute(&mut *transaction)
    .await?;
    let row =
        sqlx::query("/* schema.read */ select s.format, s.id, s.key_check, h.standing from store s, head h")
            .fetch_one(&mut *transaction)
            .await?;
    transaction.commit().await?;
    let format: i32 = row.try_get("format")?;
    if format > FORMAT {
        return Err(Raising::Open(OpenError::Format(format)));
    }
    let (id, known): (Vec<u8>, Vec<u8>) = (row.try_get("id")?, row.try_get("key_check")?);
    let id: StoreId = id.try_into().map_err(|_| broken(VaultError::Cipher))?;
    let check = key_check(master, &id).map_err(broken)?;
    if known != check.0 {
        return Err(Raising::Open(OpenError::WrongMaster));
    }
    match (purpose, standing_in(&row)?) {
        (Purpose::Look, _) | (Purpose::Serve, Tenure::Live) => Ok(id),
        (Purpose::Receive(wanted), Tenure::Receiving) if wanted == id => Ok(id),
        (Purpose::Receive(_), _) => Err(Raising::Open(OpenError::Occupied)),
        (Purpose::Serve, Tenure::Receiving) => Err(Raising::Open(OpenError::Receiving)),
        (Purpose::Serve, Tenure::Halted) => Err(Raising::Open(OpenError::Halted)),
        (Purpose::Serve, Tenure::Moved) => Err(Raising::Open(OpenError::Moved)),
    }
}

/// A standing as the database keeps it.
pub(crate) fn word(standing: Tenure) -> &'static str {
    match standing {
        Tenure::Live => "live",
        Tenure::Halted => "halted",
        Tenure::Moved => "moved",
        Tenure::Receiving => "receiving",
    }
}

/// Reads what [`word`] wrote.
pub(crate) fn standing_in(row: &PgRow) -> Result<Tenure, sqlx::Error> {
    match row.try_get("standing")? {
        "live" => Ok(Tenure::Live),
        "halted" => Ok(Tenure::Halted),
        "moved" => Ok(Tenure::Moved),
        "receiving" => Ok(Tenure::Receiving),
        _ => Err(sqlx::Error::Decode("a standing that this program does not know".into())),
    }
}

fn broken(error: VaultError) -> Raising {
    Raising::Open(OpenError::Keys(error.into()))
}

/// A new store's name, by chance.
pub(crate) fn new_id(master: &Master) -> Result<StoreId, OpenError> {
    let chance = Cipher::new(master, [0; 16]).and_then(|cipher| cipher.chance());
    chance.map_err(|error| OpenError::Keys(error.into()))
}

/// The marks of a store that begins anew in an emptied database.
pub(crate) async fn begin_anew(
    connection: &mut PgConnection,
    id: &StoreId,
    check: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query("/* schema.begin_anew */ insert into store (format, id, key_check) values ($1, $2, $3)")
        .bind(FORMAT)
        .bind(&id[..])
        .bind(check)
        .execute(&mut *connection)
        .await?;
    sqlx::query("/* schema.begin */ insert into head (seq, chain, queued) values (0, $1, 0)")
        .bind(&[0u8; 32][..])
        .execute(connection)
        .await?;
    Ok(())
}
