//! Sends requests to Moonshot or to the emulator.

use std::{
    convert::Infallible,
    error,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    http::{Request, StatusCode, Uri, header::AUTHORIZATION},
    response::Response,
};
use futures_util::future::BoxFuture;
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{self, Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::{net::TcpStream, time};
use tower::{
    BoxError, Service, ServiceBuilder, ServiceExt, timeout::error::Elapsed,
    util::BoxCloneSyncService,
};
use tower_moonshot::{Report, Skipped, emulator::Emulator};

use super::{
    chat,
    error::Error,
    explain::Explain,
    failure::Failure,
    forwarded::ForwardedHeaders,
    response::{self, SearchBody},
    trail::Trail,
};

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(90);

type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// Time limits for an upstream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// For connecting: DNS, TCP and TLS.
    pub(crate) connect: Duration,
    /// Until the head of the response has arrived. The body has no time limit, because
    /// it may be a stream.
    pub(crate) first_byte: Duration,
}

/// The innermost service: Moonshot, or an emulator of it. The server drops its future
/// when the client disconnects, which closes the connection to the upstream.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    kind: Kind,
    forwarded: ForwardedHeaders,
    explain: Explain,
    first_byte_timeout: Duration,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Shared, because cloning a client clones its connector and TLS settings, and the
    /// services around this one are cloned for each request.
    Network(Arc<Client<Connector, Body>>),
    Emulator(Emulator),
}

impl Upstream {
    /// Sends requests to the host that the layer has put into their URL.
    pub(crate) fn network(
        timeouts: Timeouts,
        forwarded: ForwardedHeaders,
        explain: Explain,
    ) -> Self {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_keepalive(Some(IDLE));
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            // Over HTTP/2 the client opens a single connection, where requests
            // above the server's limit of concurrent streams would wait.
            .enable_http1()
            .wrap_connector(http);
        // Covers TLS too; the connector's own timeout ends with the TCP handshake.
        let connector = ServiceBuilder::new()
            .timeout(timeouts.connect)
            .service(https);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(BoxCloneSyncService::new(connector));
        Self {
            kind: Kind::Network(Arc::new(client)),
            forwarded,
            explain,
            first_byte_timeout: timeouts.first_byte,
        }
    }

    /// Answers requests by an emulator in this process.
    pub(crate) const fn emulator(
        emulator: Emulator,
        timeouts: Timeouts,
        forwarded: ForwardedHeaders,
        explain: Explain,
    ) -> Self {
        Self {
            kind: Kind::Emulator(emulator),
            forwarded,
            explain,
            first_byte_timeout: timeouts.first_byte,
        }
    }

    pub(crate) const fn is_emulator(&self) -> bool {
        matches!(self.kind, Kind::Emulator(_))
    }

    async fn send(self, mut request: Request<Body>) -> Result<Response, Error> {
        if let Some(error) = refusal(&request) {
            return Err(error);
        }
        // `Expect` is not forwarded: hyper's server sends `100 Continue` itself when the
        // body is read.
        self.forwarded.retain(request.headers_mut());
        let trail = Trail::of(&request);
        let key = request.headers().get(AUTHORIZATION).cloned();
        let search = request.extensions().get::<SearchBody>().copied();
        let host = request.uri().authority().map(ToString::to_string);
        let host = host.unwrap_or_default();
        // Only chat requests have a report.
        let is_chat = request.extensions().get::<Report>().is_some();
        let (request, sent) = if is_chat {
            let (parts, body) = request.into_parts();
            let (body, sent) = self.explain.keep(body);
            (Request::from_parts(parts, body), Some(sent))
        } else {
            (request, None)
        };
        let is_here = self.is_emulator();
        let response = async {
            let response = match self.kind {
                Kind::Network(client) => {
                    let response = client.request(request).await;
                    let response = response.map_err(|error| failure(&host, &error))?;
                    response::prepare(response, &host, key.as_ref(), search).await
                }
                Kind::Emulator(emulator) => {
                    let Ok::<_, Infallible>(response) = emulator.oneshot(request).await;
                    response::prepare(response, &host, key.as_ref(), search).await
                }
            };
            Ok(response)
        };
        let started = time::Instant::now();
        let response = match time::timeout(self.first_byte_timeout, response).await {
            Ok(response) => response,
            Err(_) => Err(Error::upstream(
                StatusCode::GATEWAY_TIMEOUT,
                "upstream_timeout",
                Failure::Timeout,
                format!(
                    "{host} did not respond within {:?}",
                    self.first_byte_timeout
                ),
            )),
        };
        trail.responded(started.elapsed());
        match sent {
            Some(sent) => Ok(self.explain.examine(response?, sent, is_here).await),
            None => response,
        }
    }
}

impl<B> Service<Request<B>> for Upstream
where
    B: HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.clone().send(request.map(Body::new)))
    }
}

/// Refuses a request whose body the layer found not to be JSON.
fn refusal(request: &Request<Body>) -> Option<Error> {
    let report = request.extensions().get::<Report>()?;
    if let Some(Skipped::InvalidJson(invalid)) = report.skipped() {
        let message = format!("the request body is {invalid}");
        return Some(Error::request(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            message,
        ));
    }
    None
}

fn failure(host: &str, error: &legacy::Error) -> Error {
    if chat::is_timeout(error) {
        return chat::too_slow();
    }
    let causes: Vec<&(dyn error::Error + 'static)> =
        std::iter::successors(error::Error::source(error), |cause| cause.source()).collect();
    // Errors of the client's body have this type, and those of the connection to the
    // upstream never do.
    if causes.iter().any(|cause| cause.is::<axum::Error>()) {
        return Error::request(
            StatusCode::BAD_REQUEST,
            "unreadable_body",
            "the request body is incomplete, or its chunks are malformed",
        );
    }
    if causes.iter().any(|cause| cause.is::<Elapsed>()) {
        return Error::upstream(
            StatusCode::GATEWAY_TIMEOUT,
            "upstream_timeout",
            Failure::ConnectTimeout,
            format!("could not connect to {host} in time"),
        );
    }
    let (what, failure) = if error.is_connect() {
        ("could not connect to", Failure::Connect)
    } else {
        ("no valid response from", Failure::Reset)
    };
    let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_unreachable",
        failure,
        format!("{what} {host}: {}", causes.join(": ")),
    )
}
