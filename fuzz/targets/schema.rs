//! Repairs of schemas: the result is valid for the emulator's checker, admits what the
//! original admits by the crate `jsonschema`, and costs no more than the budget.
//!
//! An input consists of three bytes of settings and a schema.
#![no_main]
#![allow(clippy::unwrap_used, reason = "what cannot go on has failed")]

#[allow(dead_code, reason = "shared with the tests of the rule")]
#[path = "../../tests/schemas/mod.rs"]
mod schemas;

use bytes::Bytes;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::Value;
use tower_moonshot::MoonshotCompatLayer;
use tower_moonshot_fuzz::json::{Vocabulary, mutate};

use self::schemas::{
    Place,
    generate::{Dice, admitted, any_object, anything},
    meaning::Meaning,
};

/// The values that are held against a schema.
const INSTANCES: usize = 6;

const VOCABULARY: Vocabulary = Vocabulary {
    keys: &[
        "type",
        "properties",
        "required",
        "items",
        "additionalProperties",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "enum",
        "const",
        "$ref",
        "$defs",
        "definitions",
        "$id",
        "$schema",
        "description",
        "title",
        "default",
        "examples",
        "pattern",
        "format",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "prefixItems",
        "patternProperties",
        "propertyNames",
        "unevaluatedProperties",
        "dependentSchemas",
        "contains",
        "if",
        "then",
        "else",
        "nullable",
        "a",
        "b",
        "c",
        "A",
        "B",
        "x/y",
        "P/Q",
        "Box[int]",
    ],
    values: &[
        "null",
        "true",
        "false",
        "0",
        "1",
        "2.5",
        "\"\"",
        "\"x\"",
        "[]",
        "{}",
        "\"string\"",
        "\"object\"",
        "\"integer\"",
        "\"array\"",
        "\"null\"",
        "\"number\"",
        "\"boolean\"",
        "\"any\"",
        "\"STRING\"",
        "[\"string\",\"null\"]",
        "[\"x\",null]",
        "[\"a\"]",
        "[1,\"x\"]",
        "\"#\"",
        "\"#/$defs/A\"",
        "\"#/$defs/B\"",
        "\"#/definitions/A\"",
        "\"#/properties/a\"",
        "\"#/$defs/P~1Q\"",
        "\"#/$defs/Box%5Bint%5D\"",
        "\"#/properties/a/items\"",
        "\"#/anyOf/0\"",
        "\"#/$defs/Missing\"",
        "\"https://example.com/schema.json\"",
        "{\"type\":\"string\"}",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}",
        "{\"a\":{\"type\":\"integer\"}}",
        "{\"$ref\":\"#/$defs/A\"}",
        "{\"$ref\":\"#\"}",
        "[{\"type\":\"string\"},{\"type\":\"null\"}]",
        "[{\"properties\":{\"a\":{}}}]",
        "{\"A\":{\"type\":\"object\",\"properties\":{\"b\":{\"$ref\":\"#/$defs/A\"}}}}",
        "{\"items\":[{\"type\":\"string\"}]}",
        "{\"enum\":[\"x\",1]}",
        "{\"const\":1}",
    ],
};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, 3, VOCABULARY)
});

fuzz_target!(|data: &[u8]| {
    let [place, budget, seed, text @ ..] = data else {
        return;
    };
    let place = [Place::Parameters, Place::ResponseFormat][usize::from(place % 2)];
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let Ok(schema) = serde_json::from_str::<Value>(text) else {
        return;
    };
    // Another rule replaces null.
    if schema.is_null() && place == Place::Parameters {
        return;
    }
    let out = place
        .rewrite(text)
        .unwrap_or_else(|why| panic!("{why}\n  in: {text}"));
    assert!(
        out.len() <= 2 * text.len() + 64 * 1024,
        "{} of {text}",
        out.len()
    );
    within(u64::from(*budget) * 8, place, text, &out);

    let repaired: Value = serde_json::from_str(&out).unwrap();
    if !schema.is_object() {
        return;
    }
    let valid = place.verdict(&schema).is_ok();
    // The name of the dialect is always removed from a `response_format`.
    let names_dialect = schema.to_string().contains("\"$schema\"");
    let strips = place == Place::ResponseFormat && names_dialect;
    // The validator doesn't look at what is no schema, such as a default, even if a reference
    // leads there, and takes a keyword `root` for the root. The rule repairs both.
    let is_odd = schema.get("root").is_some() || leads_elsewhere(&schema);
    if valid && !strips && !is_odd {
        assert_eq!(out, text, "valid, yet changed");
    }
    if valid {
        return;
    }

    let mut dice = Dice(u64::from(*seed));
    // In schemas that are broken, the judge and the rule read unusual references in two ways.
    let meaning = Meaning::of(&schema).filter(|meaning| !meaning.lenient || !is_odd);
    let instances: Vec<Value> = (0..INSTANCES)
        .map(|index| match (index % 2, place) {
            (0, _) => admitted(&schema, &schema, &mut dice, 6),
            (_, Place::Parameters) => any_object(&mut dice, 2),
            (_, Place::ResponseFormat) => anything(&mut dice, 2),
        })
        // Arguments are objects.
        .filter(|value| place == Place::ResponseFormat || value.is_object())
        .filter(|value| {
            meaning
                .as_ref()
                .is_some_and(|meaning| meaning.admits.is_valid(value))
        })
        .collect();
    if let Err(error) = place.verdict(&repaired) {
        // Only what is no object for parameters may stay refused.
        let is_hopeless =
            place == Place::Parameters && !says_object(&schema) && instances.is_empty();
        // The rule sees no schema where only such a reference leads.
        let is_unseen = leads_out_of_schemas(&schema);
        assert!(
            is_hopeless && out == text || is_unseen,
            "still refused: {error}\n  in: {text}\n out: {out}"
        );
    }
    // Where the crate reads only one of the two, there is nothing to compare.
    let after = meaning.and_then(|meaning| meaning.like(&repaired).ok());
    let Some(after) = after.filter(|_| out != text) else {
        return;
    };
    for value in instances {
        assert!(
            after.is_valid(&value),
            "{value} is lost\n  in: {text}\n out: {out}"
        );
    }
});

/// Checks that a budget is either enough for the same result, or leaves the schema as it is.
fn within(steps: u64, place: Place, text: &str, out: &str) {
    let (before, after) = match place {
        Place::Parameters => (
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":"#,
            "}}]}",
        ),
        Place::ResponseFormat => (
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"f","schema":"#,
            "}}}",
        ),
    };
    let body = [before, text, after].concat();
    let layer = MoonshotCompatLayer::new().with_schema_budget(steps);
    let (rope, report) = layer.rewrite(Bytes::from(body));
    let sent = rope.into_bytes();
    let expected = if report.unrepaired_schemas() == 0 {
        out
    } else {
        text
    };
    assert_eq!(sent, [before, expected, after].concat(), "{steps} steps");
}

/// Whether any reference leads to something other than the root or a definition.
fn leads_elsewhere(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| {
            let path = value.as_str().filter(|_| key == "$ref");
            let path = path.map(|path| path.split('/').collect::<Vec<_>>());
            path.is_some_and(|path| !matches!(path[..], ["#"] | ["#", "$defs", _]))
                || leads_elsewhere(value)
        }),
        Value::Array(items) => items.iter().any(leads_elsewhere),
        _ => false,
    }
}

/// Whether any reference leads into something that is no schema, such as a `default`.
fn leads_out_of_schemas(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| {
            let path = value.as_str().filter(|_| key == "$ref");
            path.is_some_and(|path| !is_of_schemas(path)) || leads_out_of_schemas(value)
        }),
        Value::Array(items) => items.iter().any(leads_out_of_schemas),
        _ => false,
    }
}

/// Whether every step of a path leads to a schema.
fn is_of_schemas(path: &str) -> bool {
    let mut steps = path.split('/').skip(1);
    while let Some(step) = steps.next() {
        let has_more = match step {
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas"
            | "anyOf" | "oneOf" | "allOf" | "prefixItems" => steps.next().is_some(),
            "items"
            | "additionalProperties"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames"
            | "unevaluatedProperties"
            | "unevaluatedItems" => true,
            _ => false,
        };
        if !has_more {
            return false;
        }
    }
    true
}

/// Whether a root says by itself that it is an object, and nothing else of it says that it
/// is none.
fn says_object(schema: &Value) -> bool {
    let others = [
        "anyOf", "oneOf", "allOf", "not", "$ref", "enum", "const", "if",
    ];
    schema["type"] == "object" && others.iter().all(|keyword| schema.get(*keyword).is_none())
}
