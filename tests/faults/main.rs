//! What the layers do when a client or an upstream fails: over real sockets, between an axum
//! server and a hyper client. Scripts say what both ends do, and rows what each end gets.
//!
//! The tests of the gateway share `messages.rs`, `script.rs` and `slowed.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod messages;
mod script;
mod slowed;
mod stack;

mod client;
mod cuts;
mod http2;
mod pressure;
mod trailers;
mod upstream;
