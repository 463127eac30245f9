//! Over real sockets, with hyper on both sides of the layer, as a gateway has it.

use std::{future::Future, net::SocketAddr, time::Duration};

use axum::{Router, error_handling::HandleError, http::StatusCode};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower::Layer;
use tower_moonshot::{
    MoonshotCompatLayer, Region,
    emulator::{Emulator, Quirk},
    response::ResponseCompatLayer,
};

use crate::harness::ASKED;

const CHUNK: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";

/// Waits, but not for ever: timing decides no test.
async fn in_time<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(10), future)
        .await
        .expect("this never happens")
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    address
}

/// A gateway in front of this upstream.
async fn gateway(upstream: SocketAddr) -> SocketAddr {
    let region = Region::custom(&format!("http://{upstream}/v1")).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let compat = MoonshotCompatLayer::new().with_region(region);
    let service = ResponseCompatLayer::new().layer(compat.layer(client));
    serve(
        Router::new().fallback_service(HandleError::new(service, |error| async move {
            (StatusCode::BAD_GATEWAY, format!("{error:?}"))
        })),
    )
    .await
}

/// One end of a connection.
struct Wire {
    stream: TcpStream,
    received: String,
}

impl Wire {
    fn new(stream: TcpStream) -> Self {
        let received = String::new();
        Self { stream, received }
    }

    /// A client that has sent a request.
    async fn ask(gateway: SocketAddr, body: &str) -> Self {
        let mut wire = Self::new(in_time(TcpStream::connect(gateway)).await.unwrap());
        let length = body.len();
        wire.send(&format!("POST /v1/chat/completions HTTP/1.1\r\nhost: gateway.example\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")).await;
        wire
    }

    async fn send(&mut self, text: &str) {
        in_time(self.stream.write_all(text.as_bytes()))
            .await
            .unwrap();
    }

    async fn send_chunk(&mut self, text: &str) {
        self.send(&format!("{:x}\r\n{text}\r\n", text.len())).await;
    }

    /// Reads more; false at the end, however that came.
    async fn receive(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let length = in_time(self.stream.read(&mut buffer)).await.unwrap_or(0);
        self.received
            .push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        length > 0
    }

    async fn receive_until(&mut self, text: &str) {
        while !self.received.contains(text) {
            assert!(self.receive().await, "cut off at {}", self.received);
        }
    }

    async fn receive_all(mut self) -> String {
        while self.receive().await {}
        self.received
    }
}

/// An upstream that was asked, and answers as it is told.
struct Upstream {
    listener: TcpListener,
    gateway: SocketAddr,
}

impl Upstream {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = gateway(listener.local_addr().unwrap()).await;
        Self { listener, gateway }
    }

    /// The next request, and the start of a stream in answer to it.
    async fn stream(&self) -> Wire {
        let mut wire = Wire::new(in_time(self.listener.accept()).await.unwrap().0);
        wire.receive_until("\"messages\"").await;
        wire.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nmsh-uid: u\r\nmsh-request-id: r\r\ntransfer-encoding: chunked\r\n\r\n").await;
        wire
    }
}

#[tokio::test]
async fn chunks_arrive_while_the_stream_goes_on() {
    let upstream = Upstream::start().await;
    let mut client = Wire::ask(upstream.gateway, ASKED).await;
    let mut moonshot = upstream.stream().await;
    for number in 0..3 {
        let chunk = CHUNK.replace("Hi", &number.to_string());
        moonshot.send_chunk(&chunk).await;
        client.receive_until(&chunk).await;
    }
    assert!(!client.received.contains("msh-uid"));
    assert!(client.received.contains("msh-request-id: r"));
    moonshot.send_chunk("data: [DO").await;
    moonshot.send_chunk("NE]\n\n").await;
    moonshot.send("0\r\n\r\n").await;
    let received = client.receive_all().await;
    assert!(
        received.ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"),
        "{received}"
    );
    assert!(!received.contains("error"));
}

#[tokio::test]
async fn a_stream_that_merely_ends_is_an_error_for_the_client() {
    let upstream = Upstream::start().await;
    let client = Wire::ask(upstream.gateway, ASKED).await;
    let mut moonshot = upstream.stream().await;
    moonshot.send_chunk(CHUNK).await;
    moonshot.send("0\r\n\r\n").await;
    let received = client.receive_all().await;
    assert!(received.contains(CHUNK));
    assert!(
        received.contains("\"code\":\"stream_broke_off\""),
        "{received}"
    );
    // The body itself has a proper end.
    assert!(received.ends_with("\r\n0\r\n\r\n"));
}

#[tokio::test]
async fn a_connection_that_breaks_stays_broken() {
    let upstream = Upstream::start().await;
    let client = Wire::ask(upstream.gateway, ASKED).await;
    let mut moonshot = upstream.stream().await;
    moonshot.send_chunk(CHUNK).await;
    moonshot.send("ff\r\ndata: {").await;
    drop(moonshot);
    let received = client.receive_all().await;
    assert!(received.contains(CHUNK));
    assert!(!received.contains("error"));
    assert!(!received.ends_with("\r\n0\r\n\r\n"), "{received}");
}

#[tokio::test]
async fn a_client_that_leaves_is_heard_of_upstream() {
    let upstream = Upstream::start().await;
    let mut client = Wire::ask(upstream.gateway, ASKED).await;
    let mut moonshot = upstream.stream().await;
    moonshot.send_chunk(CHUNK).await;
    client.receive_until("Hi").await;
    drop(client);
    // The gateway closes the connection, with or without an error.
    in_time(async { while moonshot.receive().await {} }).await;
}

#[tokio::test]
async fn a_json_answer_has_the_length_that_its_header_says() {
    let emulator = Emulator::new().with_quirk(Quirk::NoTokenDetails);
    let address = serve(Router::new().fallback_service(emulator)).await;
    let gateway = gateway(address).await;
    let body = ASKED.replace("\"stream\":true,", "");
    let received = Wire::ask(gateway, &body).await.receive_all().await;
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{head}"
    );
    assert!(
        body.contains(r#""prompt_tokens_details":{"cached_tokens":0}"#),
        "{body}"
    );
    assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
}
