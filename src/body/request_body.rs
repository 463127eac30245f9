//! The request body that the inner service receives.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::Rope;

/// Request body that the middleware of this crate passes to its inner service.
///
/// It is either the incoming body itself, or the text of a body that was read, original
/// or rewritten. The size hint of a text is exact. If reading stopped at the size limit or
/// at an error, the rest of the body or the error follows the text. Trailers of the
/// incoming body are kept.
#[pin_project]
pub struct RequestBody<B: Body> {
    #[pin]
    kind: Kind<B, B::Error>,
}

#[pin_project(project = KindProj)]
#[derive(Clone)]
enum Kind<B, E> {
    /// The incoming body, never polled.
    Unread(#[pin] B),
    /// The text of a body that was read, original or rewritten.
    Read {
        text: Rope,
        /// Boxed to keep the body small, because few requests have trailers.
        trailers: Option<Box<HeaderMap>>,
        rest: Rest<B, E>,
    },
}

/// What follows the text that was read.
#[derive(Clone)]
enum Rest<B, E> {
    Nothing,
    /// The rest of a body that is longer than the limit.
    Longer(Pin<Box<B>>),
    /// The error that ended reading. It is returned once.
    Error(Option<E>),
}

impl<B: Body> RequestBody<B> {
    pub(crate) const fn unread(body: B) -> Self {
        Self {
            kind: Kind::Unread(body),
        }
    }

    const fn read(text: Rope, trailers: Option<Box<HeaderMap>>, rest: Rest<B, B::Error>) -> Self {
        Self {
            kind: Kind::Read {
                text,
                trailers,
                rest,
            },
        }
    }

    /// A body that was read to its end.
    pub(crate) const fn complete(text: Rope, trailers: Option<Box<HeaderMap>>) -> Self {
        Self::read(text, trailers, Rest::Nothing)
    }

    /// A body that was read up to `rest`.
    pub(crate) fn longer(read: Bytes, rest: Pin<Box<B>>) -> Self {
        Self::read(Rope::from(read), None, Rest::Longer(rest))
    }

    /// A body that was read up to an error.
    pub(crate) fn failed(read: Bytes, error: B::Error) -> Self {
        Self::read(Rope::from(read), None, Rest::Error(Some(error)))
    }

    /// Returns a copy for a retry, or `None` if the body was not read to its end.
    ///
    /// The copy shares the text.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        match &self.kind {
            Kind::Read {
                text,
                trailers,
                rest: Rest::Nothing,
            } => Some(Self::complete(text.clone(), trailers.clone())),
            _ => None,
        }
    }
}

/// Returns a copy of a request for a retry, or `None` if its body was not read to its end.
///
/// The copy shares the text of the body. Headers and extensions are cloned.
///
/// A retry policy inside of [`MoonshotCompat`](crate::MoonshotCompat) calls this function,
/// because [`RequestBody`] is only [`Clone`] if the incoming body is:
///
/// ```
/// use http::{Request, Response};
/// use http_body::Body;
/// use tower::retry::Policy;
/// use tower_moonshot::{RequestBody, try_clone_request};
///
/// /// Retries a request after an error, up to this many times.
/// #[derive(Clone)]
/// struct Attempts(usize);
///
/// impl<B: Body, R, E> Policy<Request<RequestBody<B>>, Response<R>, E> for Attempts {
///     type Future = std::future::Ready<()>;
///
///     fn retry(
///         &mut self,
///         _: &mut Request<RequestBody<B>>,
///         result: &mut Result<Response<R>, E>,
///     ) -> Option<Self::Future> {
///         self.0 = result.is_err().then(|| self.0.checked_sub(1)).flatten()?;
///         Some(std::future::ready(()))
///     }
///
///     fn clone_request(
///         &mut self,
///         request: &Request<RequestBody<B>>,
///     ) -> Option<Request<RequestBody<B>>> {
///         try_clone_request(request)
///     }
/// }
/// # let mut policy = Attempts(1);
/// # let body = RequestBody::<http_body_util::Full<bytes::Bytes>>::default();
/// # let request = Request::new(body);
/// # type Outcome = Result<Response<()>, std::io::Error>;
/// # assert!(try_clone_request(&request).is_some());
/// # let mut failed: Outcome = Err(std::io::Error::other("reset"));
/// # let mut request = request;
/// # assert!(policy.retry(&mut request, &mut failed).is_some());
/// # assert!(policy.retry(&mut request, &mut failed).is_none());
/// ```
#[must_use]
pub fn try_clone_request<B: Body>(
    request: &Request<RequestBody<B>>,
) -> Option<Request<RequestBody<B>>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

impl<B: Body> Default for RequestBody<B> {
    /// Returns an empty body.
    fn default() -> Self {
        Self::complete(Rope::default(), None)
    }
}

impl<B> Clone for RequestBody<B>
where
    B: Body + Clone,
    B::Error: Clone,
{
    fn clone(&self) -> Self {
        Self {
            kind: self.kind.clone(),
        }
    }
}

impl<B: Body> fmt::Debug for RequestBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (read, trailers, rest) = match &self.kind {
            Kind::Unread(_) => (0, false, "all of it"),
            Kind::Read {
                text,
                trailers,
                rest,
            } => {
                let rest = match rest {
                    Rest::Nothing => "nothing",
                    Rest::Longer(_) => "some",
                    Rest::Error(_) => "an error",
                };
                (text.len(), trailers.is_some(), rest)
            }
        };
        // Without the text, because debug output ends up in logs.
        f.debug_struct("RequestBody")
            .field("read", &read)
            .field("trailers", &trailers)
            .field("rest", &rest)
            .finish()
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let (text, trailers, rest) = match self.project().kind.project() {
            KindProj::Unread(body) => return body.poll_frame(cx),
            KindProj::Read {
                text,
                trailers,
                rest,
            } => (text, trailers, rest),
        };
        if let Some(piece) = text.next() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if let Some(trailers) = trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(*trailers))));
        }
        match rest {
            Rest::Nothing => Poll::Ready(None),
            Rest::Longer(body) => body.as_mut().poll_frame(cx),
            Rest::Error(error) => Poll::Ready(error.take().map(Err)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Unread(body) => body.is_end_stream(),
            Kind::Read {
                text,
                trailers,
                rest,
            } => {
                let rest_is_over = match rest {
                    Rest::Nothing => true,
                    Rest::Longer(body) => body.is_end_stream(),
                    Rest::Error(error) => error.is_none(),
                };
                rest_is_over && text.is_empty() && trailers.is_none()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let (read, rest) = match &self.kind {
            Kind::Unread(body) => return body.size_hint(),
            Kind::Read { text, rest, .. } => (text.len() as u64, rest),
        };
        let rest = match rest {
            Rest::Nothing => return SizeHint::with_exact(read),
            Rest::Longer(body) => body.size_hint(),
            // The length of the missing rest is unknown.
            Rest::Error(_) => SizeHint::default(),
        };
        let mut hint = SizeHint::default();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(read)) {
            hint.set_upper(upper);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use http_body_util::{BodyExt, Full};

    use super::*;

    type Whole = RequestBody<Full<Bytes>>;

    fn next<B>(body: &mut Pin<Box<RequestBody<B>>>) -> Option<Result<Frame<Bytes>, B::Error>>
    where
        B: Body<Data = Bytes>,
    {
        let mut cx = Context::from_waker(Waker::noop());
        match body.as_mut().poll_frame(&mut cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => panic!("pending"),
        }
    }

    fn next_data<B: Body<Data = Bytes>>(body: &mut Pin<Box<RequestBody<B>>>) -> Bytes {
        let Some(Ok(frame)) = next(body) else {
            panic!("no data");
        };
        frame.into_data().unwrap()
    }

    fn trailers() -> HeaderMap {
        HeaderMap::from_iter([(http::header::ETAG, "1".parse().unwrap())])
    }

    #[test]
    fn an_unread_body_is_the_body_itself() {
        let mut body = Box::pin(RequestBody::unread(Full::from("abc")));
        assert_eq!(body.size_hint().exact(), Some(3));
        assert!(!body.is_end_stream());
        assert_eq!(next_data(&mut body), "abc");
        assert!(body.is_end_stream());
        assert!(next(&mut body).is_none());
        assert!(RequestBody::unread(Full::<Bytes>::default()).is_end_stream());
    }

    #[test]
    fn a_read_body_knows_its_length_and_its_end() {
        let mut body = Box::pin(Whole::complete(Rope::from(Bytes::from("abc")), None));
        assert_eq!(body.size_hint().exact(), Some(3));
        assert!(!body.is_end_stream());
        assert_eq!(next_data(&mut body), "abc");
        assert_eq!(body.size_hint().exact(), Some(0));
        assert!(body.is_end_stream());
        assert!(next(&mut body).is_none());
    }

    #[test]
    fn trailers_come_before_the_end() {
        let text = Rope::from(Bytes::from("abc"));
        let mut body = Box::pin(Whole::complete(text, Some(Box::new(trailers()))));
        assert_eq!(body.size_hint().exact(), Some(3));
        next_data(&mut body);
        assert!(!body.is_end_stream());
        let frame = next(&mut body).unwrap().unwrap();
        assert_eq!(frame.into_trailers().unwrap(), trailers());
        assert!(body.is_end_stream());
    }

    #[test]
    fn a_longer_body_is_its_start_and_its_rest() {
        let rest =
            Full::<Bytes>::from("def").with_trailers(std::future::ready(Some(Ok(trailers()))));
        let mut body = Box::pin(RequestBody::longer("abc".into(), Box::pin(rest)));
        assert_eq!(body.size_hint().lower(), 6);
        assert_eq!(next_data(&mut body), "abc");
        assert_eq!(next_data(&mut body), "def");
        assert!(!body.is_end_stream());
        let frame = next(&mut body).unwrap().unwrap();
        assert_eq!(frame.into_trailers().unwrap(), trailers());
        assert!(next(&mut body).is_none());
    }

    #[test]
    fn a_failed_body_promises_no_length_and_fails_once() {
        type Failing = http_body_util::combinators::UnsyncBoxBody<Bytes, &'static str>;

        let mut body = Box::pin(RequestBody::<Failing>::failed("abc".into(), "no"));
        assert_eq!(body.size_hint().lower(), 3);
        assert_eq!(body.size_hint().upper(), None);
        assert_eq!(next_data(&mut body), "abc");
        assert!(!body.is_end_stream());
        assert_eq!(next(&mut body).unwrap().unwrap_err(), "no");
        assert!(body.is_end_stream());
        assert!(next(&mut body).is_none());
    }

    /// Bounds that fit no `u64` are no bounds.
    #[test]
    fn a_size_hint_does_not_overflow() {
        struct Huge;

        impl Body for Huge {
            type Data = Bytes;
            type Error = std::convert::Infallible;

            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
                Poll::Pending
            }

            fn size_hint(&self) -> SizeHint {
                SizeHint::with_exact(u64::MAX)
            }
        }

        let hint = RequestBody::longer("abc".into(), Box::pin(Huge)).size_hint();
        assert_eq!(hint.lower(), u64::MAX);
        assert_eq!(hint.upper(), None);
    }

    #[test]
    fn only_what_was_read_to_its_end_can_be_cloned_for_a_retry() {
        let mut body = Box::pin(Whole::complete(
            Rope::from(Bytes::from("abc")),
            Some(Box::new(trailers())),
        ));
        let mut clone = Box::pin(body.try_clone().unwrap());
        for body in [&mut body, &mut clone] {
            assert_eq!(next_data(body), "abc");
            let frame = next(body).unwrap().unwrap();
            assert_eq!(frame.into_trailers().unwrap(), trailers());
        }
        let rest = || Full::<Bytes>::from("def");
        assert!(RequestBody::unread(rest()).try_clone().is_none());
        assert!(
            RequestBody::longer("abc".into(), Box::pin(rest()))
                .try_clone()
                .is_none()
        );
    }

    #[test]
    fn its_text_stays_out_of_debug_output() {
        let body = Whole::complete(Rope::from(Bytes::from("secret")), None);
        assert!(!format!("{body:?}").contains("secret"));
    }
}
