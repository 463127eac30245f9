//! Framing of bodies on HTTP/1.1: lengths, chunks, and other headers that describe a
//! body.

use axum::{
    extract::Request,
    middleware::{self, Next},
};

use crate::harness::*;

#[tokio::test]
async fn a_shrunk_body_is_sent_with_its_own_length() {
    let upstream = Upstream::start().await;
    let request = forwarded(upstream.layer(), &upstream, chat_of(SHRINKING)).await;
    assert_eq!(request.body, SHRUNK);
    assert_eq!(
        request.head.get("content-length"),
        Some(&*SHRUNK.len().to_string())
    );
}

#[tokio::test]
async fn a_grown_body_is_sent_with_its_own_length() {
    let upstream = Upstream::start().await;
    let request = forwarded(upstream.layer(), &upstream, chat_of(GROWING)).await;
    assert_eq!(request.body, GROWN);
    assert_eq!(
        request.head.get("content-length"),
        Some(&*GROWN.len().to_string())
    );
}

#[tokio::test]
async fn a_rewritten_chunked_body_is_sent_with_a_length() {
    let upstream = Upstream::start().await;
    let (start, end) = SHRINKING.split_at(20);
    let chunked = chat(
        "transfer-encoding: chunked\r\n",
        &format!(
            "{:x}\r\n{start}\r\n{:x};extension=1\r\n{end}\r\n0\r\n\r\n",
            start.len(),
            end.len()
        ),
    );
    let request = forwarded(upstream.layer(), &upstream, chunked).await;
    assert_eq!(request.head.get("transfer-encoding"), None);
    assert_eq!(
        request.head.get("content-length"),
        Some(&*SHRUNK.len().to_string())
    );
    assert_eq!(request.body, SHRUNK);
}

/// An outer middleware replaced the body without updating the header.
#[tokio::test]
async fn a_stale_content_length_never_reaches_the_wire() {
    for stale in ["3", "99999"] {
        let upstream = Upstream::start().await;
        let app = proxy(upstream.layer()).layer(middleware::from_fn(
            async move |mut request: Request, next: Next| {
                let headers = request.headers_mut();
                headers.insert("content-length", stale.parse().unwrap());
                next.run(request).await
            },
        ));
        let gateway = Server::start(app).await;
        let mut client = Wire::connect(gateway.address).await;
        client.send(chat_of(SHRINKING)).await;
        assert_eq!(upstream.serve_one().await.body, SHRUNK);
        assert_eq!(client.message().await.body, "ok");
    }
}

#[tokio::test]
async fn an_unchanged_body_keeps_its_bytes_and_its_length() {
    let upstream = Upstream::start().await;
    let request = forwarded(upstream.layer(), &upstream, chat_of(CLEAN)).await;
    assert_eq!(request.body, CLEAN);
    assert_eq!(
        request.head.get("content-length"),
        Some(&*CLEAN.len().to_string())
    );
    assert_eq!(request.head.get("transfer-encoding"), None);
}

#[tokio::test]
async fn an_unchanged_chunked_body_stays_chunked() {
    let upstream = Upstream::start().await;
    let chunked = chat(
        "transfer-encoding: chunked\r\n",
        &format!("{:x}\r\n{CLEAN}\r\n0\r\n\r\n", CLEAN.len()),
    );
    let request = forwarded(upstream.layer(), &upstream, chunked).await;
    assert_eq!(request.head.get("transfer-encoding"), Some("chunked"));
    assert_eq!(request.body, CLEAN);
}

#[tokio::test]
async fn an_empty_body_stays_empty() {
    let upstream = Upstream::start().await;
    for request in [
        chat("content-length: 0\r\n", ""),
        chat("transfer-encoding: chunked\r\n", "0\r\n\r\n"),
        chat("", ""),
    ] {
        let request = forwarded(upstream.layer(), &upstream, request).await;
        assert_eq!(request.body, "");
    }
}

#[tokio::test]
async fn one_connection_carries_several_requests() {
    let upstream = Upstream::start().await;
    let gateway = Server::gateway(upstream.layer()).await;
    let mut client = Wire::connect(gateway.address).await;
    client.send(chat_of(SHRINKING)).await;
    let mut wire = upstream.accept().await;
    for (next, expected) in [
        (GROWING, SHRUNK),
        (CLEAN, GROWN),
        (SHRINKING, CLEAN),
        (CLEAN, SHRUNK),
    ] {
        assert_eq!(wire.message().await.body, expected);
        wire.send(OK).await;
        assert_eq!(client.message().await.body, "ok");
        client.send(chat_of(next)).await;
    }
}

#[tokio::test]
async fn digests_are_removed_from_changed_bodies_only() {
    let digests = ["content-md5", "digest", "content-digest", "repr-digest"];
    let lines: String = digests.map(|name| format!("{name}: abc\r\n")).concat();
    let with_digests =
        |body: &str| chat(&format!("{lines}content-length: {}\r\n", body.len()), body);
    let upstream = Upstream::start().await;

    let changed = forwarded(upstream.layer(), &upstream, with_digests(SHRINKING)).await;
    let unchanged = forwarded(upstream.layer(), &upstream, with_digests(CLEAN)).await;
    for digest in digests {
        assert_eq!(changed.head.get(digest), None);
        assert_eq!(unchanged.head.get(digest), Some("abc"));
    }
}

#[tokio::test]
async fn an_encoded_body_is_forwarded_unchanged() {
    let upstream = Upstream::start().await;
    // The bytes are plain JSON, so only the header prevents a rewrite.
    for encoding in ["gzip", "br", "identity, zstd", "GZIP", "x-gzip"] {
        let lines = format!(
            "content-encoding: {encoding}\r\ncontent-length: {}\r\n",
            SHRINKING.len()
        );
        let request = forwarded(upstream.layer(), &upstream, chat(&lines, SHRINKING)).await;
        assert_eq!(request.body, SHRINKING, "{encoding}");
        assert_eq!(request.head.get("content-encoding"), Some(encoding));
    }
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    let lines = format!(
        "content-encoding: gzip\r\ncontent-length: {}\r\n",
        gzip.len()
    );
    let mut request = chat(&lines, "").into_bytes();
    request.extend_from_slice(gzip);
    let request = forwarded(upstream.layer(), &upstream, request).await;
    assert_eq!(request.body, gzip.as_slice());
}

#[tokio::test]
async fn identity_does_not_count_as_an_encoding() {
    let upstream = Upstream::start().await;
    for encoding in ["identity", "Identity", "", "identity,, identity"] {
        let lines = format!(
            "content-encoding: {encoding}\r\ncontent-length: {}\r\n",
            SHRINKING.len()
        );
        let request = forwarded(upstream.layer(), &upstream, chat(&lines, SHRINKING)).await;
        assert_eq!(request.body, SHRUNK, "{encoding}");
    }
}
