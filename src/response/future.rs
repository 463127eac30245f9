//! From the head of a response to its body.

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
    ResponseBody, ResponseReport, ResponseRule, asked::Slot, layer::Config, repair::Repair,
    stream::Stream,
};
use crate::{
    RequestBody,
    body::{Read, ReadBody, Rope},
    framing::{reframe, remove_digests},
    sse::Form,
};

/// Response future for [`ResponseCompat`](super::ResponseCompat).
///
/// A JSON answer is read before the future is ready, as its length may change.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, B> {
    #[pin]
    kind: Kind<F, B>,
    config: Arc<Config>,
    /// Where the request left a note, if its answer is read.
    slot: Option<Slot>,
}

#[pin_project(project = KindProj)]
enum Kind<F, B> {
    /// The inner service has the request.
    Calling(#[pin] F),
    /// A JSON answer is being read.
    Reading {
        #[pin]
        body: ReadBody<B>,
        /// The head of the response, and what repairs its body.
        waiting: Option<(Parts, Box<Repair>)>,
    },
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) const fn new(future: F, config: Arc<Config>, slot: Option<Slot>) -> Self {
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
                    let (slot, form) = match (this.slot.take(), form(&parts, &body, limit)) {
                        (Some(slot), Some(form)) => (slot, form),
                        _ => {
                            let body = ResponseBody::whole(RequestBody::unread(body), rules);
                            return Poll::Ready(Ok(Response::from_parts(parts, body)));
                        }
                    };
                    let repair = Repair::new(rules, limit, slot.asked(), report);
                    match form {
                        Form::Events => {
                            // Whether the body will be changed, nobody knows yet.
                            parts.headers.remove(CONTENT_LENGTH);
                            remove_digests(&mut parts.headers);
                            let body = ResponseBody::stream(body, Stream::new(repair), rules);
                            return Poll::Ready(Ok(Response::from_parts(parts, body)));
                        }
                        Form::Json => this.kind.set(Kind::Reading {
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

/// What the body can be read as.
fn form<B: Body>(parts: &Parts, body: &B, limit: usize) -> Option<Form> {
    match Form::of(parts.status, &parts.headers)? {
        // That of an error is no answer that breaks off.
        Form::Events if !parts.status.is_success() => None,
        Form::Json if body.size_hint().lower() > limit as u64 => None,
        form => Some(form),
    }
}

/// The response with a JSON answer, once that is read.
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

/// Removes the fields that identify an account. Returns how many there were.
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
