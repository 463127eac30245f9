//! What it costs to find every reason for a refusal.

use serde_json::{Value, json};

use super::super::{MAX_FINDINGS, explain, steps};

/// The steps of explaining a request.
fn steps_of(request: &Value) -> usize {
    let body = request.to_string();
    steps::taken();
    let _ = explain(body.as_bytes());
    steps::taken()
}

/// Checks that twice as many faults cost about twice as many steps.
fn grows_linearly(request: impl Fn(usize) -> Value) {
    let (few, many) = (steps_of(&request(2_000)), steps_of(&request(4_000)));
    assert!(few >= 2_000, "{few}");
    assert!(many <= 2 * few + 100, "{few}, {many}");
}

fn asking(ids: impl Iterator<Item = usize>) -> Value {
    let calls =
        ids.map(|id| json!({"id": id.to_string(), "function": {"name": "f", "arguments": "{}"}}));
    json!({"role": "assistant", "content": "", "tool_calls": calls.collect::<Vec<_>>()})
}

fn answer(id: usize) -> Value {
    json!({"role": "tool", "tool_call_id": id.to_string(), "content": ""})
}

fn with_messages(messages: Vec<Value>) -> Value {
    json!({"model": "kimi-k2.7", "messages": messages})
}

#[test]
fn the_work_grows_with_the_length_of_the_body() {
    grows_linearly(|n| with_messages(vec![json!({"role": "user", "content": ""}); n]));
    grows_linearly(|n| with_messages(vec![json!({"role": "wizard"}); n]));
    grows_linearly(|n| with_messages(vec![json!(null); n]));
    // Calls without answers, with the same id, and answers to each of them.
    grows_linearly(|n| with_messages(vec![asking(0..n)]));
    grows_linearly(|n| with_messages(vec![asking((0..n).map(|_| 7))]));
    grows_linearly(|n| with_messages((0..n).map(|id| asking(id..=id)).collect()));
    grows_linearly(|n| {
        let answers = (0..n).rev().map(answer);
        with_messages(std::iter::once(asking(0..n)).chain(answers).collect())
    });
    grows_linearly(|n| with_messages((0..n).map(answer).collect()));
    grows_linearly(|n| {
        let part = json!({"type": "text", "text": ""});
        with_messages(vec![json!({"role": "user", "content": vec![part; n]})])
    });
    grows_linearly(|n| {
        let tool = json!({"type": "function", "function": {"name": "f", "parameters": {}}});
        json!({"model": "kimi-k3", "messages": [], "tools": vec![tool; n]})
    });
    grows_linearly(|n| {
        let faults = vec![json!({"enum": ["x"]}); 100];
        let properties = faults.into_iter().enumerate();
        let properties: Value = properties
            .map(|(i, fault)| (i.to_string(), fault))
            .collect();
        let schema = json!({"type": "object", "properties": properties});
        let tool = json!({"type": "function", "function": {"name": "f", "parameters": schema}});
        json!({"model": "kimi-k3", "messages": [], "tools": vec![tool; n / 40]})
    });
}

#[test]
fn the_number_of_findings_is_limited() {
    let many = with_messages(vec![json!({"role": "user", "content": ""}); 5_000]);
    assert_eq!(explain(many.to_string().as_bytes()).len(), MAX_FINDINGS);
    let deep = json!({"model": "kimi-k3", "messages": [], "tools": [{
        "type": "function",
        "function": {"name": "f", "parameters": {
            "type": "object",
            "properties": (0..2_000).map(|i| (i.to_string(), json!({"enum": 1}))).collect::<Value>(),
        }},
    }]});
    assert_eq!(explain(deep.to_string().as_bytes()).len(), MAX_FINDINGS);
}
