//! The body that the inner service gets.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use crate::Rope;

/// The request body that a service inside of [`MoonshotCompat`](crate::MoonshotCompat)
/// gets: the incoming body itself where it was not read, else the text as it came
/// or was rewritten.
///
/// Its size is known exactly where the body was read. Trailers of the original
/// come at its end.
#[pin_project]
pub struct CompatBody<B: Body> {
    /// What was read, or what became of it.
    read: Rope,
    trailers: Option<HeaderMap>,
    #[pin]
    rest: Rest<B, B::Error>,
}

/// What comes behind the text that was read.
#[pin_project(project = RestProj)]
#[derive(Clone)]
enum Rest<B, E> {
    Nothing,
    /// A body that nobody has polled yet.
    Unread(#[pin] B),
    /// The rest of one that was longer than what may be read.
    Longer(Pin<Box<B>>),
    /// The error that ended the reading.
    Error(Option<E>),
}

impl<B: Body> CompatBody<B> {
    const fn new(read: Rope, trailers: Option<HeaderMap>, rest: Rest<B, B::Error>) -> Self {
        Self {
            read,
            trailers,
            rest,
        }
    }

    pub(crate) fn unread(body: B) -> Self {
        Self::new(Rope::default(), None, Rest::Unread(body))
    }

    /// A body that was read to its end.
    pub(crate) const fn complete(text: Rope, trailers: Option<HeaderMap>) -> Self {
        Self::new(text, trailers, Rest::Nothing)
    }

    /// A body that was read in part, and goes on with `rest`.
    pub(crate) fn longer(read: Bytes, rest: Pin<Box<B>>) -> Self {
        Self::new(Rope::from(read), None, Rest::Longer(rest))
    }

    /// A body that was read in part, and ends with an error.
    pub(crate) fn failed(read: Bytes, error: B::Error) -> Self {
        Self::new(Rope::from(read), None, Rest::Error(Some(error)))
    }

    /// A copy, for a retry; `None` where there is more to come than what was
    /// read. Copies no text.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        match self.rest {
            Rest::Nothing => Some(Self::complete(self.read.clone(), self.trailers.clone())),
            _ => None,
        }
    }
}

impl<B: Body> Default for CompatBody<B> {
    /// The empty body.
    fn default() -> Self {
        Self::complete(Rope::default(), None)
    }
}

impl<B> Clone for CompatBody<B>
where
    B: Body + Clone,
    B::Error: Clone,
{
    fn clone(&self) -> Self {
        Self::new(self.read.clone(), self.trailers.clone(), self.rest.clone())
    }
}

impl<B: Body> fmt::Debug for CompatBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the text: bodies end up in logs.
        f.debug_struct("CompatBody")
            .field("read", &self.read.len())
            .field("trailers", &self.trailers.is_some())
            .field(
                "rest",
                &match self.rest {
                    Rest::Nothing => "nothing",
                    Rest::Unread(_) => "all of it",
                    Rest::Longer(_) => "some",
                    Rest::Error(_) => "an error",
                },
            )
            .finish()
    }
}

impl<B> Body for CompatBody<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if let Some(piece) = this.read.next() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if let Some(trailers) = this.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        match this.rest.project() {
            RestProj::Nothing => Poll::Ready(None),
            RestProj::Unread(body) => body.poll_frame(cx),
            RestProj::Longer(body) => body.as_mut().poll_frame(cx),
            RestProj::Error(error) => Poll::Ready(error.take().map(Err)),
        }
    }

    fn is_end_stream(&self) -> bool {
        let rest_is_over = match &self.rest {
            Rest::Nothing => true,
            Rest::Unread(body) => body.is_end_stream(),
            Rest::Longer(body) => body.is_end_stream(),
            Rest::Error(error) => error.is_none(),
        };
        rest_is_over && self.read.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = match &self.rest {
            Rest::Nothing => SizeHint::with_exact(0),
            Rest::Unread(body) => body.size_hint(),
            Rest::Longer(body) => body.size_hint(),
            // How much there would have been, nobody knows.
            Rest::Error(_) => SizeHint::default(),
        };
        let read = self.read.len() as u64;
        let mut hint = SizeHint::default();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(read)) {
            hint.set_upper(upper);
        }
        hint
    }
}
