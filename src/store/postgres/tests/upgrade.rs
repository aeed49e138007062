//! The next version beside this one: it brings the schema up while nodes of this version serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::Row;

use crate::store::postgres::schema::{STEPS, Step, migrate};
use crate::store::postgres::tests::nodes::assert_chained;
use crate::store::postgres::tests::{Cluster, digest};
use crate::store::postgres::{OpenError, Postgres};
use crate::store::samples::{at, certificate, dossier, enter, entered, ordered, person};
use crate::store::{Change, CommitError, Expect, Store, Write};

/// What the next version adds: nothing that this one must know of.
const NEXT: Step = Step {
    version: STEPS.len() as i64 + 1,
    name: "remarks",
    sql: "alter table certificates add column remark text check (octet_length(remark) < 1000); \
          alter table jobs add column urgency int not null default 0; \
          alter table store add column made_by text; \
          create table remarks (certificate uuid primary key references certificates (id), remark text not null); \
          create index certificates_remarked on certificates (id) where remark is not null",
};

/// Everything that a node does with a certificate: enters it, orders, makes the copy, keeps the document, reads.
async fn work(node: &Postgres, number: u64) {
    let one = entered(node, number).await;
    let annotation = ordered(node, &one, number).await;
    let lease = node.lease(at(2_000_000), std::time::Duration::from_secs(60)).await.unwrap().unwrap();
    let settle = Change {
        expects: vec![Expect::Lease(lease.token)],
        writes: vec![Write::JobDone(lease.token.annotation)],
        events: vec![],
    };
    node.commit(settle).await.unwrap();
    let file = number.to_be_bytes();
    node.put_document(&person(number), digest(&file), &file).await.unwrap();
    assert_eq!(node.document(digest(&file)).await.unwrap(), Some(file.to_vec()));
    assert_eq!(dossier(node, &one).await.annotations, [annotation]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_this_version_serve_on_while_and_after_the_next_one_brings_the_schema_up() {
    let cluster = Cluster::new();
    let running = cluster.node().await;
    // So that every statement is prepared for the schema as it was.
    work(&running, 1).await;

    let over = Arc::new(AtomicBool::new(false));
    let entering = {
        let (node, over) = (running.clone(), over.clone());
        tokio::spawn(async move {
            let mut number = 1000;
            while !over.load(Ordering::Relaxed) || number < 1020 {
                match node.commit(enter(&certificate(number))).await {
                    Ok(_) => number += 1,
                    // It waited for the migration; the caller may come again.
                    Err(CommitError::ReadOnly(_)) => {}
                    Err(error) => panic!("{number}: {error}"),
                }
            }
            number
        })
    };
    let mut next = cluster.scratch().await.connect().await;
    let steps = [&STEPS[..], &[NEXT]].concat();
    migrate(&mut next, &steps).await.unwrap();
    sqlx::query("insert into remarks select id, 'by the next version' from certificates")
        .execute(&mut next)
        .await
        .unwrap();
    over.store(true, Ordering::Relaxed);
    let entered_meanwhile = entering.await.unwrap();

    work(&running, 2).await;
    let further = cluster.node().await;
    work(&further, 3).await;
    work(&running, 4).await;
    for number in (1..=4).chain(1000..entered_meanwhile) {
        assert_eq!(further.certificate(certificate(number).id).await.unwrap(), Some(certificate(number)));
    }
    assert_chained(&running).await;

    // Neither took back what the next version made, and that finds nothing left to do.
    migrate(&mut next, &steps).await.unwrap();
    let row = sqlx::query("select max(version) as version, count(*) as steps from _sqlx_migrations")
        .fetch_one(&mut next)
        .await
        .unwrap();
    assert_eq!((row.get::<i64, _>("version"), row.get::<i64, _>("steps")), (NEXT.version, NEXT.version));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_this_version_does_not_open_what_a_later_one_gave_another_format() {
    let cluster = Cluster::new();
    work(&*cluster.node().await, 1).await;
    let mut next = cluster.scratch().await.connect().await;
    let raising = Step { sql: "update store set format = format + 1", ..NEXT };
    migrate(&mut next, &[&STEPS[..], &[raising]].concat()).await.unwrap();
    let opened = Postgres::open(cluster.options().await).await;
    assert!(matches!(opened, Err(OpenError::Format(2))), "{opened:?}");
}
