//! The upstream: answers each request with the digest of its body, and fails as its id
//! says.

use std::{
    collections::VecDeque,
    io::{self, Write},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{
    net::TcpListener,
    time::{Sleep, sleep},
};

use crate::{
    Failure,
    soak::request::{MODEL, Plan, STALL, Seen, digest, id},
};

/// The path that tells what has arrived.
pub(crate) const SUMMARY: &str = "/summary";

/// The number of events with text in a stream.
pub(crate) const EVENTS: usize = 20;

/// The number of events in a slow stream.
pub(crate) const SLOW_EVENTS: usize = 30;

#[derive(Debug, Default)]
struct Upstream {
    /// The time between two events of a slow stream.
    pause: Duration,
    seen: Mutex<Seen>,
    open: AtomicUsize,
}

/// Serves until the process ends.
pub(crate) async fn serve(pause: &str) -> Result<(), Failure> {
    let upstream = Arc::new(Upstream {
        pause: Duration::from_millis(pause.parse()?),
        ..Upstream::default()
    });
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let upstream = Arc::clone(&upstream);
        tokio::spawn(async move {
            upstream.open.fetch_add(1, Ordering::Relaxed);
            let service = service_fn(|request| upstream.answer(request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // Resets are part of the plan.
            connection.await.unwrap_or_default();
            upstream.open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

impl Upstream {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Script>, Failure> {
        if request.uri().path() == SUMMARY {
            let mut summary = self.seen.lock().unwrap().summary();
            // Without the one that asks.
            summary["open"] = (self.open.load(Ordering::Relaxed) - 1).into();
            return Ok(Response::new(Script::of([Step::Send(
                summary.to_string().into(),
            )])));
        }
        let body = request.into_body().collect().await?.to_bytes();
        let id = id(&body).ok_or("a body without an id")?;
        self.seen.lock().unwrap().add(id);
        let plan = Plan::of(id);
        if plan == Plan::ResetBeforeHead {
            return Err("reset".into());
        }
        let is_stream = memchr::memmem::find(&body, br#""stream":true"#).is_some();
        let text = format!("{id} {}", digest(&body));
        let mut steps = match (plan, is_stream) {
            (Plan::UpstreamError, _) => VecDeque::from([Step::Send(
                r#"{"error":{"message":"overloaded","type":"engine_overloaded_error"}}"#.into(),
            )]),
            (Plan::Slow, _) => slow_stream(self.pause),
            (_, true) => stream(&text),
            (_, false) => completion(&text),
        };
        let middle = steps.len() / 2;
        match plan {
            Plan::ResetInBody => {
                steps.truncate(middle);
                steps.push_back(Step::Break);
            }
            Plan::Stall | Plan::LeaveInAnswer => steps.insert(middle, Step::Wait(STALL)),
            _ => {}
        }
        let status = match plan {
            Plan::UpstreamError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::OK,
        };
        let form = match plan {
            Plan::UpstreamError => "application/json",
            _ if is_stream => "text/event-stream",
            _ => "application/json",
        };
        let response = Response::builder().status(status);
        Ok(response
            .header(CONTENT_TYPE, form)
            .body(Script::of(steps))?)
    }
}

/// A completion in two pieces.
fn completion(text: &str) -> VecDeque<Step> {
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": MODEL,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
        }],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    });
    let mut answer = Bytes::from(answer.to_string());
    let first = answer.split_to(answer.len() / 2);
    [Step::Send(first), Step::Flush, Step::Send(answer)].into()
}

fn event(delta: &str, finish: Option<&str>) -> Bytes {
    let event = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
        "model": MODEL,
        "choices": [{"index": 0, "delta": {"content": delta}, "finish_reason": finish}],
    });
    format!("data: {event}\n\n").into()
}

fn end() -> [Step; 2] {
    [
        Step::Send(event("", Some("stop"))),
        Step::Send("data: [DONE]\n\n".into()),
    ]
}

fn stream(text: &str) -> VecDeque<Step> {
    let mut steps = VecDeque::from([Step::Send(event(text, None))]);
    for number in 0..EVENTS {
        steps.push_back(Step::Flush);
        steps.push_back(Step::Send(event(&format!(" {number}"), None)));
    }
    steps.extend(end());
    steps
}

fn slow_stream(pause: Duration) -> VecDeque<Step> {
    let mut steps = VecDeque::new();
    for number in 0..SLOW_EVENTS {
        steps.push_back(Step::Stamp(number));
        steps.push_back(Step::Wait(pause));
    }
    steps.extend(end());
    steps
}

/// The time since 1970 in nanoseconds, which all processes of a machine share.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_nanos() as u64
}

/// One step of a body.
#[derive(Debug)]
enum Step {
    Send(Bytes),
    /// An event with a number and the time at which it is sent.
    Stamp(usize),
    /// Everything so far is sent by itself.
    Flush,
    Wait(Duration),
    /// The connection is closed.
    Break,
}

/// A body that follows a script.
#[derive(Debug)]
struct Script {
    steps: VecDeque<Step>,
    waits: Option<Pin<Box<Sleep>>>,
}

impl Script {
    fn of(steps: impl Into<VecDeque<Step>>) -> Self {
        Self {
            steps: steps.into(),
            waits: None,
        }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        loop {
            if let Some(sleep) = &mut self.waits {
                ready!(sleep.as_mut().poll(cx));
                self.waits = None;
            }
            let bytes = match self.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Break) => return Poll::Ready(Some(Err("reset".into()))),
                Some(Step::Wait(time)) => {
                    self.waits = Some(Box::pin(sleep(time)));
                    continue;
                }
                Some(Step::Flush) => {
                    // hyper flushes what it has while a body is pending.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Stamp(number)) => event(&format!("{number} {}", now()), None),
                Some(Step::Send(bytes)) => bytes,
            };
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
    }
}
