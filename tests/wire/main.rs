//! Requests and responses on the wire. Tests use real sockets where bytes and connections
//! matter, and call the service directly elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod body_timeout;
mod cancelling;
mod destination;
mod environment;
mod framing;
mod harness;
mod http2;
mod readiness;
mod reading;
mod streaming;
