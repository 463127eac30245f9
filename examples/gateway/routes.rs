//! What is answered here, and what goes on to Moonshot unread.

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
    chat::unknown, error::Error, metrics::Metrics, models::Models, shutdown::Shutdown,
    trail::Trail, upstream::Upstream,
};

/// Where models that are configured came into being, for clients that insist on
/// a date; LiteLLM says the same.
const CREATED: u32 = 1_677_610_602;

/// What the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    pub(crate) models: Arc<Models>,
    pub(crate) upstream: Upstream,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shutdown: Shutdown,
}

/// The configured names, in OpenAI's form. Where every model is served, Moonshot
/// knows which there are.
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

/// Whether the process is alive.
pub(crate) async fn liveliness(State(gateway): State<Gateway>) -> Response {
    health(&gateway, json!("I'm alive!"))
}

/// Whether it wants requests.
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
    gateway.metrics.text()
}

/// Everything else under `/v1`: files, tokens, balance. Nothing in such a request
/// names a model, so it needs an upstream that is the only one.
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
                "entries of several upstreams or keys are configured, \
                 so the gateway can't tell which one {path} is for"
            ),
        )
        .into_response();
    };
    Trail::of(&request).sent_to(&upstream.upstream);
    let service = upstream.layer().layer(gateway.upstream.clone());
    service.oneshot(request).await.into_response()
}

/// Whether a path is one of chat requests, whose model nobody has chosen then, is
/// one of models where not all of the upstream's are served, or leads out of the
/// API; in any spelling that an upstream may understand, or a server in front of it
/// that takes backslashes or cuts off what stands behind `;`.
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

/// What is neither an endpoint nor under `/v1`.
pub(crate) async fn not_found(method: Method, uri: Uri) -> Response {
    let message = format!(
        "nothing answers to {method} {}; try POST /v1/chat/completions",
        uri.path()
    );
    Error::request(StatusCode::NOT_FOUND, "unknown_url", message).into_response()
}

pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} doesn't take {method}", uri.path());
    Error::request(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message).into_response()
}
