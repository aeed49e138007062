//! A store moves to PostgreSQL and back, is cut off in the middle, is served meanwhile, and every answer stays the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

mod names;
mod pause;
mod registration;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use crate::domain::account::{Account, Purpose as For};
use crate::domain::annotation::Annotation;
use crate::domain::certificate::Certificate;
use crate::domain::ids::Sha256;
use crate::domain::query::EntryQuery;
use crate::domain::tally::{Door, Heading, Hour, Subject};
use crate::domain::ticket::{Scan, ScanKind, Ticket};
use crate::store::chain::sha256;
use crate::store::cipher::{Cipher, Master};
use crate::store::embedded::moving::arriving::Arriving;
use crate::store::embedded::moving::leaving::Leaving;
use crate::store::embedded::{self, Embedded};
use crate::store::migrate::course::{Course, Slots};
use crate::store::migrate::mentions::Counts;
use crate::store::migrate::{Followed, Holding, MoveError, Source, Switched, Target, Watch, follow, switch};
use crate::store::postgres::tests::Cluster;
use crate::store::postgres::{self, Postgres, Purpose};
use crate::store::samples::{
    account, answered, code, dossier, entered, open_account, open_ticket, opened, ordered, person, sealed,
    session, ticket, write,
};
use crate::store::{Change, CommitError, Health, Store, Write};

fn master() -> Master {
    Master::new([7; 32])
}

fn options() -> embedded::Options {
    embedded::Options { segment_bytes: 256 * 1024, free_floor_bytes: 0, ..embedded::Options::new(master()) }
}

fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

fn unseen() -> Watch {
    Arc::new(|_| {})
}

async fn postgres(cluster: &Cluster, purpose: Purpose) -> Result<Postgres, postgres::OpenError> {
    Postgres::open(postgres::Options { purpose, ..cluster.options().await }).await
}

fn cipher(store: &dyn Holding) -> Arc<Cipher> {
    Arc::new(Cipher::new(&master(), store.id().unwrap()).unwrap())
}

async fn followed(source: &dyn Source, target: &dyn Target) -> Result<Followed, MoveError> {
    follow(source, target, &cipher(source), &unseen()).await
}

async fn switched(source: &dyn Source, target: &dyn Target) -> Result<Switched, MoveError> {
    switch(source, target, &cipher(source), &unseen()).await
}

fn digest(bytes: &[u8]) -> Sha256 {
    Sha256::new(sha256(bytes))
}

fn file(number: u64) -> Vec<u8> {
    format!("the sealed copy number {number} ").repeat(40).into_bytes()
}

fn scan(number: u64) -> Vec<u8> {
    format!("the scan of ticket number {number} ").repeat(40).into_bytes()
}

/// The ticket of person `number`, with its scan.
fn sent_ticket(number: u64) -> Ticket {
    let scan = Scan { document: digest(&scan(number)), kind: ScanKind::Pdf };
    Ticket { scan, ..ticket(number) }
}

/// Certificates with an order each; of three orders two are sealed. Every fifth person has an account, in use, a ticket,
/// every other one of them answered, and a case.
async fn fill(store: &dyn Store, numbers: std::ops::Range<u64>) -> Vec<(Certificate, Annotation)> {
    let mut made = Vec::new();
    for number in numbers {
        let certificate = entered(store, number).await;
        let mut annotation = ordered(store, &certificate, number).await;
        if number % 3 > 0 {
            let bytes = file(number);
            store.put_document(&person(number), digest(&bytes), &bytes).await.unwrap();
            annotation = sealed(&annotation, digest(&bytes));
            let writes = vec![write(&annotation, &certificate), Write::JobDone(annotation.id)];
            store.commit(Change { writes, ..Change::default() }).await.unwrap();
        }
        if number % 5 == 4 {
            let (account, _) = opened(store, number).await;
            let sent = Write::VerificationCode(account.mobile.clone().into(), code(For::SignUp, number));
            let writes = vec![Write::Session(session(&account, number)), sent];
            store.commit(Change { writes, ..Change::default() }).await.unwrap();
            let sent = sent_ticket(number);
            store.put_document(&sent.person, sent.scan.document, &scan(number)).await.unwrap();
            store.commit(open_ticket(&sent)).await.unwrap();
            if number % 2 == 0 {
                let writes = vec![Write::Ticket(answered(&sent))];
                store.commit(Change { writes, ..Change::default() }).await.unwrap();
            }
            registration::fill(store, number).await;
        }
        let heading = Heading {
            subject: Subject::Annotation(annotation.id),
            hour: Hour::of(annotation.order.requested_at),
            door: Door::Link,
        };
        store.count_checks(&[(heading, number + 1)].into()).await.unwrap();
        made.push((certificate, annotation));
    }
    made
}

/// Everything that a store answers about what was made in it.
async fn answers(store: &dyn Store, made: &[(Certificate, Annotation)]) -> Vec<String> {
    let mut answers = vec![
        format!("{:?}", store.head().await.unwrap()),
        format!("{:?}", store.queue(None).await.unwrap()),
        format!("{:?}", store.depth().await.unwrap()),
    ];
    for (certificate, annotation) in made {
        answers.push(format!("{:?}", store.copy_by_code(annotation.code).await.unwrap()));
        answers.push(format!("{:?}", store.job(annotation.id).await.unwrap()));
        let subject = Subject::Annotation(annotation.id);
        answers.push(format!("{:?}", store.checks(subject).await.unwrap()));
        let dossier = store.dossier(certificate.id).await.unwrap();
        answers.push(format!("{dossier:?}"));
        if let Some(sealed) = annotation.sealed() {
            answers.push(format!("{:?}", store.document(sealed.document).await.unwrap()));
        }
    }
    answers.extend(registration::lists(store).await);
    for number in 0..made.len() as u64 {
        let account = account(number);
        answers.push(format!("{:?}", store.account(account.id).await.unwrap()));
        answers.push(format!("{:?}", store.account_by_login(&account.owner.login()).await.unwrap()));
        answers.push(format!("{:?}", store.session(session(&account, number).token).await.unwrap()));
        let code = store.verification_code(For::SignUp, &account.mobile.clone().into()).await.unwrap();
        answers.push(format!("{code:?}"));
        let sent = sent_ticket(number);
        answers.push(format!(
            "{:?}",
            store.ticket(sent.id).await.unwrap().map(|(it, revision)| (it.state, revision))
        ));
        answers.push(format!("{:?}", store.open_ticket(&sent.person, &sent.mobile).await.unwrap()));
        answers.push(format!("{:?}", store.document(sent.scan.document).await.unwrap()));
        answers.extend(registration::answers(store, number).await);
        let query = EntryQuery { account: Some(account.id), limit: 500, ..EntryQuery::default() };
        answers.push(format!("{:?}", store.entries(&query).await.unwrap()));
    }
    let mut after = None;
    loop {
        let page = store.entries(&EntryQuery { after, limit: 500, ..EntryQuery::default() }).await.unwrap();
        after = page.items.last().map(|entry| entry.seq);
        answers.push(format!("{page:?}"));
        if !page.more {
            return answers;
        }
    }
}

fn assert_same(before: &[String], after: &[String]) {
    for (before, after) in before.iter().zip(after) {
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_goes_to_postgres_and_back_and_answers_the_same() {
    let (here, back, cluster) = (scratch(), scratch(), Cluster::new());
    let old = Embedded::open(here.path(), options()).unwrap();
    let made = fill(&old, 0..150).await;
    old.erase_person(&person(4)).await.unwrap();
    let again = Account { id: account(1000).id, ..account(4) };
    old.commit(open_account(&again)).await.unwrap();
    let before = answers(&old, &made).await;
    old.close().await.unwrap();

    let source = Leaving::open(here.path(), &master()).unwrap();
    let target = postgres(&cluster, Purpose::Receive(source.id().unwrap())).await.unwrap();
    let copied = followed(&source, &target).await.unwrap();
    assert!(copied.copied.entries > 0, "a closed ledger is copied whole: {copied:?}");
    let done = switched(&source, &target).await.unwrap();
    assert!(done.verified.report.erased > 0, "what was erased stays so");
    let Counts { accounts, sessions, codes, tickets, cases, registrants, companies, .. } =
        done.verified.counts;
    let counted = [accounts, sessions, codes, tickets, cases, registrants];
    assert_eq!((counted, companies), ([30; 6], 2), "who came again is counted once");
    target.close().await.unwrap();
    assert!(matches!(Embedded::open(here.path(), options()), Err(embedded::OpenError::Moved)));

    let there = cluster.node().await;
    assert_same(&before, &answers(&*there, &made).await);
    assert_eq!(there.account_by_login(&again.owner.login()).await.unwrap().unwrap().0, again);
    // It goes on there: the erased person comes again, with a new key.
    ordered(&*there, &made[0].0, 900).await;
    entered(&*there, 900).await;
    let before = answers(&*there, &made).await;

    let source = postgres(&cluster, Purpose::Look).await.unwrap();
    let target = Arriving::open(back.path(), &options(), source.id().unwrap()).unwrap();
    followed(&source, &target).await.unwrap();
    switched(&source, &target).await.unwrap();
    drop(target);
    let refused = there.commit(Change::default()).await;
    assert!(matches!(refused, Err(CommitError::ReadOnly("the store was moved"))), "{refused:?}");
    assert_eq!(there.health().await, Health::ReadOnly("the store was moved"));
    assert!(there.erase_person(&person(1)).await.is_err(), "an erasure after the switch would be lost");
    assert!(matches!(postgres(&cluster, Purpose::Serve).await, Err(postgres::OpenError::Moved)));

    let home = Embedded::open(back.path(), options()).unwrap();
    assert_same(&before, &answers(&home, &made).await);
    ordered(&home, &made[1].0, 901).await;
    home.close().await.unwrap();
    let report = embedded::check(back.path(), &master()).unwrap();
    assert!(report.is_sound(), "{:?}", report.lines());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_cut_off_goes_on_from_where_it_was() {
    let (here, there, cluster) = (scratch(), scratch(), Cluster::new());
    let old = Embedded::open(here.path(), options()).unwrap();
    let made = fill(&old, 0..250).await;
    let before = answers(&old, &made).await;
    old.close().await.unwrap();

    let source = Leaving::open(here.path(), &master()).unwrap();
    let id = source.id().unwrap();
    let mut heads = Vec::new();
    for _ in 0..2 {
        // Dropped after a batch, as if it were killed.
        let target = postgres(&cluster, Purpose::Receive(id)).await.unwrap();
        let mut course = Course::begin(&source, &target, Slots::All).await.unwrap();
        assert!(course.batch().await.unwrap());
        heads.push(course.copied.head.seq);
    }
    assert!(heads[0] < heads[1], "{heads:?}");
    let target = postgres(&cluster, Purpose::Receive(id)).await.unwrap();
    switched(&source, &target).await.unwrap();
    assert_same(&before, &answers(&*cluster.node().await, &made).await);

    let source = postgres(&cluster, Purpose::Look).await.unwrap();
    for round in 1..=2 {
        let target = Arriving::open(there.path(), &options(), id).unwrap();
        let mut course = Course::begin(&source, &target, Slots::All).await.unwrap();
        assert!(course.batch().await.unwrap());
        assert_eq!(course.copied.head.seq, heads[0] * round, "as many entries a batch");
    }
    let target = Arriving::open(there.path(), &options(), id).unwrap();
    switched(&source, &target).await.unwrap();
    drop(target);
    let home = Embedded::open(there.path(), options()).unwrap();
    assert_same(&before, &answers(&home, &made).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_served_meanwhile_is_caught_up_with() {
    let (here, cluster) = (scratch(), Cluster::new());
    let old = Arc::new(Embedded::open(here.path(), options()).unwrap());
    let mut made = fill(&*old, 0..40).await;
    let writing = tokio::spawn({
        let old = old.clone();
        async move { fill(&*old, 40..120).await }
    });
    let source = Leaving::open(here.path(), &master()).unwrap();
    let target = postgres(&cluster, Purpose::Receive(source.id().unwrap())).await.unwrap();
    let mut rounds = 0;
    while !writing.is_finished() || rounds == 0 {
        followed(&source, &target).await.unwrap();
        rounds += 1;
    }
    made.extend(writing.await.unwrap());
    let gone = person(50);
    old.erase_person(&gone).await.unwrap();

    let refused = switched(&source, &target).await;
    let Err(MoveError::Fault(fault)) = refused else { panic!("a served store was switched: {refused:?}") };
    assert!(fault.source.to_string().contains("stop it first"), "{fault:?}");
    let before = answers(&*old, &made).await;
    old.close().await.unwrap();
    switched(&source, &target).await.unwrap();
    let new = cluster.node().await;
    assert_same(&before, &answers(&*new, &made).await);
    assert!(new.dossier(made[50].0.id).await.unwrap().is_none(), "erased after it was copied");
    // The person comes again and gets a key that works.
    entered(&*new, 700).await;
    new.put_document(&gone, digest(b"x"), b"x").await.unwrap();
    assert_eq!(new.document(digest(b"x")).await.unwrap(), Some(b"x".to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_served_postgres_refuses_writes_from_the_switch_on_and_loses_none() {
    let (there, cluster) = (scratch(), Cluster::new());
    let node = cluster.node().await;
    let made = fill(&*node, 0..20).await;
    let source = postgres(&cluster, Purpose::Look).await.unwrap();
    let target = Arriving::open(there.path(), &options(), source.id().unwrap()).unwrap();
    followed(&source, &target).await.unwrap();
    let writing = tokio::spawn({
        let node = node.clone();
        async move {
            let mut kept = Vec::new();
            for number in 100.. {
                let certificate = crate::store::samples::certificate(number);
                match node.commit(crate::store::samples::enter(&certificate)).await {
                    Ok(_) => kept.push(certificate),
                    Err(CommitError::ReadOnly(_)) => break,
                    Err(error) => panic!("{error:?}"),
                }
            }
            kept
        }
    });
    switched(&source, &target).await.unwrap();
    drop(target);
    let kept = writing.await.unwrap();
    let home = Embedded::open(there.path(), options()).unwrap();
    for certificate in kept {
        assert_eq!(home.certificate(certificate.id).await.unwrap(), Some(certificate));
    }
    assert_eq!(dossier(&home, &made[3].0).await.annotations.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_go_wrong_is_refused() {
    let (here, there, cluster) = (scratch(), scratch(), Cluster::new());
    let old = Embedded::open(here.path(), options()).unwrap();
    fill(&old, 0..5).await;
    old.close().await.unwrap();
    let source = Leaving::open(here.path(), &master()).unwrap();
    let id = source.id().unwrap();

    let wrong = Leaving::open(here.path(), &Master::new([8; 32]));
    assert!(matches!(wrong, Err(embedded::OpenError::WrongMaster)), "{wrong:?}");
    let nothing = Leaving::open(&there.path().join("nowhere"), &master());
    assert!(matches!(nothing, Err(embedded::OpenError::Nothing)), "{nothing:?}");
    // A target that is not empty, or receives another store.
    let in_use = Arriving::open(here.path(), &options(), id);
    assert!(matches!(in_use, Err(embedded::OpenError::Occupied)), "{in_use:?}");
    let target = Arriving::open(there.path(), &options(), id).unwrap();
    followed(&source, &target).await.unwrap();
    drop(target);
    let other = Arriving::open(there.path(), &options(), [9; 16]);
    assert!(matches!(other, Err(embedded::OpenError::Occupied)), "{other:?}");
    let receiving = postgres(&cluster, Purpose::Receive(id)).await.unwrap();
    let other = postgres(&cluster, Purpose::Receive([9; 16])).await;
    assert!(matches!(other, Err(postgres::OpenError::Occupied)), "{other:?}");

    // What is not all there yet is not served, nor backed up, nor moved on.
    let served = Embedded::open(there.path(), options());
    assert!(matches!(served, Err(embedded::OpenError::Receiving)), "{served:?}");
    let backed_up = embedded::backup(there.path(), &there.path().join("backup"));
    assert!(matches!(backed_up, Err(embedded::OpenError::Receiving)), "{backed_up:?}");
    let served = postgres(&cluster, Purpose::Serve).await;
    assert!(matches!(served, Err(postgres::OpenError::Receiving)), "{served:?}");
    let half = Leaving::open(there.path(), &master()).unwrap();
    let moved_on = followed(&half, &receiving).await;
    assert!(matches!(moved_on, Err(MoveError::SourceReceives)), "{moved_on:?}");

    // A target that holds what the source never had.
    let another = scratch();
    let stranger = Embedded::open(another.path(), options()).unwrap();
    fill(&stranger, 50..53).await;
    stranger.close().await.unwrap();
    let stranger = Leaving::open(another.path(), &master()).unwrap();
    let mut course = Course::begin(&stranger, &receiving, Slots::All).await.unwrap();
    course.batch().await.unwrap();
    let apart = followed(&source, &receiving).await;
    assert!(matches!(apart, Err(MoveError::Apart(_))), "{apart:?}");

    // Once moved, it is not moved again, but to the end of what was begun.
    let target = Arriving::open(there.path(), &options(), id).unwrap();
    let elsewhere = scratch();
    let second = Arriving::open(elsewhere.path(), &options(), id).unwrap();
    switched(&source, &target).await.unwrap();
    drop(target);
    let again = followed(&source, &second).await;
    assert!(matches!(again, Err(MoveError::SourceMoved)), "{again:?}");
    let again = switched(&source, &second).await;
    assert!(matches!(again, Err(MoveError::SourceMoved)), "{again:?}");
    let reused = Arriving::open(here.path(), &options(), id);
    assert!(matches!(reused, Err(embedded::OpenError::Moved | embedded::OpenError::Locked)), "{reused:?}");
}
