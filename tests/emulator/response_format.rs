//! `response_format`.

use serde_json::{Value, json};

use super::harness::*;

fn format(json_schema: Value) -> Value {
    json!({"response_format": {"type": "json_schema", "json_schema": json_schema}})
}

/// A schema outside of Moonshot's dialect.
fn broken() -> Value {
    json!({"type": "object", "properties": {"a": {"enum": ["x"]}}})
}

#[test]
fn there_are_three_types() {
    for kind in ["text", "json_object"] {
        accepts(&ALL, json!({"response_format": {"type": kind}}));
    }
    accepts(&ALL, json!({"response_format": null}));
    for other in [
        json!({"type": "yaml"}),
        json!({"type": "grammar"}),
        json!({}),
    ] {
        let fields = json!({"response_format": other});
        refuses_naming(&ALL, fields, "response_format.type");
    }
    refuses_naming(&ALL, json!({"response_format": {"type": 5}}), "type");
}

#[test]
fn a_schema_has_a_name_and_is_an_object() {
    let schema = json!({"type": "object"});
    accepts(&ALL, format(json!({"name": "w", "schema": schema})));
    let missing = json!({"response_format": {"type": "json_schema"}});
    refuses_naming(&ALL, missing, "response_format.json_schema is required");
    for (json_schema, naming) in [
        (json!(null), "json_schema is required"),
        (json!("w"), "json_schema"),
        (json!({"schema": schema}), "json_schema.name is required"),
        (json!({"name": null, "schema": schema}), "json_schema.name"),
        (json!({"name": 5, "schema": schema}), "name"),
        (json!({"name": "w"}), "json_schema.schema is required"),
        (json!({"name": "w", "schema": null}), "json_schema.schema"),
        (json!({"name": "w", "schema": "x"}), "json_schema.schema"),
        (json!({"name": "w", "schema": true}), "json_schema.schema"),
        (
            json!({"name": "w", "schema": [schema]}),
            "json_schema.schema",
        ),
    ] {
        refuses_naming(&ALL, format(json_schema), naming);
    }
}

#[test]
fn a_strict_schema_is_of_moonshots_dialect() {
    for strict in [json!(true), json!(null)] {
        refuses(
            &ALL,
            format(json!({"name": "w", "strict": strict, "schema": broken()})),
            "Invalid request: response_format.json_schema is not a valid moonshot flavored json \
             schema, details: <At path 'properties.a': type is not defined>",
        );
    }
    let draft = json!({"$schema": "https://json-schema.org/draft/2020-12/schema"});
    accepts(&ALL, format(json!({"name": "w", "schema": draft})));
}

#[test]
fn a_schema_that_is_not_strict_may_be_any() {
    let lax = |schema: Value| format(json!({"name": "w", "strict": false, "schema": schema}));
    let content = |fields: Value| {
        let mut answer = accepts(&ALL, fields);
        let content = answer["choices"][0]["message"]["content"].take();
        serde_json::from_str::<Value>(content.as_str().unwrap()).unwrap()
    };
    assert_eq!(content(lax(broken())), json!({"said": "Hello"}));
    let schema = &weather()["function"]["parameters"];
    assert_eq!(content(lax(schema.clone())), json!({"city": "", "days": 1}));
    refuses_naming(&ALL, lax(json!("x")), "json_schema.schema");
}

#[test]
fn strict_is_a_boolean() {
    for strict in [json!("yes"), json!(1), json!({})] {
        let json_schema = json!({"name": "w", "strict": strict, "schema": {"type": "object"}});
        refuses_naming(&ALL, format(json_schema), "strict");
    }
}
