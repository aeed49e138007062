//! Companies: found by their code, and by a part of what they are called or were.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use crate::registration::company::Company;
use crate::store::contract::Home;
use crate::store::samples::registration::{companies, company};
use crate::store::{Change, CommitError, Committed, Expect, Revision, Store, Write};

async fn write(
    store: &dyn Store,
    expected: Option<Revision>,
    company: &Company,
) -> Result<Committed, CommitError> {
    let expects = vec![Expect::Company(company.uscc, expected)];
    store.commit(Change { expects, writes: vec![Write::Company(company.clone())], events: vec![] }).await
}

pub(crate) async fn a_company_is_found_by_its_code_and_by_a_part_of_any_name(home: &dyn Home) {
    let store = home.open().await;
    let (zero, one) = (company(0), company(1));
    for company in [&one, &zero] {
        write(&*store, None, company).await.unwrap();
    }
    for round in 0..2 {
        let store = if round == 0 { store.clone() } else { home.open().await };
        assert!(store.company(&one.uscc).await.unwrap() == Some((one.clone(), Revision(1))));
        let found = async |part: &str| store.companies(part, 50).await.unwrap();
        assert!(found("有限公司").await == [zero.clone(), one.clone()], "by credit code");
        assert!(found("第1建筑").await == std::slice::from_ref(&one));
        assert!(found("更早的第0").await == std::slice::from_ref(&zero), "by a former name");
        assert_eq!(found("旧名100%_设计院").await.len(), 2, "signs of a pattern are letters");
        for other in ["100_", "建_工程", "%第", "\\", "公司旧名", "公司\n旧名", "\0", "第2建筑"]
        {
            assert_eq!(found(other).await, [], "{other:?}");
        }
        assert!(store.companies("有限公司", 1).await.unwrap() == std::slice::from_ref(&zero));
        store.close().await.unwrap();
    }
    let store = home.open().await;
    let renamed = Company { name: "示例新名".parse().unwrap(), former_names: vec![], ..one };
    write(&*store, Some(Revision(1)), &renamed).await.unwrap();
    assert!(store.companies("新名", 50).await.unwrap() == std::slice::from_ref(&renamed));
    assert_eq!(store.companies("第1建筑", 50).await.unwrap(), []);
    store.reset().await.unwrap();
    assert_eq!(store.company(&zero.uscc).await.unwrap(), None);
    assert_eq!(store.companies("示例", 50).await.unwrap(), []);
}

pub(crate) async fn what_was_decided_on_a_stale_company_is_refused(home: &dyn Home) {
    let store = home.open().await;
    let one = company(1);
    let refused = write(&*store, Some(Revision(1)), &one).await;
    assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
    let (a, b) = tokio::join!(write(&*store, None, &one), write(&*store, None, &one));
    match (&a, &b) {
        (Ok(_), Err(CommitError::Conflict)) | (Err(CommitError::Conflict), Ok(_)) => {}
        other => panic!("{other:?}"),
    }
    write(&*store, Some(Revision(1)), &one).await.unwrap();
    assert_eq!(store.company(&one.uscc).await.unwrap().unwrap().1, Revision(2));
}

pub(crate) async fn at_most_fifty_companies_are_found(home: &dyn Home) {
    let store = home.open().await;
    let many = companies(60);
    let writes = many.iter().cloned().map(Write::Company).collect();
    store.commit(Change { writes, ..Change::default() }).await.unwrap();
    let found = store.companies("示例", 1000).await.unwrap();
    assert_eq!(found.len(), 50);
    let (mut codes, found): (Vec<_>, Vec<_>) =
        (many.iter().map(|it| it.uscc).collect(), found.iter().map(|it| it.uscc).collect());
    codes.sort_unstable();
    assert_eq!(found, codes[..50]);
}
