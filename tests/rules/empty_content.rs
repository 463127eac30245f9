//! `empty_content`.

use tower_moonshot::Rule;

use super::{changes, changes_with, layer, leaves_alone, leaves_alone_with};

#[test]
fn a_message_that_says_nothing_gets_a_space() {
    const FIRST: &[(Rule, &str)] = &[(Rule::EmptyContent, "/messages/0/content")];
    changes(&[
        (
            "an empty string",
            r#"{"messages":[{"role":"user","content":""}]}"#,
            r#"{"messages":[{"role":"user","content":" "}]}"#,
            FIRST,
        ),
        (
            "an empty array",
            r#"{"messages":[{"role":"user","content":[]}]}"#,
            r#"{"messages":[{"role":"user","content":" "}]}"#,
            FIRST,
        ),
        (
            "empty texts",
            r#"{"messages":[{"role":"assistant","content":[{"type":"text","text":""},{"type":"refusal","refusal":""}]}]}"#,
            r#"{"messages":[{"role":"assistant","content":" "}]}"#,
            FIRST,
        ),
        (
            "null, of an assistant; no calls",
            r#"{"messages":[{"role":"assistant","content":null,"tool_calls":[]}]}"#,
            r#"{"messages":[{"role":"assistant","content":" ","tool_calls":[]}]}"#,
            FIRST,
        ),
        (
            "null, of a user",
            r#"{"messages":[{"role":"user","content":null}]}"#,
            r#"{"messages":[{"role":"user","content":" "}]}"#,
            FIRST,
        ),
        (
            "nothing, of a user",
            r#"{"messages":[{"role":"user"}]}"#,
            r#"{"messages":[{"role":"user","content":" "}]}"#,
            FIRST,
        ),
        (
            "an empty string, of the system",
            r#"{"messages":[{"role":"system","content":""}]}"#,
            r#"{"messages":[{"role":"system","content":" "}]}"#,
            FIRST,
        ),
        (
            "empty texts, of the system",
            r#"{"messages":[{"content":[{"type":"text","text":""}],"role":"system"}]}"#,
            r#"{"messages":[{"content":" ","role":"system"}]}"#,
            FIRST,
        ),
        (
            "null, of the system, with tools that are null",
            r#"{"messages":[{"role":"system","content":null,"tools":null}]}"#,
            r#"{"messages":[{"role":"system","content":" ","tools":null}]}"#,
            FIRST,
        ),
        (
            "a developer, who becomes the system",
            r#"{"messages":[{"role":"developer","content":""}]}"#,
            r#"{"messages":[{"role":"system","content":" "}]}"#,
            &[
                (Rule::Role, "/messages/0/role"),
                (Rule::EmptyContent, "/messages/0/content"),
            ],
        ),
        (
            "null, beside a call of the older kind, which is none",
            r#"{"messages":[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}]}"#,
            r#"{"messages":[{"role":"assistant","content":" ","function_call":{"name":"f","arguments":"{}"}}]}"#,
            FIRST,
        ),
        (
            "nothing, of an assistant, pretty",
            "{\"messages\":[{\n  \"role\": \"assistant\"\n}]}",
            "{\"messages\":[{\n  \"role\": \"assistant\",\"content\":\" \"\n}]}",
            FIRST,
        ),
    ]);
    leaves_alone(&[
        (
            "calls",
            r#"{"messages":[{"role":"assistant","content":"","tool_calls":[{}]},{"role":"assistant","tool_calls":[{}]}]}"#,
        ),
        (
            "calls of a wrong type",
            r#"{"messages":[{"role":"assistant","content":"","tool_calls":{"id":"c"}}]}"#,
        ),
        (
            "a prefill",
            r#"{"messages":[{"role":"assistant","content":"","partial":true}]}"#,
        ),
        (
            "other roles",
            r#"{"messages":[{"role":"tool","content":""},{"role":"function"},{"content":""}]}"#,
        ),
        (
            "a system message that carries tools",
            r#"{"model":"kimi-k3","messages":[{"role":"system","content":"","tools":[{"type":"function","function":{"name":"f"}}]},{"role":"system","tools":[{"type":"function","function":{"name":"g"}}]}]}"#,
        ),
        ("a space", r#"{"messages":[{"role":"user","content":" "}]}"#),
        (
            "other types",
            r#"{"messages":[{"role":"user","content":0},{"role":"assistant","content":{}}]}"#,
        ),
    ]);
}

#[test]
fn empty_texts_go_from_an_array_that_stays() {
    changes(&[
        (
            "first, last and two at once",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":""},{"type":"image_url"},{"type":"text","text":""}, {"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
            &[
                (Rule::EmptyContent, "/messages/0/content/0"),
                (Rule::EmptyContent, "/messages/0/content/2"),
                (Rule::EmptyContent, "/messages/0/content/3"),
            ],
        ),
        (
            "in the middle of lines",
            "{\"messages\":[{\"role\":\"tool\",\"content\":[\n  {\"type\":\"image_url\"},\n  {\"type\":\"text\",\"text\":\"\"},\n  {\"type\":\"text\",\"text\":\"a\"}\n]}]}",
            "{\"messages\":[{\"role\":\"tool\",\"content\":[\n  {\"type\":\"image_url\"},\n  {\"type\":\"text\",\"text\":\"a\"}\n]}]}",
            &[(Rule::EmptyContent, "/messages/0/content/1")],
        ),
        (
            "nothing else in it, of a user and of a tool",
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"user","content":[{"type":"text","text":""}]},{"role":"tool","content":[{"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"user","content":" "},{"role":"tool","content":""}]}"#,
            &[
                (Rule::EmptyContent, "/messages/1/content"),
                (Rule::EmptyContent, "/messages/2/content"),
            ],
        ),
        (
            "beside tool calls: nothing else in it, and nothing at all",
            r#"{"model":"kimi-k2.6","messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"assistant","reasoning_content":"r","content":[],"tool_calls":[{"id":"a"}]},{"role":"assistant","reasoning_content":"r","content":[{"type":"text","text":""}],"tool_calls":[{"id":"b"}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"assistant","reasoning_content":"r","content":"","tool_calls":[{"id":"a"}]},{"role":"assistant","reasoning_content":"r","content":"","tool_calls":[{"id":"b"}]}]}"#,
            &[
                (Rule::EmptyContent, "/messages/1/content"),
                (Rule::EmptyContent, "/messages/2/content"),
            ],
        ),
        (
            "of the system",
            r#"{"messages":[{"role":"system","content":[{"type":"text","text":""}]},{"role":"user","content":[{"type":"image_url"}]}]}"#,
            r#"{"messages":[{"role":"system","content":" "},{"role":"user","content":[{"type":"image_url"}]}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content")],
        ),
    ]);
    leaves_alone_with(
        &layer().without_rule(Rule::Role),
        &[(
            "a developer who stays one is for Moonshot to judge",
            r#"{"messages":[{"role":"developer","content":""}]}"#,
        )],
    );
    changes_with(
        &layer().without_rule(Rule::Content),
        &[(
            "the arrays stay because strings are switched off",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content/1")],
        )],
    );
}
