//! The JSON API: translation only. A handler parses, calls the desk and prints; it decides nothing.
//!
//! Every request passes one gate (bounds, deadline, panics, headers, log). Every "no" becomes an answer in one file.
//! Routes and the published document come from one declaration, so neither can say what the other does not.

pub(crate) mod accounts;
pub(crate) mod annotations;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod batch;
pub(crate) mod body;
pub(crate) mod buckets;
pub(crate) mod certificates;
pub(crate) mod checks;
pub mod client;
pub(crate) mod cookie;
pub mod development;
pub(crate) mod gate;
pub(crate) mod holder;
pub(crate) mod keys;
pub(crate) mod language;
pub mod limits;
pub(crate) mod lines;
pub(crate) mod linger;
pub mod listener;
pub(crate) mod me;
pub mod openapi;
pub(crate) mod operations;
pub(crate) mod params;
pub(crate) mod postage;
pub(crate) mod problem;
pub(crate) mod public;
pub(crate) mod record_file;
pub(crate) mod registration;
pub(crate) mod second_factor;
pub(crate) mod session;
pub(crate) mod shapes;
pub(crate) mod sharing;
pub(crate) mod spool;
pub(crate) mod staff;
pub(crate) mod tickets;
pub(crate) mod units;
pub(crate) mod words;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::body::Bytes;
use axum::middleware::from_fn_with_state;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::desk::Desk;
use crate::http::buckets::Buckets;
use crate::http::client::Network;
use crate::http::development::Development;
use crate::http::limits::{Gates, Limits};
use crate::metrics::Metrics;

/// What the API is made of.
#[derive(Debug)]
pub struct Service {
    desk: Desk,
    metrics: Arc<Metrics>,
    limits: Limits,
    buckets: Arc<Buckets>,
    development: Option<Development>,
    metrics_in_public: bool,
}

impl Service {
    /// An API in front of a desk; with the routes of development where there are any tools for them.
    pub fn new(desk: Desk, metrics: Arc<Metrics>, limits: Limits, development: Option<Development>) -> Self {
        let buckets = Arc::new(Buckets::new(&limits));
        Self { desk, metrics, limits, buckets, development, metrics_in_public: false }
    }

    /// Believes the `X-Forwarded-For` of these proxies: addresses or networks.
    #[must_use]
    pub fn trusting(mut self, proxies: impl IntoIterator<Item = impl Into<Network>>) -> Self {
        self.limits.trusted_proxies.extend(proxies.into_iter().map(Into::into));
        self
    }

    /// Whether `/metrics` is among the public routes; otherwise [`operations`] has it.
    #[must_use]
    pub fn metrics_in_public(mut self, public: bool) -> Self {
        self.metrics_in_public = public;
        self
    }

    /// Keeps the limits together with the other nodes, until told to stop. Where they cannot be reached, this node keeps
    /// them by its own count.
    pub fn share_limits(&self, stop: CancellationToken) -> impl Future<Output = ()> + Send + use<> {
        sharing::share(self.buckets.clone(), self.desk.clone(), stop)
    }
}

/// What handlers share.
pub(crate) struct Api {
    pub(crate) desk: Desk,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) gates: Gates,
    pub(crate) development: Option<Development>,
    /// The printed description.
    pub(crate) document: Bytes,
    /// Whether the public reaches the service by TLS.
    https: bool,
    /// Tells this run's requests from the last one's.
    boot: u32,
    requests: AtomicU64,
}

pub(crate) type Shared = Arc<Api>;

impl Api {
    fn new(service: Service, document: Bytes) -> Shared {
        Arc::new(Self {
            https: service.desk.rules().public_url.starts_with("https://"),
            desk: service.desk,
            metrics: service.metrics,
            gates: Gates::new(service.limits, service.buckets),
            development: service.development,
            document,
            // The low half of a seed that the standard library draws per process.
            boot: RandomState::new().hash_one(()) as u32,
            requests: AtomicU64::new(0),
        })
    }
}

/// The whole service: the API, `/openapi.json`, health, and the pages, which pass the same gate.
pub fn router(service: Service, pages: Router) -> Router {
    let with =
        openapi::Parts { metrics: service.metrics_in_public, development: service.development.is_some() };
    let (routes, document) = routes(&with).split_for_parts();
    let document = openapi::finish(document, &service.desk.rules().public_url);
    // A description of ours always prints.
    let document = document.to_json().unwrap_or_default().into();
    gated(Api::new(service, document), routes, pages)
}

/// Health and metrics alone: for a worker, or for a listener of their own.
pub fn operations(desk: Desk, metrics: Arc<Metrics>) -> Router {
    let routes = operations::router().merge(operations::metrics_router());
    let service = Service::new(desk, metrics, Limits::production(), None);
    gated(Api::new(service, Bytes::new()), routes.into(), Router::new())
}

/// Every route of ours, with its description.
fn routes(with: &openapi::Parts) -> OpenApiRouter<Shared> {
    let mut routes = OpenApiRouter::with_openapi(openapi::about())
        .merge(public::router())
        .merge(accounts::router())
        .merge(me::router())
        .merge(holder::router())
        .merge(checks::router())
        .merge(certificates::router())
        .merge(batch::router())
        .merge(annotations::router())
        .merge(audit::router())
        .merge(keys::router())
        .merge(staff::router())
        .merge(second_factor::router())
        .merge(tickets::router())
        .merge(units::router())
        .merge(registration::router())
        .merge(operations::router())
        .merge(openapi::router());
    if with.metrics {
        routes = routes.merge(operations::metrics_router());
    }
    if with.development {
        routes = routes.merge(development::router());
    }
    routes
}

fn gated(api: Shared, routes: Router<Shared>, pages: Router) -> Router {
    routes
        .with_state(api.clone())
        .merge(pages)
        .method_not_allowed_fallback(gate::no_such_method)
        .fallback(gate::nowhere)
        .layer(from_fn_with_state(api, gate::pass))
}
