//! Responds in OpenAI's form to requests that hyper refuses itself.
//!
//! hyper responds to a head that it cannot parse with a status and no body, without
//! calling the service, and has no hook for it. So the stream below it replaces this
//! response, which can be recognised with certainty: while no request is open and all
//! earlier bytes are flushed, hyper writes nothing else.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::error::Error;

/// A connection whose responses to malformed HTTP/1 requests get a JSON body.
#[derive(Debug)]
pub(crate) struct ExplainMalformed<S> {
    stream: S,
    requests: Requests,
    /// The number of requests that had begun when none was open and all was flushed.
    idle_since: Option<usize>,
    /// Something was written that is not HTTP/1.
    is_http2: bool,
    /// What replaces hyper's response and is not written yet.
    replacement: Vec<u8>,
}

/// Counts the requests of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

/// A request that is open until this is dropped.
#[derive(Clone, Debug)]
pub(crate) struct OpenRequest {
    _open: Arc<Ends>,
}

#[derive(Debug)]
struct Ends(Requests);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl Requests {
    /// To be called with each request before anything is written in response to it.
    /// The result has to live as long as the body of the response.
    pub(crate) fn begin(&self) -> OpenRequest {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        let _open = Arc::new(Ends(self.clone()));
        OpenRequest { _open }
    }

    fn begun(&self) -> usize {
        self.0.begun.load(Ordering::Relaxed)
    }

    fn is_none_open(&self) -> bool {
        self.begun() == self.0.ended.load(Ordering::Relaxed)
    }
}

impl<S> ExplainMalformed<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            requests: Requests::default(),
            idle_since: Some(0),
            is_http2: false,
            replacement: Vec::new(),
        }
    }

    /// Returns the counter that has to be told of each request.
    pub(crate) fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// Notes that `bytes` are written. Returns whether they are replaced.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        let is_idle = self.idle_since.take() == Some(self.requests.begun());
        if !bytes.starts_with(b"HTTP/1.") {
            self.is_http2 |= is_idle;
        }
        if is_idle
            && !self.is_http2
            && let Some(replacement) = replacement_of(bytes)
        {
            self.replacement = replacement;
            return true;
        }
        false
    }
}

impl<S: AsyncWrite + Unpin> ExplainMalformed<S> {
    fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.replacement.is_empty() {
            let stream = Pin::new(&mut self.stream);
            match ready!(stream.poll_write(cx, &self.replacement))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => drop(self.replacement.drain(..written)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The response in place of a head without a body that refuses a request.
fn replacement_of(head: &[u8]) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(head).ok()?;
    let fields = head.strip_suffix("\r\n\r\n")?;
    let mut lines = fields.split("\r\n");
    let (version, status) = lines.next()?.split_once(' ')?;
    let (status, message) = match status.get(..3)? {
        "400" => (
            StatusCode::BAD_REQUEST,
            "the request line or the headers are not valid HTTP",
        ),
        "414" => (StatusCode::URI_TOO_LONG, "the URL is too long"),
        "431" => (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "the request has too many headers, or they are too long",
        ),
        _ => return None,
    };
    if !lines.clone().any(|line| line == "content-length: 0") {
        return None;
    }
    let code = match status {
        StatusCode::BAD_REQUEST => "malformed_request",
        _ => "head_too_large",
    };
    let body = Error::request(status, code, message).json().to_string();
    let mut response = format!(
        "{version} {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    for line in lines.filter(|line| !line.starts_with("content-")) {
        response.push_str(line);
        response.push_str("\r\n");
    }
    Some((response + "\r\n" + &body).into_bytes())
}

impl<S: AsyncRead + Unpin> AsyncRead for ExplainMalformed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ExplainMalformed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_replacement(cx))?;
        if self.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_replacement(cx))?;
        // hyper's own response is one piece.
        let first: &[u8] = parts.first().map_or(&[], |part| part);
        if self.replaces(first) {
            return Poll::Ready(Ok(first.len()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(cx))?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if self.requests.is_none_open() {
            self.idle_since = Some(self.requests.begun());
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_replacement(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
