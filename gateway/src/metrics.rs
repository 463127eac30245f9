//! Metrics for Prometheus.
//!
//! Clients cannot create labels: model names in them are those of the configuration.

use std::sync::Arc;

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use tower_moonshot::Rule;

use super::failure::Failure;

/// The content type of [`Metrics::text`].
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The label of requests for a model that is not configured, or for none.
const OTHER: &str = "other";

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    rewrites: Family<Rewrite, Counter>,
    failures: Family<UpstreamFailure, Counter>,
    upstream: Family<UpstreamLabel, Histogram, fn() -> Histogram>,
    pub(crate) retries: Counter,
    pub(crate) in_flight: Gauge,
    pub(crate) request_bytes: Histogram,
    pub(crate) response_bytes: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    model: Arc<str>,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Rewrite {
    rule: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpstreamFailure {
    upstream: Arc<str>,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpstreamLabel {
    upstream: Arc<str>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        // From 10 ms to 10 minutes, and from 256 bytes to 67 MB.
        let seconds = || Histogram::new(exponential_buckets(0.01, 2.5, 13));
        let bytes = || Histogram::new(exponential_buckets(256.0, 4.0, 10));
        let mut registry = Registry::with_prefix("gateway");
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            rewrites: Family::default(),
            failures: Family::default(),
            upstream: Family::new_with_constructor(seconds),
            retries: Counter::default(),
            in_flight: Gauge::default(),
            request_bytes: bytes(),
            response_bytes: bytes(),
        };
        registry.register(
            "requests",
            "Requests by configured model name and status; 499 if the client disconnected first",
            metrics.requests.clone(),
        );
        registry.register(
            "rewrites",
            "Requests that a rule changed",
            metrics.rewrites.clone(),
        );
        registry.register(
            "upstream_failures",
            "Requests that ended with a failure of the upstream, by kind",
            metrics.failures.clone(),
        );
        registry.register(
            "upstream_seconds",
            "Time until the upstream's response began",
            metrics.upstream.clone(),
        );
        registry.register(
            "retries",
            "Attempts after the first",
            metrics.retries.clone(),
        );
        registry.register(
            "in_flight_requests",
            "Requests whose response has not ended",
            metrics.in_flight.clone(),
        );
        registry.register(
            "request_body_bytes",
            "Length of chat request bodies, decompressed and before the rewrite",
            metrics.request_bytes.clone(),
        );
        registry.register(
            "response_body_bytes",
            "Length of response bodies, as far as they were sent",
            metrics.response_bytes.clone(),
        );
        metrics.registry = registry;
        metrics
    }

    pub(crate) fn finished(&self, model: Option<Arc<str>>, status: u16) {
        let model = model.unwrap_or_else(|| OTHER.into());
        self.requests
            .get_or_create(&Request { model, status })
            .inc();
    }

    pub(crate) fn rewrote(&self, rule: Rule) {
        let rule = rule.name();
        self.rewrites.get_or_create(&Rewrite { rule }).inc();
    }

    pub(crate) fn failed(&self, upstream: &Arc<str>, failure: Failure) {
        let labels = UpstreamFailure {
            upstream: Arc::clone(upstream),
            kind: failure.name(),
        };
        self.failures.get_or_create(&labels).inc();
    }

    pub(crate) fn upstream_seconds(&self, upstream: &Arc<str>, seconds: f64) {
        let labels = UpstreamLabel {
            upstream: Arc::clone(upstream),
        };
        self.upstream.get_or_create(&labels).observe(seconds);
    }

    /// The response to `GET /metrics`.
    pub(crate) fn text(&self) -> Response {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}
