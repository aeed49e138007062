//! Documents: objects named by the digest of their plain content, encrypted with their person's key. The object is put
//! first, the row that names it second; what no row names is swept later (`sweep`).
//!
//! A put whose answer is lost does no harm: the same name holds the same content. Where the server knows it, an object is
//! only put where none is; where it does not, putting twice is putting once.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, RetryConfig,
};
use tokio::time::{sleep, timeout};

use crate::domain::identity::PersonId;
use crate::domain::ids::Sha256;
use crate::store::Fault;
use crate::store::envelope::{self, HEADER, keeping, reading};
use crate::store::postgres::connect::again;
use crate::store::postgres::keys::{Hand, key_in};
use crate::store::postgres::life::Core;
use crate::store::postgres::trust::is_untrusted;
use crate::store::postgres::{Documents, OpenError, S3};

/// How long one call may take, and how long a connection.
const CALL: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(3);
/// How often a call that failed is tried.
const TRIES: u32 = 4;
const FOLDER: &str = "documents";

/// The objects.
#[derive(Debug)]
pub(crate) struct Shelf {
    objects: Arc<dyn ObjectStore>,
    /// Names the folder or the bucket.
    pub(crate) whereabouts: String,
    /// Whether the server knows how to put an object only where none is.
    conditional: AtomicBool,
}

/// Where a document lies.
pub(crate) fn place(digest: Sha256) -> Path {
    Path::from_iter([FOLDER, &format!("{:02x}", digest.as_bytes()[0]), &digest.to_string()])
}

fn folder() -> Path {
    Path::from(FOLDER)
}

impl Shelf {
    pub(crate) async fn open(documents: &Documents) -> Result<Self, OpenError> {
        let (objects, whereabouts): (Arc<dyn ObjectStore>, String) = match documents {
            Documents::Folder(folder) => {
                std::fs::create_dir_all(folder).map_err(OpenError::Folder)?;
                let files = LocalFileSystem::new_with_prefix(folder).map_err(OpenError::Documents)?;
                // However the path is written.
                let whole = folder.canonicalize().map_err(OpenError::Folder)?;
                (Arc::new(files.with_fsync(true)), whole.display().to_string())
            }
            Documents::S3(s3) => {
                let objects = bucket(s3).map_err(OpenError::Documents)?;
                (Arc::new(objects), format!("{} of {}", s3.bucket, s3.endpoint))
            }
            #[cfg(test)]
            Documents::Given(objects) => (objects.clone(), String::new()),
        };
        let shelf = Self { objects, whereabouts, conditional: AtomicBool::new(true) };
        // Found out now and not with the first copy: a wrong name, a wrong key, a server that is not there.
        match shelf.repeat(|| async { shelf.objects.head(&place(Sha256::new([0; 32]))).await }).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(shelf),
            Err(error) if is_untrusted(&error) => Err(OpenError::UntrustedDocuments(error)),
            Err(error) => Err(OpenError::Documents(error)),
        }
    }

    /// Does what may be done twice until it succeeds or fails for good.
    async fn repeat<T, F: Future<Output = Result<T, Error>>>(&self, act: impl Fn() -> F) -> Result<T, Error> {
        let mut pause = Duration::from_millis(50);
        let mut tries = 0;
        loop {
            let failed = match timeout(CALL, act()).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(error)) => error,
                Err(late) => Error::Generic { store: "documents", source: Box::new(late) },
            };
            tries += 1;
            let passing = matches!(failed, Error::Generic { .. } | Error::JoinError { .. });
            if !passing || tries >= TRIES || is_untrusted(&failed) {
                return Err(failed);
            }
            sleep(pause).await;
            pause *= 4;
        }
    }

    /// Puts an object, whatever of it is there.
    async fn put(&self, digest: Sha256, file: &[u8]) -> Result<(), Error> {
        let payload = PutPayload::from(file.to_vec());
        let at = place(digest);
        self.repeat(|| async { self.objects.put(&at, payload.clone()).await }).await.map(drop)
    }

    /// Puts an object where none is. Says whether one was.
    pub(crate) async fn put_new(&self, digest: Sha256, file: &[u8]) -> Result<bool, Error> {
        if self.conditional.load(Ordering::Relaxed) {
            let payload = PutPayload::from(file.to_vec());
            let at = place(digest);
            let put = || async {
                let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
                self.objects.put_opts(&at, payload.clone(), options).await
            };
            match self.repeat(put).await {
                Ok(_) => return Ok(false),
                // Perhaps our own, whose answer was lost.
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => return Ok(true),
                Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
                    self.conditional.store(false, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            }
        }
        self.put(digest, file).await?;
        Ok(false)
    }

    /// An object as it lies there.
    pub(crate) async fn file(&self, digest: Sha256) -> Result<Option<Vec<u8>>, Fault> {
        let at = place(digest);
        let read = || async { self.objects.get(&at).await?.bytes().await };
        match self.repeat(read).await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(reading(error)),
        }
    }

    async fn slot_of(&self, digest: Sha256) -> Result<Option<u32>, Fault> {
        let at = place(digest);
        match self.repeat(|| async { self.objects.get_range(&at, 0..HEADER as u64).await }).await {
            Ok(header) => Ok(envelope::slot_in(&header).ok()),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(keeping(error)),
        }
    }

    /// Keeps an object that was encrypted for a slot.
    pub(crate) async fn keep(&self, slot: u32, digest: Sha256, file: &[u8]) -> Result<(), Fault> {
        let was_there = self.put_new(digest, file).await.map_err(keeping)?;
        // The same content of another person, or of one who was erased: the latest counts.
        if was_there && self.slot_of(digest).await? != Some(slot) {
            self.put(digest, file).await.map_err(keeping)?;
        }
        Ok(())
    }

    /// The documents and when each was last written.
    pub(crate) async fn list(&self) -> Result<Vec<(Sha256, DateTime<Utc>)>, Fault> {
        let sweeping = |error| Fault::new("sweeping documents", error);
        let listed: Vec<_> = self.objects.list(Some(&folder())).try_collect().await.map_err(sweeping)?;
        let name = |at: &Path| at.filename().and_then(|name| name.parse().ok());
        Ok(listed
            .iter()
            .filter_map(|meta| name(&meta.location).map(|digest| (digest, meta.last_modified)))
            .collect())
    }

    pub(crate) async fn delete(&self, digest: Sha256) -> Result<(), Error> {
        let at = place(digest);
        match self.repeat(|| async { self.objects.delete(&at).await }).await {
            Err(Error::NotFound { .. }) => Ok(()),
            deleted => deleted,
        }
    }

    /// Deletes all documents: development only.
    pub(crate) async fn clear(&self) -> Result<(), Fault> {
        for (digest, _) in self.list().await? {
            self.delete(digest).await.map_err(|error| Fault::new("resetting the store", error))?;
        }
        Ok(())
    }
}

/// The bucket, which is not asked for anything yet.
pub(crate) fn bucket(s3: &S3) -> Result<object_store::aws::AmazonS3, Error> {
    // Already named by somebody else, the provider is theirs; there is but one in the tree.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(50),
        max_backoff: Duration::from_secs(2),
        base: 2.0,
    };
    let retry = RetryConfig { backoff, max_retries: 3, retry_timeout: CALL };
    let mut client = ClientOptions::new().with_timeout(CALL / 2).with_connect_timeout(CONNECT);
    if let Some(authorities) = &s3.authorities {
        let authorities = Certificate::from_pem_bundle(authorities.as_bytes())?;
        client = authorities.into_iter().fold(client, ClientOptions::with_root_certificate);
        client = client.with_no_system_certificates(true);
    }
    AmazonS3Builder::new()
        .with_endpoint(&s3.endpoint)
        .with_bucket_name(&s3.bucket)
        .with_region(&s3.region)
        .with_access_key_id(&s3.access_key)
        .with_secret_access_key(s3.secret_key.as_str())
        .with_allow_http(s3.endpoint.starts_with("http://"))
        .with_retry(retry)
        .with_client_options(client.with_allow_http(s3.endpoint.starts_with("http://")))
        .build()
}

impl Core {
    /// See [`crate::store::Store::put_document`].
    pub(crate) async fn put_document(
        &self,
        person: &PersonId,
        digest: Sha256,
        bytes: &[u8],
    ) -> Result<(), Fault> {
        envelope::check(digest, bytes)?;
        let cipher = self.cipher();
        let (slot, key) = Hand::one(&self.pool, &cipher, &self.slots, cipher.blind_person(person)).await?;
        let file = envelope::close(&cipher, slot, &key, digest, bytes)?;
        self.keep_file(slot, digest, &file).await
    }

    /// Keeps a document that is encrypted already.
    pub(crate) async fn keep_file(&self, slot: u32, digest: Sha256, file: &[u8]) -> Result<(), Fault> {
        // Waits for a sweep that is just deleting it, and keeps the next from doing so.
        again("keeping a document", || {
            sqlx::query("/* documents.spare */ delete from doomed where digest = $1")
                .bind(&digest.as_bytes()[..])
                .execute(&self.pool)
        })
        .await?;
        self.shelf.keep(slot, digest, file).await
    }

    /// See [`crate::store::Store::document`].
    pub(crate) async fn document(&self, digest: Sha256) -> Result<Option<Vec<u8>>, Fault> {
        let Some(file) = self.shelf.file(digest).await? else { return Ok(None) };
        let slot = envelope::slot_in(&file)?;
        let row = again("reading a document", || {
            sqlx::query("/* documents.key */ select slot, person, wrapped from person_keys where slot = $1")
                .bind(i64::from(slot))
                .fetch_optional(&self.pool)
        })
        .await?;
        let cipher = self.cipher();
        let row = row.ok_or_else(|| reading("the slot of its person is unknown"))?;
        match key_in(&cipher, &row)? {
            Some(key) => envelope::open(&cipher, &key, digest, file).map(Some),
            None => Ok(None),
        }
    }
}
