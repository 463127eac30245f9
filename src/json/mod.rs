//! JSON parsing and editing on bytes, independent of chat requests and HTTP.
//!
//! ```text
//! Bytes ─→ Scanner ─→ spans ─→ (caller decides) ─→ Edits ─→ Rope ─→ Bytes, Bytes, …
//! ```
//!
//! - [`Scanner`] validates the text in one strict pass. The caller opens the containers
//!   it needs and skips every other value. The scanner never recurses.
//! - [`scan`] runs a pass with the fastest [`Backend`] that the machine supports.
//! - [`words`] declares the keys that a pass looks for, and takes them quickly.
//! - [`Edits`] collects replacements, removals and insertions by span, in any order, and
//!   adds or removes the commas around them.
//! - [`Rope`] yields the edited text. Long unedited stretches are slices of the
//!   original, not copies.

mod backend;
mod edit;
mod edits;
mod error;
#[cfg(test)]
mod kinds;
mod list;
mod number;
mod reader;
mod rope;
mod scanner;
mod span;
pub(crate) mod words;

#[cfg(fuzzing)]
pub(crate) use self::backend::agreement::agree;
pub use self::rope::Rope;
pub(crate) use self::{
    backend::{Backend, Pass, scan},
    edit::Text,
    edits::Edits,
    error::Error,
    list::push,
    number::number,
    reader::Reader,
    scanner::{Place, Scanner},
    span::{Kind, Member, Span, Str, Value},
};
