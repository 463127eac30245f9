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
use http::{HeaderMap, Request, Response, request::Parts};
use http_body::Body;
use pin_project::pin_project;
use tokio::time::{Sleep, sleep};
use tower::Service;

use super::{
    ReasoningReport, ReasoningScope, ReasoningStore, ResponseBody,
    config::Config,
    plan::{Answer, Conversation, Plan},
    report::NoMemory,
    watch::Watch,
};
use crate::{
    RequestBody, Skipped,
    body::{Read, ReadBody, Rope},
    framing::reframe,
    overrides::Overrides,
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
    kind: Kind<S::Future, B, M>,
}

#[pin_project(project = KindProj)]
enum Kind<F, B, M: ReasoningStore> {
    /// The body is being read.
    Reading(#[pin] ReadBody<B>),
    /// Its thoughts are being looked up.
    Recalling {
        #[pin]
        recall: M::Recall,
        /// Only made if the store doesn't answer at once.
        timer: Option<Pin<Box<Sleep>>>,
        asked: Option<Asked>,
    },
    /// The inner service has the request.
    Calling {
        #[pin]
        future: F,
        report: Option<ReasoningReport>,
        remembering: Option<Remembering<M>>,
    },
}

/// What waits for the body, and for its thoughts.
struct Waiting<S, M> {
    /// Made ready by `poll_ready`.
    service: S,
    store: M,
    config: Arc<Config>,
    scope: ReasoningScope,
    parts: Parts,
}

/// A request whose thoughts are being looked up.
struct Asked {
    plan: Box<Plan>,
    text: Bytes,
    trailers: Option<Box<HeaderMap>>,
}

/// What is needed to remember the answer.
struct Remembering<M> {
    store: M,
    conversation: Box<Conversation>,
    max_thought_bytes: usize,
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
            kind: Kind::Reading(ReadBody::new(body, config.max_body_bytes)),
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
            kind: Kind::Calling {
                future,
                report,
                remembering: None,
            },
            waiting: None,
        }
    }
}

impl<S, M: ReasoningStore> Waiting<S, M> {
    /// Looks at a body that was read.
    fn plan(&self, text: &Bytes) -> Result<Plan, NoMemory> {
        let overrides = Overrides::of(&self.parts.extensions);
        Plan::of(text, &self.scope, overrides, &self.config)
    }

    /// Calls the inner service with the thoughts that were found.
    fn call_with<B>(mut self, asked: Asked, answer: Answer) -> Kind<S::Future, B, M>
    where
        S: Service<Request<RequestBody<B>>>,
        B: Body,
    {
        let Asked {
            plan,
            text,
            mut trailers,
        } = asked;
        let (edited, recalled, conversation) = plan.finish(answer, &text, &self.config);
        let text = match edited {
            Some(edited) => {
                let headers = &mut self.parts.headers;
                reframe(headers, trailers.as_deref_mut(), edited.len());
                edited
            }
            None => Rope::from(text),
        };
        let report = ReasoningReport::new(recalled);
        self.call(
            RequestBody::complete(text, trailers),
            report,
            Some(conversation),
        )
    }

    /// Calls the inner service without a memory.
    fn call_without<B>(self, body: RequestBody<B>, why: NoMemory) -> Kind<S::Future, B, M>
    where
        S: Service<Request<RequestBody<B>>>,
        B: Body,
    {
        self.call(body, ReasoningReport::without_memory(why), None)
    }

    fn call<B>(
        mut self,
        body: RequestBody<B>,
        report: ReasoningReport,
        conversation: Option<Box<Conversation>>,
    ) -> Kind<S::Future, B, M>
    where
        S: Service<Request<RequestBody<B>>>,
        B: Body,
    {
        self.parts.extensions.insert(report.clone());
        let max_thought_bytes = self.config.max_thought_bytes;
        let store = self.store;
        let request = Request::from_parts(self.parts, body);
        Kind::Calling {
            future: self.service.call(request),
            report: Some(report),
            remembering: conversation.map(|conversation| Remembering {
                store,
                conversation,
                max_thought_bytes,
            }),
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
            match this.kind.as_mut().project() {
                KindProj::Reading(body) => {
                    let read = ready!(body.poll_read(cx));
                    let Some(waiting) = this.waiting.take() else {
                        unreachable!("the inner service is called once, at the end")
                    };
                    let kind = match read {
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
                                } else {
                                    let recall = waiting.store.recall(keys);
                                    *this.waiting = Some(waiting);
                                    Kind::Recalling {
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
                    this.kind.set(kind);
                }
                KindProj::Recalling {
                    recall,
                    timer,
                    asked,
                } => {
                    let answer = match recall.poll(cx) {
                        Poll::Ready(Ok(thoughts)) => Answer::Found(thoughts),
                        Poll::Ready(Err(error)) => Answer::Failed(error),
                        Poll::Pending => {
                            let limit = this.waiting.as_ref().map(|it| it.config.store_timeout);
                            let limit = limit.unwrap_or_default();
                            let timer = timer.get_or_insert_with(|| Box::pin(sleep(limit)));
                            ready!(timer.as_mut().poll(cx));
                            Answer::TimedOut
                        }
                    };
                    let (Some(asked), Some(waiting)) = (asked.take(), this.waiting.take()) else {
                        unreachable!("the inner service is called once, at the end")
                    };
                    this.kind.set(waiting.call_with(asked, answer));
                }
                KindProj::Calling {
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
