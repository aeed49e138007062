//! Documents on an object store that refuses, is slow, or loses the answer of a put that happened.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::store::contract::Home;
use crate::store::postgres::documents::place;
use crate::store::postgres::tests::{Cluster, digest};
use crate::store::postgres::{Documents, OpenError, Options, Postgres, S3};
use crate::store::samples::{certificate, enter, person};
use crate::store::{Change, Store, Write};

/// What goes wrong with the next calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Nothing,
    /// Every call fails, and nothing is done.
    Refuses,
    /// So many puts are done, and said to have failed.
    LosesAnswers(u32),
    /// So many calls are never answered.
    Hangs(u32),
    /// It does not know how to put an object only where none is.
    IsSimple,
}

/// An object store at which things go wrong.
#[derive(Debug)]
pub(super) struct Faulty {
    inner: Arc<dyn ObjectStore>,
    wrong: Mutex<Wrong>,
    puts: AtomicU32,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

fn lost() -> Error {
    Error::Generic { store: "faulty", source: "no answer".into() }
}

impl Faulty {
    fn new() -> Arc<Self> {
        Self::before(Arc::new(InMemory::new()))
    }

    pub(super) fn before(inner: Arc<dyn ObjectStore>) -> Arc<Self> {
        Arc::new(Self { inner, wrong: Mutex::new(Wrong::Nothing), puts: AtomicU32::new(0) })
    }

    /// How many puts were done.
    pub(super) fn puts(&self) -> u32 {
        self.puts.load(Ordering::Relaxed)
    }

    pub(super) fn go_wrong(&self, wrong: Wrong) {
        *self.wrong.lock().unwrap() = wrong;
    }

    /// What to do now; things that go wrong a number of times are counted down.
    fn next(&self, put: bool) -> Wrong {
        let mut wrong = self.wrong.lock().unwrap();
        let now = *wrong;
        *wrong = match now {
            Wrong::LosesAnswers(times) if put && times > 1 => Wrong::LosesAnswers(times - 1),
            Wrong::LosesAnswers(_) if put => Wrong::Nothing,
            Wrong::Hangs(times) if times > 1 => Wrong::Hangs(times - 1),
            Wrong::Hangs(_) => Wrong::Nothing,
            same => same,
        };
        now
    }

    async fn pass(&self) -> Result<()> {
        match self.next(false) {
            Wrong::Refuses => Err(lost()),
            Wrong::Hangs(_) => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let wrong = self.next(true);
        if wrong == Wrong::IsSimple && options.mode == PutMode::Create {
            return Err(Error::NotImplemented {
                operation: "create".to_owned(),
                implementer: "faulty".to_owned(),
            });
        }
        match wrong {
            Wrong::Refuses => return Err(lost()),
            Wrong::Hangs(_) => std::future::pending().await,
            _ => {}
        }
        let put = self.inner.put_opts(at, payload, options).await?;
        self.puts.fetch_add(1, Ordering::Relaxed);
        if matches!(wrong, Wrong::LosesAnswers(_)) { Err(lost()) } else { Ok(put) }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.pass().await?;
        self.inner.get_opts(at, options).await
    }

    fn delete_stream(&self, at: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(at)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_whose_answer_is_lost_is_found_to_have_happened() {
    let faulty = Faulty::new();
    let cluster = Cluster::with(faulty.clone());
    let node = cluster.node().await;
    for (number, times) in [(1u8, 1), (2, 2)] {
        let file = vec![number; 1000];
        faulty.go_wrong(Wrong::LosesAnswers(times));
        node.put_document(&person(1), digest(&file), &file).await.unwrap();
        faulty.go_wrong(Wrong::Nothing);
        assert_eq!(node.document(digest(&file)).await.unwrap(), Some(file));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_is_a_fault_and_nothing_is_kept() {
    let faulty = Faulty::new();
    let cluster = Cluster::with(faulty.clone());
    let node = cluster.node().await;
    let file = b"a copy".to_vec();
    faulty.go_wrong(Wrong::Refuses);
    assert!(node.put_document(&person(1), digest(&file), &file).await.is_err());
    assert!(node.document(digest(&file)).await.is_err(), "not to be reached is not absent");
    faulty.go_wrong(Wrong::Nothing);
    assert_eq!(node.document(digest(&file)).await.unwrap(), None);
    node.put_document(&person(1), digest(&file), &file).await.unwrap();
    assert_eq!(node.document(digest(&file)).await.unwrap(), Some(file));
    faulty.go_wrong(Wrong::Refuses);
    let opened = Postgres::open(cluster.options().await).await;
    assert!(matches!(opened, Err(OpenError::Documents(_))), "{opened:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_hangs_is_given_up_and_tried_again() {
    let faulty = Faulty::new();
    let cluster = Cluster::with(faulty.clone());
    let node = cluster.node().await;
    let file = b"a copy".to_vec();
    let person = person(1);
    node.put_document(&person, digest(b"first"), b"first").await.unwrap();
    faulty.go_wrong(Wrong::Hangs(1));
    node.put_document(&person, digest(&file), &file).await.unwrap();
    assert_eq!(node.document(digest(&file)).await.unwrap(), Some(file));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_conditions_keeps_documents_all_the_same() {
    let faulty = Faulty::new();
    let cluster = Cluster::with(faulty.clone());
    let node = cluster.node().await;
    faulty.go_wrong(Wrong::IsSimple);
    for file in [b"one".to_vec(), b"two".to_vec(), b"one".to_vec()] {
        node.put_document(&person(1), digest(&file), &file).await.unwrap();
        assert_eq!(node.document(digest(&file)).await.unwrap(), Some(file));
    }
    assert_eq!(faulty.puts(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_object_is_not_given_out() {
    let objects = Arc::new(InMemory::new());
    let cluster = Cluster::with(objects.clone());
    let node = cluster.node().await;
    let file = vec![5; 3000];
    node.put_document(&person(1), digest(&file), &file).await.unwrap();
    let at = place(digest(&file));
    let mut bytes = objects.get(&at).await.unwrap().bytes().await.unwrap().to_vec();
    assert!(!bytes.windows(100).any(|some| some == &file[..100]), "it lies there encrypted");
    bytes[1500] ^= 1;
    objects.put(&at, bytes.clone().into()).await.unwrap();
    assert!(node.document(digest(&file)).await.is_err());
    objects.put(&at, bytes[..7].to_vec().into()).await.unwrap();
    assert!(node.document(digest(&file)).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_no_record_names_are_swept_after_a_day_and_an_hour() {
    let cluster = Cluster::new();
    let node = cluster.node().await;
    let (photo, orphan, again) = (b"a photo".to_vec(), b"an orphan".to_vec(), b"kept again".to_vec());
    for file in [&photo, &orphan, &again] {
        node.put_document(&person(1), digest(file), file).await.unwrap();
    }
    let mut one = certificate(1);
    one.details.photo = Some(digest(&photo));
    node.commit(enter(&one)).await.unwrap();
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    assert_eq!(node.sweep_documents(at("2020-01-01T00:00:00Z")).await.unwrap(), 0);
    assert_eq!(node.sweep_documents(at("2020-01-01T02:00:00Z")).await.unwrap(), 0, "they are younger");
    assert_eq!(node.sweep_documents(at("2126-01-01T00:00:00Z")).await.unwrap(), 0, "they are doomed");
    node.put_document(&person(1), digest(&again), &again).await.unwrap();
    assert_eq!(node.sweep_documents(at("2126-01-01T00:59:59Z")).await.unwrap(), 0, "they may yet be named");
    assert_eq!(node.sweep_documents(at("2126-01-01T01:00:00Z")).await.unwrap(), 1);
    assert_eq!(node.document(digest(&orphan)).await.unwrap(), None);
    assert_eq!(node.document(digest(&photo)).await.unwrap(), Some(photo));
    assert_eq!(node.document(digest(&again)).await.unwrap(), Some(again.clone()), "spared");
    one.details.photo = Some(digest(&again));
    node.commit(Change { writes: vec![Write::Certificate(one)], ..Change::default() }).await.unwrap();
    assert_eq!(node.sweep_documents(at("2126-01-02T00:00:00Z")).await.unwrap(), 0);
    assert_eq!(node.document(digest(&again)).await.unwrap(), Some(again), "named since it was doomed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_keeps_documents_too() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::new();
    let options =
        Options { documents: Documents::Folder(folder.path().join("new")), ..cluster.options().await };
    let node = Postgres::open(options).await.unwrap();
    let file = vec![9; 10_000];
    node.put_document(&person(1), digest(&file), &file).await.unwrap();
    node.put_document(&person(1), digest(&file), &file).await.unwrap();
    assert_eq!(node.document(digest(&file)).await.unwrap(), Some(file));
    assert_eq!(node.document(cluster.digest(b"another")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_not_there_is_said_at_the_start() {
    let cluster = Cluster::new();
    let s3 = S3 {
        endpoint: "http://127.0.0.1:9".to_owned(),
        bucket: "vermilion".to_owned(),
        region: "us-east-1".to_owned(),
        access_key: "nobody".to_owned(),
        secret_key: "nothing".to_owned().into(),
        authorities: None,
    };
    assert_eq!(format!("{s3:?}"), "S3(vermilion of http://127.0.0.1:9)");
    let opened = Postgres::open(Options { documents: Documents::S3(s3), ..cluster.options().await }).await;
    assert!(matches!(opened, Err(OpenError::Documents(_))), "{opened:?}");
}
