//! `tool_choice`: the forms of all APIs, and what each family accepts.

use serde_json::{Value, json};
use tower_moonshot::{Rule, ToolChoicePolicy};

use super::{Family, Object, Reference, disabled, elements, get, messages, tools::name};

const NUDGE: &str = "Please select a tool to handle the current issue.";

/// The meaning of a choice, in any form.
enum Choice {
    Auto,
    None,
    Required,
    Named(String),
    /// One of these tools may be called, or must be, according to the mode.
    Allowed {
        names: Vec<String>,
        mode: &'static str,
    },
}

pub(super) fn tool_choice(layer: &Reference, family: Family, request: &mut Object) {
    let has_field = !get(request, "tools").is_null();
    if has_field && !get(request, "tools").is_array() {
        return;
    }
    let Some(choice) = read(get(request, "tool_choice")) else {
        return;
    };
    let tools = names(elements(get(request, "tools")));
    let has_tools = !elements(get(request, "tools")).is_empty();
    let has_declared = system_messages(request).any(|m| !elements(get(m, "tools")).is_empty());
    let declared = declared(request);
    if !has_tools && !has_declared {
        match choice {
            Choice::Auto if family.is_k3() && !has_field => set(request, "auto"),
            Choice::None if family.is_k3() && !has_field => set(request, "none"),
            _ => drop(request.remove("tool_choice")),
        }
        return;
    }
    // Thinking is not disabled for a tool that only a message declares, because that
    // would change the rewrite of earlier messages.
    let is_listed = match &choice {
        Choice::Named(name) => tools.contains(name),
        Choice::Allowed { names, .. } => names.iter().any(|name| tools.contains(name)),
        _ => has_tools,
    };
    let mut layer = layer.clone();
    if !is_listed && layer.tool_choice == ToolChoicePolicy::DisableThinking {
        layer.tool_choice = ToolChoicePolicy::Nudge;
    }
    let layer = &layer;
    match choice {
        Choice::Auto => set(request, "auto"),
        Choice::None => set(request, "none"),
        Choice::Required => required(layer, family, request),
        Choice::Named(name) if tools.contains(&name) || declared.contains(&name) => {
            named(layer, family, request, &name);
        }
        Choice::Named(_) => {}
        Choice::Allowed { names, mode } => {
            let is_known = |name: &String| tools.contains(name) || declared.contains(name);
            if names.iter().any(is_known) {
                keep_only(&names, request);
                match mode {
                    "required" => required(layer, family, request),
                    _ => set(request, "auto"),
                }
            }
        }
    }
}

fn read(choice: &Value) -> Option<Choice> {
    let word = |word: &str| match word {
        "auto" => Some(Choice::Auto),
        "none" => Some(Choice::None),
        "required" | "any" => Some(Choice::Required),
        _ => None,
    };
    let name_in = |object: &Value| object["name"].as_str().map(str::to_owned);
    let function = choice.get("function");
    let nested = function.and_then(name_in);
    match choice.as_str().or_else(|| choice["type"].as_str()) {
        Some("function") => name_in(function.unwrap_or(choice)).map(Choice::Named),
        Some("tool") => name_in(choice).map(Choice::Named),
        Some("allowed_tools") => {
            let allowed = &choice["allowed_tools"];
            let mode = match allowed["mode"].as_str() {
                Some("auto") => "auto",
                Some("required") => "required",
                _ => return None,
            };
            let names = elements(&allowed["tools"]).iter();
            let names =
                names.filter_map(|tool| name_in(&tool["function"]).or_else(|| name_in(tool)));
            Some(Choice::Allowed {
                names: names.collect(),
                mode,
            })
        }
        Some(other) if function.is_none() => word(other),
        Some(_) => None,
        None if choice.get("type").is_none() => nested.map(Choice::Named),
        None => None,
    }
}

/// The names of functions in a list of tools.
fn names(tools: &[Value]) -> Vec<String> {
    let names = tools.iter().filter_map(name);
    names.map(str::to_owned).collect()
}

/// The names of functions that system messages declare.
fn declared(request: &mut Object) -> Vec<String> {
    system_messages(request)
        .flat_map(|message| names(elements(get(message, "tools"))))
        .collect()
}

fn system_messages(request: &mut Object) -> impl Iterator<Item = &mut Object> {
    messages(request)
        .filter(|message| get(message, "role") == "system" || get(message, "role") == "developer")
}

fn set(request: &mut Object, choice: &str) {
    request.insert("tool_choice".into(), choice.into());
}

/// Removes the other tools from `tools`, unless that would remove all of them.
fn keep_only(names: &[String], request: &mut Object) {
    if let Some(Value::Array(tools)) = request.get_mut("tools") {
        let is_kept = |tool: &Value| {
            let name = name(tool);
            name.is_some_and(|name| names.iter().any(|kept| kept == name))
        };
        if tools.iter().any(is_kept) {
            tools.retain(is_kept);
        }
    }
}

/// The named function, which is among the tools, must be called.
fn named(layer: &Reference, family: Family, request: &mut Object, name: &str) {
    let canonical = json!({"type": "function", "function": {"name": name}});
    let is_canonical = get(request, "tool_choice")["function"]["name"] == name
        && get(request, "tool_choice")["type"] == "function";
    // Whether models with a range accept it is unknown.
    let is_refused = family.is_k3() || family.is_fixed() && family.thinks(request);
    if !is_refused || disables_thinking(layer, family, request) {
        if !is_canonical {
            request.insert("tool_choice".into(), canonical);
        }
        return;
    }
    keep_only(&[name.to_owned()], request);
    required(layer, family, request);
}

/// Some tool must be called.
fn required(layer: &Reference, family: Family, request: &mut Object) {
    let is_native = family.is_k3()
        || family.can_switch_thinking() && !family.thinks(request)
        || disables_thinking(layer, family, request);
    if is_native {
        set(request, "required");
        return;
    }
    request.remove("tool_choice");
    if let Some(Value::Array(messages)) = request.get_mut("messages") {
        // A prefill must be the last message.
        let is_prefill =
            |message: &Value| message["role"] == "assistant" && message["partial"] == true;
        let asks = layer.tool_choice != ToolChoicePolicy::Auto;
        if asks && !messages.last().is_some_and(is_prefill) {
            messages.push(json!({"role": "user", "content": NUDGE}));
        }
    }
}

/// Disables thinking, if that is the policy and the model allows it. Returns whether it
/// did.
fn disables_thinking(layer: &Reference, family: Family, request: &mut Object) -> bool {
    let disables =
        layer.tool_choice == ToolChoicePolicy::DisableThinking && family.can_switch_thinking();
    if disables {
        request.insert("thinking".into(), disabled());
        // An effort beside `thinking` is refused.
        if layer.has(Rule::ReasoningEffort) {
            request.remove("reasoning_effort");
        }
    }
    disables
}
