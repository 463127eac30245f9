//! The upstream: keeps what arrives, and answers as it is told.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tokio::net::TcpListener;

/// What arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
}

/// What the upstream answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A short completion.
    Completion,
    /// A stream in these pieces, with a pause after each.
    Stream(Vec<Bytes>),
    /// A piece of a stream, and then a reset.
    Reset,
    /// Nothing, for ever. `open` counts the requests that wait.
    Never,
}

#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    answer: Arc<Mutex<Answer>>,
    open: Arc<AtomicUsize>,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            arrived: Arc::default(),
            answer: Arc::new(Mutex::new(Answer::Completion)),
            open: Arc::default(),
        };
        let server = upstream.clone();
        let app = Router::new().fallback(async move |request| server.respond(request).await);
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        upstream
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Takes all that has arrived.
    pub(crate) fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.arrived.lock().unwrap())
    }

    /// How many requests wait for an answer.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    async fn respond(&self, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        // A request that breaks off has not arrived.
        let Ok(body) = body.collect().await else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let body = body.to_bytes();
        self.arrived.lock().unwrap().push(Arrived { parts, body });
        let answer = self.answer.lock().unwrap().clone();
        match answer {
            Answer::Completion => {
                ([(CONTENT_TYPE, "application/json")], COMPLETION).into_response()
            }
            Answer::Stream(pieces) => {
                let pieces = stream::iter(pieces).then(async |piece| {
                    // So that each is a read of its own in Envoy, mostly.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    Ok::<_, std::io::Error>(piece)
                });
                events(Body::from_stream(pieces))
            }
            Answer::Reset => {
                let piece = Ok(Bytes::from_static(b"data: {\"choices\":[]}\n\n"));
                let reset = Err(std::io::Error::other("reset"));
                let pieces = stream::iter([piece]).chain(stream::once(async {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    reset
                }));
                events(Body::from_stream(pieces))
            }
            Answer::Never => {
                let _open = Open::new(&self.open);
                std::future::pending().await
            }
        }
    }
}

/// Counts a request while it waits.
struct Open<'a>(&'a AtomicUsize);

impl<'a> Open<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is answered to a request without `stream`.
pub(crate) const COMPLETION: &str = concat!(
    r#"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"kimi-k3","#,
    r#""choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}]}"#,
);

fn events(body: Body) -> Response {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, "text/event-stream".parse().unwrap())]);
    (headers, body).into_response()
}
