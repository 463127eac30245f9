//! Where requests go.

use std::{
    convert::Infallible,
    error,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    http::{
        Request, StatusCode, Uri,
        header::{AUTHORIZATION, EXPECT},
    },
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
    answer::{self, Failure},
    chat,
    error::Error,
    trail::Trail,
};

/// For how long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(90);

type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// How long to wait for an upstream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// From the name of the host to the end of the TLS handshake.
    pub(crate) connect: Duration,
    /// Until the head of the answer is there. How long a body then takes is not
    /// limited: it may be a stream.
    pub(crate) first_byte: Duration,
}

/// Moonshot, or an emulator of it: the innermost service. Dropping its future, as
/// the server does when the client is gone, closes the connection.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    kind: Kind,
    first_byte_timeout: Duration,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Shared: a clone of a client clones its connector, TLS and all, and every
    /// service around this one clones it for every request.
    Network(Arc<Client<Connector, Body>>),
    Emulator(Emulator),
}

impl Upstream {
    /// The host that the layer put into the request.
    pub(crate) fn network(timeouts: Timeouts) -> Self {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_keepalive(Some(IDLE));
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            // One connection a request. Over HTTP/2 the client opens a single
            // one for all, and what exceeds the server's limit of streams would
            // wait in line.
            .enable_http1()
            .wrap_connector(http);
        // Around both: the connector's own timeout ends with the TCP handshake.
        let connector = ServiceBuilder::new()
            .timeout(timeouts.connect)
            .service(https);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(BoxCloneSyncService::new(connector));
        Self {
            kind: Kind::Network(Arc::new(client)),
            first_byte_timeout: timeouts.first_byte,
        }
    }

    /// An emulator in this process.
    pub(crate) const fn emulator(emulator: Emulator, timeouts: Timeouts) -> Self {
        Self {
            kind: Kind::Emulator(emulator),
            first_byte_timeout: timeouts.first_byte,
        }
    }

    async fn send(self, mut request: Request<Body>) -> Result<Response, Error> {
        if let Some(error) = refusal(&request) {
            return Err(error);
        }
        // This server has answered it already, or will when the body is read.
        request.headers_mut().remove(EXPECT);
        let trail = Trail::of(&request);
        let key = request.headers().get(AUTHORIZATION).cloned();
        let host = request.uri().authority().map(ToString::to_string);
        let host = host.unwrap_or_default();
        let answer = async {
            match self.kind {
                Kind::Network(client) => {
                    let answer = client.request(request).await;
                    let answer = answer.map_err(|error| failure(&host, &error))?;
                    Ok(answer::prepare(answer, &host, key.as_ref()).await)
                }
                Kind::Emulator(emulator) => {
                    let Ok::<_, Infallible>(answer) = emulator.oneshot(request).await;
                    Ok(answer::prepare(answer, &host, key.as_ref()).await)
                }
            }
        };
        let started = time::Instant::now();
        let answer = match time::timeout(self.first_byte_timeout, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::upstream(
                StatusCode::GATEWAY_TIMEOUT,
                "upstream_timeout",
                Failure::Timeout,
                format!("{host} did not answer within {:?}", self.first_byte_timeout),
            )),
        };
        trail.answered(started.elapsed());
        answer
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

/// Why a request isn't sent.
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
    if causes.iter().any(|cause| cause.is::<Elapsed>()) {
        return Error::upstream(
            StatusCode::GATEWAY_TIMEOUT,
            "upstream_timeout",
            Failure::ConnectTimeout,
            format!("connecting to {host} took too long"),
        );
    }
    let (what, failure) = if error.is_connect() {
        ("could not connect to", Failure::Connect)
    } else {
        ("no answer from", Failure::Reset)
    };
    let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_unreachable",
        failure,
        format!("{what} {host}: {}", causes.join(": ")),
    )
}
