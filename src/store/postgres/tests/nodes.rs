//! Many nodes on one database.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Row;

use crate::domain::ids::{Code, Sha256};
use crate::domain::query::CertificateQuery;
use crate::store::chain::{link, sha256};
use crate::store::contract::Home;
use crate::store::contract::register::{QUOTA, fifty_orders};
use crate::store::migrate::Holding;
use crate::store::postgres::Postgres;
use crate::store::postgres::tests::{Cluster, digest};
use crate::store::samples::{
    annotation, at, begun, certificate, dossier, enter, entered, opened, ordered, person, write,
};
use crate::store::{Change, CommitError, Expect, Health, Store, Write};

const TTL: Duration = Duration::from_secs(60);

/// Walks the ledger from its beginning: no number is missing, and every chain value is that of the one before and the
/// payload.
pub(super) async fn assert_chained(store: &Postgres) {
    let (mut seq, mut chain) = (0, [0; 32]);
    loop {
        let entries = store.raw_entries(seq, 100).await.unwrap();
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            assert_eq!(entry.seq, seq + 1);
            chain = link(&chain, &sha256(&entry.payload));
            assert_eq!(entry.chain, chain);
            seq = entry.seq;
        }
    }
    let head = store.head().await.unwrap();
    assert_eq!((head.seq, head.chain), (seq, Sha256::new(chain)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_orders_through_three_nodes_fill_the_quota_exactly() {
    let cluster = Cluster::new();
    let nodes = [cluster.node().await, cluster.node().await, cluster.node().await];
    let one = entered(&*nodes[0], 1).await;
    let stores = nodes.clone().map(|node| node as Arc<dyn Store>);
    assert_eq!(fifty_orders(&stores, &one).await, QUOTA);
    for node in &nodes {
        assert_eq!(dossier(&**node, &one).await.annotations.len(), QUOTA);
        assert_eq!(node.depth().await.unwrap(), QUOTA as u64);
    }
    assert_chained(&nodes[1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_of_two_nodes_never_share_a_job() {
    let cluster = Cluster::new();
    let nodes = [cluster.node().await, cluster.node().await];
    let one = entered(&*nodes[0], 1).await;
    for number in 0..20 {
        ordered(&*nodes[(number % 2) as usize], &one, number).await;
    }
    let workers: Vec<_> = (0..6)
        .map(|worker: usize| {
            let node = nodes[worker % 2].clone();
            tokio::spawn(async move {
                let mut done = Vec::new();
                while let Some(lease) = node.lease(at(2_000_000), TTL).await.unwrap() {
                    let settle = Change {
                        expects: vec![Expect::Lease(lease.token)],
                        writes: vec![Write::JobDone(lease.token.annotation)],
                        events: vec![],
                    };
                    node.commit(settle).await.unwrap();
                    done.push(lease.token.annotation);
                }
                done
            })
        })
        .collect();
    let mut done = Vec::new();
    for worker in workers {
        done.extend(worker.await.unwrap());
    }
    assert_eq!(done.len(), 20);
    assert_eq!(done.iter().collect::<HashSet<_>>().len(), 20, "each job once");
    assert_eq!(nodes[0].depth().await.unwrap(), 0);
    assert_chained(&nodes[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_asked_at_once_are_each_answered_with_their_own_copy() {
    let cluster = Cluster::new();
    let (asked, other) = (cluster.node().await, cluster.node().await);
    let one = entered(&*other, 1).await;
    let orders = [ordered(&*other, &one, 1).await, ordered(&*other, &one, 2).await];
    let stranger: Code = annotation(&one, 3).code;
    let questions: Vec<_> = (0..60)
        .map(|nth| {
            let (node, code) = (asked.clone(), [orders[0].code, orders[1].code, stranger][nth % 3]);
            tokio::spawn(async move { node.copy_by_code(code).await })
        })
        .collect();
    for (nth, question) in questions.into_iter().enumerate() {
        let expected = orders.get(nth % 3).map(|order| (order.clone(), one.clone()));
        assert_eq!(question.await.unwrap().unwrap(), expected);
    }
    // What another node did a moment ago is seen, however often the code was asked for.
    let changed = begun(&orders[0]);
    let change = Change { writes: vec![write(&changed, &one)], ..Change::default() };
    other.commit(change).await.unwrap();
    assert_eq!(asked.copy_by_code(orders[0].code).await.unwrap(), Some((changed, one.clone())));
    other.erase_person(&one.details.holder.id).await.unwrap();
    assert_eq!(asked.copy_by_code(orders[0].code).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_closes_gives_its_leases_back_and_one_that_is_killed_keeps_them_until_they_lapse() {
    let cluster = Cluster::new();
    let (closing, killed, staying) = (cluster.node().await, cluster.node().await, cluster.node().await);
    let one = entered(&*closing, 1).await;
    let (first, second) = (ordered(&*closing, &one, 1).await, ordered(&*closing, &one, 2).await);
    let now = at(2_000_000);
    assert_eq!(closing.lease(now, TTL).await.unwrap().unwrap().job.annotation, first.id);
    assert_eq!(killed.lease(now, TTL).await.unwrap().unwrap().job.annotation, second.id);
    assert!(staying.lease(now, TTL).await.unwrap().is_none());
    closing.close().await.unwrap();
    drop(killed);
    assert_eq!(staying.lease(now, TTL).await.unwrap().unwrap().job.annotation, first.id);
    assert!(staying.lease(now, TTL).await.unwrap().is_none());
    assert_eq!(staying.lease(now + TTL, TTL).await.unwrap().unwrap().job.annotation, first.id);
    assert_eq!(staying.lease(now + TTL, TTL).await.unwrap().unwrap().job.annotation, second.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_one_node_hears_of_a_job_ordered_at_another() {
    let cluster = Cluster::new();
    let (api, worker) = (cluster.node().await, cluster.node().await);
    let one = entered(&*api, 1).await;
    let waiting = tokio::spawn(async move {
        loop {
            if let Some(lease) = worker.lease(at(2_000_000), TTL).await.unwrap() {
                return lease.job.annotation;
            }
            worker.job_arrived().await;
        }
    });
    let annotation = ordered(&*api, &one, 1).await;
    assert_eq!(waiting.await.unwrap(), annotation.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_make_one_store() {
    let cluster = Cluster::new();
    let (a, b, c) = tokio::join!(cluster.node(), cluster.node(), cluster.node());
    let ids = [a.id().unwrap(), b.id().unwrap(), c.id().unwrap()];
    assert!(ids.iter().all(|id| *id == ids[0]));
    entered(&*a, 1).await;
    assert_eq!(b.certificate(certificate(1).id).await.unwrap(), Some(certificate(1)));
    assert_eq!(c.health().await, Health::Ready);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_meet_a_person_at_once_use_one_key() {
    let cluster = Cluster::new();
    let nodes = [cluster.node().await, cluster.node().await];
    let writes: Vec<_> = (0..20)
        .map(|number: u64| {
            let node = nodes[(number % 2) as usize].clone();
            let mut one = certificate(number);
            one.details.holder.id = person(7);
            tokio::spawn(async move { node.commit(enter(&one)).await.unwrap() })
        })
        .collect();
    for write in writes {
        write.await.unwrap();
    }
    let mut beside = cluster.scratch().await.connect().await;
    let row = sqlx::query("select count(*) as keys from person_keys").fetch_one(&mut beside).await.unwrap();
    assert_eq!(row.get::<i64, _>("keys"), 1);
    let query = CertificateQuery { person: Some(person(7)), limit: 50, ..CertificateQuery::default() };
    assert_eq!(nodes[0].certificates(&query).await.unwrap().items.len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_erased_at_one_node_is_erased_at_all() {
    let cluster = Cluster::new();
    let (one, other) = (cluster.node().await, cluster.node().await);
    let gone = entered(&*one, 1).await;
    let annotation = ordered(&*other, &gone, 1).await;
    let file = b"a copy".to_vec();
    one.put_document(&person(1), digest(&file), &file).await.unwrap();
    assert_eq!(other.document(digest(&file)).await.unwrap(), Some(file.clone()));
    let head = one.head().await.unwrap();
    assert_eq!(one.erase_person(&person(1)).await.unwrap(), 1);
    for node in [&one, &other] {
        assert_eq!(node.certificate(gone.id).await.unwrap(), None);
        assert!(node.dossier(gone.id).await.unwrap().is_none());
        assert_eq!(node.annotation(annotation.id).await.unwrap(), None);
        assert_eq!(node.copy_by_code(annotation.code).await.unwrap(), None);
        assert_eq!(node.document(digest(&file)).await.unwrap(), None);
        assert_eq!(node.head().await.unwrap(), head, "what happened stays");
    }
    assert_chained(&other).await;
    // Who comes again is a new person, with a new key, and so is what is kept of them.
    let mut again = certificate(1);
    (again.id, again.version) = (certificate(77).id, 2);
    other.commit(Change { expects: vec![], ..enter(&again) }).await.unwrap();
    other.put_document(&person(1), digest(&file), &file).await.unwrap();
    assert_eq!(one.certificate(again.id).await.unwrap(), Some(again));
    assert_eq!(one.document(digest(&file)).await.unwrap(), Some(file));
    assert_eq!(one.certificate(gone.id).await.unwrap(), None);
    assert_eq!(other.erase_person(&person(1)).await.unwrap(), 1);
    assert_eq!(other.erase_person(&person(5)).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_of_the_cluster_is_done_by_one_node_at_a_time() {
    let cluster = Cluster::new();
    let nodes = [cluster.node().await, cluster.node().await, cluster.node().await];
    let turns: Vec<_> = (0..12)
        .map(|number: usize| {
            let node = nodes[number % 3].clone();
            tokio::spawn(async move { node.take_turn("sweep", at(0), TTL).await.unwrap() })
        })
        .collect();
    let mut taken = 0;
    for turn in turns {
        taken += usize::from(turn.await.unwrap());
    }
    assert_eq!(taken, 1);
    assert!(nodes[1].take_turn("expiry", at(0), TTL).await.unwrap(), "another task is another matter");
    assert!(nodes[2].take_turn("sweep", at(0) + TTL, TTL).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_itself_refuses_two_orders_decided_on_one_revision() {
    let cluster = Cluster::new();
    let node = cluster.node().await;
    let one = entered(&*node, 1).await;
    ordered(&*node, &one, 1).await;
    let mut beside = cluster.scratch().await.connect().await;
    let copied = sqlx::query(
        "insert into annotations select gen_random_uuid(), certificate, issuer, sha256(code)::bytea, slot, state, \
         document, sealed, decided_on, nth from annotations",
    );
    assert!(copied.execute(&mut beside).await.is_err());
    // With a code of the right length it is the decision that is refused.
    let copied = sqlx::query(
        "insert into annotations select gen_random_uuid(), certificate, issuer, substr(sha256(code), 1, 16), slot, \
         state, document, sealed, decided_on, nth from annotations",
    );
    let refused = copied.execute(&mut beside).await.unwrap_err();
    let refused = refused.as_database_error().unwrap();
    assert_eq!(refused.constraint(), Some("annotations_decided_once"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_itself_refuses_a_second_account_of_a_login_name() {
    let cluster = Cluster::new();
    let node = cluster.node().await;
    opened(&*node, 1).await;
    let mut beside = cluster.scratch().await.connect().await;
    let copied = sqlx::query(
        "insert into accounts select gen_random_uuid(), login, slot, sealed, revision from accounts",
    );
    let refused = copied.execute(&mut beside).await.unwrap_err();
    let refused = refused.as_database_error().unwrap();
    assert_eq!(refused.constraint(), Some("accounts_one_of_a_login"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_another_node_reset_is_known_anew() {
    let cluster = Cluster::new();
    let (one, other) = (cluster.node().await, cluster.node().await);
    entered(&*one, 1).await;
    one.reset().await.unwrap();
    let mut entering = other.commit(enter(&certificate(1))).await;
    if matches!(entering, Err(CommitError::Conflict)) {
        entering = other.commit(enter(&certificate(1))).await;
    }
    entering.unwrap();
    assert_eq!(one.certificate(certificate(1).id).await.unwrap(), Some(certificate(1)));
    assert_eq!(one.id().unwrap(), other.id().unwrap());
    assert_chained(&other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_master_key_and_a_later_format_are_refused() {
    use crate::store::cipher::Master;
    use crate::store::postgres::{OpenError, Options};
    let cluster = Cluster::new();
    let home: Arc<dyn Store> = cluster.open().await;
    entered(&*home, 1).await;
    let options = cluster.options().await;
    let wrong = Postgres::open(Options { master: Master::new([8; 32]), ..options.clone() }).await;
    assert!(matches!(wrong, Err(OpenError::WrongMaster)), "{wrong:?}");
    let mut beside = cluster.scratch().await.connect().await;
    sqlx::query("update store set format = 2").execute(&mut beside).await.unwrap();
    let later = Postgres::open(options.clone()).await;
    assert!(matches!(later, Err(OpenError::Format(2))), "{later:?}");
    let nowhere = Postgres::open(Options { url: "mysql://x".to_owned().into(), ..options }).await;
    assert!(matches!(nowhere, Err(OpenError::Address)), "{nowhere:?}");
}
