#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;

use super::{Budget, Outcome, Scratch, Use, prescan, repair};
use crate::{emulator::check_schema, json::Scanner};

/// One line is one schema with the verdict of Moonshot's validator.
const VERDICTS: &str = include_str!("../../tests/conformance/mfjs-verdicts.jsonl");

fn rows() -> impl Iterator<Item = Value> {
    VERDICTS
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
}

fn is_accepted(schema: &Value, usage: Use) -> bool {
    let is_object = schema["type"] == "object";
    (usage == Use::Format || is_object) && check_schema(schema).is_ok()
}

fn is_doubtful(text: &str, usage: Use) -> bool {
    let mut scanner = Scanner::new(text.as_bytes()).unwrap();
    let (value, doubtful) = prescan(&mut scanner, &mut Scratch::default(), usage).unwrap();
    assert_eq!(value.span.range(), 0..text.len());
    scanner.finish().unwrap();
    doubtful
}

fn outcome(text: &str, usage: Use) -> Outcome {
    repair(text, usage, &mut Budget::new(Budget::DEFAULT_STEPS))
}

fn is_left_alone(text: &str, usage: Use) -> bool {
    matches!(outcome(text, usage), Outcome::Clean | Outcome::Hopeless)
}

fn repaired(text: &str, usage: Use) -> String {
    match outcome(text, usage) {
        Outcome::Repaired(repaired) => repaired.text,
        Outcome::OutOfBudget => panic!("out of budget: {text}"),
        Outcome::Clean | Outcome::Hopeless => text.to_owned(),
    }
}

/// A property of a tool.
fn property(schema: &str) -> String {
    format!(r#"{{"type":"object","properties":{{"a":{schema}}}}}"#)
}

#[track_caller]
fn becomes(schema: &str, expected: &str) {
    tool_becomes(&property(schema), &property(expected));
}

#[track_caller]
fn tool_becomes(schema: &str, expected: &str) {
    let text = repaired(schema, Use::Tool);
    assert_eq!(text, expected);
    let value = serde_json::from_str(&text).unwrap();
    assert!(is_accepted(&value, Use::Tool), "{text}");
    assert_eq!(repaired(&text, Use::Tool), text);
}

#[test]
fn the_look_misses_nothing() {
    for row in rows() {
        let schema = &row["schema"];
        for text in [
            schema.to_string(),
            serde_json::to_string_pretty(schema).unwrap(),
        ] {
            for usage in [Use::Tool, Use::Format] {
                let is_clean = is_accepted(schema, usage);
                assert!(is_clean || is_doubtful(&text, usage), "{}", row["name"]);
                let strips = usage == Use::Format && row["name"] == "$schema";
                if is_clean && !strips {
                    assert!(is_left_alone(&text, usage), "{}", row["name"]);
                }
            }
        }
    }
}

#[test]
fn ordinary_clean_schemas_are_not_doubtful() {
    for schema in [
        r#"{"type":"object"}"#,
        r#"{ "type" : "object" , "properties" : { } , "required" : [ ] }"#,
        r#"{"type":"object","properties":{"a":{"type":"string","description":"é \"x\""},"b":{"type":"array","items":{"type":"integer"}}},"required":["b","a"],"additionalProperties":false}"#,
        r#"{"type":"object","properties":{"a":{"type":"string","enum":["x","y"]},"b":{"type":["string","null"],"enum":["x",null]},"c":{"type":["string","null"],"description":"x"}}}"#,
        r#"{"type":"object","properties":{"a":{"anyOf":[{"type":"string","minLength":1},{"type":"null"}],"default":null,"title":"A","x-a":1}}}"#,
        r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"oneOf":[{"type":"string"}]}},"additionalProperties":{"type":"number","minimum":0.5}}"#,
    ] {
        assert!(!is_doubtful(schema, Use::Tool), "{schema}");
    }
    let nested = (0..12).fold(r#"{"type":"string"}"#.to_owned(), |inner, _| {
        property(&inner)
    });
    assert!(!is_doubtful(&nested, Use::Tool));
}

#[test]
fn a_schema_that_stands_in_the_last_of_two_keys_is_seen() {
    for schema in [
        r#"{"type":"object","type":"string"}"#,
        r#"{"type":"object","properties":{"a":{}},"properties":{},"required":["a"]}"#,
        r#"{"type":"object","properties":{"a":{},"a":{"type":"any"}}}"#,
        r#"{"type":"object","\u0074ype":"any"}"#,
    ] {
        assert!(is_doubtful(schema, Use::Tool), "{schema}");
    }
}

#[test]
fn every_recorded_schema_is_repaired_and_then_left_alone() {
    for row in rows() {
        for usage in [Use::Tool, Use::Format] {
            let schema = row["schema"].to_string();
            let text = repaired(&schema, usage);
            let value: Value = serde_json::from_str(&text).unwrap();
            let can_be_an_object = !["root array", "root string"]
                .iter()
                .any(|name| row["name"] == *name);
            assert!(
                is_accepted(&value, usage) || usage == Use::Tool && !can_be_an_object,
                "{} {usage:?}: {text}",
                row["name"]
            );
            assert_eq!(repaired(&text, usage), text, "{} {usage:?}", row["name"]);
        }
    }
}

#[test]
fn what_is_not_changed_keeps_its_bytes() {
    tool_becomes(
        "{ \"type\" : \"object\",\n \"properties\": { \"a\": { \"type\": \"string\" ,\"maxLength\": 1e2 },\n \"b\\u00e9\": true } }",
        "{\"type\":\"object\",\"properties\":{\"a\":{ \"type\": \"string\" ,\"maxLength\": 1e2 },\"b\\u00e9\":{}}}",
    );
    // The last of two keys counts, and is the one that is left.
    tool_becomes(
        r#"{"type":"object","properties":{"a":{"type":"string"},"a":true}}"#,
        r#"{"type":"object","properties":{"a":{}}}"#,
    );
}

#[test]
fn changes_are_reported_where_their_cause_was() {
    let changes = |schema: &str, usage| -> Vec<String> {
        let Outcome::Repaired(repaired) = outcome(schema, usage) else {
            panic!("{schema}");
        };
        let places = repaired.changes.into_iter().map(|change| change.pointer);
        places.collect()
    };
    assert_eq!(
        changes(
            r#"{"type":"object","properties":{"a/b":{"type":"any"},"c":{"items":{"enum":[1]}}}}"#,
            Use::Tool
        ),
        ["/properties/a~1b/type", "/properties/c/items/enum"]
    );
    assert_eq!(
        changes(r#"{"$schema":"x","type":"string"}"#, Use::Format),
        ["/$schema"]
    );
}

#[test]
fn types() {
    becomes(r#"{"type":"STRING"}"#, r#"{"type":"string"}"#);
    becomes(
        r#"{"type":["String","NULL"]}"#,
        r#"{"type":["string","null"]}"#,
    );
    becomes(r#"{"type":"any"}"#, "{}");
    becomes(
        r#"{"type":["string","any"],"title":"A"}"#,
        r#"{"title":"A"}"#,
    );
    becomes(
        r#"{"type":["string","null"],"minLength":1,"default":null,"description":"d"}"#,
        r#"{"anyOf":[{"type":"string","minLength":1},{"type":"null"}],"default":null,"description":"d"}"#,
    );
    becomes(
        r#"{"type":["string","string"],"minLength":1}"#,
        r#"{"type":"string","minLength":1}"#,
    );
}

#[test]
fn enumerations() {
    becomes(r#"{"enum":["x"]}"#, r#"{"type":"string","enum":["x"]}"#);
    becomes(
        r#"{"enum":["x",null]}"#,
        r#"{"type":["string","null"],"enum":["x",null]}"#,
    );
    becomes(
        r#"{"enum":[1,2.5,"x",null]}"#,
        r#"{"anyOf":[{"type":"number","enum":[1,2.5]},{"type":"string","enum":["x"]},{"type":"null"}]}"#,
    );
    becomes(
        r#"{"type":"string","enum":["x",1]}"#,
        r#"{"type":"string","enum":["x"]}"#,
    );
    becomes(
        r#"{"type":"string","enum":["x",null]}"#,
        r#"{"type":["string","null"],"enum":["x",null]}"#,
    );
    becomes(
        r#"{"type":["string","integer"],"enum":["x",1]}"#,
        r#"{"anyOf":[{"type":"string","enum":["x"]},{"type":"integer","enum":[1]}]}"#,
    );
    becomes(r#"{"type":"string","enum":[]}"#, r#"{"type":"string"}"#);
    becomes(
        r#"{"enum":["x"],"anyOf":[{"type":"string"},{"type":"null"}]}"#,
        r#"{"anyOf":[{"type":"string","enum":["x"]}]}"#,
    );
    let many: Vec<String> = (0..1001).map(|value| value.to_string()).collect();
    becomes(
        &format!(r#"{{"enum":[{}]}}"#, many.join(",")),
        r#"{"type":"integer"}"#,
    );
}

#[test]
fn items() {
    becomes(r#"{"items":true}"#, r#"{"items":{}}"#);
    becomes(
        r#"{"prefixItems":[{}],"items":false}"#,
        r#"{"prefixItems":[{}],"maxItems":1}"#,
    );
    becomes(
        r#"{"items":[{"type":"string"},true],"maxItems":2}"#,
        r#"{"items":{"anyOf":[{"type":"string"},{}]},"maxItems":2}"#,
    );
    becomes(
        r#"{"items":[{"type":"string"}],"additionalItems":{"type":"null"}}"#,
        r#"{"items":{"anyOf":[{"type":"string"},{"type":"null"}]}}"#,
    );
    // What follows may be anything.
    becomes(
        r#"{"items":[{"type":"string"}]}"#,
        r#"{"items":{"anyOf":[{"type":"string"},{}]}}"#,
    );
}

#[test]
fn properties() {
    tool_becomes(
        r#"{"type":"object","properties":{"a":{},"b":false},"required":["a","b"],"additionalProperties":false}"#,
        r#"{"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false}"#,
    );
    tool_becomes(
        r#"{"type":"object","properties":{"a":{},"required":{}},"required":["required"],"additionalProperties":false}"#,
        r#"{"type":"object","properties":{"a":{}},"required":[]}"#,
    );
    tool_becomes(
        r#"{"type":"object","required":["b"],"additionalProperties":{"type":"string"}}"#,
        r#"{"type":"object","required":["b"],"additionalProperties":{"type":"string"},"properties":{"b":{"type":"string"}}}"#,
    );
    becomes(
        r#"{"type":"string","required":true}"#,
        r#"{"type":"string"}"#,
    );
    becomes(r#"{"properties":[],"additionalProperties":null}"#, "{}");
    becomes(r#"{"description":null,"pattern":1,"$id":2}"#, "{}");
}

#[test]
fn branches() {
    becomes(
        r#"{"type":"string","anyOf":[{"const":"x"},{"enum":["y"]},{"type":"integer"}]}"#,
        r#"{"anyOf":[{"type":"string","const":"x"},{"type":"string","enum":["y"]}]}"#,
    );
    becomes(r#"{"anyOf":[true,false]}"#, r#"{"anyOf":[{}]}"#);
    becomes(r#"{"anyOf":[],"title":"A"}"#, r#"{"title":"A"}"#);
    becomes(
        r#"{"default":null,"anyOf":[{"type":"string","default":"x"}]}"#,
        r#"{"default":null,"anyOf":[{"type":"string"}]}"#,
    );
    becomes(
        r#"{"minLength":1,"anyOf":[{"type":"string","minLength":2}]}"#,
        r#"{"anyOf":[{"type":"string","minLength":2}],"allOf":[{"minLength":1}]}"#,
    );
    becomes(
        r#"{"type":"object","properties":{"x":{},"y":{}},"anyOf":[{"required":["x"]},{"required":["y"]}]}"#,
        r#"{"anyOf":[{"type":"object","required":["x"],"properties":{"x":{},"y":{}}},{"type":"object","required":["y"],"properties":{"x":{},"y":{}}}]}"#,
    );
}

#[test]
fn references() {
    let with = |property: &str, rest: &str| {
        format!(r#"{{"type":"object","properties":{{"a":{property}}},{rest}}}"#)
    };
    tool_becomes(
        &with(
            r##"{"$ref":"#/definitions/A"}"##,
            r#""definitions":{"A":{"type":"string"}}"#,
        ),
        &with(
            r##"{"$ref":"#/$defs/A"}"##,
            r#""$defs":{"A":{"type":"string"}}"#,
        ),
    );
    tool_becomes(
        &with(
            r##"{"$ref":"#/$defs/A~1B"}"##,
            r#""$defs":{"A/B":{"type":"string"}}"#,
        ),
        &with(
            r##"{"$ref":"#/$defs/A_B"}"##,
            r#""$defs":{"A_B":{"type":"string"}}"#,
        ),
    );
    tool_becomes(
        &with(r##"{"$ref":"#/properties/b"}"##, r#""title":"T""#),
        &with("{}", r#""title":"T""#),
    );
    tool_becomes(
        r##"{"type":"object","properties":{"a":{"type":"string"},"b":{"$ref":"#/properties/a","title":"B"}}}"##,
        r##"{"type":"object","properties":{"a":{"type":"string"},"b":{"title":"B","type":"string"}}}"##,
    );
    becomes(
        r#"{"$ref":"https://example.com/x","title":"A"}"#,
        r#"{"title":"A"}"#,
    );
    tool_becomes(
        &property(r##"{"$defs":{"A":{"type":"string"}},"items":{"$ref":"#/$defs/A"}}"##),
        &with(
            r##"{"items":{"$ref":"#/$defs/A"}}"##,
            r#""$defs":{"A":{"type":"string"}}"#,
        ),
    );
}

#[test]
fn what_stands_beside_a_reference() {
    let with = |property: &str| {
        format!(
            r##"{{"type":"object","properties":{{"a":{property}}},"$defs":{{"A":{{"type":"string","minLength":1,"default":"x"}}}}}}"##
        )
    };
    for (beside, left) in [
        (r#","type":"string""#, ""),
        (r#","default":"y","title":"A""#, r#","title":"A""#),
        (r#","minLength":2"#, r#","allOf":[{"minLength":2}]"#),
        (r#","enum":["xy"]"#, r#","allOf":[{"enum":["xy"]}]"#),
    ] {
        tool_becomes(
            &with(&format!(r##"{{"$ref":"#/$defs/A"{beside}}}"##)),
            &with(&format!(r##"{{"$ref":"#/$defs/A"{left}}}"##)),
        );
    }
}

#[test]
fn recursions() {
    let with = |definition: &str| {
        format!(
            r##"{{"type":"object","properties":{{"a":{{"$ref":"#/$defs/A"}}}},"required":["a"],"$defs":{{"A":{definition}}}}}"##
        )
    };
    for (definition, left) in [
        (
            r##"{"type":"object","properties":{"n":{"$ref":"#/$defs/A"}},"required":["n"]}"##,
            r#"{"type":"object","properties":{"n":{}},"required":["n"]}"#,
        ),
        (
            r#"{"oneOf":[{"type":"object"},{"type":"object","title":"B"}]}"#,
            r#"{"type":"object","oneOf":[{"type":"object"},{"type":"object","title":"B"}]}"#,
        ),
        (r#"{"const":"x"}"#, r#"{"type":"string","const":"x"}"#),
        (
            r#"{"description":"anything"}"#,
            r#"{"type":["boolean","number","string","array","object","null"],"description":"anything"}"#,
        ),
        (
            r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#,
            r#"{"oneOf":[{"type":"string"},{"type":"null"}],"anyOf":[{"type":["boolean","number","string","array","object","null"]}]}"#,
        ),
    ] {
        tool_becomes(&with(definition), &with(left));
    }
}

#[test]
fn the_root_of_a_tool_is_one_object() {
    for (schema, expected) in [
        ("{}", r#"{"type":"object"}"#),
        (
            r#"{"type":["object","null"],"title":"T"}"#,
            r#"{"type":"object","title":"T"}"#,
        ),
        (
            r#"{"oneOf":[{"type":"object"}]}"#,
            r#"{"type":"object","oneOf":[{"type":"object"}]}"#,
        ),
        (
            r#"{"type":"object","properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["a","b"]}]}"#,
            r#"{"type":"object","properties":{"a":{},"b":{}},"required":["a"]}"#,
        ),
        (
            r#"{"anyOf":[{"type":"object","properties":{"k":{"const":1},"x":{"type":"string"}},"required":["k"],"additionalProperties":false},{"type":"object","properties":{"k":{"const":2}},"required":["k"],"additionalProperties":false},{"type":"null"}]}"#,
            r#"{"type":"object","properties":{"k":{"anyOf":[{"const":1},{"const":2}]},"x":{"type":"string"}},"required":["k"],"additionalProperties":false}"#,
        ),
        (
            r#"{"anyOf":[{"properties":{"x":{"type":"string"}}},{"properties":{"y":{"type":"string"}}}],"type":"object"}"#,
            r#"{"type":"object","properties":{"x":{"anyOf":[{"type":"string"},{}]},"y":{"anyOf":[{"type":"string"},{}]}}}"#,
        ),
        (
            r##"{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"title":"A"}}}"##,
            r##"{"type":"object","$defs":{"A":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"title":"A"}},"properties":{"a":{"$ref":"#/$defs/A"}},"title":"A"}"##,
        ),
        // A child may be anything, as it might before.
        (
            r##"{"properties":{"child":{"$ref":"#"}}}"##,
            r##"{"type":"object","properties":{"child":{"$ref":"#/$defs/root"}},"$defs":{"root":{"properties":{"child":{"$ref":"#/$defs/root"}}}}}"##,
        ),
    ] {
        tool_becomes(schema, expected);
    }
    for hopeless in [
        r#"{"type":"array","items":true}"#,
        r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#,
        r#"{"enum":["a"]}"#,
        "true",
        "null",
    ] {
        assert!(is_left_alone(hopeless, Use::Tool), "{hopeless}");
    }
}

#[test]
fn what_moonshot_does_not_read_goes_on_to_mean_what_it_meant() {
    // The target moved.
    tool_becomes(
        r##"{"type":"object","properties":{"a":{"$ref":"#/definitions/A"},"b":{"oneOf":[{"$ref":"#/definitions/A"}]}},"definitions":{"A":{"type":"string"}}}"##,
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{"oneOf":[{"$ref":"#/$defs/A"}]}},"$defs":{"A":{"type":"string"}}}"##,
    );
    // The target is wider now, which would make `not` narrower: it is removed.
    tool_becomes(
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{"not":{"$ref":"#/$defs/A"}}},"$defs":{"A":{"type":"string","enum":[]}}}"##,
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{}},"$defs":{"A":{"type":"string"}}}"##,
    );
    // Nobody else refers to them.
    let unread = r##"{"type":"object","properties":{"a":{"oneOf":[{"$ref":"#/definitions/A"}]}},"definitions":{"A":{"type":"any"}}}"##;
    assert!(is_left_alone(unread, Use::Tool));
}

#[test]
fn limits() {
    let deep = |depth: usize| {
        (0..depth).fold(r#"{"type":"string"}"#.to_owned(), |inner, _| {
            property(&inner)
        })
    };
    assert!(is_left_alone(&deep(30), Use::Tool));
    let text = repaired(&deep(40), Use::Tool);
    assert!(is_accepted(
        &serde_json::from_str(&text).unwrap(),
        Use::Tool
    ));

    let wide: Vec<String> = (0..3001).map(|name| format!(r#""{name}":{{}}"#)).collect();
    let wide = format!(
        r#"{{"type":"object","properties":{{{}}},"required":["3000"],"additionalProperties":false}}"#,
        wide.join(",")
    );
    let text = repaired(&wide, Use::Tool);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(is_accepted(&value, Use::Tool));
    assert_eq!(value["properties"].as_object().unwrap().len(), 3000);
    assert!(value.get("additionalProperties").is_none());

    let long = |keyword: &str| {
        let text = "x".repeat(130_000);
        format!(r#"{{"type":"object","{keyword}":"{text}"}}"#)
    };
    assert_eq!(
        repaired(&long("description"), Use::Tool),
        r#"{"type":"object"}"#
    );
    assert!(is_left_alone(&long("pattern"), Use::Tool));
}

#[test]
fn the_name_of_the_dialect_goes_from_response_formats_only() {
    let schema = r#"{"$schema":"x","type":"object"}"#;
    assert!(is_doubtful(schema, Use::Format));
    assert_eq!(repaired(schema, Use::Format), r#"{"type":"object"}"#);
    assert!(is_left_alone(schema, Use::Tool));
}
