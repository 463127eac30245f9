//! The schema dialect against the recorded verdicts of Moonshot's own validator,
//! and against schemas written to hurt.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::{thread, time::Instant};

use serde_json::{Map, Value, json};
use tower_moonshot::emulator::check_schema;

/// One line is one schema with the verdict of walle (2026-06-29) at each level.
const VERDICTS: &str = include_str!("conformance/mfjs-verdicts.jsonl");

fn verdict(schema: &Value) -> String {
    check_schema(schema).map_or_else(|error| error.to_string(), |()| "ok".to_owned())
}

fn object(properties: Value, required: Value) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

fn with_definitions(schema: Value, definitions: Value) -> Value {
    let mut schema = schema;
    schema["$defs"] = definitions;
    schema
}

#[test]
fn every_verdict_and_its_wording_is_that_of_moonshots_validator() {
    let mut rows = 0;
    for line in VERDICTS.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(verdict(&row["schema"]), row["strict"], "{}", row["name"]);
        rows += 1;
    }
    assert_eq!(rows, 118);
}

#[test]
fn a_schema_that_is_no_object_is_refused() {
    for schema in [json!(null), json!(true), json!("{}"), json!([])] {
        assert_eq!(verdict(&schema), "At path 'root': schema must be a dict");
    }
}

#[test]
fn wrong_values_that_the_recorded_verdicts_lack_are_refused() {
    for (schema, expected) in [
        (
            json!({"type": []}),
            "At path 'root': type array cannot be empty",
        ),
        (
            json!({"type": ["string", 1]}),
            "At path 'root': invalid type in type array",
        ),
        (
            json!({"type": ["object", "null"], "enum": [null]}),
            "At path 'root': type object is not allowed in combination with enum",
        ),
        (
            json!({"type": ["string", "integer", "null"], "enum": [null]}),
            "At path 'root': keyword enum is not allowed in combination with multiple types",
        ),
        (
            json!({"$defs": []}),
            "At path '$defs': $defs must be an object",
        ),
        (
            json!({"$defs": {"": {}}}),
            "At path '$defs': $defs property name cannot be empty",
        ),
        (
            json!({"$defs": {"A": true}}),
            "At path '$defs': $defs schema must be object: A",
        ),
        (json!({"$ref": 1}), "At path '$ref': $ref must be a string"),
        (
            json!({"$ref": "#/$defs/", "$defs": {}}),
            "At path '$ref': definition name cannot be empty",
        ),
        (
            json!({"$ref": "#/$defs/A/items", "$defs": {"A": {"type": "array", "items": {}}}}),
            "At path 'root': invalid $ref path: #/$defs/A/items",
        ),
        (
            json!({"$ref": "#/$defs/B", "$defs": {"A": {"$defs": {"B": {}}}}}),
            "At path 'root': invalid $ref path: #/$defs/B",
        ),
        (
            json!({"anyOf": {}}),
            "At path 'anyOf': anyOf must be an array",
        ),
        (
            json!({"type": "string", "enum": {}}),
            "At path 'enum': enum must be an array",
        ),
        (
            object(json!({}), json!([1])),
            "At path 'required': items in required array must be strings",
        ),
        (
            json!({"type": "integer", "enum": [1.5]}),
            "At path 'enum': enum value (1.5) does not match any type in [integer]",
        ),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "integer", "anyOf": [{}]}]}),
            "At path 'anyOf{1}': when using anyOf, type should be defined in anyOf items instead \
             of the parent schema",
        ),
        (
            json!({"additionalProperties": {"items": {"type": "any"}}}),
            "At path 'additionalProperties.items': invalid type",
        ),
    ] {
        assert_eq!(verdict(&schema), expected, "{schema}");
    }
}

#[test]
fn what_stands_beside_a_reference_must_not_clash_with_the_end_of_the_chain() {
    let definitions = json!({
        "A": {"$ref": "#/$defs/B", "description": "only a name"},
        "B": {"anyOf": [{"type": "string", "default": "x"}, {"type": "null"}]},
    });
    let beside = |keyword: &str| {
        let property = json!({"$ref": "#/$defs/A", keyword: []});
        verdict(&with_definitions(
            object(json!({"p": property}), json!([])),
            definitions.clone(),
        ))
    };
    assert_eq!(beside("examples"), "ok");
    assert_eq!(
        beside("default"),
        "At path 'properties.p': conflicting keywords found in anyOf after ref expansion: default",
    );
}

#[test]
fn a_recursion_is_refused_exactly_if_no_finite_value_exists() {
    let node = |next: Value, required: Value| {
        with_definitions(
            object(json!({"a": {"$ref": "#/$defs/A"}}), json!(["a"])),
            json!({"A": object(json!({"next": next, "name": {"type": "string"}}), required)}),
        )
    };
    let itself = json!({"$ref": "#/$defs/A"});
    let endless =
        "At path 'properties.a': detected infinite recursion without termination condition";
    for (schema, expected) in [
        (node(itself.clone(), json!([])), "ok"),
        (node(itself.clone(), json!(["name"])), "ok"),
        (node(itself.clone(), json!(["next"])), endless),
        (node(itself.clone(), json!(["name", "next"])), endless),
        (
            node(
                json!({"anyOf": [itself, {"type": "null"}]}),
                json!(["next"]),
            ),
            "ok",
        ),
        (node(json!({"anyOf": [itself]}), json!(["next"])), endless),
        (
            node(json!({"type": "array", "items": itself}), json!(["next"])),
            "ok",
        ),
        (
            node(
                json!({"type": "array", "items": itself, "minItems": 1}),
                json!(["next"]),
            ),
            endless,
        ),
    ] {
        assert_eq!(verdict(&schema), expected, "{schema}");
    }
}

#[test]
fn a_required_reference_to_a_definition_without_a_type_is_refused() {
    let schema = |required: Value| {
        with_definitions(
            object(json!({"a": {"$ref": "#/$defs/A"}}), required),
            json!({"A": {"oneOf": [{"type": "string"}, {"type": "null"}]}}),
        )
    };
    assert_eq!(verdict(&schema(json!([]))), "ok");
    assert_eq!(
        verdict(&schema(json!(["a"]))),
        "At path 'properties.a': detected infinite recursion without termination condition",
    );
}

#[test]
fn each_limit_is_met_exactly() {
    let nested = |depth: usize| {
        let wrap = |inner, _| object(json!({"p": inner}), json!([]));
        (0..depth).fold(json!({"type": "string"}), wrap)
    };
    assert!(check_schema(&nested(30)).is_ok());
    assert!(check_schema(&nested(31)).is_err());

    let referring = |depth: usize| {
        with_definitions(
            object(json!({"p": {"$ref": "#/$defs/A"}}), json!([])),
            json!({"A": object(json!({"b": {"$ref": "#/$defs/B"}}), json!([])), "B": nested(depth)}),
        )
    };
    assert!(check_schema(&referring(28)).is_ok());
    assert_eq!(
        verdict(&referring(29)),
        "At path 'root': schema depth exceeds maximum limit of 30",
    );

    let wide = |count: usize| {
        let properties: Map<_, _> = (0..count).map(|i| (i.to_string(), json!({}))).collect();
        json!({"type": "object", "properties": properties})
    };
    assert!(check_schema(&wide(3000)).is_ok());
    assert!(check_schema(&wide(3001)).is_err());

    let choice = |count: usize| json!({"type": "integer", "enum": (0..count).collect::<Vec<_>>()});
    assert!(check_schema(&choice(1000)).is_ok());
    assert!(check_schema(&choice(1001)).is_err());

    let branches = |count: usize| json!({"anyOf": vec![json!({}); count]});
    assert!(check_schema(&branches(500)).is_ok());
    assert!(check_schema(&branches(501)).is_err());

    let long = |count: usize| json!({"description": "x".repeat(count)});
    assert!(check_schema(&long(119_000)).is_ok());
    assert!(check_schema(&long(120_000)).is_err());
}

#[test]
fn no_nesting_overflows_a_small_stack() {
    // Built by hand, because `json!` and parsing recurse.
    let holding =
        |key: &str, inner: Value| Value::Object(Map::from_iter([(key.to_owned(), inner)]));
    for keyword in [
        "items",
        "additionalProperties",
        "not",
        "anyOf",
        "$defs",
        "enum",
    ] {
        let wrap = |inner: Value| match keyword {
            "anyOf" | "enum" => holding(keyword, Value::Array(vec![inner])),
            "$defs" => holding(keyword, holding("A", inner)),
            _ => holding(keyword, inner),
        };
        // As deep as the limit on the length allows.
        let levels = 110_000 / wrap(Value::Null).to_string().len();
        let schema = (0..levels).fold(holding("type", "x".into()), |inner, _| wrap(inner));
        let small = thread::Builder::new().stack_size(128 * 1024);
        let checked = small.spawn(move || {
            match check_schema(&schema) {
                Ok(()) => assert_eq!(keyword, "not"),
                Err(error) if keyword == "enum" => {
                    assert_eq!(error.message(), "type is not defined")
                }
                Err(error) => assert_eq!(error.message(), "invalid type"),
            }
            // Its drop recurses, which is not what this tests.
            std::mem::forget(schema);
        });
        checked.unwrap().join().unwrap();
    }
}

#[test]
fn no_references_make_the_check_slow() {
    // A ring of definitions, each one demanding the next.
    let ring = |length: usize, link: &dyn Fn(String) -> Value| {
        let definitions: Map<_, _> = (0..length)
            .map(|i| {
                let next = format!("#/$defs/D{:03}", (i + 1) % length);
                (format!("D{i:03}"), link(next))
            })
            .collect();
        with_definitions(
            object(json!({"p": {"$ref": "#/$defs/D000"}}), json!(["p"])),
            Value::Object(definitions),
        )
    };
    let fan_out = |next: String| {
        object(
            json!({"x": {"$ref": next}, "y": {"$ref": next}}),
            json!(["x", "y"]),
        )
    };
    let alias = |next: String| json!({"$ref": next});
    let choice = |next: String| json!({"anyOf": [{"$ref": next}, {"$ref": next}]});
    let endless = "detected infinite recursion without termination condition";
    let deep = "schema depth exceeds maximum limit of 30";
    for (schema, expected) in [
        (ring(28, &fan_out), endless),
        (ring(800, &fan_out), deep),
        (ring(800, &alias), endless),
        (ring(800, &choice), endless),
    ] {
        let start = Instant::now();
        assert_eq!(check_schema(&schema).unwrap_err().message(), expected);
        assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
    }
}
