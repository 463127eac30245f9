//! Thoughts that a client doesn't send back: what is remembered and restored, and that
//! nothing else is, whoever asks.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attacks;
mod composing;
mod harness;
mod keys;
mod loops;
mod oracle;
mod remembering;
mod restoring;
mod stores;
