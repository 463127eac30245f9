//! Metrics for Prometheus.
//!
//! Clients cannot create labels: model names in them are those of the configuration.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
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

/// The content type of [`Metrics::text`].
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The label of requests for which no entry was chosen.
const OTHER: &str = "other";

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    rewrites: Family<Rewrite, Counter>,
    skipped: Family<Reason, Counter>,
    refused: Family<Code, Counter>,
    repairs: Family<Rewrite, Counter>,
    pub(crate) restored: Counter,
    pub(crate) missing: Counter,
    pub(crate) lost: Counter,
    pub(crate) misconfigured: Counter,
    pub(crate) misconfigured_routes: Counter,
    pub(crate) overloaded: Counter,
    reload_successful: Gauge,
    reloaded_at: Gauge,
    pub(crate) open_streams: Gauge,
    pub(crate) added_seconds: Histogram,
    pub(crate) request_bytes: Histogram,
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
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("moonshot_ext_proc");
        let requests = Family::default();
        registry.register(
            "requests",
            "Requests that have ended, by configured model and status; 0 if Envoy sent none",
            requests.clone(),
        );
        let rewrites = Family::default();
        registry.register(
            "rewrites",
            "Requests that a rule has changed",
            rewrites.clone(),
        );
        let skipped = Family::default();
        registry.register(
            "skipped",
            "Chat requests whose body was left unchanged, by reason",
            skipped.clone(),
        );
        let refused = Family::default();
        registry.register(
            "refused",
            "Requests that were answered with an error, by its code",
            refused.clone(),
        );
        let repairs = Family::default();
        registry.register(
            "repairs",
            "Responses that a rule has repaired",
            repairs.clone(),
        );
        let restored = Counter::default();
        registry.register(
            "restored_thoughts",
            "Thoughts put into requests",
            restored.clone(),
        );
        let missing = Counter::default();
        registry.register(
            "missing_thoughts",
            "Thoughts that requests lack and that could not be restored",
            missing.clone(),
        );
        let lost = Counter::default();
        registry.register(
            "lost_thoughts",
            "Thoughts that could not be kept in Redis",
            lost.clone(),
        );
        let misconfigured = Counter::default();
        registry.register(
            "misconfigured_streams",
            "gRPC streams that were refused for a processing mode that is not supported",
            misconfigured.clone(),
        );
        let misconfigured_routes = Counter::default();
        registry.register(
            "misconfigured_routes",
            "Requests whose route has settings that are wrong",
            misconfigured_routes.clone(),
        );
        let overloaded = Counter::default();
        registry.register(
            "overloaded_streams",
            "gRPC streams that were refused because of --max-streams",
            overloaded.clone(),
        );
        let reload_successful = Gauge::default();
        registry.register(
            "config_last_reload_successful",
            "1 if the configuration was read at the last attempt, else 0",
            reload_successful.clone(),
        );
        let reloaded_at = Gauge::default();
        registry.register(
            "config_last_reload_success_timestamp_seconds",
            "Unix time at which the configuration in use was read",
            reloaded_at.clone(),
        );
        let open_streams = Gauge::default();
        registry.register(
            "open_streams",
            "gRPC streams that are open",
            open_streams.clone(),
        );
        let added_seconds = Histogram::new(exponential_buckets(0.000_05, 2.0, 16));
        registry.register(
            "added_seconds",
            "Time from the last byte of a request's body until the request is sent back",
            added_seconds.clone(),
        );
        let request_bytes = Histogram::new(exponential_buckets(1024.0, 4.0, 9));
        registry.register(
            "request_bytes",
            "Length of request bodies",
            request_bytes.clone(),
        );
        let metrics = Self {
            registry,
            requests,
            rewrites,
            skipped,
            refused,
            repairs,
            restored,
            missing,
            lost,
            misconfigured,
            misconfigured_routes,
            overloaded,
            reload_successful,
            reloaded_at,
            open_streams,
            added_seconds,
            request_bytes,
        };
        metrics.reloaded(true);
        metrics
    }

    /// The configuration was read, or could not be.
    pub(crate) fn reloaded(&self, is_successful: bool) {
        self.reload_successful.set(is_successful.into());
        if is_successful && let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH) {
            let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
            self.reloaded_at.set(seconds);
        }
    }

    pub(crate) fn finished(&self, model: Option<Arc<str>>, status: u16) {
        let model = model.unwrap_or_else(|| OTHER.into());
        self.requests
            .get_or_create(&Request { model, status })
            .inc();
    }

    pub(crate) fn rewrote(&self, rule: &'static str) {
        self.rewrites.get_or_create(&Rewrite { rule }).inc();
    }

    pub(crate) fn skipped(&self, reason: &'static str) {
        self.skipped.get_or_create(&Reason { reason }).inc();
    }

    pub(crate) fn refused(&self, code: &'static str) {
        self.refused.get_or_create(&Code { code }).inc();
    }

    pub(crate) fn repaired(&self, rule: &'static str) {
        self.repairs.get_or_create(&Rewrite { rule }).inc();
    }

    /// Returns all metrics in the OpenMetrics format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
