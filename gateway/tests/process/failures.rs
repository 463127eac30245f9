//! The responses to requests that fail.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tower_moonshot::emulator::{Emulator, Failure};

use crate::harness::{
    KEY, OK, Setup, black_hole, chat, emulated, get, hello, hello_to, in_time, nobody, post,
    read_request, saying,
};

#[tokio::test]
async fn a_refused_connection_is_a_502() {
    let nobody = nobody().await;
    let answer = Setup::to(nobody).start().await.send(hello()).await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.error()["type"], "upstream_error");
    let message = answer.message();
    assert!(message.contains("could not connect"), "{message}");
    assert!(message.contains(&nobody.to_string()), "{message}");
}

#[tokio::test]
async fn an_upstream_that_disconnects_is_a_502() {
    let upstream = saying("").await;
    let answer = Setup::to(upstream.address)
        .start()
        .await
        .send(hello())
        .await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.error()["code"], "upstream_unreachable");
}

#[tokio::test]
async fn an_upstream_that_resets_the_connection_is_a_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Setup::to(listener.local_addr().unwrap()).start().await;
    let upstream = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.read_u8().await.unwrap();
        // Closing a connection with unread bytes resets it.
        drop(connection);
    };
    let (answer, ()) = in_time(async { tokio::join!(gateway.send(hello()), upstream) }).await;
    assert_eq!(answer.status, 502);
    answer.error();
}

#[tokio::test]
async fn an_upstream_that_does_not_speak_http_is_a_502() {
    let upstream = saying("220 smtp.example.com ESMTP\r\n\r\n").await;
    let answer = Setup::to(upstream.address)
        .start()
        .await
        .send(hello())
        .await;
    assert_eq!(answer.status, 502);
    answer.error();
}

#[tokio::test]
async fn an_upstream_that_never_responds_is_a_504() {
    let setup = Setup::to(black_hole().await).arguments(["--first-byte-timeout", "0.05"]);
    let answer = setup.start().await.send(hello()).await;
    assert_eq!(answer.status, 504);
    let message = answer.message();
    assert!(message.contains("did not respond within 50ms"), "{message}");
}

/// An `https` base URL for an upstream without TLS.
fn tls(upstream: std::net::SocketAddr) -> Setup {
    Setup::to(upstream).variable("MOONSHOT_API_BASE", format!("https://{upstream}/v1"))
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_504() {
    let setup = tls(black_hole().await).arguments(["--connect-timeout", "0.05"]);
    let answer = setup.start().await.send(hello()).await;
    assert_eq!(answer.status, 504);
    let message = answer.message();
    assert!(message.contains("could not connect to"), "{message}");
}

#[tokio::test]
async fn a_server_without_tls_behind_an_https_url_is_a_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = tls(listener.local_addr().unwrap()).start().await;
    let upstream = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let refusal = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        connection.write_all(refusal).await.unwrap();
        connection
    };
    let (answer, _upstream) =
        in_time(async { tokio::join!(gateway.send(hello()), upstream) }).await;
    assert_eq!(answer.status, 502);
    let message = answer.message();
    assert!(message.contains("could not connect"), "{message}");
}

/// The certificate is verified before anything is sent, above all the key.
#[tokio::test]
async fn an_untrusted_certificate_is_a_502_and_gets_no_request() {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = certified.signing_key.serialize_der().try_into().unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.into()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = tls(address).start().await;
    let upstream = async {
        let (connection, _) = listener.accept().await.unwrap();
        let accepted = TlsAcceptor::from(Arc::new(config)).accept(connection).await;
        // In TLS 1.3 the server's handshake ends before the client has verified it.
        let mut read = Vec::new();
        if let Ok(mut connection) = accepted {
            let _ = connection.read_to_end(&mut read).await;
        }
        read
    };
    let (answer, read) = in_time(async { tokio::join!(gateway.send(hello()), upstream) }).await;
    assert_eq!(read, b"");
    assert_eq!(answer.status, 502);
    assert_eq!(answer.error()["code"], "upstream_unreachable");
    let why = format!("could not connect to {address}: invalid peer certificate: UnknownIssuer");
    assert_eq!(answer.message(), why);
    let line = gateway.says("failure=\"connect\"").await;
    assert!(line.contains(&format!("error=\"{why}\"")), "{line}");
}

#[tokio::test]
async fn an_error_page_becomes_json_with_the_status_and_the_headers_that_matter() {
    let page = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html; charset=utf-8\r\n\
                retry-after: 7\r\nmsh-request-id: 9\r\nmsh-uid: u\r\nserver: nginx\r\n\
                content-length: 15\r\nconnection: close\r\n\r\n<html>no</html>";
    let upstream = saying(page).await;
    let gateway = Setup::to(upstream.address).start().await;
    for request in [hello(), get("/v1/files")] {
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some("7"));
        assert_eq!(answer.header("msh-request-id"), Some("9"));
        assert_eq!(answer.header("msh-uid"), None);
        let message = answer.message();
        let expected =
            "responded with 503 Service Unavailable; its body (text/html) was not forwarded";
        assert!(message.contains(expected), "{message}");
    }
}

/// Clients accept compressed responses, and proxies compress their error pages.
#[tokio::test]
async fn a_compressed_error_is_read_like_any_other() {
    let quota = include_bytes!("../compressed/quota.json.gz");
    let page = include_bytes!("../compressed/page.html.gz");
    let key = include_bytes!("../compressed/key.json.gz");
    let spaces = include_bytes!("../compressed/spaces.gz");
    for (coding, text, status, message) in [
        ("gzip", &quota[..], 429, "no money is left"),
        ("gzip", page, 502, "was not forwarded"),
        // That the response does not contain the key is checked for each response.
        ("gzip", key, 401, "was not forwarded"),
        // A decompression bomb, a body that is not gzip, and an unknown encoding.
        ("gzip", spaces, 502, "was not forwarded"),
        ("gzip", b"{}", 502, "was not forwarded"),
        ("x", b"abc", 502, "was not forwarded"),
    ] {
        let head = format!(
            "HTTP/1.1 {status} No\r\ncontent-type: application/json\r\n\
             content-encoding: {coding}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            text.len()
        );
        let upstream = saying([head.as_bytes(), text].concat().leak()).await;
        let gateway = Setup::to(upstream.address).start().await;
        let answer = gateway.send(hello()).await;
        assert_eq!(answer.status, status);
        assert!(answer.message().contains(message), "{answer:?}");
        assert_eq!(answer.header("content-encoding"), None);
        if status == 429 {
            assert_eq!(answer.header("x-should-retry"), Some("false"));
            gateway.says("failure=\"quota\"").await;
        }
    }
}

#[tokio::test]
async fn a_switch_to_another_protocol_is_a_502() {
    let switching =
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nx";
    let upstream = saying(switching).await;
    let gateway = Setup::to(upstream.address).start().await;
    let answer = gateway.send(hello()).await;
    assert_eq!(answer.status, 502);
    assert!(answer.message().contains("another protocol"), "{answer:?}");
}

/// The key must not be sent to the new location. Clients can follow it themselves.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut elsewhere = saying(OK).await;
    let redirect = format!(
        "HTTP/1.1 307 Elsewhere\r\nlocation: http://{}/v1\r\ncontent-length: 0\r\n\
         connection: close\r\n\r\n",
        elsewhere.address
    );
    let upstream = saying(redirect.leak()).await;
    let setup = Setup::to(upstream.address).arguments(["--retries", "3"]);
    let gateway = setup.start().await;
    for request in [hello(), get("/v1/files")] {
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 307);
        assert!(answer.header("location").is_some());
    }
    assert!(elsewhere.was_asked_nothing());
}

#[tokio::test]
async fn headers_and_errors_that_echo_the_key_are_not_forwarded() {
    for status in ["200 OK", "401 Unauthorized"] {
        let body = format!("{{\"error\":{{\"message\":\"no {KEY}\",\"type\":\"x\"}}}}");
        let body = if status.starts_with('2') { "{}" } else { &body };
        let answer = format!(
            "HTTP/1.1 {status}\r\nx-a: 1\r\nx-debug: Bearer {KEY}\r\nx-a: {KEY}\r\nx-a: 2\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let upstream = saying(answer.leak()).await;
        let gateway = Setup::to(upstream.address).start().await;
        // That the response does not contain the key is checked for each response.
        let answer = gateway.send(hello()).await;
        assert_eq!(answer.status.to_string(), status[..3]);
        if answer.status == 200 {
            assert_eq!(answer.head.matches("x-a: ").count(), 2, "{}", answer.head);
        } else {
            answer.error();
        }
    }
}

/// Text contains a short key by chance: most headers contain a single letter.
#[tokio::test]
async fn responses_are_not_searched_for_keys_shorter_than_8_bytes() {
    for (key, is_forwarded) in [("e", true), ("sk-1234", true), ("sk-12345", false)] {
        let body = format!("{{\"error\":{{\"message\":\"no {key}\",\"type\":\"x\"}}}}");
        let response = format!(
            "HTTP/1.1 400 No\r\nx-debug: {key}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let upstream = saying(response.leak()).await;
        let setup = Setup::to(upstream.address).variable("MOONSHOT_API_KEY", key);
        let answer = setup.start().await.send(hello()).await;
        assert_eq!(answer.header("x-debug"), is_forwarded.then_some(key));
        assert_eq!(answer.body == body, is_forwarded, "{}", answer.body);
    }
}

#[tokio::test]
async fn an_error_that_is_cut_off_or_endless_becomes_json_too() {
    let half = "HTTP/1.1 500 Oh\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\
                connection: close\r\n\r\n{\"error\":";
    let upstream = saying(half).await;
    let answer = Setup::to(upstream.address)
        .start()
        .await
        .send(hello())
        .await;
    assert_eq!(answer.status, 500);
    answer.error();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Setup::to(listener.local_addr().unwrap()).start().await;
    let upstream = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        read_request(&mut connection).await;
        let head = b"HTTP/1.1 500 Oh\r\ncontent-type: application/json\r\n\r\n";
        connection.write_all(head).await.unwrap();
        while connection.write_all(&[b' '; 1024]).await.is_ok() {}
    };
    let (answer, ()) = in_time(async { tokio::join!(gateway.send(hello()), upstream) }).await;
    assert_eq!(answer.status, 500);
    answer.error();
}

#[tokio::test]
async fn a_json_error_of_the_upstream_is_forwarded_unchanged() {
    let gateway = Setup::default().start().await;
    let answer = gateway.send(hello_to("gpt-4o")).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.error()["type"], "resource_not_found_error");

    let refusal = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 26\r\n\
                   connection: close\r\n\r\n{ \"error\" : {\"type\":\"x\"} }";
    let upstream = saying(refusal).await;
    let answer = Setup::to(upstream.address)
        .start()
        .await
        .send(hello())
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(answer.body, "{ \"error\" : {\"type\":\"x\"} }");
}

#[tokio::test]
async fn a_429_for_quota_is_distinguished_from_one_for_rate() {
    for (failure, kind, retry_after, should_retry) in [
        (Failure::RateLimited, "rate_limit", Some("1"), None),
        (Failure::Overloaded, "overloaded", Some("1"), None),
        (Failure::QuotaExceeded, "quota", None, Some("false")),
    ] {
        let moonshot = emulated(Emulator::new().fail_first(1, failure)).await;
        let gateway = Setup::to(moonshot).start().await;
        let answer = gateway.send(hello()).await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("retry-after"), retry_after);
        // OpenAI's clients retry without this header.
        assert_eq!(answer.header("x-should-retry"), should_retry);
        gateway.says(&format!("failure=\"{kind}\"")).await;
        let metrics = gateway.send(get("/metrics")).await.body;
        let count = format!(
            "upstream_failures_total{{upstream=\"http://{moonshot}/v1\",kind=\"{kind}\"}} 1"
        );
        assert!(metrics.contains(&count), "{metrics}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413_however_it_is_sent() {
    let mut upstream = saying(OK).await;
    let setup = Setup::to(upstream.address).arguments(["--max-body-bytes", "10000"]);
    let gateway = setup.start().await;

    // More than socket buffers hold, so the client sends before it reads.
    let announced = chat(&"x".repeat(20_000_000));
    let size = 20_000_000;
    let chunked = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n{size:x}\r\n{}\r\n0\r\n\r\n",
        "x".repeat(size)
    );
    // A head whose client waits before it sends the body.
    let waiting = "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
                   expect: 100-continue\r\ncontent-length: 20000000\r\n\r\n";
    for request in [announced.as_str(), &chunked, waiting] {
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 413);
        let message = answer.message();
        assert!(message.contains("10000 bytes"), "{message}");
    }
    // 12 MB of spaces, compressed.
    let bomb = include_bytes!("../compressed/spaces.gz");
    let mut request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
         content-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        bomb.len()
    )
    .into_bytes();
    request.extend_from_slice(bomb);
    assert_eq!(gateway.send(request).await.status, 413);
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn broken_json_is_a_400_that_names_the_place() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    for (body, place) in [
        (
            "{\"model\": \"kimi-k3\",\n  \"n\": 1,,\n}",
            "line 2, column 10",
        ),
        ("{\"n\": 1,,\n \"model\": \"kimi-k3\"}", "line 1, column 9"),
        ("", "line 1, column 1"),
    ] {
        let answer = gateway.send(chat(body)).await;
        assert_eq!(answer.status, 400);
        let message = answer.message();
        assert!(message.contains(place), "{message}");
    }
    let answer = gateway.send(chat("[]")).await;
    assert_eq!(
        (answer.status, answer.message().as_str()),
        (400, "the request body is not a JSON object")
    );
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn a_chat_request_with_another_content_type_is_a_400() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    // curl's default content type.
    let headers = "content-type: application/x-www-form-urlencoded\r\n";
    let answer = gateway
        .send(post("/v1/chat/completions", headers, "{}"))
        .await;
    assert_eq!(answer.status, 400);
    let message = answer.message();
    assert!(message.contains("application/json"), "{message}");
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn a_request_whose_client_disconnects_in_the_body_is_not_forwarded() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    let whole = hello();
    let cut = &whole[..whole.len() - 5];
    // Only the sending half is closed, so the gateway can respond.
    let mut connection = TcpStream::connect(gateway.address).await.unwrap();
    connection.write_all(cut.as_bytes()).await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = String::new();
    in_time(connection.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(
        answer.is_empty() || answer.contains(" 400 "),
        "not a success: {answer}"
    );
    // The next request is the first that is forwarded.
    assert_eq!(gateway.send(&whole).await.status, 200);
    assert!(upstream.asked().await.contains("\"content\":\"Hi\""));
    assert!(upstream.was_asked_nothing());
}

#[tokio::test]
async fn a_client_that_stops_in_the_middle_of_its_body_gets_a_408() {
    let mut upstream = saying(OK).await;
    let setup = Setup::to(upstream.address).arguments(["--client-timeout", "0.1"]);
    let gateway = setup.start().await;
    let whole = hello();
    let answer = gateway.send(&whole[..whole.len() - 5]).await;
    assert_eq!(answer.status, 408);
    assert_eq!(answer.error()["code"], "request_timeout");
    assert!(upstream.was_asked_nothing());
}

/// Uploads are streamed, so the upstream gets a part of the body.
#[tokio::test]
async fn a_client_that_stops_in_the_middle_of_an_upload_gets_a_408() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::to(upstream.local_addr().unwrap()).arguments(["--client-timeout", "0.1"]);
    let gateway = setup.start().await;
    let whole = post("/v1/files", "", "0123456789");
    let moonshot = async {
        let (mut moonshot, _) = upstream.accept().await.unwrap();
        let mut read = Vec::new();
        let _ = moonshot.read_to_end(&mut read).await;
        read
    };
    let half = gateway.send(&whole[..whole.len() - 5]);
    let (answer, read) = in_time(async { tokio::join!(half, moonshot) }).await;
    assert_eq!(answer.status, 408);
    assert_eq!(answer.error()["code"], "request_timeout");
    assert!(read.ends_with(b"01234"));
}
