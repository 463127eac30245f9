//! Keeps the thoughts of models for `moonshot-gateway` and `moonshot-ext-proc`: in the
//! process, or in Redis, which replicas of both can share.
//!
//! This crate exists for these two programs. Its API follows them and has no
//! stability of its own.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by it"))]

mod memory;
mod redis_store;

use std::sync::Arc;

pub use self::{
    memory::{Memory, Settings, Store},
    redis_store::Redis,
};

/// Called for each thought that could not be kept.
pub type OnLost = Arc<dyn Fn() + Send + Sync>;
