//! Bodies that do what an input says, polled without a runtime.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// What a body does when it is polled.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Pending,
    Data(Bytes),
    Trailers(HeaderMap),
    Error(u8),
}

/// A body of these steps.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub steps: VecDeque<Step>,
    pub hint: Hint,
    /// Whether it tells that it has ended before it is polled again.
    pub says_end: bool,
}

/// What a body announces of its length.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Hint {
    #[default]
    Nothing,
    /// What is left at least, and no upper bound.
    Lower,
    Exact,
    /// A length that may be wrong.
    Wrong(u64),
}

impl Script {
    /// The bytes that are left.
    pub fn left(&self) -> usize {
        let lengths = self.steps.iter().map(|step| match step {
            Step::Data(data) => data.len(),
            _ => 0,
        });
        lengths.sum()
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = u8;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, u8>>> {
        Poll::Ready(match self.steps.pop_front() {
            None => None,
            Some(Step::Pending) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Data(data)) => Some(Ok(Frame::data(data))),
            Some(Step::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Step::Error(error)) => Some(Err(error)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.says_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::default();
        match self.hint {
            Hint::Nothing => {}
            Hint::Lower => hint.set_lower(self.left() as u64),
            Hint::Exact => hint = SizeHint::with_exact(self.left() as u64),
            Hint::Wrong(length) => hint = SizeHint::with_exact(length),
        }
        hint
    }
}

/// Everything that a body did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collected {
    pub data: Vec<u8>,
    pub trailers: Option<HeaderMap>,
    pub error: Option<u8>,
}

/// Polls a body to its end or to an error.
///
/// # Panics
///
/// Panics if the body waits for nothing, or if what it announced was wrong. The hint is
/// believed only if `is_honest`.
pub fn collect<B: Body<Data = Bytes, Error = u8> + Unpin>(
    mut body: B,
    is_honest: bool,
) -> Collected {
    let mut collected = Collected::default();
    let mut hints = Vec::new();
    loop {
        hints.push((collected.data.len() as u64, body.size_hint()));
        let is_over = body.is_end_stream();
        match poll(|cx| Pin::new(&mut body).poll_frame(cx)) {
            None => break,
            Some(Err(error)) => {
                collected.error = Some(error);
                return collected;
            }
            Some(Ok(frame)) => {
                assert!(!is_over, "a frame after the end");
                match frame.into_data() {
                    Ok(data) => collected.data.extend_from_slice(&data),
                    Err(frame) => collected.trailers = frame.into_trailers().ok(),
                }
            }
        }
    }
    for (before, hint) in hints.into_iter().filter(|_| is_honest) {
        let left = collected.data.len() as u64 - before;
        let upper = hint.upper().unwrap_or(u64::MAX);
        assert!((hint.lower()..=upper).contains(&left), "{left} {hint:?}");
    }
    collected
}

struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls until something is ready.
///
/// # Panics
///
/// Panics if nothing is ready and nothing will wake the task.
pub fn poll<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    loop {
        let before = wakes.0.load(Ordering::Relaxed);
        if let Poll::Ready(ready) = poll(&mut cx) {
            return ready;
        }
        assert!(wakes.0.load(Ordering::Relaxed) > before, "a lost wake-up");
    }
}
