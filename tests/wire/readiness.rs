//! The service that was polled ready is the one that is called.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, buffer::Buffer, limit::ConcurrencyLimit, service_fn};
use tower_moonshot::{MoonshotCompatLayer, RequestBody};

use crate::harness::*;

type Inner = Request<RequestBody<Full<Bytes>>>;

fn requests() -> impl Iterator<Item = Request<Full<Bytes>>> {
    ["application/json", "text/plain", "application/json"]
        .into_iter()
        .map(|content_type| {
            Request::post("/v1/chat/completions")
                .header("content-type", content_type)
                .body(SHRINKING.into())
                .unwrap()
        })
}

/// A service that panics if it is called before it is ready, as tower allows.
#[derive(Debug, Default)]
struct Strict {
    is_ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Inner> for Strict {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Inner) -> Self::Future {
        assert!(
            std::mem::take(&mut self.is_ready),
            "called without being ready"
        );
        ready(Ok(Response::new(())))
    }
}

/// Sends several requests in a row through one service.
async fn serve_all<S>(inner: S)
where
    S: Service<Inner, Response = Response<()>> + Clone,
    S::Error: std::fmt::Debug,
{
    let mut service = MoonshotCompatLayer::new().layer(inner);
    for request in requests() {
        let response = in_time(async { service.ready().await?.call(request).await }).await;
        response.unwrap();
    }
}

#[tokio::test]
async fn the_inner_service_is_polled_ready_before_each_call() {
    serve_all(Strict::default()).await;
}

#[tokio::test]
async fn a_buffer_with_one_slot_works_as_the_inner_service() {
    serve_all(Buffer::new(Strict::default(), 1)).await;
}

#[tokio::test]
async fn a_concurrency_limit_of_one_works_inside_of_the_layer() {
    serve_all(ConcurrencyLimit::new(Strict::default(), 1)).await;
}

#[tokio::test]
async fn a_service_that_is_not_ready_is_not_called() {
    let service = ConcurrencyLimit::new(Strict::default(), 1);
    let mut first = MoonshotCompatLayer::new().layer(service.clone());
    let mut second = MoonshotCompatLayer::new().layer(service);
    first.ready().await.unwrap();
    assert!(poll_once(second.ready()).is_pending());
    drop(first);
    assert!(poll_once(second.ready()).is_ready());
}

/// A request occupies a slot of the inner service while its body is read. The slot is
/// released when the caller disconnects.
#[tokio::test]
async fn a_dropped_response_future_releases_its_slot() {
    let inner =
        service_fn(async |_: Request<RequestBody<_>>| Ok::<_, Infallible>(Response::new(())));
    let mut service = MoonshotCompatLayer::new().layer(ConcurrencyLimit::new(inner, 1));
    let never = http_body_util::StreamBody::new(futures_util::stream::pending::<
        Result<http_body::Frame<Bytes>, Infallible>,
    >());
    let request = Request::post("/v1/chat/completions").body(never).unwrap();
    let mut response = Box::pin(service.ready().await.unwrap().call(request));
    assert!(poll_once(&mut response).is_pending());
    assert!(poll_once(service.ready()).is_pending());
    drop(response);
    in_time(service.ready()).await.unwrap();
}
