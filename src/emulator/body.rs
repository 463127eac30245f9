//! The body of the emulator's answers.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use serde_json::Value;

/// The body of an answer of [`Emulator`](super::Emulator).
///
/// A JSON answer is one frame. A stream has one frame for each event, so that its
/// events arrive one by one.
#[derive(Clone, Debug, Default)]
pub struct EmulatorBody {
    frames: VecDeque<Bytes>,
    /// The length of all frames together.
    left: u64,
}

impl EmulatorBody {
    pub(super) fn json(value: &Value) -> Self {
        Self::frames([Bytes::from(value.to_string())])
    }

    pub(super) fn frames(frames: impl IntoIterator<Item = Bytes>) -> Self {
        let frames: VecDeque<Bytes> = frames.into_iter().collect();
        let left = frames.iter().map(|frame| frame.len() as u64).sum();
        Self { frames, left }
    }
}

impl Body for EmulatorBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.frames.pop_front();
        self.left -= frame.as_ref().map_or(0, |frame| frame.len() as u64);
        Poll::Ready(frame.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
