//! Random schemas: whatever they say, they come out valid and admit what they did.

use std::{cell::Cell, env};

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};
use serde_json::Value;

use crate::schemas::{
    Place, all_good, found,
    generate::{self, Dice, admitted, any_object, anything, spell},
    meaning::{Meaning, compile},
    mutate::mutate,
    parse, wild,
};

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

/// The schemas of common generators, mutated, are held to the same promises.
#[test]
fn no_mutated_schema_loses_a_value() {
    let tally = Tally::default();
    let count = env::var("MUTATIONS").map_or(1_500, |count| count.parse().unwrap());
    // What a reference by an `$id` means, the lenient reading doesn't know.
    let shapes = wild::SHAPES
        .iter()
        .filter(|shape| !shape.schema.contains("$id"));
    let starts: Vec<Value> = shapes.map(|shape| parse(shape.schema)).collect();
    let failures: Vec<String> = (0..count)
        .filter_map(|seed: u64| {
            let start = usize::try_from(seed).unwrap() % starts.len();
            let schema = mutate(seed, &starts[start]);
            holds_for(Place::Parameters, &schema, seed, &tally).err()
        })
        .map(|error| error.to_string())
        .collect();
    // A few can't be read by the crate once a definition is where it looks.
    let is_unread = |error: &String| {
        ["no schema any more", "go round without end"]
            .iter()
            .any(|why| error.contains(why))
    };
    let (unread, failures): (Vec<String>, Vec<String>) = failures.into_iter().partition(is_unread);
    assert!(unread.len() * 500 <= tally.schemas.get(), "{unread:?}");
    all_good(&failures[..failures.len().min(10)], tally.schemas.get());
    assert!(tally.compared.get() > 200, "{tally:?}");
    assert!(tally.admitted.get() > 1_000, "{tally:?}");
}
