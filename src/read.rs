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
