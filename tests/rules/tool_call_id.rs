//! The rule `tool_call_id`.

use bytes::Bytes;
use serde_json::{Value, json};
use tower_moonshot::Rule;

use super::{changes, layer, leaves_alone};

const NEEDS_ID: &str = "a tool call needs an id";
const ANSWERED: &str = "the tool call that this answers has a new id";
const REPEATED: &str = "an earlier tool call has this id";

#[test]
fn an_id_that_is_present_and_unique_keeps_its_bytes() {
    leaves_alone(&[
        (
            "Kimi's own",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.read:0","function":{"name":"read"}},{"id":"search:12"}]},{"role":"tool","tool_call_id":"functions.read:0","content":"x"},{"role":"tool","tool_call_id":"search:12","content":"x"}]}"#,
        ),
        (
            "of any characters, escaped or not",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a b"},{"id":"a\u002fb"},{"id":"月"},{"id":" "}]},{"role":"tool","tool_call_id":"a\/b","content":"x"}]}"#,
        ),
        (
            "of any length",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},{"id":"a"}]}]}"#,
        ),
        (
            "of another type",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":7,"function":{"name":"f"}},{"id":7,"function":{"name":"f"}},{"id":{}}]},{"role":"tool","tool_call_id":7}]}"#,
        ),
        (
            "half of a surrogate pair, which is not valid Unicode",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"\ud800"},{"id":"\ud801"}]},{"role":"tool","tool_call_id":"\ud800"}]}"#,
        ),
        (
            "the last of several keys wins",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"","id":"a"},{"id":"a","id":"b"}]}]}"#,
        ),
    ]);
}

#[test]
fn elements_that_are_no_calls_and_answers_without_a_call_are_unchanged() {
    leaves_alone(&[
        (
            "neither id nor function",
            r#"{"messages":[{"role":"assistant","tool_calls":[{},{"type":"function"},{"function":{}},"f",null]},{"role":"tool","content":"x"}]}"#,
        ),
        (
            "calls that are no array",
            r#"{"messages":[{"role":"assistant","tool_calls":{"id":""}},{"role":"assistant","tool_calls":null,"content":"x"}]}"#,
        ),
        (
            "calls of other roles",
            r#"{"messages":[{"role":"user","tool_calls":[{"id":""}]},{"tool_calls":[{"id":"a"},{"id":"a"}]}]}"#,
        ),
        (
            "answers without a call",
            r#"{"messages":[{"role":"tool","content":"r"},{"role":"tool","tool_call_id":"","content":"r"},{"role":"tool","tool_call_id":"x","content":"r"}]}"#,
        ),
    ]);
    changes(&[(
        "answers before the call, to another id, in excess and of another role",
        r#"{"messages":[{"role":"tool","tool_call_id":"","content":"1"},{"role":"assistant","tool_calls":[{"id":"","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"x","content":"2"},{"role":"user","tool_call_id":"","content":"3"},{"role":"tool","tool_call_id":"","content":"4"},{"role":"tool","tool_call_id":"","content":"5"}]}"#,
        r#"{"messages":[{"role":"tool","tool_call_id":"","content":"1"},{"role":"assistant","tool_calls":[{"id":"functions.f:0","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"x","content":"2"},{"role":"user","tool_call_id":"","content":"3"},{"role":"tool","tool_call_id":"functions.f:0","content":"4"},{"role":"tool","tool_call_id":"","content":"5"}]}"#,
        &[
            (Rule::ToolCallId, "/messages/1/tool_calls/0/id", NEEDS_ID),
            (Rule::ToolCallId, "/messages/4/tool_call_id", ANSWERED),
        ],
    )]);
}

#[test]
fn a_call_without_an_id_and_its_answer_get_a_fresh_one() {
    changes(&[
        (
            "empty, null and absent ids count as the same, in calls and answers",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"","function":{"name":"f"}},{"id":null,"function":{"name":"g"}},{"type":"function","function":{"arguments":"{}","name":"f"} }]},{"role":"tool","tool_call_id":null,"content":"1"},{"role":"tool","content":"2"},{"tool_call_id":"","role":"tool","content":"3"}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.f:0","function":{"name":"f"}},{"id":"functions.g:0","function":{"name":"g"}},{"type":"function","function":{"arguments":"{}","name":"f"},"id":"functions.f:1" }]},{"role":"tool","tool_call_id":"functions.f:0","content":"1"},{"role":"tool","content":"2","tool_call_id":"functions.g:0"},{"tool_call_id":"functions.f:1","role":"tool","content":"3"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/0/tool_calls/1/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/0/tool_calls/2/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/1/tool_call_id", ANSWERED),
                (Rule::ToolCallId, "/messages/2/tool_call_id", ANSWERED),
                (Rule::ToolCallId, "/messages/3/tool_call_id", ANSWERED),
            ],
        ),
        (
            "an index that is used in this or an earlier message is skipped, one that is used later is not",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.f:0"}]},{"role":"assistant","tool_calls":[{"id":"","function":{"name":"f"}},{"id":"functions.f:1"}]},{"role":"tool","tool_call_id":"","content":"1"},{"role":"assistant","tool_calls":[{"id":"functions.f:2","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"functions.f:2","content":"2"}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.f:0"}]},{"role":"assistant","tool_calls":[{"id":"functions.f:2","function":{"name":"f"}},{"id":"functions.f:1"}]},{"role":"tool","tool_call_id":"functions.f:2","content":"1"},{"role":"assistant","tool_calls":[{"id":"functions.f:3","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"functions.f:3","content":"2"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/1/tool_calls/0/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/2/tool_call_id", ANSWERED),
                (Rule::ToolCallId, "/messages/3/tool_calls/0/id", REPEATED),
                (Rule::ToolCallId, "/messages/4/tool_call_id", ANSWERED),
            ],
        ),
        (
            "a call without a function name",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":""},{"id":null,"function":{"name":7}},{"id":"","function":"f"},{"id":"","function":{"name":"\ud800"}}]}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.call:0"},{"id":"functions.call:1","function":{"name":7}},{"id":"functions.call:2","function":"f"},{"id":"functions.call:3","function":{"name":"\ud800"}}]}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/0/tool_calls/1/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/0/tool_calls/2/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/0/tool_calls/3/id", NEEDS_ID),
            ],
        ),
        (
            "a name keeps its escapes, and is compared without them",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"","function":{"name":"\"\u66f8\\"}},{"id":"","function":{"name":"\"書\\"}},{"id":"functions.\u0022書\\:1"},{"id":"","function":{"name":"f","name":"g"}}]},{"role":"tool","tool_call_id":""}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.\"\u66f8\\:0","function":{"name":"\"\u66f8\\"}},{"id":"functions.\"書\\:2","function":{"name":"\"書\\"}},{"id":"functions.\u0022書\\:1"},{"id":"functions.g:0","function":{"name":"f","name":"g"}}]},{"role":"tool","tool_call_id":"functions.\"\u66f8\\:0"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/0/tool_calls/1/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/0/tool_calls/3/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/1/tool_call_id", ANSWERED),
            ],
        ),
        (
            "a repeated key",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a","id":""}]},{"role":"tool","tool_call_id":"b","tool_call_id":""}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.call:0"}]},{"role":"tool","tool_call_id":"functions.call:0"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/1/tool_call_id", ANSWERED),
            ],
        ),
    ]);
}

#[test]
fn the_first_call_keeps_an_id_and_later_ones_get_fresh_ones() {
    changes(&[
        (
            "twice in a turn, answered in order",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"}},{"id":"c","function":{"name":"g"}}]},{"role":"tool","tool_call_id":"c","content":"1"},{"role":"tool","tool_call_id":"c","content":"2"}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"}},{"id":"functions.g:0","function":{"name":"g"}}]},{"role":"tool","tool_call_id":"c","content":"1"},{"role":"tool","tool_call_id":"functions.g:0","content":"2"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/1/id", REPEATED),
                (Rule::ToolCallId, "/messages/2/tool_call_id", ANSWERED),
            ],
        ),
        (
            "in two turns, in other spellings",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"exec:0","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"exec:0","content":"1"},{"role":"assistant","tool_calls":[{"id":"exec:1"},{"id":"exec\u003a0","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"exec:1","content":"2"},{"role":"tool","tool_call_id":"\u0065xec:0","content":"3"}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"exec:0","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"exec:0","content":"1"},{"role":"assistant","tool_calls":[{"id":"exec:1"},{"id":"functions.f:0","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"exec:1","content":"2"},{"role":"tool","tool_call_id":"functions.f:0","content":"3"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/2/tool_calls/1/id", REPEATED),
                (Rule::ToolCallId, "/messages/4/tool_call_id", ANSWERED),
            ],
        ),
        (
            "a native id that is repeated keeps its form",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.f:0","function":{"name":"f"}},{"id":"functions.f:0","function":{"name":"f"}},{"id":"functions.f:1","function":{"name":"f"}}]}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.f:0","function":{"name":"f"}},{"id":"functions.f:2","function":{"name":"f"}},{"id":"functions.f:1","function":{"name":"f"}}]}]}"#,
            &[(Rule::ToolCallId, "/messages/0/tool_calls/1/id", REPEATED)],
        ),
        (
            "answers in excess of the latest turn belong to the turn before",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"}}]},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"g"}}]},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"h"}}]},{"role":"tool","tool_call_id":"c"},{"role":"tool","tool_call_id":"c"},{"role":"tool","tool_call_id":"c"},{"role":"tool","tool_call_id":"c"}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"}}]},{"role":"assistant","tool_calls":[{"id":"functions.g:0","function":{"name":"g"}}]},{"role":"assistant","tool_calls":[{"id":"functions.h:0","function":{"name":"h"}}]},{"role":"tool","tool_call_id":"functions.h:0"},{"role":"tool","tool_call_id":"functions.g:0"},{"role":"tool","tool_call_id":"c"},{"role":"tool","tool_call_id":"c"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/1/tool_calls/0/id", REPEATED),
                (Rule::ToolCallId, "/messages/2/tool_calls/0/id", REPEATED),
                (Rule::ToolCallId, "/messages/3/tool_call_id", ANSWERED),
                (Rule::ToolCallId, "/messages/4/tool_call_id", ANSWERED),
            ],
        ),
        (
            "a later call that already has a fresh id counts as repeated",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"","function":{"name":"f"}}]},{"role":"tool","tool_call_id":""},{"role":"assistant","tool_calls":[{"id":"functions.f:0","function":{"name":"f"}},{"id":"functions.f:01"}]},{"role":"tool","tool_call_id":"functions.f:0"}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.f:0","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"functions.f:0"},{"role":"assistant","tool_calls":[{"id":"functions.f:1","function":{"name":"f"}},{"id":"functions.f:01"}]},{"role":"tool","tool_call_id":"functions.f:1"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id", NEEDS_ID),
                (Rule::ToolCallId, "/messages/1/tool_call_id", ANSWERED),
                (Rule::ToolCallId, "/messages/2/tool_calls/0/id", REPEATED),
                (Rule::ToolCallId, "/messages/3/tool_call_id", ANSWERED),
            ],
        ),
    ]);
}

/// A random conversation with repeated, missing and native ids, and with answers of every
/// kind.
fn conversation(seed: u64, length: usize) -> Vec<Value> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    let ids = json!([
        null,
        "",
        "a",
        "b",
        "functions.f:0",
        "functions.f:1",
        "functions.g:0",
        "functions.call:0",
        5
    ]);
    let mut messages = Vec::new();
    for _ in 0..length {
        let mut message = json!({"role": "tool", "content": "x"});
        if below(2) == 0 {
            let calls = (0..1 + below(3)).map(|_| {
                let mut call = json!({"function": {"name": (["f", "g"][below(2)])}});
                if below(4) > 0 {
                    call["id"] = ids[below(9)].clone();
                }
                if below(6) == 0 {
                    call["function"] = Value::Null;
                }
                call
            });
            message = json!({"role": "assistant", "tool_calls": calls.collect::<Vec<_>>()});
        } else if below(4) > 0 {
            message["tool_call_id"] = ids[below(9)].clone();
        }
        messages.push(message);
    }
    messages
}

fn sent(messages: &[Value]) -> Value {
    let body = json!({"model": "moonshot-v1-8k", "messages": messages}).to_string();
    let (rope, _) = layer().rewrite(Bytes::from(body));
    let mut sent: Value = serde_json::from_slice(&rope.into_bytes()).unwrap();
    sent["messages"].take()
}

#[test]
fn all_ids_are_unique_afterwards_and_the_start_of_a_conversation_is_rewritten_as_before() {
    for seed in 1..400 {
        let messages = conversation(seed, 12);
        let whole = sent(&messages);
        let whole = whole.as_array().unwrap();
        let calls = whole
            .iter()
            .filter_map(|message| message["tool_calls"].as_array());
        let ids: Vec<&str> = calls
            .flatten()
            .filter_map(|call| call["id"].as_str())
            .collect();
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{seed}: {ids:?}");
        assert!(!distinct.contains(&""), "{seed}: {ids:?}");
        for length in 0..messages.len() {
            let start = sent(&messages[..length]);
            assert_eq!(
                start.as_array().unwrap(),
                &whole[..length],
                "{seed}, {length}"
            );
        }
        assert_eq!(sent(whole), Value::from(whole.clone()), "{seed}");
    }
}
