//! The timeout for reading bodies: what it ends, what it leaves alone, and what is freed.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    BoxError, Router,
    body::Body,
    error_handling::HandleErrorLayer,
    http::{Request, Response, StatusCode},
};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_moonshot::{
    MoonshotCompatLayer, RequestBody,
    timeout::{BodyReadTimeoutError, BodyReadTimeoutLayer},
};

use crate::harness::*;

const LIMIT: Duration = Duration::from_secs(30);

fn layer() -> BodyReadTimeoutLayer {
    MoonshotCompatLayer::new().with_body_read_timeout(LIMIT)
}

/// What is to happen to a body, step by step.
#[derive(Clone, Copy)]
enum Step {
    Send(&'static str),
    Wait(u64),
    End,
}

/// Plays a body on a paused clock. Returns the error of the layer, if it ended the
/// reading, how many seconds have passed, and what the inner service read.
async fn played(path: &str, steps: &'static [Step]) -> (Option<BoxError>, u64, Vec<String>) {
    let (sender, mut frames) = mpsc::unbounded_channel();
    let body = StreamBody::new(futures_util::stream::poll_fn(move |cx| {
        frames.poll_recv(cx)
    }));
    let (tell, mut read) = mpsc::unbounded_channel();
    let inner = tower::service_fn(move |request: Request<RequestBody<_>>| {
        let tell = tell.clone();
        async move {
            let body = request.into_body().collect().await?.to_bytes();
            // Longer than the limit: a model takes its time.
            sleep(2 * LIMIT).await;
            tell.send(String::from_utf8_lossy(&body).into_owned())
                .unwrap();
            Ok::<_, Infallible>(Response::new(()))
        }
    });
    let request = Request::post(path).body(body).unwrap();
    let start = Instant::now();
    tokio::spawn(async move {
        for step in steps {
            match step {
                Step::Send(text) => {
                    let frame = Frame::data(Bytes::from_static(text.as_bytes()));
                    // Nobody reads on after the time limit.
                    let _ = sender.send(Ok::<_, Infallible>(frame));
                }
                Step::Wait(seconds) => sleep(Duration::from_secs(*seconds)).await,
                Step::End => return,
            }
        }
        sender.closed().await;
    });
    let result = layer().layer(inner).oneshot(request).await;
    let passed = start.elapsed().as_secs();
    let mut all = Vec::new();
    while let Ok(body) = read.try_recv() {
        all.push(body);
    }
    (result.err(), passed, all)
}

#[tokio::test(start_paused = true)]
async fn the_time_between_two_bytes_is_limited() {
    use Step::{End, Send, Wait};

    const CHAT: &str = "/v1/chat/completions";
    const ANSWER: u64 = 2 * LIMIT.as_secs();
    let (start, end) = ("{\"model\":\"kimi-k3\",", "\"messages\":[]}");
    assert_eq!(LIMIT.as_secs(), 30);
    let cases: [(&str, &'static [Step], u64, bool); 7] = [
        // Nothing, and the start, and no more.
        (CHAT, &[], 30, false),
        (CHAT, &[Send("{"), Wait(29), Send(" ")], 59, false),
        // A frame without data is not progress.
        (CHAT, &[Send("{"), Wait(29), Send("")], 30, false),
        // Always in time, however long it takes altogether.
        (
            CHAT,
            &[
                Wait(29),
                Send("{\"model\":\"kimi-k3\","),
                Wait(29),
                Send("\"messages\":[]}"),
                Wait(29),
                End,
            ],
            3 * 29 + ANSWER,
            true,
        ),
        // At once: only the inner service takes its time.
        (
            CHAT,
            &[Send("{\"model\":\"kimi-k3\",\"messages\":[]}"), End],
            ANSWER,
            true,
        ),
        (
            CHAT,
            &[
                Send("{\"model\":\"kimi-k3\","),
                Send("\"messages\":[]}"),
                End,
            ],
            ANSWER,
            true,
        ),
        // The layer reads no other body.
        (
            "/v1/files",
            &[
                Send("{\"model\":\"kimi-k3\","),
                Wait(40),
                Send("\"messages\":[]}"),
                End,
            ],
            40 + ANSWER,
            true,
        ),
    ];
    for (number, (path, steps, seconds, arrives)) in cases.into_iter().enumerate() {
        let (error, passed, read) = played(path, steps).await;
        assert_eq!(passed, seconds, "{number}");
        let Some(error) = error else {
            assert!(arrives, "{number}");
            assert_eq!(read, [format!("{start}{end}")], "{number}");
            continue;
        };
        assert!(!arrives, "{number}");
        assert!(read.is_empty(), "{number}");
        let error = error.downcast::<BodyReadTimeoutError>().unwrap();
        assert_eq!(error.timeout(), LIMIT);
        assert_eq!(
            error.to_string(),
            "the request body is incomplete, and no more of it arrived within 30s"
        );
    }
}

/// A place inside of the layer that an upload held is free again.
#[tokio::test]
async fn an_idle_upload_gives_its_place_back() {
    let calls = Arc::new(AtomicUsize::new(0));
    let inner = {
        let calls = Arc::clone(&calls);
        tower::service_fn(move |request: Request<Outgoing>| {
            let calls = Arc::clone(&calls);
            async move {
                calls.fetch_add(1, Ordering::SeqCst);
                let body = request.into_body().collect().await?.to_bytes();
                Ok::<_, BoxError>(Response::new(Body::from(body)))
            }
        })
    };
    let service = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|error: BoxError| async move {
            let status = match error.is::<BodyReadTimeoutError>() {
                true => StatusCode::REQUEST_TIMEOUT,
                false => StatusCode::BAD_GATEWAY,
            };
            (status, error.to_string())
        }))
        .layer(MoonshotCompatLayer::new().with_body_read_timeout(Duration::from_millis(50)))
        .concurrency_limit(1)
        .service(inner);
    let gateway = Server::start(Router::new().fallback_service(service)).await;

    let mut idle = Wire::connect(gateway.address).await;
    let length = SHRINKING.len();
    idle.send(chat(
        &format!("expect: 100-continue\r\ncontent-length: {length}\r\n"),
        "",
    ))
    .await;
    // From now on the layer reads, and holds the only place.
    assert_eq!(idle.head().await.start, "HTTP/1.1 100 Continue");
    idle.send(&SHRINKING[..20]).await;

    // The whole request is in one packet, so that its reader never waits.
    let mut client = Wire::connect(gateway.address).await;
    client.send(chat_of(SHRINKING)).await;
    let answer = client.message().await;
    assert_eq!(answer.head.start, "HTTP/1.1 200 OK");
    assert_eq!(answer.body, SHRUNK);

    assert_eq!(idle.head().await.start, "HTTP/1.1 408 Request Timeout");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
