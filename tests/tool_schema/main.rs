//! The rule `tool_schema`: the schemas of tools and of answers become ones that
//! Moonshot takes, and never say less than they did.
//!
//! Which schemas Moonshot takes is asked of the emulator's `check_schema`, which is
//! held to the recorded verdicts of Moonshot's own validator; what a schema admits
//! is asked of the crate `jsonschema`. Neither shares code with the rule.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod budget;
mod random;
mod reasons;
#[path = "../schemas/mod.rs"]
mod schemas;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{ServiceBuilder, ServiceExt};
use tower_moonshot::{MoonshotCompatLayer, emulator::Emulator};

use self::schemas::{
    Place, all_good,
    meaning::{Meaning, compile},
    parse, wild,
};

/// One line is one schema with the verdict of walle (2026-06-29) at each level.
const VERDICTS: &str = include_str!("../conformance/mfjs-verdicts.jsonl");

/// The rows of the recorded verdicts: the name, the bytes of the schema as they
/// stand in the file, and whether level strict accepts it.
fn verdicts() -> impl Iterator<Item = (String, &'static str, bool)> {
    VERDICTS.lines().map(|line| {
        let row = parse(line);
        let start = line.find(r#""schema": "#).unwrap() + r#""schema": "#.len();
        let end = line.rfind(r#", "lite": "#).unwrap();
        let name = row["name"].as_str().unwrap().to_owned();
        (name, &line[start..end], row["strict"] == "ok")
    })
}

#[test]
fn the_rows_of_the_verdicts_are_cut_out_of_their_lines_as_they_stand() {
    assert_eq!(verdicts().count(), 118);
    for (line, (name, text, _)) in VERDICTS.lines().zip(verdicts()) {
        assert_eq!(parse(line)["schema"], parse(text), "{name}");
    }
}

#[test]
fn what_moonshots_validator_accepts_keeps_its_bytes() {
    let mut failures = Vec::new();
    let mut rows = 0;
    for (name, text, _) in verdicts().filter(|(.., accepted)| *accepted) {
        rows += 1;
        let typed = parse(text)["type"] == "object";
        let place = if typed {
            Place::Parameters
        } else {
            Place::ResponseFormat
        };
        match place.rewrite(text) {
            Ok(out) if out == text => {}
            Ok(out) => failures.push(format!("{name}\n  in: {text}\n out: {out}")),
            Err(error) => failures.push(format!("{name}\n  in: {text}\n {error}")),
        }
    }
    assert!(rows > 60);
    all_good(&failures, rows);
}

#[test]
fn what_moonshots_validator_refuses_comes_out_accepted() {
    let mut failures = Vec::new();
    let mut rows = 0;
    for (name, text, _) in verdicts().filter(|(.., accepted)| !*accepted) {
        for place in [Place::Parameters, Place::ResponseFormat] {
            rows += 1;
            if let Err(error) = place.repair(text) {
                failures.push(format!("{name} as {place:?}\n  in: {text}\n {error}"));
            }
        }
    }
    assert!(rows > 80);
    all_good(&failures, rows);
}

#[test]
fn a_root_that_describes_objects_gets_the_type_that_parameters_need() {
    for (schema, members) in [
        ("{}", json!({})),
        (
            r#"{"properties": {"a": {"type": "string"}}}"#,
            json!({"properties": {"a": {"type": "string"}}}),
        ),
        (
            r#"{"oneOf":[{"type":"object","properties":{"a":{"type":"string"}}}]}"#,
            json!({"oneOf": [{"type": "object", "properties": {"a": {"type": "string"}}}]}),
        ),
        (
            r#"{"allOf":[{"properties":{"a":{"type":"string"}}}],"description":"d"}"#,
            json!({"allOf": [{"properties": {"a": {"type": "string"}}}], "description": "d"}),
        ),
    ] {
        let (text, mut value) = Place::Parameters.repair(schema).unwrap();
        assert_eq!(
            value.as_object_mut().unwrap().remove("type"),
            Some(json!("object")),
        );
        assert_eq!(value, members, "{text}");
    }
}

#[test]
fn what_was_accepted_without_a_type_becomes_an_object_as_parameters() {
    let mut failures = Vec::new();
    let mut rows = 0;
    for (name, text, _) in verdicts().filter(|(.., accepted)| *accepted) {
        let schema = parse(text);
        if schema.get("type").is_some() {
            continue;
        }
        rows += 1;
        if let Err(error) = Place::Parameters.repair(text) {
            failures.push(format!("{name}\n  in: {text}\n {error}"));
        }
    }
    assert!(rows >= 3);
    all_good(&failures, rows);
}

#[test]
fn parameters_that_can_be_no_object_stay_as_they_are() {
    for schema in [
        r#"{"type": "array", "items": {"type": "string"}}"#,
        r#"{"type": "string"}"#,
        r#"{ "type":"array" ,"items":true}"#,
        r#"{"type":["string","null"],"default":null}"#,
        r#"{"type":"integer","enum":[1,"x"]}"#,
        r#"{"anyOf":[{"type":"string"},{"type":"array","items":[{"type":"string"}]}]}"#,
        r##"{"$ref":"#/definitions/A","definitions":{"A":{"type":"string"}}}"##,
    ] {
        assert_eq!(Place::Parameters.rewrite(schema).unwrap(), schema);
    }
}

#[test]
fn parameters_that_are_no_schema_stay_as_they_are() {
    for schema in ["null", "\"{}\"", "[]", "0", "[{\"type\":\"any\"}]"] {
        // Null is replaced by the rule `tools`.
        if schema != "null" {
            assert_eq!(Place::Parameters.rewrite(schema).unwrap(), schema);
        }
        assert_eq!(Place::ResponseFormat.rewrite(schema).unwrap(), schema);
    }
}

#[test]
fn each_simple_repair_has_the_form_that_is_promised() {
    let rows = schemas::exact::rows();
    let mut failures = Vec::new();
    for row in &rows {
        if let Err(error) = row.check() {
            failures.push(format!("{}\n  in: {}\n {error}", row.name, row.schema));
        }
    }
    all_good(&failures, rows.len());
}

#[test]
fn the_schemas_of_the_common_generators_are_repaired_and_admit_what_they_did() {
    let mut failures = Vec::new();
    for shape in wild::SHAPES {
        let original = parse(shape.schema);
        let (text, repaired) = match Place::Parameters.repair(shape.schema) {
            Ok(repaired) => repaired,
            Err(error) => {
                failures.push(format!(
                    "{}\n  in: {}\n {error}",
                    shape.name,
                    original.clone()
                ));
                continue;
            }
        };
        if Place::Parameters.verdict(&original).is_ok() && text != shape.schema {
            failures.push(format!("{}: valid, yet changed to {text}", shape.name));
        }
        // Both by the draft that `$schema` names and by the newest. Moonshot resolves
        // no references by `$id`.
        let anonymous = without_ids(repaired);
        let newest = jsonschema::Draft::Draft202012;
        for instance in shape.instances {
            let value = parse(instance);
            for draft in [None, Some(newest)] {
                let reading = compile(&anonymous, draft)
                    .or_else(|| Meaning::of(&anonymous).map(|meaning| meaning.admits));
                match reading {
                    Some(reading) if reading.is_valid(&value) => {}
                    Some(_) => failures.push(format!(
                        "{}: {instance} is no longer admitted\n  in: {original}\n out: {text}",
                        shape.name
                    )),
                    None => failures.push(format!("{}: no schema: {text}", shape.name)),
                }
            }
        }
    }
    all_good(&failures, wild::SHAPES.len());
}

fn without_ids(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(members) => {
            members.remove("$id");
            for value in members.values_mut() {
                *value = without_ids(value.take());
            }
        }
        Value::Array(items) => {
            for value in items {
                *value = without_ids(value.take());
            }
        }
        _ => {}
    }
    schema
}

#[test]
fn the_generators_schemas_admit_their_values_as_they_are() {
    let mut failures = Vec::new();
    let mut judged = 0;
    for shape in wild::SHAPES {
        // Some mean nothing to a validator.
        let Some(reading) = compile(&parse(shape.schema), None) else {
            continue;
        };
        judged += 1;
        for instance in shape.instances {
            if !reading.is_valid(&parse(instance)) {
                failures.push(format!("{}: {instance}", shape.name));
            }
        }
    }
    assert!(judged >= 60, "{judged}");
    all_good(&failures, judged);
}

#[test]
fn the_generators_schemas_are_not_all_fine_as_they_are() {
    let refused = wild::SHAPES
        .iter()
        .filter(|shape| Place::Parameters.verdict(&parse(shape.schema)).is_err())
        .count();
    assert!(refused >= 25, "{refused}");
    assert!(wild::SHAPES.len() - refused >= 5);
}

#[tokio::test]
async fn moonshot_takes_a_request_with_all_these_tools() {
    let tools: Vec<String> = wild::SHAPES
        .iter()
        .enumerate()
        .map(|(index, shape)| {
            let schema = shape.schema;
            format!(
                r#"{{"type":"function","function":{{"name":"t{index}","parameters":{schema}}}}}"#
            )
        })
        .collect();
    let body = format!(
        r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":"Hi"}}],"tools":[{}]}}"#,
        tools.join(",")
    );
    let service = ServiceBuilder::new()
        .layer(MoonshotCompatLayer::new())
        .service(Emulator::new());
    let request = Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    let status = response.status();
    let answer = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(
        status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[test]
fn only_the_bytes_of_broken_schemas_change() {
    let fine = r#"{ "type" : "object",  "properties":{"n":{"maximum":1.50E+2, "type":"number","description":"\u00e9\/"}}}"#;
    let body = |schema: &str, format: &str| {
        format!(
            "{{ \"tools\" : [ {{\"function\":{{\"parameters\" :{fine} ,\"name\":\"fine\", \
             \"strict\":true}},\"type\":\"function\"}},\n{{\"type\":\"function\",\"function\":\
             {{\"name\":\"broken\",\"parameters\": {schema} ,\"x\":1e0}},\"cache_control\":{{}}}}, \
             {{\"type\":\"builtin_function\",\"function\":{{\"name\":\"$web_search\"}}}}], \
             \"response_format\" : {{\"type\":\"json_schema\", \"json_schema\": {{\"schema\": \
             {format}, \"strict\" :true,\"name\":\"r\"}} }},\"messages\":[{{\"content\":\"{{\
             \\\"type\\\":\\\"any\\\"}}\",\"role\":\"user\"}}], \"model\":\"kimi-k3\"}}"
        )
    };
    let before = body(
        r#"{"type":"object","properties":{"a":true}}"#,
        r#"{"type":"STRING"}"#,
    );
    let after = body(
        r#"{"type":"object","properties":{"a":{}}}"#,
        r#"{"type":"string"}"#,
    );
    let (rope, report) = MoonshotCompatLayer::new().rewrite(Bytes::from(before));
    assert_eq!(rope.into_bytes(), after);
    let pointers: Vec<String> = report.changes().iter().map(|c| c.pointer()).collect();
    assert!(!pointers.is_empty());
    for pointer in pointers {
        assert!(
            pointer.starts_with("/tools/1") || pointer.starts_with("/response_format"),
            "{pointer}"
        );
    }
}

#[test]
fn what_only_looks_like_a_tool_or_a_format_is_left_alone() {
    let broken = r#"{"type":"object","properties":{"a":true}}"#;
    for body in [
        // No function's parameters.
        format!(r#"{{"messages":[],"tools":[{{"type":"function","parameters":{broken}}}]}}"#),
        format!(r#"{{"messages":[],"parameters":{broken}}}"#),
        format!(r#"{{"messages":[],"metadata":{{"function":{{"parameters":{broken}}}}}}}"#),
        format!(r#"{{"messages":[{{"role":"user","content":"a","parameters":{broken}}}]}}"#),
        format!(r#"{{"messages":[],"response_format":{{"schema":{broken}}}}}"#),
        format!(r#"{{"messages":[],"response_format":{{"json_schema":{broken}}}}}"#),
        format!(r#"{{"messages":[],"json_schema":{{"schema":{broken}}}}}"#),
    ] {
        let (rope, report) = MoonshotCompatLayer::new().rewrite(Bytes::from(body.clone()));
        assert_eq!(rope.into_bytes(), body);
        assert_eq!(report.changes().len(), 0);
    }
}

#[test]
fn schemas_are_repaired_in_the_tools_that_a_forced_choice_leaves() {
    let tool = |name: &str, schema: &str| {
        format!(r#"{{"type":"function","function":{{"name":"{name}","parameters":{schema}}}}}"#)
    };
    let broken = r#"{"type":"object","properties":{"a":true}}"#;
    let layer = MoonshotCompatLayer::new();
    for (model, chosen) in [
        ("kimi-k3", "a"),
        ("kimi-k3", "b"),
        ("kimi-k3", "c"),
        ("kimi-k2.7", "b"),
        ("kimi-k2.5", "c"),
    ] {
        let tools = ["a", "b", "c"].map(|name| tool(name, broken)).join(", ");
        let body = format!(
            r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hi"}}],"tool_choice":{{"type":"function","function":{{"name":"{chosen}"}}}},"tools":[{tools}]}}"#
        );
        let (rope, _) = layer.rewrite(Bytes::from(body));
        let out = rope.into_bytes();
        let repaired = tool(chosen, r#"{"type":"object","properties":{"a":{}}}"#);
        let value = parse(std::str::from_utf8(&out).unwrap());
        assert_eq!(
            value["tools"],
            json!([parse(&repaired)]),
            "{model} {chosen}"
        );
        let (_, again) = layer.rewrite(out);
        assert_eq!(again.changes(), []);
    }
}

#[test]
fn the_rule_can_be_switched_off() {
    let body = r#"{"model":"kimi-k3","messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":true}}}}]}"#;
    let rewrite = |layer: MoonshotCompatLayer| {
        let (rope, report) = layer.rewrite(Bytes::from_static(body.as_bytes()));
        (rope.into_bytes(), report.changes().to_vec())
    };
    let (with, changes) = rewrite(MoonshotCompatLayer::new());
    assert_ne!(with, body);
    let (without, changes) = rewrite(MoonshotCompatLayer::new().without_rule(changes[0].rule()));
    assert_eq!(without, body);
    assert_eq!(changes, []);
}

#[test]
fn a_key_that_stands_twice_counts_as_moonshot_counts_it() {
    // The last one wins, for the emulator as for most readers.
    for schema in [
        r#"{"type":"string","type":"object","properties":{"a":true}}"#,
        r#"{"type":"object","properties":{"a":true},"properties":{"a":true}}"#,
        r#"{"type":"object","properties":{"a":{"type":"string"},"a":{"type":"any"}}}"#,
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{}},"$defs":{}}"##,
        r#"{"type":"object","required":["a"],"required":null}"#,
        r#"{"properties":{"a":{"enum":["x"],"enum":[1]}}}"#,
    ] {
        if let Err(error) = Place::Parameters.repair(schema) {
            panic!("{schema}: {error}");
        }
    }
}
