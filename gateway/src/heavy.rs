//! Moves work that takes long to blocking threads.
//!
//! A worker serves all of its connections on one thread. Nothing may occupy that thread
//! for more than a few milliseconds, or its other clients wait.
//!
//! The cost of a rewrite is linear in the length of the body, except for the repair of
//! tool schemas, which is counted in steps. So a body is heavy by its length, and a
//! small one if its schemas need more than [`QUICK_STEPS`].

use std::{
    future::pending,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

use axum::{
    body::{Bytes, HttpBody},
    http::Request,
    response::Response,
};
use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    sync::{Notify, Semaphore},
    task::{spawn_blocking, yield_now},
};
use tower::{BoxError, Layer, Service, ServiceExt};
use tower_moonshot::{MoonshotCompatLayer, Report};

use super::{error::Error, upstream::Upstream};

/// The length from which a body is heavy, in bytes. A shorter one takes up to 2 ms: the
/// most expensive, of many small messages that are all changed, takes 10 ns per byte.
pub(crate) const HEAVY_BYTES: usize = 128 * 1024;

/// The steps that a worker spends on the schemas of one request, about 1 ms.
pub(crate) const QUICK_STEPS: u64 = 50_000;

/// Permits to occupy a blocking thread, shared by all workers.
#[derive(Clone, Debug)]
pub(crate) struct Threads(Arc<Semaphore>);

impl Threads {
    /// Half as many as there are cores, so that workers get the other half.
    pub(crate) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(cores.div_ceil(2))))
    }

    /// Runs `work` on a blocking thread, once one is free.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let Ok(permit) = Arc::clone(&self.0).acquire_owned().await else {
            // Never closed.
            return pending().await;
        };
        let done = spawn_blocking(move || {
            let _permit = permit;
            tracing::debug!("a request has moved to a blocking thread");
            let result = work();
            tracing::debug!("a request has left its blocking thread");
            result
        });
        match done.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime shuts down.
                Err(_) => pending().await,
            },
        }
    }

    /// Runs a future on a blocking thread until it is at its [`Return`], or has ended.
    /// The rest of it runs where this is awaited. While it waits for something, such as a
    /// store of thoughts, it occupies no thread. If this is dropped, the future is too, as
    /// soon as it lets go of its thread.
    async fn drive<T: Send + 'static>(
        &self,
        mut future: BoxFuture<'static, T>,
        is_back: Back,
    ) -> T {
        let woken = Arc::new(Woken::default());
        loop {
            let waker = Waker::from(Arc::clone(&woken));
            let work = move || {
                let polled = future.poll_unpin(&mut Context::from_waker(&waker));
                (future, polled)
            };
            let polled;
            (future, polled) = self.run(work).await;
            match polled {
                Poll::Ready(output) => return output,
                Poll::Pending if is_back.is_set() => return future.await,
                Poll::Pending => woken.0.notified().await,
            }
        }
    }

    /// Sends a request through a layer that is run on a blocking thread.
    pub(crate) fn layer<L, S, B, R>(
        &self,
        layer: &L,
        inner: S,
        request: Request<B>,
    ) -> BoxFuture<'static, Result<R, Error>>
    where
        L: Layer<Return<S>>,
        L::Service: Service<Request<B>, Response = R, Error = Error, Future: Send> + Send + 'static,
        B: Send + 'static,
        R: Send + 'static,
    {
        let is_back = Back::default();
        let inner = Return {
            inner,
            is_back: is_back.clone(),
        };
        let service = layer.layer(inner);
        let threads = self.clone();
        // The body is read, and so the request rewritten, when the future is polled.
        let future = service.oneshot(request).boxed();
        async move { threads.drive(future, is_back).await }.boxed()
    }
}

/// Wakes whatever waits for a future that is polled on another thread.
#[derive(Debug, Default)]
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// Whether a future wants to leave its blocking thread.
#[derive(Clone, Debug, Default)]
struct Back(Arc<AtomicBool>);

impl Back {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The end of the layers that run on a blocking thread. The inner service runs on the
/// worker again, which can cancel it.
#[derive(Clone, Debug)]
pub(crate) struct Return<S> {
    inner: S,
    is_back: Back,
}

impl<S, B> Service<Request<B>> for Return<S>
where
    S: Service<Request<B>, Error = Error, Future: Send> + Runs + Clone + Send + 'static,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<S::Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // `call` waits for it.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = self.inner.clone();
        let is_back = self.is_back.clone();
        Box::pin(async move {
            if !inner.runs_here() {
                is_back.0.store(true, Ordering::Relaxed);
                yield_now().await;
            }
            inner.oneshot(request).await
        })
    }
}

/// Where a service runs.
pub(crate) trait Runs {
    /// Whether the service computes for long itself, as the emulator does.
    fn runs_here(&self) -> bool;
}

impl Runs for Upstream {
    fn runs_here(&self) -> bool {
        self.is_emulator()
    }
}

/// An upstream behind a layer that repairs schemas within [`QUICK_STEPS`]. If they did
/// not suffice, the request is rewritten again on a blocking thread.
#[derive(Clone, Debug)]
pub(crate) struct Thorough {
    pub(crate) upstream: Upstream,
    pub(crate) entry: MoonshotCompatLayer,
    pub(crate) threads: Threads,
}

impl<B> Service<Request<B>> for Thorough
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError> + Send,
{
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let report = request.extensions().get::<Report>();
        if report.is_none_or(|report| report.unrepaired_schemas() == 0) {
            return self.upstream.call(request);
        }
        self.threads
            .layer(&self.entry, self.upstream.clone(), request)
    }
}
