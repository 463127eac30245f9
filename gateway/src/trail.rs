//! Collects what is known of a request, for its log line and the metrics.
//!
//! Each request is logged once, when its response has ended: sent completely, broken
//! off by the upstream, or abandoned by the client. tower-http's `trace` logs the
//! begin and the end of a response apart, and nothing if a client disconnects in
//! between.

use std::{
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::Next,
    response::Response,
};
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tower_http::request_id::RequestId;
use tower_moonshot::{
    Report, Rule,
    inline_media::MediaReport,
    reasoning_memory::ReasoningReport,
    response::{ResponseReport, ResponseRule},
};

use super::{
    error::Reason,
    explain::Explained,
    failure::{Failed, Failure},
    log::shortened,
    malformed::OpenRequest,
    metrics::{Metrics, store_error},
    models::Choice,
};

/// The response header that names the rules that changed the request.
const REWRITES: HeaderName = HeaderName::from_static("x-moonshot-rewrites");

/// The upstream's id of a request. The second header is set by proxies in front of it;
/// if it is absent, a layer further out sets it to the gateway's own id.
const UPSTREAM_IDS: [&str; 2] = ["msh-request-id", "x-request-id"];

/// Facts about a request. It is in the request's extensions, where the layers inside
/// add to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail(Arc<Facts>);

#[derive(Debug, Default)]
struct Facts {
    choice: OnceLock<Choice>,
    request_bytes: OnceLock<u64>,
    last: std::sync::Mutex<Option<Attempt>>,
    attempts: AtomicU32,
    /// Time until the response of the last attempt began, in microseconds; zero if
    /// there was no attempt.
    upstream_time: AtomicU64,
    /// The place among concurrent requests. It is kept until the response has ended,
    /// because a stream counts too.
    place: std::sync::Mutex<Option<OwnedSemaphorePermit>>,
}

/// Where a request was sent.
#[derive(Clone, Debug)]
struct Attempt {
    upstream: Arc<str>,
    /// The number of the entry, of a name with several.
    entry: Option<usize>,
    /// Whether the preferred entry cools down.
    is_moved: bool,
}

impl Trail {
    pub(crate) fn of<B>(request: &axum::http::Request<B>) -> Self {
        request.extensions().get().cloned().unwrap_or_default()
    }

    pub(crate) fn chose(&self, choice: &Choice) {
        let _ = self.0.choice.set(choice.clone());
    }

    pub(crate) fn read(&self, bytes: usize) {
        let _ = self.0.request_bytes.set(bytes as u64);
    }

    /// Notes an attempt with the entry of a choice.
    pub(crate) fn tried(&self, choice: &Choice) {
        self.attempt(Attempt {
            upstream: Arc::clone(&choice.deployment().upstream),
            entry: choice.name().has_several().then(|| choice.place() + 1),
            is_moved: choice.is_moved(),
        });
    }

    /// Notes that a request was forwarded to this upstream.
    pub(crate) fn sent_to(&self, upstream: &Arc<str>) {
        self.attempt(Attempt {
            upstream: Arc::clone(upstream),
            entry: None,
            is_moved: false,
        });
    }

    fn attempt(&self, attempt: Attempt) {
        self.0.attempts.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut last) = self.0.last.lock() {
            *last = Some(attempt);
        }
    }

    pub(crate) fn responded(&self, after: Duration) {
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        self.0.upstream_time.store(micros.max(1), Ordering::Relaxed);
    }

    pub(crate) fn keep(&self, place: OwnedSemaphorePermit) {
        if let Ok(mut kept) = self.0.place.lock() {
            *kept = Some(place);
        }
    }
}

/// The middleware that logs and counts requests.
pub(crate) async fn record(
    State(metrics): State<Arc<Metrics>>,
    mut request: Request,
    next: Next,
) -> Response {
    let trail = Trail::default();
    let id = request.extensions().get::<RequestId>().cloned();
    let mut line = Line {
        _open: request.extensions_mut().remove(),
        metrics: Arc::clone(&metrics),
        method: request.method().clone(),
        // Without the query, which may contain private data.
        path: request.uri().path().to_owned(),
        id,
        trail: trail.clone(),
        started: Instant::now(),
        head: None,
        bytes: 0,
        end: End::ClientLeft,
    };
    metrics.in_flight.inc();
    request.extensions_mut().insert(trail);
    let mut response = next.run(request).await;

    let report = response.extensions_mut().remove::<Report>();
    let media = response.extensions_mut().remove::<MediaReport>();
    let thoughts = response.extensions_mut().remove::<ReasoningReport>();
    let repairs = response.extensions_mut().remove::<ResponseReport>();
    let rules = report.as_ref().and_then(rules);
    if let Some(rules) = &rules {
        response.headers_mut().insert(REWRITES, rules.clone());
    }
    line.head = Some(Head {
        status: response.status().as_u16(),
        after: line.started.elapsed(),
        failure: response.extensions().get::<Failed>().map(|failed| failed.0),
        reason: response.extensions_mut().remove(),
        explained: response.extensions_mut().remove(),
        upstream_id: UPSTREAM_IDS
            .iter()
            .find_map(|name| response.headers().get(*name))
            .cloned(),
        report,
        media,
        thoughts,
        repairs,
        rules,
    });
    response.map(|body| Body::new(Recorded::new(body, line)))
}

/// Lists the rules that changed the request, each once.
fn rules(report: &Report) -> Option<HeaderValue> {
    let mut names = String::new();
    for rule in applied(report) {
        if !names.is_empty() {
            names.push_str(", ");
        }
        names.push_str(rule.name());
    }
    (!names.is_empty())
        .then(|| HeaderValue::try_from(names).ok())
        .flatten()
}

fn applied(report: &Report) -> impl Iterator<Item = Rule> {
    let changed = |rule: Rule| report.changes().iter().any(|change| change.rule() == rule);
    Rule::ALL.iter().copied().filter(move |rule| changed(*rule))
}

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Complete,
    UpstreamBroke,
    ClientLeft,
}

#[derive(Debug)]
struct Head {
    status: u16,
    after: Duration,
    failure: Option<Failure>,
    reason: Option<Reason>,
    explained: Option<Explained>,
    upstream_id: Option<HeaderValue>,
    report: Option<Report>,
    media: Option<MediaReport>,
    /// Complete once the response has ended, as are the repairs.
    thoughts: Option<ReasoningReport>,
    repairs: Option<ResponseReport>,
    /// The names of the rules in the report.
    rules: Option<HeaderValue>,
}

/// The log line of one request. It is written on drop, so that none is missing.
#[derive(Debug)]
struct Line {
    /// Tells the connection that the request is open.
    _open: Option<OpenRequest>,
    metrics: Arc<Metrics>,
    method: Method,
    path: String,
    id: Option<RequestId>,
    trail: Trail,
    started: Instant,
    head: Option<Head>,
    bytes: u64,
    end: End,
}

impl Drop for Line {
    fn drop(&mut self) {
        let Facts {
            choice,
            request_bytes,
            last,
            attempts,
            upstream_time,
            place,
        } = &*self.trail.0;
        // Released first: a client that has read the line finds a free place.
        drop(place.lock().ok().and_then(|mut place| place.take()));
        let choice = choice.get();
        let last = last.lock().ok().and_then(|mut last| last.take());
        let last = last.as_ref();
        let upstream = last.map(|last| &last.upstream);
        let upstream_micros = upstream_time.load(Ordering::Relaxed);
        let attempts = attempts.load(Ordering::Relaxed);
        let head = self.head.as_ref();
        // nginx's status for a client that disconnected before the response began.
        let status = head.map_or(499, |head| head.status);
        let failure = head.and_then(|head| head.failure);
        let reason = head.and_then(|head| head.reason.as_ref());
        let report = head.and_then(|head| head.report.as_ref());

        let label = choice.map(|choice| Arc::clone(&choice.name().label));
        self.metrics.finished(label, status);
        self.metrics.in_flight.dec();
        if let Some(bytes) = request_bytes.get() {
            self.metrics.request_bytes.observe(*bytes as f64);
        }
        self.metrics.response_bytes.observe(self.bytes as f64);
        if let Some(upstream) = upstream {
            if upstream_micros > 0 {
                let seconds = Duration::from_micros(upstream_micros).as_secs_f64();
                self.metrics.upstream_seconds(upstream, seconds);
            }
            if let Some(failure) = failure {
                self.metrics.failed(upstream, failure);
            }
        }
        self.metrics
            .retries
            .inc_by(u64::from(attempts.saturating_sub(1)));
        for rule in report.into_iter().flat_map(applied) {
            self.metrics.rewrote(rule);
        }

        let thoughts = head.and_then(|head| head.thoughts.as_ref());
        if let Some(thoughts) = thoughts {
            self.metrics.thought(thoughts);
        }
        let repairs = head.and_then(|head| head.repairs.as_ref());
        if let Some(repairs) = repairs {
            self.metrics.repaired(repairs);
        }

        let model = choice.map(|choice| shortened(choice.asked()));
        let rules = head.and_then(|head| head.rules.as_ref());
        let media = head.and_then(|head| head.media.as_ref());
        let media = media.map_or(&[][..], MediaReport::media);
        let inlined = media.iter().filter(|one| one.outcome().is_ok()).count();
        let id = self.id.as_ref();
        let upstream_id = head.and_then(|head| head.upstream_id.as_ref());
        tracing::info!(
            method = %self.method,
            path = shortened(&self.path),
            status,
            model,
            upstream = upstream.map(|upstream| &**upstream),
            entry = last.and_then(|last| last.entry),
            moved = last.is_some_and(|last| last.is_moved).then_some(true),
            rules = rules.and_then(|rules| rules.to_str().ok()),
            media_inlined = (!media.is_empty()).then_some(inlined),
            media_left = (!media.is_empty()).then_some(media.len() - inlined),
            thoughts_restored = thoughts.map(ReasoningReport::restored).filter(is_any),
            thoughts_missing = thoughts.map(ReasoningReport::missing).filter(is_any),
            store_error = thoughts.and_then(store_error),
            repairs = repairs.and_then(names_of),
            first_byte_ms = head.map(|head| head.after.as_millis() as u64),
            time_ms = self.started.elapsed().as_millis() as u64,
            bytes_in = request_bytes.get(),
            bytes_out = self.bytes,
            attempts = (attempts > 1).then_some(attempts),
            failure = failure.map(Failure::name),
            error = reason.map(|reason| &*reason.0),
            explained = head.and_then(|head| head.explained.as_ref()).map(Explained::line),
            end = match self.end {
                End::Complete => None,
                End::UpstreamBroke => Some("the upstream broke off the response"),
                End::ClientLeft => Some("the client disconnected"),
            },
            id = id.and_then(|id| id.header_value().to_str().ok()).map(shortened),
            upstream_id = upstream_id.and_then(|id| id.to_str().ok()).map(shortened),
            "request",
        );
        if let Some(thoughts) = thoughts {
            tracing::debug!("thoughts: {thoughts}");
        }
        if let Some(report) =
            report.filter(|report| !report.changes().is_empty() || !media.is_empty())
        {
            tracing::debug!("{report}");
        }
    }
}

fn is_any(count: &u32) -> bool {
    *count > 0
}

/// Lists the rules that repaired the response, each once.
fn names_of(report: &ResponseReport) -> Option<String> {
    let rules = ResponseRule::ALL.iter();
    let rules = rules.filter(|rule| report.count(**rule) > 0);
    let names: Vec<_> = rules.map(|rule| rule.name()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// A response body that counts its bytes and notes how it ends.
struct Recorded {
    body: Body,
    line: Line,
}

impl Recorded {
    fn new(body: Body, mut line: Line) -> Self {
        if body.is_end_stream() {
            line.end = End::Complete;
        }
        Self { body, line }
    }
}

impl HttpBody for Recorded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                self.line.bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
                // hyper does not poll again after trailers or the last byte of a known
                // length.
                if frame.is_trailers() || self.body.is_end_stream() {
                    self.line.end = End::Complete;
                }
            }
            Some(Err(_)) => self.line.end = End::UpstreamBroke,
            None => self.line.end = End::Complete,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
