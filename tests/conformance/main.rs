//! Recorded behaviour.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod litellm;
