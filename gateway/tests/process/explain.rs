//! Why Moonshot refuses a request: in the log always, for clients with `--explain`.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tower_moonshot::emulator::Emulator;

use crate::harness::{KEY, Setup, chat, emulated, post, saying};

/// An answer with this status and body.
macro_rules! answer {
    ($status:literal, $body:literal) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n",
            $body
        )
    };
}

const SECRET: &str = "what-nobody-may-see";

/// A request with two faults that no rule repairs, one of them nested.
fn faulty() -> String {
    let message = json!({"role": "assistant", "content": null});
    let request = json!({
        "model": "kimi-k2.6", "n": "many",
        "messages": [{"role": "user", "content": SECRET}, message],
        "tools": [{"type": "function", "function": {"name": "a", "parameters": {
            "type": "object", "properties": {"x": {"$ref": "#/nowhere"}},
        }}}],
    });
    request.to_string()
}

async fn moonshot() -> std::net::SocketAddr {
    emulated(Emulator::new().with_api_key(KEY)).await
}

#[tokio::test]
async fn a_refusal_is_explained_in_the_log_and_without_the_flag_only_there() {
    let setup = Setup::to(moonshot().await).arguments(["--no-rewrite"]);
    let gateway = setup.start().await;
    let answer = gateway.send(chat(&faulty())).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("x-moonshot-explain"), None);
    assert_eq!(answer.json().get("explain"), None);
    let log = gateway.says("explained=").await;
    assert!(log.contains("sampling_type at /n"), "{log}");
    assert!(!log.contains(SECRET), "{log}");
}

#[tokio::test]
async fn with_the_flag_a_client_gets_every_reason() {
    let setup = Setup::to(moonshot().await).arguments(["--no-rewrite", "--explain"]);
    let gateway = setup.start().await;
    let answer = gateway.send(chat(&faulty())).await;
    assert_eq!(answer.status, 400);
    let length: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!(length, answer.body.len());
    // OpenAI's error is still there, in Moonshot's words.
    assert!(!answer.message().is_empty());

    let line = answer.header("x-moonshot-explain").unwrap();
    assert!(line.contains("sampling_type at /n"), "{line}");
    let findings = answer.json()["explain"].clone();
    let findings = findings.as_array().unwrap();
    assert!(findings.len() > 1, "{findings:?}");
    let of = |pointer: &str| {
        let mut all = findings.iter();
        all.find(|finding| finding["pointer"] == pointer).unwrap()
    };
    assert_eq!(of("/n")["fact"], "sampling_type");
    assert_eq!(of("/n")["rule"], "sampling");
    assert_eq!(of("/n")["grade"], "judgement");
    assert!(!answer.body.contains(SECRET), "{}", answer.body);
}

/// What is examined is what was sent, not what came.
#[tokio::test]
async fn what_the_rewrite_repaired_is_no_reason() {
    let upstream = saying(answer!(
        "400 Bad Request",
        "{\"error\":{\"message\":\"Invalid request\", \"type\":\"invalid_request_error\"}}\n"
    ))
    .await;
    let setup = Setup::to(upstream.address).arguments(["--explain"]);
    let gateway = setup.start().await;
    let request = json!({
        "model": "kimi-k2.6", "temperature": 0.2,
        "messages": [{"role": "user", "content": "Hi"}],
    });
    let answer = gateway.send(chat(&request.to_string())).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("x-moonshot-explain"), Some("no known reason"));
    assert_eq!(
        answer.body,
        "{\"error\":{\"message\":\"Invalid request\", \"type\":\"invalid_request_error\"},\
         \"explain\":[]}"
    );
}

#[tokio::test]
async fn other_failures_and_other_paths_are_not_explained() {
    for status in [
        answer!("429 Too Many Requests", "{\"error\":{}}"),
        answer!("500 Internal Server Error", "{\"error\":{}}"),
        answer!("401 Unauthorized", "{\"error\":{}}"),
    ] {
        let setup = Setup::to(saying(status).await.address).arguments(["--explain"]);
        let gateway = setup.start().await;
        let answer = gateway.send(chat(&faulty())).await;
        assert!(answer.status > 400);
        assert_eq!(answer.header("x-moonshot-explain"), None);
        assert_eq!(answer.body, "{\"error\":{}}");
    }
    let upstream = saying(answer!("400 Bad Request", "{\"error\":{}}")).await;
    let setup = Setup::to(upstream.address).arguments(["--explain"]);
    let gateway = setup.start().await;
    let answer = gateway.send(post("/v1/files", "", &faulty())).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.body, "{\"error\":{}}");
}

/// Keys of schemas are part of pointers, and may be in any script.
#[tokio::test]
async fn a_header_is_one_line_of_ascii_and_lists_a_few() {
    let setup = Setup::to(moonshot().await).arguments(["--no-rewrite", "--explain"]);
    let gateway = setup.start().await;
    let properties: serde_json::Map<String, Value> = (0..20)
        .map(|number| (format!("月\r\n{number}"), json!({"type": "nonsense"})))
        .collect();
    let request = json!({
        "model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "a", "parameters": {
            "type": "object", "properties": properties,
        }}}],
    });
    let answer = gateway.send(chat(&request.to_string())).await;
    assert_eq!(answer.status, 400);
    let line = answer.header("x-moonshot-explain").unwrap();
    assert!(line.is_ascii(), "{line}");
    assert!(line.contains(r"/properties/\u{6708}\r\n"), "{line}");
    assert!(line.ends_with("; 12 more"), "{line}");
    assert_eq!(answer.json()["explain"].as_array().unwrap().len(), 20);
}
