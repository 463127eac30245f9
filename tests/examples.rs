//! The examples `gateway` and `stack`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
#[path = "../examples/gateway.rs"]
mod gateway;

#[allow(dead_code)]
#[path = "../examples/stack.rs"]
mod stack;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
};
use futures_util::stream;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tower::ServiceExt;
use tower_moonshot::{
    MoonshotCompatLayer, Region,
    emulator::{Emulator, Failure},
};

/// `{"model":"kimi-k3","temperature":2,"messages":[{"role":"user","content":"Hi"}]}`
const COMPRESSED: &[u8] = include_bytes!("examples/chat.json.gz");

/// 12 000 000 spaces.
const BOMB: &[u8] = include_bytes!("examples/spaces.gz");

/// Asks the gateway, whose upstream is at this address.
async fn ask_gateway(upstream: SocketAddr) -> (u16, Value) {
    let region = Region::custom(&format!("http://{upstream}/v1")).unwrap();
    let app = gateway::app(MoonshotCompatLayer::new().with_region(region));
    let body = r#"{"model":"moonshot/kimi-k3","temperature":2,
        "messages":[{"role":"user","content":"Hi"}]}"#;
    let request = Request::post("/v1/chat/completions").body(Body::from(body));
    ask(&app, request.unwrap()).await
}

#[tokio::test]
async fn the_gateway_rewrites_a_request_and_forwards_the_response() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    let emulator = Router::new().fallback_service(Emulator::new());
    tokio::spawn(async { axum::serve(listener, emulator).await });
    let (status, answer) = ask_gateway(upstream).await;
    assert_eq!(status, 200, "{answer}");
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["content"], "You said: Hi");
}

#[tokio::test]
async fn the_gateway_responds_with_json_if_the_upstream_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    drop(listener);
    let (status, answer) = ask_gateway(upstream).await;
    assert_eq!(status, 502);
    assert_eq!(answer["error"]["type"], "upstream_error");
    let message = answer["error"]["message"].to_string();
    assert!(message.contains("Connection refused"), "{message}");
}

fn stack(moonshot: Emulator) -> Router {
    stack::app(MoonshotCompatLayer::new(), moonshot).unwrap()
}

fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/v1/chat/completions")
        .header("authorization", "Bearer open-sesame")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(body.into())
        .unwrap()
}

async fn ask(stack: &Router, request: Request<Body>) -> (u16, Value) {
    let response: Response<Body> = stack.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn a_compressed_request_is_rewritten_and_sent_until_moonshot_has_time() {
    let stack = stack(Emulator::new().fail_first(1, Failure::Overloaded));
    let (status, answer) = ask(&stack, post(COMPRESSED)).await;
    assert_eq!(status, 200, "{answer}");
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["content"], "You said: Hi");
}

#[tokio::test]
async fn an_account_without_money_is_not_asked_again() {
    let stack = stack(Emulator::new().fail_first(1, Failure::QuotaExceeded));
    let (status, answer) = ask(&stack, post(COMPRESSED)).await;
    assert_eq!(status, 429);
    assert_eq!(answer["error"]["type"], "exceeded_current_quota_error");
}

#[tokio::test]
async fn the_limit_counts_what_comes_out_of_the_decompression() {
    let (status, answer) = ask(&stack(Emulator::new()), post(BOMB)).await;
    assert_eq!(status, 413);
    let message = answer["error"]["message"].to_string();
    assert!(message.contains("10000000 bytes"), "{message}");
}

#[tokio::test]
async fn a_stream_that_is_no_gzip_is_refused() {
    let (status, answer) = ask(&stack(Emulator::new()), post("no gzip at all")).await;
    assert_eq!(status, 400);
    assert_eq!(answer["error"]["type"], "invalid_request_error");
}

#[tokio::test]
async fn nothing_is_read_of_a_stranger() {
    let read = Arc::new(AtomicBool::new(false));
    let body = stream::unfold(Arc::clone(&read), |read| async move {
        read.store(true, Ordering::Relaxed);
        None::<(io::Result<&str>, _)>
    });
    let mut request = post(Body::from_stream(body));
    let guess = "Bearer open-says-me".parse().unwrap();
    request.headers_mut().insert("authorization", guess);
    let (status, _) = ask(&stack(Emulator::new()), request).await;
    assert_eq!(status, 401);
    assert!(!read.load(Ordering::Relaxed));
}

#[tokio::test]
async fn the_key_of_a_caller_does_not_reach_moonshot() {
    let stack = stack(Emulator::new().with_api_key("sk-other"));
    let (status, answer) = ask(&stack, post(COMPRESSED)).await;
    assert_eq!(status, 401);
    // The emulator says so if there is none; of a wrong one it says another thing.
    assert_eq!(answer["error"]["type"], "invalid_authentication_error");
}

#[tokio::test]
async fn strangers_do_not_use_up_the_rate_of_a_caller() {
    let stack = stack(Emulator::new());
    for _ in 0..20 {
        let mut request = post(COMPRESSED);
        request.headers_mut().remove("authorization");
        assert_eq!(ask(&stack, request).await.0, 401);
    }
    for _ in 0..10 {
        assert_eq!(ask(&stack, post(COMPRESSED)).await.0, 200);
    }
    // Not just the next one: time passes here as well.
    for _ in 0..1000 {
        if ask(&stack, post(COMPRESSED)).await.0 == 429 {
            return;
        }
    }
    panic!("no limit");
}
