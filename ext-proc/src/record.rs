//! What is known of a request: its line in the log, and its part of the metrics.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use http::{Extensions, StatusCode};
use tower_moonshot::{
    Report, Rule, Skipped,
    reasoning_memory::ReasoningReport,
    response::{ResponseReport, ResponseRule},
};

use super::{
    admit::Destination, head::RequestHead, message::Side, metrics::Metrics, processor::Processor,
    refusal::Refusal,
};

/// The longest part of a client's text that the log repeats, in characters.
const MAX_TEXT: usize = 100;

/// Collects what happens to one request. When it is dropped, the line is logged.
#[derive(Debug)]
pub(crate) struct Record {
    metrics: Arc<Metrics>,
    started: Instant,
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    method: String,
    path: String,
    label: Option<Arc<str>>,
    upstream: Option<Arc<str>>,
    status: Option<StatusCode>,
    rules: Vec<&'static str>,
    skipped: Option<&'static str>,
    refused: Option<&'static str>,
    thoughts: Option<ReasoningReport>,
    repairs: Option<ResponseReport>,
    bytes_in: usize,
    bytes_out: usize,
    complete_at: Option<Instant>,
    added: Option<Duration>,
}

impl Record {
    pub(crate) fn new(processor: &Processor) -> Self {
        processor.metrics.open_streams.inc();
        Self {
            metrics: Arc::clone(&processor.metrics),
            started: Instant::now(),
            facts: Mutex::default(),
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn began(&self, head: &RequestHead) {
        let mut facts = self.facts();
        facts.method = head.method.to_string();
        // A query may contain secrets.
        let path = head.path.split('?').next().unwrap_or_default();
        facts.path = path.chars().take(MAX_TEXT).collect();
    }

    pub(crate) fn destined(&self, destination: &Destination) {
        let mut facts = self.facts();
        match destination {
            Destination::Entry(choice) => {
                facts.label = Some(Arc::clone(&choice.label));
                facts.upstream = Some(Arc::clone(&choice.upstream.base));
            }
            Destination::Shared(upstream) => facts.upstream = Some(Arc::clone(&upstream.base)),
            Destination::Route => {}
        }
    }

    pub(crate) fn received(&self, side: Side, length: usize) {
        let mut facts = self.facts();
        match side {
            Side::Request => facts.bytes_in += length,
            Side::Response => facts.bytes_out += length,
        }
    }

    /// The request's body has arrived.
    pub(crate) fn body_complete(&self) {
        self.facts().complete_at = Some(Instant::now());
    }

    /// What the rewrite did, or the name of the `switch` for which it did nothing.
    pub(crate) fn rewrote(&self, report: Option<&Report>, switch: &'static str) {
        let mut facts = self.facts();
        let changes = report.map(Report::changes).unwrap_or_default();
        let applied = |rule: &&Rule| changes.iter().any(|change| change.rule() == **rule);
        facts.rules = Rule::ALL
            .iter()
            .filter(applied)
            .map(|rule| rule.name())
            .collect();
        let skipped = report.and_then(Report::skipped);
        facts.skipped = skipped.map(|skipped| match skipped {
            Skipped::ByRequest => switch,
            other => reason(other),
        });
    }

    /// The request was sent back to Envoy.
    pub(crate) fn handed_over(&self) {
        let mut facts = self.facts();
        facts.added = facts.complete_at.map(|at| at.elapsed());
    }

    pub(crate) fn responded(&self, status: StatusCode) {
        self.facts().status = Some(status);
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        let mut facts = self.facts();
        facts.status = Some(refusal.status);
        facts.refused = Some(refusal.code);
    }

    /// What the layers say in the extensions of the response.
    pub(crate) fn reported(&self, extensions: &Extensions) {
        let mut facts = self.facts();
        facts.thoughts = extensions.get::<ReasoningReport>().cloned();
        facts.repairs = extensions.get::<ResponseReport>().cloned();
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let facts = std::mem::take(&mut *self.facts());
        let metrics = &self.metrics;
        metrics.open_streams.dec();
        let status = facts.status.map_or(0, |status| status.as_u16());
        metrics.finished(facts.label.clone(), status);
        facts.rules.iter().for_each(|rule| metrics.rewrote(rule));
        if let Some(reason) = facts.skipped {
            metrics.skipped(reason);
        }
        if let Some(code) = facts.refused {
            metrics.refused(code);
        }
        let restored = facts.thoughts.as_ref().map_or(0, ReasoningReport::restored);
        let missing = facts.thoughts.as_ref().map_or(0, ReasoningReport::missing);
        metrics.restored.inc_by(restored.into());
        metrics.missing.inc_by(missing.into());
        let repairs = ResponseRule::ALL.iter().filter(|rule| {
            let report = facts.repairs.as_ref();
            report.is_some_and(|report| report.count(**rule) > 0)
        });
        let repairs: Vec<_> = repairs.map(|rule| rule.name()).collect();
        repairs.iter().for_each(|rule| metrics.repaired(rule));
        if let Some(added) = facts.added {
            metrics.added_seconds.observe(added.as_secs_f64());
            metrics.request_bytes.observe(facts.bytes_in as f64);
        }
        tracing::info!(
            method = facts.method,
            path = facts.path,
            status = facts.status.map(|status| status.as_u16()),
            model = facts.label.as_deref(),
            upstream = facts.upstream.as_deref(),
            rules = list(&facts.rules),
            skipped = facts.skipped,
            refused = facts.refused,
            thoughts_restored = Some(restored).filter(|count| *count > 0),
            thoughts_missing = Some(missing).filter(|count| *count > 0),
            repairs = list(&repairs),
            added_us = facts.added.map(|added| added.as_micros() as u64),
            time_ms = self.started.elapsed().as_millis() as u64,
            bytes_in = facts.bytes_in,
            bytes_out = facts.bytes_out,
            "request",
        );
    }
}

fn list(names: &[&str]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(", "))
}

/// The name of a reason, for a label.
const fn reason(skipped: &Skipped) -> &'static str {
    match skipped {
        Skipped::NotAChatRequest => "not_a_chat_request",
        Skipped::Compressed => "compressed",
        Skipped::TooLarge { .. } => "too_large",
        Skipped::InvalidJson(_) => "invalid_json",
        Skipped::ReadError => "read_error",
        _ => "other",
    }
}
