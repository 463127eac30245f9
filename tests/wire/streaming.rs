//! Bodies that are not read are streamed: every frame is forwarded before the next one
//! arrives.

use axum::{
    body::Body,
    extract::Request,
    middleware::{self, Next},
};

use crate::harness::*;

/// Sends a request without the end of its body, and checks that its start is forwarded.
async fn streams_through(start_of_request: &str, expected_line: &str) {
    let upstream = Upstream::start().await;
    let gateway = Server::gateway(upstream.layer().with_max_body_bytes(16)).await;
    let mut client = Wire::connect(gateway.address).await;
    client
        .send(format!(
            "{start_of_request}host: gateway.example\r\ntransfer-encoding: chunked\r\n\r\n"
        ))
        .await;
    let mut wire = upstream.accept().await;
    let head = wire.head().await;
    assert_eq!(head.start, expected_line);
    assert_eq!(head.get("transfer-encoding"), Some("chunked"));
    for _ in 0..3 {
        client.send("5\r\nchunk\r\n").await;
        assert_eq!(wire.take(10).await, "5\r\nchunk\r\n");
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(wire.take(5).await, "0\r\n\r\n");
    wire.send(OK).await;
    assert_eq!(client.message().await.body, "ok");
}

#[tokio::test]
async fn other_paths_stream_chunk_by_chunk() {
    streams_through(
        "POST /v1/files?purpose=batch HTTP/1.1\r\n",
        "POST /v1/files?purpose=batch HTTP/1.1",
    )
    .await;
}

#[tokio::test]
async fn other_methods_stream_chunk_by_chunk() {
    streams_through(
        "PUT /v1/chat/completions HTTP/1.1\r\n",
        "PUT /v1/chat/completions HTTP/1.1",
    )
    .await;
}

#[tokio::test]
async fn other_content_types_stream_chunk_by_chunk() {
    streams_through(
        "POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/grpc\r\n",
        "POST /v1/chat/completions HTTP/1.1",
    )
    .await;
}

#[tokio::test]
async fn compressed_bodies_stream_chunk_by_chunk() {
    streams_through(
        "POST /v1/chat/completions HTTP/1.1\r\ncontent-encoding: gzip\r\n",
        "POST /v1/chat/completions HTTP/1.1",
    )
    .await;
}

#[tokio::test]
async fn a_body_with_an_announced_length_over_the_limit_is_streamed() {
    let upstream = Upstream::start().await;
    let gateway = Server::gateway(upstream.layer().with_max_body_bytes(16)).await;
    let mut client = Wire::connect(gateway.address).await;
    let (start, end) = SHRINKING.split_at(8);
    let length = SHRINKING.len();
    client
        .send(chat(&format!("content-length: {length}\r\n"), start))
        .await;
    let mut wire = upstream.accept().await;
    let head = wire.head().await;
    assert_eq!(head.get("content-length"), Some(&*length.to_string()));
    assert_eq!(wire.take(start.len()).await, start);
    client.send(end).await;
    assert_eq!(wire.take(end.len()).await, end);
    wire.send(OK).await;
    assert_eq!(client.message().await.body, "ok");
}

#[tokio::test]
async fn a_body_that_exceeds_the_limit_is_forwarded_before_it_ends() {
    let upstream = Upstream::start().await;
    let gateway = Server::gateway(upstream.layer().with_max_body_bytes(16)).await;
    let mut client = Wire::connect(gateway.address).await;
    let (start, rest) = SHRINKING.split_at(20);
    client
        .send(chat(
            "transfer-encoding: chunked\r\n",
            &format!("8\r\n{}\r\nc\r\n{}\r\n", &start[..8], &start[8..]),
        ))
        .await;
    let mut wire = upstream.accept().await;
    assert_eq!(wire.head().await.get("transfer-encoding"), Some("chunked"));
    let arrived = wire.take("14\r\n".len() + start.len() + 2).await;
    assert_eq!(arrived, format!("14\r\n{start}\r\n"));
    for byte in rest.chars() {
        let chunk = format!("1\r\n{byte}\r\n");
        client.send(&chunk).await;
        assert_eq!(wire.take(chunk.len()).await, chunk);
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(wire.take(5).await, "0\r\n\r\n");
    wire.send(OK).await;
    assert_eq!(client.message().await.body, "ok");
}

/// An outer middleware may hide the length of the body, while the header still has it.
#[tokio::test]
async fn a_body_that_exceeds_the_limit_keeps_its_content_length() {
    let upstream = Upstream::start().await;
    let app = proxy(upstream.layer().with_max_body_bytes(16)).layer(middleware::from_fn(
        async |request: Request, next: Next| {
            let hidden = request.map(|body| Body::from_stream(body.into_data_stream()));
            next.run(hidden).await
        },
    ));
    let gateway = Server::start(app).await;
    let mut client = Wire::connect(gateway.address).await;
    client.send(chat_of(SHRINKING)).await;
    let request = upstream.serve_one().await;
    assert_eq!(
        request.head.get("content-length"),
        Some(&*SHRINKING.len().to_string())
    );
    assert_eq!(request.body, SHRINKING);
    assert_eq!(client.message().await.body, "ok");
}

#[tokio::test]
async fn a_body_as_long_as_the_limit_is_read() {
    let upstream = Upstream::start().await;
    let limit = SHRINKING.len();
    for request in [
        chat_of(SHRINKING),
        chat(
            "transfer-encoding: chunked\r\n",
            &format!("{limit:x}\r\n{SHRINKING}\r\n0\r\n\r\n"),
        ),
    ] {
        for (limit, expected) in [(limit, SHRUNK), (limit - 1, SHRINKING)] {
            let layer = upstream.layer().with_max_body_bytes(limit);
            let request = forwarded(layer, &upstream, &request).await;
            assert_eq!(request.body, expected);
        }
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it_when_its_body_is_to_be_read() {
    let upstream = Upstream::start().await;
    let gateway = Server::gateway(upstream.layer()).await;
    let mut client = Wire::connect(gateway.address).await;
    let lines = format!(
        "expect: 100-continue\r\ncontent-length: {}\r\n",
        SHRINKING.len()
    );
    client.send(chat(&lines, "")).await;
    assert_eq!(client.head().await.start, "HTTP/1.1 100 Continue");
    client.send(SHRINKING).await;

    // The body has arrived, so the upstream is not asked for `100 Continue`.
    let request = upstream.serve_one().await;
    assert_eq!(request.head.get("expect"), None);
    assert_eq!(request.body, SHRUNK);
    assert_eq!(client.head().await.start, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_may_be_refused_before_it_sends_an_unread_body() {
    use http::StatusCode;
    use tower::Layer;
    use tower_moonshot::MoonshotCompatLayer;

    let refuse = tower::service_fn(async |_: http::Request<Outgoing>| {
        Ok::<_, std::convert::Infallible>(
            http::Response::builder()
                .status(403)
                .body(Body::empty())
                .unwrap(),
        )
    });
    let layer = MoonshotCompatLayer::new().with_max_body_bytes(16);
    let gateway = Server::start(axum::Router::new().fallback_service(layer.layer(refuse))).await;
    for request in [
        "POST /v1/files HTTP/1.1\r\ncontent-length: 17\r\n",
        "PATCH /v1/chat/completions HTTP/1.1\r\ncontent-length: 10\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 17\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 10\r\ncontent-type: text/plain\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 10\r\ncontent-encoding: gzip\r\n",
    ] {
        let mut client = Wire::connect(gateway.address).await;
        client
            .send(format!("{request}host: a\r\nexpect: 100-continue\r\n\r\n"))
            .await;
        let answer = client.head().await.start;
        assert_eq!(
            answer,
            format!("HTTP/1.1 {}", StatusCode::FORBIDDEN),
            "{request}"
        );
    }
}

#[tokio::test]
async fn an_event_stream_is_returned_event_by_event() {
    let upstream = Upstream::start().await;
    let gateway = Server::gateway(upstream.layer()).await;
    let mut client = Wire::connect(gateway.address).await;
    client.send(chat_of(SHRINKING)).await;
    let mut wire = upstream.accept().await;
    assert_eq!(wire.message().await.body, SHRUNK);
    wire.send(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    )
    .await;
    let head = client.head().await;
    assert_eq!(head.get("content-type"), Some("text/event-stream"));
    for event in ["data: {\"a\":1}\n\n", "data: [DONE]\n\n"] {
        let chunk = format!("{:X}\r\n{event}\r\n", event.len());
        wire.send(&chunk).await;
        assert_eq!(client.take(chunk.len()).await, chunk);
    }
    wire.send("0\r\n\r\n").await;
    assert_eq!(client.take(5).await, "0\r\n\r\n");
}
