//! The body of an upstream's response, searched for the key on its way to the client.

use std::{
    error, fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::HttpBody;
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use memchr::memmem::Finder;
use tower::BoxError;

use super::secret::Secret;

/// A response body whose trailers lose values with the key. If its data is searched too,
/// it ends with the error [`Echoed`] before the key would be sent. Only the bytes at the
/// end of a frame with which the key may begin are held back.
#[derive(Debug)]
pub(crate) struct Searched<B> {
    body: B,
    secret: Secret,
    /// `None` if only trailers are searched.
    finder: Option<Finder<'static>>,
    /// What was read ahead.
    begin: Bytes,
    held: Bytes,
    /// Trailers behind what was held back or read ahead.
    trailers: Option<Frame<Bytes>>,
    has_ended: bool,
}

/// The response contains the key that the request was sent with.
#[derive(Debug)]
pub(crate) struct Echoed;

impl fmt::Display for Echoed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the upstream's response contains its API key")
    }
}

impl error::Error for Echoed {}

impl<B> Searched<B> {
    pub(crate) fn new(body: B, secret: Secret) -> Self {
        let finder = Finder::new(secret.bytes()).into_owned();
        Self {
            finder: Some(finder),
            ..Self::trailers_only(body, secret)
        }
    }

    pub(crate) const fn trailers_only(body: B, secret: Secret) -> Self {
        Self {
            body,
            secret,
            finder: None,
            begin: Bytes::new(),
            held: Bytes::new(),
            trailers: None,
            has_ended: false,
        }
    }

    /// Returns what can be sent of `data` and what was held back before it.
    fn search(&mut self, data: Bytes) -> Result<Bytes, Echoed> {
        let Some(finder) = &self.finder else {
            return Ok(data);
        };
        let mut data = match self.held.is_empty() {
            true => data,
            false => {
                let mut joined = BytesMut::with_capacity(self.held.len() + data.len());
                joined.extend_from_slice(&self.held);
                joined.extend_from_slice(&data);
                joined.freeze()
            }
        };
        if finder.find(&data).is_some() {
            return Err(Echoed);
        }
        let key = self.secret.bytes();
        let begun = (1..key.len()).rev().find(|n| data.ends_with(&key[..*n]));
        self.held = data.split_off(data.len() - begun.unwrap_or(0));
        Ok(data)
    }
}

impl<B> Searched<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    /// Searches the body up to its end, or a little more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// The body contains the key, or could not be read.
    pub(crate) async fn read_ahead(&mut self, limit: usize) -> Result<(), BoxError> {
        let mut begin = BytesMut::new();
        while begin.len() <= limit
            && let Some(frame) = self.frame().await
        {
            match frame?.into_data() {
                Ok(data) => begin.extend_from_slice(&data),
                Err(trailers) => self.trailers = Some(trailers),
            }
            if self.has_ended {
                break;
            }
        }
        self.begin = begin.freeze();
        Ok(())
    }
}

impl<B> HttpBody for Searched<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if !this.begin.is_empty() {
            let begin = std::mem::take(&mut this.begin);
            return Poll::Ready(Some(Ok(Frame::data(begin))));
        }
        loop {
            if let Some(trailers) = this.trailers.take() {
                return Poll::Ready(Some(Ok(trailers)));
            }
            if this.has_ended {
                return Poll::Ready(None);
            }
            let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => {
                    this.has_ended = true;
                    let held = std::mem::take(&mut this.held);
                    let last = (!held.is_empty()).then(|| Ok(Frame::data(held)));
                    return Poll::Ready(last);
                }
            };
            match frame.into_data() {
                Ok(data) => match this.search(data) {
                    // All of it was held back, or it was empty.
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                    Err(echoed) => {
                        tracing::warn!("{echoed}, so its rest is not forwarded");
                        return Poll::Ready(Some(Err(echoed.into())));
                    }
                },
                Err(mut trailers) => {
                    if let Some(trailers) = trailers.trailers_mut() {
                        this.secret.remove_from(trailers);
                    }
                    this.has_ended = true;
                    if this.held.is_empty() {
                        return Poll::Ready(Some(Ok(trailers)));
                    }
                    this.trailers = Some(trailers);
                    let held = std::mem::take(&mut this.held);
                    return Poll::Ready(Some(Ok(Frame::data(held))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_empty = self.begin.is_empty() && self.held.is_empty() && self.trailers.is_none();
        is_empty && (self.has_ended || self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let held = (self.begin.len() + self.held.len()) as u64;
        let mut hint = self.body.size_hint();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint.set_lower(hint.lower().saturating_add(held));
        hint
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{HeaderMap, HeaderValue},
    };
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "abcabcabd";

    /// Returns what a client gets of a body in frames, and whether it was cut off.
    fn sent(frames: Vec<Frame<Bytes>>) -> (Vec<u8>, Option<HeaderMap>, bool) {
        let authorization = HeaderValue::from_str(&format!("Bearer {KEY}")).unwrap();
        let secret = Secret::of(Some(&authorization)).unwrap();
        let frames = frames.into_iter().map(Ok::<_, BoxError>);
        let body = Searched::new(StreamBody::new(stream::iter(frames)), secret);
        let mut body = Body::new(body);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let (mut data, mut trailers) = (Vec::new(), None);
            while let Some(frame) = body.frame().await {
                match frame.map(Frame::into_data) {
                    Ok(Ok(part)) => data.extend_from_slice(&part),
                    Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
                    Err(_) => return (data, trailers, true),
                }
            }
            (data, trailers, false)
        })
    }

    proptest! {
        /// The letters are those of the key, so that parts of it occur everywhere.
        #[test]
        fn the_key_is_found_however_frames_cut_it(
            before in "[abcd]{0,12}", has_key: bool, after in "[abcd]{0,12}", cuts: [u8; 4],
        ) {
            let text = format!("{before}{}{after}", if has_key { KEY } else { "" });
            let mut cuts = cuts.map(|cut| usize::from(cut) % (text.len() + 1));
            cuts.sort_unstable();
            let ends = cuts.into_iter().chain([text.len()]);
            let frames = ends.scan(0, |start, end| {
                let part = text[*start..end].to_owned();
                *start = end;
                Some(Frame::data(Bytes::from(part)))
            });
            let (data, _, is_cut_off) = sent(frames.collect());
            prop_assert_eq!(is_cut_off, text.contains(KEY));
            prop_assert!(!String::from_utf8(data.clone()).unwrap().contains(KEY));
            if is_cut_off {
                // No letter of the key's first occurrence.
                prop_assert!(data.len() <= text.find(KEY).unwrap());
            } else {
                prop_assert_eq!(data, text.into_bytes());
            }
        }
    }

    #[test]
    fn trailers_lose_the_key_and_follow_what_was_held_back() {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-kept", HeaderValue::from_static("1"));
        trailers.insert("x-key", HeaderValue::from_static(KEY));
        let frames = vec![
            Frame::data(Bytes::from_static(b"1 abc")),
            Frame::trailers(trailers),
        ];
        let (data, trailers, is_cut_off) = sent(frames);
        assert!(!is_cut_off && data == b"1 abc", "{data:?}");
        let trailers = trailers.unwrap();
        assert!(trailers.contains_key("x-kept") && !trailers.contains_key("x-key"));
    }
}
