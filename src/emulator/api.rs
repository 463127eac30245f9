//! The emulated API: routes requests, and answers those whose body was read.

use std::{
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, header};
use serde_json::{Value, json};

use super::{
    body::EmulatorBody,
    check::{MAX_BODY_BYTES, check, read},
    config::Config,
    error::ApiError,
    facts,
    failure::Failure,
    finding::{Finding, Findings, MAX_FINDINGS},
    reply::{CREATED, Reply},
    stream,
};

/// The settings and the counters of an emulator. Clones share the counters.
#[derive(Clone, Debug, Default)]
pub(super) struct Api {
    config: Arc<Config>,
    requests: Arc<AtomicUsize>,
    accepted: Arc<AtomicUsize>,
}

impl Api {
    pub(super) fn config_mut(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }

    pub(super) fn returned_thoughts(&self) -> Vec<Vec<Option<String>>> {
        self.config.thoughts.returned()
    }

    /// Answers a chat request from its body.
    pub(super) fn chat(&self, body: &[u8]) -> Response<EmulatorBody> {
        let result = self.try_chat(body);
        self.sign(result.unwrap_or_else(ApiError::into_response))
    }

    /// Answers a chat request whose body could not be read. A broken connection can't
    /// carry the answer, but a test in the same process receives it.
    pub(super) fn unreadable(&self, error: &dyn Display) -> Response<EmulatorBody> {
        self.refuse(ApiError::invalid(format!(
            "Invalid request: the request body could not be read: {error}"
        )))
    }

    pub(super) fn refuse(&self, error: ApiError) -> Response<EmulatorBody> {
        self.sign(error.into_response())
    }

    fn try_chat(&self, bytes: &[u8]) -> Result<Response<EmulatorBody>, ApiError> {
        let body = read(bytes)?;
        let mut findings = Findings::up_to(1);
        let request = check(&body, &self.config, &mut findings);
        if let Some(first) = findings.into_vec().pop() {
            return Err(first.into());
        }
        let number = self.accepted.fetch_add(1, Ordering::Relaxed);
        self.config.thoughts.note(request.body);
        let reply = Reply::to(&request, &self.config.thoughts, number, bytes.len());
        let body = match (self.config.failure(number), request.stream) {
            (None, false) => {
                let (status, text) = self.config.quirks.json(reply.to_json());
                let mut response = Response::new(EmulatorBody::frames([Bytes::from(text)]));
                *response.status_mut() = status;
                return Ok(response);
            }
            (None, true) => stream::body(&reply, request.include_usage, &self.config.quirks),
            (Some(failure @ Failure::MidStream), true) => {
                stream::broken_body(&reply, &failure.to_error())
            }
            (Some(failure), _) => return Err(failure.to_error()),
        };
        let mut response = Response::new(body);
        let event_stream = HeaderValue::from_static("text/event-stream");
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, event_stream);
        Ok(response)
    }

    /// Every reason for which a body is refused. The first is that of the answer.
    pub(super) fn explain(&self, body: &[u8]) -> Vec<Finding> {
        let body = match read(body) {
            Ok(body) => body,
            Err(why) => return vec![why],
        };
        let mut findings = Findings::up_to(MAX_FINDINGS);
        check(&body, &self.config, &mut findings);
        findings.into_vec()
    }

    fn models(&self) -> Value {
        let models: Vec<Value> = self.config.models().into_iter().map(model).collect();
        json!({"object": "list", "data": models})
    }

    /// Adds the headers that all answers have. The last four identify the account,
    /// so a proxy may want to remove them.
    pub(super) fn sign(&self, mut response: Response<EmulatorBody>) -> Response<EmulatorBody> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::try_from(format!("{number:032x}")) {
            headers.insert("msh-request-id", id.clone());
            headers.insert("x-msh-trace-id", id);
        }
        for (name, value) in [
            ("msh-uid", "emulated-user"),
            ("msh-org-id", "emulated-org"),
            ("msh-project-id", "emulated-project"),
            ("msh-gid", "emulated-group"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
            .entry(header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json; charset=utf-8"));
        response
    }

    /// Routes a request, and answers whatever does not depend on the body.
    pub(super) fn route(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Route, ApiError> {
        if path.ends_with("/v1/chat/completions") {
            if method != Method::POST {
                return Err(ApiError::no_method("POST"));
            }
            self.config.check_key(headers)?;
            let length = headers.get(header::CONTENT_LENGTH);
            let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
            if length.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
                return Err(Finding::new(&facts::BODY_TOO_LONG, &[]).into());
            }
            return Ok(Route::Chat);
        }

        let wanted = match path.rsplit_once("/v1/models") {
            Some((_, "")) => None,
            Some((_, rest)) if rest.starts_with('/') => Some(&rest[1..]),
            _ => return Err(ApiError::no_route(path)),
        };
        if method != Method::GET {
            return Err(ApiError::no_method("GET"));
        }
        self.config.check_key(headers)?;
        match wanted {
            None => Ok(Route::Models(self.models())),
            Some(id) if self.config.sells(id) => Ok(Route::Models(model(id))),
            Some(id) => Err(Config::refusal(id).into()),
        }
    }
}

/// How a request is answered.
#[derive(Debug)]
pub(super) enum Route {
    /// By the model, once the body is read.
    Chat,
    /// With this object, at once.
    Models(Value),
}

fn model(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": CREATED, "owned_by": "moonshot"})
}
