//! Bodies that end early and callers that disconnect. An incomplete body is never taken
//! for a complete one.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::DefaultBodyLimit, routing::post};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpListener, sync::mpsc};
use tower::{Layer, Service, ServiceExt};
use tower_http::limit::RequestBodyLimitLayer;
use tower_moonshot::{MoonshotCompatLayer, Report, RequestBody, Skipped};

use crate::harness::*;

/// Creates a body whose frames the test sends one by one.
fn driven<E>() -> (
    mpsc::UnboundedSender<Result<Frame<Bytes>, E>>,
    impl http_body::Body<Data = Bytes, Error = E>,
) {
    let (sender, mut frames) = mpsc::unbounded_channel();
    let frames = futures_util::stream::poll_fn(move |cx| frames.poll_recv(cx));
    (sender, StreamBody::new(frames))
}

fn chat_request<B>(body: B) -> Request<B> {
    Request::post("/v1/chat/completions").body(body).unwrap()
}

/// Disconnects a client in the middle of a body. Returns what the inner service read in
/// each of its calls.
async fn read_by_the_inner_service(half_close: bool) -> Vec<Result<Bytes, hyper::Error>> {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let inner = {
        let calls = Arc::clone(&calls);
        tower::service_fn(
            move |request: Request<RequestBody<hyper::body::Incoming>>| {
                let calls = Arc::clone(&calls);
                async move {
                    let read = request.into_body().collect().await;
                    calls.lock().unwrap().push(read.map(|body| body.to_bytes()));
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("ok")))
                }
            },
        )
    };
    let service = MoonshotCompatLayer::new().layer(inner);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = Wire::connect(listener.local_addr().unwrap()).await;
    let (stream, _) = in_time(listener.accept()).await.unwrap();
    let connection = hyper::server::conn::http1::Builder::new()
        .half_close(half_close)
        .serve_connection(
            TokioIo::new(stream),
            hyper::service::service_fn(move |request| service.clone().oneshot(request)),
        );
    // The text is valid JSON, so that only its length shows that it is incomplete.
    client
        .send(chat("content-length: 1000\r\n", SHRINKING))
        .await;
    client.finish().await;
    // Once the connection has ended, with or without an error, the service is no longer
    // called.
    let _ = in_time(connection).await;
    std::mem::take(&mut *calls.lock().unwrap())
}

#[tokio::test]
async fn a_client_that_disconnects_in_mid_body_has_not_sent_a_complete_body() {
    for call in read_by_the_inner_service(false).await {
        call.unwrap_err();
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_an_error_for_the_inner_service() {
    let calls = read_by_the_inner_service(true).await;
    assert_eq!(calls.len(), 1);
    calls[0].as_ref().unwrap_err();
}

#[tokio::test]
async fn a_stream_that_is_reset_in_mid_body_is_not_complete() {
    let (tell, mut called) = mpsc::unbounded_channel();
    let inner = tower::service_fn(move |request: Request<Outgoing>| {
        let tell = tell.clone();
        async move {
            let read = request.into_body().collect().await;
            tell.send(read.map(|body| body.to_bytes())).unwrap();
            Ok::<_, Infallible>(Response::new(Body::from("ok")))
        }
    });
    let app = Router::new().fallback_service(MoonshotCompatLayer::new().layer(inner));
    let gateway = Server::start(app).await;
    let stream = tokio::net::TcpStream::connect(gateway.address)
        .await
        .unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let connection = tokio::spawn(connection);

    let (frames, body) = driven::<std::io::Error>();
    frames.send(Ok(Frame::data(SHRINKING.into()))).unwrap();
    frames
        .send(Err(std::io::Error::other("the reason of a reset")))
        .unwrap();
    let request = Request::post(format!("http://{}/v1/chat/completions", gateway.address))
        .body(Box::pin(body))
        .unwrap();
    in_time(client.send_request(request)).await.unwrap_err();

    // It is the same connection, so the server has already handled the reset.
    let (frames, body) = driven::<std::io::Error>();
    frames.send(Ok(Frame::data(CLEAN.into()))).unwrap();
    drop(frames);
    let request = Request::post(format!("http://{}/v1/chat/completions", gateway.address))
        .body(Box::pin(body))
        .unwrap();
    in_time(client.send_request(request)).await.unwrap();
    connection.abort();
    drop(gateway);

    let mut complete = Vec::new();
    while let Ok(read) = called.try_recv() {
        complete.extend(read.ok());
    }
    assert_eq!(complete, [CLEAN]);
}

/// A distinct error type.
#[derive(Debug, PartialEq)]
struct Boom(u32);

#[tokio::test]
async fn a_read_error_reaches_the_inner_service_unwrapped() {
    let (frames, body) = driven::<Boom>();
    frames.send(Ok(Frame::data("{\"mod".into()))).unwrap();
    frames.send(Ok(Frame::data("el\":".into()))).unwrap();
    frames.send(Err(Boom(7))).unwrap();
    let inner = tower::service_fn(async |request: Request<RequestBody<_>>| {
        let skipped = request
            .extensions()
            .get::<Report>()
            .unwrap()
            .skipped()
            .cloned();
        assert_eq!(skipped, Some(Skipped::ReadError));
        let mut body = Box::pin(request.into_body());
        let mut data = Vec::new();
        loop {
            match body.frame().await.unwrap() {
                Ok(frame) => data.extend_from_slice(frame.data_ref().unwrap()),
                // Checks the type, not only the text.
                Err(Boom(value)) => return Ok::<_, (Vec<u8>, u32)>(Response::new((data, value))),
            }
        }
    });
    let response = in_time(
        MoonshotCompatLayer::new()
            .layer(inner)
            .oneshot(chat_request(body)),
    )
    .await;
    assert_eq!(response.unwrap().into_body(), (b"{\"model\":".to_vec(), 7));
}

/// axum recognizes the error of a limit within two wrappers, and adds one for every body
/// type other than its own.
#[tokio::test]
async fn a_body_over_the_limit_of_a_layer_around_is_still_413_in_axum() {
    let echo = || {
        Router::new()
            .route("/v1/chat/completions", post(async |body: Bytes| body))
            .layer(MoonshotCompatLayer::new())
    };
    for app in [
        echo()
            .layer(RequestBodyLimitLayer::new(16))
            .layer(DefaultBodyLimit::disable()),
        echo().layer(DefaultBodyLimit::max(16)),
    ] {
        // The length is unknown, so that the limit is reached while the body is read.
        let request = chat_request(Body::new(Box::pin(trickle(SHRINKING))));
        let response = in_time(app.oneshot(request)).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[tokio::test]
async fn nothing_is_called_if_the_caller_disconnects_while_the_body_is_read() {
    let inner = tower::service_fn(
        async |_: Request<RequestBody<_>>| -> Result<Response<()>, Infallible> {
            unreachable!("half a body arrived")
        },
    );
    let mut service = MoonshotCompatLayer::new().layer(inner);
    let (frames, body) = driven::<Infallible>();
    frames.send(Ok(Frame::data(SHRINKING.into()))).unwrap();
    let mut response = Box::pin(service.ready().await.unwrap().call(chat_request(body)));
    assert!(poll_once(&mut response).is_pending());
    assert!(!frames.is_closed());
    drop(response);
    assert!(frames.is_closed());
}

#[tokio::test]
async fn every_frame_wakes_the_reader() {
    let (frames, body) = driven::<Infallible>();
    let layer = MoonshotCompatLayer::new();
    let answer = arrived(&layer, chat_request(body));
    let send = async {
        for byte in SHRINKING.bytes() {
            let frame = Frame::data(Bytes::copy_from_slice(&[byte]));
            frames.send(Ok(frame)).unwrap();
            tokio::task::yield_now().await;
        }
        drop(frames);
    };
    let ((request, _), ()) = tokio::join!(answer, send);
    assert_eq!(request.body(), SHRUNK);
}
