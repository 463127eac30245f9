//! The bodies that Envoy sends in pieces.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// How many pieces wait to be read. Envoy's pieces are as long as its reads from the
/// connection, 16 KiB by default. The sender waits while there are as many.
const WAITING: usize = 8;

/// Upper bound in bytes on what is reserved for an announced length alone.
const MAX_RESERVED: u64 = 1024 * 1024;

/// A part of a body.
#[derive(Debug)]
pub(crate) enum Piece {
    Data(Bytes),
    /// The last data of a body without trailers. It may be empty.
    Last(Bytes),
    /// Ends the body.
    Trailers(HeaderMap),
}

/// Envoy ended the exchange before the body was complete, because the client or the
/// upstream is gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Envoy ended the exchange")
    }
}

impl std::error::Error for Lost {}

/// The body of a request or a response.
pub(crate) struct EnvoyBody {
    pieces: mpsc::Receiver<Piece>,
    /// What was read in advance and comes first.
    front: Bytes,
    trailers: Option<HeaderMap>,
    has_ended: bool,
    /// How many bytes are still to come after `front`, if that was announced.
    remaining: Option<u64>,
    /// Called before the body is read for the first time.
    ask: Option<Box<dyn FnOnce() + Send>>,
}

impl EnvoyBody {
    /// Creates a body and what its pieces are sent with. `length` is the announced
    /// length.
    pub(crate) fn channel(length: Option<u64>) -> (mpsc::Sender<Piece>, Self) {
        let (sender, pieces) = mpsc::channel(WAITING);
        let body = Self {
            pieces,
            front: Bytes::new(),
            trailers: None,
            has_ended: false,
            remaining: length,
            ask: None,
        };
        (sender, body)
    }

    /// Creates an empty body.
    pub(crate) fn empty() -> Self {
        let (_, mut body) = Self::channel(Some(0));
        body.has_ended = true;
        body
    }

    /// Calls `ask` before the body is read for the first time.
    pub(crate) fn asking(mut self, ask: impl FnOnce() + Send + 'static) -> Self {
        self.ask = Some(Box::new(ask));
        self
    }

    /// Reads the whole body into one piece, and returns it. The body then yields it
    /// again. `None` if it is longer than `limit` bytes; then it yields what was read,
    /// and the rest.
    pub(crate) async fn gather(&mut self, limit: usize) -> Result<Option<Bytes>, Lost> {
        let mut gathered = BytesMut::new();
        let mut first = Bytes::new();
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut *self).poll_frame(cx)).await;
            let frame = match frame {
                None => break,
                Some(frame) => frame?,
            };
            match frame.into_data() {
                Ok(data) if first.is_empty() && gathered.is_empty() => first = data,
                Ok(data) => {
                    if gathered.is_empty() {
                        let more = self.remaining.unwrap_or(0).min(MAX_RESERVED) as usize;
                        gathered.reserve(first.len() + data.len() + more);
                        gathered.extend_from_slice(&first);
                    }
                    gathered.extend_from_slice(&data);
                }
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok();
                    break;
                }
            }
            if first.len().max(gathered.len()) > limit {
                break;
            }
        }
        self.front = if gathered.is_empty() {
            first
        } else {
            gathered.freeze()
        };
        Ok((self.front.len() <= limit).then(|| self.front.clone()))
    }
}

impl Body for EnvoyBody {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        if !self.front.is_empty() {
            let front = std::mem::take(&mut self.front);
            return Poll::Ready(Some(Ok(Frame::data(front))));
        }
        if self.has_ended {
            let trailers = self.trailers.take();
            return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
        }
        if let Some(ask) = self.ask.take() {
            ask();
        }
        let data = match ready!(self.pieces.poll_recv(cx)) {
            Some(Piece::Data(data)) => data,
            Some(Piece::Last(data)) => {
                self.has_ended = true;
                if data.is_empty() {
                    return Poll::Ready(None);
                }
                data
            }
            Some(Piece::Trailers(trailers)) => {
                self.has_ended = true;
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            None => {
                self.has_ended = true;
                return Poll::Ready(Some(Err(Lost)));
            }
        };
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.saturating_sub(data.len() as u64);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended && self.front.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let front = self.front.len() as u64;
        match self.remaining {
            _ if self.has_ended => SizeHint::with_exact(front),
            Some(remaining) => SizeHint::with_exact(front + remaining),
            None => {
                let mut hint = SizeHint::new();
                hint.set_lower(front);
                hint
            }
        }
    }
}

impl fmt::Debug for EnvoyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvoyBody").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn sent(length: Option<u64>, pieces: impl IntoIterator<Item = Piece>) -> EnvoyBody {
        let (sender, body) = EnvoyBody::channel(length);
        for piece in pieces {
            sender.send(piece).await.unwrap();
        }
        body
    }

    fn data(text: &'static str) -> Piece {
        Piece::Data(text.into())
    }

    #[tokio::test]
    async fn a_gathered_body_yields_the_same_again() {
        let trailers = HeaderMap::from_iter([(http::header::ETAG, "1".parse().unwrap())]);
        for pieces in [
            vec![Piece::Last("abcd".into())],
            vec![data("ab"), Piece::Last("cd".into())],
            vec![data("a"), data("bcd"), Piece::Last("".into())],
            vec![data("abcd"), Piece::Trailers(trailers.clone())],
        ] {
            let has_trailers = matches!(pieces.last(), Some(Piece::Trailers(_)));
            let mut body = sent(None, pieces).await;
            assert_eq!(body.gather(4).await.unwrap().unwrap(), "abcd");
            assert_eq!(body.size_hint().exact(), Some(4));
            let again = body.collect().await.unwrap();
            assert_eq!(again.trailers().is_some(), has_trailers);
            assert_eq!(again.to_bytes(), "abcd");
        }
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_whole_after_all() {
        let pieces = [data("ab"), data("cd"), data("ef"), Piece::Last("g".into())];
        let mut body = sent(Some(7), pieces).await;
        assert!(body.gather(3).await.unwrap().is_none());
        assert_eq!(body.size_hint().exact(), Some(7));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abcdefg");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_error() {
        let mut body = sent(None, [data("ab")]).await;
        assert!(body.gather(9).await.is_err());
        let body = sent(Some(9), [data("ab")]).await;
        assert!(body.collect().await.is_err());
    }

    #[tokio::test]
    async fn nothing_is_asked_for_until_the_body_is_read() {
        let (asked, was_asked) = std::sync::mpsc::channel();
        let body = sent(None, [Piece::Last("a".into())]).await;
        let body = body.asking(move || asked.send(()).unwrap());
        assert!(was_asked.try_recv().is_err());
        body.collect().await.unwrap();
        was_asked.try_recv().unwrap();
    }
}
