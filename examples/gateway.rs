//! A small gateway: an axum server, the layer, and an HTTPS client. Through it,
//! clients that speak OpenAI's chat completions can talk to Moonshot.
//!
//! Run it, and try the command that it prints:
//!
//! ```text
//! cargo run --example gateway
//! MOONSHOT_API_KEY=sk-… cargo run --example gateway    # asks Moonshot itself
//! ```
//!
//! README.md shows this program without the emulator. The package `moonshot-gateway`
//! is a complete gateway with authentication, limits, retries and metrics.

use std::time::Duration;

use axum::{
    BoxError, Json, Router,
    body::Body,
    error_handling::HandleErrorLayer,
    http::{Request, Response, StatusCode},
    response::IntoResponse,
    serve::ListenerExt,
};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::json;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, timeout::error::Elapsed};
use tower_moonshot::{MoonshotCompatLayer, Report};

/// A request that Moonshot refuses unless it is rewritten.
const CURL: &str = r#"curl http://127.0.0.1:4000/v1/chat/completions \
  -H 'content-type: application/json' -d '{"model": "moonshot/kimi-k3",
  "temperature": 2, "messages": [{"role": "user", "content": "Hi!"}]}'"#;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // Reads MOONSHOT_API_KEY and MOONSHOT_API_BASE. Without a key, clients send theirs.
    let layer = MoonshotCompatLayer::from_env()?;
    let layer = or_emulator(layer).await?;

    let listener = TcpListener::bind("127.0.0.1:4000").await?;
    // Sends each event of a stream at once.
    let listener = listener.tap_io(|connection| _ = connection.set_nodelay(true));
    println!("{CURL}");
    axum::serve(listener, app(layer)).await?;
    Ok(())
}

/// The stack of layers, from the outside in.
pub(crate) fn app(layer: MoonshotCompatLayer) -> Router {
    let https = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Body>(https);

    let service = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(respond_to_error))
        // Ends when the response begins, so that it doesn't cut off streams.
        .timeout(Duration::from_secs(600))
        .map_response(|response: Response<_>| {
            if let Some(report) = response.extensions().get::<Report>() {
                println!("{}: {report}", response.status());
            }
            response
        })
        .layer(layer)
        // The client takes one type of body.
        .map_request(|request: Request<_>| request.map(Body::new))
        .service(client);
    Router::new().fallback_service(service)
}

/// Turns a failure to get a response into an error in OpenAI's form.
async fn respond_to_error(error: BoxError) -> impl IntoResponse {
    let status = match error.is::<Elapsed>() {
        true => StatusCode::GATEWAY_TIMEOUT,
        false => StatusCode::BAD_GATEWAY,
    };
    let (mut message, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        message += &format!(": {error}");
        cause = error.source();
    }
    let error = json!({"message": message, "type": "upstream_error"});
    (status, Json(json!({"error": error})))
}

/// Sends requests to an emulator of Moonshot if the environment sets no upstream.
async fn or_emulator(layer: MoonshotCompatLayer) -> Result<MoonshotCompatLayer, BoxError> {
    use tower_moonshot::{Region, emulator::Emulator};

    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("MOONSHOT_API_KEY") || is_set("MOONSHOT_API_BASE") {
        return Ok(layer);
    }
    println!("MOONSHOT_API_KEY is not set, so an emulator of Moonshot responds. Try:\n");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let region = Region::custom(&format!("http://{}/v1", listener.local_addr()?))?;
    let emulator = Router::new().fallback_service(Emulator::new());
    tokio::spawn(async move { axum::serve(listener, emulator).await });
    Ok(layer.with_region(region))
}
