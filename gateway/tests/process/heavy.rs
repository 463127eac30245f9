//! Requests that take long to rewrite do not hold up others.

use std::{fmt::Write, time::Duration};

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};
use tower_moonshot::MoonshotCompatLayer;

use crate::harness::{Gateway, OK, Setup, Upstream, chat, get, hello, saying, send};

const MOVED: &str = "has moved to a blocking thread";
const LEFT: &str = "has left its blocking thread";

/// A gateway with one worker, whose log says where requests are rewritten.
async fn gateway(upstream: &Upstream) -> Gateway {
    let setup = Setup::to(upstream.address).variable("RUST_LOG", "moonshot_gateway=debug,info");
    setup.arguments(["--workers", "1"]).start().await
}

/// A body of small messages, each of which is changed.
fn messages(bytes: usize) -> String {
    let mut body = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}"#.to_owned();
    while body.len() < bytes {
        body.push_str(r#",{"role":"developer","content":"Hi"}"#);
    }
    body.push_str("]}");
    body
}

/// A short body whose schema takes long to repair: each definition refers to two others.
fn schema() -> String {
    const DEFINITIONS: usize = 100;
    let (mut properties, mut definitions) = (String::new(), String::new());
    for number in 0..DEFINITIONS {
        let comma = if number == 0 { "" } else { "," };
        let [seventh, next, third] =
            [number * 7, number + 1, number * 3].map(|number| number % DEFINITIONS);
        let a = format!(r##"{{"$ref":"#/$defs/d{seventh}"}},{{"type":"null"}}"##);
        let b = format!(r##"{{"$ref":"#/$defs/d{next}"}},{{"$ref":"#/$defs/d{third}"}}"##);
        write!(
            properties,
            r#"{comma}"p{number}":{{"anyOf":[{a}],"type":"string"}}"#
        )
        .unwrap();
        write!(definitions, r#"{comma}"d{number}":{{"allOf":[{b}]}}"#).unwrap();
    }
    format!(
        r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":"Hi"}}],"tools":[{{"type":"function",
        "function":{{"name":"f","parameters":{{"type":"object","properties":{{{properties}}},
        "$defs":{{{definitions}}}}}}}}}]}}"#
    )
}

/// Returns what the layer makes of a body with its whole budget at once.
fn rewritten(body: &str) -> String {
    let (mut rope, report) = MoonshotCompatLayer::new().rewrite(Bytes::from(body.to_owned()));
    assert_eq!(report.unrepaired_schemas(), 0, "it is too difficult");
    let bytes = rope.copy_to_bytes(rope.remaining());
    String::from_utf8(bytes.into()).unwrap()
}

/// The last request is still being rewritten, or waits for it, when the health check has
/// been answered.
#[tokio::test]
async fn health_checks_are_answered_while_heavy_requests_are_rewritten() {
    const REQUESTS: usize = 4;
    let upstream = saying(OK).await;
    let gateway = gateway(&upstream).await;
    let request = chat(&messages(4_000_000));
    let mut clients = JoinSet::new();
    for _ in 0..REQUESTS {
        clients.spawn(send_to(gateway.address, request.clone()));
    }
    gateway.says(MOVED).await;
    assert_eq!(gateway.send(get("/health/readiness")).await.status, 200);
    let left = gateway.output().matches(LEFT).count();
    // Each reads its model there, and is rewritten there.
    assert!(left < 2 * REQUESTS, "{left}");
    while let Some(answer) = clients.join_next().await {
        assert_eq!(answer.unwrap(), 200);
    }
}

async fn send_to(gateway: std::net::SocketAddr, request: String) -> u16 {
    send(gateway, request).await.status
}

#[tokio::test]
async fn a_short_body_with_a_difficult_schema_is_moved_and_repaired_in_full() {
    let body = schema();
    assert!(body.len() < 60_000, "{}", body.len());
    let mut upstream = saying(OK).await;
    let gateway = gateway(&upstream).await;
    assert_eq!(gateway.send(chat(&body)).await.status, 200);
    gateway.says(MOVED).await;
    let request = upstream.asked().await;
    let (_, sent) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(sent, rewritten(&body));
}

#[tokio::test]
async fn a_long_body_is_rewritten_as_any_other() {
    let body = messages(300_000);
    let mut upstream = saying(OK).await;
    let gateway = gateway(&upstream).await;
    let answer = gateway.send(chat(&body)).await;
    assert_eq!(answer.header("x-moonshot-rewrites"), Some("role"));
    gateway.says(MOVED).await;
    let request = upstream.asked().await;
    let (_, sent) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(sent, rewritten(&body));
    let invalid = gateway.send(chat(&body[..body.len() - 1])).await;
    assert_eq!(invalid.error()["code"], "invalid_json");
}

#[tokio::test]
async fn an_ordinary_request_stays_on_its_worker() {
    let upstream = saying(OK).await;
    let gateway = gateway(&upstream).await;
    assert_eq!(gateway.send(chat(&messages(60_000))).await.status, 200);
    gateway.says("bytes_out=2").await;
    assert!(!gateway.output().contains(MOVED), "{}", gateway.output());
}

#[tokio::test]
async fn the_request_of_a_client_that_has_left_is_not_sent() {
    let mut upstream = saying(OK).await;
    let gateway = gateway(&upstream).await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    let request = chat(&messages(4_000_000));
    client.write_all(request.as_bytes()).await.unwrap();
    gateway.says(MOVED).await;
    let socket = SockRef::from(&client);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    gateway.says("the client disconnected").await;
    gateway.says(LEFT).await;
    // Takes turns with it on the thread.
    gateway.send(chat(&messages(300_000))).await;
    gateway.send(hello()).await;
    let first = upstream.asked().await;
    assert!(first.len() < 1_000_000, "{}", first.len());
}
