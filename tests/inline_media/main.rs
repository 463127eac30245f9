//! Tests of the inline-media layer, with its default client and real servers on loopback,
//! which are allowed. Exceptions are noted at the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod addresses;
mod body;
mod fetching;
mod harness;
mod limits;
mod properties;
mod redirects;
mod resolving;
mod stack;
mod tls;
mod types;
