//! The URL that requests are sent to, and the key that they carry.

use axum::Router;
use bytes::Bytes;
use http::{Method, Request, Version};
use http_body_util::Full;
use tower_moonshot::{ApiKey, MoonshotCompatLayer, Region};

use crate::harness::*;

fn request(uri: &str) -> Request<Full<Bytes>> {
    Request::post(uri).body(SHRINKING.into()).unwrap()
}

fn key(key: &str) -> ApiKey {
    ApiKey::new(key).unwrap()
}

fn authorization(request: &Request<Bytes>) -> Option<&str> {
    let mut values = request.headers().get_all("authorization").iter();
    let value = values.next().map(|value| value.to_str().unwrap());
    assert_eq!(values.next(), None);
    value
}

#[tokio::test]
async fn the_host_is_that_of_the_upstream() {
    let upstream = Upstream::start().await;
    for request in [
        chat_of(SHRINKING),
        chat_of(CLEAN),
        chat("content-type: text/plain\r\n", ""),
    ] {
        let request = forwarded(upstream.layer(), &upstream, request).await;
        assert_eq!(
            request.head.get("host"),
            Some(&*upstream.address.to_string())
        );
    }
}

#[tokio::test]
async fn the_host_of_an_absolute_uri_is_replaced() {
    let upstream = Upstream::start().await;
    let elsewhere = "POST http://elsewhere.example/v1/chat/completions HTTP/1.1\r\nhost: elsewhere.example\r\n\r\n";
    let request = forwarded(upstream.layer(), &upstream, elsewhere).await;
    assert_eq!(request.head.start, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(
        request.head.get("host"),
        Some(&*upstream.address.to_string())
    );
}

#[tokio::test]
async fn other_requests_keep_their_path_and_query() {
    let upstream = Upstream::start().await;
    for (line, expected) in [
        ("GET /v1/models?x=1", "GET /v1/models?x=1"),
        ("GET /models", "GET /v1/models"),
        ("DELETE /v1/files/a%2Fb", "DELETE /v1/files/a%2Fb"),
        (
            "POST /openai/v1/chat/completions?a",
            "POST /v1/chat/completions?a",
        ),
    ] {
        let request = format!("{line} HTTP/1.1\r\nhost: gateway.example\r\n\r\n");
        let request = forwarded(upstream.layer(), &upstream, request).await;
        assert_eq!(request.head.start, format!("{expected} HTTP/1.1"));
    }
}

#[tokio::test]
async fn the_layer_can_be_nested_in_a_router() {
    let upstream = Upstream::start().await;
    let app = Router::new()
        .nest("/tenant", proxy(upstream.layer()))
        .nest_service("/a/b", proxy(upstream.layer()));
    let gateway = Server::start(app).await;
    for path in ["/tenant", "/a/b"] {
        let mut client = Wire::connect(gateway.address).await;
        let length = SHRINKING.len();
        client
            .send(format!(
                "POST {path}/v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{SHRINKING}"
            ))
            .await;
        let request = upstream.serve_one().await;
        assert_eq!(request.head.start, "POST /v1/chat/completions HTTP/1.1");
        assert_eq!(request.body, SHRUNK);
        assert_eq!(client.message().await.body, "ok");
    }
}

#[tokio::test]
async fn the_http_version_of_the_incoming_connection_is_not_forwarded() {
    for version in [Version::HTTP_10, Version::HTTP_2, Version::HTTP_3] {
        let mut request = request("/v1/chat/completions");
        *request.version_mut() = version;
        let (request, _) = arrived(&MoonshotCompatLayer::new(), request).await;
        assert_eq!(request.version(), Version::HTTP_11);
    }
}

#[tokio::test]
async fn without_a_key_the_callers_authorization_is_forwarded() {
    let mut request = request("/v1/chat/completions");
    let callers = "Bearer sk-caller".parse().unwrap();
    request.headers_mut().insert("authorization", callers);
    let (request, _) = arrived(&MoonshotCompatLayer::new(), request).await;
    assert_eq!(authorization(&request), Some("Bearer sk-caller"));
}

#[tokio::test]
async fn a_key_replaces_every_authorization_of_the_caller() {
    let layer = MoonshotCompatLayer::new().with_api_key(key("sk-layer"));
    for content_type in ["application/json", "text/plain"] {
        let mut request = request("/v1/chat/completions");
        let headers = request.headers_mut();
        headers.insert("content-type", content_type.parse().unwrap());
        headers.append("authorization", "Bearer sk-caller".parse().unwrap());
        headers.append("authorization", "Basic YTpi".parse().unwrap());
        let (request, _) = arrived(&layer, request).await;
        assert_eq!(authorization(&request), Some("Bearer sk-layer"));
        assert!(request.headers()["authorization"].is_sensitive());
    }
}

#[tokio::test]
async fn a_region_in_the_extensions_overrides_the_layers() {
    let mut request = request("/v1/chat/completions");
    request.extensions_mut().insert(Region::KimiCode);
    let (request, _) = arrived(&MoonshotCompatLayer::new(), request).await;
    assert_eq!(
        request.uri(),
        "https://api.kimi.ai/coding/v1/chat/completions"
    );
    assert_eq!(request.body(), SHRUNK);
}

#[tokio::test]
async fn the_layers_key_is_not_sent_to_another_region() {
    let layer = MoonshotCompatLayer::new().with_api_key(key("sk-global"));
    for (region, expected) in [
        (Region::Global, Some("Bearer sk-global")),
        (Region::China, None),
        (Region::custom("http://api.moonshot.ai/v1").unwrap(), None),
        (Region::custom("https://api.moonshot.ai/v2").unwrap(), None),
        (
            Region::custom("https://elsewhere.example/v1").unwrap(),
            None,
        ),
        // Another spelling of the region that the key belongs to.
        (
            Region::Custom("https://API.moonshot.ai/v1/".parse().unwrap()),
            Some("Bearer sk-global"),
        ),
    ] {
        let mut request = request("/v1/chat/completions");
        request.extensions_mut().insert(region.clone());
        let (request, _) = arrived(&layer, request).await;
        assert_eq!(authorization(&request), expected, "{region:?}");
    }
}

#[tokio::test]
async fn a_key_in_the_extensions_always_wins() {
    let layer = MoonshotCompatLayer::new().with_api_key(key("sk-global"));
    for region in [Region::Global, Region::China] {
        let mut request = request("/v1/chat/completions");
        request.extensions_mut().insert(region);
        request.extensions_mut().insert(key("sk-tenant"));
        let (request, _) = arrived(&layer, request).await;
        assert_eq!(authorization(&request), Some("Bearer sk-tenant"));
        assert!(request.headers()["authorization"].is_sensitive());
    }
}

/// A `CONNECT` request has no path to rewrite, but a host, which must not receive the
/// layer's key.
#[tokio::test]
async fn a_connect_request_is_sent_to_the_region() {
    let layer = MoonshotCompatLayer::new().with_api_key(key("sk-layer"));
    let mut request = request("elsewhere.example:443");
    *request.method_mut() = Method::CONNECT;
    let (request, _) = arrived(&layer, request).await;
    assert_eq!(request.uri(), "api.moonshot.ai");
    assert_eq!(authorization(&request), Some("Bearer sk-layer"));
}

/// The path fits a URI, but not after the base path is added.
#[tokio::test]
async fn a_path_of_any_length_is_sent_to_the_region() {
    let layer = MoonshotCompatLayer::new()
        .with_region(Region::KimiCode)
        .with_api_key(key("sk-layer"));
    let elsewhere = "http://e/";
    let longest = "a".repeat(usize::from(u16::MAX) - 1 - elsewhere.len());
    let (request, _) = arrived(&layer, request(&format!("{elsewhere}{longest}"))).await;
    assert_eq!(request.uri().host(), Some("api.kimi.ai"));
    assert_eq!(authorization(&request), Some("Bearer sk-layer"));
}
