//! JSON as bytes: validated in one strict pass, changed by a list of edits, and
//! handed on as a rope of untouched slices. Nothing here knows about chat
//! requests or HTTP.
//!
//! ```text
//! Bytes ─→ Scanner ─→ spans ─→ (somebody decides) ─→ Edits ─→ Rope ─→ Bytes, Bytes, …
//! ```
//!
//! - [`Scanner`] walks the text once. What its caller wants to look into, it
//!   opens; everything else is validated and skipped. It never recurses.
//! - [`scan`] picks the fastest [`Backend`] for it that the machine has.
//! - [`Edits`] collects replacements, removals and insertions by span, in any
//!   order, and settles the commas.
//! - [`Rope`] yields the edited text without copying the long stretches that no
//!   edit touches.

mod backend;
mod edit;
mod error;
mod list;
mod number;
mod rope;
mod scanner;
mod span;

pub use self::rope::Rope;
pub(crate) use self::{
    backend::{Backend, Pass, scan},
    edit::{Edits, Text},
    error::Error,
    list::push,
    number::number,
    scanner::{Place, Scanner},
    span::{Kind, Member, Span, Str, Value},
};
