//! Reads a body to its end or to a limit.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, SizeHint};
use pin_project::pin_project;

/// Upper bound in bytes on what is reserved for an announced length alone.
const ON_TRUST: usize = 1024 * 1024;

/// Upper bound on what is reserved for an announced length, in multiples of what has
/// been received.
const PER_BYTE: usize = 16;

/// Upper bound in bytes on the unused capacity of a finished buffer.
const SLACK: usize = 64 * 1024;

/// How reading a body ended.
pub(crate) enum Read<B: Body> {
    /// The body ended. Holds its data and trailers.
    Complete(Bytes, Option<Box<HeaderMap>>),
    /// The body is longer than the limit. Holds what was read, and the rest.
    Longer(Bytes, Pin<Box<B>>),
    /// The body returned an error. Holds what was read, and the error.
    Failed(Bytes, B::Error),
}

/// Reads the data of a body into one buffer.
#[pin_project]
pub(crate) struct ReadBody<B> {
    #[pin]
    source: Source<B>,
    gathered: Gathered,
    trailers: Option<Box<HeaderMap>>,
    limit: usize,
}

#[pin_project(project = SourceProj, project_replace = SourceTaken)]
enum Source<B> {
    /// A body whose announced length is within the limit. It is read to its end.
    Bounded(#[pin] B),
    /// A body that may be longer than the limit. It is boxed, because the rest is moved to
    /// the inner service after it was polled.
    Unbounded(Pin<Box<B>>),
    /// Reading has ended.
    Over,
}

impl<B: Body> ReadBody<B> {
    pub(crate) fn new(body: B, limit: usize) -> Self {
        let upper = body.size_hint().upper();
        let source = if upper.is_some_and(|upper| upper <= limit as u64) {
            Source::Bounded(body)
        } else {
            Source::Unbounded(Box::pin(body))
        };
        Self {
            source,
            gathered: Gathered::default(),
            trailers: None,
            limit,
        }
    }
}

#[cfg(any(feature = "inline-media", feature = "timeout"))]
impl<B> ReadBody<B> {
    /// Returns the number of bytes read so far.
    pub(crate) fn received(&self) -> usize {
        self.gathered.len()
    }
}

impl<B: Body<Data = Bytes>> ReadBody<B> {
    /// Reads to the end of the body or to the limit.
    ///
    /// # Panics
    ///
    /// Panics if it is called again after it returned `Ready`.
    pub(crate) fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Read<B>> {
        let mut this = self.project();
        let read = loop {
            let mut body = match this.source.as_mut().project() {
                SourceProj::Bounded(body) => body,
                SourceProj::Unbounded(body) => body.as_mut(),
                SourceProj::Over => panic!("`ReadBody` polled after completion"),
            };
            let frame = match ready!(body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => break Read::Failed(this.gathered.take(), error),
                None => break Read::Complete(this.gathered.take(), this.trailers.take()),
            };
            match frame.into_data() {
                Ok(data) => this.gathered.push(data, &body.size_hint(), *this.limit),
                Err(frame) => *this.trailers = frame.into_trailers().ok().map(Box::new),
            }
            if this.gathered.len() > *this.limit {
                // A body that exceeds its announced length is read on, because it is not
                // boxed and can't be moved.
                if let SourceProj::Unbounded(_) = this.source.as_mut().project() {
                    let taken = this.source.as_mut().project_replace(Source::Over);
                    if let SourceTaken::Unbounded(rest) = taken {
                        return Poll::Ready(Read::Longer(this.gathered.take(), rest));
                    }
                }
            } else if body.is_end_stream() {
                // Without this, the end would be noticed one poll later.
                break Read::Complete(this.gathered.take(), this.trailers.take());
            }
        };
        this.source.set(Source::Over);
        Poll::Ready(read)
    }
}

/// The data read so far. A single frame is not copied. Several are copied into one buffer.
#[derive(Default)]
struct Gathered {
    first: Bytes,
    /// Empty until the second frame.
    all: Vec<u8>,
}

impl Gathered {
    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    /// Adds a frame. `rest` is the size hint for the data after it.
    fn push(&mut self, data: Bytes, rest: &SizeHint, limit: usize) {
        if data.is_empty() {
            return;
        }
        if self.len() == 0 {
            self.first = data;
            return;
        }
        let length = self.len() + data.len();
        if length > self.all.capacity() {
            let capacity = capacity(length, rest, limit);
            self.all.reserve_exact(capacity - self.all.len());
        }
        self.all.extend_from_slice(&std::mem::take(&mut self.first));
        self.all.extend_from_slice(&data);
    }

    fn take(&mut self) -> Bytes {
        if self.all.is_empty() {
            return std::mem::take(&mut self.first);
        }
        let mut all = std::mem::take(&mut self.all);
        if all.capacity() - all.len() > SLACK {
            all.shrink_to_fit();
        }
        all.into()
    }
}

/// Returns the new capacity of a full buffer, once `length` bytes were received.
///
/// A body with an announced length gets all of it at once, but at most [`ON_TRUST`] bytes
/// or [`PER_BYTE`] times what was received, because the announcement may be false. Any
/// other body gets twice what was received. No body gets more than the limit.
fn capacity(length: usize, rest: &SizeHint, limit: usize) -> usize {
    let plus = |rest| usize::try_from(rest).map_or(usize::MAX, |rest| length.saturating_add(rest));
    let on_trust = length.saturating_mul(PER_BYTE).max(ON_TRUST);
    let announced = plus(rest.lower()).min(on_trust);
    let twice = plus(rest.upper().unwrap_or(u64::MAX)).min(length.saturating_mul(2));
    announced.max(twice).min(limit).max(length)
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, task::Waker};

    use http_body::Frame;

    use super::*;

    type Hint = fn() -> SizeHint;

    /// A body that yields these frames, pauses (`None`) and errors.
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

    /// Reads a body with a limit of 4 bytes.
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

    /// Size hints of a body with up to 4 bytes. They may be wrong.
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
    fn frames_are_concatenated() {
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
    fn a_body_without_frames_is_empty() {
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
        assert_eq!((text, kept), ("a".into(), Some(Box::new(trailers))));
    }

    #[test]
    fn an_error_keeps_what_was_read() {
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

    #[test]
    fn a_body_that_announces_its_end_is_not_polled_again() {
        struct Once(Option<Bytes>);

        impl Body for Once {
            type Data = Bytes;
            type Error = &'static str;

            fn poll_frame(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
                Poll::Ready(Some(self.0.take().map(Frame::data).ok_or("asked again")))
            }

            fn is_end_stream(&self) -> bool {
                self.0.is_none()
            }
        }

        let mut reader = Box::pin(ReadBody::new(Once(Some("abcd".into())), 4));
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Read::Complete(text, None)) = reader.as_mut().poll_read(&mut cx) else {
            panic!("asked again");
        };
        assert_eq!(text, "abcd");
    }

    #[test]
    fn an_announced_length_is_reserved_within_bounds() {
        const KIB: usize = 1024;
        const MIB: usize = 1024 * KIB;
        let exact = |rest: usize| SizeHint::with_exact(rest as u64);
        let limit = 100 * MIB;
        for (length, rest, limit, expected) in [
            // Announced and within the bounds.
            (2, exact(3), limit, 5),
            (32 * KIB, exact(MIB - 32 * KIB), limit, MIB),
            (32 * KIB, exact(0), limit, 32 * KIB),
            // Announced, but more than is reserved at once.
            (32 * KIB, exact(8 * MIB), limit, MIB),
            (MIB, exact(7 * MIB), limit, 8 * MIB),
            (MIB, exact(90 * MIB), limit, 16 * MIB),
            // Not announced.
            (32 * KIB, SizeHint::default(), limit, 64 * KIB),
            // Not above the limit, unless that much was received.
            (4, exact(3), 5, 5),
            (4, SizeHint::default(), 5, 5),
            (6, SizeHint::default(), 5, 6),
            (4, SizeHint::with_exact(u64::MAX), usize::MAX, MIB),
        ] {
            assert_eq!(
                capacity(length, &rest, limit),
                expected,
                "{length} {rest:?}"
            );
        }
        let mut up_to_three = SizeHint::default();
        up_to_three.set_upper(3);
        assert_eq!(capacity(8, &up_to_three, limit), 11);
    }
}
