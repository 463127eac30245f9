//! Keeps track of what happens on a connection, for its clock.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::Version,
};
use bytes::Buf;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

/// What happens on one connection. Its requests share it with its task, on one thread.
#[derive(Debug)]
pub(crate) struct Activity {
    accepted: Instant,
    /// When something happened last, in microseconds after `accepted`.
    last: AtomicU64,
    /// The number of requests whose response is not complete.
    open: AtomicUsize,
    protocol: AtomicU8,
    is_ending: AtomicBool,
}

/// The protocol of a connection, known from its first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Unknown,
    Http1,
    Http2,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            accepted: Instant::now(),
            last: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            protocol: AtomicU8::new(Protocol::Unknown as u8),
            is_ending: AtomicBool::new(false),
        })
    }

    /// Counts a request as open until the result is dropped.
    pub(crate) fn begin(self: &Arc<Self>, version: Version) -> Open {
        let protocol = match version {
            Version::HTTP_2 => Protocol::Http2,
            _ => Protocol::Http1,
        };
        self.protocol.store(protocol as u8, Relaxed);
        self.open.fetch_add(1, Relaxed);
        Open(Arc::clone(self))
    }

    pub(crate) fn protocol(&self) -> Protocol {
        match self.protocol.load(Relaxed) {
            1 => Protocol::Http1,
            2 => Protocol::Http2,
            _ => Protocol::Unknown,
        }
    }

    /// Returns the time since when nothing has happened; `None` while a request is open.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let last = Duration::from_micros(self.last.load(Relaxed));
        (self.open.load(Relaxed) == 0).then(|| self.accepted + last)
    }

    /// Restarts the clock.
    pub(crate) fn touch(&self) {
        let micros = self.accepted.elapsed().as_micros();
        self.last
            .store(u64::try_from(micros).unwrap_or(u64::MAX), Relaxed);
    }

    /// Notes that the gateway is about to end.
    pub(crate) fn end(&self) {
        self.is_ending.store(true, Relaxed);
        self.touch();
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Relaxed)
    }
}

/// An open request.
#[derive(Debug)]
pub(crate) struct Open(Arc<Activity>);

impl Open {
    /// Keeps the request open until the whole body is known.
    ///
    /// hyper takes nothing from a body while an HTTP/2 client takes nothing from it. That
    /// must not keep a request open whose response is complete, such as a refusal.
    pub(crate) async fn until_sent(self, mut body: Body) -> Sent {
        let is_http2 = self.0.protocol() == Protocol::Http2;
        let activity = is_http2.then(|| Arc::clone(&self.0));
        let hint = body.size_hint();
        let mut first = None;
        if is_http2 && hint.exact().is_some_and(|length| length > 0) {
            first = poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
                Poll::Ready(frame) => Poll::Ready(frame),
                Poll::Pending => Poll::Ready(None),
            })
            .await;
        }
        let is_complete = first.is_some() && body.is_end_stream();
        Sent {
            body,
            hint,
            first,
            activity,
            _open: (!is_complete).then_some(self),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
        self.0.touch();
    }
}

/// The body of a response.
#[derive(Debug)]
pub(crate) struct Sent {
    body: Body,
    /// A frame that was taken from the body already, and the length with it.
    first: Option<Result<Frame<Bytes>, axum::Error>>,
    hint: SizeHint,
    /// The connection, if it is an HTTP/2 one. hyper keeps data that a slow client does
    /// not take yet, and has dropped the body by then.
    activity: Option<Arc<Activity>>,
    _open: Option<Open>,
}

impl HttpBody for Sent {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, axum::Error>>> {
        let frame = match self.first.take() {
            Some(frame) => Some(frame),
            None => ready!(Pin::new(&mut self.body).poll_frame(cx)),
        };
        let piece = |data| Piece {
            data,
            activity: self.activity.clone(),
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.first {
            Some(_) => self.hint,
            None => self.body.size_hint(),
        }
    }
}

/// Data of a response. Sending a part of it restarts the connection's clock.
#[derive(Debug)]
pub(crate) struct Piece {
    data: Bytes,
    activity: Option<Arc<Activity>>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.data.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.data.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.data.advance(count);
        if let Some(activity) = &self.activity {
            activity.touch();
        }
    }
}
