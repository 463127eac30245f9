//! Refuses methods that no API uses and that echo a request or open a tunnel.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header::ALLOW},
    response::{IntoResponse, Response},
};
use tower_http::validate_request::ValidateRequest;

use super::{error::Error, limits::linger};

/// The methods that may reach an upstream. `TRACE`, and `TRACK` of some servers, return
/// the request with the upstream's key in it, and `CONNECT` opens a tunnel.
const KNOWN: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// Refuses every other method than the known ones, on any path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownMethods;

impl ValidateRequest<Body> for KnownMethods {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request) -> Result<(), Response> {
        if KNOWN.contains(request.method()) {
            return Ok(());
        }
        let method = request.method();
        let message = format!("the gateway does not support the method {method}");
        let error = Error::request(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message);
        linger(std::mem::take(request));
        let mut response = error.into_response();
        let allowed = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        response.headers_mut().insert(ALLOW, allowed);
        Err(response)
    }
}
