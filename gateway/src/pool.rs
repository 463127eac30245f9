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
    MoonshotCompatLayer,
    reasoning_memory::ReasoningMemoryLayer,
    response::{ResponseCompatLayer, ResponseRule},
};

use super::{
    error::Error, memory::Store, models::Choice, scope::Unscoped, trail::Trail, upstream::Upstream,
};

/// A service that sends each request to the entry of the [`Choice`] in its extensions.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    upstream: Upstream,
    memory: Option<ReasoningMemoryLayer<Store>>,
    repairs: ResponseCompatLayer,
    reads_responses: bool,
}

impl Pool {
    pub(crate) fn new(
        upstream: Upstream,
        memory: Option<ReasoningMemoryLayer<Store>>,
        repairs: bool,
    ) -> Self {
        Self {
            upstream,
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
        entry: MoonshotCompatLayer,
    ) -> BoxFuture<'static, Result<Response, Error>>
    where
        B: HttpBody<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError> + Send,
    {
        let is_scoped = request.extensions().get::<Unscoped>().is_none();
        let service = ServiceBuilder::new()
            // Repairs what the client gets.
            .layer(self.repairs.clone())
            // Sets the entry's region, key and model, and rewrites the body for that
            // model.
            .layer(entry)
            .service(self.upstream.clone());
        match self.memory.as_ref().filter(|_| is_scoped) {
            // Outside of the rewrite, which would fill in for a missing thought. Inside of
            // the retries, because it has to know the model of the entry that is tried.
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
        let entry = request
            .extensions()
            .get::<Choice>()
            .cloned()
            .and_then(|choice| {
                let deployment = choice.deployment();
                Trail::of(&request).sent_to(&deployment.upstream);
                choice.direct(request.extensions_mut()).ok()?;
                Some(deployment.layer().clone())
            });
        if self.reads_responses {
            // The layers don't read compressed responses.
            let none = HeaderValue::from_static("identity");
            request.headers_mut().insert(ACCEPT_ENCODING, none);
        }
        match entry {
            Some(entry) => self.send(request, entry),
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
