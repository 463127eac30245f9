//! Reads the body of a request and answers it.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BufMut};
use http::Response;
use http_body::Body;
use pin_project::pin_project;

use super::{api::Api, body::EmulatorBody, check::MAX_BODY_BYTES, facts, finding::Finding};

/// The response future of [`Emulator`](super::Emulator).
#[pin_project]
pub struct ResponseFuture<B> {
    #[pin]
    state: State<B>,
}

#[pin_project(project = StateProj)]
enum State<B> {
    Ready {
        response: Response<EmulatorBody>,
    },
    Reading {
        api: Api,
        #[pin]
        body: B,
        bytes: Vec<u8>,
    },
}

impl<B> ResponseFuture<B> {
    pub(super) fn ready(response: Response<EmulatorBody>) -> Self {
        Self {
            state: State::Ready { response },
        }
    }

    pub(super) fn reading(api: Api, body: B) -> Self {
        Self {
            state: State::Reading {
                api,
                body,
                bytes: Vec::new(),
            },
        }
    }
}

impl<B> Future for ResponseFuture<B>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = Result<Response<EmulatorBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (api, mut body, bytes) = match self.project().state.project() {
            // Polling again after completion yields an empty answer.
            StateProj::Ready { response } => return Poll::Ready(Ok(mem::take(response))),
            StateProj::Reading { api, body, bytes } => (api, body, bytes),
        };
        let response = loop {
            match ready!(body.as_mut().poll_frame(cx)) {
                None => break api.chat(bytes),
                Some(Err(error)) => break api.unreadable(&error.into()),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    if data.remaining() > MAX_BODY_BYTES - bytes.len() {
                        break api.refuse(Finding::new(&facts::BODY_TOO_LONG, &[]).into());
                    }
                    bytes.put(data);
                }
            }
        };
        Poll::Ready(Ok(response))
    }
}

impl<B> fmt::Debug for ResponseFuture<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
