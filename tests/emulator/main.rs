//! The emulator as its users see it: what it accepts and refuses on each family
//! of models, and how it answers.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod answers;
mod bodies;
mod contract;
mod dynamic_tools;
mod everything;
mod failures;
mod harness;
mod history;
mod messages;
mod response_format;
mod routes;
mod sampling;
mod streams;
mod thinking;
mod tools;
