//! An HTTP client wrapped in the layer. It sends two requests in OpenAI's format to
//! Moonshot, one of them for a stream.
//!
//! Run it with
//!
//! ```text
//! cargo run --example client
//! ```
//!
//! Without a key, it starts an emulator on a free port. To send requests to Moonshot, run
//! it with
//!
//! ```text
//! MOONSHOT_API_KEY=sk-… cargo run --example client
//! ```
//!
//! Without the layer, Moonshot rejects the first request:
//!
//! ```text
//! curl https://api.moonshot.ai/v1/chat/completions \
//!   -H "authorization: Bearer $MOONSHOT_API_KEY" -H 'content-type: application/json' \
//!   -d '{"model": "moonshot/kimi-k3", "temperature": 0.2, "messages": [
//!     {"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi!"}]}'
//! ```

use std::{
    env,
    io::{self, Write},
};

use axum::Router;
use bytes::Bytes;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};
use tower_moonshot::{
    MoonshotCompat, MoonshotCompatLayer, Region, Report, RequestBody, emulator::Emulator,
};

type Moonshot = MoonshotCompat<Client<HttpsConnector<HttpConnector>, RequestBody<Full<Bytes>>>>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // Reads the region from MOONSHOT_API_BASE and the key from MOONSHOT_API_KEY.
    let mut layer = MoonshotCompatLayer::from_env()?;
    if !is_set("MOONSHOT_API_KEY") && !is_set("MOONSHOT_API_BASE") {
        layer = layer.with_region(serve_emulator().await?);
    }

    let connector = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_all_versions()
        .build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    // The client is the innermost service. A service between the layer and the client,
    // such as a retry, sees the rewritten requests.
    let mut moonshot = ServiceBuilder::new().layer(layer).service(client);

    let request = json!({
        "model": "moonshot/kimi-k3",
        "temperature": 0.2,
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "Hi!"},
        ],
    });
    let response = ask(&mut moonshot, &request).await?;
    let answer = response.into_body().collect().await?.to_bytes();
    let answer: Value = serde_json::from_slice(&answer)?;
    println!("{}\n", text(&answer["choices"][0]["message"]));

    let request = json!({
        "model": "moonshot/kimi-k3",
        "stream": true,
        "top_p": 0.5,
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "Count "},
            {"type": "text", "text": "to ten."},
        ]}],
    });
    let response = ask(&mut moonshot, &request).await?;
    print_stream(response.into_body()).await?;
    Ok(())
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// Sends a request and prints what the layer changed.
async fn ask(moonshot: &mut Moonshot, body: &Value) -> Result<Response<Incoming>, BoxError> {
    // A path is enough: the layer adds scheme, host and key.
    let request = Request::post("/v1/chat/completions")
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_string()))?;
    let response = moonshot.ready().await?.call(request).await?;
    if let Some(report) = response.extensions().get::<Report>() {
        println!("[{report}]");
    }
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let error = response.into_body().collect().await?.to_bytes();
    Err(format!("{status}: {}", String::from_utf8_lossy(&error)).into())
}

/// Prints the answer as it arrives.
async fn print_stream(mut body: Incoming) -> Result<(), BoxError> {
    let mut unread = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        unread.extend_from_slice(&data);
        // A frame may hold several lines, or part of one.
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            let Some(event) = line.strip_prefix(b"data:").map(<[u8]>::trim_ascii) else {
                continue;
            };
            if event == b"[DONE]" {
                println!();
                return Ok(());
            }
            let event: Value = serde_json::from_slice(event)?;
            if let Some(error) = event.get("error") {
                return Err(error.to_string().into());
            }
            print!("{}", text(&event["choices"][0]["delta"]));
            io::stdout().flush()?;
        }
    }
    // Without [DONE], the answer may be incomplete.
    Err("the stream ended without [DONE]".into())
}

/// Returns the content of a message, without its reasoning.
fn text(message: &Value) -> &str {
    message["content"].as_str().unwrap_or_default()
}

/// Serves an emulator on a free port of the loopback interface.
async fn serve_emulator() -> Result<Region, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let region = Region::custom(&format!("http://{}/v1", listener.local_addr()?))?;
    let emulator = Router::new().fallback_service(Emulator::new());
    tokio::spawn(async move { axum::serve(listener, emulator).await });
    Ok(region)
}
