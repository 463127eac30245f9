//! The body of a response.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::{ReasoningStore, watch::Watch};

/// The body of a response of [`ReasoningMemory`](super::ReasoningMemory): the inner
/// service's, frame by frame, with its size, trailers and errors.
///
/// Every frame is forwarded as it is, once it was looked at. The thoughts in it are kept
/// when the last frame of the answer passes. If the body is dropped before, they are
/// forgotten.
#[pin_project]
pub struct ResponseBody<B, M: ReasoningStore> {
    #[pin]
    inner: B,
    /// Until the answer is over.
    watch: Option<Box<Watch<M>>>,
}

impl<B, M: ReasoningStore> ResponseBody<B, M> {
    pub(super) const fn new(inner: B, watch: Option<Box<Watch<M>>>) -> Self {
        Self { inner, watch }
    }

    /// Gets a reference to the underlying body.
    pub const fn get_ref(&self) -> &B {
        &self.inner
    }

    /// Gets a mutable reference to the underlying body. What is read from it directly is
    /// not remembered.
    pub const fn get_mut(&mut self) -> &mut B {
        &mut self.inner
    }

    /// Consumes `self`, returning the underlying body. What is read from it then is not
    /// remembered.
    pub fn into_inner(self) -> B {
        self.inner
    }
}

impl<B: Default, M: ReasoningStore> Default for ResponseBody<B, M> {
    /// The default of the inner body.
    fn default() -> Self {
        Self::new(B::default(), None)
    }
}

impl<B: Body<Data = Bytes>, M: ReasoningStore> Body for ResponseBody<B, M> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        let Some(watch) = this.watch else {
            return Poll::Ready(frame);
        };
        let is_over = match &frame {
            Some(Ok(frame)) => match frame.data_ref() {
                Some(data) => {
                    watch.read(data);
                    // A reader that knows that there is no more doesn't ask for the end.
                    this.inner.is_end_stream() || this.inner.size_hint().exact() == Some(0)
                }
                // Trailers come at the end.
                None => true,
            },
            None => true,
            Some(Err(_)) => {
                *this.watch = None;
                false
            }
        };
        if is_over {
            if let Some(watch) = this.watch.take() {
                watch.finish();
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: fmt::Debug, M: ReasoningStore> fmt::Debug for ResponseBody<B, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("inner", &self.inner)
            .field("is_watched", &self.watch.is_some())
            .finish()
    }
}
