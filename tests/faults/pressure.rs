//! Ends that read slowly slow down those that send to them.
//!
//! Timing doesn't decide. 64 MB exceed all buffers on the way, so an end that has sent them
//! all was not slowed down. One that stops earlier must go on when it is read from.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    script::{Act, End, in_time},
    stack::{BOTH, CHAT, Stack, chat, head},
};

const TOO_MUCH: usize = 64 << 20;

/// Sends to `from` as much as it takes, and reads from `to` only once nothing more is taken.
async fn is_slowed_down(mut from: TcpStream, mut to: TcpStream) {
    let sent = AtomicUsize::new(0);
    // An event of 8 KiB.
    let chunk = format!("2000\r\ndata: {}\n\n\r\n", "x".repeat(0x2000 - 8));
    let sending = async {
        while from.write_all(chunk.as_bytes()).await.is_ok() {
            sent.fetch_add(chunk.len(), Ordering::Relaxed);
        }
    };
    let reading = async {
        let (mut before, mut unchanged) = (0, 0);
        while unchanged < 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = sent.load(Ordering::Relaxed);
            assert!(now < TOO_MUCH, "nothing has slowed it down");
            unchanged = if now == before { unchanged + 1 } else { 0 };
            before = now;
        }
        let mut sink = vec![0; 1 << 20];
        while sent.load(Ordering::Relaxed) < before + (8 << 20) {
            assert_ne!(to.read(&mut sink).await.unwrap(), 0);
        }
    };
    in_time(async {
        tokio::select! {
            () = sending => panic!("the connection has ended"),
            () = reading => {}
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_stream() {
    for layers in BOTH {
        let stack = Stack::start(layers).await;
        let mut client = TcpStream::connect(stack.address).await.unwrap();
        client.write_all(chat(CHAT).as_bytes()).await.unwrap();
        let (upstream, _) = in_time(stack.upstream.accept()).await.unwrap();
        let mut upstream = End::new(upstream);
        upstream.does(Act::Reads("}]}")).await;
        let start = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
            transfer-encoding: chunked\r\n\r\n";
        upstream.does(Act::Sends(start)).await;
        is_slowed_down(upstream.into_stream(), client).await;
        stack.is_idle().await;
    }
}

#[tokio::test]
async fn an_upstream_that_does_not_read_an_upload() {
    for layers in BOTH {
        let stack = Stack::start(layers).await;
        let mut client = TcpStream::connect(stack.address).await.unwrap();
        let start = format!("{}transfer-encoding: chunked\r\n\r\n", head("/v1/files"));
        client.write_all(start.as_bytes()).await.unwrap();
        let (upstream, _) = in_time(stack.upstream.accept()).await.unwrap();
        is_slowed_down(client, upstream).await;
        stack.is_idle().await;
    }
}
