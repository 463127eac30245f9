//! Refuses transfer codings that would be lost on the way.

use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header::TRANSFER_ENCODING},
    response::{IntoResponse, Response},
};
use tower_http::validate_request::ValidateRequest;

use super::{error::Error, limits::linger};

/// Accepts no other `Transfer-Encoding` than `chunked`. hyper decodes that, but also
/// accepts codings before it, which the upstream would get without their name.
///
/// hyper ignores a `Content-Length` beside it and closes the connection afterwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnlyChunked;

impl ValidateRequest<Body> for OnlyChunked {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request) -> Result<(), Response> {
        let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
        let is_chunked = match codings.next() {
            Some(coding) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
            None => return Ok(()),
        };
        if is_chunked && codings.next().is_none() {
            return Ok(());
        }
        linger(std::mem::take(request));
        let message = "the only Transfer-Encoding that is supported is \"chunked\"";
        let status = StatusCode::NOT_IMPLEMENTED;
        Err(Error::request(status, "unsupported_encoding", message).into_response())
    }
}
