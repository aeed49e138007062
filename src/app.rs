//! The composition root: the only room that names concrete stores, keys and the system clock.

pub(crate) mod gateway;
pub(crate) mod letter;
pub(crate) mod mailer;
pub(crate) mod messenger;
pub(crate) mod migration;

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::gateway::Gateway;
use crate::app::mailer::Mailer;
use crate::app::messenger::Messengers;
use crate::config::home::{self, Home, Shared};
use crate::config::{Profile, Role, SealFiles, Settings};
use crate::desk::account::Doors;
use crate::desk::account::message::Messenger;
use crate::desk::registration::registries::{NoRegistries, Registries};
use crate::desk::{Clock, Desk, MovableClock, Rules, Stamps};
use crate::http::development::registration::ToldRegistries;
use crate::http::development::{Development, Outbox};
use crate::http::gate::chain;
use crate::http::{self, listener};
use crate::metrics::Metrics;
use crate::pages;
use crate::render::Stamp;
use crate::seal::check::Trust;
use crate::seal::key::SealKey;
use crate::seal::key::development;
use crate::seal::key::file::FileKey;
use crate::store::Store;
use crate::store::cipher::Master;
use crate::store::embedded::{self, Embedded};
use crate::store::postgres::{self, Postgres};
use crate::worker;

/// How often orphaned documents are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(24 * 3600);

/// How often counts of checks are written.
const COUNT_EVERY: Duration = Duration::from_secs(60);

/// Why the service or a command failed, in words for a person.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The system's clock.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        system_now()
    }
}

/// The one place where the time is read.
pub(crate) fn system_now() -> DateTime<Utc> {
    DateTime::from(std::time::SystemTime::now())
}

/// The system's clock, moved by hand: development only.
#[derive(Debug, Default)]
struct HandClock {
    ahead_nanos: AtomicI64,
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        system_now() + TimeDelta::nanoseconds(self.ahead_nanos.load(Ordering::Relaxed))
    }
}

impl MovableClock for HandClock {
    fn set(&self, to: DateTime<Utc>) {
        // To the nanosecond: a clock put to midnight must not show the day before. Three centuries fit.
        let ahead = (to - system_now()).num_nanoseconds().unwrap_or_default();
        self.ahead_nanos.store(ahead, Ordering::Relaxed);
    }
}

/// A running service.
pub struct Service {
    desk: Desk,
    store: Arc<dyn Store>,
    address: SocketAddr,
    stop: CancellationToken,
    broken: CancellationToken,
    tasks: TaskTracker,
}

impl Service {
    /// Opens the store, loads the keys, binds the address and starts what the role asks for.
    ///
    /// # Errors
    /// Whatever keeps the service from starting, in words that say what to do.
    pub async fn start(settings: Settings, role: Role) -> Result<Self, Failure> {
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|error| format!("{} cannot be listened on: {error}", settings.listen))?;
        let address = listener.local_addr()?;
        let public_url = settings.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let hand_clock = (settings.profile == Profile::Development).then(|| {
            let clock = HandClock::default();
            settings.clock.into_iter().for_each(|start| clock.set(start));
            Arc::new(clock)
        });
        let clock: Arc<dyn Clock> = match &hand_clock {
            Some(clock) => clock.clone(),
            None => Arc::new(SystemClock),
        };
        let broken = CancellationToken::new();
        let store = open_store(&settings, broken.clone()).await?;
        let outbox = hand_clock.is_some().then(Arc::<Outbox>::default);
        let messengers = Messengers {
            sms: settings.sms.clone().map(Gateway::new).transpose()?,
            mail: settings.smtp.as_ref().map(Mailer::new).transpose()?,
            outbox: outbox.clone(),
        };
        let told = hand_clock.is_some().then(Arc::<ToldRegistries>::default);
        let registries: Arc<dyn Registries> = match &told {
            Some(told) => told.clone(),
            None => Arc::new(NoRegistries),
        };
        let outside = Outside { messenger: Arc::new(messengers), registries };
        let desk = desk(&settings, store.clone(), clock.clone(), public_url, outside)?;
        let metrics = Arc::new(Metrics::new());
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());

        let tools = hand_clock.zip(outbox).zip(told);
        let development = tools.map(|((clock, outbox), told)| Development::new(clock, outbox, told));
        if development.is_none() && settings.sms.is_none() && role != Role::Worker {
            tracing::warn!(
                "no SMS gateway: nobody can open an account or recover a password until there is one"
            );
        }
        if development.is_none() && settings.smtp.is_none() {
            tracing::info!("no mail server: nobody can set an e-mail address, and reminders go to mobiles");
        }
        let (limits_here, limits_apart) = (settings.limits.clone(), settings.limits.clone());
        let router = match role {
            Role::Worker => http::operations(desk.clone(), metrics.clone()),
            Role::All | Role::Api => {
                let service = http::Service::new(desk.clone(), metrics.clone(), settings.limits, development)
                    .trusting(settings.trusted_proxies.clone())
                    .metrics_in_public(settings.metrics_listen.is_none());
                tasks.spawn(service.share_limits(stop.clone()));
                pages::with_failure_pages(http::router(
                    service,
                    pages::router(desk.clone(), limits_apart.body_timeout),
                ))
            }
        };
        let stopping = stop.clone();
        tasks.spawn(async move { listener::serve(listener, router, limits_here, stopping).await });
        if let Some(address) = settings.metrics_listen {
            let listener = TcpListener::bind(address)
                .await
                .map_err(|error| format!("{address} cannot be listened on for metrics: {error}"))?;
            let (router, stopping) = (http::operations(desk.clone(), metrics.clone()), stop.clone());
            tasks.spawn(async move { listener::serve(listener, router, limits_apart, stopping).await });
        }
        if role != Role::Api {
            tasks.spawn(worker::run(desk.clone(), metrics.clone(), settings.workers, stop.clone()));
            tasks.spawn(worker::remind(desk.clone(), stop.clone()));
        }
        tasks.spawn(worker::watch(desk.clone(), metrics, stop.clone()));
        tasks.spawn(sweep(store.clone(), clock, stop.clone()));
        tasks.spawn(write_checks(desk.clone(), stop.clone()));
        tasks.close();
        Ok(Self { desk, store, address, stop, broken, tasks })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its desk.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Runs until SIGTERM or SIGINT, or until the store can no longer be trusted; then drains.
    ///
    /// # Errors
    /// Where the store broke: what was answered with success is safe, and a restart recovers it.
    pub async fn run_until_signalled(self) -> Result<(), Failure> {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
            // No draining: nothing more can be kept.
            () = self.broken.cancelled() => return Err("the store is broken; restart the service to recover it".into()),
        }
        self.stop().await
    }

    /// Finishes what was begun, closes the store.
    pub async fn stop(self) -> Result<(), Failure> {
        self.stop.cancel();
        self.tasks.wait().await;
        try_to_write_checks(&self.desk).await;
        self.store.close().await?;
        Ok(())
    }
}

/// Sweeps documents that no change names, once a day.
async fn sweep(store: Arc<dyn Store>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        if let Err(error) = store.sweep(clock.now()).await {
            tracing::error!(%error, "documents could not be swept");
        }
    }
}

/// Writes how often things were verified, once a minute.
async fn write_checks(desk: Desk, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(COUNT_EVERY) => {}
        }
        try_to_write_checks(&desk).await;
    }
}

async fn try_to_write_checks(desk: &Desk) {
    match desk.write_checks().await {
        Ok(0) => {}
        Ok(lost) => tracing::warn!(lost, "more was verified than can be counted at a time"),
        Err(error) => tracing::warn!(error = chain(&error), "counts of checks are not written yet"),
    }
}

/// Opens the store and its desk without serving: for commands beside the store. On a data folder the service must be
/// stopped, since only one process may work on it; a database takes one more node.
pub(crate) async fn open_desk(settings: &Settings) -> Result<(Desk, Arc<dyn Store>), Failure> {
    let store = open_store(settings, CancellationToken::new()).await?;
    let public_url = settings.public_url.clone().unwrap_or_else(|| format!("http://{}", settings.listen));
    let desk = desk(settings, store.clone(), Arc::new(SystemClock), public_url, Outside::nobody())?;
    Ok((desk, store))
}

/// Opens the store where the settings say; `broken` is cancelled when it can no longer be trusted.
async fn open_store(settings: &Settings, broken: CancellationToken) -> Result<Arc<dyn Store>, Failure> {
    Ok(match &settings.home {
        Home::Embedded => Arc::new(open_embedded(settings, broken)?),
        Home::Postgres(shared) => Arc::new(Postgres::open(postgres_options(settings, shared)).await?),
    })
}

fn postgres_options(settings: &Settings, shared: &Shared) -> postgres::Options {
    let documents = match shared.documents.clone() {
        home::Documents::Folder(folder) => postgres::Documents::Folder(folder),
        home::Documents::S3 { endpoint, bucket, region, access_key, secret_key, authorities } => {
            let s3 = postgres::S3 { endpoint, bucket, region, access_key, secret_key, authorities };
            postgres::Documents::S3(s3)
        }
    };
    postgres::Options {
        connections: shared.connections,
        ..postgres::Options::new(master(settings), &shared.url, documents)
    }
}

fn open_embedded(settings: &Settings, broken: CancellationToken) -> Result<Embedded, Failure> {
    embedded::abort_with_index_threads();
    Ok(Embedded::open(&settings.data, embedded_options(settings, broken))?)
}

fn embedded_options(settings: &Settings, broken: CancellationToken) -> embedded::Options {
    embedded::Options {
        free_floor_bytes: settings.free_floor_mib << 20,
        on_broken: Arc::new(move |why| {
            tracing::error!(why, "the store is broken");
            broken.cancel();
        }),
        ..embedded::Options::new(master(settings))
    }
}

fn master(settings: &Settings) -> Master {
    Master::new(settings.master_key.0)
}

/// Those outside whom the desk speaks to.
struct Outside {
    messenger: Arc<dyn Messenger>,
    registries: Arc<dyn Registries>,
}

impl Outside {
    fn nobody() -> Self {
        Self { messenger: Arc::new(Messengers::default()), registries: Arc::new(NoRegistries) }
    }
}

fn desk(
    settings: &Settings,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    public_url: String,
    outside: Outside,
) -> Result<Desk, Failure> {
    let key = seal_key(settings)?;
    // The root ends the chain; a chain of one is its own root.
    let issuers = key.chain().len().min(2) - 1;
    let mut roots = Trust::new(key.chain().iter().skip(issuers).cloned());
    if settings.profile == Profile::Development {
        roots = roots.and(Trust::from_pem(development::ROOT_PEM)?);
    }
    for file in &settings.trust {
        let pem = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        roots = roots.and(Trust::from_pem(&pem)?);
    }
    let fictitious = settings.profile == Profile::Development;
    let stamps = settings.stamps.iter().map(|(uscc, text)| {
        let stamp =
            Stamp { arc: text.arc.clone(), purpose: text.purpose.clone(), diameter_mm: text.diameter_mm };
        (*uscc, stamp)
    });
    let rules = Rules {
        policies: settings.policies.clone(),
        regimes: settings.regimes.clone(),
        stamps: Stamps { by_issuer: stamps.collect(), fictitious },
        public_url,
    };
    Ok(Desk::new(
        store,
        key,
        clock,
        rules,
        roots,
        Doors::new(outside.messenger, outside.registries, &settings.master_key.0),
    ))
}

fn seal_key(settings: &Settings) -> Result<Arc<dyn SealKey>, Failure> {
    let key = match &settings.seal {
        None => development::key()?,
        Some(SealFiles { key, chain }) => {
            let read = |path: &Path| {
                std::fs::read_to_string(path)
                    .map_err(|error| format!("{} cannot be read: {error}", path.display()))
            };
            FileKey::load(&read(key)?, &read(chain)?)?
        }
    };
    if settings.profile == Profile::Production && development::is_development(key.chain()) {
        return Err("production refuses the seal of keys-dev/: set seal.key and seal.chain".into());
    }
    Ok(Arc::new(key))
}

/// What a check found.
pub(crate) struct Findings {
    /// One finding a line.
    pub(crate) lines: Vec<String>,
    /// Whether nothing is wrong.
    pub(crate) sound: bool,
}

/// Checks the settings, the seal's key and the store.
pub(crate) fn check(settings: &Settings) -> Result<Findings, Failure> {
    seal_key(settings)?;
    let report = match &settings.home {
        Home::Embedded => embedded::check(&settings.data, &master(settings))?,
        Home::Postgres(shared) => block_on(migration::check(postgres_options(settings, shared)))?,
    };
    Ok(Findings { sound: report.is_sound(), lines: report.lines() })
}

/// Copies the store, running or not.
pub(crate) fn backup(settings: &Settings, to: &Path) -> Result<String, Failure> {
    if let Home::Postgres(_) = settings.home {
        return Err("a store on PostgreSQL is backed up by the database's own means (pg_dump, or archiving its log) and \
                    the bucket's; vermilion migrate into an empty folder gives a whole copy"
            .into());
    }
    let made = embedded::backup(&settings.data, to)?;
    Ok(format!("{} entries and {} documents in {}", made.entries, made.documents, to.display()))
}

/// Restores a backup into the data folder, which must be empty.
pub(crate) fn restore(settings: &Settings, from: &Path) -> Result<String, Failure> {
    if let Home::Postgres(_) = settings.home {
        return Err("a backup is restored into a folder: name settings without postgres; vermilion migrate takes it from \
                    there to PostgreSQL"
            .into());
    }
    let made = embedded::restore(from, &settings.data)?;
    Ok(format!("{} entries and {} documents in {}", made.entries, made.documents, settings.data.display()))
}

/// Starts logging to stderr: warnings and the service's own remarks, or what RUST_LOG says.
pub(crate) fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,vermilion=info"));
    let logging = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr);
    // Logging may have been started already, by a test.
    let _ = logging.try_init();
}

/// Runs a future to its end on a fresh runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}
