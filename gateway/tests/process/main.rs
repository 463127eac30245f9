//! The gateway as a process: arguments, files, requests and signals in; responses,
//! log lines and an exit code out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod harness;

mod authentication;
mod configuration;
mod endpoints;
mod failures;
mod media;
mod operation;
mod redis;
mod retries;
mod routing;
mod streams;
mod thoughts;
