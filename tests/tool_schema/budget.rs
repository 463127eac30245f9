//! What a repair may cost: steps, a report of bounded length, and nothing that grows
//! faster than a schema does.

use bytes::Bytes;
use serde_json::json;
use tower_moonshot::{MoonshotCompatLayer, Report, emulator::check_schema};

use crate::schemas::{self, all_good, parse};

fn tools(count: usize, parameters: &str) -> String {
    let tool = |index| {
        format!(
            r#"{{"type":"function","function":{{"name":"t{index}","parameters":{parameters}}}}}"#
        )
    };
    let tools: Vec<String> = (0..count).map(tool).collect();
    let tools = tools.join(",");
    format!(r#"{{"model":"kimi-k3","messages":[],"tools":[{tools}]}}"#)
}

fn rewritten(layer: &MoonshotCompatLayer, body: &str) -> (String, Report) {
    let (rope, report) = layer.rewrite(Bytes::from(body.to_owned()));
    let text = rope.into_bytes().to_vec();
    (String::from_utf8(text).unwrap(), report)
}

const BROKEN: &str = r#"{"type":"object","properties":{"a":true}}"#;
const REPAIRED: &str = r#"{"type":"object","properties":{"a":{}}}"#;

#[test]
fn without_a_budget_no_schema_is_repaired_and_the_report_says_so() {
    let layer = MoonshotCompatLayer::new().with_schema_budget(0);
    let body = tools(3, BROKEN);
    let (text, report) = rewritten(&layer, &body);
    assert_eq!(text, body);
    assert_eq!(report.changes(), []);
    assert_eq!(report.unrepaired_schemas(), 3);
    assert_eq!(
        report.to_string(),
        "nothing was changed; 3 schemas left unrepaired, the budget is spent"
    );

    let clean = tools(3, REPAIRED);
    let (text, report) = rewritten(&layer, &clean);
    assert_eq!(text, clean);
    assert_eq!(report.unrepaired_schemas(), 0);
}

#[test]
fn schemas_are_repaired_in_their_order_until_the_budget_is_spent() {
    let layer = MoonshotCompatLayer::new().with_schema_budget(2_000);
    let body = tools(100, BROKEN);
    let (text, report) = rewritten(&layer, &body);
    let repaired = 100 - report.unrepaired_schemas();
    assert!((2..20).contains(&repaired), "{report}");
    let begins = tools(repaired, REPAIRED);
    assert!(text.starts_with(begins.trim_end_matches("]}")));
    assert_eq!(text.matches(BROKEN).count(), 100 - repaired);
    // The same each time: nothing is timed.
    let (again, report) = rewritten(&layer, &body);
    assert_eq!(again, text);
    assert_eq!(report.unrepaired_schemas(), 100 - repaired);
}

#[test]
fn the_default_is_enough_for_a_thousand_tools_and_for_the_longest_schema() {
    let layer = MoonshotCompatLayer::new();
    let (text, report) = rewritten(&layer, &tools(1_000, r#"{"properties":{"a":true}}"#));
    assert_eq!(report.unrepaired_schemas(), 0);
    let out = parse(&text);
    let tools_out = out["tools"].as_array().unwrap();
    assert_eq!(tools_out.len(), 1000);
    for tool in tools_out {
        let parameters = &tool["function"]["parameters"];
        let expected = json!({"type": "object", "properties": {"a": {}}});
        assert_eq!(parameters, &expected);
        assert!(check_schema(parameters).is_ok());
    }

    let property = |index| {
        format!(r##""p{index}":{{"type":["string","null"],"default":"","$comment":"{index}"}}"##)
    };
    let properties: Vec<String> = (0..1_500).map(property).collect();
    let long = format!(
        r#"{{"type":"object","properties":{{{}}}}}"#,
        properties.join(",")
    );
    assert!((90_000..120_000).contains(&long.len()));
    let (_, report) = rewritten(&layer, &tools(1, &long));
    assert_eq!(report.unrepaired_schemas(), 0);
    assert!(!report.changes().is_empty());
}

#[test]
fn a_report_lists_a_thousand_changes_and_counts_the_others() {
    let many = |role: &str, count: usize| {
        let message = format!(r#"{{"role":"{role}","content":"Hi"}}"#);
        let messages = vec![message; count].join(",");
        format!(r#"{{"model":"kimi-k3","messages":[{messages}]}}"#)
    };
    let layer = MoonshotCompatLayer::new();
    let (text, report) = rewritten(&layer, &many("developer", 2_500));
    assert_eq!(text, many("system", 2_500));
    assert_eq!(report.changes().len(), 1_000);
    assert_eq!(report.changes_left_out(), 1_500);
    assert!(report.to_string().ends_with("; 1500 more changes"));
}

#[test]
fn a_report_does_not_repeat_a_long_name_for_every_change() {
    let properties: Vec<String> = (0..2_000)
        .map(|index| format!(r#""{index}":true"#))
        .collect();
    let inner = format!(
        r#"{{"type":"object","properties":{{{}}}}}"#,
        properties.join(",")
    );
    let name = "x".repeat(80_000);
    let schema = format!(r#"{{"type":"object","properties":{{"{name}":{inner}}}}}"#);
    let (text, report) = rewritten(&MoonshotCompatLayer::new(), &tools(1, &schema));
    assert!(!text.contains("true"));
    let pointers = report.changes().iter().map(|change| change.pointer().len());
    assert!(pointers.sum::<usize>() < 100_000);
    assert_eq!(report.changes().len() + report.changes_left_out(), 2_000);
    let pointer = report.changes()[0].pointer();
    assert_eq!(pointer, "/tools/0/function/parameters/properties");
}

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
