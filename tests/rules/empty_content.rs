//! The rule `empty_content`.

use tower_moonshot::Rule;

use super::{changes, changes_with, layer, leaves_alone, leaves_alone_with};

const NOT_EMPTY: &str = "an empty message is refused";
const NO_EMPTY_PART: &str = "an empty text part is refused";
const NO_EMPTY_ARRAY: &str = "an empty content array is refused";

#[test]
fn a_message_without_content_gets_a_space() {
    changes(&[
        (
            "an empty string",
            r#"{"messages":[{"role":"user","content":""}]}"#,
            r#"{"messages":[{"role":"user","content":" "}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
        (
            "an empty array",
            r#"{"messages":[{"role":"user","content":[]}]}"#,
            r#"{"messages":[{"role":"user","content":" "}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
        (
            "empty texts",
            r#"{"messages":[{"role":"assistant","content":[{"type":"text","text":""},{"type":"refusal","refusal":""}]}]}"#,
            r#"{"messages":[{"role":"assistant","content":" "}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
        (
            "null, of an assistant, with an empty list of calls",
            r#"{"messages":[{"role":"assistant","content":null,"tool_calls":[]}]}"#,
            r#"{"messages":[{"role":"assistant","content":" ","tool_calls":[]}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
        (
            "null, of a user",
            r#"{"messages":[{"role":"user","content":null}]}"#,
            r#"{"messages":[{"role":"user","content":" "}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
        (
            "absent, of a user",
            r#"{"messages":[{"role":"user"}]}"#,
            r#"{"messages":[{"role":"user","content":" "}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
        (
            "an empty string, of the system",
            r#"{"messages":[{"role":"system","content":""}]}"#,
            r#"{"messages":[{"role":"system","content":" "}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
        (
            "empty texts, of the system",
            r#"{"messages":[{"content":[{"type":"text","text":""}],"role":"system"}]}"#,
            r#"{"messages":[{"content":" ","role":"system"}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
        (
            "null, of the system, with tools that are null",
            r#"{"messages":[{"role":"system","content":null,"tools":null}]}"#,
            r#"{"messages":[{"role":"system","content":" ","tools":null}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
        (
            "a developer message, which becomes a system message",
            r#"{"messages":[{"role":"developer","content":""}]}"#,
            r#"{"messages":[{"role":"system","content":" "}]}"#,
            &[
                (
                    Rule::Role,
                    "/messages/0/role",
                    "Moonshot calls this role system",
                ),
                (Rule::EmptyContent, "/messages/0/content", NOT_EMPTY),
            ],
        ),
        (
            "null, beside the deprecated function_call",
            r#"{"messages":[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}]}"#,
            r#"{"messages":[{"role":"assistant","content":" ","function_call":{"name":"f","arguments":"{}"}}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
        (
            "absent, of an assistant, indented",
            "{\"messages\":[{\n  \"role\": \"assistant\"\n}]}",
            "{\"messages\":[{\n  \"role\": \"assistant\",\"content\":\" \"\n}]}",
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
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
fn empty_texts_are_removed_from_an_array_that_stays() {
    changes(&[
        (
            "first, last and two at once",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":""},{"type":"image_url"},{"type":"text","text":""}, {"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
            &[
                (Rule::EmptyContent, "/messages/0/content/0", NO_EMPTY_PART),
                (Rule::EmptyContent, "/messages/0/content/2", NO_EMPTY_PART),
                (Rule::EmptyContent, "/messages/0/content/3", NO_EMPTY_PART),
            ],
        ),
        (
            "in the middle, one part a line",
            "{\"messages\":[{\"role\":\"tool\",\"content\":[\n  {\"type\":\"image_url\"},\n  {\"type\":\"text\",\"text\":\"\"},\n  {\"type\":\"text\",\"text\":\"a\"}\n]}]}",
            "{\"messages\":[{\"role\":\"tool\",\"content\":[\n  {\"type\":\"image_url\"},\n  {\"type\":\"text\",\"text\":\"a\"}\n]}]}",
            &[(Rule::EmptyContent, "/messages/0/content/1", NO_EMPTY_PART)],
        ),
        (
            "only empty texts, of a user and of a tool",
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"user","content":[{"type":"text","text":""}]},{"role":"tool","content":[{"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"user","content":" "},{"role":"tool","content":""}]}"#,
            &[
                (Rule::EmptyContent, "/messages/1/content", NOT_EMPTY),
                (Rule::EmptyContent, "/messages/2/content", NO_EMPTY_ARRAY),
            ],
        ),
        (
            "an empty array and only empty texts, beside tool calls",
            r#"{"model":"kimi-k2.6","messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"assistant","reasoning_content":"r","content":[],"tool_calls":[{"id":"a"}]},{"role":"assistant","reasoning_content":"r","content":[{"type":"text","text":""}],"tool_calls":[{"id":"b"}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"assistant","reasoning_content":"r","content":"","tool_calls":[{"id":"a"}]},{"role":"assistant","reasoning_content":"r","content":"","tool_calls":[{"id":"b"}]}]}"#,
            &[
                (Rule::EmptyContent, "/messages/1/content", NO_EMPTY_ARRAY),
                (Rule::EmptyContent, "/messages/2/content", NO_EMPTY_ARRAY),
            ],
        ),
        (
            "of the system",
            r#"{"messages":[{"role":"system","content":[{"type":"text","text":""}]},{"role":"user","content":[{"type":"image_url"}]}]}"#,
            r#"{"messages":[{"role":"system","content":" "},{"role":"user","content":[{"type":"image_url"}]}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content", NOT_EMPTY)],
        ),
    ]);
    leaves_alone_with(
        &layer().without_rule(Rule::Role),
        &[(
            "a developer message that stays one is left to Moonshot",
            r#"{"messages":[{"role":"developer","content":""}]}"#,
        )],
    );
    changes_with(
        &layer().without_rule(Rule::Content),
        &[(
            "arrays stay because the rule content is disabled",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content/1", NO_EMPTY_PART)],
        )],
    );
}
