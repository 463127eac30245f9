//! A shutdown loses no request.
#![cfg(unix)]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use tower_moonshot::emulator::Emulator;

use crate::harness::{Answer, Gateway, KEY, Setup, emulated, hello, in_time};

async fn gateway() -> Gateway {
    let moonshot = emulated(Emulator::new().with_api_key(KEY)).await;
    let setup = Setup::to(moonshot).arguments(["--workers", "2"]);
    setup.start().await
}

/// A chat request that keeps the connection open.
fn ask() -> String {
    hello().replace("connection: close\r\n", "")
}

async fn rest(client: &mut TcpStream) -> Answer {
    let mut answer = String::new();
    in_time(client.read_to_string(&mut answer)).await.unwrap();
    Answer::parse(&answer)
}

/// The process is stopped, so that everything waits in the kernel: requests on new
/// connections, which it has not accepted, and on idle ones.
#[tokio::test]
async fn requests_that_wait_in_the_kernel_are_served() {
    const EACH: usize = 40;
    let mut gateway = gateway().await;
    let mut clients = Vec::new();
    for _ in 0..EACH {
        let mut client = TcpStream::connect(gateway.address).await.unwrap();
        assert_eq!(Gateway::send_on(&mut client, &ask()).await.status, 200);
        clients.push(client);
    }
    gateway.signal("STOP");
    for _ in 0..EACH {
        clients.push(TcpStream::connect(gateway.address).await.unwrap());
    }
    for client in &mut clients {
        client.write_all(ask().as_bytes()).await.unwrap();
    }
    gateway.terminate();
    gateway.signal("CONT");
    for (number, client) in clients.iter_mut().enumerate() {
        // A worker may read the request before it hears of the shutdown. Then the response
        // doesn't say `connection: close`, and the connection is closed after it.
        let answer = rest(client).await;
        assert_eq!(answer.status, 200, "{number}");
    }
    assert!(in_time(gateway.ended()).await, "{}", gateway.output());
}

/// Longer than this, an idle connection need not be kept during the shutdown.
const PAUSE: Duration = Duration::from_millis(500);

/// Sends requests until the gateway closes the connection; returns how many were served.
async fn keep_asking(gateway: SocketAddr, request: String) -> usize {
    let mut served = 0;
    let mut client = TcpStream::connect(gateway).await.unwrap();
    loop {
        let idle = Instant::now();
        let sent = client.write_all(request.as_bytes()).await;
        let is_late = idle.elapsed() > PAUSE;
        let answer = match sent {
            Ok(()) => read(&mut client).await,
            Err(_) => None,
        };
        let Some(answer) = answer else {
            assert!(is_late, "a request was lost after {served} responses");
            return served;
        };
        assert!(answer.contains(" 200 OK\r\n"), "{answer}");
        served += 1;
        if answer.contains("connection: close\r\n") {
            return served;
        }
    }
}

/// Reads a response with a length, or a stream to its end.
async fn read(client: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        let is_whole = match text.split_once("\r\n\r\n") {
            Some((head, body)) if head.contains("transfer-encoding: chunked") => {
                body.ends_with("0\r\n\r\n")
            }
            Some((head, body)) => {
                let length = head.split_once("content-length: ").unwrap().1;
                let length = length.lines().next().unwrap();
                body.len() >= length.parse::<usize>().unwrap()
            }
            None => false,
        };
        if is_whole {
            return Some(text.into_owned());
        }
        drop(text);
        if matches!(in_time(client.read_buf(&mut read)).await, Ok(0) | Err(_)) {
            assert!(read.is_empty(), "a response breaks off");
            return None;
        }
    }
}

#[tokio::test]
async fn a_shutdown_under_load_loses_no_request() {
    const CLIENTS: usize = 12;
    let mut gateway = gateway().await;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let request = match number % 2 {
            0 => ask(),
            _ => {
                let stream = r#"{"stream":true,"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;
                format!(
                    "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\n\
                     content-length: {}\r\n\r\n{stream}",
                    stream.len()
                )
            }
        };
        clients.spawn(keep_asking(gateway.address, request));
    }
    // Each client has had a response or more.
    let all = async {
        while gateway.output().matches("INFO request").count() < 4 * CLIENTS {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    in_time(all).await;
    gateway.terminate();
    let mut served = 0;
    while let Some(client) = in_time(clients.join_next()).await {
        served += client.unwrap();
    }
    assert!(served >= 4 * CLIENTS, "{served}");
    assert!(in_time(gateway.ended()).await, "{}", gateway.output());
}
