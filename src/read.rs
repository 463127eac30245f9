//! Reading a body to its end, or to its limit.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;
use pin_project::pin_project;

/// How reading a body ended.
pub(crate) enum Read<B: Body> {
    /// With its end.
    Complete(Bytes, Option<HeaderMap>),
    /// With more than the limit: what was read, and the rest.
    Longer(Bytes, Pin<Box<B>>),
    /// With an error behind what was read.
    Failed(Bytes, B::Error),
}

/// A body that is being read into one piece.
#[pin_project]
pub(crate) struct ReadBody<B> {
    #[pin]
    source: Source<B>,
    gathered: Gathered,
    trailers: Option<HeaderMap>,
    limit: usize,
}

#[pin_project(project = SourceProj)]
enum Source<B> {
    /// It says that it is within the limit, so it will be read to its end here.
    Bounded(#[pin] B),
    /// It may turn out too long. Then the inner service has to get the rest, and
    /// a body that was polled can only be moved in a box.
    Unbounded(Option<Pin<Box<B>>>),
}

impl<B: Body> ReadBody<B> {
    pub(crate) fn new(body: B, limit: usize) -> Self {
        let upper = body.size_hint().upper();
        let source = if upper.is_some_and(|upper| upper <= limit as u64) {
            Source::Bounded(body)
        } else {
            Source::Unbounded(Some(Box::pin(body)))
        };
        Self {
            source,
            gathered: Gathered::default(),
            trailers: None,
            limit,
        }
    }
}

#[cfg(feature = "inline-media")]
impl<B> ReadBody<B> {
    /// How many bytes were read so far.
    pub(crate) fn received(&self) -> usize {
        self.gathered.len()
    }
}

impl<B: Body<Data = Bytes>> ReadBody<B> {
    pub(crate) fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Read<B>> {
        let mut this = self.project();
        loop {
            let mut body = match this.source.as_mut().project() {
                SourceProj::Bounded(body) => body,
                SourceProj::Unbounded(Some(body)) => body.as_mut(),
                SourceProj::Unbounded(None) => return Poll::Pending,
            };
            let frame = match ready!(body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    return Poll::Ready(Read::Failed(this.gathered.take(), error));
                }
                None => {
                    let text = this.gathered.take();
                    return Poll::Ready(Read::Complete(text, this.trailers.take()));
                }
            };
            match frame.into_data() {
                Ok(data) => {
                    let announced = body.size_hint().lower().min(*this.limit as u64);
                    this.gathered.push(data, announced as usize);
                }
                Err(frame) => *this.trailers = frame.into_trailers().ok(),
            }
            if this.gathered.len() > *this.limit {
                if let SourceProj::Unbounded(body) = this.source.as_mut().project() {
                    if let Some(body) = body.take() {
                        return Poll::Ready(Read::Longer(this.gathered.take(), body));
                    }
                }
            }
        }
    }
}

/// The data so far: a single frame stays as it is, several are copied together.
#[derive(Default)]
struct Gathered {
    first: Bytes,
    all: Option<BytesMut>,
}

impl Gathered {
    fn len(&self) -> usize {
        self.all.as_ref().map_or(self.first.len(), BytesMut::len)
    }

    /// Adds a frame, of which at least `announced` bytes are still to follow.
    fn push(&mut self, data: Bytes, announced: usize) {
        if let Some(all) = &mut self.all {
            all.extend_from_slice(&data);
        } else if self.first.is_empty() {
            self.first = data;
        } else if !data.is_empty() {
            let length = self.first.len() + data.len() + announced;
            let mut all = BytesMut::with_capacity(length);
            all.extend_from_slice(&self.first);
            all.extend_from_slice(&data);
            self.first = Bytes::new();
            self.all = Some(all);
        }
    }

    fn take(&mut self) -> Bytes {
        match self.all.take() {
            Some(all) => all.freeze(),
            None => std::mem::take(&mut self.first),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, task::Waker};

    use http_body::{Frame, SizeHint};

    use super::*;

    type Hint = fn() -> SizeHint;

    /// Frames, pauses (`None`) and errors in a row, with any size hint.
    struct Script {
        steps: VecDeque<Option<Result<Frame<Bytes>, &'static str>>>,
        hint: Hint,
    }

    impl Body for Script {
        type Data = Bytes;
        type Error = &'static str;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
            match self.steps.pop_front() {
                Some(None) => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                step => Poll::Ready(step.flatten()),
            }
        }

        fn size_hint(&self) -> SizeHint {
            (self.hint)()
        }
    }

    fn data(text: &'static str) -> Option<Result<Frame<Bytes>, &'static str>> {
        Some(Ok(Frame::data(text.into())))
    }

    /// Reads with a limit of 4.
    fn read(
        hint: Hint,
        steps: impl IntoIterator<Item = Option<Result<Frame<Bytes>, &'static str>>>,
    ) -> Read<Script> {
        let steps = steps.into_iter().collect();
        let mut reader = Box::pin(ReadBody::new(Script { steps, hint }, 4));
        loop {
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(read) = reader.as_mut().poll_read(&mut cx) {
                return read;
            }
        }
    }

    /// What can be said of a length that is 4 at most, truly or not.
    const HINTS: [Hint; 3] = [
        SizeHint::default,
        || {
            let mut open = SizeHint::default();
            open.set_lower(1);
            open
        },
        || SizeHint::with_exact(4),
    ];

    #[test]
    fn frames_are_put_together() {
        for hint in HINTS {
            let steps = [
                data(""),
                None,
                data("a"),
                data(""),
                data("bc"),
                None,
                data("d"),
            ];
            let Read::Complete(text, None) = read(hint, steps) else {
                panic!("not complete");
            };
            assert_eq!(text, "abcd");
        }
    }

    #[test]
    fn a_single_frame_is_not_copied() {
        let frame = "abcd";
        for hint in HINTS {
            let Read::Complete(text, None) = read(hint, [data(""), data(frame), data("")]) else {
                panic!("not complete");
            };
            assert_eq!(text.as_ptr(), frame.as_ptr());
        }
    }

    #[test]
    fn no_frames_are_an_empty_text() {
        for hint in HINTS {
            let Read::Complete(text, None) = read(hint, []) else {
                panic!("not complete");
            };
            assert_eq!(text, "");
        }
    }

    #[test]
    fn trailers_are_kept() {
        let trailers = HeaderMap::from_iter([(http::header::ETAG, "1".parse().unwrap())]);
        let frame = Frame::trailers(trailers.clone());
        let Read::Complete(text, kept) = read(SizeHint::default, [data("a"), Some(Ok(frame))])
        else {
            panic!("not complete");
        };
        assert_eq!((text, kept), ("a".into(), Some(trailers)));
    }

    #[test]
    fn an_error_comes_behind_what_was_read() {
        for hint in HINTS {
            let Read::Failed(text, error) = read(hint, [data("a"), data("b"), Some(Err("no"))])
            else {
                panic!("no error");
            };
            assert_eq!((text, error), ("ab".into(), "no"));
        }
    }

    #[test]
    fn reading_ends_with_the_first_byte_over_the_limit() {
        let steps = [data("abc"), data("de"), data("f"), Some(Err("no"))];
        let Read::Longer(text, mut rest) = read(SizeHint::default, steps) else {
            panic!("within the limit");
        };
        assert_eq!(text, "abcde");
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Some(Ok(next))) = rest.as_mut().poll_frame(&mut cx) else {
            panic!("read too far");
        };
        assert_eq!(next.into_data().unwrap(), "f");
    }
}
