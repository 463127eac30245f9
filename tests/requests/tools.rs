//! Generates tools, tool choices and response formats, in the forms of all APIs.

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::{Values, object, pick};

/// A tool in the form that Moonshot documents.
fn function(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name}})
}

fn tool() -> Values {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let proper = pick(json!([
        function("f"),
        function("f"),
        function("g"),
        function("h"),
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
        {"type": "function", "function": {"name": "g", "description": "x", "parameters": schema, "strict": true}},
        {"type": "builtin_function", "function": {"name": "$web_search"}},
    ]));
    let other_dialects = pick(json!([
        {"type": "function", "name": "f"},
        {"type": "function", "name": "f", "parameters": {"type": "object"}},
        {"type": "function", "name": "g", "description": "x", "parameters": schema, "strict": true},
        {"type": "function", "name": "h", "parameters": null, "strict": null},
        {"type": "function", "function": {"name": "f", "parameters": null}},
        {"type": "function", "function": {"name": "g", "parameters": null, "strict": false}},
    ]));
    let odd = pick(json!([
        {"function": {"name": "g/h"}, "name": "f"},
        {"type": "function", "function": {"name": null}},
        {"type": "function", "function": "f"},
        {"type": "function", "name": null},
        {"type": "function", "name": "f", "function": {"name": "g"}},
        {"type": "custom", "name": "f"},
        {"name": "f"}, "f", "f", null, {},
    ]));
    prop_oneof![8 => proper, 3 => other_dialects, 2 => odd].boxed()
}

pub(super) fn tools() -> Values {
    prop_oneof![
        8 => vec(tool(), 1..5).prop_map(Value::from),
        1 => pick(json!([null, [], [], {}, "f"])),
    ]
    .boxed()
}

/// The tools of a system message.
pub(super) fn declared() -> Values {
    pick(json!([
        [function("f")],
        [function("f"), function("g")],
        [function("e")],
        [],
    ]))
}

pub(super) fn tool_choices() -> Values {
    let usual = pick(json!([
        "auto",
        "none",
        "required",
        "required",
        function("f"),
        function("f"),
        function("g")
    ]));
    let other_dialects = pick(json!([
        "any",
        {"type": "auto"}, {"type": "none"}, {"type": "required"}, {"type": "any"},
        {"type": "function", "name": "f"},
        {"function": {"name": "f"}},
        {"type": "tool", "name": "f"},
        {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
        {"type": "required", "name": "x"},
        {"type": "function", "function": {"name": "f"}, "extra": 1},
    ]));
    let allowed = |mode: &str, names: &[Value]| json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": names}});
    let allowed = pick(json!([
        allowed("auto", &[function("f")]),
        allowed("required", &[function("f")]),
        allowed("required", &[function("g"), function("f")]),
        allowed("required", &[function("f"), function("nobody")]),
        allowed("auto", &[json!({"type": "function", "name": "f"})]),
        allowed("auto", &[function("nobody")]),
        allowed("required", &[]),
        allowed("perhaps", &[function("f")]),
        {"type": "allowed_tools"},
    ]));
    let odd = pick(json!([
        null, "function", "perhaps", 1, {}, [], {"type": null},
        {"type": "required", "function": {"name": "f"}},
        {"type": "auto", "function": null},
        {"type": "function"}, {"type": "function", "function": {}},
        {"type": "function", "function": {"name": "g/h"}},
        {"type": "function", "function": {"name": "nobody"}},
        {"type": "function", "function": {"name": null}},
        {"type": "tool", "name": "nobody"},
        {"type": "tool"},
    ]));
    prop_oneof![6 => usual, 4 => other_dialects, 2 => allowed, 2 => odd].boxed()
}

pub(super) fn response_formats() -> Values {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let described = object(vec![
        ("name", 60, pick(json!(["answer", "answer", null, "", 5]))),
        (
            "strict",
            50,
            pick(json!([true, false, null, "true", 1, {}])),
        ),
        ("schema", 90, pick(json!([schema]))),
        ("description", 20, pick(json!(["x"]))),
    ]);
    let described = prop_oneof![9 => described, 1 => pick(json!([null, "x", []]))];
    let format = described.prop_flat_map(|described| {
        object(vec![
            (
                "type",
                95,
                pick(json!([
                    "json_schema",
                    "json_schema",
                    "json_schema",
                    "text",
                    "json_object",
                    null
                ])),
            ),
            ("json_schema", 90, Just(described).boxed()),
        ])
    });
    prop_oneof![
        6 => format,
        2 => pick(json!([{"type": "text"}, {"type": "json_object"}, {"type": "xml"}, null, "text", 5])),
    ]
    .boxed()
}
