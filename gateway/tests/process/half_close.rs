//! Clients that close their sending side, and clients that leave.

use std::{future::Future, time::Duration};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::harness::{Gateway, Setup, get, hello, in_time, read_request, read_until};

const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n\"one\"";
const FIRST: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
const REST: &[u8] = b"3\r\ntwo\r\n0\r\n\r\n";

/// A gateway, a client whose request has arrived, and the upstream's end of it.
struct Asked {
    gateway: Gateway,
    client: TcpStream,
    upstream: TcpStream,
}

impl Asked {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let setup = Setup::to(listener.local_addr().unwrap()).arguments(["--workers", "1"]);
        let gateway = setup.start().await;
        let mut client = TcpStream::connect(gateway.address).await.unwrap();
        client.write_all(hello().as_bytes()).await.unwrap();
        let (mut upstream, _) = in_time(listener.accept()).await.unwrap();
        read_request(&mut upstream).await;
        Self {
            gateway,
            client,
            upstream,
        }
    }

    /// Begins a stream.
    async fn streaming() -> Self {
        let mut asked = Self::new().await;
        asked.upstream.write_all(FIRST).await.unwrap();
        read_until(&mut asked.client, &mut Vec::new(), "one").await;
        asked
    }

    /// Closes the client's sending side, and waits until the gateway could notice: its
    /// only worker has responded to a later request.
    async fn half_close(&mut self) {
        self.client.shutdown().await.unwrap();
        let later = self.gateway.send(get("/health/readiness"));
        assert_eq!(later.await.status, 200);
    }

    /// Has the client leave by a reset.
    fn reset(self) -> (Gateway, TcpStream) {
        let socket = SockRef::from(&self.client);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        drop(self.client);
        (self.gateway, self.upstream)
    }
}

async fn is_cancelled(gateway: Gateway, mut upstream: TcpStream) {
    let _ = in_time(upstream.read_to_end(&mut Vec::new())).await;
    gateway.says("the client disconnected").await;
}

#[tokio::test]
async fn a_client_that_closes_its_sending_side_gets_its_response() {
    let mut asked = Asked::new().await;
    asked.half_close().await;
    asked.upstream.write_all(WHOLE).await.unwrap();
    let mut answer = String::new();
    in_time(asked.client.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n\"one\""), "{answer}");
}

#[tokio::test]
async fn a_client_that_closes_its_sending_side_gets_the_rest_of_its_stream() {
    let mut asked = Asked::streaming().await;
    asked.half_close().await;
    asked.upstream.write_all(REST).await.unwrap();
    let mut rest = Vec::new();
    in_time(asked.client.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.ends_with(b"two\r\n0\r\n\r\n"), "{rest:?}");
}

/// Runs a test for a client before its response, and for one with a silent stream.
async fn both<F: Future<Output = ()>>(test: impl Fn(Asked) -> F) {
    test(Asked::new().await).await;
    test(Asked::streaming().await).await;
}

#[tokio::test]
async fn a_reset_cancels_the_request() {
    both(|asked| async {
        let (gateway, upstream) = asked.reset();
        is_cancelled(gateway, upstream).await;
    })
    .await;
}

#[tokio::test]
async fn a_reset_after_a_half_close_cancels_the_request() {
    both(|mut asked| async {
        asked.half_close().await;
        let (gateway, upstream) = asked.reset();
        is_cancelled(gateway, upstream).await;
    })
    .await;
}

/// Until something is sent to it, its end looks like a half-closed one.
#[tokio::test]
async fn a_client_that_closes_its_socket_cancels_its_stream_at_the_next_piece() {
    let Asked {
        gateway,
        client,
        mut upstream,
    } = Asked::streaming().await;
    drop(client);
    let pieces = async { while upstream.write_all(b"1\r\nx\r\n").await.is_ok() {} };
    in_time(pieces).await;
    gateway.says("the client disconnected").await;
}

/// A probe by the kernel finds out that the socket of a silent client is gone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_silent_client_is_probed() {
    let asked = Asked::new().await;
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{:04X}", asked.gateway.address.port());
    let remote = format!(":{:04X}", asked.client.local_addr().unwrap().port());
    let row = table.lines().find(|row| {
        let columns: Vec<&str> = row.split_whitespace().collect();
        columns[1].ends_with(&local) && columns[2].ends_with(&remote)
    });
    // The kind of the timer that runs: 2 is that of the probes.
    let timer = row.unwrap().split_whitespace().nth(5).unwrap();
    assert!(timer.starts_with("02:"), "{timer}");
}

#[tokio::test]
async fn a_body_that_a_half_close_cuts_off_is_refused() {
    let gateway = Setup::default().start().await;
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    let request = hello();
    let half = &request.as_bytes()[..request.len() - 5];
    client.write_all(half).await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = String::new();
    in_time(client.read_to_string(&mut answer)).await.unwrap();
    assert!(!answer.contains(" 200 "), "{answer}");
}
