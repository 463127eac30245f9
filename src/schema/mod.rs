//! Moonshot's dialect of JSON Schema: from the text of a schema to the text of one
//! that Moonshot accepts.
//!
//! Moonshot validates the `parameters` of every tool, and the schema of a
//! `response_format`, and refuses the whole request for one that is not of its
//! dialect. What the dialect is was measured on the validator that Moonshot
//! publishes, walle, at level *strict* ("validator" below); its documentation tells
//! the outlines. That the root of a tool's parameters has `"type": "object"` is the
//! API's own demand, as is that a `$schema` in a `response_format` spoils the answer
//! of K2.5 (live reports).
//!
//! [`prescan`] reads a schema while a body is walked and says whether it may need a
//! repair. [`repair`] makes the smallest repair that is known. It never narrows: what
//! the schema as it came admits, the repaired one admits. Most repairs admit exactly
//! the same. What can't be said in the dialect moves into an `allOf`, which Moonshot
//! doesn't validate, or is left out (judgement). In particular, as a judgement:
//!
//! - The arguments of a tool are an object, so a root that may also be null is made
//!   an object. One that can't be an object is left as it is.
//! - Alternatives at the root become one object with the properties of all.
//! - What `required` names and nobody defines becomes a property.
//! - Null among the values of an `enum` of one type was meant to be admitted; other
//!   values that the type excludes are removed.
//! - Two properties with the same name on both sides of an `anyOf` become the one in
//!   the branch.
//! - A schema that is too long loses annotations; one that is still too long is left
//!   as it is.
//!
//! What a repair costs is bounded: see [`Budget`].

mod both_sides;
mod braces;
mod budget;
mod changes;
mod choice;
mod definitions;
mod depth;
mod enumeration;
mod hidden;
mod inlining;
mod items;
mod keyword;
mod limits;
mod merge;
mod numbers;
mod parts;
mod prescan;
mod read;
mod recursion;
mod reference;
mod repair;
mod resolve;
mod root;
mod siblings;
mod tree;
mod types;
mod values;
mod walked;
mod write;

pub(crate) use self::{
    budget::Budget,
    prescan::{Scratch, prescan},
    repair::{Outcome, repair},
};

/// What a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// The parameters of a tool.
    Tool,
    /// A `response_format`.
    Format,
}

#[cfg(test)]
mod growth;
// The emulator judges what is repaired.
#[cfg(all(test, feature = "emulator"))]
mod tests;
