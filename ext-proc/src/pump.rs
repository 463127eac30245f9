//! Takes Envoy's messages, and gives each to the part of the exchange that waits for it.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use envoy_types::pb::envoy::service::ext_proc::v3::{
    CommonResponse, HttpBody, HttpHeaders, HttpTrailers, ProcessingRequest,
    processing_request::Request as Message,
};
use http::{HeaderMap, Response};
use tokio::sync::{mpsc, oneshot};
use tonic::{Status, Streaming};

use super::{
    answers::Outbound,
    body::{EnvoyBody, Lost, Piece},
    head,
    message::{self, Side},
    modes::{Mode, Modes},
    record::Record,
};

/// What the parts of an exchange tell one another.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Gets the response, once the request was handed over.
    respond: Mutex<Option<oneshot::Sender<Response<EnvoyBody>>>>,
    request_trailers: OnceLock<HeaderMap>,
    response_trailers: OnceLock<HeaderMap>,
    /// The request body that Envoy has buffered, until it is compared.
    buffered: Mutex<Option<Bytes>>,
}

/// The head of a response as Envoy has it, in the extensions of the response.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) has_body: bool,
}

impl Shared {
    pub(crate) fn awaits(&self, respond: oneshot::Sender<Response<EnvoyBody>>) {
        *lock(&self.respond) = Some(respond);
    }

    /// Returns the trailers that Envoy has sent.
    pub(crate) fn trailers(&self, side: Side) -> Option<HeaderMap> {
        self.slot(side).get().cloned()
    }

    /// Whether these are the very bytes that Envoy has buffered. They can be compared
    /// once: afterwards nothing keeps them in memory.
    pub(crate) fn is_buffered(&self, body: &Bytes) -> bool {
        let buffered = lock(&self.buffered).take();
        buffered.is_some_and(|buffered| {
            buffered.as_ptr() == body.as_ptr() && buffered.len() == body.len()
        })
    }

    const fn slot(&self, side: Side) -> &OnceLock<HeaderMap> {
        match side {
            Side::Request => &self.request_trailers,
            Side::Response => &self.response_trailers,
        }
    }
}

/// Where the pieces of one side go.
enum Lane {
    /// To the layers, until the body has ended.
    Layers(Option<mpsc::Sender<Piece>>),
    /// Back to Envoy as they are.
    Back,
}

/// See the [module](self).
pub(crate) struct Pump<'a> {
    inbound: &'a mut Streaming<ProcessingRequest>,
    outbound: &'a Outbound,
    shared: &'a Shared,
    record: &'a Record,
    modes: Modes,
    request: Lane,
    response: Lane,
}

impl<'a> Pump<'a> {
    /// Sends the pieces of the request to `request`, or back to Envoy.
    pub(crate) fn new(
        inbound: &'a mut Streaming<ProcessingRequest>,
        outbound: &'a Outbound,
        shared: &'a Shared,
        record: &'a Record,
        modes: Modes,
        request: Option<mpsc::Sender<Piece>>,
    ) -> Self {
        let request = match request {
            Some(sender) => Lane::Layers(Some(sender)),
            None => Lane::Back,
        };
        Self {
            inbound,
            outbound,
            shared,
            record,
            modes,
            request,
            response: Lane::Back,
        }
    }

    /// Takes messages until Envoy ends the exchange.
    ///
    /// # Errors
    ///
    /// Envoy breaks the protocol.
    pub(crate) async fn run(mut self, first: Option<Message>) -> Result<(), Status> {
        if let Some(message) = first
            && self.take(message).await.is_err()
        {
            return Ok(());
        }
        // An error is one of the connection: Envoy or the client is gone.
        while let Ok(Some(message)) = self.inbound.message().await {
            let Some(message) = message.request else {
                return Err(Status::invalid_argument("a message without content"));
            };
            if self.take(message).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn take(&mut self, message: Message) -> Result<(), Lost> {
        match message {
            // The first message, for which there are no layers, or an error of Envoy's.
            Message::RequestHeaders(_) => {
                let response = message::head(Side::Request, CommonResponse::default());
                self.outbound.send(response).await
            }
            Message::ResponseHeaders(headers) => self.response_head(headers).await,
            Message::RequestBody(body) => self.piece(Side::Request, body).await,
            Message::ResponseBody(body) => self.piece(Side::Response, body).await,
            Message::RequestTrailers(trailers) => self.trailers(Side::Request, trailers).await,
            Message::ResponseTrailers(trailers) => self.trailers(Side::Response, trailers).await,
        }
    }

    async fn response_head(&mut self, headers: HttpHeaders) -> Result<(), Lost> {
        let response = head::response(headers.headers, ());
        self.record.responded(response.status());
        let respond = lock(&self.shared.respond).take();
        if let Some(respond) = respond {
            let (parts, ()) = response.into_parts();
            let (sender, body) = if headers.end_of_stream {
                (None, EnvoyBody::empty())
            } else {
                let (sender, body) = EnvoyBody::channel(head::announced(&parts.headers));
                (Some(sender), body)
            };
            let received = Received {
                headers: parts.headers.clone(),
                has_body: sender.is_some(),
            };
            let mut response = Response::from_parts(parts, body);
            response.extensions_mut().insert(received);
            if respond.send(response).is_ok() {
                self.response = Lane::Layers(sender);
                return Ok(());
            }
        }
        // Nobody reads the response, or it is one of Envoy's own before the request was
        // handed over.
        let response = message::head(Side::Response, CommonResponse::default());
        self.outbound.send(response).await
    }

    async fn piece(&mut self, side: Side, body: HttpBody) -> Result<(), Lost> {
        let (lane, mode) = match side {
            Side::Request => (&mut self.request, self.modes.request),
            Side::Response => (&mut self.response, self.modes.response),
        };
        self.record.received(side, body.body.len());
        let is_last = body.end_of_stream || mode == Mode::Buffered;
        match lane {
            Lane::Layers(sender) => {
                let data = Bytes::from(body.body);
                if is_last && side == Side::Request {
                    self.record.body_complete();
                    if mode == Mode::Buffered {
                        *lock(&self.shared.buffered) = Some(data.clone());
                    }
                }
                let piece = if is_last { Piece::Last } else { Piece::Data };
                if let Some(sender) = sender {
                    // Fails if the layers have answered without reading the rest.
                    let _ = sender.send(piece(data)).await;
                }
                if is_last {
                    *sender = None;
                }
                Ok(())
            }
            Lane::Back if mode == Mode::Streamed => {
                let piece = message::piece(side, body.body, body.end_of_stream);
                self.outbound.send(piece).await
            }
            Lane::Back => {
                let unchanged = message::buffered_body(side, CommonResponse::default(), None);
                self.outbound.send(unchanged).await
            }
        }
    }

    async fn trailers(&mut self, side: Side, trailers: HttpTrailers) -> Result<(), Lost> {
        let (lane, mode) = match side {
            Side::Request => (&mut self.request, self.modes.request),
            Side::Response => (&mut self.response, self.modes.response),
        };
        if let Lane::Layers(sender) = lane
            && mode == Mode::Streamed
            && let Some(sender) = sender.take()
        {
            let trailers = head::trailers(trailers.trailers);
            let _ = self.shared.slot(side).set(trailers.clone());
            if side == Side::Request {
                self.record.body_complete();
            }
            let _ = sender.send(Piece::Trailers(trailers)).await;
            return Ok(());
        }
        self.outbound.send(message::trailers(side, None)).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
