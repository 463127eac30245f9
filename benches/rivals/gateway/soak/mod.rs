//! Keeps the gateway under load for a long time, and verifies that it loses, doubles and
//! leaks nothing.
//!
//! Client, gateway and upstream are three processes. The upstream answers with a digest of
//! the body that arrived, which the client compares with the digest of what should have
//! arrived.

mod client;
mod mixed;
mod request;
mod streams;
mod upstream;
mod watch;

pub(crate) use self::{
    mixed::run as mixed,
    streams::{held, run as streams},
    upstream::serve,
};
