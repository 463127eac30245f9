//! Who may ask.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{config::MasterKey, error::Error, limits::linger};

/// Asks for the master key as a bearer token, if there is one. It stays here: the
/// upstream gets a key of its own.
pub(crate) async fn authenticate(
    State(master): State<Option<Arc<MasterKey>>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(master) = master else {
        return next.run(request).await;
    };
    let authorization = request.headers_mut().remove(AUTHORIZATION);
    let token = authorization
        .as_ref()
        .and_then(|value| bearer(value.as_bytes()));
    match token {
        Some(token) if master.is(token) => next.run(request).await,
        token => {
            let message = match token {
                Some(_) => "the bearer token is not the key of this gateway",
                None => "this gateway asks for its key: send the header Authorization: Bearer …",
            };
            linger(request);
            Error::request(StatusCode::UNAUTHORIZED, "invalid_api_key", message).into_response()
        }
    }
}

/// The token behind `Bearer`, which may be written in any case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
