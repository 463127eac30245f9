//! `tools`: nests flat tools, replaces null parameters and removes repeated tools.
//!
//! - OpenAI's Responses API writes a flat tool,
//!   `{"type":"function","name":…,"parameters":…}`, where the chat API has
//!   `{"type":"function","function":{"name":…,"parameters":…}}`. The `name`,
//!   `description`, `parameters` and `strict` of a flat tool are moved into `function`
//!   (judgement: it can mean nothing else). Its other members stay in place.
//! - `"parameters": null` is replaced by the schema of an object without properties
//!   (judgement).
//! - Moonshot refuses two functions of one name (live reports, `function name X is
//!   duplicated`; for tools in messages, vendor's suite). A tool that is equal to an
//!   earlier one is removed. Tools are compared as values, after all repairs: the order
//!   of members and the spelling of strings and numbers don't matter. Different tools of
//!   one name stay, and Moonshot refuses them.
//!
//! The same applies to the tools of a system message (K3). Equal tools in two places,
//! such as two messages, stay, because Moonshot refuses a message whose tools are all
//! removed.

mod equality;

use std::{borrow::Cow, collections::HashSet};

use super::{
    change::Place,
    chat::{Parameters, Tool},
    draft::{Draft, ToolList},
};
use crate::json::{Kind, Member, Span, Value};

const NESTED: &str = "the name and parameters of a tool belong in function";
const NO_PARAMETERS: &str = "parameters must be a schema";
const TWICE: &str = "the tool is equal to an earlier one";

/// The members that belong to a function, not to its tool.
const OF_FUNCTION: [&str; 4] = ["name", "description", "parameters", "strict"];

pub(super) fn apply(draft: &mut Draft<'_>) {
    if draft.may_have_tools() {
        look_at_all(draft);
    }
}

fn look_at_all(draft: &mut Draft<'_>) {
    for list in draft.tool_lists() {
        if draft.tools(list).iter().any(Tool::is_odd) {
            reshape(draft, list);
        }
        if !draft.names_are_distinct(list) {
            remove_equal(draft, list);
        }
    }
}

/// Nests flat tools, and replaces null parameters.
fn reshape(draft: &mut Draft<'_>, list: ToolList) {
    for index in 0..draft.tools(list).len() {
        let tool = draft.tools(list)[index];
        if tool.is_removed() {
            continue;
        }
        if tool.is_flat() {
            nest(draft, tool);
            draft.note(list.place(index), NESTED);
        }
        if let Parameters::Null(null) = tool.parameters {
            draft
                .edits()
                .replace(null, r#"{"type":"object","properties":{}}"#);
            draft.note(place_of_parameters(list, index, tool), NO_PARAMETERS);
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

/// Wraps the members that belong to the function in `"function":{…}`. Other members
/// between them are moved to the front.
fn nest(draft: &mut Draft<'_>, tool: Tool) {
    let object = Value {
        kind: Kind::Object,
        span: tool.span,
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
        .map(|(index, tool)| (index, tool.span))
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

/// The name of a tool, unless a rule has removed the tool.
fn name<'a>(draft: &Draft<'a>, tool: &Tool) -> Option<Cow<'a, [u8]>> {
    let name = tool.name.filter(|_| !tool.is_removed())?;
    Some(draft.text_or_raw(name))
}
