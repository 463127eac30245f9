//! Requests that take long to rewrite do not hold up others.

use std::fmt::Write;

use bytes::{Buf, Bytes};
use envoy_types::pb::envoy::service::ext_proc::v3::processing_response::Response as Answer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::oneshot,
};
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower_moonshot::MoonshotCompatLayer;

use crate::client::{
    BUFFERED, CHAT, Exchange, NONE, Processor, STREAMED, body, head, in_time, refused,
};

const BEGAN: &str = "that takes long has its turn";
const ENDED: &str = "no longer takes long";

/// A processor with one worker, whose log says which requests take long.
fn processor(arguments: &[&str]) -> Processor {
    let log = ("RUST_LOG", "moonshot_ext_proc=debug,info");
    Processor::start_with(&[arguments, &["--workers", "1"]].concat(), &[log])
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
        let property = format!(r#"{comma}"p{number}":{{"anyOf":[{a}],"type":"string"}}"#);
        properties.push_str(&property);
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

/// Sends a request in pieces, as Envoy does.
async fn send(processor: &Processor, text: &str, headers: &[(&str, &str)]) -> Exchange {
    let mut exchange = processor.exchange(STREAMED, NONE).await;
    exchange.send(head(CHAT, headers, false)).await;
    let pieces = text.as_bytes().chunks(1_000_000);
    let last = pieces.len() - 1;
    for (number, piece) in pieces.enumerate() {
        let piece = std::str::from_utf8(piece).unwrap();
        exchange.send(body(piece, number == last)).await;
    }
    exchange
}

/// Returns the body that is sent on.
async fn sent(mut exchange: Exchange) -> String {
    sent_on(&mut exchange).await
}

async fn sent_on(exchange: &mut Exchange) -> String {
    let head = exchange.expect().await;
    assert!(matches!(head, Answer::RequestHeaders(_)), "{head:?}");
    exchange.body().await
}

/// With its only worker in the rewrite, a processor would answer the health check behind
/// each of these requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_health_service_answers_while_a_request_is_rewritten() {
    const REQUESTS: usize = 10;
    let processor = processor(&[]);
    let channel = Endpoint::from_shared(processor.url()).unwrap();
    let mut health = HealthClient::new(channel.connect().await.unwrap());
    let text = messages(8_000_000);
    let expected = rewritten(&text);
    let mut was_answered = false;
    for request in 1..=REQUESTS {
        let exchange = send(&processor, &text, &[]).await;
        let sent = tokio::spawn(sent(exchange));
        processor.says_often(BEGAN, request).await;
        let answer = health.check(HealthCheckRequest::default());
        in_time(answer).await.unwrap();
        was_answered |= processor.log().matches(ENDED).count() < request;
        assert!(in_time(sent).await.unwrap() == expected);
    }
    assert!(was_answered);
}

#[tokio::test]
async fn a_short_body_with_a_difficult_schema_is_repaired_in_full_at_its_turn() {
    let text = schema();
    assert!(text.len() < 60_000, "{}", text.len());
    let processor = processor(&[]);
    let length = text.len().to_string();
    let exchange = send(&processor, &text, &[("content-length", &length)]).await;
    assert!(sent(exchange).await == rewritten(&text));
    processor.says_often(ENDED, 1).await;
}

/// A Redis that agrees to everything but to look for thoughts. Then it says so, and never
/// answers.
async fn hanging_store() -> (String, oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let (asked, was_asked) = oneshot::channel();
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        loop {
            let length = connection.read(&mut buffer).await.unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]);
            if length == 0 || text.contains("GET") && !text.contains("SETINFO") {
                break;
            }
            let commands = text.lines().filter(|line| line.starts_with('*'));
            let answers = "+OK\r\n".repeat(commands.count());
            connection.write_all(answers.as_bytes()).await.unwrap();
        }
        asked.send(()).unwrap();
        std::future::pending::<()>().await;
        drop(connection);
    });
    (url, was_asked)
}

#[tokio::test]
async fn a_request_that_waits_for_its_thoughts_holds_no_other_up() {
    let (url, was_asked) = hanging_store().await;
    let arguments = [
        "--reasoning-store",
        &url,
        "--reasoning-store-timeout",
        "3600",
    ];
    let processor = processor(&arguments);
    let text = messages(300_000).replacen(r#""user""#, r#""assistant""#, 1);
    let mut waiting = processor.exchange(STREAMED, STREAMED).await;
    waiting.send(head(CHAT, &[], false)).await;
    waiting.send(body(&text, true)).await;
    in_time(was_asked).await.unwrap();
    // Without a response there is nothing to remember, and nothing is asked for.
    let other = send(&processor, &text, &[]).await;
    assert!(sent(other).await == rewritten(&text));
    assert_eq!(processor.log().matches(ENDED).count(), 1);
}

/// It takes long for two reasons, and the second must not wait for the turn of the first.
#[tokio::test]
async fn a_long_body_with_a_difficult_schema_is_repaired_too() {
    let padding = "x".repeat(300_000);
    let text = schema().replacen("Hi", &padding, 1);
    let processor = processor(&[]);
    let exchange = send(&processor, &text, &[]).await;
    assert!(sent(exchange).await == rewritten(&text));
    processor.says_often(ENDED, 1).await;
}

#[tokio::test]
async fn a_buffered_body_gets_its_turn_too() {
    let text = messages(300_000);
    let processor = processor(&[]);
    let mut exchange = processor.exchange(BUFFERED, NONE).await;
    exchange.send(head(CHAT, &[], false)).await;
    assert!(matches!(exchange.expect().await, Answer::RequestHeaders(_)));
    exchange.send(body(&text, true)).await;
    let Answer::RequestBody(answer) = exchange.expect().await else {
        panic!("not a body");
    };
    let mutation = answer.response.unwrap().body_mutation.unwrap().mutation;
    assert!(format!("{mutation:?}").len() > 300_000);
    processor.says_often(ENDED, 1).await;
}

#[tokio::test]
async fn an_ordinary_request_stays_on_its_worker() {
    let text = messages(60_000);
    let processor = processor(&[]);
    // Whether its length is announced or not.
    let length = text.len().to_string();
    for headers in [&[][..], &[("content-length", &length[..])]] {
        let exchange = send(&processor, &text, headers).await;
        assert!(sent(exchange).await == rewritten(&text));
    }
    assert!(!processor.log().contains(BEGAN), "{}", processor.log());
}

/// A request gives its turn back once it was sent on, if it is refused, and if its client
/// has left.
#[tokio::test]
async fn no_turn_is_lost() {
    let processor = processor(&["--fail", "closed"]);
    let invalid = "x".repeat(300_000);
    for _ in 0..3 {
        let mut exchange = send(&processor, &invalid, &[]).await;
        let answer = exchange.expect().await;
        assert_eq!(refused(answer), (400, "invalid_json".to_owned()));
    }
    for _ in 0..3 {
        drop(send(&processor, &messages(4_000_000), &[]).await);
    }
    let text = messages(300_000);
    let mut waiting_for_responses = Vec::new();
    for _ in 0..3 {
        let mut exchange = send(&processor, &text, &[]).await;
        assert!(sent_on(&mut exchange).await == rewritten(&text));
        waiting_for_responses.push(exchange);
    }
}
