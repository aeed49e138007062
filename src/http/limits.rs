//! How much, how often and how long: the bounds that keep one caller from taking the service from the others.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::ids::KeyId;
use crate::domain::spending::{Bucket, Limit};
use crate::http::buckets::Buckets;
use crate::http::client::{Client, Network};
use crate::http::problem::Problem;

/// The bounds of the HTTP edge.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Public calls per client network.
    pub public: Rate,
    /// Files to judge per client network: each costs a core some milliseconds.
    pub documents: Rate,
    /// Three-field queries per client network, on top of their captchas.
    pub queries: Rate,
    /// Verification codes per client network, on top of the pause of each mobile.
    pub codes: Rate,
    /// Agency calls per API key; a batch counts as one.
    pub agency: Rate,
    /// Calls without a valid key per client network.
    pub strangers: Rate,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Most connections at once.
    pub connections: usize,
    /// Most requests in work at once; more are answered 503.
    pub in_flight: usize,
    /// Most uploaded files in memory at once (10 MiB each); more wait.
    pub uploads: usize,
    /// Most files and photos being judged at once: one per core; more wait.
    pub judging: usize,
    /// Most batches at once; more are answered 503.
    pub batches: usize,
    /// For a request's head.
    pub head_timeout: Duration,
    /// For the next piece of a body.
    pub body_pause: Duration,
    /// For a whole body, batches apart.
    pub body_timeout: Duration,
    /// For an answer, once the body is there; batches apart.
    pub work_timeout: Duration,
    /// Where results of large batches wait, in files without a name.
    pub spool: PathBuf,
}

impl Limits {
    /// Wide enough for load tests from one address with one key.
    pub fn development() -> Self {
        let wide = Rate::per_second(1_000_000, 1_000_000);
        Self {
            public: wide,
            documents: wide,
            queries: wide,
            codes: wide,
            agency: wide,
            strangers: wide,
            ..Self::production()
        }
    }

    /// For the internet.
    pub fn production() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            public: Rate::per_second(20, 200),
            documents: Rate::per_second(1, 20),
            queries: Rate::per_second(1, 20),
            // Whole offices and carriers lie behind one address; who sends to strangers wants thousands.
            codes: Rate::per_hour(60, 30),
            agency: Rate::per_second(200, 1_000),
            strangers: Rate::per_second(1, 30),
            trusted_proxies: Vec::new(),
            connections: 4_096,
            in_flight: 1_024,
            uploads: 8,
            judging: cores,
            batches: 4,
            head_timeout: Duration::from_secs(15),
            body_pause: Duration::from_secs(15),
            body_timeout: Duration::from_secs(60),
            work_timeout: Duration::from_secs(30),
            spool: std::env::temp_dir(),
        }
    }

    /// The rate under a limit.
    pub fn rate(&self, limit: Limit) -> Rate {
        match limit {
            Limit::Public => self.public,
            Limit::Documents => self.documents,
            Limit::Queries => self.queries,
            Limit::Codes => self.codes,
            Limit::Agency => self.agency,
            Limit::Strangers => self.strangers,
        }
    }
}

/// How often: a bucket of `burst` calls that fills again by so many calls `within` a time. Zeros count as ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls in the long run.
    pub calls: u32,
    /// Within this time.
    pub within: Duration,
    /// Calls at once.
    pub burst: u32,
}

impl Rate {
    /// So many calls per second, and so many at once.
    pub const fn per_second(calls: u32, burst: u32) -> Self {
        Self { calls, within: Duration::from_secs(1), burst }
    }

    /// So many calls per hour, and so many at once.
    pub const fn per_hour(calls: u32, burst: u32) -> Self {
        Self { calls, within: Duration::from_secs(3_600), burst }
    }
}

/// What kind of call a route is, as far as limits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Health and metrics: answered even when all else is refused.
    Probe,
    /// Anybody's.
    Public,
    /// A file to judge.
    Document,
    /// A question about a certificate by what stands on it.
    Query,
    /// An agency's.
    Agency,
    /// An agency's batch: its body has no end that we set.
    Batch,
    /// A file of records from the console, counted as anybody's call: its body has no end that we set either.
    Import,
    /// A developer's.
    Development,
}

impl Class {
    /// The class of a route; what is not known to be otherwise is anybody's.
    pub(crate) fn of(route: &str) -> Self {
        match route {
            "/healthz" | "/readyz" | "/metrics" => Self::Probe,
            "/api/v1/verify/document" | "/verify/document" | "/api/v1/tickets" | "/tickets/new" => {
                Self::Document
            }
            "/api/v1/verify/query" | "/query" | "/api/v1/tickets/query" | "/tickets" => Self::Query,
            "/api/v1/admin/certificates/batch" => Self::Batch,
            "/console/import" => Self::Import,
            route if route.starts_with("/api/v1/admin/") => Self::Agency,
            route if route.starts_with("/dev/") => Self::Development,
            _ => Self::Public,
        }
    }
}

/// The turnstiles that keep the limits.
#[derive(Debug)]
pub(crate) struct Gates {
    pub(crate) limits: Limits,
    pub(crate) buckets: Arc<Buckets>,
    in_flight: Semaphore,
    uploads: Semaphore,
    judging: Semaphore,
    batches: Semaphore,
    opened: Instant,
    /// Seconds after `opened`.
    swept: AtomicU64,
}

/// How often clients that have not called for a while are forgotten.
const SWEEP_SECONDS: u64 = 60;

impl Gates {
    pub(crate) fn new(limits: Limits, buckets: Arc<Buckets>) -> Self {
        Self {
            buckets,
            in_flight: Semaphore::new(limits.in_flight),
            uploads: Semaphore::new(limits.uploads),
            judging: Semaphore::new(limits.judging),
            batches: Semaphore::new(limits.batches),
            opened: Instant::now(),
            swept: AtomicU64::new(0),
            limits,
        }
    }

    /// Counts a call by where it comes from. Agencies' calls are counted by key, once it is known.
    pub(crate) fn visit(&self, class: Class, client: Client) -> Result<(), Problem> {
        self.sweep_now_and_then();
        match class {
            Class::Public | Class::Import => self.pass(Limit::Public, client.bits()),
            Class::Document => self.pass(Limit::Documents, client.bits()),
            Class::Query => self.pass(Limit::Queries, client.bits()),
            Class::Probe | Class::Agency | Class::Batch | Class::Development => Ok(()),
        }
    }

    /// Counts a call of an agency.
    pub(crate) fn call(&self, key: KeyId) -> Result<(), Problem> {
        self.pass(Limit::Agency, u128::from_be_bytes(*key.as_bytes()))
    }

    /// Counts a call without a valid key.
    pub(crate) fn fail(&self, client: Client) -> Result<(), Problem> {
        self.pass(Limit::Strangers, client.bits())
    }

    /// A place among the requests in work.
    pub(crate) fn enter(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.in_flight.try_acquire().map_err(|_| Problem::Unavailable("overloaded"))
    }

    /// A place among the batches.
    pub(crate) fn batch(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.batches.try_acquire().map_err(|_| Problem::Unavailable("overloaded"))
    }

    /// Waits for room in memory for an uploaded file.
    pub(crate) async fn upload(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.uploads.acquire().await.map_err(|_| Problem::Unavailable("overloaded"))
    }

    /// Waits for a core.
    pub(crate) async fn judge(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.judging.acquire().await.map_err(|_| Problem::Unavailable("overloaded"))
    }

    fn pass(&self, limit: Limit, caller: u128) -> Result<(), Problem> {
        let passed = self.buckets.spend(Bucket { limit, caller }, Instant::now());
        passed.map_err(|wait| Problem::TooManyRequests(wait.as_secs() + 1))
    }

    /// Whoever has a full bucket again is forgotten, so that memory follows the callers of the last minute only.
    fn sweep_now_and_then(&self) {
        let now = self.opened.elapsed().as_secs();
        let swept = self.swept.load(Ordering::Relaxed);
        if now < swept + SWEEP_SECONDS
            || self.swept.compare_exchange(swept, now, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        self.buckets.forget_full(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn gates(limits: Limits) -> Gates {
        let buckets = Arc::new(Buckets::new(&limits));
        Gates::new(limits, buckets)
    }

    #[test]
    fn a_client_that_calls_too_often_is_told_when_to_come_back_and_others_are_not_held() {
        let limits = Limits { documents: Rate::per_second(1, 2), ..Limits::production() };
        let gates = gates(limits);
        let client = |address: &str| Client::of(address.parse().unwrap());
        let (first, second) = (client("192.0.2.1"), client("192.0.2.2"));
        assert!(gates.visit(Class::Document, first).is_ok());
        assert!(gates.visit(Class::Document, first).is_ok());
        let refused = gates.visit(Class::Document, first);
        assert!(matches!(refused, Err(Problem::TooManyRequests(1..=2))), "{refused:?}");
        assert!(gates.visit(Class::Public, first).is_ok(), "classes are counted apart");
        assert!(gates.visit(Class::Document, second).is_ok());
    }

    #[test]
    fn a_full_house_refuses_at_once_and_opens_when_somebody_leaves() {
        let gates = gates(Limits { in_flight: 1, ..Limits::production() });
        let permit = gates.enter().unwrap();
        assert!(matches!(gates.enter(), Err(Problem::Unavailable("overloaded"))));
        drop(permit);
        assert!(gates.enter().is_ok());
    }

    #[test]
    fn an_unknown_route_is_anybodys() {
        assert_eq!(Class::of("/v/{code}"), Class::Public);
        assert_eq!(Class::of("/api/v1/admin/keys"), Class::Agency);
        assert_eq!(Class::of("/api/v1/administration"), Class::Public);
    }
}
