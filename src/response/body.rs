//! The response body.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::{ResponseRule, future::remove_account, rule::Rules, stream::Stream};
use crate::{RequestBody, framing::remove_digests};

/// The response body of [`ResponseCompat`](super::ResponseCompat).
///
/// It is one of three: the inner service's body, if it is not read; a JSON answer that was
/// read, unchanged or repaired; or a stream that is repaired frame by frame.
///
/// Trailers of the inner body are forwarded. `size_hint` is exact for a JSON answer that was
/// read completely; for a stream it only becomes exact at the end.
///
/// # Errors
///
/// Errors of the inner body are returned unchanged, after the data that was received before
/// them.
#[pin_project]
pub struct ResponseBody<B: Body> {
    #[pin]
    kind: Kind<B, B::Error>,
    rules: Rules,
}

#[pin_project(project = KindProj)]
enum Kind<B: Body, E> {
    Whole(#[pin] RequestBody<B>),
    Stream {
        #[pin]
        body: B,
        stream: Box<Stream>,
        last: Last<E>,
    },
}

/// What follows the pieces of a stream that are ready.
enum Last<E> {
    /// More frames of the inner body.
    More,
    Trailers(Box<HeaderMap>),
    Error(E),
    /// The end.
    Nothing,
}

impl<B: Body> ResponseBody<B> {
    pub(super) const fn whole(body: RequestBody<B>, rules: Rules) -> Self {
        Self {
            kind: Kind::Whole(body),
            rules,
        }
    }

    pub(super) fn stream(body: B, stream: Stream, rules: Rules) -> Self {
        Self {
            kind: Kind::Stream {
                body,
                stream: Box::new(stream),
                last: Last::More,
            },
            rules,
        }
    }
}

impl<B: Body> Default for ResponseBody<B> {
    /// Creates an empty body.
    fn default() -> Self {
        Self::whole(RequestBody::default(), Rules::default())
    }
}

impl<B: Body> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the text, because debug output is often logged.
        match &self.kind {
            Kind::Whole(body) => f.debug_tuple("ResponseBody").field(body).finish(),
            Kind::Stream { stream, last, .. } => f
                .debug_struct("ResponseBody")
                .field("ready", &stream.ready())
                .field("held", &stream.held())
                .field("is_over", &!matches!(last, Last::More))
                .finish(),
        }
    }
}

impl<B> Body for ResponseBody<B>
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
        let rules = *this.rules;
        let (mut body, stream, last) = match this.kind.project() {
            KindProj::Whole(body) => {
                let frame = ready!(body.poll_frame(cx));
                return Poll::Ready(frame.map(|frame| frame.map(|frame| cleaned(frame, rules))));
            }
            KindProj::Stream { body, stream, last } => (body, stream, last),
        };
        loop {
            if let Some(piece) = stream.next() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            match std::mem::replace(last, Last::Nothing) {
                Last::More => *last = Last::More,
                Last::Trailers(trailers) => {
                    let frame = cleaned(Frame::trailers(*trailers), rules);
                    return Poll::Ready(Some(Ok(frame)));
                }
                Last::Error(error) => return Poll::Ready(Some(Err(error))),
                Last::Nothing => return Poll::Ready(None),
            }
            match ready!(body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        stream.push(data);
                        if body.is_end_stream() {
                            // Ends the stream without another poll.
                            stream.finish();
                            *last = Last::Nothing;
                        }
                    }
                    Err(frame) => {
                        stream.finish();
                        let mut trailers = frame.into_trailers().unwrap_or_default();
                        if stream.is_changed() {
                            remove_digests(&mut trailers);
                        }
                        *last = Last::Trailers(Box::new(trailers));
                    }
                },
                Some(Err(error)) => {
                    stream.fail();
                    *last = Last::Error(error);
                }
                None => {
                    stream.finish();
                    *last = Last::Nothing;
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(body) => body.is_end_stream(),
            Kind::Stream { stream, last, .. } => {
                matches!(last, Last::Nothing) && stream.ready() == 0
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let (stream, last) = match &self.kind {
            Kind::Whole(body) => return body.size_hint(),
            Kind::Stream { stream, last, .. } => (stream, last),
        };
        let ready = stream.ready() as u64;
        if let Last::Nothing | Last::Trailers(_) = last {
            return SizeHint::with_exact(ready);
        }
        let mut hint = SizeHint::new();
        hint.set_lower(ready);
        hint
    }
}

/// Removes the fields that identify an account from trailers.
fn cleaned(mut frame: Frame<Bytes>, rules: Rules) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        if rules.is_on(ResponseRule::AccountHeaders) {
            remove_account(trailers);
        }
    }
    frame
}
