//! The store's second home: PostgreSQL for the ledger and the rows, an object store for the documents. Any number of
//! nodes, none with a state of its own.
//!
//! An entry of the ledger is the same as in the embedded store, byte for byte, and chained the same way: a ledger moves
//! from one home to the other and every chain value stays. The rows beside it are what the entries make of them, written
//! in the same transaction.
//!
//! How a change is made, and why the quota holds:
//! 1. The caller encrypts and encodes, with the key of the person; a new person's key is made durable first (`keys`).
//! 2. One task of the node takes all changes that wait and begins a transaction (`committer`, `group`).
//! 3. It locks the rows of every dossier and job that the group names, in the order of their names.
//! 4. It locks the one row `head`: from here on the whole cluster writes in one line. Under it the expectations are
//!    checked, against what is committed and against the changes of the group before; those that fail are left out.
//! 5. One statement writes rows, entries and the new head; then it commits. Nothing is numbered that is not made, so
//!    there is no gap.
//!
//! Two orders decided on the same revision of a dossier cannot both pass: the second finds another revision under the
//! lock. Should a node with a bug not look, the database refuses it: of one dossier and one revision only one order may
//! exist (`annotations_decided_once`), and a number of the ledger can be given only once.
//!
//! What is used of PostgreSQL 15: tables (one unlogged) with primary, unique and foreign keys and checks, indexes (one
//! partial), `ON CONFLICT`, `FOR UPDATE` and `SKIP LOCKED`, data-modifying `WITH`, `unnest` of arrays, `LATERAL`, `sha256`,
//! row comparison, `LISTEN` and `NOTIFY` (to be quick; polling is enough), time-outs per connection. What is not: advisory locks,
//! sequences, triggers of ours, extensions, stored functions, large objects, temporary tables, `LOCK TABLE`. Read
//! committed is enough; where an engine knows only stricter levels, what it refuses is repeated.

mod accounts;
mod arrivals;
mod calls;
mod cases;
mod checks;
mod committer;
mod companies;
mod condition;
mod connect;
mod documents;
mod draft;
mod gathering;
mod group;
mod keys;
mod life;
mod limits;
mod lists;
pub(crate) mod moving;
mod queue;
mod reads;
mod registrants;
mod rows;
mod schema;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod tickets;
mod trail;
mod trust;
mod write;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use crate::domain::identity::PersonId;
use crate::store::Fault;
use crate::store::chain::StoreId;
use crate::store::cipher::Master;
use crate::store::postgres::life::{Core, Life};

/// How to reach a store.
#[derive(Clone)]
pub struct Options {
    /// The key above all keys, the same at every node.
    pub master: Master,
    /// Where the database is: `postgres://user:password@host/database?sslmode=verify-full`.
    pub url: Zeroizing<String>,
    /// Where the documents are.
    pub documents: Documents,
    /// Connections of this node at most, 6 or more.
    pub connections: u32,
    pub(crate) purpose: Purpose,
}

impl Options {
    /// The usual: at most 16 connections.
    pub fn new(master: Master, url: &str, documents: Documents) -> Self {
        Self {
            master,
            url: Zeroizing::new(url.to_owned()),
            documents,
            connections: 16,
            purpose: Purpose::Serve,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Options({:?}, {} connections)", self.documents, self.connections)
    }
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be served: it must live here.
    Serve,
    /// To receive the store of this name: the database must be empty, or receive it already.
    Receive(StoreId),
    /// To be read, or to be left.
    Look,
}

/// Where the documents are.
#[derive(Clone, Debug)]
pub enum Documents {
    /// A folder that every node sees.
    Folder(PathBuf),
    /// A bucket of an S3-compatible server.
    S3(S3),
    /// What a test made.
    #[cfg(test)]
    Given(Arc<dyn object_store::ObjectStore>),
}

/// A bucket of an S3-compatible server.
#[derive(Clone)]
pub struct S3 {
    /// The server: `https://s3.example.org`; `http://` only where it is meant.
    pub endpoint: String,
    /// The bucket. It must be there.
    pub bucket: String,
    /// The region, where the server has any; else whatever it expects, often `us-east-1`.
    pub region: String,
    /// Who asks.
    pub access_key: String,
    /// The secret of it.
    pub secret_key: Zeroizing<String>,
    /// Certificates in PEM: the only authorities that may vouch for the server; without them, those that the system
    /// believes.
    pub authorities: Option<String>,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3({} of {})", self.bucket, self.endpoint)
    }
}

/// Why a store cannot be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is none.
    #[error("the address of the database is malformed; write postgres://user:password@host/database")]
    Address,
    /// The database does not answer, or refuses.
    #[error(
        "the database cannot be used: see that it runs, and that the address, user and password are right"
    )]
    Database(#[source] sqlx::Error),
    /// The database shows a certificate that is not believed, or none.
    #[error(
        "the database cannot be trusted: it must speak TLS, with a certificate for the host that postgres.url names, of \
         an authority in sslrootcert"
    )]
    UntrustedDatabase(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema cannot be brought up to date")]
    Schema(#[source] sqlx::migrate::MigrateError),
    /// Written by a later version.
    #[error("the database has format {0}, which this program does not know; use the program that wrote it")]
    Format(i32),
    /// The master key is another.
    #[error("the master key is not the one with which this store was made; configure that one")]
    WrongMaster,
    /// A store is on its way here.
    #[error("the database is receiving a store that moves here; end the move with migrate --switch first")]
    Receiving,
    /// The store is leaving.
    #[error(
        "the store is being moved; end that with migrate --switch, or take it back with migrate without --switch"
    )]
    Halted,
    /// The store lives elsewhere now.
    #[error("the store was moved away from this database; use it where it is now")]
    Moved,
    /// The database is not free.
    #[error("the database holds another store, or one that is in use; name an empty database")]
    Occupied,
    /// The place of the documents cannot be used.
    #[error("the place of the documents cannot be used: see its address, name and keys")]
    Documents(#[source] object_store::Error),
    /// The object store shows a certificate that is not believed.
    #[error(
        "the object store cannot be trusted: its certificate must be for the host that documents.endpoint names, of an \
         authority in documents.ca_file"
    )]
    UntrustedDocuments(#[source] object_store::Error),
    /// The folder of the documents cannot be made.
    #[error("the folder of the documents cannot be made")]
    Folder(#[source] std::io::Error),
    /// The keys cannot be derived.
    #[error("the keys cannot be derived")]
    Keys(#[source] Fault),
}

/// The store on PostgreSQL and an object store: one node of it. Dropped without
/// [`Store::close`](crate::store::Store::close) it counts as killed: what it leased lapses.
#[derive(Debug)]
pub struct Postgres {
    life: RwLock<Option<Arc<Life>>>,
}

impl Postgres {
    /// Reaches the database, makes or upgrades its schema, checks the master key, and begins to work.
    ///
    /// # Errors
    /// Each says what to do.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let life = Life::begin(&options).await?;
        Ok(Self { life: RwLock::new(Some(Arc::new(life))) })
    }

    fn life(&self) -> Result<Arc<Life>, Fault> {
        let life = self.life.read().unwrap_or_else(PoisonError::into_inner).clone();
        life.ok_or_else(|| Fault::new("using the store", "the store is closed"))
    }

    fn core(&self) -> Result<Arc<Core>, Fault> {
        Ok(self.life()?.core.clone())
    }

    fn take_life(&self) -> Option<Arc<Life>> {
        self.life.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Destroys the data keys of a person, for every node: from now on nothing encrypted with them can be read, here or
    /// in the ledger, while the chain stands. Says how many keys there were. Backups keep theirs: make them anew.
    ///
    /// # Errors
    /// The database's: then the person may be erased or not; erasing again does no harm.
    pub async fn erase_person(&self, person: &PersonId) -> Result<usize, Fault> {
        let core = self.core()?;
        let erased = keys::erase(&core.pool, core.cipher().blind_person(person)).await;
        core.copies.clear();
        erased
    }

    /// Deletes the documents that no record names: those older than a day at `now` that an earlier sweep, at least an
    /// hour before, found unnamed too. Says how many. Once in the cluster is enough: see [`Self::take_turn`].
    ///
    /// # Errors
    /// The database's or the object store's.
    pub async fn sweep_documents(&self, now: DateTime<Utc>) -> Result<u64, Fault> {
        self.core()?.sweep(now).await
    }

    /// Whether this node is the one to do a task that the cluster does once: if so, nobody else is until `ttl` is over.
    ///
    /// # Errors
    /// The database's: then it is not.
    pub async fn take_turn(&self, task: &str, now: DateTime<Utc>, ttl: Duration) -> Result<bool, Fault> {
        self.core()?.take_turn(task, now, ttl).await
    }
}
