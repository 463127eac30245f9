//! What reaches Moonshot, and what comes back: over real sockets where bytes and
//! connections matter, and straight into the service where they don't.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cancelling;
mod destination;
mod environment;
mod framing;
mod harness;
mod http2;
mod readiness;
mod reading;
mod streaming;
