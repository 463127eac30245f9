//! A service that answers at once, and how it is called.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame, SizeHint};
use tower::Service;
use tower_moonshot::reasoning_memory::ReasoningReport;

/// A body whose frames are all available. The last one comes first.
#[derive(Clone, Default)]
pub(crate) struct Frames(pub(crate) Vec<Bytes>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop().map(|frame| Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// Returns the length of a body whose frames are all available.
fn drain<B: Body<Data = Bytes>>(body: B) -> usize {
    let mut body = pin!(body);
    let mut context = Context::from_waker(Waker::noop());
    let mut length = 0;
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut context) {
        length += frame.data_ref().map_or(0, Bytes::len);
    }
    length
}

/// The inner service: drains the request, and answers with these frames.
#[derive(Clone)]
pub(crate) struct Answer(pub(crate) Frames);

impl<B: Body<Data = Bytes>> Service<Request<B>> for Answer {
    type Response = Response<Frames>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Frames>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        black_box(drain(request.into_body()));
        let mut response = Response::new(self.0.clone());
        let event_stream = HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert(CONTENT_TYPE, event_stream);
        ready(Ok(response))
    }
}

/// Creates a chat request of one caller with this body.
pub(crate) fn request(text: &Bytes) -> Request<Frames> {
    Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .header("authorization", "Bearer sk-bench")
        .header("content-length", text.len())
        .body(Frames(vec![text.clone()]))
        .unwrap()
}

/// Calls a service, drains its answer, and returns the report.
pub(crate) fn call<S, B>(service: &mut S, request: Request<Frames>) -> Option<ReasoningReport>
where
    S: Service<Request<Frames>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let Ok(response) = service.call(request).now_or_never().unwrap();
    let report = response.extensions().get::<ReasoningReport>().cloned();
    black_box(drain(response.into_body()));
    report
}
