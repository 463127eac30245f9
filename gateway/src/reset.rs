//! Tells the reset of an HTTP/2 stream from the end of its body.

use std::{
    error, fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Request, Version},
};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tower::BoxError;

/// The body of an HTTP/2 request.
///
/// hyper takes a reset with the reason `NO_ERROR` for the end of a body. A server may reset
/// its response like this, but from a client it would make a part of an upload look whole.
#[derive(Debug)]
struct NotReset(Incoming);

/// The client has reset the stream in the body.
#[derive(Debug)]
struct Reset;

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client has reset the stream")
    }
}

impl error::Error for Reset {}

/// Makes every reset in the request's body an error.
pub(crate) fn of_request(request: Request<Incoming>) -> Request<Body> {
    match request.version() {
        Version::HTTP_2 => request.map(|body| Body::new(NotReset(body))),
        _ => request.map(Body::new),
    }
}

impl HttpBody for NotReset {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
            // It is true once the frame with END_STREAM has arrived, and only then.
            None if !self.0.is_end_stream() => Some(Err(Reset.into())),
            frame => frame.map(|frame| frame.map_err(Into::into)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
