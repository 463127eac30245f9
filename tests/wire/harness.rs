//! Clients and upstreams at byte level. Tests control the order of events by reading and
//! writing. The timeout only prevents a failing test from hanging.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{Router, body::Body, error_handling::HandleError};
use bytes::{Buf, Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tower::{Layer, ServiceExt};
use tower_moonshot::{MoonshotCompatLayer, Region, RequestBody};

/// A chat request that needs no change, with unusual white space.
pub(crate) const CLEAN: &str =
    r#"{"model": "kimi-k3",  "messages": [{"role": "user", "content": "Hi"}]}"#;

/// A chat request that becomes shorter, and the result.
pub(crate) const SHRINKING: &str =
    r#"{"model":"moonshot/kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;
pub(crate) const SHRUNK: &str =
    r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;

/// A chat request that becomes longer, and the result.
pub(crate) const GROWING: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":""}]}"#;
pub(crate) const GROWN: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":" "}]}"#;

/// The response of an upstream that serves one request.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Waits for a future, with a timeout.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(10), future)
        .await
        .expect("timed out")
}

/// Polls once, and expects the future to be pending.
pub(crate) fn poll_once<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()))
}

/// One end of an HTTP/1.1 connection, at byte level.
pub(crate) struct Wire {
    stream: TcpStream,
    received: BytesMut,
}

impl Wire {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            received: BytesMut::new(),
        }
    }

    pub(crate) async fn connect(to: SocketAddr) -> Self {
        Self::new(in_time(TcpStream::connect(to)).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        in_time(self.stream.write_all(bytes.as_ref()))
            .await
            .unwrap();
    }

    /// Closes the sending direction.
    pub(crate) async fn finish(&mut self) {
        in_time(self.stream.shutdown()).await.unwrap();
    }

    /// Reads more bytes. Returns `false` at the end of the connection.
    async fn receive(&mut self) -> bool {
        in_time(self.stream.read_buf(&mut self.received))
            .await
            .unwrap()
            > 0
    }

    /// Reads the next `length` bytes.
    pub(crate) async fn take(&mut self, length: usize) -> Bytes {
        while self.received.len() < length {
            assert!(self.receive().await, "cut off at {:?}", self.received);
        }
        self.received.split_to(length).freeze()
    }

    /// Reads up to and including the next `end`.
    pub(crate) async fn take_through(&mut self, end: &[u8]) -> Bytes {
        loop {
            let found = self.received.windows(end.len()).position(|w| w == end);
            if let Some(position) = found {
                return self.received.split_to(position + end.len()).freeze();
            }
            assert!(self.receive().await, "cut off at {:?}", self.received);
        }
    }

    /// Reads the head of the next message.
    pub(crate) async fn head(&mut self) -> Head {
        let bytes = self.take_through(b"\r\n\r\n").await;
        let mut lines = std::str::from_utf8(&bytes).unwrap().split("\r\n");
        Head {
            start: lines.next().unwrap().to_owned(),
            fields: lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
        }
    }

    /// Reads the next message.
    pub(crate) async fn message(&mut self) -> Message {
        let head = self.head().await;
        let body = match (head.get("content-length"), head.get("transfer-encoding")) {
            (Some(length), None) => self.take(length.parse().unwrap()).await,
            (None, Some("chunked")) => self.chunks().await,
            (None, None) => Bytes::new(),
            both => panic!("conflicting framing: {both:?}"),
        };
        Message { head, body }
    }

    async fn chunks(&mut self) -> Bytes {
        let mut whole = BytesMut::new();
        loop {
            let size = self.take_through(b"\r\n").await;
            let size = std::str::from_utf8(&size).unwrap().trim_end();
            let size = usize::from_str_radix(size, 16).unwrap();
            let chunk = self.take(size + 2).await;
            if size == 0 {
                return whole.freeze();
            }
            whole.extend_from_slice(&chunk[..size]);
        }
    }
}

/// The first line and the headers of an HTTP/1.1 message.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) start: String,
    fields: Vec<(String, String)>,
}

impl Head {
    /// Returns the value of a header that must not be repeated.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(field, _)| field == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice in {self:?}");
        value
    }
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) head: Head,
    pub(crate) body: Bytes,
}

/// A server whose responses the test sends.
pub(crate) struct Upstream {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    pub(crate) fn region(&self) -> Region {
        Region::custom(&format!("http://{}/v1", self.address)).unwrap()
    }

    /// Returns a layer whose region is this server.
    pub(crate) fn layer(&self) -> MoonshotCompatLayer {
        MoonshotCompatLayer::new().with_region(self.region())
    }

    pub(crate) async fn accept(&self) -> Wire {
        Wire::new(in_time(self.listener.accept()).await.unwrap().0)
    }

    /// Reads one request and answers it.
    pub(crate) async fn serve_one(&self) -> Message {
        let mut wire = self.accept().await;
        let message = wire.message().await;
        wire.send(OK).await;
        message
    }
}

/// An axum server for HTTP/1.1 and HTTP/2, which is stopped on drop.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { address, task }
    }

    /// Starts a gateway with this layer.
    pub(crate) async fn gateway(layer: MoonshotCompatLayer) -> Self {
        Self::start(proxy(layer)).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The request body of a gateway's client.
pub(crate) type Outgoing = RequestBody<Body>;

/// Creates a gateway with this layer and an HTTP/1.1 client.
pub(crate) fn proxy(layer: MoonshotCompatLayer) -> Router {
    proxy_with(
        layer,
        Client::builder(TokioExecutor::new()).build_http::<Outgoing>(),
    )
}

/// Creates a gateway with this layer and client.
pub(crate) fn proxy_with(
    layer: MoonshotCompatLayer,
    client: Client<HttpConnector, Outgoing>,
) -> Router {
    let service = layer.layer(client);
    Router::new().fallback_service(HandleError::new(service, |error| async move {
        (StatusCode::BAD_GATEWAY, format!("{error:?}"))
    }))
}

/// Sends one HTTP/1.1 request through a gateway with this layer. Returns what the
/// upstream received.
pub(crate) async fn forwarded(
    layer: MoonshotCompatLayer,
    upstream: &Upstream,
    request: impl AsRef<[u8]>,
) -> Message {
    let gateway = Server::gateway(layer).await;
    let mut client = Wire::connect(gateway.address).await;
    client.send(request).await;
    let message = upstream.serve_one().await;
    let answer = client.message().await;
    assert_eq!(answer.head.start, "HTTP/1.1 200 OK");
    assert_eq!(answer.body, "ok");
    message
}

/// Formats a chat request for HTTP/1.1. `lines` are header lines that end in CRLF.
pub(crate) fn chat(lines: &str, body: &str) -> String {
    format!("POST /v1/chat/completions HTTP/1.1\r\nhost: gateway.example\r\n{lines}\r\n{body}")
}

/// Formats a chat request for HTTP/1.1 with a `Content-Length`.
pub(crate) fn chat_of(body: &str) -> String {
    chat(&format!("content-length: {}\r\n", body.len()), body)
}

/// Sends one request through this layer, without a socket. Returns what the inner service
/// received, and the extensions of the response.
pub(crate) async fn arrived<B>(
    layer: &MoonshotCompatLayer,
    request: Request<B>,
) -> (Request<Bytes>, http::Extensions)
where
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let inner = tower::service_fn(|request: Request<RequestBody<B>>| async {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let arrived = Request::from_parts(parts, body);
        Ok::<_, Infallible>(Response::new(arrived))
    });
    let (parts, arrived) = in_time(layer.layer(inner).oneshot(request))
        .await
        .unwrap()
        .into_parts();
    (arrived, parts.extensions)
}

/// A body that yields its text byte by byte.
pub(crate) fn trickle(
    text: &'static str,
) -> impl http_body::Body<Data = Bytes, Error = Infallible> {
    let mut rest = Bytes::from_static(text.as_bytes());
    http_body_util::StreamBody::new(futures_util::stream::poll_fn(move |_| {
        let byte = (!rest.is_empty()).then(|| rest.copy_to_bytes(1));
        Poll::Ready(byte.map(|byte| Ok(http_body::Frame::data(byte))))
    }))
}
