//! The response future: reads the body, fetches its images and videos, and calls the
//! inner service.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, request::Parts};
use http_body::Body;
use http_body_util::Empty;
use pin_project::pin_project;
use tower::{BoxError, Service};

use super::{config::Config, fetches::Fetches, find::find, report::MediaReport};
use crate::{
    RequestBody,
    body::{Read, ReadBody, Rope},
    framing::reframe,
    json::Edits,
};

/// Response future for [`InlineMedia`](super::InlineMedia).
///
/// Dropping it cancels all fetches. The inner service is called only after they are done.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, B, C, D>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
    C: Service<Request<Empty<Bytes>>>,
{
    /// Taken when the inner service is called.
    waiting: Option<Waiting<S, C>>,
    #[pin]
    kind: Kind<S::Future, B, C, D>,
}

#[pin_project(project = KindProj)]
enum Kind<F, B, C, D>
where
    C: Service<Request<Empty<Bytes>>>,
{
    /// The body is being read.
    Reading(#[pin] ReadBody<B>),
    /// Images and videos are being fetched.
    Fetching {
        fetches: Option<Fetches<C, D>>,
        text: Bytes,
        trailers: Option<Box<HeaderMap>>,
    },
    /// The inner service has the request.
    Calling {
        #[pin]
        future: F,
        report: Option<MediaReport>,
    },
}

/// What is needed to call the inner service.
struct Waiting<S, C> {
    /// Made ready by `poll_ready`.
    service: S,
    client: C,
    parts: Parts,
    config: Arc<Config>,
}

impl<S, B, C, D> ResponseFuture<S, B, C, D>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
    C: Service<Request<Empty<Bytes>>>,
{
    pub(super) fn reading(
        service: S,
        client: C,
        parts: Parts,
        body: B,
        config: Arc<Config>,
    ) -> Self {
        Self {
            kind: Kind::Reading(ReadBody::new(body, config.max_body_bytes)),
            waiting: Some(Waiting {
                service,
                client,
                parts,
                config,
            }),
        }
    }

    pub(super) const fn calling(future: S::Future) -> Self {
        Self {
            kind: Kind::Calling {
                future,
                report: None,
            },
            waiting: None,
        }
    }
}

impl<S, C> Waiting<S, C> {
    /// Files the report and calls the inner service.
    fn call<B, D>(
        mut self,
        body: RequestBody<B>,
        report: Option<MediaReport>,
    ) -> Kind<S::Future, B, C, D>
    where
        S: Service<Request<RequestBody<B>>>,
        B: Body,
        C: Service<Request<Empty<Bytes>>>,
    {
        let report = report.map(|report| report.file(&mut self.parts.extensions));
        let request = Request::from_parts(self.parts, body);
        Kind::Calling {
            future: self.service.call(request),
            report,
        }
    }
}

impl<S, B, C, D, ResBody> Future for ResponseFuture<S, B, C, D>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResBody>>,
    B: Body<Data = Bytes>,
    C: Service<Request<Empty<Bytes>>, Response = Response<D>> + Clone,
    C::Error: Into<BoxError>,
    D: Body<Data = Bytes>,
    D::Error: Into<BoxError>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.kind.as_mut().project() {
                KindProj::Reading(body) => {
                    let read = ready!(body.poll_read(cx));
                    let Some(waiting) = this.waiting.take() else {
                        unreachable!("the inner service is called once, at the end")
                    };
                    let body = match read {
                        Read::Complete(text, trailers) => {
                            let found = find(&text);
                            if !found.parts.is_empty() {
                                let config = Arc::clone(&waiting.config);
                                let fetches =
                                    Fetches::new(found, text.len(), &waiting.client, config);
                                *this.waiting = Some(waiting);
                                this.kind.set(Kind::Fetching {
                                    fetches: Some(fetches),
                                    text,
                                    trailers,
                                });
                                continue;
                            }
                            RequestBody::complete(Rope::from(text), trailers)
                        }
                        Read::Longer(read, rest) => RequestBody::longer(read, rest),
                        Read::Failed(read, error) => RequestBody::failed(read, error),
                    };
                    this.kind.set(waiting.call(body, None));
                }
                KindProj::Fetching {
                    fetches,
                    text,
                    trailers,
                } => {
                    if let Some(fetches) = fetches {
                        ready!(fetches.poll_all(cx));
                    }
                    let (Some(fetches), Some(mut waiting)) = (fetches.take(), this.waiting.take())
                    else {
                        unreachable!("the inner service is called once, at the end")
                    };
                    let mut edits = Edits::default();
                    let media = fetches.finish(&mut edits);
                    let inlined = media.iter().any(|media| media.outcome().is_ok());
                    let text = edits.apply(&std::mem::take(text));
                    let mut trailers = trailers.take();
                    if inlined {
                        let headers = &mut waiting.parts.headers;
                        reframe(headers, trailers.as_deref_mut(), text.len());
                    }
                    let body = RequestBody::complete(text, trailers);
                    let report = MediaReport::new(media);
                    this.kind.set(waiting.call(body, Some(report)));
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

impl<S, B, C, D> fmt::Debug for ResponseFuture<S, B, C, D>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
    C: Service<Request<Empty<Bytes>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
