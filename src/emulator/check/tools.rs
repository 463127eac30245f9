//! Checks the tools of the request and those that system messages declare.

use std::collections::{HashMap, hash_map::Entry};

use serde_json::Value;

use super::{
    super::{facts, family::Family, finding::Findings, place::Place, steps},
    Object,
    choice::{self, Choice},
    field, parameters,
    thinking::Thinking,
};
use crate::Rule;

/// The longest name of a function, in bytes.
const MAX_NAME: usize = 256;

/// The functions of a request, and who chooses among them.
#[derive(Debug)]
pub(in super::super) struct Tools<'a> {
    /// First those of the request, then those of its system messages.
    pub(in super::super) functions: Vec<&'a Object>,
    pub(in super::super) choice: Choice<'a>,
}

/// Checks `tools`, `messages[].tools` and `tool_choice`.
pub(super) fn check<'a>(
    body: &'a Object,
    family: Family,
    thinking: &Thinking,
    findings: &mut Findings,
) -> Tools<'a> {
    let mut all = All::default();
    if let Ok(Some(tools)) = field::array(body, "tools", &Place::ROOT, findings) {
        all.add(tools, &Place::ROOT.key("tools"), findings);
    }
    let messages = body.get("messages").and_then(Value::as_array);
    let place = Place::ROOT.key("messages");
    for (index, message) in messages.into_iter().flatten().enumerate() {
        if let Some(tools) = message.get("tools").and_then(Value::as_array) {
            let place = place.index(index);
            all.add(tools, &place.key("tools"), findings);
        }
    }
    let choice = choice::check(
        body,
        &all.functions,
        all.has_faulty,
        family,
        thinking,
        findings,
    );
    Tools {
        functions: all.functions,
        choice,
    }
}

/// The tools that were checked.
#[derive(Debug, Default)]
struct All<'a> {
    functions: Vec<&'a Object>,
    /// The first tool of each name, and the number of its list.
    names: HashMap<&'a str, (&'a Value, usize)>,
    lists: usize,
    /// Whether there is a tool without a function.
    has_faulty: bool,
}

impl<'a> All<'a> {
    fn add(&mut self, tools: &'a [Value], place: &Place<'_>, findings: &mut Findings) {
        self.lists += 1;
        for (index, tool) in tools.iter().enumerate() {
            steps::count(1);
            let place = place.index(index);
            let Some(function) = check_tool(tool, &place, findings) else {
                self.has_faulty = true;
                continue;
            };
            self.functions.push(function);
            let Some(name) = function.get("name").and_then(Value::as_str) else {
                continue;
            };
            match self.names.entry(name) {
                Entry::Vacant(vacant) => {
                    vacant.insert((tool, self.lists));
                }
                Entry::Occupied(first) => {
                    // No rule removes a tool because of one in another list.
                    let (other, list) = *first.get();
                    let is_same = list == self.lists && *other == *tool;
                    let rule = is_same.then_some(Rule::Tools);
                    let place = place.key("function");
                    let place = place.key("name");
                    findings.add_repaired(&facts::FUNCTION_DUPLICATED, &place, &[name], rule);
                }
            }
        }
    }
}

/// Checks a tool, and returns its function if it has one.
fn check_tool<'a>(
    tool: &'a Value,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<&'a Object> {
    let Some(tool) = tool.as_object() else {
        field::wrong_type("tools[]", "type object", tool, place, findings);
        return None;
    };
    let kind = field::string(tool, "type", place, findings);
    if let Ok(kind) = kind {
        if !matches!(kind, Some("function" | "builtin_function")) {
            let values = [kind.unwrap_or_default()];
            findings.add(&facts::TOOL_TYPE, &place.key("type"), &values);
        }
    }
    let Some(function) = field::object(tool, "function", place, findings).ok()? else {
        let is_flat = matches!(kind, Ok(Some("function"))) && tool.contains_key("name");
        let rule = is_flat.then_some(Rule::Tools);
        findings.add_repaired(&facts::TOOL_WITHOUT_FUNCTION, place, &[], rule);
        return None;
    };
    let place = place.key("function");
    let is_builtin = matches!(kind, Ok(Some("builtin_function")));
    check_name(function, is_builtin, &place, findings);
    if let Some(schema) = function.get("parameters") {
        parameters::check(schema, &place.key("parameters"), findings);
    }
    Some(function)
}

fn check_name(function: &Object, is_builtin: bool, place: &Place<'_>, findings: &mut Findings) {
    let Ok(name) = field::string(function, "name", place, findings) else {
        return;
    };
    let name = name.unwrap_or_default();
    // The names of Moonshot's own functions begin with a dollar sign, like
    // `$web_search`.
    let own = if is_builtin {
        name.strip_prefix('$')
    } else {
        None
    };
    let place = place.key("name");
    if !is_name(own.unwrap_or(name)) {
        findings.add(&facts::FUNCTION_NAME, &place, &[]);
    } else if name.len() > MAX_NAME {
        findings.add(&facts::FUNCTION_NAME_LONG, &place, &[]);
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}
