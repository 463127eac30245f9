//! Ends that read slowly slow down those that send to them. HTTP/1.1 clients that do not read
//! their stream are in `streams.rs`.

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::Stack;
use crate::{
    harness::in_time,
    messages::head,
    slowed::{from, is_slowed_down},
};

#[tokio::test]
async fn an_upstream_that_does_not_read_an_upload() {
    let stack = Stack::start(&[]).await;
    let mut client = TcpStream::connect(stack.gateway.address).await.unwrap();
    let start = format!("{}transfer-encoding: chunked\r\n\r\n", head("/v1/files"));
    client.write_all(start.as_bytes()).await.unwrap();
    let (upstream, _) = in_time(stack.upstream.accept()).await.unwrap();
    is_slowed_down(client, from(upstream)).await;
    stack.is_idle().await;
}
