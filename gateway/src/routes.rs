//! The handlers of all paths but chat requests.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};

use super::{
    chat::unknown, error::Error, memory::Memory, metrics::Metrics, models::Models,
    shutdown::Shutdown, trail::Trail, upstream::Upstream,
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
    Path(id): Path<String>,
    request: Request,
) -> Response {
    if state.models.is_open() {
        return pass_through(state, request).await;
    }
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
pub(crate) async fn pass_through(State(gateway): State<Gateway>, request: Request) -> Response {
    let path = request.uri().path();
    if leads_elsewhere(path, gateway.models.is_open()) {
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
    let service = upstream.layer().layer(gateway.upstream.clone());
    service.oneshot(request).await.into_response()
}

/// Whether a path must not be forwarded: it is a chat request (which would bypass the
/// choice of an entry), it lists models while only some are served, or it leads out of
/// the API. Spellings that only some servers understand count too: percent-encoding,
/// empty segments, backslashes, and parameters after `;`.
fn leads_elsewhere(path: &str, is_open: bool) -> bool {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let segments: Vec<&str> = path
        .split(['/', '\\'])
        .map(|part| part.split_once(';').map_or(part, |(part, _)| part))
        .filter(|part| !part.is_empty())
        .collect();
    segments.ends_with(&["chat", "completions"])
        || segments.get(1) == Some(&"models") && !is_open
        || segments.iter().any(|part| matches!(*part, "." | ".."))
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
