//! Composition with other crates. Most of it only has to compile. The rest sends a
//! request.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    convert::Infallible,
    fmt::Debug,
    future::{Future, Ready, ready},
    marker::PhantomPinned,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    error_handling::HandleErrorLayer,
    response::IntoResponse,
    routing::{any, post},
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt, retry,
    util::{BoxCloneSyncService, option_layer},
};
use tower_http::timeout::TimeoutLayer;
use tower_moonshot::{
    MoonshotCompat, MoonshotCompatLayer, Region, Report, RequestBody, ResponseFuture, Rule, Skipped,
};

const CHAT: &str = r#"{"model":"moonshot/kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;
const REWRITTEN: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;

fn chat() -> Request<Full<Bytes>> {
    Request::post("/v1/chat/completions")
        .body(CHAT.into())
        .unwrap()
}

/// An app that returns the body of every request.
fn echo() -> Router {
    Router::new()
        .route("/v1/chat/completions", post(async |body: Bytes| body))
        .fallback(any(async |body: Bytes| body))
}

async fn text<B: HttpBody<Data = Bytes, Error: Debug>>(response: Response<B>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

/// Serves an app until the test ends. Returns its base URL.
async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    format!("http://{address}/v1")
}

fn layer_to(base: &str) -> MoonshotCompatLayer {
    MoonshotCompatLayer::new().with_region(Region::custom(base).unwrap())
}

fn client<B>() -> Client<HttpConnector, B>
where
    B: HttpBody<Data: Send> + Send,
{
    Client::builder(TokioExecutor::new()).build_http()
}

// === axum ===

#[tokio::test]
async fn a_router_accepts_the_layer() {
    let app = echo().layer(MoonshotCompatLayer::new());
    assert_eq!(text(app.oneshot(chat()).await.unwrap()).await, REWRITTEN);
}

#[tokio::test]
async fn a_method_router_accepts_the_layer() {
    let app = Router::new().route(
        "/v1/chat/completions",
        post(async |body: Bytes| body).layer(MoonshotCompatLayer::new()),
    );
    assert_eq!(text(app.oneshot(chat()).await.unwrap()).await, REWRITTEN);
}

#[tokio::test]
async fn a_service_builder_accepts_the_layer_among_others() {
    let app = echo().layer(
        ServiceBuilder::new()
            .layer(tower_http::trace::TraceLayer::new_for_http())
            .layer(TimeoutLayer::with_status_code(
                StatusCode::GATEWAY_TIMEOUT,
                Duration::from_secs(60),
            ))
            .layer(tower_http::decompression::RequestDecompressionLayer::new())
            .layer(tower_http::limit::RequestBodyLimitLayer::new(1 << 20))
            .layer(MoonshotCompatLayer::new())
            .layer(tower_http::decompression::DecompressionLayer::new()),
    );
    assert_eq!(text(app.oneshot(chat()).await.unwrap()).await, REWRITTEN);
}

/// The layer wraps the router, so it runs before routing. `Router::layer` runs after it.
#[tokio::test]
async fn a_wrapped_router_is_served() {
    let app = MoonshotCompatLayer::new().layer(echo());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, tower::make::Shared::new(app)).await });
    let request = Request::post(format!("{base}/chat/completions"))
        .body(Full::from(CHAT))
        .unwrap();
    let response = client::<Full<Bytes>>().request(request).await.unwrap();
    assert_eq!(text(response).await, REWRITTEN);
}

#[allow(dead_code)]
fn a_wrapped_router_makes_services(listener: TcpListener) -> impl IntoFuture {
    let app = MoonshotCompatLayer::new().layer(Router::<()>::new());
    axum::serve(
        listener,
        axum::ServiceExt::<axum::extract::Request>::into_make_service_with_connect_info::<
            std::net::SocketAddr,
        >(app),
    )
}

#[tokio::test]
async fn a_client_inside_of_the_layer_is_the_fallback_of_a_router() {
    let upstream = serve(echo()).await;
    let service = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(async |error: BoxError| {
            (StatusCode::BAD_GATEWAY, error.to_string()).into_response()
        }))
        .map_err(BoxError::from)
        .layer(layer_to(&upstream))
        .service(client());
    let app = Router::new().fallback_service(service);
    assert_eq!(text(app.oneshot(chat()).await.unwrap()).await, REWRITTEN);
}

#[tokio::test]
async fn a_rate_limit_per_peer_wraps_the_layer() {
    use tower_governor::{
        GovernorLayer, governor::GovernorConfigBuilder, key_extractor::GlobalKeyExtractor,
    };

    let config = GovernorConfigBuilder::default()
        .key_extractor(GlobalKeyExtractor)
        .finish()
        .map(Arc::new)
        .unwrap();
    let around = echo()
        .layer(MoonshotCompatLayer::new())
        .layer(GovernorLayer::new(Arc::clone(&config)));
    assert_eq!(text(around.oneshot(chat()).await.unwrap()).await, REWRITTEN);
    let within = echo()
        .layer(GovernorLayer::new(config))
        .layer(MoonshotCompatLayer::new());
    assert_eq!(text(within.oneshot(chat()).await.unwrap()).await, REWRITTEN);
}

// === clients ===

#[tokio::test]
async fn a_hyper_client_works_inside_of_the_layer() {
    let upstream = serve(echo()).await;
    let mut service = layer_to(&upstream).layer(client());
    for _ in 0..2 {
        let request = chat();
        let response = service.ready().await.unwrap().call(request).await.unwrap();
        let report = response.extensions().get::<Report>().unwrap();
        assert_eq!(report.changes()[0].rule(), Rule::Model);
        assert_eq!(text(response).await, REWRITTEN);
    }
}

#[tokio::test]
async fn a_reqwest_client_works_inside_of_the_layer() {
    let upstream = serve(echo()).await;
    let reqwest = reqwest::Client::new();
    let service = ServiceBuilder::new()
        .layer(layer_to(&upstream))
        .map_request(|request: Request<RequestBody<Full<Bytes>>>| {
            reqwest::Request::try_from(request.map(reqwest::Body::wrap)).unwrap()
        })
        .map_response(Response::<reqwest::Body>::from)
        .service(reqwest);
    let response = service.oneshot(chat()).await.unwrap();
    assert!(response.extensions().get::<Report>().is_some());
    assert_eq!(text(response).await, REWRITTEN);
}

/// `reqwest::Body::wrap` requires `Sync`, which axum's bodies don't implement. A stream
/// need not be `Sync`.
#[allow(dead_code)]
fn a_body_of_axum_goes_to_reqwest(body: RequestBody<Body>) -> reqwest::Body {
    reqwest::Body::wrap_stream(body.into_data_stream())
}

/// tonic's channel accepts only its own body type.
#[allow(dead_code)]
fn a_tonic_channel_goes_behind_the_layer<B>(
    channel: tonic::transport::Channel,
) -> impl Service<Request<B>, Response = Response<tonic::body::Body>, Error = tonic::transport::Error>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError> + Send> + Send + 'static,
{
    ServiceBuilder::new()
        .layer(MoonshotCompatLayer::new())
        .map_request(|request: Request<RequestBody<B>>| request.map(tonic::body::Body::new))
        .service(channel)
}

#[tokio::test]
async fn grpc_passes_through_unread() {
    let routes = tonic::service::Routes::from(echo());
    let service = MoonshotCompatLayer::new().layer(routes);
    let request = Request::post("/v1/chat/completions")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::<Bytes>::from(CHAT))
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    let report = response.extensions().get::<Report>().unwrap();
    assert_eq!(report.skipped(), Some(&Skipped::NotAChatRequest));
    assert_eq!(text(response).await, CHAT);
}

// === tower ===

#[tokio::test]
async fn the_layer_can_be_optional() {
    for (layer, expected) in [(Some(MoonshotCompatLayer::new()), REWRITTEN), (None, CHAT)] {
        let app = echo().layer(option_layer(layer));
        assert_eq!(text(app.oneshot(chat()).await.unwrap()).await, expected);
    }
}

#[tokio::test]
async fn buffers_and_limits_work_on_both_sides() {
    let service = ServiceBuilder::new()
        .buffer(4)
        .concurrency_limit(4)
        .layer(MoonshotCompatLayer::new())
        .buffer(4)
        .concurrency_limit(4)
        .timeout(Duration::from_secs(60))
        .service(echo());
    let response = service.oneshot(chat()).await.unwrap();
    assert_eq!(text(response).await, REWRITTEN);
}

#[tokio::test]
async fn a_boxed_service_has_one_type_with_or_without_the_layer() {
    let boxed: BoxCloneSyncService<Request<Body>, axum::response::Response, Infallible> =
        BoxCloneSyncService::new(MoonshotCompatLayer::new().layer(echo()));
    assert_eq!(
        text(boxed.oneshot(chat().map(Body::new)).await.unwrap()).await,
        REWRITTEN
    );
}

#[tokio::test]
async fn steer_works_inside_of_the_layer() {
    let report_says_rewritten = |request: &Request<RequestBody<Body>>, _: &[_]| {
        let report = request.extensions().get::<Report>();
        usize::from(report.is_some_and(|report| !report.changes().is_empty()))
    };
    let unchanged = Router::new().fallback(async || "unchanged");
    let steer = tower::steer::Steer::new([unchanged, echo()], report_says_rewritten);
    let service = ServiceBuilder::new()
        .layer(MoonshotCompatLayer::new())
        .buffer(1)
        .service(steer);
    let response = service
        .clone()
        .oneshot(chat().map(Body::new))
        .await
        .unwrap();
    assert_eq!(text(response).await, REWRITTEN);
    let models = Request::get("/v1/models").body(Body::empty()).unwrap();
    let response = service.oneshot(models).await.unwrap();
    assert_eq!(text(response).await, "unchanged");
}

/// Retries a request once if the response asks for it.
#[derive(Clone)]
struct Once {
    is_left: bool,
}

impl<B, R, E> retry::Policy<Request<RequestBody<B>>, Response<R>, E> for Once
where
    B: HttpBody<Data = Bytes>,
{
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<RequestBody<B>>,
        result: &mut Result<Response<R>, E>,
    ) -> Option<Ready<()>> {
        let is_busy = result
            .as_ref()
            .is_ok_and(|response| response.status() == StatusCode::TOO_MANY_REQUESTS);
        (is_busy && std::mem::take(&mut self.is_left)).then(|| ready(()))
    }

    fn clone_request(
        &mut self,
        request: &Request<RequestBody<B>>,
    ) -> Option<Request<RequestBody<B>>> {
        let mut clone = Request::new(request.body().try_clone()?);
        *clone.method_mut() = request.method().clone();
        *clone.uri_mut() = request.uri().clone();
        *clone.headers_mut() = request.headers().clone();
        *clone.extensions_mut() = request.extensions().clone();
        Some(clone)
    }
}

#[tokio::test]
async fn a_retry_inside_of_the_layer_sends_the_rewritten_request_again() {
    let (tell, mut bodies) = tokio::sync::mpsc::unbounded_channel();
    let inner = tower::service_fn(move |request: Request<RequestBody<Full<Bytes>>>| {
        let tell = tell.clone();
        async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            tell.send(body).unwrap();
            let response = Response::builder().status(StatusCode::TOO_MANY_REQUESTS);
            Ok::<_, Infallible>(response.body(()).unwrap())
        }
    });
    let service = ServiceBuilder::new()
        .layer(MoonshotCompatLayer::new())
        .retry(Once { is_left: true })
        .service(inner);
    service.clone().oneshot(chat()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(bodies.recv().await.unwrap(), REWRITTEN);
    }

    // A body that was not read can't be sent again.
    let mut unread = chat();
    *unread.uri_mut() = "/v1/files".parse().unwrap();
    service.oneshot(unread).await.unwrap();
    assert_eq!(bodies.recv().await.unwrap(), CHAT);
    assert!(bodies.recv().await.is_none());
}

#[tokio::test]
async fn a_second_layer_changes_nothing_more() {
    let inner = tower::service_fn(
        async |request: Request<RequestBody<RequestBody<Full<Bytes>>>>| {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, Infallible>(Response::new((parts, body)))
        },
    );
    let service = ServiceBuilder::new()
        .layer(MoonshotCompatLayer::new())
        .layer(MoonshotCompatLayer::new())
        .service(inner);
    let response = service.oneshot(chat()).await.unwrap();
    let outer = response.extensions().get::<Report>().unwrap().clone();
    let (parts, body) = response.into_body();
    assert_eq!(body, REWRITTEN);
    assert_eq!(parts.headers["content-length"], REWRITTEN.len().to_string());
    assert_eq!(parts.uri, "https://api.moonshot.ai/v1/chat/completions");
    let inner = parts.extensions.get::<Report>().unwrap();
    for report in [&outer, inner] {
        let rules: Vec<_> = report
            .changes()
            .iter()
            .map(|change| change.rule())
            .collect();
        assert_eq!(rules, [Rule::Model]);
    }
}

#[tokio::test]
async fn the_report_of_two_layers_has_the_changes_of_both() {
    let only = |rule| MoonshotCompatLayer::new().without_rules().with_rule(rule);
    let service = ServiceBuilder::new()
        .layer(only(Rule::Model))
        .layer(only(Rule::Role))
        .service(echo());
    let body = r#"{"model":"moonshot/kimi-k3","messages":[{"role":"developer","content":"Hi"}]}"#;
    let request = chat().map(|_| Full::<Bytes>::from(body));
    let response = service.oneshot(request).await.unwrap();
    let report = response.extensions().get::<Report>().unwrap();
    let rules: Vec<_> = report
        .changes()
        .iter()
        .map(|change| change.rule())
        .collect();
    assert_eq!(rules, [Rule::Model, Rule::Role]);
}

// === types ===

/// A body that is neither `Unpin` nor `Send`.
#[derive(Default)]
struct Stubborn {
    text: Option<Bytes>,
    _pinned: PhantomPinned,
    _local: Option<Rc<()>>,
}

impl HttpBody for Stubborn {
    type Data = Bytes;
    type Error = Rc<str>;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Rc<str>>>> {
        Poll::Ready(self.text.clone().map(|_| Err("not this time".into())))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[tokio::test]
async fn a_body_need_not_be_unpin_or_send() {
    let inner = tower::service_fn(async |request: Request<RequestBody<Stubborn>>| {
        let end = request.into_body().collect().await;
        Ok::<_, Infallible>(Response::new(end.map(|_| ())))
    });
    let service = MoonshotCompatLayer::new().layer(inner);
    for (text, expected) in [
        (None, Ok(())),
        (Some(Bytes::new()), Err("not this time".into())),
    ] {
        let body = Stubborn {
            text,
            ..Stubborn::default()
        };
        let request = chat().map(|_| body);
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.into_body(), expected);
    }
}

/// A gateway that is generic over its body needs only these bounds.
#[allow(dead_code)]
fn generic_over_the_body<B, S>(service: S, request: Request<B>) -> impl Future
where
    B: HttpBody<Data = Bytes>,
    S: Service<Request<RequestBody<B>>, Response = Response<()>> + Clone,
{
    MoonshotCompat::new(service).call(request)
}

const fn is_send<T: Send>() {}
const fn is_sync<T: Sync>() {}
const fn is_unpin<T: Unpin>() {}
const fn is_static_clone_debug<T: Clone + Debug + 'static>() {}

const _: () = {
    type HyperClient = Client<HttpConnector, RequestBody<Body>>;

    is_static_clone_debug::<MoonshotCompatLayer>();
    is_static_clone_debug::<MoonshotCompat<HyperClient>>();
    is_static_clone_debug::<Report>();
    is_static_clone_debug::<RequestBody<Full<Bytes>>>();
    is_send::<MoonshotCompat<HyperClient>>();
    is_sync::<MoonshotCompat<HyperClient>>();
    is_send::<ResponseFuture<HyperClient, Body>>();
    is_send::<RequestBody<Body>>();
    is_unpin::<RequestBody<Body>>();
    is_sync::<RequestBody<Full<Bytes>>>();
    is_send::<RequestBody<hyper::body::Incoming>>();
};

#[tokio::test]
async fn the_default_body_is_empty() {
    let body = RequestBody::<Body>::default();
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    let collected = body.collect().await.unwrap();
    assert_eq!(collected.trailers(), None::<&HeaderMap>);
    assert_eq!(collected.to_bytes(), "");
}

#[test]
fn the_inner_service_stays_in_reach() {
    let mut service = MoonshotCompat::new(1);
    *service.get_mut() += *service.get_ref();
    assert_eq!(service.into_inner(), 2);
}
