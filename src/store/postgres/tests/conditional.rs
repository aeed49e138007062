//! Documents on a server that knows how to put an object only where none is: the answers are its own, not ours.

use std::sync::{Arc, OnceLock};

use object_store::ObjectStore;

use crate::store::Store;
use crate::store::contract::keeping;
use crate::store::postgres::documents::{Shelf, bucket};
use crate::store::postgres::tests::documents::{Faulty, Wrong};
use crate::store::postgres::tests::seaweed::{KEY, SECRET, Server};
use crate::store::postgres::tests::{Cluster, digest};
use crate::store::postgres::{Documents, S3};
use crate::store::samples::person;

/// A bucket of this name on the server that all tests share.
async fn objects(bucket_name: &str) -> Arc<dyn ObjectStore> {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(Server::start)).await.unwrap();
    let s3 = S3 {
        endpoint: server.endpoint(),
        bucket: bucket_name.to_owned(),
        region: "us-east-1".to_owned(),
        access_key: KEY.to_owned(),
        secret_key: SECRET.to_owned().into(),
        authorities: None,
    };
    Arc::new(bucket(&s3).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_kept_and_forgotten_as_anywhere() {
    keeping::documents_are_kept_under_their_digest(&Cluster::with(objects("kept").await)).await;
    keeping::a_reset_forgets_everything(&Cluster::with(objects("forgotten").await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_that_put_one_document_at_once_one_does_and_the_others_see_that_it_is_there() {
    let documents = Documents::Given(objects("at-once").await);
    let shelves = [Shelf::open(&documents).await.unwrap(), Shelf::open(&documents).await.unwrap()];
    let shelves = shelves.map(Arc::new);
    // Few, since a caller that waits for another asks this server again after a second.
    for number in 0..3u8 {
        let file = vec![number; 60_000];
        let puts: Vec<_> = (0..4)
            .map(|caller: usize| {
                let (shelf, file) = (shelves[caller % 2].clone(), file.clone());
                tokio::spawn(async move { shelf.put_new(digest(&file), &file).await.unwrap() })
            })
            .collect();
        let mut was_there = 0;
        for put in puts {
            was_there += usize::from(put.await.unwrap());
        }
        assert_eq!(was_there, 3, "document {number}");
        assert_eq!(shelves[0].file(digest(&file)).await.unwrap(), Some(file));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_keep_one_document_at_once_both_have_it_whoever_it_is_of() {
    let cluster = Cluster::with(objects("two-nodes").await);
    let (one, other) = (cluster.node().await, cluster.node().await);
    for number in 0..3u8 {
        let file = vec![number; 60_000];
        let name = digest(&file);
        // The same person, and another one: then the latest counts.
        for whose in [person(1), person(2)] {
            let first = person(1);
            let (kept, kept_too) =
                tokio::join!(one.put_document(&first, name, &file), other.put_document(&whose, name, &file));
            kept.and(kept_too).unwrap();
            assert_eq!(one.document(name).await.unwrap(), Some(file.clone()));
            assert_eq!(other.document(name).await.unwrap(), Some(file.clone()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_whose_answer_is_lost_is_repeated_and_found_to_have_happened() {
    let faulty = Faulty::before(objects("lost").await);
    let cluster = Cluster::with(faulty.clone());
    let (one, other) = (cluster.node().await, cluster.node().await);
    for (number, times) in [(1u8, 1), (2, 2), (3, 3)] {
        let file = vec![number; 60_000];
        faulty.go_wrong(Wrong::LosesAnswers(times));
        one.put_document(&person(1), digest(&file), &file).await.unwrap();
        faulty.go_wrong(Wrong::Nothing);
        assert_eq!(other.document(digest(&file)).await.unwrap(), Some(file));
    }
    // The first put alone was done; the server refused the others.
    assert_eq!(faulty.puts(), 3);
}
