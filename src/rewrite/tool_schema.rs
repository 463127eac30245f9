//! `tool_schema`: repairs the schemas of tools and answers.
//!
//! Moonshot validates the `parameters` of all tools, in the request and in messages, and
//! the schema of a `response_format` unless its `strict` is false (vendor's suite). The
//! module [`schema`](crate::schema) describes Moonshot's dialect, its sources and the
//! repair.

use super::{chat::Schema, draft::Draft};
use crate::{
    json::Text,
    schema::{self, Budget, Outcome, Use},
};

/// The place of the schema of a `response_format`.
const FORMAT: &str = "/response_format/json_schema/schema";

pub(super) fn apply(draft: &mut Draft<'_>) {
    let mut budget = Budget::new(draft.settings.schema_budget);
    if draft.may_have_tools() {
        repair_tools(draft, &mut budget);
    }
    if let Some(schema) = draft.response_schema().filter(|schema| schema.doubtful) {
        repair(draft, schema, Use::Format, &mut budget, || {
            FORMAT.to_owned()
        });
    }
}

fn repair_tools(draft: &mut Draft<'_>, budget: &mut Budget) {
    for list in draft.tool_lists() {
        for index in 0..draft.tools(list).len() {
            let tool = draft.tools(list)[index];
            let Some(schema) = tool.schema().filter(|schema| schema.doubtful) else {
                continue;
            };
            let function = if tool.is_flat() { "" } else { "/function" };
            repair(draft, schema, Use::Tool, budget, || {
                format!("{}{function}/parameters", list.place(index))
            });
        }
    }
}

/// Repairs the schema at a place, if it can be repaired within the budget.
fn repair(
    draft: &mut Draft<'_>,
    schema: Schema,
    usage: Use,
    budget: &mut Budget,
    place: impl Fn() -> String,
) {
    if budget.is_spent() {
        draft.leave_schema();
        return;
    }
    let Ok(text) = std::str::from_utf8(draft.raw(schema.span)) else {
        return;
    };
    let repaired = match schema::repair(text, usage, budget) {
        Outcome::Repaired(repaired) => repaired,
        Outcome::OutOfBudget => return draft.leave_schema(),
        Outcome::Clean | Outcome::Hopeless => return,
    };
    draft
        .edits()
        .replace(schema.span, Text::from(repaired.text));
    for change in repaired.changes {
        draft.note_at(change.why, || place() + &change.pointer);
    }
    draft.leave_out(repaired.left_out);
}
