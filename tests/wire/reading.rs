//! Which requests are read, and what outer and inner services see of them.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_moonshot::{MoonshotCompatLayer, Report, RequestBody, Rule, Skipped};

use crate::harness::*;

fn request(content_type: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::post("/v1/chat/completions");
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    request.body(SHRINKING.into()).unwrap()
}

fn skipped(request: &Request<Bytes>) -> Option<Skipped> {
    let report = request.extensions().get::<Report>().unwrap();
    report.skipped().cloned()
}

#[tokio::test]
async fn json_is_rewritten_with_any_json_content_type_and_without_one() {
    for content_type in [
        None,
        Some("application/json"),
        Some("application/json; charset=utf-8"),
        Some("application/json;charset=UTF-8"),
        Some(" application/json ;x"),
        Some("Application/JSON"),
        Some("application/vnd.x+json"),
        Some("application/vnd.x+JSON; v=1"),
    ] {
        let (request, _) = arrived(&MoonshotCompatLayer::new(), request(content_type)).await;
        assert_eq!(request.body(), SHRUNK, "{content_type:?}");
    }
}

#[tokio::test]
async fn other_content_types_are_not_read() {
    for content_type in [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "application/grpc",
        "application/grpc+proto",
        "application/jsonl",
        "application/json-seq",
        "multipart/form-data; boundary=application/json",
        "+json",
    ] {
        let (request, _) = arrived(&MoonshotCompatLayer::new(), request(Some(content_type))).await;
        assert_eq!(request.body(), SHRINKING, "{content_type:?}");
        assert_eq!(skipped(&request), Some(Skipped::NotAChatRequest));
    }
}

#[tokio::test]
async fn other_methods_and_paths_are_not_read_and_get_no_report() {
    for (method, path) in [
        (Method::GET, "/v1/chat/completions"),
        (Method::PUT, "/v1/chat/completions"),
        (Method::DELETE, "/v1/chat/completions"),
        (Method::POST, "/v1/completions"),
        (Method::POST, "/v1/embeddings"),
        (Method::POST, "/v1/chat/completions/123"),
        (Method::POST, "/v1/xchat/completions?/chat/completions"),
        (Method::POST, "/v1/models?path=/chat/completions"),
    ] {
        let mut request = request(None);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        let (request, response) = arrived(&MoonshotCompatLayer::new(), request).await;
        assert_eq!(request.body(), SHRINKING, "{path:?}");
        for extensions in [request.extensions(), &response] {
            assert!(extensions.get::<Report>().is_none(), "{path:?}");
        }
    }
}

#[tokio::test]
async fn the_report_has_the_reason_why_a_body_was_skipped() {
    let mut compressed = request(None);
    let gzip = "gzip".parse().unwrap();
    compressed.headers_mut().insert("content-encoding", gzip);
    let (compressed, _) = arrived(&MoonshotCompatLayer::new(), compressed).await;
    assert_eq!(skipped(&compressed), Some(Skipped::Compressed));

    let strict = MoonshotCompatLayer::new().with_max_body_bytes(16);
    let (announced, _) = arrived(&strict, request(None)).await;
    assert!(matches!(
        skipped(&announced),
        Some(Skipped::TooLarge { limit: 16, .. })
    ));
    assert_eq!(announced.body(), SHRINKING);
    let (found_out, _) = arrived(&strict, request(None).map(|_| trickle(SHRINKING))).await;
    assert!(matches!(
        skipped(&found_out),
        Some(Skipped::TooLarge { limit: 16, .. })
    ));
    assert_eq!(found_out.body(), SHRINKING);

    let (broken, _) = arrived(
        &MoonshotCompatLayer::new(),
        request(None).map(|_| Full::from("{\n\"a\":}")),
    )
    .await;
    assert_eq!(broken.body(), "{\n\"a\":}");
    let Some(Skipped::InvalidJson(invalid)) = skipped(&broken) else {
        panic!("{broken:?}");
    };
    assert_eq!(
        (invalid.offset(), invalid.line(), invalid.column()),
        (6, 2, 5)
    );
}

#[tokio::test]
async fn the_report_is_in_the_request_and_the_response() {
    let (request, response) = arrived(&MoonshotCompatLayer::new(), request(None)).await;
    for extensions in [request.extensions(), &response] {
        let report = extensions.get::<Report>().unwrap();
        assert_eq!(report.changes()[0].rule(), Rule::Model);
        assert_eq!(report.skipped(), None);
    }
}

#[tokio::test]
async fn the_report_of_an_unread_chat_request_is_in_the_request_and_the_response() {
    let (request, response) =
        arrived(&MoonshotCompatLayer::new(), request(Some("text/plain"))).await;
    for extensions in [request.extensions(), &response] {
        let report = extensions.get::<Report>().unwrap();
        assert_eq!(report.skipped(), Some(&Skipped::NotAChatRequest));
    }
}

#[tokio::test]
async fn extensions_headers_and_method_pass_through() {
    #[derive(Clone, Debug, PartialEq)]
    struct Tenant(&'static str);

    for (content_type, body) in [("application/json", SHRUNK), ("text/plain", SHRINKING)] {
        let mut request = request(Some(content_type));
        request.extensions_mut().insert(Tenant("a"));
        let headers = request.headers_mut();
        headers.append("x-twice", "1".parse().unwrap());
        headers.append("x-twice", "2".parse().unwrap());
        let (request, _) = arrived(&MoonshotCompatLayer::new(), request).await;
        assert_eq!(request.extensions().get(), Some(&Tenant("a")));
        let twice: Vec<_> = request.headers().get_all("x-twice").iter().collect();
        assert_eq!(twice, ["1", "2"]);
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()["content-type"], content_type);
        assert_eq!(request.body(), body);
    }
}

#[tokio::test]
async fn an_error_of_the_inner_service_is_returned_unchanged() {
    #[derive(Debug, PartialEq)]
    struct Refused;

    for content_type in ["application/json", "text/plain"] {
        let inner = tower::service_fn(async |_: Request<RequestBody<Full<Bytes>>>| {
            Err::<Response<()>, _>(Refused)
        });
        let service = MoonshotCompatLayer::new().layer(inner);
        let error = service.oneshot(request(Some(content_type))).await;
        assert_eq!(error.unwrap_err(), Refused);
    }
}

#[tokio::test]
async fn a_body_in_many_frames_is_read_as_one_text() {
    let layer = MoonshotCompatLayer::new();
    for (text, expected) in [(SHRINKING, SHRUNK), (CLEAN, CLEAN)] {
        let (request, _) = arrived(&layer, request(None).map(|_| trickle(text))).await;
        assert_eq!(request.body(), expected);
    }
}

/// A body in one frame is not copied.
#[tokio::test]
async fn an_unchanged_body_in_one_frame_is_not_copied() {
    let body = Bytes::from(CLEAN);
    let place = body.as_ptr();
    let request = request(None).map(|_| Full::new(body));
    let inner = tower::service_fn(async |request: Request<RequestBody<Full<Bytes>>>| {
        use http_body_util::BodyExt;
        let piece = request.into_body().frame().await.unwrap()?.into_data();
        Ok::<_, Infallible>(Response::new(piece.unwrap()))
    });
    let response = MoonshotCompatLayer::new()
        .layer(inner)
        .oneshot(request)
        .await;
    assert_eq!(response.unwrap().into_body().as_ptr(), place);
}
