//! Authenticates clients.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use tower_http::validate_request::ValidateRequest;

use super::{config::MasterKey, error::Error, limits::linger, scope::Scopes};

/// Requires the master key as a bearer token, if one is configured. The token is
/// removed from the request: it must not reach the upstream. Before that, it decides
/// whose thoughts the request may get.
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
        self.scopes.mark(request);
        let Some(master) = &self.master else {
            return Ok(());
        };
        let authorization = request.headers_mut().remove(AUTHORIZATION);
        let token = authorization
            .as_ref()
            .and_then(|value| bearer(value.as_bytes()));
        let message = match token {
            Some(token) if master.is(token) => return Ok(()),
            Some(_) => "the API key is wrong: it is not the master key of this gateway",
            None => "the API key is missing: send the header \"Authorization: Bearer KEY\"",
        };
        linger(std::mem::take(request));
        Err(Error::request(StatusCode::UNAUTHORIZED, "invalid_api_key", message).into_response())
    }
}

/// Returns the token after `Bearer`, whose case does not matter.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
