//! The rule `tool_schema`: the schemas of tools and of answers become ones that
//! Moonshot takes, and never say less than they did.
//!
//! Which schemas Moonshot takes is asked of the emulator's `check_schema`, which is
//! held to the recorded verdicts of Moonshot's own validator; what a schema admits
//! is asked of the crate `jsonschema`. Neither shares code with the rule.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod schemas;

use std::{cell::Cell, env};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};
use serde_json::{Value, json};
use tower::{ServiceBuilder, ServiceExt};
use tower_moonshot::{
    MoonshotCompatLayer,
    emulator::{Emulator, check_schema},
};

use self::schemas::{
    Place, all_good, found,
    generate::{self, Dice, admitted, any_object, anything, spell},
    meaning::{Meaning, compile},
    parse, wild,
};

/// One line is one schema with the verdict of walle (2026-06-29) at each level.
const VERDICTS: &str = include_str!("conformance/mfjs-verdicts.jsonl");

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

// Random schemas.

#[derive(Debug, Default)]
struct Tally {
    schemas: Cell<usize>,
    changed: Cell<usize>,
    compared: Cell<usize>,
    admitted: Cell<usize>,
}

fn add(count: &Cell<usize>, more: usize) {
    count.set(count.get() + more);
}

/// As many cases as `PROPTEST_CASES` says, or as fit into seconds. They are the
/// same each time, so that a change is judged by what it changes and not by luck;
/// `PROPTEST_SEED` is a number for others, and `random` for new ones each time.
fn runner(cases: u32) -> TestRunner {
    let config = Config::default();
    let asked = env::var_os("PROPTEST_CASES").is_some();
    let config = Config {
        cases: if asked { config.cases } else { cases },
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..config
    };
    let number: u64 = match env::var("PROPTEST_SEED") {
        Ok(seed) if seed == "random" => return TestRunner::new(config),
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => 0,
    };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let source = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    TestRunner::new_with_rng(config, source)
}

fn run<S>(
    runner: &mut TestRunner,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) where
    S: Strategy,
    S::Value: std::fmt::Debug,
{
    match runner.run(strategy, test) {
        Ok(()) => {}
        // The message names the schema as it was written, which the value doesn't.
        Err(TestError::Fail(why, _)) => panic!("{why}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// Whether a root says by itself that it is an object, and nothing else of it
/// says that it is none.
fn says_object(schema: &Value) -> bool {
    schema["type"] == "object"
        && ["anyOf", "oneOf", "allOf", "not", "$ref", "enum", "const"]
            .iter()
            .all(|keyword| schema.get(*keyword).is_none())
}

fn holds_for(place: Place, schema: &Value, seed: u64, tally: &Tally) -> Result<(), TestCaseError> {
    let mut dice = Dice(seed);
    let text = spell(schema, &mut dice);
    let fail = |why: String| TestCaseError::fail(format!("{why}\n  in: {text}"));
    add(&tally.schemas, 1);

    let out = place.rewrite(&text).map_err(fail)?;
    let Ok(repaired) = serde_json::from_str::<Value>(&out) else {
        return Err(fail(format!("not JSON any more: {out}")));
    };
    if place.verdict(schema).is_ok() && out != text {
        return Err(fail(format!("valid, yet changed to {out}")));
    }
    add(&tally.changed, usize::from(out != text));

    let meaning = Meaning::of(schema);
    let instances: Vec<Value> = instances(schema, place, &mut dice)
        .into_iter()
        .filter(|value| {
            let admits = meaning.as_ref();
            admits.is_some_and(|meaning| meaning.admits.is_valid(value))
        })
        .collect();

    if let Err(error) = place.verdict(&repaired) {
        // Only what is no object for parameters may stay refused.
        let hopeless = place == Place::Parameters && !says_object(schema) && instances.is_empty();
        if !hopeless || out != text {
            return Err(fail(format!("still refused: {error}\n out: {out}")));
        }
    }
    let Some(meaning) = meaning.filter(|_| out != text) else {
        return Ok(());
    };
    let repaired = meaning
        .like(&repaired)
        .map_err(|why| fail(format!("{why}\n out: {out}")))?;
    add(&tally.compared, 1);
    add(&tally.admitted, instances.len());
    match instances.iter().find(|value| !repaired.is_valid(value)) {
        None => Ok(()),
        Some(lost) => Err(fail(format!("{lost} is no longer admitted\n out: {out}"))),
    }
}

/// The values that are held against a schema: half of them made for it.
fn instances(schema: &Value, place: Place, dice: &mut Dice) -> Vec<Value> {
    (0..16)
        .map(|index| match (index % 2, place) {
            (0, _) => admitted(schema, schema, dice, 8),
            (_, Place::Parameters) => any_object(dice, 2),
            (_, Place::ResponseFormat) => anything(dice, 2),
        })
        // Arguments are objects.
        .filter(|value| place == Place::ResponseFormat || value.is_object())
        .collect()
}

#[test]
fn the_random_schemas_are_broken_meaningful_and_can_be_satisfied() {
    let (mut all, mut refused, mut read, mut read_as_they_are, mut hits) = (0, 0, 0, 0, 0);
    let mut runner = TestRunner::deterministic();
    for seed in 0..400 {
        let schema = generate::root().new_tree(&mut runner).unwrap().current();
        all += 1;
        refused += usize::from(Place::Parameters.verdict(&schema).is_err());
        if let Some(meaning) = Meaning::of(&schema) {
            read += 1;
            read_as_they_are += usize::from(!meaning.lenient);
            hits += instances(&schema, Place::Parameters, &mut Dice(seed))
                .iter()
                .filter(|value| meaning.admits.is_valid(value))
                .count();
        }
    }
    let shares = format!("{all} {refused} {read} {read_as_they_are} {hits}");
    assert!(refused * 10 > all * 7, "{shares}");
    assert!(read * 2 > all, "{shares}");
    assert!(read_as_they_are * 2 > all, "{shares}");
    assert!(hits > all * 3, "{shares}");
}

fn no_repair_loses_a_value(place: Place) {
    let tally = Tally::default();
    let mut runner = runner(700);
    let strategy = (generate::root(), any::<u64>());
    run(&mut runner, &strategy, |(schema, seed)| {
        holds_for(place, &schema, seed, &tally)
    });
    // Else the test has looked at nothing.
    let schemas = tally.schemas.get();
    assert!(tally.changed.get() * 2 > schemas, "{tally:?}");
    assert!(tally.compared.get() * 3 > schemas, "{tally:?}");
    assert!(tally.admitted.get() > schemas, "{tally:?}");
}

#[test]
fn repaired_parameters_admit_every_object_that_they_admitted() {
    no_repair_loses_a_value(Place::Parameters);
}

#[test]
fn a_repaired_response_format_admits_every_value_that_it_admitted() {
    no_repair_loses_a_value(Place::ResponseFormat);
}

#[test]
fn what_was_once_repaired_badly_is_repaired_well() {
    let tally = Tally::default();
    let mut failures = Vec::new();
    for (place, text, instances) in found::FOUND {
        let schema = parse(text);
        if let Err(error) = holds_for(*place, &schema, 0, &tally) {
            failures.push(error.to_string());
            continue;
        }
        if instances.is_empty() {
            continue;
        }
        let (meaning, (out, repaired)) = (Meaning::of(&schema), place.repair(text).unwrap());
        for instance in *instances {
            let value = parse(instance);
            let judge = |reading: &jsonschema::Validator| reading.is_valid(&value);
            assert!(
                meaning
                    .as_ref()
                    .is_none_or(|meaning| judge(&meaning.admits)),
                "{text}"
            );
            if compile(&repaired, None).is_some_and(|reading| !judge(&reading)) {
                failures.push(format!("{instance} is lost\n  in: {text}\n out: {out}"));
            }
        }
    }
    all_good(&failures, found::FOUND.len());
}

#[test]
#[ignore = "where Moonshot doesn't look, a reference that leads nowhere is left as it is"]
fn a_reference_to_nowhere_is_repaired_where_moonshot_does_not_look() {
    let schema = parse(
        r##"{"properties":{},"$defs":{"A":{"anyOf":[{"else":{"$ref":"#/properties/a"},"if":{"type":"string"},"then":{"type":null}},{"required":["a"]}]}}}"##,
    );
    for place in [Place::Parameters, Place::ResponseFormat] {
        if let Err(error) = holds_for(place, &schema, 0, &Tally::default()) {
            panic!("{error}");
        }
    }
}

#[test]
fn no_two_keywords_together_lose_a_value() {
    let tally = Tally::default();
    let pairs = generate::pairs();
    let failures: Vec<String> = (0..)
        .zip(&pairs)
        .filter_map(|(seed, schema)| holds_for(Place::Parameters, schema, seed, &tally).err())
        .map(|error| error.to_string())
        .collect();
    all_good(&failures, pairs.len());
    assert!(tally.compared.get() * 3 > pairs.len(), "{tally:?}");
    assert!(tally.admitted.get() > pairs.len(), "{tally:?}");
}

/// Properties with nothing to repair, in a spelling of their own.
const UNTOUCHED: [(&str, &str); 3] = [
    (
        r#""first""#,
        "{ \"type\" :\"number\",\n\"multipleOf\":1.50e+1,\"minimum\":-0.0, \"x-order\":[ 3,1 ] }",
    ),
    (
        r#""s\u0065cond""#,
        r#"{"title":"\u00e9\/","properties":{"z":{"type":"string"},"a":{ }},"type":"object" ,"required":["z"]}"#,
    ),
    (
        r#""third""#,
        r#"{"maxItems":1E2,"items":{"enum":["b","a","\u0061"],"type":"string"}, "type":["array"]}"#,
    ),
];

#[test]
fn what_needs_no_repair_keeps_order_and_spelling_beside_what_does() {
    let changed = Cell::new(0);
    let total = Cell::new(0);
    let strategy = (
        proptest::collection::vec(generate::schema(true), 2),
        any::<u64>(),
    );
    run(&mut runner(300), &strategy, |(schemas, seed)| {
        let mut dice = Dice(seed);
        let [(k1, v1), (k2, v2), (k3, v3)] = UNTOUCHED;
        let [p, q] = [0, 1].map(|index| spell(&schemas[index], &mut dice));
        let text = format!(
            r#"{{"type":"object", "properties" :{{{k1}:{v1},"p":{p},{k2} : {v2},"q":{q}, {k3}:{v3}}},"additionalProperties":false,"required" : ["first"]}}"#
        );
        let (out, _) = Place::Parameters
            .repair(&text)
            .map_err(|why| TestCaseError::fail(format!("{why}\n  in: {text}")))?;
        add(&total, 1);
        add(&changed, usize::from(out != text));
        let mut last = 0;
        for (key, value) in UNTOUCHED {
            prop_assert!(
                out.contains(value),
                "{value} is not there as it was\n  in: {text}\n out: {out}"
            );
            let at = out.find(key);
            prop_assert!(
                at.is_some_and(|at| at > last),
                "{key} is not where it was\n  in: {text}\n out: {out}"
            );
            last = at.unwrap_or(0);
        }
        Ok(())
    });
    assert!(changed.get() * 2 > total.get(), "{changed:?} of {total:?}");
}

// Schemas written to hurt.

#[test]
fn hostile_schemas_cost_little_and_come_out_valid_or_unchanged() {
    let mut failures = Vec::new();
    let schemas = schemas::hostile::schemas();
    for hostile in &schemas {
        if let Err(error) = hostile.check() {
            failures.push(format!("{}: {error}", hostile.name));
        }
    }
    all_good(&failures, schemas.len());
}

#[test]
fn a_thousand_broken_tools_cost_a_thousand_times_one() {
    let tool = |index: usize| {
        format!(
            r#"{{"type":"function","function":{{"name":"t{index}","parameters":{{"properties":{{"a":true}}}}}}}}"#
        )
    };
    let tools: Vec<String> = (0..1000).map(tool).collect();
    let body = format!(
        r#"{{"model":"kimi-k3","messages":[],"tools":[{}]}}"#,
        tools.join(",")
    );
    let (rope, _) = MoonshotCompatLayer::new().rewrite(Bytes::from(body));
    let out = parse(std::str::from_utf8(&rope.into_bytes()).unwrap());
    let tools = out["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 1000);
    for tool in tools {
        let parameters = &tool["function"]["parameters"];
        assert_eq!(
            parameters,
            &json!({"type": "object", "properties": {"a": {}}})
        );
        assert!(check_schema(parameters).is_ok());
    }
}
