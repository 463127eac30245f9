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
/// A JSON answer is one frame. A stream has one frame for each event, so that a
/// reader sees them arrive one by one.
#[derive(Clone, Debug, Default)]
pub struct EmulatorBody {
    frames: VecDeque<Bytes>,
}

impl EmulatorBody {
    pub(super) fn json(value: &Value) -> Self {
        Self::frames([Bytes::from(value.to_string())])
    }

    pub(super) fn frames(frames: impl IntoIterator<Item = Bytes>) -> Self {
        Self {
            frames: frames.into_iter().collect(),
        }
    }
}

impl Body for EmulatorBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.frames.pop_front().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let bytes: usize = self.frames.iter().map(Bytes::len).sum();
        SizeHint::with_exact(bytes as u64)
    }
}
