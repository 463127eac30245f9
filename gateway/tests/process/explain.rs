//! Why Moonshot refuses a request: in the log always, for clients with `--explain`.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener};
use tower_moonshot::emulator::Emulator;

use crate::harness::{KEY, Setup, chat, emulated, hello, post, read_until, saying};

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

/// The emulator judges a long request on a blocking thread, of which there may be one.
#[tokio::test]
async fn a_long_request_that_the_emulator_refuses_is_explained() {
    let gateway = Setup::default().start().await;
    for _ in 0..4 {
        let request = json!({
            "model": "no-such-model",
            "messages": [{"role": "user", "content": "a".repeat(200_000)}],
        });
        let answer = gateway.send(chat(&request.to_string())).await;
        assert_eq!(answer.status, 404, "{}", answer.body);
    }
    gateway.says("explained=").await;
    assert_eq!(gateway.send(hello()).await.status, 200);
}

/// Each fault below a long name has it in its pointer and in its message.
#[tokio::test]
async fn a_long_name_fills_neither_the_log_nor_the_header() {
    let setup = Setup::to(moonshot().await).arguments(["--no-rewrite", "--explain"]);
    let gateway = setup.start().await;
    let properties: serde_json::Map<String, Value> = (0..1200)
        .map(|number| (format!("p{number}"), json!({"type": "nonsense"})))
        .collect();
    let name = "n".repeat(60_000);
    let request = json!({
        "model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "a", "parameters": {
            "type": "object",
            "properties": {name: {"type": "object", "properties": properties}},
        }}}],
    });
    let answer = gateway.send(chat(&request.to_string())).await;
    assert_eq!(answer.status, 400);
    let line = answer.header("x-moonshot-explain").unwrap();
    assert!(line.contains("/parameters/properties/..."), "{line}");
    assert!(line.len() < 1000, "{}", line.len());
    assert!(answer.body.len() < 1_000_000, "{}", answer.body.len());
    let log = gateway.says("explained=").await;
    assert!(log.len() < 2000, "{}", log.len());
}

/// An upstream may refuse a request before it has read all of it.
#[tokio::test]
async fn a_request_that_was_not_sent_to_its_end_is_not_explained() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::to(listener.local_addr().unwrap()).arguments(["--explain"]);
    let gateway = setup.start().await;
    let upstream = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        read_until(&mut connection, &mut Vec::new(), "\r\n\r\n").await;
        let answer = "HTTP/1.1 400 No\r\ncontent-length: 12\r\n\r\n{\"error\":{}}";
        connection.write_all(answer.as_bytes()).await.unwrap();
        // Open until the gateway has answered, and never read to its end.
        connection
    });
    // Longer than what sockets buffer, and changed at its end.
    let text = "a".repeat(16 * 1024 * 1024);
    let request = format!(
        r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":"{text}"}}],"temperature":0.2}}"#
    );
    let answer = gateway.send(chat(&request)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("x-moonshot-explain"), None);
    assert_eq!(answer.body, "{\"error\":{}}");
    drop(upstream.await.unwrap());
}
