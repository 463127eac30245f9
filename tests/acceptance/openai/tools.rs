//! Generates tools, tool choices and response formats.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{Values, messages::text, object, one_of};

/// Schemas as the generators of several languages write them. Moonshot accepts only a few
/// of them unchanged.
fn schema() -> Values {
    let nullable = json!({"anyOf": [{"type": "string"}, {"type": "null"}], "default": null});
    let node = json!({"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": ["next"]});
    one_of(json!([
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false},
        {"type": "object", "properties": {"n": {"type": "integer", "enum": [1, 2]}, "s": nullable}},
        {},
        {"properties": {"a": {"type": "string"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {"a": {"enum": ["x", "y"]}}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"], "default": null, "minLength": 1}}},
        {"type": "object", "properties": {"a": {"type": "string", "anyOf": [{"const": "x"}, {"const": "y"}]}}},
        {"type": "object", "properties": {"a": {"$ref": "#/definitions/A", "default": "x"}}, "definitions": {"A": {"type": "string", "default": "y"}}},
        {"$ref": "#/$defs/Node", "$defs": {"Node": node}},
        {"anyOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
        ]},
        {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"type": "object", "properties": {"a": true, "b": {"type": "array", "items": [{"type": "string"}]}}, "required": ["a"]},
        {"type": "OBJECT", "properties": {"a": {"type": "STRING", "description": null}}, "required": ["b"]},
        {"type": "object", "properties": {"a": {"enum": ["x", 1, null]}, "required": {"type": "boolean"}}},
    ]))
}

/// The same tool in the flat form of the Responses API.
fn flat(tool: &Value) -> Value {
    let mut flat = tool["function"].clone();
    flat["type"] = "function".into();
    flat
}

pub(super) fn tools() -> Values {
    let null = Just(Value::Null);
    let tool = object(vec![
        ("description", 60, text()),
        (
            "parameters",
            85,
            prop_oneof![15 => schema(), 1 => null].boxed(),
        ),
        ("strict", 30, one_of(json!([null, true, false]))),
    ]);
    // The form of a tool, and whether it is repeated.
    let form = (
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.08),
        any::<bool>(),
    );
    let other = one_of(json!([
        {"type": "custom", "custom": {"name": "grammar"}},
        {"type": "function", "function": {"name": "1st"}},
        {"type": "function", "function": {"name": "get", "description": "another"}},
    ]));
    let tools = vec((tool, form), 0..4).prop_map(|tools| {
        let names = ["get", "set", "find_all"];
        let named = tools.into_iter().zip(names);
        let written = named.flat_map(|((mut function, (is_flat, is_twice, is_typed)), name)| {
            function["name"] = name.into();
            let tool = json!({"type": "function", "function": function});
            let written = if is_flat { flat(&tool) } else { tool.clone() };
            // The second may equal the repaired form of the first.
            let mut again = tool;
            if is_typed && again["function"]["parameters"].is_object() {
                again["function"]["parameters"]["type"] = "object".into();
            }
            [Some(written), is_twice.then_some(again)]
                .into_iter()
                .flatten()
        });
        written.collect::<Vec<_>>()
    });
    (tools, prop::option::weighted(0.03, other))
        .prop_map(|(tools, other)| tools.into_iter().chain(other).collect())
        .boxed()
}

/// The tools of a system message.
pub(super) fn declared() -> Values {
    let schema = json!({"type": "object", "properties": {"a": {"enum": ["x", "y"]}}});
    one_of(json!([
        [{"type": "function", "function": {"name": "later", "parameters": schema}}],
        [{"type": "function", "function": {"name": "later"}}, {"type": "function", "function": {"name": "last"}}],
    ]))
}

pub(super) fn tool_choice() -> Values {
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    let allowed = |mode: &str, names: &[&str]| {
        let tools: Vec<_> = names.iter().map(|name| named(name)).collect();
        json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
    };
    prop_oneof![
        30 => one_of(json!([null, "auto", "none", "required", "required", "any"])),
        10 => one_of(json!([{"type": "auto"}, {"type": "none"}, {"type": "required"}, {"type": "any"}])),
        20 => select(vec![named("get"), named("get"), named("set")]),
        6 => one_of(json!([
            {"type": "function", "name": "get"}, {"function": {"name": "get"}}, {"type": "tool", "name": "get"},
        ])),
        6 => select(vec![
            allowed("auto", &["get"]),
            allowed("required", &["get", "set"]),
            allowed("required", &["get"]),
            allowed("auto", &[]),
        ]),
    ]
    .boxed()
}

pub(super) fn response_format() -> Values {
    let json_schema = object(vec![
        ("name", 90, one_of(json!(["answer"]))),
        ("strict", 50, one_of(json!([null, true, false, "true"]))),
        ("schema", 100, schema()),
    ])
    .prop_map(|json_schema| json!({"type": "json_schema", "json_schema": json_schema}));
    prop_oneof![
        one_of(json!([{"type": "text"}, {"type": "json_object"}])),
        json_schema,
    ]
    .boxed()
}
