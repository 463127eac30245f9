//! Streamed responses.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, http::StatusCode, response::Response, routing::get};
use bytes::Bytes;
use futures_util::stream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
};

use crate::harness::{Setup, hello, in_time, read_request, read_until, saying, serve};

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn each_event_is_forwarded_at_once() {
    let (events, receiver) = mpsc::unbounded_channel::<Bytes>();
    let receiver = Arc::new(std::sync::Mutex::new(Some(receiver)));
    let upstream = Router::new().fallback(move || {
        let receiver = receiver.lock().unwrap().take().unwrap();
        async move {
            let events = stream::unfold(receiver, |mut receiver| async {
                let event = receiver.recv().await?;
                Some((Ok::<_, std::io::Error>(event), receiver))
            });
            Response::builder()
                .header("content-type", "text/event-stream")
                .body(Body::from_stream(events))
                .unwrap()
        }
    });
    let gateway = Setup::to(serve(upstream).await).start().await;

    let mut connection = TcpStream::connect(gateway.address).await.unwrap();
    connection.write_all(hello().as_bytes()).await.unwrap();
    let mut read = Vec::new();
    for number in 0..5 {
        let event = format!("data: {number}\n\n");
        events.send(Bytes::from(event.clone())).unwrap();
        // The next event is only sent once this one has arrived.
        read_until(&mut connection, &mut read, &event).await;
    }
    drop(events);
    in_time(connection.read_to_end(&mut read)).await.unwrap();
    assert!(read.ends_with(b"0\r\n\r\n"), "the stream ends properly");
}

#[tokio::test]
async fn the_first_byte_timeout_does_not_cut_off_streams() {
    let upstream = Router::new().fallback(|| async {
        let numbers = stream::unfold(0, |number| async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            (number < 5).then(|| (Ok::<_, std::io::Error>(format!("{number};")), number + 1))
        });
        Body::from_stream(numbers)
    });
    let setup = Setup::to(serve(upstream).await);
    let gateway = setup.arguments(["--first-byte-timeout", "1"]).start().await;
    let answer = gateway.send(hello()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("4;") && answer.body.ends_with("0\r\n\r\n"));
}

/// An upstream that sends an endless stream, counts the bytes it has sent, and reports
/// when the connection is closed.
async fn endless() -> (std::net::SocketAddr, Arc<AtomicUsize>, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let written = Arc::new(AtomicUsize::new(0));
    let (closed, is_closed) = mpsc::channel(1);
    tokio::spawn({
        let written = Arc::clone(&written);
        async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            read_request(&mut connection).await;
            connection.write_all(HEAD).await.unwrap();
            let chunk = format!("2000\r\n{}\r\n", "x".repeat(0x2000));
            while connection.write_all(chunk.as_bytes()).await.is_ok() {
                written.fetch_add(chunk.len(), Ordering::Relaxed);
            }
            closed.send(()).await.unwrap();
        }
    });
    (address, written, is_closed)
}

/// Timing doesn't decide. 64 MB exceed all buffers on the way, so an upstream that has
/// sent them all was not slowed down. One that stalls earlier must continue when the client
/// reads.
#[tokio::test]
async fn a_slow_client_slows_down_the_upstream() {
    const TOO_MUCH: usize = 64 << 20;
    let (upstream, written, _closed) = endless().await;
    let gateway = Setup::to(upstream).start().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let mut client = socket.connect(gateway.address).await.unwrap();
    client.write_all(hello().as_bytes()).await.unwrap();
    let mut read = Vec::new();
    read_until(&mut client, &mut read, "xxx").await;

    let blocked = async {
        let mut before = 0;
        let mut unchanged = 0;
        while unchanged < 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = written.load(Ordering::Relaxed);
            assert!(now < TOO_MUCH, "the upstream was not slowed down");
            unchanged = if now == before { unchanged + 1 } else { 0 };
            before = now;
        }
        before
    };
    let blocked = in_time(blocked).await;
    let mut sink = vec![0; 1 << 20];
    while written.load(Ordering::Relaxed) < blocked + (8 << 20) {
        assert_ne!(in_time(client.read(&mut sink)).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_client_that_disconnects_from_a_busy_stream_closes_the_upstreams_connection() {
    let (upstream, _, mut closed) = endless().await;
    let gateway = Setup::to(upstream).start().await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(hello().as_bytes()).await.unwrap();
    read_until(&mut client, &mut Vec::new(), "xxx").await;
    drop(client);
    in_time(closed.recv()).await.unwrap();
    let line = gateway.says("the client disconnected").await;
    assert!(line.contains("status=200"), "{line}");
}

/// In a silent stream no failed write reveals that the client has disconnected.
#[tokio::test]
async fn a_client_that_disconnects_from_a_silent_stream_closes_the_upstreams_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::to(listener.local_addr().unwrap()).arguments(["--no-half-close"]);
    let gateway = setup.start().await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(hello().as_bytes()).await.unwrap();
    let (mut upstream, _) = in_time(listener.accept()).await.unwrap();
    read_request(&mut upstream).await;
    upstream.write_all(HEAD).await.unwrap();
    upstream.write_all(b"9\r\ndata: 1\n\n\r\n").await.unwrap();
    read_until(&mut client, &mut Vec::new(), "data: 1").await;
    drop(client);
    let mut rest = Vec::new();
    // The connection ends, or is reset.
    let _ = in_time(upstream.read_to_end(&mut rest)).await;
    gateway.says("the client disconnected").await;
}

/// The client cancels one of two streams on a connection. The other continues.
#[tokio::test]
async fn over_http_2_a_cancelled_stream_closes_only_its_own_upstream_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Setup::to(listener.local_addr().unwrap()).start().await;
    let client = reqwest::Client::builder().no_proxy();
    let client = client.http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}/v1/chat/completions", gateway.address);
    let stream = async || {
        let request = client.post(&url).body(r#"{"model":"kimi-k3"}"#).send();
        let upstream = async {
            let (mut upstream, _) = listener.accept().await.unwrap();
            read_request(&mut upstream).await;
            upstream.write_all(HEAD).await.unwrap();
            upstream.write_all(b"b\r\ndata: one\n\n\r\n").await.unwrap();
            upstream
        };
        let (answer, upstream) = in_time(async { tokio::join!(request, upstream) }).await;
        let mut answer = answer.unwrap();
        assert_eq!(
            in_time(answer.chunk()).await.unwrap().unwrap(),
            "data: one\n\n"
        );
        (answer, upstream)
    };
    let (left, mut its_upstream) = stream().await;
    let (kept, mut upstream) = stream().await;
    drop(left);
    let _ = in_time(its_upstream.read_to_end(&mut Vec::new())).await;
    gateway.says("the client disconnected").await;
    upstream
        .write_all(b"b\r\ndata: two\n\n\r\n0\r\n\r\n")
        .await
        .unwrap();
    let rest = in_time(kept.text()).await.unwrap();
    assert!(rest.starts_with("data: two\n\n"), "{rest}");
}

/// Reports when it is dropped.
struct Tell(mpsc::UnboundedSender<&'static str>);

impl Drop for Tell {
    fn drop(&mut self) {
        let _ = self.0.send("cancelled");
    }
}

#[tokio::test]
async fn a_client_that_disconnects_before_the_response_cancels_the_request() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let upstream = Router::new().route(
        "/v1/slow",
        get(|| async move {
            let _tell = Tell(sender.clone());
            sender.send("thinking").unwrap();
            pending::<StatusCode>().await
        }),
    );
    let setup = Setup::to(serve(upstream).await).arguments(["--no-half-close"]);
    let gateway = setup.start().await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    let request = b"GET /v1/slow HTTP/1.1\r\nhost: gateway\r\n\r\n";
    client.write_all(request).await.unwrap();
    assert_eq!(in_time(told.recv()).await, Some("thinking"));
    drop(client);
    assert_eq!(in_time(told.recv()).await, Some("cancelled"));
    let line = gateway.says("the client disconnected").await;
    assert!(line.contains("status=499"), "{line}");
}

#[tokio::test]
async fn a_response_that_breaks_off_does_not_look_complete() {
    let half = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
    let upstream = crate::harness::saying(half).await;
    let gateway = Setup::to(upstream.address).start().await;
    let answer = gateway.send(hello()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("data: 1"));
    assert!(!answer.body.ends_with("0\r\n\r\n"), "{}", answer.body);
    gateway.says("the upstream broke off").await;
}

#[tokio::test]
async fn connections_to_the_upstream_are_reused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Each worker has its own connections.
    let setup = Setup::to(listener.local_addr().unwrap()).arguments(["--workers", "1"]);
    let gateway = setup.start().await;
    let upstream = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        for _ in 0..3 {
            assert!(read_request(&mut connection).await.starts_with("POST "));
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
            connection.write_all(answer).await.unwrap();
        }
    };
    let client = async {
        for _ in 0..3 {
            assert_eq!(gateway.send(hello()).await.status, 200);
        }
    };
    in_time(async { tokio::join!(upstream, client) }).await;
}

/// The gateway sets the version and the framing of its responses itself.
#[tokio::test]
async fn an_old_or_odd_upstream_response_is_normalised() {
    for (answer, body) in [
        ("HTTP/1.0 200 OK\r\n\r\n{}", "2\r\n{}\r\n0\r\n\r\n"),
        // The wrong length has no meaning beside chunked encoding.
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n\
             2\r\n{}\r\n0\r\n\r\n",
            "2\r\n{}\r\n0\r\n\r\n",
        ),
    ] {
        let upstream = saying(answer).await;
        let gateway = Setup::to(upstream.address).start().await;
        let answer = gateway.send(hello()).await;
        assert!(answer.head.starts_with("http/1.1 200"), "{answer:?}");
        assert_eq!(answer.header("content-length"), None);
        assert_eq!(answer.body, body);
    }
}

#[tokio::test]
async fn a_response_with_trailers_is_logged_as_complete() {
    let trailers = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                    2\r\n{}\r\n0\r\nx-checksum: 1\r\n\r\n";
    let upstream = saying(trailers).await;
    let gateway = Setup::to(upstream.address).start().await;
    assert_eq!(gateway.send(hello()).await.body, "2\r\n{}\r\n0\r\n\r\n");
    let line = gateway.says("bytes_out=2").await;
    assert!(!line.contains("end="), "{line}");
}

#[tokio::test]
async fn a_connection_goes_to_the_worker_with_the_fewest_connections_and_stays_there() {
    // An upstream that responds with the number of its connection.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (mut connection, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                while !read_request(&mut connection).await.is_empty() {
                    let head = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n";
                    let answer = format!("{head}\"{number}\"");
                    connection.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    let setup = Setup::to(upstream).arguments(["--workers", "2"]);
    let gateway = setup.start().await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(TcpStream::connect(gateway.address).await.unwrap());
    }
    for _ in 0..2 {
        for (number, client) in clients.iter_mut().enumerate() {
            let request = hello().replace("connection: close\r\n", "");
            client.write_all(request.as_bytes()).await.unwrap();
            let worker = format!("\"{}\"", number % 2);
            read_until(client, &mut Vec::new(), &worker).await;
        }
    }
}
