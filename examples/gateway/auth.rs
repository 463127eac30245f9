//! Who may ask.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use tower_http::validate_request::ValidateRequest;

use super::{config::MasterKey, error::Error, limits::linger};

/// Asks for the master key as a bearer token, if there is one. It stays here: the
/// upstream gets a key of its own.
#[derive(Clone, Debug)]
pub(crate) struct Authenticate(Option<Arc<MasterKey>>);

impl Authenticate {
    pub(crate) fn new(master: Option<MasterKey>) -> Self {
        Self(master.map(Arc::new))
    }
}

impl ValidateRequest<Body> for Authenticate {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request) -> Result<(), Response> {
        let Some(master) = &self.0 else {
            return Ok(());
        };
        let authorization = request.headers_mut().remove(AUTHORIZATION);
        let token = authorization
            .as_ref()
            .and_then(|value| bearer(value.as_bytes()));
        let message = match token {
            Some(token) if master.is(token) => return Ok(()),
            Some(_) => "the bearer token is not the key of this gateway",
            None => "this gateway asks for its key: send the header Authorization: Bearer …",
        };
        linger(std::mem::take(request));
        Err(Error::request(StatusCode::UNAUTHORIZED, "invalid_api_key", message).into_response())
    }
}

/// The token behind `Bearer`, which may be written in any case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
