//! What the embedded store promises beyond the contract of every store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

mod accounts;
mod copies;
mod damage;
mod disk;
mod faults;
mod registration;
mod secrecy;

mod keeping {
    use crate::store::contract::contract;
    use crate::store::embedded::tests::Folder;

    contract!(Folder::new());
}

use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use tempfile::TempDir;

use crate::domain::ids::Sha256;
use crate::store::Store;
use crate::store::chain::sha256;
use crate::store::cipher::Master;
use crate::store::contract::Home;
use crate::store::embedded::{Embedded, Options};
use crate::store::samples::person;

/// A folder for one store, and the one that a contract opened in it last.
struct Folder(TempDir, Mutex<Weak<Embedded>>);

impl Folder {
    fn new() -> Self {
        // In memory where that can be had: these tests make hundreds of stores.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self(folder.unwrap(), Mutex::default())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Small segments, and no floor: the machine of a test may be full.
fn options() -> Options {
    Options { segment_bytes: 64 * 1024, free_floor_bytes: 0, ..Options::new(Master::new([7; 32])) }
}

fn open(folder: &Path) -> Embedded {
    Embedded::open(folder, options()).unwrap()
}

fn digest(bytes: &[u8]) -> Sha256 {
    Sha256::new(sha256(bytes))
}

#[async_trait]
impl Home for Folder {
    async fn open(&self) -> Arc<dyn Store> {
        let store = Arc::new(open(self.path()));
        *self.1.lock().unwrap() = Arc::downgrade(&store);
        store
    }

    async fn erase(&self, number: u64) -> usize {
        let store = self.1.lock().unwrap().upgrade().unwrap();
        store.erase_person(&person(number)).await.unwrap()
    }

    fn digest(&self, bytes: &[u8]) -> Sha256 {
        digest(bytes)
    }
}
