//! What a node remembers of copies is never older than what the database holds.

use std::sync::Arc;

use sqlx::Row;

use crate::domain::annotation::Annotation;
use crate::domain::certificate::Certificate;
use crate::store::entry::Bytes;
use crate::store::postgres::Postgres;
use crate::store::postgres::gathering::Known;
use crate::store::postgres::tests::{Cluster, digest};
use crate::store::samples::{annotation, begun, entered, ordered, sealed, write};
use crate::store::{Change, Store, Write};

async fn asked(node: &Postgres, annotation: &Annotation) -> Option<(Annotation, Certificate)> {
    node.copy_by_code(annotation.code).await.unwrap()
}

fn remembered(node: &Postgres, annotation: &Annotation) -> Option<Arc<Known>> {
    let core = node.core().unwrap();
    core.copies.find(&core.cipher().blind_code(annotation.code).0)
}

/// Puts something else in the memory for what the database holds, so that whoever answers from memory is found out.
/// Gives back what it is.
fn confuse(node: &Postgres, annotation: &Annotation) -> (Annotation, Certificate) {
    let known = remembered(node, annotation).expect("it was asked for twice");
    let mut other = known.certificate.clone();
    other.version += 1;
    let confused = Known { certificate: other.clone(), annotation: annotation.clone(), mark: known.mark };
    let core = node.core().unwrap();
    core.copies.keep(&core.cipher().blind_code(annotation.code).0, || Arc::new(confused));
    (annotation.clone(), other)
}

/// Two nodes, a certificate and an order of it, for which the first node was asked twice.
async fn well_known(cluster: &Cluster) -> (Arc<Postgres>, Arc<Postgres>, Certificate, Annotation) {
    let (node, other) = (cluster.node().await, cluster.node().await);
    let certificate = entered(&*other, 1).await;
    let order = ordered(&*other, &certificate, 1).await;
    for _ in 0..2 {
        assert_eq!(asked(&node, &order).await, Some((order.clone(), certificate.clone())));
    }
    (node, other, certificate, order)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_did_not_change_is_answered_from_memory() {
    let cluster = Cluster::new();
    let (node, other, certificate, order) = well_known(&cluster).await;
    let confused = confuse(&node, &order);
    assert_eq!(asked(&node, &order).await, Some(confused));
    assert_eq!(asked(&other, &order).await, Some((order, certificate)), "it was not asked before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_another_node_changed_is_never_answered_from_memory() {
    let cluster = Cluster::new();
    let (node, other, mut certificate, mut order) = well_known(&cluster).await;
    let file = digest(b"a copy");
    for step in 0..4 {
        confuse(&node, &order);
        let change = match step % 2 {
            0 => {
                order = if step == 0 { begun(&order) } else { sealed(&annotation(&certificate, 1), file) };
                write(&order, &certificate)
            }
            _ => {
                certificate.details.title = format!("changed {step}").parse().unwrap();
                Write::Certificate(certificate.clone())
            }
        };
        other.commit(Change { writes: vec![change], ..Change::default() }).await.unwrap();
        for _ in 0..3 {
            assert_eq!(asked(&node, &order).await, Some((order.clone(), certificate.clone())), "{step}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_person_is_neither_answered_nor_remembered() {
    let cluster = Cluster::new();
    let (node, other, certificate, order) = well_known(&cluster).await;
    confuse(&node, &order);
    assert_eq!(other.erase_person(&certificate.details.holder.id).await.unwrap(), 1);
    assert_eq!(asked(&node, &order).await, None);
    assert!(remembered(&node, &order).is_none());
    // At the node that erases, nothing waits for a question.
    let certificate = entered(&*other, 2).await;
    let order = ordered(&*other, &certificate, 2).await;
    for _ in 0..2 {
        assert!(asked(&node, &order).await.is_some());
    }
    assert!(remembered(&node, &order).is_some());
    node.erase_person(&certificate.details.holder.id).await.unwrap();
    assert!(remembered(&node, &order).is_none());
    assert_eq!(asked(&node, &order).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_wrapped_anew_is_unwrapped_anew() {
    let cluster = Cluster::new();
    let (node, _, certificate, order) = well_known(&cluster).await;
    confuse(&node, &order);
    let mut beside = cluster.scratch().await.connect().await;
    let row =
        sqlx::query("select slot, person, wrapped from person_keys").fetch_one(&mut beside).await.unwrap();
    let slot = u32::try_from(row.get::<i64, _>("slot")).unwrap();
    let person = Bytes(row.get::<&[u8], _>("person").try_into().unwrap());
    let cipher = node.core().unwrap().cipher();
    let key = cipher.unwrap(slot, person, row.get::<&[u8], _>("wrapped").try_into().unwrap()).unwrap();
    let wrapped = cipher.wrap(slot, person, &key).unwrap();
    sqlx::query("update person_keys set wrapped = $1").bind(&wrapped[..]).execute(&mut beside).await.unwrap();
    assert_eq!(asked(&node, &order).await, Some((order.clone(), certificate)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reset_store_held_is_not_remembered() {
    let cluster = Cluster::new();
    let (node, other, _, order) = well_known(&cluster).await;
    confuse(&node, &order);
    other.reset().await.unwrap();
    assert_eq!(asked(&node, &order).await, None);
    assert!(remembered(&node, &order).is_none());
}
