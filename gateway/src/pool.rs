//! Sends a request to the entry that was chosen for it.

use std::task::{Context, Poll};

use axum::{
    body::HttpBody,
    http::{Request, StatusCode},
    response::Response,
};
use futures_util::{
    FutureExt,
    future::{self, BoxFuture},
};
use tower::{BoxError, Layer, Service, ServiceExt};

use super::{error::Error, models::Choice, trail::Trail, upstream::Upstream};

/// A service that sends each request to the entry of the [`Choice`] in its extensions.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    upstream: Upstream,
}

impl Pool {
    pub(crate) const fn new(upstream: Upstream) -> Self {
        Self { upstream }
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
        let layer = request
            .extensions()
            .get::<Choice>()
            .cloned()
            .and_then(|choice| {
                let deployment = choice.deployment();
                Trail::of(&request).sent_to(&deployment.upstream);
                choice.direct(request.extensions_mut()).ok()?;
                Some(deployment.layer().clone())
            });
        match layer {
            // The layer sets the entry's region, key and model, and rewrites the body
            // for that model.
            Some(layer) => layer.layer(self.upstream.clone()).oneshot(request).boxed(),
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
