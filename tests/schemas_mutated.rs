//! The rule `tool_schema` on mutated schemas: whatever the mutation did, Moonshot
//! accepts what comes out, if the root can be an object at all.
//!
//! The emulator's `check_schema` is the judge. It is held to recorded verdicts of
//! Moonshot's own validator and shares no code with the rule.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

#[allow(dead_code, reason = "shared with the tests of the rule itself")]
mod schemas;

use std::{env, io::Read};

use flate2::read::GzDecoder;
use serde_json::Value;

use self::schemas::{Place, all_good, mutate::mutate, parse, wild};

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

/// The rows of the recorded verdicts: a schema as it is written, and whether the
/// validator accepts it.
fn rows() -> Vec<(String, bool)> {
    let mut text = String::new();
    GzDecoder::new(MUTATED).read_to_string(&mut text).unwrap();
    let row = |line| {
        let row = parse(line);
        (row["schema"].to_string(), row["strict"] == "ok")
    };
    text.lines().map(row).collect()
}

/// Whether nothing that a root says leaves an object as a value: the roots that the
/// rule has to leave as they are, and no others.
///
/// Names of types in another case are repaired where Moonshot looks, and nowhere else.
fn admits_no_object(root: &Value, schema: &Value, is_read: bool, depth: usize) -> bool {
    if depth == 0 || !schema.is_object() {
        return false;
    }
    let no_object = |value: &Value| admits_no_object(root, value, is_read, depth - 1);
    let hidden_no_object = |value: &Value| admits_no_object(root, value, false, depth - 1);
    let name = |name: &str| {
        if is_read {
            name.to_lowercase()
        } else {
            name.to_owned()
        }
    };
    let list = |keyword: &str| {
        let list = schema[keyword].as_array();
        list.filter(|list| !list.is_empty())
    };
    // What one of several names is not of the dialect is no type at all.
    let named = match &schema["type"] {
        Value::String(text) => vec![Some(name(text))],
        Value::Array(names) => names.iter().map(|text| text.as_str().map(name)).collect(),
        _ => vec![None],
    };
    const OTHERS: [&str; 6] = ["array", "boolean", "integer", "null", "number", "string"];
    let is_other = |name: &Option<String>| {
        let name = name.as_deref();
        name.is_some_and(|name| OTHERS.contains(&name))
    };
    let target = schema["$ref"].as_str().and_then(|reference| {
        let pointer = reference.strip_prefix('#')?;
        root.pointer(pointer)
    });
    !named.is_empty() && named.iter().all(is_other)
        || schema.get("const").is_some_and(|value| !value.is_object())
        || list("enum").is_some_and(|values| !values.iter().any(Value::is_object))
        || list("allOf").is_some_and(|all| all.iter().any(hidden_no_object))
        || list("oneOf").is_some_and(|all| all.iter().all(hidden_no_object))
        || list("anyOf").is_some_and(|all| all.iter().all(no_object))
        || target.is_some_and(no_object)
}

fn says_object(schema: &Value) -> bool {
    let is_object = |name: &Value| {
        name.as_str()
            .is_some_and(|name| name.eq_ignore_ascii_case("object"))
    };
    match &schema["type"] {
        Value::Array(names) => names.iter().any(is_object),
        name => is_object(name),
    }
}

#[test]
fn every_recorded_schema_that_can_be_an_object_comes_out_accepted() {
    let mut failures = Vec::new();
    let rows = rows();
    let (mut clean, mut left) = (0, 0);
    for (text, accepted) in &rows {
        let schema = parse(text);
        if *accepted && schema["type"] == "object" {
            clean += 1;
            match Place::Parameters.rewrite(text) {
                Ok(out) if out == *text => {}
                other => failures.push(format!("valid, yet changed\n  in: {text}\n {other:?}")),
            }
        } else if admits_no_object(&schema, &schema, true, 9) && !says_object(&schema) {
            left += 1;
            match Place::Parameters.rewrite(text) {
                Ok(out) if out == *text => {}
                other => failures.push(format!("no object, yet changed\n  in: {text}\n {other:?}")),
            }
        } else if let Err(error) = Place::Parameters.repair(text) {
            failures.push(format!("{error}\n  in: {text}"));
        }
    }
    assert_eq!((rows.len(), clean, left), (6_754, 1_093, 1_350));
    all_good(&failures, rows.len());
}

#[test]
fn every_recorded_schema_comes_out_accepted_as_a_response_format() {
    let mut failures = Vec::new();
    let rows = rows();
    for (text, accepted) in &rows {
        // The name of the dialect is always removed.
        let is_clean = *accepted && !text.contains("\"$schema\"");
        match Place::ResponseFormat.repair(text) {
            Ok((out, _)) if is_clean && out != *text => {
                failures.push(format!("valid, yet changed\n  in: {text}\n out: {out}"));
            }
            Ok(_) => {}
            Err(error) => failures.push(format!("{error}\n  in: {text}")),
        }
    }
    all_good(&failures, rows.len());
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
