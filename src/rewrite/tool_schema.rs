//! `tool_schema`: the schemas of tools and answers, in Moonshot's dialect.
//!
//! What the dialect is, how it is known, and what the repair does is told in
//! [`schema`](crate::schema). Moonshot applies it to the `parameters` of tools and to
//! the schema of a `response_format`, unless that says `"strict": false` (vendor's
//! suite).

use super::{
    chat::{Field, Schema},
    draft::Draft,
};
use crate::{
    json::{Kind, Text, Value},
    schema::{self, Budget, Outcome, Use},
};

/// Where the schema of a `response_format` is.
const FORMAT: &str = "/response_format/json_schema/schema";

pub(super) fn apply(draft: &mut Draft<'_>) {
    let mut budget = Budget::new(draft.settings.schema_budget);
    for index in 0..draft.tools().len() {
        let schema = draft.tools()[index].parameters;
        if let Some(schema) = schema.filter(|schema| schema.doubtful) {
            repair_at(draft, schema, Use::Tool, &mut budget, |pointer| {
                format!("/tools/{index}/function/parameters{pointer}")
            });
        }
    }
    if let Some(schema) = draft.response_schema().filter(|schema| schema.doubtful) {
        if let Some(usage) = format_use(draft) {
            repair_at(draft, schema, usage, &mut budget, |pointer| {
                format!("{FORMAT}{pointer}")
            });
        }
    }
}

/// How Moonshot reads the schema of the `response_format`; None if it doesn't.
fn format_use(draft: &Draft<'_>) -> Option<Use> {
    let format = draft.field(Field::ResponseFormat)?.value;
    let kind = draft.member(format, "type")?;
    if !draft.is_string(kind.value, "json_schema") {
        return None;
    }
    let holder: Value = draft.member(format, "json_schema")?.value;
    let strict = draft.member(holder, "strict");
    Some(match strict.map(|strict| strict.value.kind) {
        Some(Kind::False) => Use::LooseFormat,
        _ => Use::Format,
    })
}

fn repair_at(
    draft: &mut Draft<'_>,
    schema: Schema,
    usage: Use,
    budget: &mut Budget,
    place: impl Fn(&str) -> String,
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
        draft.note_at(change.why, || place(&change.pointer));
    }
    draft.leave_out(repaired.left_out);
}
