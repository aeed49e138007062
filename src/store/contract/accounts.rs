//! Accounts, sessions and verification codes: one account for a login name, and nothing decided on what is no longer so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use chrono::TimeDelta;

use crate::domain::account::{Account, Owner, Purpose, Session};
use crate::domain::contact::Contact;
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::ids::{AccountId, Sha256};
use crate::domain::query::EntryQuery;
use crate::domain::staff::Level;
use crate::store::contract::Home;
use crate::store::samples::{
    REASON, account, account_event, at, code, contact, email, entered, event, issuer, open_account, opened,
    session, staff, unit,
};
use crate::store::{Change, CommitError, Committed, Expect, Revision, Store, Write};

fn assert_conflict(refused: &Result<Committed, CommitError>) {
    assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
}

async fn write(store: &dyn Store, expects: Vec<Expect>, write: Write) -> Result<Committed, CommitError> {
    store.commit(Change { expects, writes: vec![write], events: vec![] }).await
}

pub(crate) async fn accounts_of_every_owner_outlive_closing(home: &dyn Home) {
    let store = home.open().await;
    entered(&*store, 1).await;
    let mut accounts = vec![account(1), account(2), unit(3), staff(4, Level::Ministry)];
    accounts[0].notice = Some((1, at(5)));
    accounts.push(Account {
        owner: Owner::Unit { uscc: issuer(0), former_names: vec!["旧名设计院".parse().unwrap()] },
        ..unit(5)
    });
    for account in &accounts {
        store.commit(open_account(account)).await.unwrap();
    }
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        for (account, seq) in accounts.iter().zip(2..) {
            let known = Some((account.clone(), Revision(seq)));
            assert_eq!(store.account(account.id).await.unwrap(), known);
            assert_eq!(store.account_by_login(&account.owner.login()).await.unwrap(), known);
        }
        assert_eq!(store.account(account(9).id).await.unwrap(), None);
        assert_eq!(store.account_by_login(&account(9).owner.login()).await.unwrap(), None);
        store.close().await.unwrap();
    }
}

pub(crate) async fn the_accounts_of_staff_are_listed_and_no_others(home: &dyn Home) {
    let store = home.open().await;
    let (first, second) = (staff(4, Level::Ministry), staff(5, Level::Province));
    for account in [&account(1), &unit(2), &second, &first] {
        store.commit(open_account(account)).await.unwrap();
    }
    let ended = Account { ended_at: Some(at(50)), ..second };
    write(&*store, vec![], Write::Account(ended.clone())).await.unwrap();
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert_eq!(store.staff().await.unwrap(), [first.clone(), ended.clone()]);
        store.close().await.unwrap();
    }
}

pub(crate) async fn a_login_name_has_one_account(home: &dyn Home) {
    let store = home.open().await;
    let first = account(1);
    let second = Account { id: account(2).id, ..first.clone() };
    let (a, b) = tokio::join!(store.commit(open_account(&first)), store.commit(open_account(&second)));
    let winner = match (&a, &b) {
        (Ok(_), Err(CommitError::Conflict)) => first.clone(),
        (Err(CommitError::Conflict), Ok(_)) => second.clone(),
        other => panic!("{other:?}"),
    };
    assert_conflict(&store.commit(open_account(&first)).await);
    assert_conflict(&store.commit(open_account(&second)).await);
    for account in [&first, &second].into_iter().filter(|account| account.id != winner.id) {
        assert_conflict(&write(&*store, vec![], Write::Account(account.clone())).await);
    }
    let login = first.owner.login();
    assert_eq!(store.account_by_login(&login).await.unwrap(), Some((winner, Revision(1))));
    assert_eq!(store.head().await.unwrap().seq, 1);
}

pub(crate) async fn what_was_decided_on_a_stale_account_session_or_code_is_refused(home: &dyn Home) {
    let store = home.open().await;
    let (account, first) = opened(&*store, 1).await;
    let login = account.owner.login();
    let changed = Account { sessions_since: at(99), ..account.clone() };
    let expects = |revision| vec![Expect::Account(login.clone(), Some(revision))];
    let second = write(&*store, expects(first), Write::Account(changed.clone())).await.unwrap();
    assert_conflict(&write(&*store, expects(first), Write::Account(account.clone())).await);
    assert_eq!(store.account(account.id).await.unwrap(), Some((changed.clone(), Revision(second.seq))));
    write(&*store, expects(Revision(second.seq)), Write::Account(account.clone())).await.unwrap();
    let nobody = vec![Expect::Account("NOBODY".parse().unwrap(), Some(first))];
    assert_conflict(&write(&*store, nobody, Write::Account(account.clone())).await);

    let session = session(&account, 7);
    assert_eq!(store.session(session.token).await.unwrap(), None);
    let unknown = vec![Expect::Session(session.token, first)];
    assert_conflict(&write(&*store, unknown, Write::Session(session.clone())).await);
    let begun = write(&*store, vec![], Write::Session(session.clone())).await.unwrap();
    let known = store.session(session.token).await.unwrap();
    assert_eq!(known, Some((session.clone(), Revision(begun.seq), account.clone())));
    let expects = || vec![Expect::Session(session.token, Revision(begun.seq))];
    let seen = Session { seen_at: at(8) + TimeDelta::nanoseconds(1), ..session.clone() };
    let ended = Session { ended_at: Some(at(9)), ..session.clone() };
    let (a, b) = tokio::join!(
        write(&*store, expects(), Write::Session(seen.clone())),
        write(&*store, expects(), Write::Session(ended.clone())),
    );
    let left = match (&a, &b) {
        (Ok(_), Err(CommitError::Conflict)) => seen,
        (Err(CommitError::Conflict), Ok(_)) => ended,
        other => panic!("{other:?}"),
    };
    assert_eq!(store.session(session.token).await.unwrap().unwrap().0, left);

    let purpose = Purpose::SignUp;
    let unsent = || vec![Expect::VerificationCode(purpose, contact(1), None)];
    let sent = write(&*store, unsent(), Write::VerificationCode(contact(1), code(purpose, 1))).await.unwrap();
    assert_conflict(&write(&*store, unsent(), Write::VerificationCode(contact(1), code(purpose, 2))).await);
    let mut mistyped = code(purpose, 1);
    mistyped.mistyped = 1;
    let expects = || vec![Expect::VerificationCode(purpose, contact(1), Some(Revision(sent.seq)))];
    let noted = Write::VerificationCode(contact(1), mistyped.clone());
    let (a, b) =
        tokio::join!(write(&*store, expects(), noted.clone()), write(&*store, expects(), noted.clone()));
    assert_eq!(u8::from(a.is_ok()) + u8::from(b.is_ok()), 1, "no two tries count as one");
    assert_eq!(store.verification_code(purpose, &contact(1)).await.unwrap().unwrap().0, mistyped);
}

pub(crate) async fn a_session_ended_stays_ended(home: &dyn Home) {
    let store = home.open().await;
    let (account, _) = opened(&*store, 1).await;
    let begun = session(&account, 1);
    let ended = Session { ended_at: Some(at(60_000)), ..begun.clone() };
    for session in [&begun, &ended] {
        write(&*store, vec![], Write::Session(session.clone())).await.unwrap();
    }
    let open = session(&account, 2);
    write(&*store, vec![], Write::Session(open.clone())).await.unwrap();
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        let known = store.session(ended.token).await.unwrap();
        assert_eq!(known, Some((ended.clone(), Revision(3), account.clone())));
        let known = store.session(open.token).await.unwrap();
        assert_eq!(known, Some((open.clone(), Revision(4), account.clone())));
        store.close().await.unwrap();
    }
}

pub(crate) async fn a_newer_code_takes_the_place_of_the_older(home: &dyn Home) {
    let store = home.open().await;
    let address = Contact::Email(email(1));
    let sent: [(Purpose, Contact, u64); 5] = [
        (Purpose::SignUp, contact(1), 1),
        (Purpose::Recovery, contact(1), 2),
        (Purpose::SignUp, contact(2), 3),
        (Purpose::SignUp, contact(1), 4),
        (Purpose::ChangeEmail, address, 5),
    ];
    for (purpose, to, number) in &sent {
        let code = code(*purpose, *number);
        write(&*store, vec![], Write::VerificationCode(to.clone(), code)).await.unwrap();
    }
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        for (purpose, to, number) in &sent[1..] {
            let known = store.verification_code(*purpose, to).await.unwrap();
            assert_eq!(known, Some((code(*purpose, *number), Revision(*number))));
        }
        assert_eq!(store.verification_code(Purpose::Submit, &contact(1)).await.unwrap(), None);
        assert_eq!(store.verification_code(Purpose::SignUp, &contact(3)).await.unwrap(), None);
        store.close().await.unwrap();
    }
}

pub(crate) async fn the_trail_of_an_account_is_what_it_did_and_what_was_done_to_it(home: &dyn Home) {
    let store = home.open().await;
    let certificate = entered(&*store, 1).await;
    let (one, _) = opened(&*store, 1).await;
    let (two, _) = opened(&*store, 2).await;
    let remember = async |event: Event| {
        store.commit(Change { events: vec![event], ..Change::default() }).await.unwrap().seq
    };
    let by = |account: AccountId, event: Event| Event { actor: Actor::Account(account), ..event };
    assert_eq!(remember(by(one.id, event(Deed::DocumentRead, &certificate, None))).await, 4);
    assert_eq!(remember(by(one.id, account_event(Deed::PasswordChanged, two.id))).await, 5);
    assert_eq!(remember(account_event(Deed::SessionsEnded, one.id)).await, 6);
    write(&*store, vec![], Write::Session(session(&one, 1))).await.unwrap();

    let list = async |query: EntryQuery| {
        let page = store.entries(&EntryQuery { limit: 100, ..query }).await.unwrap();
        page.items.iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    let any = EntryQuery::default;
    assert_eq!(list(EntryQuery { account: Some(one.id), ..any() }).await, [2, 4, 5, 6]);
    assert_eq!(list(EntryQuery { account: Some(two.id), ..any() }).await, [3, 5]);
    assert_eq!(list(EntryQuery { account: Some(one.id), after: Some(4), ..any() }).await, [5, 6]);
    assert!(list(EntryQuery { account: Some(account(9).id), ..any() }).await.is_empty());
    let on = EntryQuery { certificate: Some(certificate.id), ..any() };
    assert_eq!(list(EntryQuery { account: Some(one.id), ..on.clone() }).await, [4]);
    assert!(list(EntryQuery { account: Some(two.id), ..on }).await.is_empty());
    let business = EntryQuery { issuer: Some(issuer(1)), ..any() };
    assert_eq!(list(EntryQuery { account: Some(one.id), ..business }).await, [4]);
    let entries = store.entries(&EntryQuery { account: Some(two.id), limit: 9, ..any() }).await.unwrap();
    assert_eq!(entries.items[0].events, [account_event(Deed::AccountOpened, two.id)]);
    assert_eq!(entries.items[0].events[0].reason.as_ref().unwrap().as_str(), REASON);
    assert_eq!(entries.items[1].events[0].actor, Actor::Account(one.id));
}

pub(crate) async fn who_is_erased_has_no_account_and_may_open_another(home: &dyn Home) {
    let store = home.open().await;
    entered(&*store, 1).await;
    let (old, revision) = opened(&*store, 1).await;
    let (other, _) = opened(&*store, 2).await;
    let kept = session(&other, 2);
    for session in [&session(&old, 1), &kept] {
        write(&*store, vec![], Write::Session(session.clone())).await.unwrap();
    }
    let login = old.owner.login();
    assert_conflict(&store.commit(open_account(&Account { id: account(3).id, ..old.clone() })).await);
    assert_eq!(home.erase(1).await, 1, "certificate and account have one key");
    assert_eq!(store.account(old.id).await.unwrap(), None);
    assert_eq!(store.account_by_login(&login).await.unwrap(), None);
    assert_eq!(store.session(session(&old, 1).token).await.unwrap(), None);
    assert!(store.session(kept.token).await.unwrap().is_some());
    let stale = vec![Expect::Account(login.clone(), Some(revision))];
    assert_conflict(&write(&*store, stale, Write::Account(old.clone())).await);
    let query = EntryQuery { account: Some(old.id), limit: 9, ..EntryQuery::default() };
    let trail = store.entries(&query).await.unwrap().items;
    assert_eq!(trail[0].events, [Event { reason: None, ..account_event(Deed::AccountOpened, old.id) }]);

    let new = Account { id: account(4).id, ..old.clone() };
    store.commit(open_account(&new)).await.unwrap();
    assert_conflict(&store.commit(open_account(&Account { id: account(5).id, ..old.clone() })).await);
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert_eq!(store.account_by_login(&login).await.unwrap().unwrap().0, new);
        assert_eq!(store.account(new.id).await.unwrap().unwrap().0, new);
        assert_eq!(store.account(old.id).await.unwrap(), None);
        assert_eq!(store.session(session(&old, 1).token).await.unwrap(), None);
        store.close().await.unwrap();
    }
    let store = home.open().await;
    assert_eq!(home.erase(1).await, 1);
    assert_eq!(store.account_by_login(&login).await.unwrap(), None);
}

pub(crate) async fn an_account_may_change_its_login_name(home: &dyn Home) {
    let store = home.open().await;
    let (before, after) = (staff(1, Level::Province), staff(2, Level::Province));
    store.commit(open_account(&before)).await.unwrap();
    let renamed = Account { owner: after.owner.clone(), ..before.clone() };
    let expects = vec![
        Expect::Account(before.owner.login(), Some(Revision(1))),
        Expect::Account(after.owner.login(), None),
    ];
    write(&*store, expects, Write::Account(renamed.clone())).await.unwrap();
    assert_eq!(store.account_by_login(&before.owner.login()).await.unwrap(), None);
    let found = store.account_by_login(&after.owner.login()).await.unwrap();
    assert_eq!(found, Some((renamed, Revision(2))));
    let successor = Account { id: account(3).id, ..before };
    store.commit(open_account(&successor)).await.unwrap();
    assert_eq!(store.account(successor.id).await.unwrap(), Some((successor, Revision(3))));
}

pub(crate) async fn a_reset_forgets_accounts_too(home: &dyn Home) {
    let store = home.open().await;
    let (account, _) = opened(&*store, 1).await;
    let session = session(&account, 1);
    write(&*store, vec![], Write::Session(session.clone())).await.unwrap();
    let sent = Write::VerificationCode(contact(1), code(Purpose::Submit, 1));
    write(&*store, vec![], sent).await.unwrap();
    store.reset().await.unwrap();
    assert_eq!(store.account(account.id).await.unwrap(), None);
    assert_eq!(store.account_by_login(&account.owner.login()).await.unwrap(), None);
    assert_eq!(store.session(session.token).await.unwrap(), None);
    assert_eq!(store.verification_code(Purpose::Submit, &contact(1)).await.unwrap(), None);
    let query = EntryQuery { account: Some(account.id), limit: 9, ..EntryQuery::default() };
    assert!(store.entries(&query).await.unwrap().items.is_empty());
    let (again, revision) = opened(&*store, 1).await;
    assert_eq!((again, revision), (account, Revision(1)));
    let unknown = Sha256::new([0; 32]);
    assert_eq!(store.session(unknown).await.unwrap(), None);
}
