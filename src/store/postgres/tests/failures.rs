//! The database cut off, killed and come back: nothing acknowledged is lost, nothing is made twice.

use std::sync::Arc;

use object_store::memory::InMemory;
use tokio::sync::Notify;

use crate::store::cipher::Master;
use crate::store::postgres::tests::Cluster;
use crate::store::postgres::tests::nodes::assert_chained;
use crate::store::postgres::tests::scratch::Scratch;
use crate::store::postgres::tests::server::Server;
use crate::store::postgres::{Documents, Options, Postgres};
use crate::store::samples::{annotation, certificate, enter, entered};
use crate::store::{CommitError, Health, Store};

/// Enters certificates, one after the other, and says which were acknowledged.
async fn enter_many(
    node: Arc<Postgres>,
    numbers: std::ops::Range<u64>,
    made: Arc<Notify>,
) -> (Vec<u64>, Vec<u64>) {
    let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
    for number in numbers {
        match node.commit(enter(&certificate(number))).await {
            Ok(_) => {
                acknowledged.push(number);
                made.notify_one();
            }
            Err(CommitError::ReadOnly(_)) => refused.push(number),
            // Preparing failed, or it is unknown: neither promised nor denied.
            Err(CommitError::Fault(_)) => {}
            Err(error) => panic!("{number}: {error}"),
        }
    }
    (acknowledged, refused)
}

async fn assert_kept(node: &Postgres, (acknowledged, refused): (Vec<u64>, Vec<u64>)) {
    for number in acknowledged {
        let found = node.certificate(certificate(number).id).await.unwrap();
        assert_eq!(found, Some(certificate(number)), "acknowledged");
    }
    for number in refused {
        assert_eq!(node.certificate(certificate(number).id).await.unwrap(), None, "refused");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_cut_in_the_middle_is_made_once_or_not_at_all() {
    let cluster = Cluster::new();
    let node = cluster.node().await;
    cluster.scratch().await;
    let made = Arc::new(Notify::new());
    let writers: Vec<_> = (0..4)
        .map(|part| tokio::spawn(enter_many(node.clone(), part * 100..part * 100 + 40, made.clone())))
        .collect();
    let mut cut = 0;
    while writers.iter().any(|writer| !writer.is_finished()) {
        cut += cluster.scratch().await.cut_connections().await;
        // A few pass between the cuts.
        for _ in 0..5 {
            let _ = tokio::time::timeout(std::time::Duration::from_millis(200), made.notified()).await;
        }
    }
    let mut done = Vec::new();
    for writer in writers {
        done.push(writer.await.unwrap());
    }
    assert!(cut > 0);
    let made: usize = done.iter().map(|(acknowledged, _)| acknowledged.len()).sum();
    assert!(made > 0, "some passed between the cuts");
    for part in done {
        assert_kept(&node, part).await;
    }
    assert_chained(&node).await;
    assert_eq!(node.health().await, Health::Ready);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_goes_away_and_comes_back() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let scratch = Scratch::on(server.url("postgres")).await;
    let documents = Documents::Given(Arc::new(InMemory::new()));
    let options = Options { connections: 6, ..Options::new(Master::new([7; 32]), &scratch.url(), documents) };
    let node = Arc::new(Postgres::open(options).await.unwrap());
    entered(&*node, 1).await;

    // Killed and started again in the middle of writing: nobody is told anything wrong.
    let writing = tokio::spawn(enter_many(node.clone(), 100..160, Arc::default()));
    let server = tokio::task::spawn_blocking(move || {
        server.kill();
        server.resume();
        server
    })
    .await
    .unwrap();
    assert_kept(&node, writing.await.unwrap()).await;
    assert_eq!(node.health().await, Health::Ready);

    // Away for longer: reads and writes say so, and the node lives.
    let server = tokio::task::spawn_blocking(move || {
        server.kill();
        server
    })
    .await
    .unwrap();
    assert!(matches!(node.health().await, Health::ReadOnly(_)));
    assert!(node.certificate(certificate(1).id).await.unwrap_err().away.is_some());
    let code = annotation(&certificate(1), 1).code;
    assert!(node.copy_by_code(code).await.unwrap_err().away.is_some());
    assert!(node.commit(enter(&certificate(200))).await.is_err());
    assert!(node.lease(crate::store::samples::at(0), std::time::Duration::from_secs(1)).await.is_err());
    let begun = std::time::Instant::now();
    assert!(node.spend(&[]).await.is_err(), "who asks goes on by its own count");
    assert!(begun.elapsed() < std::time::Duration::from_secs(4), "and is not kept waiting for it");
    let server = tokio::task::spawn_blocking(move || {
        server.resume();
        server
    })
    .await
    .unwrap();
    assert_eq!(node.health().await, Health::Ready);
    assert_eq!(node.certificate(certificate(1).id).await.unwrap(), Some(certificate(1)));
    entered(&*node, 201).await;
    assert_chained(&node).await;
    node.close().await.unwrap();
    drop(server);
}
