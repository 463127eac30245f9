//! The stages of a request: its body is read, its thoughts are looked up, and the inner
//! service is called.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Request, request::Parts};
use http_body::Body;
use pin_project::pin_project;
use tokio::time::{Instant, Sleep};
use tower::{BoxError, Service};

use super::{
    ReasoningReport, ReasoningScope, ReasoningStore, Thought,
    config::Config,
    plan::{Answer, Conversation, Plan},
    report::NoMemory,
};
use crate::{
    RequestBody,
    body::{ReadBody, Rope},
    framing::reframe,
    overrides::Overrides,
};

#[pin_project(project = StageProj)]
pub(super) enum Stage<F, B, M: ReasoningStore> {
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
pub(super) struct Waiting<S, M> {
    /// Made ready by `poll_ready`.
    pub(super) service: S,
    pub(super) store: M,
    pub(super) config: Arc<Config>,
    pub(super) scope: ReasoningScope,
    pub(super) parts: Parts,
}

/// A request whose thoughts are being looked up.
pub(super) struct Asked {
    pub(super) plan: Box<Plan>,
    pub(super) text: Bytes,
    pub(super) trailers: Option<Box<HeaderMap>>,
}

/// What is needed to remember the answer.
pub(super) struct Remembering<M> {
    pub(super) store: M,
    pub(super) conversation: Box<Conversation>,
    pub(super) max_thought_bytes: usize,
}

impl<S, M: ReasoningStore> Waiting<S, M> {
    /// Looks at a body that was read.
    pub(super) fn plan(&self, text: &Bytes) -> Result<Plan, NoMemory> {
        let overrides = Overrides::of(&self.parts.extensions);
        Plan::of(text, &self.scope, overrides, &self.config)
    }

    /// Whether the store may be asked.
    pub(super) fn may_ask(&self) -> bool {
        let Config {
            breaker,
            store_timeout,
            ..
        } = &*self.config;
        breaker.admits(Instant::now, *store_timeout)
    }

    /// Notes whether the store has answered. `None` means that it did not in time.
    pub(super) fn note(&self, answer: Option<Result<Vec<Option<Thought>>, BoxError>>) -> Answer {
        let Config {
            breaker,
            store_timeout,
            ..
        } = &*self.config;
        let Some(answer) = answer else {
            breaker.timed_out(Instant::now(), *store_timeout);
            return Answer::TimedOut;
        };
        breaker.answered();
        match answer {
            Ok(thoughts) => Answer::Found(thoughts),
            Err(error) => Answer::Failed(error),
        }
    }

    /// Calls the inner service with the thoughts that were found.
    pub(super) fn call_with<B>(mut self, asked: Asked, answer: Answer) -> Stage<S::Future, B, M>
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
            None => text,
        };
        let report = ReasoningReport::new(recalled);
        self.call(
            RequestBody::complete(Rope::from(text), trailers),
            report,
            Some(conversation),
        )
    }

    /// Calls the inner service without a memory.
    pub(super) fn call_without<B>(
        self,
        body: RequestBody<B>,
        why: NoMemory,
    ) -> Stage<S::Future, B, M>
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
    ) -> Stage<S::Future, B, M>
    where
        S: Service<Request<RequestBody<B>>>,
        B: Body,
    {
        self.parts.extensions.insert(report.clone());
        let max_thought_bytes = self.config.max_thought_bytes;
        let store = self.store;
        let request = Request::from_parts(self.parts, body);
        Stage::Calling {
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
