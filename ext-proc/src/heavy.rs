//! Keeps work that takes long away from the workers.
//!
//! A worker runs many exchanges in turn, and the health service between them. So where a
//! request takes long to rewrite, its exchange waits for a turn, and the worker hands
//! everything else over to another thread meanwhile.
//!
//! A request takes long if its body is long, or if the schemas of its tools need more
//! than [`QUICK_STEPS`], which only the rewrite itself can tell.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::{sync::Semaphore, task::block_in_place};
use tower::{Layer, Service, ServiceExt};
use tower_moonshot::{MoonshotCompatLayer, Report};

use super::{
    body::{EnvoyBody, Lost},
    handover::Handover,
};

/// The length from which a body is long, in bytes. A shorter one takes up to 2 ms.
pub(crate) const LONG_BYTES: u64 = 128 * 1024;

/// The steps that a worker spends on the schemas of one request, about 1 ms.
pub(crate) const QUICK_STEPS: u64 = 50_000;

/// The turns at work that takes long, which all exchanges share.
#[derive(Clone, Debug)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Turns {
    /// As many at a time as half of the workers, so that the others get the rest of the
    /// cores.
    pub(crate) fn new(workers: usize) -> Self {
        Self(Arc::new(Semaphore::new(workers.div_ceil(2))))
    }
}

/// What one exchange has to do until its request is handed over.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    turns: Turns,
    is_long: Arc<AtomicBool>,
}

impl Work {
    pub(crate) fn new(turns: Turns) -> Self {
        Self {
            turns,
            is_long: Arc::default(),
        }
    }

    /// Says that what follows takes long, and lets [`run`](Self::run) wait for a turn.
    pub(crate) async fn begin_long(&self) {
        if !self.is_long.swap(true, Ordering::Relaxed) {
            pending_once().await;
        }
    }

    /// Says that what takes long is done.
    pub(crate) fn end_long(&self) {
        if self.is_long.swap(false, Ordering::Relaxed) {
            tracing::debug!("a request no longer takes long");
        }
    }

    /// Runs a future. While it takes long, it is only polled at its turn, and the worker
    /// gives its other tasks away meanwhile. While it waits for something, such as a store
    /// of thoughts, it has no turn.
    pub(crate) async fn run<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        loop {
            let is_long = self.is_long.load(Ordering::Relaxed);
            let turn = match is_long {
                // Never closed.
                true => self.turns.0.acquire().await.ok(),
                false => None,
            };
            if turn.is_some() {
                tracing::debug!("a request that takes long has its turn");
            }
            let polled = poll_fn(|cx| {
                let mut poll = || future.as_mut().poll(cx);
                Poll::Ready(match turn {
                    Some(_) => block_in_place(poll),
                    None => poll(),
                })
            });
            if let Poll::Ready(output) = polled.await {
                return output;
            }
            drop(turn);
            // What has just begun to take long is polled again at once.
            if self.is_long.load(Ordering::Relaxed) == is_long {
                pending_once().await;
            }
        }
    }
}

/// Is pending when it is polled first: until the task is woken, by whatever it waits for.
async fn pending_once() {
    let mut was_polled = false;
    poll_fn(|_| match std::mem::replace(&mut was_polled, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// The innermost service behind a layer that repairs schemas within [`QUICK_STEPS`]. If
/// they did not suffice, the request is rewritten again with the whole budget.
#[derive(Clone, Debug)]
pub(crate) struct Thorough {
    pub(crate) layer: MoonshotCompatLayer,
    pub(crate) handover: Handover,
    pub(crate) work: Work,
}

impl<B> Service<Request<B>> for Thorough
where
    B: Body<Data = Bytes, Error = Lost> + Send + 'static,
{
    type Response = Response<EnvoyBody>;
    type Error = Lost;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Lost>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let report = request.extensions().get::<Report>();
        if report.is_none_or(|report| report.unrepaired_schemas() == 0) {
            return Box::pin(self.handover.call(request));
        }
        let service = self.layer.layer(self.handover.clone());
        let work = self.work.clone();
        Box::pin(async move {
            work.begin_long().await;
            service.oneshot(request).await
        })
    }
}
