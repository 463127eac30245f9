//! Where requests go.

use std::{error, time::Duration};

use axum::{
    body::Body,
    http::{
        Method, Request, StatusCode, Uri,
        header::{CONTENT_TYPE, EXPECT},
    },
    response::Response,
};
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{self, Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::{net::TcpStream, time};
use tower::{
    BoxError, ServiceBuilder, ServiceExt, timeout::error::Elapsed, util::BoxCloneSyncService,
};
use tower_moonshot::{CompatBody, Report, Skipped, emulator::Emulator};

use crate::{app::Config, error::Error};

/// How long a caller may go on sending a body that was refused.
const LINGER: Duration = Duration::from_secs(2);

type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// Moonshot, or an emulator of it.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    kind: Kind,
    first_byte_timeout: Duration,
}

#[derive(Clone, Debug)]
enum Kind {
    Network(Box<Client<Connector, CompatBody<Body>>>),
    Emulator(Emulator),
}

impl Upstream {
    /// The host that the layer put into the request.
    pub(crate) fn network(config: &Config) -> Self {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(http);
        // Around both: the connector's own timeout ends with the TCP handshake.
        let connector = ServiceBuilder::new()
            .timeout(config.connect_timeout)
            .service(https);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(BoxCloneSyncService::new(connector));
        Self {
            kind: Kind::Network(Box::new(client)),
            first_byte_timeout: config.first_byte_timeout,
        }
    }

    /// An emulator in this process.
    pub(crate) fn emulator(config: &Config) -> Self {
        Self {
            kind: Kind::Emulator(Emulator::new()),
            first_byte_timeout: config.first_byte_timeout,
        }
    }

    /// Sends a request that went through the layer. Dropping the future, as the
    /// server does when the caller is gone, cancels it.
    pub(crate) async fn send(
        &self,
        mut request: Request<CompatBody<Body>>,
    ) -> Result<Response, Error> {
        if let Some(error) = refusal(&request) {
            linger(request).await;
            return Err(error);
        }
        // This server has answered it already, or will when the body is read.
        request.headers_mut().remove(EXPECT);

        let host = request.uri().authority().map(ToString::to_string);
        let host = host.unwrap_or_default();
        let answer = async {
            match &self.kind {
                Kind::Network(client) => client
                    .request(request)
                    .await
                    .map(|response| response.map(Body::new))
                    .map_err(|error| failure(&host, &error)),
                Kind::Emulator(emulator) => {
                    let Ok(response) = emulator.clone().oneshot(request).await;
                    Ok(response.map(Body::new))
                }
            }
        };
        match time::timeout(self.first_byte_timeout, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::upstream(
                StatusCode::GATEWAY_TIMEOUT,
                "upstream_timeout",
                format!("{host} did not answer within {:?}", self.first_byte_timeout),
            )),
        }
    }
}

/// Why a request isn't sent. Where the layer didn't judge a body, the report in
/// the extensions says why.
fn refusal(request: &Request<CompatBody<Body>>) -> Option<Error> {
    let bad_request = |code, message| Some(Error::request(StatusCode::BAD_REQUEST, code, message));
    if request.method() == Method::CONNECT || request.uri().authority().is_none() {
        let message = "only paths under this gateway can be asked for".to_owned();
        return bad_request("invalid_target", message);
    }
    match request.extensions().get::<Report>()?.skipped()? {
        Skipped::InvalidJson(invalid) => {
            bad_request("invalid_json", format!("the request body is {invalid}"))
        }
        Skipped::NotAChatRequest if is_chat(request) && !has_json(request) => bad_request(
            "invalid_content_type",
            "a chat request is JSON: send the header \"content-type: application/json\"".to_owned(),
        ),
        Skipped::TooLarge { limit } => Some(Error::request(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_too_large",
            format!("the request body is longer than {limit} bytes"),
        )),
        // What there is of it must not be taken for the whole.
        Skipped::ReadError => bad_request(
            "unreadable_body",
            "the request body ended before its end".to_owned(),
        ),
        _ => None,
    }
}

fn is_chat(request: &Request<CompatBody<Body>>) -> bool {
    request.method() == Method::POST && request.uri().path().ends_with("/chat/completions")
}

/// Whether the content type is one that the layer reads.
fn has_json(request: &Request<CompatBody<Body>>) -> bool {
    let Some(value) = request.headers().get(CONTENT_TYPE) else {
        return true;
    };
    let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}

/// Reads on for a while: a caller that is still sending when the connection is
/// closed may never see the answer.
async fn linger(request: Request<CompatBody<Body>>) {
    // This one waits for a word before it sends. It will get the answer instead.
    if request.headers().contains_key(EXPECT) {
        return;
    }
    let mut body = request.into_body();
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    // Whether that was the end or just enough makes no difference.
    let _ = time::timeout(LINGER, rest).await;
}

fn failure(host: &str, error: &legacy::Error) -> Error {
    let causes: Vec<&(dyn error::Error + 'static)> =
        std::iter::successors(error::Error::source(error), |cause| cause.source()).collect();
    if causes.iter().any(|cause| cause.is::<Elapsed>()) {
        return Error::upstream(
            StatusCode::GATEWAY_TIMEOUT,
            "upstream_timeout",
            format!("connecting to {host} took too long"),
        );
    }
    let what = if error.is_connect() {
        "could not connect to"
    } else {
        "no answer from"
    };
    let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
    Error::upstream(
        StatusCode::BAD_GATEWAY,
        "upstream_unreachable",
        format!("{what} {host}: {}", causes.join(": ")),
    )
}
