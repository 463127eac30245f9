//! Every reason for which a recorded request is refused: the first is the emulator's, and
//! once all are repaired, by the rules that they name or by hand, it is accepted.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::StatusCode;
use serde_json::{Value, json};
use tower_moonshot::{
    MoonshotCompatLayer, Rule,
    emulator::{Finding, explain, parse},
};

use crate::emulated;

const ACCEPTS: &str = include_str!("accepts.jsonl");
const REPORTS: &str = include_str!("reports.jsonl");
const LITELLM: &str = include_str!("litellm-1.106.2.jsonl");
const VERDICTS: &str = include_str!("mfjs-verdicts.jsonl");
const FOUND: &str = include_str!("mfjs-found.jsonl");
const MUTATED: &[u8] = include_bytes!("mfjs-mutated.jsonl.gz");

fn lines(text: &str) -> Vec<Value> {
    let rows = text.lines().map(|row| serde_json::from_str(row).unwrap());
    rows.collect()
}

/// A request with a tool and an answer of this schema.
fn with_schema(schema: &Value) -> Value {
    json!({
        "model": "kimi-k2.6",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
    })
}

/// The requests of all files, but for the mutated schemas.
fn requests() -> Vec<Value> {
    let accepts = lines(ACCEPTS)
        .into_iter()
        .map(|mut row| row["request"].take());
    let reports = lines(REPORTS);
    let reports = reports
        .into_iter()
        .flat_map(|mut row| [row["request"].take(), row["expect"].take()]);
    // A few have numbers that no `f64` can hold.
    let litellm = lines(LITELLM).into_iter().map(|row| {
        let raw = row["request_raw"].as_str().unwrap();
        parse(raw.as_bytes()).unwrap()
    });
    let schemas = [lines(VERDICTS), lines(FOUND)].concat();
    let schemas = schemas.into_iter().map(|row| with_schema(&row["schema"]));
    accepts
        .chain(reports)
        .chain(litellm)
        .chain(schemas)
        .collect()
}

fn mutated() -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(MUTATED).read_to_string(&mut text).unwrap();
    let rows = lines(&text).into_iter();
    rows.map(|row| with_schema(&row["schema"])).collect()
}

fn explained(request: &Value) -> Vec<Finding> {
    explain(request.to_string().as_bytes())
}

#[test]
fn the_first_finding_is_the_refusal_of_the_emulator() {
    let mut counts = [0; 2];
    for request in requests() {
        let (status, answer) = emulated::answer(&request);
        let findings = explained(&request);
        match findings.first() {
            None => {
                assert_eq!(status, StatusCode::OK, "{request} {answer}");
                counts[0] += 1;
            }
            Some(first) => {
                let answer: Value = serde_json::from_str(&answer).unwrap();
                assert_eq!(status, first.status(), "{request}");
                assert_eq!(answer["error"]["message"], first.message(), "{request}");
                counts[1] += 1;
            }
        }
        for finding in findings {
            // Something missing has a place, but nothing is there.
            let (holder, _) = finding.pointer().rsplit_once('/').unwrap_or_default();
            assert!(request.pointer(holder).is_some(), "{finding} {request}");
        }
    }
    assert_eq!(counts, [490, 489]);
}

/// Applies this rule alone.
fn apply(rule: Rule, request: &Value) -> Value {
    let others = Rule::ALL.iter().filter(|other| **other != rule);
    let layer = others.fold(MoonshotCompatLayer::new(), |layer, other| {
        layer.without_rule(*other)
    });
    rewritten(&layer, request)
}

fn rewritten(layer: &MoonshotCompatLayer, request: &Value) -> Value {
    let (rope, _) = layer.rewrite(Bytes::from(request.to_string()));
    serde_json::from_slice(&rope.into_bytes()).unwrap()
}

#[test]
fn the_rule_of_a_finding_repairs_it_and_without_one_no_rule_does() {
    let layer = MoonshotCompatLayer::new();
    let mut failures = Vec::new();
    for request in requests() {
        let findings = explained(&request);
        // A nudge becomes the only message.
        let is_nudged = request["messages"] == json!([]) && request["tool_choice"] == "required";
        for finding in findings.iter().filter(|_| !is_nudged) {
            let is_same =
                |other: &Finding| other.fact() == finding.fact() && other.rule() == finding.rule();
            let (after, expected) = match finding.rule() {
                Some(rule) => (apply(rule, &request), false),
                None => (rewritten(&layer, &request), true),
            };
            if explained(&after).iter().any(is_same) != expected {
                failures.push(format!(
                    "{finding} ({:?})\n  {request}\n  {after}",
                    finding.rule()
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{}\n{}",
        failures.join("\n"),
        failures.len()
    );
}

/// Takes out what is at fault, or puts in what is missing.
fn repair_by_hand(request: &mut Value, finding: &Finding) {
    let pointer = finding.pointer();
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let message = || steps.get(1).and_then(|index| index.parse().ok());
    match finding.fact().id() {
        "model_unknown" | "model_missing" => request["model"] = json!("kimi-k3"),
        "no_messages" => request["messages"] = json!([{"role": "user", "content": "Hi"}]),
        "answer_without_content" => *request.pointer_mut(pointer).unwrap() = json!(""),
        "call_unanswered" => {
            let index: usize = message().unwrap();
            let said = &mut request["messages"][index];
            said.as_object_mut().unwrap().remove("tool_calls");
            said["content"] = json!("Hi");
        }
        id if id.starts_with("named_") => remove(request, "/tool_choice"),
        id if id.starts_with("format_") || id.starts_with("json_schema") => {
            remove(request, "/response_format")
        }
        _ if steps.first() == Some(&"tools") && steps.len() > 1 => {
            remove(request, &format!("/tools/{}", steps[1]))
        }
        _ if steps.first() == Some(&"messages") && steps.len() > 1 => {
            let steps = steps.iter().take(4).collect::<Vec<_>>();
            match steps.get(2) {
                Some(&&"tools") => remove(request, &format!("/messages/{}/tools", steps[1])),
                Some(&&"content") if steps.len() == 4 => {
                    remove(
                        request,
                        &format!("/messages/{}/content/{}", steps[1], steps[3]),
                    );
                }
                _ => remove(request, &format!("/messages/{}", steps[1])),
            }
        }
        _ => remove(request, pointer),
    }
}

fn remove(request: &mut Value, pointer: &str) {
    let (holder, last) = pointer.rsplit_once('/').unwrap();
    match request.pointer_mut(holder).unwrap() {
        Value::Array(items) => {
            items.remove(last.parse().unwrap());
        }
        Value::Object(members) => {
            members.remove(last);
        }
        other => panic!("{pointer}: {other}"),
    }
}

/// Repairs one finding after the other. Returns how many were repaired by rules and by
/// hand.
fn repair(mut request: Value) -> [usize; 2] {
    let original = request.to_string();
    let mut counts = [0; 2];
    while let Some(finding) = explained(&request).first() {
        assert!(
            counts[0] + counts[1] < 50,
            "{original}\n{request}\n{finding}"
        );
        let before = request.clone();
        match finding.rule() {
            Some(rule) if apply(rule, &before) != before => {
                request = apply(rule, &before);
                counts[0] += 1;
            }
            _ => {
                repair_by_hand(&mut request, finding);
                counts[1] += 1;
            }
        }
    }
    let (status, answer) = emulated::answer(&request);
    assert_eq!(status, StatusCode::OK, "{answer} {request}");
    counts
}

#[test]
fn once_every_finding_is_repaired_the_request_is_accepted() {
    let mut total = [0; 2];
    for request in requests() {
        let counts = repair(request);
        total = [total[0] + counts[0], total[1] + counts[1]];
    }
    assert_eq!(total, [479, 151]);
}

#[test]
fn nearly_all_mutated_schemas_are_repaired_if_they_are_said_to_be() {
    let mut counts = [0; 3];
    for request in mutated() {
        let before = explained(&request);
        if before.is_empty() {
            continue;
        }
        let is_said = before.iter().all(|finding| finding.rule().is_some());
        let is_repaired = explained(&apply(Rule::ToolSchema, &request)).is_empty();
        counts[0] += 1;
        counts[1] += usize::from(is_said && !is_repaired);
        counts[2] += usize::from(is_repaired && !is_said);
    }
    // Refused, not repaired although they should be, and the other way round. The emulator
    // does not repair schemas, it only sees whether their root can be an object.
    assert_eq!(counts, [5661, 4, 1]);
}
