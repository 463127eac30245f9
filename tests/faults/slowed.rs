//! An end that reads slowly slows down the one that sends to it.
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

use crate::script::in_time;

const TOO_MUCH: usize = 64 << 20;

/// Sends as much as is taken, and reads at the other end only once nothing more is taken.
/// `read` returns how much it has read.
pub(crate) async fn is_slowed_down(mut sender: TcpStream, mut read: impl AsyncFnMut() -> usize) {
    let sent = AtomicUsize::new(0);
    // An event of 8 KiB.
    let chunk = format!("2000\r\ndata: {}\n\n\r\n", "x".repeat(0x2000 - 8));
    let sending = async {
        while sender.write_all(chunk.as_bytes()).await.is_ok() {
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
        while sent.load(Ordering::Relaxed) < before + (8 << 20) {
            assert_ne!(read().await, 0);
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

/// Reads from a socket for [`is_slowed_down`].
pub(crate) fn from(mut socket: TcpStream) -> impl AsyncFnMut() -> usize {
    let mut sink = vec![0; 1 << 20];
    async move || socket.read(&mut sink).await.unwrap()
}
