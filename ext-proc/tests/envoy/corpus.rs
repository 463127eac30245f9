//! One corpus through the layer, the gateway, and Envoy in both modes: the same bytes and
//! headers arrive upstream.

use std::{collections::BTreeMap, convert::Infallible, io::Read, net::SocketAddr, path::Path};

use axum::{
    body::Bytes,
    http::{
        HeaderMap, HeaderName, Request, Response,
        header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING},
        request::Parts,
    },
};
use http_body_util::{BodyExt, Full};
use reqwest::Client;
use serde_json::value::RawValue;
use tower::{Layer, Service, service_fn};
use tower_moonshot::{ApiKey, MoonshotCompatLayer, Region, RequestBody};

use crate::{
    CLIENT_KEY, KEY,
    configuration::{buffered, example},
    envoy, in_time,
    process::{Envoy, ExtProc, Gateway},
    upstream::{Arrived, Upstream},
};

#[path = "../../../benches/bodies/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "a bench needs the rest")]
mod bodies;

/// The recorded requests, those of the benches, and one with 20 MB of images.
fn corpus() -> Vec<(String, Bytes)> {
    let mut corpus = Vec::new();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance");
    for file in ["accepts.jsonl", "reports.jsonl", "litellm-1.106.2.jsonl"] {
        let text = std::fs::read_to_string(directory.join(file)).unwrap();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            // As it is in the file, white space included.
            let case: BTreeMap<String, &RawValue> = serde_json::from_str(line).unwrap();
            let name = format!("{file}: {}", case["name"]);
            if let Some(request) = case.get("request") {
                corpus.push((name, Bytes::copy_from_slice(request.get().as_bytes())));
            } else if let Some(request) = case.get("request_raw") {
                let request: String = serde_json::from_str(request.get()).unwrap();
                corpus.push((name, request.into()));
            }
        }
    }
    assert!(corpus.len() > 100, "{}", corpus.len());
    for kind in bodies::KINDS {
        for edited in [false, true] {
            let body = kind.bodies(edited).swap_remove(0);
            corpus.push((format!("{}, edited: {edited}", kind.what), body));
        }
    }
    let mut schemas = String::new();
    let file = std::fs::File::open(directory.join("mfjs-mutated.jsonl.gz")).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut schemas)
        .unwrap();
    for (number, line) in schemas.lines().enumerate().step_by(500) {
        let case: BTreeMap<String, &RawValue> = serde_json::from_str(line).unwrap();
        let Some(schema) = case.get("schema") else {
            continue;
        };
        let tool = format!(
            r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":"Hi"}}],"tools":[{{"type":"function","function":{{"name":"f","parameters":{}}}}}]}}"#,
            schema.get()
        );
        corpus.push((format!("mutated schema {number}"), tool.into()));
    }
    let image = "A".repeat(20_000_000);
    let image = format!(
        r#"{{"model":"kimi-k3","temperature":2,"messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{image}"}}}}]}}]}}"#
    );
    corpus.push(("20 MB of images".to_owned(), image.into()));
    corpus
}

/// What the layer sends, for this upstream.
async fn by_layer(body: &Bytes, upstream: &Upstream) -> Arrived {
    let inner = service_fn(async |request: Request<RequestBody<Full<Bytes>>>| {
        let mut response = Response::new(());
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        response.extensions_mut().insert(Handed(parts, body));
        Ok::<_, Infallible>(response)
    });
    let region: Region = format!("http://{}/v1", upstream.address).parse().unwrap();
    let layer = MoonshotCompatLayer::new()
        .with_region(region)
        .with_api_key(ApiKey::new(KEY).unwrap());
    let request = Request::post("/v1/chat/completions?a=b")
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_LENGTH, body.len())
        .header(AUTHORIZATION, format!("Bearer {CLIENT_KEY}"))
        .body(Full::new(body.clone()))
        .unwrap();
    let mut response = layer.layer(inner).call(request).await.unwrap();
    let Handed(parts, body) = response.extensions_mut().remove().unwrap();
    Arrived { parts, body }
}

#[derive(Clone)]
struct Handed(Parts, Bytes);

async fn by_http(
    client: &Client,
    address: SocketAddr,
    body: &Bytes,
    upstream: &Upstream,
) -> Option<Arrived> {
    let request = client
        .post(format!("http://{address}/v1/chat/completions?a=b"))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {CLIENT_KEY}"))
        .body(body.clone());
    let response = in_time(request.send()).await.unwrap();
    let status = response.status();
    let mut arrived = upstream.take();
    if status != 200 {
        assert!(arrived.is_empty());
        return None;
    }
    assert_eq!(arrived.len(), 1);
    arrived.pop()
}

/// Compares what arrived with what the layer sends.
fn compare(name: &str, way: &str, arrived: &Arrived, expected: &Arrived, framing: Framing) {
    assert!(
        arrived.body == expected.body,
        "{way}, {name}: {} bytes instead of {}",
        arrived.body.len(),
        expected.body.len()
    );
    let (parts, layer) = (&arrived.parts, &expected.parts);
    assert_eq!(parts.method, layer.method, "{way}, {name}");
    assert_eq!(
        parts.uri.path_and_query(),
        layer.uri.path_and_query(),
        "{way}, {name}"
    );
    let of = |headers: &HeaderMap, header: HeaderName| headers.get(header).cloned();
    for header in [AUTHORIZATION, CONTENT_TYPE] {
        let (is, should_be) = (
            of(&parts.headers, header.clone()),
            of(&layer.headers, header),
        );
        assert_eq!(is, should_be, "{way}, {name}");
    }
    let host = layer.uri.authority().unwrap().as_str();
    assert_eq!(parts.headers[HOST], host, "{way}, {name}");
    let length = of(&parts.headers, CONTENT_LENGTH);
    match framing {
        Framing::Length => assert_eq!(length, of(&layer.headers, CONTENT_LENGTH), "{way}, {name}"),
        Framing::Chunks => {
            assert!(length.is_none(), "{way}, {name}");
            assert_eq!(parts.headers[TRANSFER_ENCODING], "chunked", "{way}, {name}");
        }
    }
}

#[derive(Clone, Copy)]
enum Framing {
    Length,
    Chunks,
}

#[tokio::test]
async fn the_same_arrives_by_the_layer_the_gateway_and_envoy() {
    let Some(program) = envoy() else { return };
    let upstream = Upstream::start().await;
    let quiet = ["--no-reasoning-memory", "--no-response-repairs"];
    let gateway = Gateway::start(upstream.address, &quiet).await;
    let arguments = ["--no-reasoning-memory", "--clear-route-cache"];
    let processor = ExtProc::start(upstream.address, &arguments).await;
    let text = example(&[processor.address], upstream.address);
    let streamed = Envoy::start(&program, &text).await;
    let whole = Envoy::start(&program, &buffered(&text)).await;
    let client = Client::new();
    let mut refused = 0;
    for (name, body) in corpus() {
        let expected = by_layer(&body, &upstream).await;
        match by_http(&client, gateway.address, &body, &upstream).await {
            Some(arrived) => compare(&name, "gateway", &arrived, &expected, Framing::Length),
            // It has no model.
            None => refused += 1,
        }
        let arrived = by_http(&client, streamed.address, &body, &upstream)
            .await
            .unwrap();
        compare(
            &name,
            "Envoy, streamed",
            &arrived,
            &expected,
            Framing::Chunks,
        );
        let arrived = by_http(&client, whole.address, &body, &upstream)
            .await
            .unwrap();
        compare(
            &name,
            "Envoy, buffered",
            &arrived,
            &expected,
            Framing::Length,
        );
    }
    assert!(refused < 5, "{refused}");
}
