//! Sends a request to the entry that was chosen for it.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    http::{
        HeaderValue, Request, StatusCode,
        header::{ACCEPT_ENCODING, RETRY_AFTER},
    },
    response::Response,
};
use futures_util::{
    FutureExt, TryFutureExt,
    future::{self, BoxFuture},
};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt};
use tower_moonshot::{
    reasoning_memory::ReasoningMemoryLayer,
    response::{ResponseCompatLayer, ResponseRule},
};

use super::{
    balance::{Class, millis, now},
    error::Error,
    failure::Failed,
    heavy::{HEAVY_BYTES, Thorough, Threads},
    memory::Store,
    metrics::Metrics,
    models::{Choice, Deployment},
    retry::time_of,
    scope::Unscoped,
    trail::Trail,
    upstream::Upstream,
};

/// A service that sends each request to the entry of the [`Choice`] in its extensions.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    upstream: Upstream,
    threads: Threads,
    metrics: Arc<Metrics>,
    memory: Option<ReasoningMemoryLayer<Store>>,
    repairs: ResponseCompatLayer,
    reads_responses: bool,
}

impl Pool {
    pub(crate) fn new(
        upstream: Upstream,
        threads: Threads,
        metrics: Arc<Metrics>,
        memory: Option<ReasoningMemoryLayer<Store>>,
        repairs: bool,
    ) -> Self {
        Self {
            upstream,
            threads,
            metrics,
            reads_responses: memory.is_some() || repairs,
            memory,
            repairs: if repairs {
                // Account headers are removed from all responses, further in.
                ResponseCompatLayer::new().without_rule(ResponseRule::AccountHeaders)
            } else {
                ResponseCompatLayer::new().without_rules()
            },
        }
    }

    /// Sends a request through the layers for one entry, the first of which is the
    /// outermost.
    fn send<B>(
        &self,
        request: Request<B>,
        entry: &Deployment,
    ) -> BoxFuture<'static, Result<Response, Error>>
    where
        B: HttpBody<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError> + Send,
    {
        let is_scoped = request.extensions().get::<Unscoped>().is_none();
        let is_heavy = request.body().size_hint().lower() >= HEAVY_BYTES as u64;
        // Outside of the rewrite, which would fill in for a missing thought. Inside of
        // the retries, because it has to know the model of the entry that is tried.
        let memory = self.memory.as_ref().filter(|_| is_scoped);
        // Repairs what the client gets.
        let repairs = self.repairs.clone();
        // Sets the entry's region, key and model, and rewrites the body for that model.
        if is_heavy {
            let layers = ServiceBuilder::new()
                .layer(repairs)
                .layer(entry.layer().clone());
            let upstream = self.upstream.clone();
            return match memory {
                Some(memory) => {
                    let layers = ServiceBuilder::new().layer(memory.clone()).layer(layers);
                    let response = self.threads.layer(&layers, upstream, request);
                    response.map_ok(|response| response.map(Body::new)).boxed()
                }
                None => {
                    let response = self.threads.layer(&layers, upstream, request);
                    response.map_ok(|response| response.map(Body::new)).boxed()
                }
            };
        }
        let service = ServiceBuilder::new()
            .layer(repairs)
            .layer(entry.quick_layer().clone())
            .service(Thorough {
                upstream: self.upstream.clone(),
                entry: entry.layer().clone(),
                threads: self.threads.clone(),
            });
        match memory {
            Some(memory) => {
                let response = memory.layer(service).oneshot(request);
                response.map_ok(|response| response.map(Body::new)).boxed()
            }
            None => {
                let response = service.oneshot(request);
                response.map_ok(|response| response.map(Body::new)).boxed()
            }
        }
    }
}

impl<B> Service<Request<B>> for Pool
where
    B: HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError> + Send,
{
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let choice = request.extensions().get::<Choice>().cloned();
        let choice = choice.filter(|choice| {
            Trail::of(&request).tried(choice);
            choice.direct(request.extensions_mut()).is_ok()
        });
        if self.reads_responses {
            // The layers don't read compressed responses.
            let none = HeaderValue::from_static("identity");
            request.headers_mut().insert(ACCEPT_ENCODING, none);
        }
        match choice {
            Some(choice) => {
                let response = self.send(request, choice.deployment());
                if !choice.name().has_several() {
                    return response;
                }
                let metrics = Arc::clone(&self.metrics);
                metrics.sent_to(&choice);
                let sent = now();
                let noted =
                    response.inspect(move |response| note(response, &choice, sent, &metrics));
                noted.boxed()
            }
            // The name is `mine/` and the wildcard `mine/*`, for instance.
            None => future::err(Error::request(
                StatusCode::NOT_FOUND,
                "model_not_found",
                "the part of the model name that matches * is empty",
            ))
            .boxed(),
        }
    }
}

/// Notes what a response says about the health of its entry.
fn note(response: &Result<Response, Error>, choice: &Choice, sent: u64, metrics: &Metrics) {
    let (failure, status, retry_after) = match response {
        Ok(response) => {
            let failed = response.extensions().get::<Failed>();
            let retry_after = response.headers().get(RETRY_AFTER);
            (
                failed.map(|failed| failed.0),
                response.status(),
                retry_after.and_then(time_of),
            )
        }
        Err(error) => match error.failure() {
            Some(failure) => (Some(failure), error.status(), None),
            // The request is at fault, and the entry was not asked.
            None => return,
        },
    };
    let entry = choice.deployment();
    let Some(failure) = failure else {
        entry.health.recover(sent);
        return;
    };
    let Some(class) = Class::of(failure, status, entry.has_key()) else {
        return;
    };
    let is_new = entry.health.cool(class, retry_after.map(millis), now());
    if is_new {
        metrics.cools_down(choice, class);
        tracing::warn!(
            model = &*choice.name().label,
            entry = choice.place() + 1,
            upstream = &*entry.upstream,
            reason = class.name(),
            "an entry cools down",
        );
    }
}
