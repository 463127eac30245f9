//! The gateway as a process: arguments, files, requests and signals in; responses,
//! log lines and an exit code out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod harness;

mod authentication;
mod configuration;
mod connections;
mod endpoints;
mod failures;
mod half_close;
mod heavy;
mod http2;
mod media;
mod operation;
mod redis;
mod reload;
mod retries;
mod routing;
mod shutdown;
mod streams;
mod thoughts;
