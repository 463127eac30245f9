//! The gateway of the examples as a process of its own: arguments, files, bytes
//! and signals in; bytes and a log out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

// Its unit tests run here too.
#[allow(dead_code)]
#[path = "../../examples/gateway/main.rs"]
mod program;

mod harness;

mod authentication;
mod configuration;
mod endpoints;
mod failures;
mod operation;
mod retries;
mod routing;
mod streams;
