//! The rule `tool_schema` on mutated schemas: whatever the mutation did, Moonshot
//! accepts what comes out, if the root can be an object at all.
//!
//! The emulator's `check_schema` is the judge. It is held to recorded verdicts of
//! Moonshot's own validator and shares no code with the rule.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

#[path = "schemas/mutate.rs"]
mod mutate;
#[allow(dead_code, reason = "shared with the tests of the rule itself")]
mod schemas;

use std::{env, io::Read};

use flate2::read::GzDecoder;
use serde_json::Value;

use self::{
    mutate::mutate,
    schemas::{Place, all_good, parse, wild},
};

/// Where mutations start: schemas that are mutated already, once more, and those of
/// common generators.
const MUTATED: &[u8] = include_bytes!("conformance/mfjs-mutated.jsonl.gz");

/// How many mutations are tried. `MUTATIONS=200000` tries that many.
const MUTATIONS: u64 = 3_000;

fn starts() -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(MUTATED).read_to_string(&mut text).unwrap();
    let rows = text.lines().map(|line| parse(line)["schema"].take());
    let shapes = wild::SHAPES.iter().map(|shape| parse(shape.schema));
    rows.chain(shapes).collect()
}

/// The mutated schemas, the same at each run.
fn mutations() -> impl Iterator<Item = Value> {
    let count = env::var("MUTATIONS").map_or(MUTATIONS, |count| count.parse().unwrap());
    let starts = starts();
    (0..count).map(move |seed| {
        // A prime, so that a few mutations start from all over the list.
        let start = usize::try_from(seed * 7919 % starts.len() as u64).unwrap();
        mutate(seed, &starts[start])
    })
}

/// Whether a root can be an object beyond doubt: it may say so, or nothing about it,
/// but nothing that the readings of a broken schema could differ in.
fn can_be_an_object(root: &Value, schema: &Value, depth: usize) -> bool {
    let Some(members) = schema.as_object().filter(|_| depth > 0) else {
        return false;
    };
    let all = |value: &Value, every: bool| {
        let branches = value.as_array().filter(|branches| !branches.is_empty());
        branches.is_some_and(|branches| {
            let mut can = branches
                .iter()
                .map(|branch| can_be_an_object(root, branch, depth - 1));
            if every {
                can.all(|can| can)
            } else {
                can.any(|can| can)
            }
        })
    };
    members
        .iter()
        .all(|(keyword, value)| match keyword.as_str() {
            "type" => match value {
                Value::String(name) => name.eq_ignore_ascii_case("object"),
                Value::Array(names) => {
                    names.iter().all(Value::is_string) && names.iter().any(|name| name == "object")
                }
                _ => false,
            },
            "$ref" => {
                let target = value.as_str().and_then(|name| name.strip_prefix('#'));
                let target = target.and_then(|pointer| root.pointer(pointer));
                target.is_some_and(|target| can_be_an_object(root, target, depth - 1))
            }
            "anyOf" | "oneOf" => all(value, false),
            "allOf" => all(value, true),
            "enum" | "const" | "not" | "if" => false,
            _ => true,
        })
}

#[test]
fn what_the_repair_makes_of_a_mutated_schema_is_accepted() {
    let mut failures = Vec::new();
    let mut judged = 0;
    for schema in mutations() {
        if !can_be_an_object(&schema, &schema, 8) {
            continue;
        }
        judged += 1;
        let text = schema.to_string();
        for place in [Place::Parameters, Place::ResponseFormat] {
            // The name of the dialect is always removed from a `response_format`.
            let strips = place == Place::ResponseFormat && text.contains("\"$schema\"");
            let clean = place.verdict(&schema).is_ok() && !strips;
            match place.repair(&text) {
                Ok((repaired, _)) if clean && repaired != text => {
                    failures.push(format!(
                        "valid, yet changed\n  in: {text}\n out: {repaired}"
                    ));
                }
                Ok(_) => {}
                Err(error) => failures.push(format!("{place:?}: {error}\n  in: {text}")),
            }
        }
    }
    assert!(judged > 1_000, "{judged}");
    let count = failures.len();
    failures.truncate(20);
    failures.extend((count > 20).then(|| format!("and {} more", count - 20)));
    all_good(&failures, judged);
}

#[test]
fn mutations_are_varied_and_the_same_at_each_run() {
    let schemas: Vec<Value> = mutations().take(3_000).collect();
    assert!(mutations().take(3_000).eq(schemas.iter().cloned()));

    let count = |of: &dyn Fn(&Value) -> bool| schemas.iter().filter(|schema| of(schema)).count();
    let can = count(&|schema| can_be_an_object(schema, schema, 8));
    assert!(can > 1_000, "{can} can be objects");
    let valid = count(&|schema| Place::ResponseFormat.verdict(schema).is_ok());
    assert!((300..2_000).contains(&valid), "{valid} are valid");

    // Each message of the validator about references comes up.
    for message in [
        "references must start with",
        "$ref must be a string",
        "definition name cannot be empty",
        "$defs not found",
        "invalid $ref path",
        "only local references",
        "$ref is not allowed in this schema",
        "infinite recursion",
        "after $ref expansion",
        "when using $ref",
        "cannot contain '/'",
        "invalid path",
    ] {
        let said = count(&|schema| {
            let verdict = Place::ResponseFormat.verdict(schema);
            verdict.is_err_and(|error| error.contains(message))
        });
        assert!(said > 0, "{message}");
    }
}
