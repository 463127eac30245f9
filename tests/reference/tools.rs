//! `tools`: the forms that Moonshot doesn't know, and tools that are there twice.

use serde_json::{Value, json};

use super::{Family, Object, Reference, get};

pub(super) fn tools(_: &Reference, _: Family, request: &mut Object) {
    let Some(Value::Array(tools)) = request.get_mut("tools") else {
        return;
    };
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
        let is_repeated = tool["function"]["name"].is_string() && seen.contains(tool);
        seen.push(tool.clone());
        !is_repeated
    });
}

/// A tool of the Responses API has what it says of its function beside `type`.
fn nest(tool: &mut Object) {
    let is_flat = get(tool, "type") == "function"
        && get(tool, "function").is_null()
        && get(tool, "name").is_string();
    if is_flat {
        tool.remove("function");
        let mut function = std::mem::take(tool);
        function.remove("type");
        tool.insert("type".into(), "function".into());
        tool.insert("function".into(), function.into());
    }
}
