//! The emulator's schema checker against recorded verdicts of Moonshot's own
//! validator, at the level of the dialect: that a tool's root needs `type: "object"`
//! is a rule of the API.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::{io::Read, thread};

use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};
use tower_moonshot::emulator::check_schema;

/// One line is one schema with the verdict of walle (2026-06-29) at each level.
const VERDICTS: &str = include_str!("mfjs-verdicts.jsonl");

/// The same for schemas that were written for one rule each. Most are of a kind in
/// which the checker once differed.
const FOUND: &str = include_str!("conformance/mfjs-found.jsonl");

/// The same at level *strict* for the schemas of [`VERDICTS`] and the validator's
/// own test cases, mutated at random.
const MUTATED: &[u8] = include_bytes!("conformance/mfjs-mutated.jsonl.gz");

/// The rows of [`MUTATED`], counted from 1, whose verdict the checker doesn't give,
/// each with the reason.
const DIFFERENT: &[(usize, &str)] = &[];

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
fn recorded_verdicts_and_their_wording_are_those_of_moonshots_validator() {
    for (file, expected) in [(VERDICTS, 118), (FOUND, 148)] {
        let mut rows = 0;
        for line in file.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            assert_eq!(verdict(&row["schema"]), row["strict"], "{}", row["name"]);
            rows += 1;
        }
        assert_eq!(rows, expected);
    }
}

#[test]
fn verdicts_on_mutated_schemas_are_those_of_moonshots_validator() {
    let mut text = String::new();
    GzDecoder::new(MUTATED).read_to_string(&mut text).unwrap();
    let mut different = Vec::new();
    let mut refused = 0;
    let mut same_wording = 0;
    let mut rows = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let verdict = verdict(&row["schema"]);
        rows += 1;
        refused += usize::from(row["strict"] != "ok");
        if (verdict == "ok") != (row["strict"] == "ok") {
            different.push((rows, format!("{row}\n  here: {verdict}")));
        } else if verdict != "ok" {
            same_wording += usize::from(verdict == row["strict"]);
        }
    }
    assert_eq!((rows, refused), (6754, 4743));
    // Of several faults of a schema the validator may name another one.
    assert!(same_wording * 10 >= refused * 9, "{same_wording}");
    let listed = DIFFERENT.iter().map(|(row, _)| row);
    assert!(
        different.iter().map(|(row, _)| row).eq(listed),
        "{different:#?}"
    );
}

#[test]
fn where_the_validators_verdict_changes_from_time_to_time_the_checker_refuses() {
    let endless = "detected infinite recursion without termination condition";
    let itself = json!({"$ref": "#"});
    for (schema, expected) in [
        // The validator no longer asks for an end once it has passed the empty
        // `required`, or `additionalProperties`.
        (
            json!({"anyOf": [{"items": itself}], "properties": {"a": {}}, "required": []}),
            endless,
        ),
        (
            json!({"additionalProperties": {}, "properties": {"a": itself}}),
            endless,
        ),
        (
            with_definitions(
                json!({"x-a": {"additionalProperties": {}, "items": itself}}),
                json!({}),
            ),
            endless,
        ),
    ] {
        assert_eq!(
            check_schema(&schema).unwrap_err().message(),
            expected,
            "{schema}"
        );
    }
}

#[test]
fn a_schema_that_is_no_object_is_refused() {
    for schema in [json!(null), json!(true), json!("{}"), json!([])] {
        assert_eq!(verdict(&schema), "At path 'root': schema must be a dict");
    }
}

#[test]
fn a_path_names_the_branch_and_the_message_does_not() {
    let error = check_schema(&json!({"anyOf": [{}, {"items": {"type": "any"}}]})).unwrap_err();
    assert_eq!(error.path(), "anyOf{1}.items");
    assert_eq!(error.message(), "invalid type");
    assert_eq!(error.to_string(), "At path 'anyOf.items': invalid type");
    // Names are never taken for branches that can't be ones.
    let named = json!({"properties": {"anyOf{": {"type": "any"}}});
    assert_eq!(verdict(&named), "At path 'properties.anyOf{': invalid type");
}

#[test]
fn each_limit_is_met_exactly() {
    let nested = |depth: usize| {
        let wrap = |inner, _| object(json!({"p": inner}), json!([]));
        (0..depth).fold(json!({"type": "string"}), wrap)
    };
    assert!(check_schema(&nested(30)).is_ok());
    assert!(check_schema(&nested(31)).is_err());

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
