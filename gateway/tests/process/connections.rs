//! When connections are closed, and how many may be open.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};

use crate::{
    harness::{Gateway, Setup, hello, in_time, read_request, read_until, saying},
    http2::{DATA, GOAWAY, Http2},
};

const HEALTH: &str = "GET /health/readiness HTTP/1.1\r\nhost: gateway\r\n\r\n";

/// The window of a client that takes all of a response at once.
const WIDE: u32 = 1 << 20;

#[tokio::test]
async fn an_idle_http_2_connection_is_closed_whatever_its_requests_got() {
    let setup = Setup::default().variable("LITELLM_MASTER_KEY", "sk-1234");
    let gateway = setup.arguments(["--client-timeout", "0.2"]).start().await;
    // Answered, refused for want of a key, and unknown.
    for path in ["/health/readiness", "/v1/models", "/nothing"] {
        let mut client = Http2::connect(&gateway, WIDE).await;
        client.get(path).await;
        client.response().await;
        let kinds = client.closed().await;
        assert!(kinds.contains(&GOAWAY), "{path}: {kinds:?}");
    }
}

#[tokio::test]
async fn an_idle_http_1_connection_is_closed() {
    let setup = Setup::default().arguments(["--client-timeout", "0.2"]);
    let gateway = setup.start().await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    assert_eq!(Gateway::send_on(&mut client, HEALTH).await.status, 200);
    assert_eq!(in_time(client.read(&mut [0])).await.unwrap(), 0);
}

/// The pauses are a twentieth of the timeout, and are longer than it together.
#[tokio::test]
async fn each_request_restarts_the_clock() {
    let setup = Setup::default().arguments(["--client-timeout", "4"]);
    let gateway = setup.start().await;
    let mut first = TcpStream::connect(gateway.address).await.unwrap();
    let mut second = Http2::connect(&gateway, WIDE).await;
    for _ in 0..25 {
        assert_eq!(Gateway::send_on(&mut first, HEALTH).await.status, 200);
        second.get("/health/readiness").await;
        second.response().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until other connections have been idle for too long, one after the other.
async fn several_timeouts(gateway: &Gateway) {
    for _ in 0..4 {
        let mut idle = Http2::connect(gateway, WIDE).await;
        idle.get("/health/readiness").await;
        idle.closed().await;
    }
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
const REST: &[u8] = b"3\r\ntwo\r\n0\r\n\r\n";

#[tokio::test]
async fn a_silent_stream_is_not_cut_off() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::to(upstream.local_addr().unwrap());
    let gateway = setup.arguments(["--client-timeout", "0.2"]).start().await;

    let mut first = TcpStream::connect(gateway.address).await.unwrap();
    first.write_all(hello().as_bytes()).await.unwrap();
    let (mut its_upstream, _) = in_time(upstream.accept()).await.unwrap();
    read_request(&mut its_upstream).await;
    its_upstream.write_all(HEAD).await.unwrap();
    read_until(&mut first, &mut Vec::new(), "one").await;

    let mut second = Http2::connect(&gateway, WIDE).await;
    second.get("/v1/stream").await;
    let (mut other_upstream, _) = in_time(upstream.accept()).await.unwrap();
    read_request(&mut other_upstream).await;
    other_upstream.write_all(HEAD).await.unwrap();

    let pings = async {
        loop {
            let frame = second.read().await.expect("the stream is cut off");
            if frame.kind == DATA && frame.payload == b"two" {
                return;
            }
        }
    };
    let silence = async {
        several_timeouts(&gateway).await;
        other_upstream.write_all(REST).await.unwrap();
    };
    tokio::join!(pings, silence);
    its_upstream.write_all(REST).await.unwrap();
    let mut rest = Vec::new();
    in_time(first.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.ends_with(b"two\r\n0\r\n\r\n"));
}

/// Its host has vanished without a word, so it does not respond to pings.
#[tokio::test]
async fn a_dead_http_2_client_is_found_out_and_its_request_cancelled() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::to(upstream.local_addr().unwrap());
    let gateway = setup.arguments(["--client-timeout", "0.2"]).start().await;
    let mut client = Http2::connect(&gateway, WIDE).await;
    client.is_alive = false;
    client.get("/v1/stream").await;
    let (mut upstream, _) = in_time(upstream.accept()).await.unwrap();
    read_request(&mut upstream).await;
    client.closed().await;
    let _ = in_time(upstream.read_to_end(&mut Vec::new())).await;
    gateway.says("the client disconnected").await;
}

/// The gateway has handed the whole response over to its connection long before the
/// client has taken it.
#[tokio::test]
async fn a_slow_http_2_client_gets_the_whole_response() {
    const STEP: u32 = 100;
    const STEPS: u32 = 60;
    let body = "x".repeat((STEP * STEPS) as usize);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let upstream = saying(answer.leak()).await;
    let setup = Setup::to(upstream.address).arguments(["--client-timeout", "2"]);
    let gateway = setup.start().await;
    let mut client = Http2::connect(&gateway, STEP).await;
    client.get("/v1/file").await;
    let mut taken = 0;
    while taken < body.len() {
        let frame = client.read().await.expect("the response is cut off");
        if frame.kind == DATA {
            taken += frame.payload.len();
            // A twentieth of the timeout.
            tokio::time::sleep(Duration::from_millis(100)).await;
            client.take(1, STEP).await;
        }
    }
}

#[tokio::test]
async fn an_http_2_client_that_takes_no_response_is_closed() {
    let setup = Setup::default().variable("LITELLM_MASTER_KEY", "sk-1234");
    let gateway = setup.arguments(["--client-timeout", "0.2"]).start().await;
    let mut client = Http2::connect(&gateway, 0).await;
    client.get("/v1/models").await;
    let kinds = client.closed().await;
    assert!(
        kinds.contains(&GOAWAY) && !kinds.contains(&DATA),
        "{kinds:?}"
    );
}

/// Opens a connection from this address that the gateway has accepted.
async fn accepted(gateway: &Gateway, from: [u8; 4]) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut client = socket.connect(gateway.address).await.unwrap();
    // Fails if the gateway has closed the connection already.
    let _ = client.write_all(HEALTH.as_bytes()).await;
    let answer = Gateway::read_on(&mut client).await?;
    assert_eq!(answer.status, 200);
    Some(client)
}

/// Waits until a connection is accepted again.
async fn becomes_free(gateway: &Gateway, from: [u8; 4]) {
    let free = async { while accepted(gateway, from).await.is_none() {} };
    in_time(free).await;
}

// Other systems have no loopback address but this.
const HERE: [u8; 4] = [127, 0, 0, 1];
#[cfg(target_os = "linux")]
const THERE: [u8; 4] = [127, 0, 0, 2];

const METRICS: &str = "GET /metrics HTTP/1.1\r\nhost: gateway\r\n\r\n";

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_address_cannot_use_up_the_connections() {
    let setup = Setup::default().arguments(["--max-connections-per-address", "2"]);
    let gateway = setup.start().await;
    let mut first = accepted(&gateway, HERE).await.unwrap();
    let second = accepted(&gateway, HERE).await.unwrap();
    assert!(accepted(&gateway, HERE).await.is_none());
    assert!(accepted(&gateway, THERE).await.is_some());
    let line = gateway
        .says("--max-connections-per-address is reached")
        .await;
    assert!(line.contains("peer=127.0.0.1"), "{line}");

    let metrics = Gateway::send_on(&mut first, METRICS).await.body;
    let refused = "gateway_refused_connections_total{limit=\"address\"} 1\n";
    assert!(metrics.contains(refused), "{metrics}");
    drop(second);
    becomes_free(&gateway, HERE).await;
}

#[tokio::test]
async fn connections_in_all_are_limited_and_the_limit_per_address_can_be_switched_off() {
    let gateway = Setup::default()
        .arguments(["--max-connections", "3"])
        .arguments(["--max-connections-per-address", "0"])
        .start()
        .await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(accepted(&gateway, HERE).await.unwrap());
    }
    assert!(accepted(&gateway, HERE).await.is_none());
    gateway.says("--max-connections is reached").await;
    let metrics = Gateway::send_on(&mut clients[0], METRICS).await.body;
    for line in [
        "gateway_refused_connections_total{limit=\"all\"} 1\n",
        "gateway_open_connections 3\n",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    clients.pop();
    becomes_free(&gateway, HERE).await;
}

/// Each open connection is a file. Requests to the upstream need some of them too.
#[cfg(unix)]
#[tokio::test]
async fn fewer_connections_are_accepted_if_few_files_may_be_open() {
    let setup = Setup::default().open_files(40, 100);
    let gateway = setup.start().await;
    gateway.says("at most 18 connections are accepted").await;
    let mut clients = Vec::new();
    for _ in 0..18 {
        clients.push(accepted(&gateway, HERE).await.unwrap());
    }
    assert!(accepted(&gateway, HERE).await.is_none());
}
