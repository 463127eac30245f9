//! Heads over HTTP/1 that servers read in different ways: lines, names, targets.

use crate::smuggling::{
    Client::{Refused, Served},
    check, framed, row,
};

#[tokio::test]
async fn lines_and_names() {
    let with = |line: &str| framed(&format!("{line}content-length: 5\r\n"), "hello");
    let line = |line: &str| format!("{line}\r\nhost: h\r\nconnection: close\r\n\r\n").into_bytes();
    check(vec![
        (
            "obs-fold",
            with("x-a: 1\r\n content-length: 3\r\n"),
            Refused(400),
        ),
        (
            "obs-fold with a tab",
            with("x-a: 1\r\n\tb\r\n"),
            Refused(400),
        ),
        ("NUL in a value", with("x-a: 1\0\r\n"), Refused(400)),
        ("NUL in a name", with("x\0a: 1\r\n"), Refused(400)),
        (
            "bare CR in a value",
            with("x-a: 1\rcontent-length: 3\r\n"),
            Refused(400),
        ),
        ("space before a colon", with("x-a : 1\r\n"), Refused(400)),
        ("tab before a colon", with("x-a\t: 1\r\n"), Refused(400)),
        ("space in a name", with("x a: 1\r\n"), Refused(400)),
        ("no colon", with("x-a\r\n"), Refused(400)),
        ("no name", with(": 1\r\n"), Refused(400)),
        (
            "a name that is not ASCII",
            with("x-\u{fc}: 1\r\n"),
            Refused(400),
        ),
        (
            "a space before the first header",
            row(
                " x-a: 1\r\nhost: h\r\nconnection: close\r\ncontent-length: 5\r\n",
                "hello",
            ),
            Refused(400),
        ),
        ("no version", line("GET /v1/files"), Refused(400)),
        (
            "another version",
            line("GET /v1/files HTTP/1.2"),
            Refused(400),
        ),
        (
            "HTTP/2.0 in HTTP/1 form",
            line("GET /v1/files HTTP/2.0"),
            Refused(400),
        ),
        (
            "no space behind the method",
            line("GET/v1/files HTTP/1.1"),
            Refused(400),
        ),
        (
            "a space in the path",
            line("GET /v1/files x HTTP/1.1"),
            Refused(400),
        ),
        ("two spaces", line("GET  /v1/files HTTP/1.1"), Refused(400)),
        ("no path", line("GET HTTP/1.1"), Refused(400)),
        (
            "a method in brackets",
            line("(GET) /v1/files HTTP/1.1"),
            Refused(400),
        ),
        (
            "bytes of TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
            Refused(400),
        ),
        (
            "too many headers",
            with(&"x-a: 1\r\n".repeat(200)),
            Refused(431),
        ),
        (
            "too long a header",
            with(&format!("x-a: {}\r\n", "a".repeat(40_000))),
            Refused(431),
        ),
    ])
    .await;
}

/// Lines may end with LF alone (RFC 9112, 2.2). The upstream gets CRLF.
#[tokio::test]
async fn bare_line_feeds() {
    let lf = "POST /v1/files HTTP/1.1\nhost: h\nconnection: close\ncontent-length: 5\n\nhello";
    let in_between = "POST /v1/files HTTP/1.1\r\nhost: h\r\nx-a: 1\ncontent-length: 5\r\n\
                      connection: close\r\n\r\nhello";
    check(vec![
        ("everywhere", lf.into(), Served("hello")),
        ("behind one header", in_between.into(), Served("hello")),
        (
            "empty lines before",
            format!("\r\n\n{lf}").into_bytes(),
            Served("hello"),
        ),
    ])
    .await;
}

/// The gateway never sends a request to a host that the client names.
#[tokio::test]
async fn targets_and_hosts() {
    let to = |target: &str, hosts: &str| {
        format!("GET {target} HTTP/1.1\r\n{hosts}connection: close\r\n\r\n").into_bytes()
    };
    check(vec![
        ("no Host", to("/v1/files", ""), Served("")),
        ("an empty Host", to("/v1/files", "host: \r\n"), Served("")),
        (
            "two Hosts",
            to("/v1/files", "host: a\r\nhost: b\r\n"),
            Served(""),
        ),
        (
            "a list of Hosts",
            to("/v1/files", "host: a, b\r\n"),
            Served(""),
        ),
        (
            "a Host with a path",
            to("/v1/files", "host: a/v1/x?\r\n"),
            Served(""),
        ),
        (
            "absolute-form",
            to("http://evil.example/v1/files", "host: h\r\n"),
            Served(""),
        ),
        (
            "absolute-form with a user",
            to("http://u:p@evil.example/v1/files", "host: h\r\n"),
            Served(""),
        ),
        (
            "another scheme",
            to("https://evil.example/v1/files", "host: h\r\n"),
            Served(""),
        ),
        (
            "no path behind the host",
            to("http://evil.example", "host: h\r\n"),
            Refused(404),
        ),
        (
            "an authority",
            to("evil.example:80", "host: h\r\n"),
            Refused(404),
        ),
        ("an asterisk", to("*", "host: h\r\n"), Refused(404)),
        ("no slash", to("v1/files", "host: h\r\n"), Refused(400)),
        ("a query", to("?/v1/files", "host: h\r\n"), Refused(400)),
        (
            "two slashes",
            to("//evil.example/v1/files", "host: h\r\n"),
            Refused(404),
        ),
        (
            "a fragment",
            to("/v1/files#/../x", "host: h\r\n"),
            Served(""),
        ),
        (
            "x-forwarded-host",
            to("/v1/files", "host: h\r\nx-forwarded-host: evil.example\r\n"),
            Served(""),
        ),
    ])
    .await;
}
