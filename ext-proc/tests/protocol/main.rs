//! Envoy's protocol, message by message, with a client that plays Envoy.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by them"
)]

mod buffered;
mod client;
mod heavy;
mod operation;
mod reload;
mod streamed;
mod tls;
