//! The future of a request: reads the body, looks up its thoughts, calls the inner
//! service, and sees to it that the answer is watched.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use pin_project::pin_project;
use tokio::time::sleep;
use tower::Service;

use super::{
    ReasoningReport, ReasoningScope, ReasoningStore, ResponseBody,
    config::Config,
    plan::Answer,
    report::NoMemory,
    stage::{Asked, Remembering, Stage, StageProj, Waiting},
    watch::Watch,
};
use crate::{
    RequestBody, Skipped,
    body::{Read, ReadBody, Rope},
};

/// Response future for [`ReasoningMemory`](super::ReasoningMemory).
///
/// Until the thoughts are looked up, dropping it has no effect on the inner service.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, B, M>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
    M: ReasoningStore,
{
    /// Taken when the inner service is called.
    waiting: Option<Waiting<S, M>>,
    #[pin]
    stage: Stage<S::Future, B, M>,
}

impl<S, B, M> ResponseFuture<S, B, M>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
    M: ReasoningStore,
{
    pub(super) fn reading(
        service: S,
        store: M,
        config: Arc<Config>,
        scope: ReasoningScope,
        parts: Parts,
        body: B,
    ) -> Self {
        Self {
            stage: Stage::Reading(ReadBody::new(body, config.max_body_bytes)),
            waiting: Some(Waiting {
                service,
                store,
                config,
                scope,
                parts,
            }),
        }
    }

    pub(super) const fn calling(future: S::Future, report: Option<ReasoningReport>) -> Self {
        Self {
            stage: Stage::Calling {
                future,
                report,
                remembering: None,
            },
            waiting: None,
        }
    }
}

impl<S, B, M, ResBody> Future for ResponseFuture<S, B, M>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResBody>>,
    B: Body<Data = Bytes>,
    M: ReasoningStore,
    ResBody: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<ResBody, M>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProj::Reading(body) => {
                    let read = ready!(body.poll_read(cx));
                    let Some(waiting) = this.waiting.take() else {
                        unreachable!("the inner service is called once, at the end")
                    };
                    let next = match read {
                        Read::Complete(text, trailers) => match waiting.plan(&text) {
                            Ok(plan) => {
                                let keys = plan.keys();
                                let asked = Asked {
                                    plan: Box::new(plan),
                                    text,
                                    trailers,
                                };
                                if keys.is_empty() {
                                    waiting.call_with(asked, Answer::Found(Vec::new()))
                                } else if !waiting.may_ask() {
                                    waiting.call_with(asked, Answer::Skipped)
                                } else {
                                    let recall = waiting.store.recall(keys);
                                    *this.waiting = Some(waiting);
                                    Stage::Recalling {
                                        recall,
                                        timer: None,
                                        asked: Some(asked),
                                    }
                                }
                            }
                            Err(why) => {
                                let body = RequestBody::complete(Rope::from(text), trailers);
                                waiting.call_without(body, why)
                            }
                        },
                        Read::Longer(read, rest) => {
                            let limit = waiting.config.max_body_bytes;
                            let why = NoMemory::Body(Skipped::TooLarge { limit });
                            waiting.call_without(RequestBody::longer(read, rest), why)
                        }
                        Read::Failed(read, error) => {
                            let why = NoMemory::Body(Skipped::ReadError);
                            waiting.call_without(RequestBody::failed(read, error), why)
                        }
                    };
                    this.stage.set(next);
                }
                StageProj::Recalling {
                    recall,
                    timer,
                    asked,
                } => {
                    let answer = match recall.poll(cx) {
                        Poll::Ready(found) => Some(found),
                        Poll::Pending => {
                            let limit = this.waiting.as_ref().map(|it| it.config.store_timeout);
                            let limit = limit.unwrap_or_default();
                            let timer = timer.get_or_insert_with(|| Box::pin(sleep(limit)));
                            ready!(timer.as_mut().poll(cx));
                            None
                        }
                    };
                    let (Some(asked), Some(waiting)) = (asked.take(), this.waiting.take()) else {
                        unreachable!("the inner service is called once, at the end")
                    };
                    let answer = waiting.note(answer);
                    this.stage.set(waiting.call_with(asked, answer));
                }
                StageProj::Calling {
                    future,
                    report,
                    remembering,
                } => {
                    let response = ready!(future.poll(cx))?;
                    return Poll::Ready(Ok(respond(response, report.take(), remembering.take())));
                }
            }
        }
    }
}

/// Puts the report into the response, and watches its body if it is to be remembered.
fn respond<B, M>(
    response: Response<B>,
    report: Option<ReasoningReport>,
    remembering: Option<Remembering<M>>,
) -> Response<ResponseBody<B, M>>
where
    B: Body<Data = Bytes>,
    M: ReasoningStore,
{
    let (mut parts, body) = response.into_parts();
    let watch = match (&report, remembering) {
        (Some(report), Some(remembering)) => Watch::of(
            &parts,
            remembering.store,
            remembering.conversation,
            remembering.max_thought_bytes,
            report.clone(),
        ),
        _ => None,
    };
    if let Some(report) = report {
        parts.extensions.insert(report);
    }
    Response::from_parts(parts, ResponseBody::new(body, watch))
}

impl<S, B, M> fmt::Debug for ResponseFuture<S, B, M>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
    M: ReasoningStore,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
