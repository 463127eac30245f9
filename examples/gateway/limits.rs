//! How much at a time.

use std::sync::Arc;

use axum::{
    body::HttpBody,
    extract::{Request, State},
    http::{StatusCode, header::EXPECT},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use tokio::{sync::Semaphore, time};

use super::{error::Error, trail::Trail};

/// How long a client may go on sending a body that was refused.
const LINGER: time::Duration = time::Duration::from_secs(2);

/// So many requests at the same time.
///
/// tower's `limit` lets go with the head of an answer; here a stream counts to
/// its end, because it takes memory and connections all the time.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<Semaphore>);

impl Places {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))))
    }
}

/// Lets a request in while there is a place. Who would have to wait is told so at
/// once: a client's own retries are better than a queue.
pub(crate) async fn take_place(
    State(places): State<Places>,
    request: Request,
    next: Next,
) -> Response {
    match Arc::clone(&places.0).try_acquire_owned() {
        Ok(place) => {
            Trail::of(&request).keep(place);
            next.run(request).await
        }
        Err(_) => {
            linger(request);
            let message = "the gateway serves as many requests as it may; ask again in a moment";
            Error::gateway(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message).into_response()
        }
    }
}

/// Reads a refused request on for a while: a client that is still sending when
/// the connection is closed may never see the answer.
pub(crate) fn linger<B>(request: axum::http::Request<B>)
where
    B: HttpBody + Send + 'static,
    B::Data: Send,
{
    // One that waits for a word before it sends gets the answer instead.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return;
    }
    let mut body = Box::pin(request.into_body());
    tokio::spawn(async move {
        let rest = async { while let Some(Ok(_)) = body.frame().await {} };
        // Whether that was the end or just enough makes no difference.
        let _ = time::timeout(LINGER, rest).await;
    });
}
