//! Images and videos by URL: real servers on loopback, which are allowed, and
//! the real client, unless a test says otherwise.
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
