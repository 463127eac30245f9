//! Failures that are not the request's fault.

use http::{HeaderValue, StatusCode, header};

use super::error::ApiError;

/// How [`Emulator::fail_first`](super::Emulator::fail_first) makes a request fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// 429 `engine_overloaded_error` with `Retry-After: 1`: too many others are
    /// asking. The message is as recorded in live reports.
    Overloaded,
    /// 429 `rate_limit_reached_error` with `Retry-After: 1`: this account asks
    /// too often. The type is documented, the wording is the emulator's own.
    RateLimited,
    /// 429 `exceeded_current_quota_error` without `Retry-After`: the account has
    /// no money left, and asking again does not help. The type is documented,
    /// the wording is the emulator's own.
    QuotaExceeded,
    /// The stream starts as usual and breaks off half-way with an error object
    /// as its last event, without `[DONE]`. That there is such an event is from
    /// live reports, that `[DONE]` is missing a judgement. To a request that
    /// asked for no stream it is the same as [`Overloaded`](Self::Overloaded).
    MidStream,
}

impl Failure {
    pub(super) fn to_error(self) -> ApiError {
        let retry_after = HeaderValue::from_static("1");
        match self {
            Self::Overloaded | Self::MidStream => too_many(
                "engine_overloaded_error",
                "The engine is currently overloaded, please try again later",
            )
            .with_header(header::RETRY_AFTER, retry_after),
            Self::RateLimited => too_many(
                "rate_limit_reached_error",
                "Your account has reached its request rate limit, please try again after 1 second",
            )
            .with_header(header::RETRY_AFTER, retry_after),
            Self::QuotaExceeded => too_many(
                "exceeded_current_quota_error",
                "You exceeded your current token quota, please check your account balance",
            ),
        }
    }
}

fn too_many(kind: &'static str, message: &str) -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, kind, message)
}
