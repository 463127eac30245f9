//! Sends a request to the entry that was chosen for it.

use std::task::{Context, Poll};

use axum::{
    body::{Body, HttpBody},
    http::{HeaderValue, Request, StatusCode, header::ACCEPT_ENCODING},
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
    error::Error,
    heavy::{HEAVY_BYTES, Thorough, Threads},
    memory::Store,
    models::{Choice, Deployment},
    scope::Unscoped,
    trail::Trail,
    upstream::Upstream,
};

/// A service that sends each request to the entry of the [`Choice`] in its extensions.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    upstream: Upstream,
    threads: Threads,
    memory: Option<ReasoningMemoryLayer<Store>>,
    repairs: ResponseCompatLayer,
    reads_responses: bool,
}

impl Pool {
    pub(crate) fn new(
        upstream: Upstream,
        threads: Threads,
        memory: Option<ReasoningMemoryLayer<Store>>,
        repairs: bool,
    ) -> Self {
        Self {
            upstream,
            threads,
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
            let upstream = &choice.deployment().upstream;
            Trail::of(&request).sent_to(upstream);
            choice.direct(request.extensions_mut()).is_ok()
        });
        if self.reads_responses {
            // The layers don't read compressed responses.
            let none = HeaderValue::from_static("identity");
            request.headers_mut().insert(ACCEPT_ENCODING, none);
        }
        match choice {
            Some(choice) => self.send(request, choice.deployment()),
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
