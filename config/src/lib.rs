//! What [`moonshot-gateway`](https://docs.rs/moonshot-gateway) and `moonshot-ext-proc`
//! share: the parts of LiteLLM's `config.yaml` that concern Moonshot, what a request says
//! about which of its entries applies, what a reload of the file replaces, and times on
//! the command line.
//!
//! This crate exists for these two programs. Its API follows them and has no
//! stability of its own.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by it"))]

pub mod client_key;
pub mod config;
pub mod current;
pub mod file;
pub mod names;
pub mod requested_model;
pub mod scope;
pub mod seconds;
mod yaml;

pub use self::yaml::Problem;
