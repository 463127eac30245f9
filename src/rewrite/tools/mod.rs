//! `tools`: functions in the form that Moonshot reads, each of them once.
//!
//! - A flat tool, `{"type":"function","name":…,"parameters":…}`, is how OpenAI's
//!   Responses API writes what the chat API writes as
//!   `{"type":"function","function":{"name":…,"parameters":…}}`. Its `name`,
//!   `description`, `parameters` and `strict` are put into `function` (that nothing
//!   else can be meant is a judgement); other members stay where they are.
//! - `"parameters": null` becomes the schema of an object without properties
//!   (judgement).
//! - Moonshot refuses two functions with the same name (live reports, `function name
//!   X is duplicated`; for tools in messages its own test suite asserts it). The
//!   later ones that are equal to an earlier one are removed. They are compared as
//!   values and as they are sent: neither the order of members nor the spelling of
//!   strings and numbers counts. Different ones stay, and Moonshot refuses them.
//!
//! All this holds for the tools of a system message as well (K3). Equal functions in
//! two places, such as two messages, stay: a message without any tools left would be
//! refused.

mod equality;

use std::{borrow::Cow, collections::HashSet};

use super::{
    change::Place,
    chat::{Parameters, Tool},
    draft::{Draft, ToolList},
};
use crate::json::{Kind, Member, Span, Value};

const NESTED: &str = "a function is described in `function`";
const NO_PARAMETERS: &str = "parameters are a schema";
const TWICE: &str = "an earlier tool is equal";

/// What is part of a function, not of the tool.
const OF_FUNCTION: [&str; 4] = ["name", "description", "parameters", "strict"];

pub(super) fn apply(draft: &mut Draft<'_>) {
    for list in draft.tool_lists() {
        for index in 0..draft.tools(list).len() {
            let tool = draft.tools(list)[index];
            if tool.is_removed() {
                continue;
            }
            if tool.is_flat() {
                nest(draft, tool);
                draft.note(list.place(index), NESTED);
            }
            if let Parameters::Null(null) = tool.parameters() {
                draft
                    .edits()
                    .replace(null, r#"{"type":"object","properties":{}}"#);
                draft.note(place_of_parameters(list, index, tool), NO_PARAMETERS);
            }
        }
        if !draft.names_are_distinct(list) {
            remove_equal(draft, list);
        }
    }
}

fn place_of_parameters(list: ToolList, index: usize, tool: Tool) -> Place {
    match list {
        ToolList::Request if !tool.is_flat() => Place::parameters(index),
        _ => {
            let function = if tool.is_flat() { "" } else { "/function" };
            Place::written(format!("{}{function}/parameters", list.place(index)))
        }
    }
}

/// Puts brackets around the members that belong into `function`, and what is in
/// between and doesn't before them.
fn nest(draft: &mut Draft<'_>, tool: Tool) {
    let object = Value {
        kind: Kind::Object,
        span: tool.span(),
        escaped: false,
    };
    let members = draft.members(object, &OF_FUNCTION);
    let moves = |&(_, moves): &(Member, bool)| moves;
    let first = members.iter().position(moves);
    let last = members.iter().rposition(moves);
    let (Some(first), Some(last)) = (first, last) else {
        return;
    };
    let start = members[first].0.key.start;
    for (member, moves) in &members[first..last] {
        if !moves {
            let between = draft.slice(member.span());
            draft.edits().insert(start, between);
            draft.edits().insert(start, ",");
            draft.edits().remove(member.span());
        }
    }
    draft.edits().insert(start, "\"function\":{");
    draft.edits().insert(members[last].0.value.span.end, "}");
}

/// Removes tools that have the same name as an earlier one and are equal to it.
fn remove_equal(draft: &mut Draft<'_>, list: ToolList) {
    let mut names = HashSet::new();
    let mut twice = HashSet::new();
    for name in draft
        .tools(list)
        .iter()
        .filter_map(|tool| name(draft, tool))
    {
        if names.contains(&name) {
            twice.insert(name);
        } else {
            names.insert(name);
        }
    }
    let (indices, spans): (Vec<usize>, Vec<Span>) = draft
        .tools(list)
        .iter()
        .enumerate()
        .filter(|(_, tool)| name(draft, tool).is_some_and(|name| twice.contains(&name)))
        .map(|(index, tool)| (index, tool.span()))
        .unzip();
    let mut seen = HashSet::new();
    let mut equal = Vec::new();
    draft.for_each_edited(&spans, |nth, tool| {
        if let Some(normal) = equality::normal_form(&tool) {
            if !seen.insert(normal) {
                equal.push(indices[nth]);
            }
        }
    });
    for index in equal {
        draft.remove_tools(list, index..index + 1, TWICE);
    }
}

/// The name of a tool that is still there.
fn name<'a>(draft: &Draft<'a>, tool: &Tool) -> Option<Cow<'a, [u8]>> {
    let name = tool.name().filter(|_| !tool.is_removed())?;
    Some(draft.text_or_raw(name))
}
