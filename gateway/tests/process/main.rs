//! The gateway as a process: arguments, files, requests and signals in; responses,
//! log lines and an exit code out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod harness;
mod strict;

// What the tests of the layers have too.
#[path = "../../../tests/faults/messages.rs"]
mod messages;
#[path = "../../../tests/faults/script.rs"]
mod script;
#[path = "../../../tests/faults/slowed.rs"]
mod slowed;

mod authentication;
mod balance;
mod batch;
mod check;
mod client_keys;
mod configuration;
mod connections;
mod echoes;
mod encodings;
mod endpoints;
mod explain;
mod failures;
mod faults;
mod half_close;
mod heavy;
mod http2;
mod media;
mod operation;
mod paths;
mod probe;
mod redis;
mod reload;
mod retries;
mod routing;
mod security;
mod shutdown;
mod smuggling;
mod smuggling_h2;
mod smuggling_lines;
mod streams;
mod thoughts;
