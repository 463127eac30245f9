//! Authenticates clients.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use tower_http::validate_request::ValidateRequest;

use super::{
    client_key::{ClientKey, Repeated},
    config::MasterKey,
    error::Error,
    limits::linger,
    scope::Scopes,
};

/// Requires the master key, if one is configured. The client's key is removed from the
/// request in any case, and put back in one place only if there is no master key: a
/// master key must not reach the upstream. The client's key also decides whose
/// thoughts the request may get.
#[derive(Clone, Debug)]
pub(crate) struct Authenticate {
    master: Option<Arc<MasterKey>>,
    scopes: Scopes,
}

impl Authenticate {
    pub(crate) fn new(master: Option<MasterKey>, scopes: Scopes) -> Self {
        Self {
            master: master.map(Arc::new),
            scopes,
        }
    }
}

impl ValidateRequest<Body> for Authenticate {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request) -> Result<(), Response> {
        let key = match ClientKey::take(request.headers_mut()) {
            Ok(key) => key,
            Err(Repeated(name)) => {
                let message = format!("the header \"{name}\" appears more than once: send one key");
                return Err(refused(request, StatusCode::BAD_REQUEST, message));
            }
        };
        self.scopes.mark(request, key.as_ref());
        let Some(master) = &self.master else {
            if let Some(key) = key {
                let key = key.into_authorization();
                request.headers_mut().insert(AUTHORIZATION, key);
            }
            return Ok(());
        };
        let message = match key.as_ref().and_then(ClientKey::token) {
            Some(token) if master.is(token) => return Ok(()),
            Some(_) => "the API key is wrong: it is not the master key of this gateway",
            None => "the API key is missing: send the header \"Authorization: Bearer KEY\"",
        };
        Err(refused(
            request,
            StatusCode::UNAUTHORIZED,
            message.to_owned(),
        ))
    }
}

fn refused(request: &mut Request, status: StatusCode, message: String) -> Response {
    linger(std::mem::take(request));
    Error::request(status, "invalid_api_key", message).into_response()
}
