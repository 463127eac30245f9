//! Recorded behaviour: what LiteLLM sends, what Moonshot accepts, and what bug
//! reports say. `README.md` in this directory describes the files.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod accepts;
mod emulated;
mod explained;
mod litellm;
mod reports;
#[path = "../spelling/mod.rs"]
mod spelling;
mod untouched;
