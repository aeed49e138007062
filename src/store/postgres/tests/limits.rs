//! What callers spend, told by many nodes.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Row;

use crate::domain::spending::{Bucket, Limit, Spending};
use crate::store::Store;
use crate::store::postgres::Postgres;
use crate::store::postgres::tests::Cluster;

const HOUR: Duration = Duration::from_secs(3600);
/// Far longer than a test takes.
const MINUTE: Duration = Duration::from_secs(60);

fn caller(caller: u128) -> Bucket {
    Bucket { limit: Limit::Public, caller }
}

fn spending(bucket: Bucket, cost: Duration) -> Spending {
    Spending { bucket, cost, ago: Duration::ZERO }
}

/// Tells one spending; hears how far ahead the bucket is full.
async fn spend(node: &Postgres, spending: Spending) -> Duration {
    let ahead = node.spend(&[spending]).await.unwrap();
    assert_eq!(ahead.len(), 1);
    ahead[0]
}

#[track_caller]
fn assert_about(found: Duration, wanted: Duration) {
    assert!(found <= wanted && found > wanted - MINUTE, "{found:?} instead of {wanted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_tells_the_other_hears_when_it_tells() {
    let cluster = Cluster::new();
    let (one, other) = (cluster.node().await, cluster.node().await);
    assert_about(spend(&one, spending(caller(1), HOUR * 3)).await, HOUR * 3);
    assert_about(spend(&other, spending(caller(1), HOUR * 2)).await, HOUR * 5);
    assert_about(spend(&one, spending(caller(2), HOUR)).await, HOUR);
    let agency = Bucket { limit: Limit::Agency, caller: 1 };
    assert_about(spend(&one, spending(agency, HOUR)).await, HOUR);

    // Many at once are answered in the order in which they were told.
    let told: Vec<_> = [3, 1, 2].map(|number| spending(caller(number), HOUR)).into();
    let ahead = other.spend(&told).await.unwrap();
    for (found, hours) in ahead.into_iter().zip([1, 6, 2]) {
        assert_about(found, HOUR * hours);
    }
    assert!(one.spend(&[]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_fills_from_when_it_was_spent_from_and_not_from_when_that_was_told() {
    let cluster = Cluster::new();
    let node = cluster.node().await;
    let late = Spending { ago: HOUR * 2, ..spending(caller(1), HOUR) };
    assert_eq!(spend(&node, late).await, Duration::ZERO, "it is full again");
    assert_about(spend(&node, Spending { ago: HOUR, ..spending(caller(1), HOUR * 3) }).await, HOUR * 2);
    // Where it was not full at all, it is no matter when.
    assert_about(spend(&node, Spending { ago: HOUR * 9, ..spending(caller(1), HOUR) }).await, HOUR * 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_tell_of_the_same_callers_at_once_miss_nothing() {
    let cluster = Cluster::new();
    let nodes = [cluster.node().await, cluster.node().await, cluster.node().await];
    let tell = |node: Arc<Postgres>, turned: bool| async move {
        let mut told: Vec<_> = (0..200).map(|number| spending(caller(number), HOUR)).collect();
        if turned {
            told.reverse();
        }
        for _ in 0..10 {
            assert_eq!(node.spend(&told).await.unwrap().len(), 200);
            node.core().unwrap().forget_full().await.unwrap();
        }
    };
    let telling = nodes.iter().enumerate().map(|(at, node)| tokio::spawn(tell(node.clone(), at % 2 == 1)));
    for told in telling.collect::<Vec<_>>() {
        told.await.unwrap();
    }
    for number in 0..200 {
        assert_about(spend(&nodes[0], spending(caller(number), HOUR)).await, HOUR * 31);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_caller_is_named_and_full_buckets_are_forgotten() {
    let cluster = Cluster::new();
    let node = cluster.node().await;
    let address = u128::from_be_bytes(*b"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01");
    spend(&node, spending(caller(address), HOUR)).await;
    spend(&node, Spending { ago: HOUR * 2, ..spending(caller(2), HOUR) }).await;
    let mut beside = cluster.scratch().await.connect().await;
    let forgotten = node.core().unwrap();
    forgotten.forget_full().await.unwrap();
    let rows = sqlx::query("select bucket from limits").fetch_all(&mut beside).await.unwrap();
    let [row] = &rows[..] else { panic!("{} rows", rows.len()) };
    let name: &[u8] = row.get("bucket");
    assert_eq!(name.len(), 16);
    assert_ne!(name, address.to_be_bytes());
    assert!(!name.windows(4).any(|part| part == [192, 0, 2, 1]));

    node.reset().await.unwrap();
    let left = sqlx::query("select bucket from limits").fetch_all(&mut beside).await.unwrap();
    assert!(left.is_empty());
}
