//! Paths that an upstream may read in another way than the gateway.

use std::cell::RefCell;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tokio::io::AsyncWriteExt;

use crate::harness::{Answer, OK, Setup, get, in_time, post, saying, send};

/// What would be rewritten.
const BODY: &str = r#"{"model":"moonshot/kimi-k3","messages":[]}"#;

#[tokio::test]
async fn a_path_that_a_lenient_upstream_would_read_as_a_chat_request_is_refused() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    for path in [
        "/v1/%252e%252e/admin",
        "/v1/%25252e%25252e/admin",
        "/v1/%c0%ae%c0%ae/admin",
        "/v1/%u002e%u002e/admin",
        "/v1/%2e%2e%00/admin",
        "/v1/.%00/admin",
        "/v1/. /admin".replace(' ', "%20").as_str(),
        "/v1/.../admin",
        "/v1/chat/completions%20",
        "/v1/chat/completions.",
        "/v1/chat/completions%00",
        "/v1/chat/completions%00.json",
        "/v1/chat/completions%0a",
        "/v1/chat/completions%3Fx",
        "/v1/chat/completions%23x",
        "/v1/chat/completions.json",
        "/v1/chat/completions:x",
        "/v1/chat/completions/x",
        "/v1/chat/./completions",
        "/v1/chat/x/../completions",
        "/v1/chat%2Fcompletions",
        "/v1/chat%252Fcompletions",
        "/v1/chat%5Ccompletions",
        "/v1/chat\\completions",
        "/v1/Chat/Completions",
        "/v1/CHAT/COMPLETIONS",
        "/v1/ch%61t/completions",
        "/v1/ch%2561t/completions",
        "/v1/chat/completion%c5%bf",
        "/v1/%ef%bd%83hat/completions",
        "/v1/chat/comp%6",
        "/v1/chat/comp%zz",
        "/V1/Chat/Completions",
        "/V1/chat/completions",
        "/Chat/Completions",
        "/chat/completions/",
        "/v1/models/%ff",
        "/models/%252e%252e/x",
    ] {
        for method in ["POST", "GET", "PUT"] {
            let request = post(path, "", BODY).replacen("POST", method, 1);
            let answer = send(gateway.address, request).await;
            let is_refused = matches!(answer.status, 404 | 405);
            assert!(is_refused, "{method} {path}: {answer:?}");
            answer.error();
        }
    }
    assert!(upstream.was_asked_nothing());
}

/// Bytes that are not ASCII. Those that are UTF-8 reach the handlers.
#[tokio::test]
async fn raw_bytes_in_a_path_get_json() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    for (path, status) in [
        (&b"/v1/\xff"[..], 400),
        (b"/v1/chat/completions\xff", 400),
        (b"/\xc3", 400),
        ("/v1/files/\u{fc}".as_bytes(), 404),
        ("/v1/chat/completion\u{17f}".as_bytes(), 404),
    ] {
        let rest =
            &b" HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"[..];
        let answer = gateway.send([b"POST ", path, rest].concat()).await;
        assert_eq!(answer.status, status);
        let code = if status == 400 {
            "malformed_request"
        } else {
            "unknown_url"
        };
        assert_eq!(answer.error()["code"], code);
    }
    assert!(upstream.was_asked_nothing());
    assert_eq!(gateway.send(get("/v1/files/a")).await.status, 200);
}

/// One letter of a path, as it is or in one of the forms in which a server may still
/// recognise it.
fn letter(letter: char) -> impl Strategy<Value = String> {
    let code = u32::from(letter);
    let wide = char::from_u32(code - 0x20 + 0xff00).unwrap();
    let wide: String = wide
        .to_string()
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    prop_oneof![
        12 => Just(letter.to_string()),
        1 => Just(letter.to_ascii_uppercase().to_string()),
        1 => Just(format!("%{code:02x}")),
        1 => Just(format!("%{:02X}", u32::from(letter.to_ascii_uppercase()))),
        1 => Just(format!("%25{code:02x}")),
        1 => Just(format!("%2525{code:02x}")),
        1 => Just(format!("%u{code:04x}")),
        1 => Just(wide),
    ]
}

fn word(word: &'static str) -> impl Strategy<Value = String> {
    let letters: Vec<_> = word.chars().map(letter).collect();
    letters.prop_map(|letters| letters.concat())
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(texts)
}

/// `/v1/chat/completions` as lenient servers understand it: they decode twice, ignore
/// case, merge slashes, follow dots, cut off parameters, formats and NULs, or trim.
fn spelling() -> impl Strategy<Value = String> {
    const PREFIXES: &[&str] = &[
        "/v1", "/v1", "/v1", "/v1/", "/v1/.", "/v1/x/..", "/v1;a", "/v1/v1", "/v1/%2e", "/V1", "",
    ];
    const SLASHES: &[&str] = &[
        "/", "/", "/", "//", "/./", "/x/../", "%2f", "%2F", "%252f", "%5c", "\\", ";a=b/", "/;/",
        "%00/", "%20/", "/%20", "./", "/%2e/", "%u002f",
    ];
    const ENDS: &[&str] = &[
        "",
        "",
        "",
        "/",
        "//",
        "/.",
        "%20",
        "%09",
        "%0a",
        "%0d%0a",
        "%00",
        "%00x",
        ".",
        "..",
        "%2e",
        "...%20",
        ";",
        ";a=b",
        "%3b",
        "%3fx",
        "%23",
        ".json",
        ":x",
        "%c2%a0",
        "%e2%80%8b",
        "%2520",
        "+",
        ",",
        "%7f",
        "\\",
        "/x/..",
    ];
    (
        one_of(PREFIXES),
        one_of(SLASHES),
        word("chat"),
        one_of(SLASHES),
        word("completions"),
        one_of(ENDS),
        one_of(&["", "", "?a=b", "?/v1/files"]),
    )
        .prop_map(|(prefix, first, chat, second, completions, end, query)| {
            let first = if prefix.is_empty() { "/" } else { first };
            format!("{prefix}{first}{chat}{second}{completions}{end}{query}")
        })
}

/// The oracle is the generator: whatever it makes is a chat request for somebody.
#[test]
fn no_spelling_of_the_chat_path_reaches_the_upstream_without_a_rewrite() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (upstream, gateway) = runtime.block_on(async {
        let upstream = saying(OK).await;
        let gateway = Setup::to(upstream.address).start().await;
        (upstream, gateway)
    });
    let upstream = RefCell::new(upstream);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(1500)
    });
    let result = runner.run(&spelling(), |path| {
        let answer = runtime.block_on(send(gateway.address, post(&path, "", BODY)));
        let bare = path.split('?').next();
        if matches!(bare, Some("/v1/chat/completions" | "/chat/completions")) {
            prop_assert_eq!(answer.status, 200);
            let mut upstream = upstream.borrow_mut();
            let sent = runtime.block_on(upstream.asked());
            prop_assert!(sent.contains(r#""model":"kimi-k3""#), "{}", sent);
        } else {
            prop_assert_eq!(answer.status, 404, "{:?}", answer);
            answer.error();
            prop_assert!(upstream.borrow_mut().was_asked_nothing());
        }
        Ok(())
    });
    result.unwrap();
}

#[tokio::test]
async fn a_malformed_head_gets_json_also_behind_other_requests_of_its_connection() {
    let mut upstream = saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let gateway = Setup::to(upstream.address).start().await;
    let mut connection = tokio::net::TcpStream::connect(gateway.address)
        .await
        .unwrap();
    let open = |path: &str| get(path).replace("connection: close\r\n", "");
    for path in ["/v1/files", "/health/liveness", "/v1/files", "/metrics"] {
        connection.write_all(open(path).as_bytes()).await.unwrap();
        let mut read = Vec::new();
        let end = match path {
            "/v1/files" => "\r\n\r\n{}",
            "/metrics" => "# EOF\n",
            _ => "alive!\"",
        };
        crate::harness::read_until(&mut connection, &mut read, end).await;
        assert!(read.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    assert!(upstream.asked().await.contains("/v1/files"));
    // The last request before the malformed one is in the same write.
    let last = format!("{}GET /\u{0} HTTP/1.1\r\n\r\n", open("/v1/files"));
    connection.write_all(last.as_bytes()).await.unwrap();
    let mut read = String::new();
    in_time(tokio::io::AsyncReadExt::read_to_string(
        &mut connection,
        &mut read,
    ))
    .await
    .unwrap();
    let (first, second) = read.split_once("\r\n\r\n{}").unwrap();
    assert!(first.starts_with("HTTP/1.1 200 OK"), "{read}");
    let second = Answer::parse(second);
    assert_eq!(
        (second.status, second.error()["code"].as_str()),
        (400, Some("malformed_request"))
    );
}

/// A body that looks like hyper's own response to a malformed request.
#[tokio::test]
async fn a_body_that_looks_like_a_refusal_keeps_its_bytes() {
    let fake = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    for head in [
        format!("content-length: {}\r\n\r\n{fake}", fake.len()),
        format!(
            "transfer-encoding: chunked\r\n\r\n{:x}\r\n{fake}\r\n0\r\n\r\n",
            fake.len()
        ),
        format!("connection: close\r\n\r\n{fake}"),
    ] {
        let upstream = saying(format!("HTTP/1.1 200 OK\r\n{head}").leak()).await;
        let gateway = Setup::to(upstream.address).start().await;
        for request in [get("/v1/files"), post("/v1/chat/completions", "", BODY)] {
            let answer = gateway.send(request).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.contains(fake), "{answer:?}");
        }
    }
}
