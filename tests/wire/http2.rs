//! HTTP/2 on both sides of the gateway.

use std::{convert::Infallible, net::SocketAddr};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::SendRequest;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use tokio::{net::TcpStream, sync::mpsc};

use crate::harness::*;

/// A request that an HTTP/2 upstream received.
struct Arrived {
    head: http::request::Parts,
    body: Bytes,
    trailers: Option<HeaderMap>,
}

/// Starts an upstream that speaks HTTP/2 with prior knowledge and reports each request.
async fn upstream() -> (Server, mpsc::UnboundedReceiver<Arrived>) {
    let (tell, arrived) = mpsc::unbounded_channel();
    let app = Router::new().fallback(async move |request: Request<Body>| {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap();
        let trailers = body.trailers().cloned();
        let body = body.to_bytes();
        tell.send(Arrived {
            head,
            body,
            trailers,
        })
        .unwrap();
        "ok"
    });
    (Server::start(app).await, arrived)
}

/// Starts a gateway whose client speaks HTTP/2 with prior knowledge.
async fn gateway(to: SocketAddr) -> Server {
    let region = tower_moonshot::Region::custom(&format!("http://{to}/v1")).unwrap();
    let layer = tower_moonshot::MoonshotCompatLayer::new().with_region(region);
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    Server::start(proxy_with(layer, client)).await
}

/// Connects a client that speaks HTTP/2 with prior knowledge.
async fn client<B>(to: SocketAddr) -> SendRequest<B>
where
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    let stream = in_time(TcpStream::connect(to)).await.unwrap();
    let (client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    client
}

fn chat_to<B>(gateway: SocketAddr, body: B) -> Request<B> {
    Request::post(format!("http://{gateway}/v1/chat/completions"))
        .body(body)
        .unwrap()
}

async fn text(response: Response<hyper::body::Incoming>) -> Bytes {
    in_time(response.into_body().collect())
        .await
        .unwrap()
        .to_bytes()
}

#[tokio::test]
async fn a_request_that_came_over_http2_leaves_over_http1() {
    for (body, expected) in [(SHRINKING, SHRUNK), (CLEAN, CLEAN)] {
        let upstream = Upstream::start().await;
        let gateway = Server::gateway(upstream.layer()).await;
        let mut client = client(gateway.address).await;
        let request = chat_to(gateway.address, Full::from(body));
        let (request, response) =
            tokio::join!(upstream.serve_one(), in_time(client.send_request(request)));
        assert_eq!(request.head.start, "POST /v1/chat/completions HTTP/1.1");
        assert_eq!(
            request.head.get("content-length"),
            Some(&*expected.len().to_string())
        );
        assert_eq!(request.body, expected);
        assert_eq!(text(response.unwrap()).await, "ok");
    }
}

/// Without a known length, HTTP/1.1 requires chunks.
#[tokio::test]
async fn an_unread_request_of_unknown_length_leaves_http2_in_chunks() {
    let upstream = Upstream::start().await;
    let gateway = Server::gateway(upstream.layer()).await;
    let mut client = client(gateway.address).await;
    let request = Request::post(format!("http://{}/v1/files", gateway.address))
        .body(Box::pin(trickle("bytes of a file")))
        .unwrap();
    let (request, response) =
        tokio::join!(upstream.serve_one(), in_time(client.send_request(request)));
    assert_eq!(request.head.get("transfer-encoding"), Some("chunked"));
    assert_eq!(request.body, "bytes of a file");
    assert_eq!(text(response.unwrap()).await, "ok");
}

#[tokio::test]
async fn a_request_that_came_over_http1_leaves_over_http2() {
    let (upstream, mut arrived) = upstream().await;
    let gateway = gateway(upstream.address).await;
    let mut client = Wire::connect(gateway.address).await;
    let (start, end) = SHRINKING.split_at(30);
    for request in [
        chat_of(SHRINKING),
        chat(
            "transfer-encoding: chunked\r\n",
            &format!(
                "{:x}\r\n{start}\r\n{:x}\r\n{end}\r\n0\r\n\r\n",
                start.len(),
                end.len()
            ),
        ),
    ] {
        client.send(request).await;
        let request = in_time(arrived.recv()).await.unwrap();
        assert_eq!(request.head.version, Version::HTTP_2);
        assert_eq!(
            request.head.uri,
            *format!("http://{}/v1/chat/completions", upstream.address)
        );
        assert_eq!(
            request.head.headers["content-length"],
            SHRUNK.len().to_string()
        );
        assert!(!request.head.headers.contains_key("host"));
        assert_eq!(request.body, SHRUNK);
        assert_eq!(client.message().await.body, "ok");
    }
}

#[tokio::test]
async fn trailers_of_read_and_unread_bodies_are_forwarded() {
    let (upstream, mut arrived) = upstream().await;
    let gateway = gateway(upstream.address).await;
    let mut client = client(gateway.address).await;
    let trailers = HeaderMap::from_iter([("x-checksum".parse().unwrap(), "7".parse().unwrap())]);
    for (path, body, expected) in [
        ("chat/completions", SHRINKING, SHRUNK),
        ("chat/completions", CLEAN, CLEAN),
        ("files", SHRINKING, SHRINKING),
    ] {
        let given = trailers.clone();
        let body = trickle(body).with_trailers(async { Some(Ok(given)) });
        let request = Request::post(format!("http://{}/v1/{path}", gateway.address))
            .body(Box::pin(body))
            .unwrap();
        let response = in_time(client.send_request(request)).await.unwrap();
        assert_eq!(text(response).await, "ok");
        let request = in_time(arrived.recv()).await.unwrap();
        assert_eq!(request.body, expected);
        assert_eq!(request.trailers.as_ref(), Some(&trailers), "{path}");
    }
}

/// A digest is often sent as a trailer, because its sender computes it last.
#[tokio::test]
async fn a_digest_in_the_trailers_is_removed_from_changed_bodies_only() {
    let (upstream, mut arrived) = upstream().await;
    let gateway = gateway(upstream.address).await;
    let mut client = client(gateway.address).await;
    for (body, expected) in [(SHRINKING, None), (CLEAN, Some("abc"))] {
        let trailers = HeaderMap::from_iter([
            ("content-digest".parse().unwrap(), "abc".parse().unwrap()),
            ("x-checksum".parse().unwrap(), "7".parse().unwrap()),
        ]);
        let body = trickle(body).with_trailers(async { Some(Ok(trailers)) });
        let request = chat_to(gateway.address, Box::pin(body));
        let response = in_time(client.send_request(request)).await.unwrap();
        assert_eq!(text(response).await, "ok");
        let trailers = in_time(arrived.recv()).await.unwrap().trailers.unwrap();
        let digest = trailers.get("content-digest");
        assert_eq!(digest.map(|value| value.to_str().unwrap()), expected);
        assert_eq!(trailers["x-checksum"], "7");
    }
}

#[tokio::test]
async fn trailers_do_no_harm_where_http1_has_no_place_for_them() {
    for (body, expected) in [(SHRINKING, SHRUNK), (CLEAN, CLEAN)] {
        let upstream = Upstream::start().await;
        let gateway = Server::gateway(upstream.layer()).await;
        let mut client = client(gateway.address).await;
        let trailers =
            HeaderMap::from_iter([("x-checksum".parse().unwrap(), "7".parse().unwrap())]);
        let body = trickle(body).with_trailers(async { Some(Ok(trailers)) });
        let request = chat_to(gateway.address, Box::pin(body));
        let (request, response) =
            tokio::join!(upstream.serve_one(), in_time(client.send_request(request)));
        assert_eq!(request.body, expected);
        assert_eq!(text(response.unwrap()).await, "ok");
    }
}
