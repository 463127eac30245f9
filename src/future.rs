//! From a request that is being read to the answer of the inner service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response,
    header::{CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING},
    request::Parts,
};
use http_body::Body;
use pin_project::pin_project;
use tower::Service;

use crate::{
    CompatBody, Report, endpoint,
    layer::Config,
    read::{Read, ReadBody},
    report::Skipped,
};

/// Fields, of the header or the trailers, that speak of a body's bytes, and are
/// wrong once those changed.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Response future for [`MoonshotCompat`](crate::MoonshotCompat).
///
/// Until the body is read, dropping it has no effect on the inner service.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, B>
where
    S: Service<Request<CompatBody<B>>>,
    B: Body,
{
    #[pin]
    kind: Kind<S, S::Future, B>,
}

#[pin_project(project = KindProj)]
#[expect(
    clippy::large_enum_variant,
    reason = "a request in flight is moved once or twice; boxing it would allocate every time"
)]
enum Kind<S, F, B> {
    /// The body is being read.
    Reading {
        #[pin]
        body: ReadBody<B>,
        waiting: Option<Waiting<S>>,
    },
    /// The inner service has the request.
    Calling {
        #[pin]
        future: F,
        report: Option<Report>,
    },
}

/// What waits for the body.
struct Waiting<S> {
    /// Made ready by `poll_ready`.
    service: S,
    parts: Parts,
    config: Arc<Config>,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<CompatBody<B>>>,
    B: Body,
{
    pub(crate) fn reading(service: S, request: Request<B>, config: Arc<Config>) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            kind: Kind::Reading {
                body: ReadBody::new(body, config.max_body_bytes),
                waiting: Some(Waiting {
                    service,
                    parts,
                    config,
                }),
            },
        }
    }

    pub(crate) const fn calling(future: S::Future, report: Option<Report>) -> Self {
        Self {
            kind: Kind::Calling { future, report },
        }
    }
}

impl<S> Waiting<S> {
    /// Calls the inner service with what was read.
    fn call<B>(mut self, read: Read<B>) -> (S::Future, Report)
    where
        S: Service<Request<CompatBody<B>>>,
        B: Body<Data = Bytes>,
    {
        let (body, report) = match read {
            Read::Complete(text, mut trailers) => {
                #[cfg(feature = "response")]
                crate::response::Slot::note(&self.parts.extensions, &text, &self.config.settings);
                let (text, report) = self.config.rewrite(text);
                if !report.changes().is_empty() {
                    reframe(&mut self.parts.headers, text.len());
                    if let Some(trailers) = &mut trailers {
                        remove_digests(trailers);
                    }
                }
                (CompatBody::complete(text, trailers), report)
            }
            Read::Longer(read, rest) => {
                let limit = self.config.max_body_bytes;
                let report = Report::skipped_because(Skipped::TooLarge { limit });
                (CompatBody::longer(read, rest), report)
            }
            Read::Failed(read, error) => {
                let report = Report::skipped_because(Skipped::ReadError);
                (CompatBody::failed(read, error), report)
            }
        };
        let mut request = Request::from_parts(self.parts, body);
        let config = &self.config;
        endpoint::address(&mut request, &config.region, config.api_key.as_ref());
        // Reading the body told a waiting client to send it.
        request.headers_mut().remove(EXPECT);
        let report = report.file(request.extensions_mut());
        (self.service.call(request), report)
    }
}

/// Corrects what the headers say about a body that was changed.
pub(crate) fn reframe(headers: &mut HeaderMap, length: usize) {
    // What the header says is what is sent: too short a length cuts the body off,
    // too long a one hangs.
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.remove(TRANSFER_ENCODING);
    remove_digests(headers);
}

pub(crate) fn remove_digests(fields: &mut HeaderMap) {
    for digest in &DIGESTS {
        fields.remove(digest);
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<CompatBody<B>>, Response = Response<ResBody>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut kind = self.as_mut().project().kind;
            match kind.as_mut().project() {
                KindProj::Reading { body, waiting } => {
                    let read = ready!(body.poll_read(cx));
                    let Some(waiting) = waiting.take() else {
                        unreachable!("the future is calling once the body is read")
                    };
                    let (future, report) = waiting.call(read);
                    kind.set(Kind::Calling {
                        future,
                        report: Some(report),
                    });
                }
                KindProj::Calling { future, report } => {
                    let mut response = ready!(future.poll(cx))?;
                    if let Some(report) = report.take() {
                        report.file_unless_there(response.extensions_mut());
                    }
                    return Poll::Ready(Ok(response));
                }
            }
        }
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<CompatBody<B>>>,
    B: Body,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
