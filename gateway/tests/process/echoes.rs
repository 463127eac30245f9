//! Upstreams that return what they got, above all the API key.

use std::net::SocketAddr;

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

use crate::harness::{
    Answer, KEY, OK, Setup, get, in_time, post, read_request, read_until, saying, send,
};

/// An upstream that responds with this head, and with the request as the body.
async fn echoing(head: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let request = read_request(&mut connection).await;
            let length = request.len();
            let head =
                format!("HTTP/1.1 {head}content-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = connection.write_all((head + &request).as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn methods_that_echo_a_request_or_open_a_tunnel_are_refused() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    for method in [
        "TRACE", "TRACK", "trace", "CONNECT", "DEBUG", "PROPFIND", "X",
    ] {
        for path in ["/v1/files", "/v1/chat/completions", "/v1/models", "/", "/x"] {
            let request = get(path).replacen("GET", method, 1);
            let request = match method {
                // Its target is an authority.
                "CONNECT" => request.replacen(path, "gateway:443", 1),
                _ => request,
            };
            let answer = gateway.send(request).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.error()["code"], "wrong_method");
            let allow = answer.header("allow").unwrap();
            assert!(
                allow.contains("post") && !allow.contains("trace"),
                "{allow}"
            );
        }
    }
    for path in ["/metrics", "/health/liveness"] {
        let answer = gateway.send(get(path).replacen("GET", "TRACE", 1)).await;
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(answer.error()["code"], "wrong_method");
    }
    assert!(upstream.was_asked_nothing());
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let request = get("/v1/files/a").replacen("GET", method, 1);
        assert_eq!(gateway.send(request).await.status, 200, "{method}");
        assert!(
            upstream
                .asked()
                .await
                .starts_with(&format!("{method} /v1/files/a "))
        );
    }
}

/// That no response contains the key is checked for each response.
#[tokio::test]
async fn a_short_response_of_a_forwarded_path_that_contains_the_key_is_a_502() {
    for head in [
        "200 OK\r\n",
        "200 OK\r\ncontent-type: message/http\r\n",
        "302 Found\r\nlocation: /\r\n",
        "200 OK\r\ncontent-encoding: identity\r\n",
    ] {
        let gateway = Setup::to(echoing(head).await).start().await;
        for request in [
            get("/v1/files"),
            post("/v1/debug", "", "{}"),
            get("/v1/models"),
        ] {
            let answer = gateway.send(request).await;
            assert_eq!(answer.status, 502, "{head}");
            assert_eq!(answer.error()["code"], "upstream_error");
            let message = answer.message();
            assert!(message.contains("contains its API key"), "{message}");
        }
    }
}

/// The gateway asks for uncompressed responses, which an upstream may ignore.
#[tokio::test]
async fn a_compressed_response_that_contains_the_key_is_not_forwarded() {
    let key = include_bytes!("../compressed/key.json.gz");
    for (coding, is_read) in [
        ("gzip", true),
        ("GZIP", true),
        ("x-gzip", true),
        ("identity, gzip", true),
        ("gzip, gzip", false),
        ("compress", false),
    ] {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n",
            key.len()
        );
        let mut upstream = saying([head.as_bytes(), key].concat().leak()).await;
        let gateway = Setup::to(upstream.address).start().await;
        let request = get("/v1/files").replace("host:", "accept-encoding: gzip\r\nhost:");
        let mut connection = TcpStream::connect(gateway.address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        in_time(tokio::io::AsyncReadExt::read_to_end(
            &mut connection,
            &mut read,
        ))
        .await
        .unwrap();
        assert!(
            !read.windows(key.len()).any(|part| part == key),
            "{coding}: the compressed bytes are forwarded"
        );
        let answer = Answer::parse(&String::from_utf8(read).unwrap());
        assert_eq!(answer.status, 502, "{coding}");
        let why = match is_read {
            true => "contains its API key",
            false => "its Content-Encoding is not supported",
        };
        assert!(answer.message().contains(why), "{answer:?}");
        let request = upstream.asked().await;
        assert!(
            request.contains("accept-encoding: identity\r\n"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn a_long_response_is_forwarded_as_it_arrives_and_cut_off_before_the_key() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Setup::to(listener.local_addr().unwrap()).start().await;
    let upstream = async {
        let (mut upstream, _) = listener.accept().await.unwrap();
        read_request(&mut upstream).await;
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nfirst.\r\n";
        upstream.write_all(head).await.unwrap();
        upstream
    };
    let client = async {
        let mut client = TcpStream::connect(gateway.address).await.unwrap();
        client.write_all(get("/v1/files").as_bytes()).await.unwrap();
        client
    };
    let (mut upstream, mut client) = in_time(async { tokio::join!(upstream, client) }).await;
    let mut read = Vec::new();
    read_until(&mut client, &mut read, "first.").await;
    // The key in two chunks, behind 100 KB.
    let (start, end) = KEY.split_at(9);
    let long = "x".repeat(100_000) + start;
    for part in [&long, end, "never sent"] {
        let chunk = format!("{:x}\r\n{part}\r\n", part.len());
        // The gateway may have closed the connection by now.
        let _ = upstream.write_all(chunk.as_bytes()).await;
    }
    let _ = in_time(tokio::io::AsyncReadExt::read_to_end(&mut client, &mut read)).await;
    let read = String::from_utf8(read).unwrap();
    assert!(
        read.contains(&"x".repeat(1000)),
        "what precedes the key is forwarded"
    );
    assert!(!read.contains(start) && !read.contains("never sent"));
    assert!(
        !read.ends_with("0\r\n\r\n"),
        "the client sees that it is cut off"
    );
    gateway.says("contains its API key").await;
}

/// A client knows its own key, and may download a file that contains it.
#[tokio::test]
async fn a_response_may_contain_the_clients_own_key() {
    let upstream = echoing("200 OK\r\n").await;
    let setup = Setup::default().variable("MOONSHOT_API_BASE", format!("http://{upstream}/v1"));
    let gateway = setup.start().await;
    let request = get("/v1/files").replace("host:", "authorization: Bearer of-the-caller\r\nhost:");
    let answer = gateway.send(request).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.contains("Bearer of-the-caller"),
        "{}",
        answer.body
    );
}

/// 12 MB of spaces, more than is searched before the head is forwarded.
#[tokio::test]
async fn a_compressed_response_without_the_key_is_forwarded_decompressed() {
    let spaces = include_bytes!("../compressed/spaces.gz");
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        spaces.len()
    );
    let upstream = saying([head.as_bytes(), spaces].concat().leak()).await;
    let gateway = Setup::to(upstream.address).start().await;
    let request = get("/v1/files").replace("HTTP/1.1", "HTTP/1.0");
    let answer = gateway.send(request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-encoding"), None);
    assert!(answer.body.len() > 10_000_000 && answer.body.bytes().all(|byte| byte == b' '));
}

#[tokio::test]
async fn other_responses_of_forwarded_paths_keep_their_bytes_and_headers() {
    for (head, body) in [
        ("content-length: 9\r\n", "sk-a-key-"),
        ("content-length: 9\r\nx-kept: 1\r\n", "{\"a\" : 1}"),
        ("transfer-encoding: chunked\r\n", "4\r\nsk-a\r\n0\r\n\r\n"),
    ] {
        let response = format!("HTTP/1.1 200 OK\r\n{head}connection: close\r\n\r\n{body}");
        let upstream = saying(response.leak()).await;
        let gateway = Setup::to(upstream.address).start().await;
        let answer = send(gateway.address, get("/v1/files")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body));
        assert_eq!(answer.header("x-kept").is_some(), head.contains("x-kept"));
    }
    // Its length is that of a body that is not sent.
    let upstream =
        saying("HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\n").await;
    let gateway = Setup::to(upstream.address).start().await;
    let answer = gateway
        .send(get("/v1/files").replacen("GET", "HEAD", 1))
        .await;
    assert_eq!(
        (answer.status, answer.header("content-length")),
        (200, Some("9"))
    );
}
