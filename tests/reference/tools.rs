//! `tools`: flat tools, null parameters and repeated tools.

use serde_json::{Value, json};

use super::{Family, Object, Reference, get, messages};

pub(super) fn tools(_: &Reference, _: Family, request: &mut Object) {
    if let Some(Value::Array(tools)) = request.get_mut("tools") {
        repair(tools);
    }
    for message in messages(request) {
        let is_system = ["system", "developer"]
            .map(Value::from)
            .contains(get(message, "role"));
        if let Some(Value::Array(tools)) = message.get_mut("tools").filter(|_| is_system) {
            repair(tools);
        }
    }
}

fn repair(tools: &mut Vec<Value>) {
    for tool in tools.iter_mut().filter_map(Value::as_object_mut) {
        nest(tool);
        if let Some(Value::Object(function)) = tool.get_mut("function") {
            if let Some(parameters @ Value::Null) = function.get_mut("parameters") {
                *parameters = json!({"type": "object", "properties": {}});
            }
        }
    }
    let mut seen: Vec<Value> = Vec::new();
    tools.retain(|tool| {
        let normal = with_floats(tool);
        let is_repeated = tool["function"]["name"].is_string() && seen.contains(&normal);
        seen.push(normal);
        !is_repeated
    });
}

/// The value with all numbers as floats: 1 and 1.0 are equal.
fn with_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(with_floats).collect(),
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(key, value)| (key.clone(), with_floats(value)))
                .collect()
        }
        other => other.clone(),
    }
}

/// Moves the members of a flat tool that belong to a function, as the Responses API has
/// them, into `function`.
fn nest(tool: &mut Object) {
    if is_flat(tool) {
        let mut function = Object::new();
        for key in ["name", "description", "parameters", "strict"] {
            function.extend(tool.remove_entry(key));
        }
        tool.insert("function".into(), function.into());
    }
}

fn is_flat(tool: &Object) -> bool {
    get(tool, "type") == "function"
        && !tool.contains_key("function")
        && get(tool, "name").is_string()
}

/// The name of a tool's function, in a nested or a flat tool.
pub(super) fn name(tool: &Value) -> Option<&str> {
    match tool.as_object() {
        Some(tool) if is_flat(tool) => get(tool, "name").as_str(),
        _ => tool["function"]["name"].as_str(),
    }
}
