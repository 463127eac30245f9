//! Tools that system messages declare.

use serde_json::{Value, json};

use super::harness::*;

const K3S: [&str; 2] = [K3, K3_CODE];

fn declaring(tools: Value) -> Value {
    json!({"role": "system", "content": "", "tools": tools})
}

/// A conversation that begins with this message.
fn begin(message: Value) -> Value {
    json!({"messages": [message, {"role": "user", "content": "Hello"}]})
}

#[track_caller]
fn calls(fields: Value, name: &str) {
    let mut fields = fields;
    fields["tool_choice"] = json!("required");
    let answer = accepts(&K3S, fields);
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["function"]["name"], name);
}

#[test]
fn k3_calls_tools_that_a_system_message_declares() {
    let mut message = declaring(json!([weather()]));
    calls(begin(message.clone()), "weather");
    message["content"] = json!(null);
    calls(begin(message.clone()), "weather");
    message["content"] = json!([]);
    calls(begin(message.clone()), "weather");
    message.as_object_mut().unwrap().remove("content");
    calls(begin(message.clone()), "weather");

    let user = json!({"role": "user", "content": "Hello"});
    let system = json!({"role": "system", "content": "Be kind."});
    calls(messages(json!([system, user, message, user])), "weather");
    calls(messages(json!([user, message])), "weather");
    calls(begin(declaring(json!([clock(), weather()]))), "clock");
    let two = json!([
        declaring(json!([clock()])),
        declaring(json!([weather()])),
        user
    ]);
    calls(messages(two), "clock");

    let mut both = begin(declaring(json!([clock()])));
    both["tools"] = json!([weather()]);
    calls(both, "weather");
    let mut lax = clock();
    lax["function"]["strict"] = json!(false);
    calls(begin(declaring(json!([lax]))), "clock");
}

#[test]
fn other_models_take_no_tools_in_messages() {
    let fields = begin(declaring(json!([weather()])));
    refuses(&ALL[2..], fields, "tokenization failed");
}

#[test]
fn only_system_messages_without_content_declare_tools() {
    for role in ["user", "assistant"] {
        let message = json!({
            "role": role, "content": "Hi", "reasoning_content": "?", "tools": [weather()],
        });
        refuses_naming(&ALL, begin(message), "must not have tools");
    }
    let mut said = turn("call_1");
    said[2]["tools"] = json!([weather()]);
    refuses_naming(&ALL, messages(said), "must not have tools");

    let text = json!([{"type": "text", "text": "Be kind."}]);
    for content in [json!("Be kind."), json!(" "), text] {
        let mut message = declaring(json!([weather()]));
        message["content"] = content;
        refuses_naming(&FIXED, begin(message), "both tools and content");
    }
}

#[test]
fn declared_tools_are_well_formed() {
    let name = |name: &str| tool(name, json!({"type": "object"}));
    let invalid = "Invalid request: function name is invalid, must start with a letter and can \
                   contain letters, numbers, underscores, and dashes";
    for wrong in ["1clock", "clo@ck", "", "$web_search"] {
        refuses(&K3S, begin(declaring(json!([name(wrong)]))), invalid);
    }
    let long = declaring(json!([name(&"c".repeat(257))]));
    refuses_naming(&K3S, begin(long), "256");
    accepts(&K3S, begin(declaring(json!([name(&"c".repeat(256))]))));

    let function = json!({"name": "x"});
    for (tools, naming) in [
        (json!({"a": 1}), "tools"),
        (json!("clock"), "tools"),
        (json!(["clock"]), "tools[]"),
        (json!([null]), "tools[]"),
        (json!([{"function": function}]), "tool type"),
        (json!([{"type": "gadget", "function": function}]), "gadget"),
        (
            json!([clock(), {"type": "gadget", "function": function}]),
            "gadget",
        ),
        (json!([{"type": "function"}]), "function"),
        (json!([{"type": "function", "name": "x"}]), "function"),
        (json!([{"type": "function", "function": {}}]), "name"),
    ] {
        refuses_naming(&K3S, begin(declaring(tools)), naming);
    }
}

#[test]
fn no_name_is_declared_twice() {
    let duplicated = "function name clock is duplicated";
    let one = declaring(json!([clock()]));
    refuses(
        &K3S,
        begin(declaring(json!([clock(), clock()]))),
        duplicated,
    );
    refuses(&K3S, messages(json!([one, one])), duplicated);
    let mut global = begin(one);
    global["tools"] = json!([clock()]);
    refuses(&K3S, global, duplicated);
}

#[test]
fn declared_schemas_are_of_moonshots_dialect() {
    let broken = json!({"type": "object", "properties": {"a": {"enum": ["x"]}}});
    refuses_naming(
        &K3S,
        begin(declaring(json!([tool("f", broken)]))),
        "moonshot flavored json schema",
    );
}
