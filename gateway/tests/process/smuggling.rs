//! Requests over HTTP/1 that two servers in a row may take for different ones.
//!
//! Each row says what the client gets. The upstream gets the one request that is meant,
//! well-formed, or none. Nothing in a body or a header becomes a request of its own.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    harness::{Setup, in_time},
    strict::strict,
};

/// What the client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// A JSON error with this status, after which the connection is closed.
    Refused(u16),
    /// 200, and the upstream gets this body.
    Served(&'static str),
}

use Client::{Refused, Served};

/// A second request, which must not reach the upstream unless a client sends it.
const SMUGGLED: &str = "GET /v1/smuggled HTTP/1.1\r\nhost: h\r\n\r\n";

/// Sends bytes and reads until the gateway closes the connection.
async fn exchange(gateway: SocketAddr, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(gateway).await.unwrap();
    // The gateway may refuse it before it has read everything.
    let _ = connection.write_all(request).await;
    let mut read = Vec::new();
    let _ = in_time(connection.read_to_end(&mut read)).await;
    String::from_utf8_lossy(&read).into_owned()
}

pub(crate) fn row(head: &str, body: &str) -> Vec<u8> {
    format!("POST /v1/files HTTP/1.1\r\n{head}\r\n{body}").into_bytes()
}

/// A request whose framing is told by these headers, with a body and then `SMUGGLED`.
pub(crate) fn framed(headers: &str, body: &str) -> Vec<u8> {
    row(
        &format!("host: h\r\nconnection: close\r\n{headers}"),
        &format!("{body}{SMUGGLED}"),
    )
}

pub(crate) async fn check(rows: Vec<(&str, Vec<u8>, Client)>) {
    let (address, mut got) = strict().await;
    let arguments = ["--client-timeout", "5"];
    let gateway = Setup::to(address).arguments(arguments).start().await;
    let mut wrong = Vec::new();
    // Shows what the rows before it may have left behind.
    let last = framed("content-length: 4\r\n", "last");
    let rows = rows
        .into_iter()
        .chain([("the last one", last, Served("last"))]);
    for (name, request, client) in rows {
        let answer = exchange(gateway.address, &request).await;
        let is_right = match client {
            Refused(status) => {
                answer.starts_with(&format!("HTTP/1.1 {status} "))
                    && answer.contains("{\"error\":{")
            }
            Served(_) => answer.contains("HTTP/1.1 200 "),
        };
        // The bodies contain none of this.
        if !is_right || answer.matches("HTTP/1.1 ").count() != 1 {
            wrong.push(format!("{name}, {client:?}: {answer:?}"));
            continue;
        }
        if let Served(body) = client {
            let request = in_time(got.recv()).await.unwrap();
            assert_eq!(request.body, body, "{name}: {}", request.head);
            assert!(
                !request.head.contains("smuggled"),
                "{name}: {}",
                request.head
            );
        }
        // A request that is refused may have begun at the upstream, but never ends.
        assert!(got.try_recv().is_err(), "{name}: more than one request");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn lengths() {
    let cl = |value: &str| framed(&format!("content-length: {value}\r\n"), "hello");
    check(vec![
        ("a length", cl("5"), Served("hello")),
        ("leading zeros", cl("0005"), Served("hello")),
        (
            "white space",
            framed("content-length:\t 5 \t\r\n", "hello"),
            Served("hello"),
        ),
        ("negative", cl("-5"), Refused(400)),
        ("signed", cl("+5"), Refused(400)),
        ("hexadecimal", cl("0x5"), Refused(400)),
        ("a fraction", cl("5.0"), Refused(400)),
        ("two numbers", cl("5 5"), Refused(400)),
        ("a list of equal ones", cl("5, 5"), Refused(400)),
        ("empty", cl(""), Refused(400)),
        ("2^64 + 5", cl("18446744073709551621"), Refused(400)),
        ("2^64 - 1", cl("18446744073709551615"), Refused(431)),
        (
            "equal ones",
            framed("content-length: 5\r\ncontent-length: 5\r\n", "hello"),
            Served("hello"),
        ),
        (
            "different ones",
            framed("content-length: 5\r\ncontent-length: 6\r\n", "hello"),
            Refused(400),
        ),
        (
            "different ones, 0 first",
            framed("content-length: 0\r\ncontent-length: 5\r\n", "hello"),
            Refused(400),
        ),
        ("none", framed("", ""), Served("")),
        (
            "underscore",
            framed("content_length: 5\r\n", ""),
            Served(""),
        ),
    ])
    .await;
}

#[tokio::test]
async fn transfer_encodings() {
    let chunks = "5\r\nhello\r\n0\r\n\r\n";
    let te = |headers: &str| framed(headers, chunks);
    check(vec![
        (
            "chunked",
            te("transfer-encoding: chunked\r\n"),
            Served("hello"),
        ),
        (
            "in capitals",
            te("Transfer-Encoding: CHUNKED\r\n"),
            Served("hello"),
        ),
        (
            "white space around",
            te("transfer-encoding: \t chunked \t\r\n"),
            Served("hello"),
        ),
        (
            "CL before TE",
            te("content-length: 5\r\ntransfer-encoding: chunked\r\n"),
            Served("hello"),
        ),
        (
            "TE before CL",
            te("transfer-encoding: chunked\r\ncontent-length: 100\r\n"),
            Served("hello"),
        ),
        (
            "xchunked",
            te("transfer-encoding: xchunked\r\n"),
            Refused(400),
        ),
        (
            "chunkedx",
            te("transfer-encoding: chunkedx\r\n"),
            Refused(400),
        ),
        (
            "identity",
            te("transfer-encoding: identity\r\ncontent-length: 5\r\n"),
            Refused(400),
        ),
        (
            "chunked, identity",
            te("transfer-encoding: chunked, identity\r\n"),
            Refused(400),
        ),
        (
            "identity, chunked",
            te("transfer-encoding: identity, chunked\r\n"),
            Refused(501),
        ),
        (
            "gzip, chunked",
            te("transfer-encoding: gzip, chunked\r\n"),
            Refused(501),
        ),
        (
            "chunked, chunked",
            te("transfer-encoding: chunked, chunked\r\n"),
            Refused(501),
        ),
        (
            "chunked twice",
            te("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
            Refused(501),
        ),
        (
            "chunked, then identity",
            te("transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n"),
            Refused(400),
        ),
        (
            "identity, then chunked",
            te("transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n"),
            Refused(501),
        ),
        (
            "in quotes",
            te("transfer-encoding: \"chunked\"\r\n"),
            Refused(400),
        ),
        (
            "vertical tab",
            te("transfer-encoding: \u{b}chunked\r\n"),
            Refused(400),
        ),
        ("empty", te("transfer-encoding: \r\n"), Refused(400)),
        (
            "space before the colon",
            te("transfer-encoding : chunked\r\ncontent-length: 5\r\n"),
            Refused(400),
        ),
        (
            "obs-fold",
            te("transfer-encoding:\r\n chunked\r\n"),
            Refused(400),
        ),
        (
            "in HTTP/1.0",
            te("transfer-encoding: chunked\r\n").replace_version(),
            Refused(400),
        ),
    ])
    .await;
}

/// For requests in HTTP/1.0.
trait Version {
    fn replace_version(self) -> Self;
}

impl Version for Vec<u8> {
    fn replace_version(self) -> Self {
        let text = String::from_utf8(self).unwrap();
        text.replacen("HTTP/1.1", "HTTP/1.0", 1).into_bytes()
    }
}

#[tokio::test]
async fn chunks() {
    let chunked = |body: &str| framed("transfer-encoding: chunked\r\n", body);
    let zeros = "0".repeat(40);
    let extension = "x".repeat(20_000);
    check(vec![
        (
            "an extension",
            chunked("5;a=b\r\nhello\r\n0\r\n\r\n"),
            Served("hello"),
        ),
        (
            "an extension in quotes",
            chunked("5;a=\"b;c\"\r\nhello\r\n0;d\r\n\r\n"),
            Served("hello"),
        ),
        (
            "capital and zeros",
            chunked("00A\r\nhello you!\r\n0\r\n\r\n"),
            Served("hello you!"),
        ),
        (
            "trailers",
            chunked("5\r\nhello\r\n0\r\nx-api-key: 1\r\ncontent-length: 9\r\n\r\n"),
            Served("hello"),
        ),
        (
            "a long size",
            chunked(&format!("{zeros}5\r\nhello\r\n0\r\n\r\n")),
            Served("hello"),
        ),
        (
            "too large a size",
            chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"),
            Refused(400),
        ),
        (
            "a long extension",
            chunked(&format!("5;{extension}\r\nhello\r\n0\r\n\r\n")),
            Refused(400),
        ),
        (
            "a signed size",
            chunked("+5\r\nhello\r\n0\r\n\r\n"),
            Refused(400),
        ),
        (
            "a negative size",
            chunked("-5\r\nhello\r\n0\r\n\r\n"),
            Refused(400),
        ),
        (
            "a prefix",
            chunked("0x5\r\nhello\r\n0\r\n\r\n"),
            Refused(400),
        ),
        (
            "an empty size",
            chunked("\r\nhello\r\n0\r\n\r\n"),
            Refused(400),
        ),
        (
            "bare LF behind the size",
            chunked("5\nhello\r\n0\r\n\r\n"),
            Refused(400),
        ),
        (
            "bare CR behind the size",
            chunked("5\rhello\r\n0\r\n\r\n"),
            Refused(400),
        ),
        (
            "LF in an extension",
            chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"),
            Refused(400),
        ),
        (
            "no CRLF behind the data",
            chunked("5\r\nhelloo0\r\n\r\n"),
            Refused(400),
        ),
    ])
    .await;
}

/// The rest of a body is no request, even if a server in front thought so.
#[tokio::test]
async fn a_connection_is_closed_after_a_request_with_two_lengths() {
    let (address, mut got) = strict().await;
    let gateway = Setup::to(address).start().await;
    let request = row(
        "host: h\r\ncontent-length: 60\r\ntransfer-encoding: chunked\r\n",
        &format!("0\r\n\r\n{SMUGGLED}"),
    );
    let answer = exchange(gateway.address, &request).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert_eq!(in_time(got.recv()).await.unwrap().body, "");
    assert!(got.try_recv().is_err());
}
