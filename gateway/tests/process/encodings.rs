//! Spellings of `Content-Encoding`.

use crate::harness::{Answer, Gateway, OK, Setup, saying};

const GZIP: &[u8] = include_bytes!("../compressed/chat.json.gz");

async fn ask(gateway: &Gateway, path: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
         content-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    gateway.send([head.as_bytes(), body].concat()).await
}

#[tokio::test]
async fn a_coding_is_accepted_in_any_case_by_its_alias_and_with_identity_beside_it() {
    let gateway = Setup::default().start().await;
    for headers in [
        "content-encoding: gzip\r\n",
        "content-encoding: GZIP\r\n",
        "content-encoding: x-gzip\r\n",
        "content-encoding: X-GZip\r\n",
        "content-encoding: gzip, identity\r\n",
        "content-encoding: identity,gzip ,\r\n",
        "content-encoding: identity\r\ncontent-encoding: gzip\r\n",
    ] {
        let answer = ask(&gateway, "/v1/chat/completions", headers, GZIP).await;
        assert_eq!(answer.status, 200, "{headers}: {answer:?}");
        assert_eq!(answer.header("x-moonshot-rewrites"), Some("sampling"));
    }
    let plain = br#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;
    for coding in ["", "identity", "Identity", "identity, identity", ","] {
        let headers = format!("content-encoding: {coding}\r\n");
        let answer = ask(&gateway, "/v1/chat/completions", &headers, plain).await;
        assert_eq!(answer.status, 200, "{coding}: {answer:?}");
    }
}

#[tokio::test]
async fn other_codings_and_several_at_once_are_a_415() {
    let mut upstream = saying(OK).await;
    let gateway = Setup::to(upstream.address).start().await;
    for headers in [
        "content-encoding: compress\r\n",
        "content-encoding: gzip, gzip\r\n",
        "content-encoding: gzip, br\r\n",
        "content-encoding: gzip\r\ncontent-encoding: br\r\n",
        "content-encoding: gzip;q=1\r\n",
    ] {
        let answer = ask(&gateway, "/v1/chat/completions", headers, GZIP).await;
        assert_eq!(answer.status, 415, "{headers}");
        assert_eq!(answer.error()["code"], "unsupported_encoding");
    }
    assert!(upstream.was_asked_nothing());
    // Bodies of other paths are not read.
    let headers = "content-encoding: X-GZIP, compress\r\n";
    assert_eq!(
        ask(&gateway, "/v1/files", headers, b"abc").await.status,
        200
    );
    assert!(upstream.asked().await.contains(headers));
}
