//! What the service counts and times, in the text format that Prometheus reads. No label ever names a person, a
//! code or an identifier.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::desk::issue::Issued;
use crate::domain::queue::QueueView;

/// A job that is due sooner than this is at risk of missing its deadline: time enough for a person to act.
pub const AT_RISK: TimeDelta = TimeDelta::hours(4);

/// How many jobs of a queue are due within [`AT_RISK`], or overdue.
pub fn at_risk(queue: &QueueView, now: DateTime<Utc>) -> u64 {
    queue.due.partition_point(|due| *due <= now + AT_RISK) as u64
}

/// How long the oldest job of a queue has waited; zero for an empty queue.
pub fn oldest(queue: &QueueView, now: DateTime<Utc>) -> Duration {
    queue.oldest_requested_at.and_then(|at| (now - at).to_std().ok()).unwrap_or_default()
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Handler {
    method: &'static str,
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Try {
    end: &'static str,
}

/// Everything that is counted. Counting takes no lock that a reader of the text could hold for long.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    request_seconds: Family<Handler, Histogram, fn() -> Histogram>,
    jobs: Family<Try, Counter>,
    sealing_seconds: Histogram,
    queue_depth: Gauge,
    queue_oldest_seconds: Gauge<f64, AtomicU64>,
    queue_at_risk: Gauge,
    queue_parked: Gauge,
    annotations_failed: Gauge,
    store_read_only: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("vermilion");
        let requests = Family::default();
        let request_seconds = Family::new_with_constructor(request_histogram as fn() -> Histogram);
        let jobs = Family::<Try, Counter>::default();
        let sealing_seconds =
            Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0]);
        let queue_depth = Gauge::default();
        let queue_oldest_seconds = Gauge::<f64, AtomicU64>::default();
        let queue_at_risk = Gauge::default();
        let queue_parked = Gauge::default();
        let annotations_failed = Gauge::default();
        let store_read_only = Gauge::default();

        registry.register("http_requests", "Answered requests", requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "From the head of a request to the head of its answer",
            Unit::Seconds,
            request_seconds.clone(),
        );
        registry.register("jobs", "Tries at a copy by how they ended", jobs.clone());
        registry.register_with_unit(
            "sealing_duration",
            "From a leased job to its published copy",
            Unit::Seconds,
            sealing_seconds.clone(),
        );
        registry.register("queue_depth", "Copies that are to be made", queue_depth.clone());
        registry.register_with_unit(
            "queue_oldest",
            "Age of the oldest order in the queue",
            Unit::Seconds,
            queue_oldest_seconds.clone(),
        );
        registry.register("queue_at_risk", "Jobs due within 4 hours, or overdue", queue_at_risk.clone());
        registry.register("queue_parked", "Jobs that wait for a person", queue_parked.clone());
        registry.register(
            "annotations_failed",
            "Annotations that could not be made",
            annotations_failed.clone(),
        );
        registry.register("store_read_only", "1 where the store takes no writes", store_read_only.clone());
        for issued in [Issued::Ready, Issued::Failed, Issued::Postponed, Issued::Parked, Issued::Moot] {
            // A rate over a counter that is not there yet would miss its first step.
            drop(jobs.get_or_create(&Try { end: end(issued) }));
        }

        Self {
            registry,
            requests,
            request_seconds,
            jobs,
            sealing_seconds,
            queue_depth,
            queue_oldest_seconds,
            queue_at_risk,
            queue_parked,
            annotations_failed,
            store_read_only,
        }
    }

    /// Counts an answered request under the route that matched it, never under its path.
    pub(crate) fn request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.request_seconds
            .get_or_create(&Handler { method, route: route.clone() })
            .observe(took.as_secs_f64());
        self.requests.get_or_create(&Request { method, route, status }).inc();
    }

    /// Counts a try at a job, and times it where it made a copy: from the leased job to the published copy.
    pub(crate) fn job_settled(&self, issued: Issued, took: Duration) {
        if issued == Issued::Ready {
            self.sealing_seconds.observe(took.as_secs_f64());
        }
        self.jobs.get_or_create(&Try { end: end(issued) }).inc();
    }

    /// Shows the whole queue as it stands.
    pub fn set_queue(&self, queue: &QueueView, now: DateTime<Utc>) {
        self.queue_depth.set(count(queue.depth));
        self.queue_oldest_seconds.set(oldest(queue, now).as_secs_f64());
        self.queue_at_risk.set(count(at_risk(queue, now)));
        self.queue_parked.set(count(queue.parked));
        self.annotations_failed.set(count(queue.failed));
    }

    /// Shows whether the store takes no writes.
    pub fn set_read_only(&self, read_only: bool) {
        self.store_read_only.set(i64::from(read_only));
    }

    /// Everything in the OpenMetrics 1.0 text format.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

fn request_histogram() -> Histogram {
    Histogram::new([0.000_1, 0.000_25, 0.001, 0.002_5, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0])
}

fn end(issued: Issued) -> &'static str {
    match issued {
        Issued::Ready => "issued",
        Issued::Failed => "failed",
        Issued::Postponed => "postponed",
        Issued::Parked => "parked",
        Issued::Moot => "moot",
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_holds_what_was_counted() {
        let metrics = Metrics::new();
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let due = |hours| now + TimeDelta::hours(hours);
        let queue = QueueView {
            depth: 4,
            parked: 1,
            oldest_requested_at: Some(now - TimeDelta::seconds(90)),
            next_due_at: Some(due(-1)),
            due: vec![due(-1), due(4), due(5), due(24)],
            failed: 2,
        };
        metrics.set_queue(&queue, now);
        metrics.request("GET", "/api/v1/verify/{code}", 200, Duration::from_micros(300));
        metrics.request("GET", "/api/v1/verify/{code}", 200, Duration::from_micros(300));
        metrics.job_settled(Issued::Parked, Duration::from_secs(9));
        metrics.job_settled(Issued::Ready, Duration::from_millis(7));
        metrics.set_read_only(true);
        let text = metrics.encode();
        for line in [
            "vermilion_queue_depth 4",
            "vermilion_queue_oldest_seconds 90.0",
            "vermilion_queue_at_risk 2",
            "vermilion_queue_parked 1",
            "vermilion_annotations_failed 2",
            "vermilion_store_read_only 1",
            "vermilion_jobs_total{end=\"parked\"} 1",
            "vermilion_jobs_total{end=\"issued\"} 1",
            "vermilion_jobs_total{end=\"failed\"} 0",
            "vermilion_http_requests_total{method=\"GET\",route=\"/api/v1/verify/{code}\",status=\"200\"} 2",
            "vermilion_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/verify/{code}\"} 2",
            "vermilion_sealing_duration_seconds_bucket{le=\"0.01\"} 1",
            "vermilion_sealing_duration_seconds_count 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is missing from\n{text}");
        }
    }

    #[test]
    fn an_empty_queue_has_no_oldest_job() {
        assert_eq!(oldest(&QueueView::default(), DateTime::UNIX_EPOCH), Duration::ZERO);
        assert_eq!(at_risk(&QueueView::default(), DateTime::UNIX_EPOCH), 0);
    }
}
