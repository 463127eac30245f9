//! Keeps work that takes long away from the workers.
//!
//! A worker runs many exchanges in turn, and the health service between them. So where a
//! request takes long to rewrite, its exchange waits for a turn, and the worker hands
//! everything else over to another thread meanwhile.
//!
//! A request takes long if its body is long, or if the schemas of its tools need more
//! than [`QUICK_STEPS`], which only the rewrite itself can tell.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{block_in_place, yield_now},
};
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
    turn: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Work {
    pub(crate) fn new(turns: Turns) -> Self {
        Self {
            turns,
            turn: Arc::default(),
        }
    }

    /// Waits for a turn. What follows does not occupy a worker.
    pub(crate) async fn takes_long(&self) {
        // Never closed.
        let turn = Arc::clone(&self.turns.0).acquire_owned().await.ok();
        self.set(turn);
        tracing::debug!("a request has its turn at work that takes long");
        // What polls this looks at the turn before.
        yield_now().await;
    }

    /// Ends the turn, if there is one.
    pub(crate) fn is_done(&self) {
        if self.has_turn() {
            self.set(None);
            tracing::debug!("a request has ended its turn");
        }
    }

    /// Polls a future. During a turn, the worker that runs it gives its other tasks away.
    pub(crate) fn poll<F: Future>(
        &self,
        future: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        if self.has_turn() {
            block_in_place(|| future.poll(cx))
        } else {
            future.poll(cx)
        }
    }

    fn has_turn(&self) -> bool {
        let turn = self.turn.lock();
        turn.unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn set(&self, turn: Option<OwnedSemaphorePermit>) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = turn;
    }
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
            work.takes_long().await;
            service.oneshot(request).await
        })
    }
}
