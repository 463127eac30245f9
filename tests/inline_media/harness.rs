//! Servers with fixed responses, and a request through the layer.

use std::{
    convert::Infallible,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use tower_moonshot::{
    RequestBody,
    inline_media::{InlineMediaLayer, Inlined, Media, MediaReport, NotInlined},
};

pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06";
pub(crate) const PNG_URL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAY=";

/// Waits for a future, with a timeout.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(10), future)
        .await
        .expect("timed out")
}

/// Formats a response with a body and its length.
pub(crate) fn ok(content_type: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        content.len()
    );
    [head.as_bytes(), content].concat()
}

pub(crate) fn redirect(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} See\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into()
}

/// A server on loopback that records its requests.
pub(crate) struct Origin {
    pub(crate) port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    // Dropping it stops the server.
    _tasks: JoinSet<()>,
}

impl Origin {
    /// Starts a server. `answer` serves each connection and gets the path.
    pub(crate) async fn serve<A, F>(answer: A) -> Self
    where
        A: Fn(String, TcpStream) -> F + Clone + Send + 'static,
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        Self::serve_at("127.0.0.1:0", answer).await
    }

    pub(crate) async fn serve_at<A, F>(address: &str, answer: A) -> Self
    where
        A: Fn(String, TcpStream) -> F + Clone + Send + 'static,
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let heads = Arc::clone(&heads);
            async move {
                let mut connections = JoinSet::new();
                while let Ok((mut stream, _)) = listener.accept().await {
                    let (answer, heads) = (answer.clone(), Arc::clone(&heads));
                    connections.spawn(async move {
                        let mut head = Vec::new();
                        while !head.ends_with(b"\r\n\r\n") {
                            match stream.read_u8().await {
                                Ok(byte) => head.push(byte),
                                Err(_) => break,
                            }
                        }
                        let head = String::from_utf8_lossy(&head).into_owned();
                        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                        heads.lock().unwrap().push(head);
                        // The client may close the connection before the end.
                        let _ = answer(path, stream).await;
                    });
                }
            }
        });
        Self {
            port,
            heads,
            _tasks: tasks,
        }
    }

    /// Starts a server that responds to a path with what `answer` returns, and closes the
    /// connection.
    pub(crate) async fn start(
        answer: impl Fn(&str) -> Vec<u8> + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::serve(move |path, mut stream| {
            let answer = answer(&path);
            async move { stream.write_all(&answer).await }
        })
        .await
    }

    /// Starts a server with an image at every path.
    pub(crate) async fn of_images() -> Self {
        Self::start(|_| ok("image/png", PNG)).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Returns the heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Returns the paths of all requests so far.
    pub(crate) fn paths(&self) -> Vec<String> {
        let path = |head: String| head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.heads().into_iter().map(path).collect()
    }
}

/// A layer that is allowed to fetch from loopback.
pub(crate) fn layer() -> InlineMediaLayer {
    InlineMediaLayer::new()
        .with_allowed_network("127.0.0.0/8")
        .unwrap()
}

pub(crate) fn image(url: &str) -> Value {
    json!({"type": "image_url", "image_url": {"url": url}})
}

pub(crate) fn video(url: &str) -> Value {
    json!({"type": "video_url", "video_url": {"url": url}})
}

/// Creates a chat request with these parts.
pub(crate) fn chat(parts: impl IntoIterator<Item = Value>) -> String {
    let parts: Vec<Value> = parts.into_iter().collect();
    json!({"model": "kimi-k3", "messages": [{"role": "user", "content": parts}]}).to_string()
}

/// What the inner service received, and the report.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) report: Option<MediaReport>,
}

impl Passed {
    pub(crate) fn media(&self) -> &[Media] {
        self.report.as_ref().map_or(&[], MediaReport::media)
    }

    /// Returns the only outcome.
    pub(crate) fn outcome(&self) -> Result<Inlined, NotInlined> {
        let [media] = self.media() else {
            panic!("expected one outcome: {:?}", self.media());
        };
        media.outcome().copied().map_err(Clone::clone)
    }

    /// Returns the URLs of the parts of the only message.
    pub(crate) fn urls(&self) -> Vec<String> {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        let parts = body["messages"][0]["content"].as_array().unwrap();
        let url = |part: &Value| {
            part[part["type"].as_str().unwrap()]["url"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        parts.iter().map(url).collect()
    }
}

/// Sends a body through the layer.
pub(crate) async fn send<C, D>(layer: &InlineMediaLayer<C>, body: impl Into<Bytes>) -> Passed
where
    C: Service<Request<Empty<Bytes>>, Response = Response<D>> + Clone,
    C::Error: Into<BoxError>,
    D: http_body::Body<Data = Bytes>,
    D::Error: Into<BoxError>,
{
    let request = Request::post("/v1/chat/completions")
        .header("authorization", "Bearer sk-secret")
        .header("cookie", "secret")
        .body(Full::new(body.into()))
        .unwrap();
    send_request(layer, request).await
}

pub(crate) async fn send_request<C, D>(
    layer: &InlineMediaLayer<C>,
    request: Request<Full<Bytes>>,
) -> Passed
where
    C: Service<Request<Empty<Bytes>>, Response = Response<D>> + Clone,
    C::Error: Into<BoxError>,
    D: http_body::Body<Data = Bytes>,
    D::Error: Into<BoxError>,
{
    let inner = service_fn(async |request: Request<RequestBody<Full<Bytes>>>| {
        let (parts, body) = request.into_parts();
        let announced = http_body::Body::size_hint(&body).exact();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(announced, Some(body.len() as u64));
        let passed = Passed {
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            report: parts.extensions.get().cloned(),
        };
        Ok::<_, Infallible>(Response::new(Mutex::new(Some(passed))))
    });
    let response = in_time(layer.layer(inner).oneshot(request)).await.unwrap();
    let told = response
        .extensions()
        .get::<MediaReport>()
        .map(MediaReport::to_string);
    let passed = response.into_body().into_inner().unwrap().unwrap();
    // Inner and outer services see the same report.
    assert_eq!(told, passed.report.as_ref().map(MediaReport::to_string));
    passed
}
