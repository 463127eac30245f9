//! Sends a body to Envoy in pieces.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;

use super::{
    answers::Outbound,
    body::Lost,
    head,
    message::{self, Side},
};

/// The longest piece. Slices of a rewritten body are joined up to it.
const PIECE: usize = 64 * 1024;

/// Sends a body, and answers the trailers that Envoy has sent after it, if any. Returns
/// the number of bytes.
pub(crate) async fn send<B>(
    body: B,
    side: Side,
    outbound: &Outbound,
    trailers_sent: impl Fn() -> Option<HeaderMap>,
) -> Result<u64, Lost>
where
    B: Body<Data = Bytes, Error = Lost>,
{
    let mut body = pin!(body);
    let mut pieces = Pieces::default();
    let mut length = 0;
    loop {
        let text = poll_fn(|cx| pieces.poll(body.as_mut(), cx)).await?;
        length += text.len() as u64;
        if !pieces.is_over() {
            outbound.send(message::piece(side, text, false)).await?;
            continue;
        }
        match trailers_sent() {
            None => outbound.send(message::piece(side, text, true)).await?,
            Some(sent) => {
                if !text.is_empty() {
                    outbound.send(message::piece(side, text, false)).await?;
                }
                let left = pieces.trailers.unwrap_or_default();
                let mutation = head::changes(&sent, &left);
                outbound.send(message::trailers(side, mutation)).await?;
            }
        }
        return Ok(length);
    }
}

/// Joins the frames that are there into pieces, and cuts long ones.
#[derive(Default)]
struct Pieces {
    rest: Bytes,
    has_ended: bool,
    trailers: Option<HeaderMap>,
    text: Vec<u8>,
}

impl Pieces {
    /// Whether the piece that was returned is the last.
    fn is_over(&self) -> bool {
        self.has_ended && self.rest.is_empty()
    }

    fn poll<B>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Vec<u8>, Lost>>
    where
        B: Body<Data = Bytes, Error = Lost>,
    {
        loop {
            let room = PIECE - self.text.len();
            if self.text.is_empty() && !self.rest.is_empty() && self.rest.len() <= PIECE {
                // Without a copy, if nobody else has the frame.
                self.text = std::mem::take(&mut self.rest).into();
            } else {
                let part = self.rest.split_to(self.rest.len().min(room));
                self.text.extend_from_slice(&part);
            }
            if self.text.len() == PIECE || self.is_over() {
                return Poll::Ready(Ok(std::mem::take(&mut self.text)));
            }
            match body.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
                Poll::Ready(Some(Err(Lost))) => return Poll::Ready(Err(Lost)),
                Poll::Ready(None) => self.has_ended = true,
                Poll::Pending if self.text.is_empty() => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Ok(std::mem::take(&mut self.text))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, task::Waker};

    use http_body::Frame;

    use super::*;

    /// Yields frames; `None` is a wait.
    struct Frames(VecDeque<Option<Bytes>>);

    impl Body for Frames {
        type Data = Bytes;
        type Error = Lost;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
            match self.0.pop_front() {
                None => Poll::Ready(None),
                Some(None) => Poll::Pending,
                Some(Some(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            }
        }
    }

    /// The lengths of the pieces, 0 for a wait.
    fn lengths(frames: &[Option<usize>]) -> Vec<usize> {
        let frames = frames
            .iter()
            .map(|frame| frame.map(|length| vec![7; length].into()));
        let mut body = Frames(frames.collect());
        let mut pieces = Pieces::default();
        let mut lengths = Vec::new();
        loop {
            let mut cx = Context::from_waker(Waker::noop());
            match pieces.poll(Pin::new(&mut body), &mut cx) {
                Poll::Ready(text) => lengths.push(text.unwrap().len()),
                Poll::Pending => lengths.push(0),
            }
            if pieces.is_over() {
                return lengths;
            }
        }
    }

    #[test]
    fn frames_are_joined_and_cut() {
        for (frames, expected) in [
            (&[][..], &[0][..]),
            (&[Some(3), Some(4)], &[7]),
            (&[Some(3), None, Some(4)], &[3, 4]),
            (&[None, Some(4), None], &[0, 4, 0]),
            (&[Some(PIECE)], &[PIECE, 0]),
            (&[Some(PIECE + 1)], &[PIECE, 1]),
            (&[Some(1), Some(2 * PIECE)], &[PIECE, PIECE, 1]),
        ] {
            assert_eq!(lengths(frames), expected, "{frames:?}");
        }
    }
}
