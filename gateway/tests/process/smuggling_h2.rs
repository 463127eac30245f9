//! Requests over HTTP/2 that would become others in HTTP/1, in frames made by hand.
//!
//! Each row says what the client gets. The upstream gets the one request that is meant,
//! well-formed, or none.

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
enum Client {
    /// The stream is reset, or the connection ended, without a response.
    Reset,
    /// A JSON error with this code.
    Refused(&'static str),
    /// A response without a body that is not a success.
    TooLarge,
    /// A success, and the upstream gets this body.
    Served(&'static str),
}

use Client::{Refused, Reset, Served, TooLarge};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// An integer of HPACK with a prefix of seven bits.
fn integer(mut number: usize) -> Vec<u8> {
    if number < 127 {
        return vec![u8::try_from(number).unwrap()];
    }
    number -= 127;
    let mut bytes = vec![127];
    while number >= 128 {
        bytes.push(u8::try_from(number % 128).unwrap() | 128);
        number /= 128;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

/// A header block in which nothing is indexed or compressed.
pub(crate) fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(0);
        for text in [name, value] {
            block.extend(integer(text.len()));
            block.extend(text.as_bytes());
        }
    }
    block
}

/// Sends frames behind the preface, and returns what comes back on stream 1.
async fn exchange(gateway: SocketAddr, frames: &[u8]) -> (bool, String) {
    let mut connection = TcpStream::connect(gateway).await.unwrap();
    let preface = [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &frame(SETTINGS, 0, 0, &[]),
    ]
    .concat();
    let _ = connection.write_all(&[&preface, frames].concat()).await;
    let (mut has_response, mut body) = (false, String::new());
    loop {
        let mut head = [0; 9];
        if in_time(connection.read_exact(&mut head)).await.is_err() {
            return (has_response, body);
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        if in_time(connection.read_exact(&mut payload)).await.is_err() {
            return (has_response, body);
        }
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let (kind, flags) = (head[3], head[4]);
        match kind {
            RST_STREAM | GOAWAY => return (has_response, body),
            HEADERS if stream == 1 => has_response = true,
            DATA if stream == 1 => body.push_str(&String::from_utf8_lossy(&payload)),
            _ => {}
        }
        if matches!(kind, HEADERS | DATA) && stream == 1 && flags & END_STREAM != 0 {
            return (has_response, body);
        }
    }
}

/// The frames of a request with these headers and this body.
fn request(headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let head = frame(HEADERS, END_HEADERS, 1, &block(headers));
    [head, frame(DATA, END_STREAM, 1, body.as_bytes())].concat()
}

pub(crate) const PSEUDO: [(&str, &str); 4] = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/v1/files"),
    (":authority", "gateway"),
];

/// A request with more headers.
fn with(more: &[(&str, &str)]) -> Vec<u8> {
    request(&[&PSEUDO, more].concat(), "hello")
}

/// A request in which a pseudo header has another value, or none.
fn instead(name: &str, value: Option<&str>) -> Vec<u8> {
    let headers = PSEUDO.iter().map(|header| match *header {
        (found, _) if found == name => (found, value),
        (found, kept) => (found, Some(kept)),
    });
    let headers: Vec<_> = headers
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    request(&headers, "hello")
}

async fn check(rows: Vec<(&str, Vec<u8>, Client)>) {
    let (address, mut got) = strict().await;
    let arguments = ["--client-timeout", "5"];
    let gateway = Setup::to(address).arguments(arguments).start().await;
    // Shows what the rows before it may have left behind.
    let last = request(&PSEUDO, "last");
    let rows = rows
        .into_iter()
        .chain([("the last one", last, Served("last"))]);
    for (name, frames, client) in rows {
        let (has_response, body) = exchange(gateway.address, &frames).await;
        match client {
            Reset => assert!(!has_response, "{name}: {body}"),
            TooLarge => assert!(has_response && body.is_empty(), "{name}: {body}"),
            Refused(code) => {
                assert!(
                    body.contains(&format!("\"code\":\"{code}\"")),
                    "{name}: {body:?}"
                );
            }
            Served(sent) => {
                assert_eq!(body, "{}", "{name}");
                let request = in_time(got.recv()).await.unwrap();
                assert_eq!(request.body, sent, "{name}: {}", request.head);
                let line = request.head.lines().next().unwrap();
                assert!(line.ends_with(" /v1/files HTTP/1.1"), "{name}: {line}");
                let host = format!("host: {address}");
                assert!(request.head.lines().any(|line| line == host), "{name}");
                assert!(!request.head.contains("evil"), "{name}: {}", request.head);
            }
        }
        assert!(got.try_recv().is_err(), "{name}: more than is meant");
    }
}

#[tokio::test]
async fn pseudo_headers() {
    let last = [&[("x-a", "1")], &PSEUDO[..]].concat();
    check(vec![
        ("a request", with(&[]), Served("hello")),
        (":method twice", with(&[(":method", "POST")]), Reset),
        (":path twice", with(&[(":path", "/v1/files")]), Reset),
        (":scheme twice", with(&[(":scheme", "http")]), Reset),
        (
            ":authority twice",
            with(&[(":authority", "evil.example")]),
            Reset,
        ),
        ("behind other headers", request(&last, "hello"), Reset),
        ("an unknown one", with(&[(":x", "1")]), Reset),
        (":status", with(&[(":status", "200")]), Reset),
        ("no :method", instead(":method", None), Reset),
        ("no :path", instead(":path", None), Reset),
        ("an empty :path", instead(":path", Some("")), Reset),
        (
            "a space in :path",
            instead(":path", Some("/v1/files HTTP/1.1")),
            Reset,
        ),
        (
            "CRLF in :path",
            instead(":path", Some("/v1/files HTTP/1.1\r\nx: ")),
            Reset,
        ),
        (
            "no slash in :path",
            instead(":path", Some("v1/files")),
            Reset,
        ),
        (
            "a URL in :path",
            instead(":path", Some("http://evil.example/v1/files")),
            Reset,
        ),
        (
            "an asterisk as :path",
            instead(":path", Some("*")),
            Refused("unknown_url"),
        ),
        (
            "a line as :method",
            instead(":method", Some("GET /v1/x HTTP/1.1\r\n")),
            Reset,
        ),
        ("an empty :method", instead(":method", Some("")), Reset),
        (
            "TRACE",
            instead(":method", Some("TRACE")),
            Refused("wrong_method"),
        ),
        (
            "no :authority",
            instead(":authority", None),
            Served("hello"),
        ),
        (
            "another :authority",
            instead(":authority", Some("evil.example")),
            Served("hello"),
        ),
        (
            "a user in :authority",
            instead(":authority", Some("u:p@evil.example")),
            Served("hello"),
        ),
        (
            "a path in :authority",
            instead(":authority", Some("evil.example/v1/x?")),
            Reset,
        ),
        (
            "another host",
            with(&[("host", "evil.example")]),
            Served("hello"),
        ),
        (
            "two hosts",
            with(&[("host", "evil.example"), ("host", "b")]),
            Served("hello"),
        ),
        (
            "another :scheme",
            instead(":scheme", Some("https")),
            Served("hello"),
        ),
        (
            "a URL as :scheme",
            instead(":scheme", Some("http://evil.example/?")),
            Reset,
        ),
    ])
    .await;
}

#[tokio::test]
async fn headers_of_http_1() {
    check(vec![
        ("connection", with(&[("connection", "close")]), Reset),
        (
            "transfer-encoding",
            with(&[("transfer-encoding", "chunked")]),
            Reset,
        ),
        ("keep-alive", with(&[("keep-alive", "timeout=5")]), Reset),
        (
            "proxy-connection",
            with(&[("proxy-connection", "close")]),
            Reset,
        ),
        ("upgrade", with(&[("upgrade", "h2c")]), Reset),
        ("te: gzip", with(&[("te", "gzip")]), Reset),
        ("te: trailers", with(&[("te", "trailers")]), Served("hello")),
        ("a capital letter", with(&[("X-a", "1")]), Reset),
        (
            "Transfer-Encoding",
            with(&[("Transfer-Encoding", "chunked")]),
            Reset,
        ),
        ("a space in a name", with(&[("x a", "1")]), Reset),
        ("a colon in a name", with(&[("x-a: 1\r\ny", "1")]), Reset),
        ("an empty name", with(&[("", "1")]), Reset),
        (
            "CRLF in a value",
            with(&[("x-a", "1\r\ntransfer-encoding: chunked")]),
            Reset,
        ),
        ("LF in a value", with(&[("x-a", "1\nx-b: 2")]), Reset),
        ("NUL in a value", with(&[("x-a", "1\0")]), Reset),
    ])
    .await;
}

#[tokio::test]
async fn lengths() {
    let cl = |value| with(&[("content-length", value)]);
    let trailers = [
        frame(HEADERS, END_HEADERS, 1, &block(&PSEUDO)),
        frame(DATA, 0, 1, b"hello"),
        frame(
            HEADERS,
            END_HEADERS | END_STREAM,
            1,
            &block(&[("content-length", "9"), ("x-a", "1")]),
        ),
    ]
    .concat();
    let chunks = request(&PSEUDO, "0\r\n\r\nGET /v1/smuggled HTTP/1.1\r\n\r\n");
    check(vec![
        ("a length", cl("5"), Served("hello")),
        ("too long", cl("100"), Reset),
        ("too short", cl("2"), Reset),
        ("0", cl("0"), Reset),
        ("signed", cl("+5"), Reset),
        ("negative", cl("-5"), Reset),
        ("overflowing", cl("18446744073709551621"), Reset),
        ("trailers", trailers, Served("hello")),
        (
            "chunks in the data",
            chunks,
            Served("0\r\n\r\nGET /v1/smuggled HTTP/1.1\r\n\r\n"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn floods() {
    let long = "a".repeat(1000);
    let many: Vec<(&str, &str)> = [("x-a", &*long)].repeat(40);
    // 40 KB, cut into frames of 10 KB.
    let all = block(&[&PSEUDO, &many[..]].concat());
    let mut list = Vec::new();
    let parts: Vec<&[u8]> = all.chunks(10_000).collect();
    for (number, part) in parts.iter().enumerate() {
        let kind = if number == 0 { HEADERS } else { CONTINUATION };
        let last = if number + 1 == parts.len() {
            END_HEADERS
        } else {
            0
        };
        let end = if number == 0 { END_STREAM } else { 0 };
        list.extend(frame(kind, last | end, 1, part));
    }
    // Empty frames, and frames of one header each, without an end.
    let begin = || frame(HEADERS, END_STREAM, 1, &block(&PSEUDO));
    let empty = [begin(), frame(CONTINUATION, 0, 1, &[]).repeat(100_000)].concat();
    let one = frame(CONTINUATION, 0, 1, &block(&[("x-a", &long)]));
    let endless = [begin(), one.repeat(10_000)].concat();
    // A header of 1 MB in the dynamic table would be multiplied by references to it.
    let mut bomb = block(&PSEUDO);
    bomb.extend([0x40, 1, b'x']);
    bomb.extend(integer(3000));
    bomb.extend(vec![b'a'; 3000]);
    bomb.extend(vec![0xbe; 10_000]);
    let bomb = frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb);
    let other_stream = [begin(), frame(CONTINUATION, END_HEADERS, 3, &[])].concat();
    check(vec![
        ("a list of 40 KB", list, TooLarge),
        ("100 000 empty CONTINUATIONs", empty, Reset),
        ("10 MB of CONTINUATIONs", endless, Reset),
        ("30 MB in a frame of 13 KB", bomb, Reset),
        ("CONTINUATION of another stream", other_stream, Reset),
    ])
    .await;
}
