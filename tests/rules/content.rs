//! The rule `content`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

const TEXT_ONLY: &str = "content that is only text is sent as one string";

#[test]
fn arrays_that_hold_only_text_become_strings() {
    changes(&[
        (
            "escapes are unchanged, and nothing is inserted between the texts",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"\u00e9\n"},{"text":"é\/","type":"text"}]}]}"#,
            r#"{"messages":[{"role":"user","content":"\u00e9\né\/"}]}"#,
            &[(Rule::Content, "/messages/0/content", TEXT_ONLY)],
        ),
        (
            "other members of the parts are removed",
            r#"{"messages":[{"role":"system","content":[ { "cache_control":{"type":"ephemeral"}, "type":"text", "text":"a", "annotations":[]} , {"type":"text","text":""} ] }]}"#,
            r#"{"messages":[{"role":"system","content":"a" }]}"#,
            &[(Rule::Content, "/messages/0/content", TEXT_ONLY)],
        ),
        (
            "a refusal is text; escaped and repeated keys",
            r#"{"messages":[{"role":"assistant","content":[{"typ\u0065":"refus\u0061l","refusal":"x","refusal":"no"},{"type":"image","text":"t","type":"text"}]}]}"#,
            r#"{"messages":[{"role":"assistant","content":"not"}]}"#,
            &[(Rule::Content, "/messages/0/content", TEXT_ONLY)],
        ),
        (
            "an empty array",
            r#"{"messages":[{"role":"tool","content":[ ]}]}"#,
            r#"{"messages":[{"role":"tool","content":""}]}"#,
            &[(Rule::Content, "/messages/0/content", TEXT_ONLY)],
        ),
        (
            "beside tool calls, an empty array and empty texts",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[],"tool_calls":[{"id":"a"}],"reasoning_content":"r"},{"role":"assistant","content":[{"type":"text","text":""}],"tool_calls":[{"id":"b"}],"reasoning_content":"r"}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":"","tool_calls":[{"id":"a"}],"reasoning_content":"r"},{"role":"assistant","content":"","tool_calls":[{"id":"b"}],"reasoning_content":"r"}]}"#,
            &[
                (Rule::Content, "/messages/0/content", TEXT_ONLY),
                (Rule::Content, "/messages/1/content", TEXT_ONLY),
            ],
        ),
        (
            "in every message",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"tool","content":[{"type":"text","text":"b"}]}]}"#,
            r#"{"messages":[{"role":"user","content":"a"},{"role":"tool","content":"b"}]}"#,
            &[
                (Rule::Content, "/messages/0/content", TEXT_ONLY),
                (Rule::Content, "/messages/1/content", TEXT_ONLY),
            ],
        ),
    ]);
}

#[test]
fn all_arrays_stay_if_one_part_is_not_text() {
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
            "a text that is null",
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
