//! Ends that read slowly slow down those that send to them.

use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    messages::{chat, head},
    script::{Act, End, in_time},
    slowed::{from, is_slowed_down},
    stack::{BOTH, Stack},
};

#[tokio::test]
async fn a_client_that_does_not_read_its_stream() {
    for layers in BOTH {
        let stack = Stack::start(layers).await;
        let mut client = TcpStream::connect(stack.address).await.unwrap();
        client.write_all(chat().as_bytes()).await.unwrap();
        let (upstream, _) = in_time(stack.upstream.accept()).await.unwrap();
        let mut upstream = End::new(upstream);
        upstream.does(Act::Reads("}]}")).await;
        let start = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
            transfer-encoding: chunked\r\n\r\n";
        upstream.does(Act::Sends(start)).await;
        is_slowed_down(upstream.into_stream(), from(client)).await;
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
        is_slowed_down(client, from(upstream)).await;
        stack.is_idle().await;
    }
}
