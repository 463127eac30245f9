//! Metrics for Prometheus.
//!
//! Clients cannot create labels: model names in them are those of the configuration.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

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
use tower_moonshot::{
    Rule,
    reasoning_memory::{Missing, ReasoningReport},
    response::{ResponseReport, ResponseRule},
};

use super::{balance::Class, failure::Failure, models::Choice};

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
    entries: Family<EntryRequest, Counter>,
    cooldowns: Family<Cooldown, Counter>,
    repairs: Family<Repair, Counter>,
    restored: Counter,
    missing: Family<MissingThought, Counter>,
    remembered: Counter,
    store_errors: Family<StoreError, Counter>,
    thought_bytes: Gauge,
    pub(crate) retries: Counter,
    pub(crate) in_flight: Gauge,
    pub(crate) open_connections: Gauge,
    refused_connections: Family<RefusedConnection, Counter>,
    last_reload_successful: Gauge,
    last_reload_timestamp: Gauge,
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
struct Repair {
    rule: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MissingThought {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StoreError {
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusedConnection {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpstreamFailure {
    upstream: Arc<str>,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EntryRequest {
    model: Arc<str>,
    entry: usize,
    upstream: Arc<str>,
    moved: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cooldown {
    model: Arc<str>,
    entry: usize,
    upstream: Arc<str>,
    reason: &'static str,
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
            entries: Family::default(),
            cooldowns: Family::default(),
            repairs: Family::default(),
            restored: Counter::default(),
            missing: Family::default(),
            remembered: Counter::default(),
            store_errors: Family::default(),
            thought_bytes: Gauge::default(),
            retries: Counter::default(),
            in_flight: Gauge::default(),
            open_connections: Gauge::default(),
            refused_connections: Family::default(),
            last_reload_successful: Gauge::default(),
            last_reload_timestamp: Gauge::default(),
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
            "entry_requests",
            "Attempts by entry, of names with several, and whether it was preferred",
            metrics.entries.clone(),
        );
        registry.register(
            "entry_cooldowns",
            "Times that an entry began to cool down",
            metrics.cooldowns.clone(),
        );
        registry.register(
            "upstream_seconds",
            "Time until the upstream's response began",
            metrics.upstream.clone(),
        );
        registry.register(
            "response_repairs",
            "Responses that a rule repaired",
            metrics.repairs.clone(),
        );
        registry.register(
            "thoughts_restored",
            "Messages whose reasoning was restored",
            metrics.restored.clone(),
        );
        registry.register(
            "thoughts_missing",
            "Messages whose reasoning was needed and not restored, by reason",
            metrics.missing.clone(),
        );
        registry.register(
            "thoughts_remembered",
            "Answers whose reasoning was given to the store",
            metrics.remembered.clone(),
        );
        registry.register(
            "thought_store_errors",
            "Failures and timeouts of the store of thoughts, by operation",
            metrics.store_errors.clone(),
        );
        registry.register(
            "thought_bytes",
            "Bytes of thoughts that this process keeps",
            metrics.thought_bytes.clone(),
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
            "open_connections",
            "Open connections of clients",
            metrics.open_connections.clone(),
        );
        registry.register(
            "refused_connections",
            "Connections that were closed at once, by the limit that was reached",
            metrics.refused_connections.clone(),
        );
        registry.register(
            "config_last_reload_successful",
            "1 if the configuration was read at the last attempt, else 0",
            metrics.last_reload_successful.clone(),
        );
        registry.register(
            "config_last_reload_success_timestamp_seconds",
            "Unix time at which the configuration in use was read",
            metrics.last_reload_timestamp.clone(),
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
        metrics.reloaded(true);
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

    /// Counts a connection that a limit refused.
    pub(crate) fn refused_connection(&self, limit: &'static str) {
        let labels = RefusedConnection { limit };
        self.refused_connections.get_or_create(&labels).inc();
    }

    /// Notes an attempt to read the configuration.
    pub(crate) fn reloaded(&self, is_successful: bool) {
        self.last_reload_successful.set(is_successful.into());
        if is_successful {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let seconds = now.unwrap_or_default().as_secs();
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            self.last_reload_timestamp.set(seconds);
        }
    }

    /// Counts what was done to a response that has ended.
    pub(crate) fn repaired(&self, report: &ResponseReport) {
        for rule in ResponseRule::ALL {
            if report.count(*rule) > 0 {
                let rule = rule.name();
                self.repairs.get_or_create(&Repair { rule }).inc();
            }
        }
    }

    /// Counts what became of the thoughts of a request whose response has ended.
    pub(crate) fn thought(&self, report: &ReasoningReport) {
        self.restored.inc_by(report.restored().into());
        self.remembered.inc_by(report.remembered().into());
        for why in Missing::ALL {
            let count = report.missing_because(*why);
            if count > 0 {
                let reason = why.name();
                let missing = self.missing.get_or_create(&MissingThought { reason });
                missing.inc_by(count.into());
            }
        }
        if store_error(report).is_some() {
            self.store_error("recall");
        }
    }

    /// Counts a thought that the store could not keep.
    pub(crate) fn could_not_remember(&self) {
        self.store_error("remember");
    }

    fn store_error(&self, operation: &'static str) {
        self.store_errors
            .get_or_create(&StoreError { operation })
            .inc();
    }

    /// Counts an attempt with one of several entries.
    pub(crate) fn sent_to(&self, choice: &Choice) {
        let labels = EntryRequest {
            model: Arc::clone(&choice.name().label),
            entry: choice.place() + 1,
            upstream: Arc::clone(&choice.deployment().upstream),
            moved: if choice.is_moved() { "true" } else { "false" },
        };
        self.entries.get_or_create(&labels).inc();
    }

    pub(crate) fn cools_down(&self, choice: &Choice, class: Class) {
        let labels = Cooldown {
            model: Arc::clone(&choice.name().label),
            entry: choice.place() + 1,
            upstream: Arc::clone(&choice.deployment().upstream),
            reason: class.name(),
        };
        self.cooldowns.get_or_create(&labels).inc();
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

    /// Returns the response to `GET /metrics`. `thought_bytes` is the size of all thoughts
    /// that are kept.
    pub(crate) fn text(&self, thought_bytes: usize) -> Response {
        let thought_bytes = i64::try_from(thought_bytes).unwrap_or(i64::MAX);
        self.thought_bytes.set(thought_bytes);
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// How the store failed to look thoughts up, if it did.
pub(crate) fn store_error(report: &ReasoningReport) -> Option<&str> {
    if report.missing_because(Missing::StoreTimeout) > 0 {
        return Some("the store did not answer in time");
    }
    report.store_error()
}
