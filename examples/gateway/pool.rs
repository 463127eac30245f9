//! Sends a request to the entry whose turn it is.

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

/// The entries of all names. Which one gets a request says the [`Choice`] in its
/// extensions.
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

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let layer = request.extensions().get::<Choice>().and_then(|choice| {
            Trail::of(&request).sent_to(&choice.deployment().upstream);
            choice.layer().ok()
        });
        match layer {
            // Region, key and model are the entry's. The layer sets them, and
            // rewrites the body for the model.
            Some(layer) => layer.layer(self.upstream.clone()).oneshot(request).boxed(),
            // `mine/` for `mine/*`, say.
            None => future::err(Error::request(
                StatusCode::NOT_FOUND,
                "model_not_found",
                "this model name stands for no model",
            ))
            .boxed(),
        }
    }
}
