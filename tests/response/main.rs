//! Answers on their way back: what is repaired, and that nothing else changes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bodies;
mod clients;
mod cuts;
mod emulator;
mod generate;
mod harness;
mod reference;
mod rules;
mod wire;
