//! Moving the store between its homes: which is which, and what is said about it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::{Failure, embedded_options, master, postgres_options};
use crate::config::Settings;
use crate::config::home::Home;
use crate::store::Store;
use crate::store::chain::StoreId;
use crate::store::cipher::Cipher;
use crate::store::embedded::moving::arriving::Arriving;
use crate::store::embedded::moving::leaving::Leaving;
use crate::store::inspection::Report;
use crate::store::migrate::verification::verify;
use crate::store::migrate::verified::Verified;
use crate::store::migrate::{Pause, Source, Step, Target, Watch, follow, switch};
use crate::store::postgres::{self, Postgres, Purpose};

/// How far a move is: what is being done, how much of it is done, and of how much.
pub(crate) struct Progress {
    pub(crate) doing: &'static str,
    pub(crate) done: u64,
    pub(crate) of: u64,
}

/// Copies the store from one home to another and verifies it while it is served, or, to switch, the rest of it while it is
/// not. Gives back what is to be said, one line a thing.
pub(crate) async fn migrate(
    from: &Settings,
    to: &Settings,
    switching: bool,
    watch: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<Vec<String>, Failure> {
    if from.master_key != to.master_key {
        return Err("the two settings hold different master keys; both must hold the store's".into());
    }
    let watch: Watch = Arc::new(move |step| {
        watch(match step {
            Step::Copying { entries, of } => Progress { doing: "copying entries", done: entries, of },
            Step::Verifying { documents, of } => {
                Progress { doing: "verifying documents", done: documents, of }
            }
        });
    });
    let source = open_source(from).await?;
    let id = source.id()?;
    let target = open_target(to, id).await?;
    let cipher = Arc::new(Cipher::new(&master(from), id)?);
    if !switching {
        let done = follow(&*source, &*target, &cipher, &watch).await?;
        return Ok(vec![
            format!("copied {} entries and {} documents", done.copied.entries, done.copied.documents),
            format!("verified in the target: {}", done.verified.report.summary()),
            format!(
                "the target has caught up with entry {} and is verified so far; it may be brought up again at any time",
                done.verified.head.seq
            ),
            "next: stop the service, then run the same command with --switch".to_owned(),
        ]);
    }
    let done = switch(&*source, &*target, &cipher, &watch).await?;
    let Verified { head, counts, report } = &done.verified;
    let before = match done.before {
        0 => "nothing was verified before the pause; to shorten it, run without --switch first".to_owned(),
        seq => format!(
            "verified before the pause: up to entry {seq}; in the pause: the {} after it",
            head.seq - seq
        ),
    };
    let Pause { all, copying, verifying } = done.pause;
    Ok(vec![
        format!("copied the last {} entries and {} documents", done.copied.entries, done.copied.documents),
        before,
        format!("verified: the ledger ends at entry {} with the chain value {}", head.seq, head.chain),
        format!("verified: {counts} in both homes"),
        format!("verified: {}", report.summary()),
        format!(
            "the pause was {:.1} s, {:.1} s to copy the rest and {:.1} s to verify it; the source is given up",
            all.as_secs_f64(),
            copying.as_secs_f64(),
            verifying.as_secs_f64()
        ),
        "next: start the service with the settings of the target".to_owned(),
    ])
}

async fn open_source(settings: &Settings) -> Result<Box<dyn Source>, Failure> {
    Ok(match &settings.home {
        Home::Embedded => Box::new(Leaving::open(&settings.data, &master(settings))?),
        Home::Postgres(shared) => {
            let options = postgres::Options { purpose: Purpose::Look, ..postgres_options(settings, shared) };
            Box::new(Postgres::open(options).await?)
        }
    })
}

async fn open_target(settings: &Settings, store: StoreId) -> Result<Box<dyn Target>, Failure> {
    Ok(match &settings.home {
        Home::Embedded => {
            let options = embedded_options(settings, CancellationToken::new());
            Box::new(Arriving::open(&settings.data, &options, store)?)
        }
        Home::Postgres(shared) => {
            let options =
                postgres::Options { purpose: Purpose::Receive(store), ..postgres_options(settings, shared) };
            Box::new(Postgres::open(options).await?)
        }
    })
}

/// Checks a store on PostgreSQL, in use or not.
pub(super) async fn check(options: postgres::Options) -> Result<Report, Failure> {
    let store = Postgres::open(postgres::Options { purpose: Purpose::Look, ..options }).await?;
    let watch: Watch = Arc::new(|_| {});
    let report = verify(&store, &store.cipher()?, &watch).await?;
    store.close().await?;
    Ok(report)
}
