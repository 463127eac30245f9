//! `tools`: flat tools, null parameters and repeated tools.

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

/// Moves the members of a flat tool, as the Responses API has them, into `function`.
fn nest(tool: &mut Object) {
    if is_flat(tool) {
        tool.remove("function");
        let mut function = std::mem::take(tool);
        function.remove("type");
        tool.insert("type".into(), "function".into());
        tool.insert("function".into(), function.into());
    }
}

fn is_flat(tool: &Object) -> bool {
    get(tool, "type") == "function"
        && get(tool, "function").is_null()
        && get(tool, "name").is_string()
}

/// The name of a tool's function, in a nested or a flat tool.
pub(super) fn name(tool: &Value) -> Option<&str> {
    match tool.as_object() {
        Some(tool) if is_flat(tool) => get(tool, "name").as_str(),
        _ => tool["function"]["name"].as_str(),
    }
}
