//! Response future: decides from the head of a response how its body is repaired.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, Response, header::CONTENT_LENGTH, response::Parts};
use http_body::Body;
use pin_project::pin_project;

use super::{
    ResponseBody, ResponseReport, ResponseRule, layer::Config, repair::Repair,
    request_facts::RequestFactsSlot, stream::Stream,
};
use crate::{
    RequestBody,
    body::{Read, ReadBody, Rope},
    framing::{reframe, remove_digests},
    sse::BodyKind,
};

/// Response future for [`ResponseCompat`](super::ResponseCompat).
///
/// It resolves with a JSON answer once the whole body was read, because `Content-Length` may
/// change, and with any other response as soon as its head has arrived.
///
/// # Errors
///
/// Resolves to an error of the inner service unchanged. An error of the body is not returned
/// here but by [`ResponseBody`].
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, B> {
    #[pin]
    kind: Kind<F, B>,
    config: Arc<Config>,
    /// The slot with facts about the request, if its answer may be read.
    slot: Option<RequestFactsSlot>,
}

#[pin_project(project = KindProj)]
enum Kind<F, B> {
    /// Waiting for the inner service.
    Calling(#[pin] F),
    /// Reading a JSON answer.
    Reading {
        #[pin]
        body: ReadBody<B>,
        /// The head of the response, and what repairs its body.
        waiting: Option<(Parts, Box<Repair>)>,
    },
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) const fn new(
        future: F,
        config: Arc<Config>,
        slot: Option<RequestFactsSlot>,
    ) -> Self {
        Self {
            kind: Kind::Calling(future),
            config,
            slot,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.kind.as_mut().project() {
                KindProj::Calling(future) => {
                    let (mut parts, body) = ready!(future.poll(cx))?.into_parts();
                    let report = ResponseReport::default();
                    let rules = this.config.rules;
                    if rules.is_on(ResponseRule::AccountHeaders) {
                        for _ in 0..remove_account(&mut parts.headers) {
                            report.add(ResponseRule::AccountHeaders);
                        }
                    }
                    parts.extensions.insert(report.clone());
                    let limit = this.config.max_answer_bytes;
                    let (slot, kind) = match (this.slot.take(), body_kind(&parts, &body, limit)) {
                        (Some(slot), Some(kind)) => (slot, kind),
                        _ => {
                            let body = ResponseBody::whole(RequestBody::unread(body), rules);
                            return Poll::Ready(Ok(Response::from_parts(parts, body)));
                        }
                    };
                    let repair = Repair::new(rules, limit, slot.facts(), report);
                    match kind {
                        BodyKind::Events => {
                            // The body may be changed after its head was sent.
                            parts.headers.remove(CONTENT_LENGTH);
                            remove_digests(&mut parts.headers);
                            let body = ResponseBody::stream(body, Stream::new(repair), rules);
                            return Poll::Ready(Ok(Response::from_parts(parts, body)));
                        }
                        BodyKind::Json => this.kind.set(Kind::Reading {
                            body: ReadBody::new(body, limit),
                            waiting: Some((parts, Box::new(repair))),
                        }),
                    }
                }
                KindProj::Reading { body, waiting } => {
                    let read = ready!(body.poll_read(cx));
                    let Some((parts, repair)) = waiting.take() else {
                        unreachable!("the future is ready once the body is read")
                    };
                    let response = respond(parts, *repair, read);
                    let rules = this.config.rules;
                    return Poll::Ready(Ok(response.map(|body| ResponseBody::whole(body, rules))));
                }
            }
        }
    }
}

/// Returns how the body is read, or `None` if it is not.
fn body_kind<B: Body>(parts: &Parts, body: &B, limit: usize) -> Option<BodyKind> {
    match BodyKind::of(parts.status, &parts.headers)? {
        // The stream of an error is not checked for its end.
        BodyKind::Events if !parts.status.is_success() => None,
        BodyKind::Json if body.size_hint().lower() > limit as u64 => None,
        kind => Some(kind),
    }
}

/// Builds the response from a JSON answer that was read.
fn respond<B: Body>(
    mut parts: Parts,
    mut repair: Repair,
    read: Read<B>,
) -> Response<RequestBody<B>> {
    let body = match read {
        Read::Complete(text, mut trailers) => {
            let text = match repair.json(&text) {
                Some(repaired) => {
                    let length = repaired.len();
                    reframe(&mut parts.headers, trailers.as_deref_mut(), length);
                    repaired
                }
                None => Rope::from(text),
            };
            RequestBody::complete(text, trailers)
        }
        Read::Longer(read, rest) => RequestBody::longer(read, rest),
        Read::Failed(read, error) => RequestBody::failed(read, error),
    };
    Response::from_parts(parts, body)
}

/// Removes the fields that identify an account. Returns how many were removed.
pub(super) fn remove_account(fields: &mut HeaderMap) -> usize {
    const ACCOUNT: [&str; 4] = ["msh-uid", "msh-org-id", "msh-project-id", "msh-gid"];
    ACCOUNT
        .iter()
        .filter(|&&name| fields.remove(name).is_some())
        .count()
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
