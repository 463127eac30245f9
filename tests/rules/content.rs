//! `content`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

#[test]
fn arrays_of_nothing_but_text_become_strings() {
    const FIRST: &[(Rule, &str)] = &[(Rule::Content, "/messages/0/content")];
    changes(&[
        (
            "escapes stay as they are, nothing stands between the texts",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"\u00e9\n"},{"text":"é\/","type":"text"}]}]}"#,
            r#"{"messages":[{"role":"user","content":"\u00e9\né\/"}]}"#,
            FIRST,
        ),
        (
            "whatever else is in the parts goes",
            r#"{"messages":[{"role":"system","content":[ { "cache_control":{"type":"ephemeral"}, "type":"text", "text":"a", "annotations":[]} , {"type":"text","text":""} ] }]}"#,
            r#"{"messages":[{"role":"system","content":"a" }]}"#,
            FIRST,
        ),
        (
            "a refusal is text; keys in escapes, and twice",
            r#"{"messages":[{"role":"assistant","content":[{"typ\u0065":"refus\u0061l","refusal":"x","refusal":"no"},{"type":"image","text":"t","type":"text"}]}]}"#,
            r#"{"messages":[{"role":"assistant","content":"not"}]}"#,
            FIRST,
        ),
        (
            "an empty array",
            r#"{"messages":[{"role":"tool","content":[ ]}]}"#,
            r#"{"messages":[{"role":"tool","content":""}]}"#,
            FIRST,
        ),
        (
            "beside tool calls, an empty array and empty texts",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[],"tool_calls":[{"id":"a"}],"reasoning_content":"r"},{"role":"assistant","content":[{"type":"text","text":""}],"tool_calls":[{"id":"b"}],"reasoning_content":"r"}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":"","tool_calls":[{"id":"a"}],"reasoning_content":"r"},{"role":"assistant","content":"","tool_calls":[{"id":"b"}],"reasoning_content":"r"}]}"#,
            &[
                (Rule::Content, "/messages/0/content"),
                (Rule::Content, "/messages/1/content"),
            ],
        ),
        (
            "in every message",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"tool","content":[{"type":"text","text":"b"}]}]}"#,
            r#"{"messages":[{"role":"user","content":"a"},{"role":"tool","content":"b"}]}"#,
            &[
                (Rule::Content, "/messages/0/content"),
                (Rule::Content, "/messages/1/content"),
            ],
        ),
    ]);
}

#[test]
fn one_part_that_is_no_text_keeps_all_arrays() {
    leaves_alone(&[
        (
            "an image in another message",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}]}"#,
        ),
        (
            "a thought of a model that doesn't think",
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"}]}]}"#,
        ),
        (
            "a text that is none",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":null}]}]}"#,
        ),
        (
            "a part that is a string",
            r#"{"messages":[{"role":"user","content":["a",{"type":"text","text":"a"}]}]}"#,
        ),
        (
            "a part without a type",
            r#"{"messages":[{"role":"user","content":[{"text":"a"}]}]}"#,
        ),
        (
            "contents of other types",
            r#"{"messages":[{"role":"user","content":5},{"role":"user","content":{"type":"text","text":"a"}}]}"#,
        ),
    ]);
}
