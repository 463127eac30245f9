//! The handlers of all paths but chat requests.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderValue, Method, StatusCode, Uri, header::ACCEPT_ENCODING},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};

use super::{
    chat::unknown, error::Error, forwarded_path, memory::Memory, metrics::Metrics, models::Models,
    response::SearchBody, shutdown::Shutdown, trail::Trail, upstream::Upstream,
};

/// The creation time of configured models, for clients that require one. LiteLLM
/// returns the same.
const CREATED: u32 = 1_677_610_602;

/// The state of the handlers.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    pub(crate) models: Arc<Models>,
    pub(crate) upstream: Upstream,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) memory: Option<Memory>,
    pub(crate) shutdown: Shutdown,
}

/// Lists the configured names in OpenAI's form. If every model is served, the request
/// is forwarded and Moonshot lists its models.
pub(crate) async fn models(state: State<Gateway>, request: Request) -> Response {
    if state.models.is_open() {
        return pass_through(state, request).await;
    }
    let data: Vec<Value> = state.models.names().map(model).collect();
    Json(json!({"object": "list", "data": data})).into_response()
}

pub(crate) async fn one_model(
    state: State<Gateway>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    if state.models.is_open() {
        return pass_through(state, request).await;
    }
    // Its bytes are not UTF-8.
    let Ok(Path(id)) = id else {
        return not_found(request.method().clone(), request.uri().clone()).await;
    };
    match state.models.find(&id) {
        Some(_) => Json(model(&id)).into_response(),
        None => unknown(&id, &state.models).into_response(),
    }
}

fn model(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": CREATED, "owned_by": "moonshot"})
}

/// Tells that the process is alive.
pub(crate) async fn liveliness(State(gateway): State<Gateway>) -> Response {
    health(&gateway, json!("I'm alive!"))
}

/// Tells whether the gateway accepts requests.
pub(crate) async fn readiness(State(gateway): State<Gateway>) -> Response {
    health(&gateway, json!({"status": "healthy"}))
}

fn health(gateway: &Gateway, healthy: Value) -> Response {
    if gateway.shutdown.is_begun() {
        let status = Json(json!({"status": "shutting_down"}));
        (StatusCode::SERVICE_UNAVAILABLE, status).into_response()
    } else {
        Json(healthy).into_response()
    }
}

pub(crate) async fn metrics(State(gateway): State<Gateway>) -> Response {
    let held = gateway.memory.as_ref().map_or(0, Memory::bytes);
    gateway.metrics.text(held)
}

/// Forwards any other request under `/v1`: files, token counts, balance. Such a request
/// names no model, so all entries must share one upstream.
pub(crate) async fn pass_through(State(gateway): State<Gateway>, mut request: Request) -> Response {
    let path = request.uri().path();
    if forwarded_path::is_refused(path, gateway.models.is_open()) {
        return not_found(request.method().clone(), request.uri().clone()).await;
    }
    let Some(upstream) = gateway.models.only_upstream() else {
        return Error::request(
            StatusCode::NOT_FOUND,
            "ambiguous_upstream",
            format!(
                "{path} cannot be forwarded: the configured entries have more than one \
                 upstream or API key, and the request does not say which one to use"
            ),
        )
        .into_response();
    };
    Trail::of(&request).sent_to(&upstream.upstream);
    // Not for the client's own key, which may well be in a file that it downloads.
    if upstream.has_key() {
        let none = HeaderValue::from_static("identity");
        request.headers_mut().insert(ACCEPT_ENCODING, none);
        if request.method() != Method::HEAD {
            request.extensions_mut().insert(SearchBody);
        }
    }
    let service = upstream.layer().layer(gateway.upstream.clone());
    service.oneshot(request).await.into_response()
}

/// Refuses a path that is neither an endpoint nor under `/v1`.
pub(crate) async fn not_found(method: Method, uri: Uri) -> Response {
    let message = format!(
        "there is no endpoint {method} {}; try POST /v1/chat/completions",
        uri.path()
    );
    Error::request(StatusCode::NOT_FOUND, "unknown_url", message).into_response()
}

pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not support the method {method}", uri.path());
    Error::request(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message).into_response()
}
