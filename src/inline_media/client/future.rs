//! The response future and response body of the client.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use pin_project::pin_project;
use tower::BoxError;

use crate::inline_media::address::NotPublic;

/// Response future for [`MediaClient`](super::MediaClient).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct MediaFuture {
    #[pin]
    kind: Kind,
}

#[pin_project(project = KindProj)]
enum Kind {
    Refused(NotPublic),
    Calling(#[pin] legacy::ResponseFuture),
}

impl MediaFuture {
    pub(super) const fn refused(refused: NotPublic) -> Self {
        let kind = Kind::Refused(refused);
        Self { kind }
    }

    pub(super) const fn calling(future: legacy::ResponseFuture) -> Self {
        let kind = Kind::Calling(future);
        Self { kind }
    }
}

impl Future for MediaFuture {
    type Output = Result<Response<MediaBody>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project().kind.project() {
            KindProj::Refused(refused) => Err((*refused).into()),
            KindProj::Calling(future) => match ready!(future.poll(cx)) {
                Ok(response) => Ok(response.map(MediaBody)),
                Err(error) => Err(error.into()),
            },
        })
    }
}

impl fmt::Debug for MediaFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaFuture").finish_non_exhaustive()
    }
}

/// Response body for [`MediaClient`](super::MediaClient).
#[pin_project]
#[derive(Debug)]
pub struct MediaBody(#[pin] Incoming);

impl Body for MediaBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.project().0.poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
