//! `tool_schema`: JSON Schemas that Moonshot takes.
//!
//! Moonshot validates the `parameters` of every tool, and the schema of a
//! `response_format`, and refuses the whole request for one that is not of its
//! dialect. What the dialect is was measured on the validator that Moonshot
//! publishes, walle, at level *strict*; its documentation tells the outlines. That
//! the root of a tool's parameters has `"type": "object"` is the API's own demand
//! (live reports), as is that a `$schema` in a `response_format` spoils the answer
//! of K2.5, and that a reference which is required may not lead to a definition
//! without a type.
//!
//! Each repair is the smallest that is known, and never narrows: what the schema
//! as it came admits, the repaired one admits. Most repairs admit exactly the
//! same. What can't be said in the dialect goes where Moonshot doesn't look (into
//! `allOf`), or else is left out (judgement). In particular, as a judgement:
//!
//! - The arguments of a tool are an object, so a root that may also be null is
//!   made an object. One that can't be an object is left as it is.
//! - Alternatives at the root become one object with the properties of all. A
//!   property that some alternative doesn't tell of, and doesn't exclude, may be
//!   anything there.
//! - What `required` names and nobody defines becomes a property.
//! - Null among the values of an `enum` of one type was meant to be admitted; other
//!   values that the type excludes go.
//! - Two properties with the same name on both sides of an `anyOf` become the one
//!   in the branch.
//! - A schema that is too long loses annotations; one that is still too long is
//!   left as it is.

mod combination;
mod definitions;
mod enumeration;
mod form;
mod limits;
mod look;
mod recursion;
mod reference;
mod repair;
mod resolve;
mod root;
mod survey;
mod tree;
mod types;
mod unread;
mod vocabulary;
mod write;

pub(super) use self::look::{Scratch, look};
use super::{change::Place, chat::Schema, draft::Draft};
use crate::json::Text;

/// What a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The parameters of a tool.
    Tool,
    /// A `response_format`.
    Format,
}

pub(super) fn apply(draft: &mut Draft<'_>) {
    if draft.may_have_tools() {
        repair_tools(draft);
    }
    if let Some(schema) = draft.response_schema().filter(|schema| schema.doubtful) {
        let place = "/response_format/json_schema/schema";
        repair_at(draft, schema, Use::Format, place);
    }
}

fn repair_tools(draft: &mut Draft<'_>) {
    for list in draft.tool_lists() {
        for index in 0..draft.tools(list).len() {
            let tool = draft.tools(list)[index];
            if let Some(schema) = tool.schema().filter(|schema| schema.doubtful) {
                let function = if tool.is_flat() { "" } else { "/function" };
                let place = format!("{}{function}/parameters", list.place(index));
                repair_at(draft, schema, Use::Tool, &place);
            }
        }
    }
}

fn repair_at(draft: &mut Draft<'_>, schema: Schema, usage: Use, place: &str) {
    let Ok(text) = std::str::from_utf8(draft.raw(schema.span)) else {
        return;
    };
    let Some(repaired) = repair::repair(text, usage) else {
        return;
    };
    draft
        .edits()
        .replace(schema.span, Text::from(repaired.text));
    for (pointer, why) in repaired.changes {
        draft.note(Place::written(format!("{place}{pointer}")), why);
    }
}

#[cfg(test)]
mod tests;
