//! What the layers do when a client or an upstream fails: over real sockets, between an axum
//! server and a hyper client. Scripts say what both ends do, and rows what each end gets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod cuts;
mod http2;
mod pressure;
mod script;
mod stack;
mod trailers;
mod upstream;
