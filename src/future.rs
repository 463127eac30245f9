//! The response future: reads the body, rewrites it and calls the inner service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, header::EXPECT, request::Parts};
use http_body::Body;
use pin_project::pin_project;
use tower::Service;

use crate::{
    Report, RequestBody, Skipped,
    body::{Read, ReadBody},
    config::Config,
    endpoint::retarget,
    framing::reframe,
    overrides::Overrides,
};

/// Response future for [`MoonshotCompat`](crate::MoonshotCompat).
///
/// The inner service is called once the body has been read. Dropping the future before
/// that has no effect on the inner service.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, B>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
{
    #[pin]
    kind: Kind<S, S::Future, B>,
}

#[pin_project(project = KindProj)]
#[expect(
    clippy::large_enum_variant,
    reason = "boxing the large variant would cost every chat request an allocation"
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

/// What is needed once the body has been read.
struct Waiting<S> {
    /// Made ready by `poll_ready`.
    service: S,
    parts: Parts,
    config: Arc<Config>,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<RequestBody<B>>>,
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

    /// Returns how many bytes of the body were read so far, or `None` if the inner
    /// service was called.
    #[cfg(feature = "timeout")]
    pub(crate) fn received(&self) -> Option<usize> {
        match &self.kind {
            Kind::Reading { body, .. } => Some(body.received()),
            Kind::Calling { .. } => None,
        }
    }
}

impl<S> Waiting<S> {
    /// Rewrites what was read and calls the inner service.
    fn call<B>(mut self, read: Read<B>) -> (S::Future, Report)
    where
        S: Service<Request<RequestBody<B>>>,
        B: Body<Data = Bytes>,
    {
        let (body, report) = match read {
            Read::Complete(text, mut trailers) => {
                let overrides = Overrides::of(&self.parts.extensions);
                #[cfg(feature = "response")]
                crate::response::RequestFactsSlot::record(
                    &self.parts.extensions,
                    &text,
                    &self.config.settings,
                    overrides,
                );
                let (text, report) = self.config.rewrite(text, overrides);
                if !report.changes().is_empty() {
                    let headers = &mut self.parts.headers;
                    reframe(headers, trailers.as_deref_mut(), text.len());
                }
                (RequestBody::complete(text, trailers), report)
            }
            Read::Longer(read, rest) => {
                let limit = self.config.max_body_bytes;
                let report = Report::skipped_because(Skipped::TooLarge { limit });
                (RequestBody::longer(read, rest), report)
            }
            Read::Failed(read, error) => {
                let report = Report::skipped_because(Skipped::ReadError);
                (RequestBody::failed(read, error), report)
            }
        };
        let mut request = Request::from_parts(self.parts, body);
        let config = &self.config;
        retarget(&mut request, &config.region, config.api_key.as_ref());
        // The body was read, so the caller no longer waits for `100 Continue`.
        request.headers_mut().remove(EXPECT);
        let report = report.file(request.extensions_mut());
        (self.service.call(request), report)
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResBody>>,
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
    S: Service<Request<RequestBody<B>>>,
    B: Body,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
