//! Accounts in the index and in the key ring.

use crate::domain::account::{Account, Purpose, Session};
use crate::domain::query::EntryQuery;
use crate::domain::staff::Level;
use crate::store::embedded::tests::{Folder, open, options};
use crate::store::embedded::{Embedded, check, io};
use crate::store::samples::{
    account, at, certificate, certificate_id, code, contact, entered, open_account, opened, person, session,
    staff, unit,
};
use crate::store::{Change, Expect, Revision, Store, Write};

async fn write(store: &Embedded, write: Write) {
    store.commit(Change { writes: vec![write], ..Change::default() }).await.unwrap();
}

/// Everything that is answered about the accounts of these tests.
async fn answers(store: &Embedded) -> Vec<String> {
    let mut answers = Vec::new();
    for account in (0..9).map(account).chain([unit(5), staff(6, Level::Ministry), staff(7, Level::Ministry)])
    {
        answers.push(format!("{:?}", store.account(account.id).await.unwrap()));
        answers.push(format!("{:?}", store.account_by_login(&account.owner.login()).await.unwrap()));
        let query = EntryQuery { account: Some(account.id), limit: 99, ..EntryQuery::default() };
        answers.push(format!("{:?}", store.entries(&query).await.unwrap()));
    }
    for number in 0..9 {
        answers.push(format!("{:?}", store.session(session(&account(1), number).token).await.unwrap()));
        for purpose in Purpose::ALL {
            let code = store.verification_code(purpose, &contact(number)).await.unwrap();
            answers.push(format!("{code:?}"));
        }
    }
    answers
}

#[tokio::test]
async fn an_index_made_anew_tells_the_same_of_accounts() {
    let folder = Folder::new();
    let store = open(folder.path());
    entered(&store, 1).await;
    let (one, revision) = opened(&store, 1).await;
    opened(&store, 2).await;
    for account in [unit(5), staff(6, Level::Ministry)] {
        store.commit(open_account(&account)).await.unwrap();
    }
    let begun = session(&one, 1);
    write(&store, Write::Session(begun.clone())).await;
    write(&store, Write::Session(session(&one, 2))).await;
    write(&store, Write::Session(Session { ended_at: Some(at(9)), ..begun })).await;
    for (purpose, number) in [(Purpose::SignUp, 1), (Purpose::SignUp, 1), (Purpose::Recovery, 1)] {
        write(&store, Write::VerificationCode(contact(number), code(purpose, number))).await;
    }
    let expects = vec![Expect::Account(one.owner.login(), Some(revision))];
    let writes = vec![Write::Account(Account { sessions_since: at(50), ..one })];
    store.commit(Change { expects, writes, events: vec![] }).await.unwrap();
    // One changes its login name, another takes it; a person is erased and comes again.
    let renamed = Account { owner: staff(7, Level::Ministry).owner, ..staff(6, Level::Ministry) };
    write(&store, Write::Account(renamed)).await;
    store.commit(open_account(&Account { id: account(7).id, ..staff(6, Level::Ministry) })).await.unwrap();
    assert_eq!(store.erase_person(&person(2)).await.unwrap(), 1);
    store.commit(open_account(&Account { id: account(8).id, ..account(2) })).await.unwrap();

    let expected = answers(&store).await;
    for round in 0..3 {
        store.close().await.unwrap();
        let report = check(folder.path(), &options().master).unwrap();
        assert!(report.is_sound() && report.notes.is_empty(), "{:?}", report.lines());
        if round == 1 {
            io::remove(&folder.path().join("index")).unwrap();
        }
        let store = open(folder.path());
        assert_eq!(answers(&store).await, expected, "round {round}");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_person_has_one_key_whatever_comes_first() {
    let folder = Folder::new();
    let mut store = open(folder.path());
    let slots = |store: &Embedded| store.core().unwrap().vault.slots();
    opened(&store, 1).await;
    store.commit(open_account(&unit(5))).await.unwrap();
    assert_eq!(slots(&store), 2);
    store.close().await.unwrap();
    store = open(folder.path());
    entered(&store, 1).await;
    write(&store, Write::Account(account(1))).await;
    write(&store, Write::Account(unit(5))).await;
    assert_eq!(slots(&store), 2, "known from the account, whoever's it is");
    for round in 0..2 {
        assert_eq!(store.erase_person(&person(1)).await.unwrap(), 1);
        assert_eq!(store.account(account(1).id).await.unwrap(), None);
        write(&store, Write::Account(account(1))).await;
        store.close().await.unwrap();
        store = open(folder.path());
        let known = store.account(account(1).id).await.unwrap().unwrap();
        assert_eq!(known, (account(1), Revision(store.head().await.unwrap().seq)));
        let used = slots(&store);
        let mut again = certificate(1);
        (again.id, again.version) = (certificate_id(70 + round), 2 + round as u16);
        write(&store, Write::Certificate(again)).await;
        assert_eq!(slots(&store), used, "the certificate has the key of the account");
    }
    assert_eq!(store.account(unit(5).id).await.unwrap().unwrap().0, unit(5), "nobody erased the unit");
}
