//! Login names that change hands while a store moves: each that is in use is counted once, whoever has it.

use std::ops::AsyncFn;
use std::sync::Arc;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::domain::account::{Account, Owner, Purpose as For, Session};
use crate::domain::staff::Level;
use crate::store::embedded::moving::arriving::Arriving;
use crate::store::embedded::moving::leaving::Leaving;
use crate::store::embedded::{self, Embedded};
use crate::store::migrate::course::{Course, Slots};
use crate::store::migrate::mentions::{Counts, Mentions};
use crate::store::migrate::tests::{cipher, followed, master, options, postgres, scratch, switched, unseen};
use crate::store::migrate::verification::{counted, verify};
use crate::store::migrate::{Holding, MoveError, Source, Target};
use crate::store::postgres::Purpose;
use crate::store::postgres::tests::Cluster;
use crate::store::samples::{account, at, code, contact, open_account, opened, person, session, staff, unit};
use crate::store::{Change, Store, Write};

/// How a move goes on after what is there at first was verified.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// All that came since is left to the pause.
    Straight,
    /// Each part is verified while it is served.
    Often,
    /// All that came since was copied, and the copy was killed before it verified.
    Killed,
}

async fn wrote(store: &dyn Store, write: Write) {
    store.commit(Change { writes: vec![write], ..Change::default() }).await.unwrap();
}

fn member(number: u64) -> Account {
    staff(number, Level::Province)
}

async fn renamed(store: &dyn Store, account: &Account, owner: Owner) {
    wrote(store, Write::Account(Account { owner, ..account.clone() })).await;
}

/// The account `number`, opened with the name of another.
async fn succeeded(store: &dyn Store, name: &Account, number: u64) -> Account {
    let successor = Account { id: account(number).id, ..name.clone() };
    store.commit(open_account(&successor)).await.unwrap();
    successor
}

async fn sent(store: &dyn Store, purpose: For) {
    wrote(store, Write::VerificationCode(contact(1), code(purpose, 1))).await;
}

/// What is there at first.
async fn begin(store: &dyn Store) {
    for number in 11..=14 {
        store.commit(open_account(&member(number))).await.unwrap();
    }
    for number in 1..=4 {
        opened(store, number).await;
    }
    store.commit(open_account(&unit(21))).await.unwrap();
    for (account, number) in [(member(11), 1), (account(1), 2)] {
        wrote(store, Write::Session(session(&account, number))).await;
    }
    for purpose in [For::SignUp, For::Recovery] {
        sent(store, purpose).await;
    }
}

/// What happens to it, in two parts; persons are erased before each. Gives back what there is then.
async fn go_on(store: &dyn Store, erase: impl AsyncFn(u64) -> usize, part: u32) -> Counts {
    if part == 1 {
        for number in 1..=3 {
            assert_eq!(erase(number).await, 1);
        }
        // Who was there before takes another name, and somebody else the one that is left.
        renamed(store, &member(11), member(31).owner).await;
        succeeded(store, &member(11), 41).await;
        for number in [32, 33] {
            renamed(store, &member(12), member(number).owner).await;
        }
        // Who was erased comes again, once to stay and once to leave the name for good.
        succeeded(store, &account(1), 42).await;
        let again = succeeded(store, &account(2), 43).await;
        renamed(store, &again, member(34).owner).await;
        // Two names become one: that of an erased person is taken by who had another.
        renamed(store, &member(13), account(3).owner).await;
        renamed(store, &member(14), account(5).owner).await;
        let ended = Session { ended_at: Some(at(60_000)), ..session(&member(11), 1) };
        wrote(store, Write::Session(ended)).await;
        sent(store, For::SignUp).await;
        return Counts { accounts: 9, sessions: 2, codes: 2, ..Counts::default() };
    }
    assert_eq!(erase(5).await, 1, "the key that a staff member took with the name");
    succeeded(store, &account(5), 44).await;
    wrote(store, Write::Account(Account { notice: Some((1, at(9))), ..account(4) })).await;
    store.commit(open_account(&unit(22))).await.unwrap();
    wrote(store, Write::Session(session(&unit(22), 3))).await;
    sent(store, For::Submit).await;
    Counts { accounts: 10, sessions: 3, codes: 3, ..Counts::default() }
}

/// Who has each name, and what else is known by a name.
async fn answers(store: &dyn Store) -> Vec<String> {
    let names = (1..=5).map(account).chain((11..=14).chain(31..=34).map(member)).chain((21..=22).map(unit));
    let mut answers = Vec::new();
    for name in names {
        answers.push(format!("{:?}", store.account_by_login(&name.owner.login()).await.unwrap()));
    }
    for (account, number) in [(member(11), 1), (account(1), 2), (unit(22), 3)] {
        answers.push(format!("{:?}", store.session(session(&account, number).token).await.unwrap()));
    }
    answers
}

/// Copies what is new, and is killed before any of it is verified.
async fn copied(source: &dyn Source, target: &dyn Target) {
    let mut course = Course::begin(source, target, Slots::All).await.unwrap();
    while course.batch().await.unwrap() {}
}

/// Moves a store whose first part is made, and makes the others meanwhile.
async fn move_on(
    store: &dyn Store,
    erase: impl AsyncFn(u64) -> usize,
    close: impl AsyncFn(),
    (source, target): (&dyn Source, &dyn Target),
    way: Way,
) -> Vec<String> {
    let mut known = followed(source, target).await.unwrap().verified;
    let mut counts = known.counts;
    for part in 1..=2 {
        counts = go_on(store, &erase, part).await;
        if matches!(way, Way::Often) {
            known = followed(source, target).await.unwrap().verified;
        }
    }
    let answers = answers(store).await;
    close().await;
    if matches!(way, Way::Killed) {
        copied(source, target).await;
    }
    let done = switched(source, target).await.unwrap();
    assert_eq!(done.before, known.head.seq, "{way:?}");
    assert_eq!(done.verified.counts, counts, "{way:?}");
    assert_eq!(target.counts().await.unwrap(), counts, "{way:?}");
    assert_eq!(counted(target).await.unwrap(), counts, "{way:?}: as the ledger alone tells");
    let report = verify(target, &cipher(source), &unseen()).await.unwrap();
    assert!(report.is_sound(), "{way:?}: {report:?}");
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_was_verified_and_changes_hands_after_it_is_counted_once() {
    for way in [Way::Straight, Way::Often, Way::Killed] {
        let (here, there, cluster) = (scratch(), scratch(), Cluster::new());
        let old = Embedded::open(here.path(), options()).unwrap();
        begin(&old).await;
        let source = Leaving::open(here.path(), &master()).unwrap();
        let target = postgres(&cluster, Purpose::Receive(source.id().unwrap())).await.unwrap();
        let erase = async |number| old.erase_person(&person(number)).await.unwrap();
        let close = async || old.close().await.unwrap();
        let before = move_on(&old, erase, close, (&source, &target), way).await;
        assert_eq!(answers(&*cluster.node().await).await, before, "{way:?}");

        let cluster = Cluster::new();
        let node = cluster.node().await;
        begin(&*node).await;
        let source = postgres(&cluster, Purpose::Look).await.unwrap();
        let target = Arriving::open(there.path(), &options(), source.id().unwrap()).unwrap();
        let erase = async |number| node.erase_person(&person(number)).await.unwrap();
        let before = move_on(&*node, erase, async || {}, (&source, &target), way).await;
        drop(target);
        let home = Embedded::open(there.path(), options()).unwrap();
        assert_eq!(answers(&home).await, before, "{way:?}");
        home.close().await.unwrap();
        let report = embedded::check(there.path(), &master()).unwrap();
        assert!(report.is_sound(), "{:?}", report.lines());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_rest_names_and_is_not_there_is_missed_in_the_pause() {
    let (here, there, cluster) = (scratch(), scratch(), Cluster::new());
    let old = Embedded::open(here.path(), options()).unwrap();
    begin(&old).await;
    old.close().await.unwrap();
    let source = Leaving::open(here.path(), &master()).unwrap();
    let id = source.id().unwrap();
    let database = postgres(&cluster, Purpose::Receive(id)).await.unwrap();
    let folder = Arriving::open(there.path(), &options(), id).unwrap();
    let known = followed(&source, &database).await.unwrap().verified;
    followed(&source, &folder).await.unwrap();
    let old = Embedded::open(here.path(), options()).unwrap();
    for part in 1..=2 {
        go_on(&old, async |number| old.erase_person(&person(number)).await.unwrap(), part).await;
    }
    old.close().await.unwrap();

    let mut rest = Mentions::default();
    for entry in source.raw_entries(known.head.seq, 1000).await.unwrap() {
        rest.read(&entry.payload).unwrap();
    }
    let rest = Arc::new(rest);
    for target in [&database as &dyn Target, &folder] {
        // All of the nine but the unit's.
        let before = Counts { accounts: 8, sessions: 1, codes: 1, ..Counts::default() };
        assert_eq!(target.held(&rest).await.unwrap(), before);
        copied(&source, target).await;
        let after = Counts { accounts: 9, sessions: 2, codes: 2, ..Counts::default() };
        assert_eq!((target.held(&rest).await.unwrap(), rest.counts()), (after, after));
    }

    for harm in [
        "delete from accounts where revision = (select max(revision) from accounts)",
        "delete from sessions where revision = (select max(revision) from sessions)",
        "delete from codes where purpose = 'submit'",
    ] {
        let mut beside = PgConnection::connect(&cluster.options().await.url).await.unwrap();
        let gone = sqlx::query(harm).execute(&mut beside).await.unwrap();
        assert_eq!(gone.rows_affected(), 1, "{harm}");
        let refused = switched(&source, &database).await;
        let Err(MoveError::Unlike(faults)) = refused else { panic!("{harm}: {refused:?}") };
        assert!(faults.iter().any(|fault| fault.contains("of that are there")), "{harm}: {faults:?}");
    }
    switched(&source, &folder).await.unwrap();
}
