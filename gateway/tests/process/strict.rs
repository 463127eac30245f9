//! An upstream that judges requests as strictly as a server can.

use std::{net::SocketAddr, panic::catch_unwind};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

use crate::harness::read_request;

/// A whole request as an upstream with a strict parser gets it.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) head: String,
    pub(crate) body: String,
}

/// An upstream that records whole requests. Those that are not well-formed are recorded
/// as such.
pub(crate) async fn strict() -> (SocketAddr, mpsc::UnboundedReceiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, got) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut read = read_request(&mut connection).await;
                while read.contains("transfer-encoding: chunked") && !read.ends_with("0\r\n\r\n") {
                    let mut more = Vec::new();
                    if connection.read_buf(&mut more).await.unwrap_or(0) == 0 {
                        return;
                    }
                    read.push_str(&String::from_utf8_lossy(&more));
                }
                if !read.contains("\r\n\r\n") {
                    return;
                }
                let response =
                    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                let _ = connection.write_all(response).await;
                // Whatever the gateway sends behind the request.
                let mut rest = Vec::new();
                let _ = connection.shutdown().await;
                let _ = connection.read_to_end(&mut rest).await;
                read.push_str(&String::from_utf8_lossy(&rest));
                let whole = catch_unwind(|| parse(&read)).unwrap_or_else(|_| {
                    let head = "not well-formed".to_owned();
                    Some(Got { head, body: read })
                });
                if let Some(whole) = whole {
                    let _ = sender.send(whole);
                }
            });
        }
    });
    (address, got)
}

/// Parses one request; `None` if it is cut off, which no server takes for a request.
fn parse(read: &str) -> Option<Got> {
    let (head, rest) = read.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let line: Vec<&str> = lines.next().unwrap().split(' ').collect();
    assert!(
        line.len() == 3 && line[1].starts_with("/v1/") && line[2] == "HTTP/1.1",
        "{head}"
    );
    let mut length = None;
    let (mut hosts, mut chunked) = (0, 0);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(name.bytes().all(is_name), "{line:?}");
        assert!(!value.contains(['\r', '\n', '\0']), "{line:?}");
        match name {
            "host" => hosts += 1,
            "transfer-encoding" => {
                assert_eq!(value, "chunked");
                chunked += 1;
            }
            "content-length" => {
                assert!(length.is_none() && value.bytes().all(|byte| byte.is_ascii_digit()));
                length = value.parse::<usize>().ok();
            }
            "connection" => panic!("{line}"),
            _ => {}
        }
    }
    assert_eq!(hosts, 1, "{head}");
    assert!(
        chunked + usize::from(length.is_some()) <= 1,
        "two lengths: {head}"
    );
    let body = match chunked {
        0 => {
            let length = length.unwrap_or(0);
            if rest.len() < length {
                return None;
            }
            assert_eq!(rest.len(), length, "more than one request: {read}");
            rest.to_owned()
        }
        _ => unchunk(rest),
    };
    Some(Got {
        head: head.to_owned(),
        body,
    })
}

fn unchunk(mut rest: &str) -> String {
    let mut body = String::new();
    loop {
        let (size, data) = rest.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            assert_eq!(data, "\r\n", "more than one request");
            return body;
        }
        body.push_str(&data[..size]);
        rest = data[size..].strip_prefix("\r\n").unwrap();
    }
}
