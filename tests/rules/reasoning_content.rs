//! `reasoning_content`.

use tower_moonshot::Rule;

use super::{changes, layer, leaves_alone, rewrite};

#[test]
fn a_call_of_a_model_that_thinks_has_its_reasoning() {
    const REASONING: &[(Rule, &str)] = &[(Rule::ReasoningContent, "/messages/0/reasoning_content")];
    changes(&[
        (
            "there is none",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_content":" "}]}"#,
            REASONING,
        ),
        (
            "it is null",
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","reasoning_content":null,"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","reasoning_content":" ","tool_calls":[{"id":"a"}]}]}"#,
            REASONING,
        ),
        (
            "it is empty",
            r#"{"model":"kimi-k2-thinking","messages":[{"role":"assistant","reasoning_content":"","tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2-thinking","messages":[{"role":"assistant","reasoning_content":" ","tool_calls":[{"id":"a"}]}]}"#,
            REASONING,
        ),
        (
            "it has another name",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning" : "w\u0065ll","tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_content" : "w\u0065ll","tool_calls":[{"id":"a"}]}]}"#,
            REASONING,
        ),
        (
            "it has another name, beside nothing under its own",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning":"well","reasoning_content":"","tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_content":"well","tool_calls":[{"id":"a"}]}]}"#,
            REASONING,
        ),
        (
            "it is among the provider's fields, alone",
            r#"{"model":"kimi-k2.5","messages":[{"role":"assistant","provider_specific_fields":{"reasoning_content":"well"},"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.5","messages":[{"role":"assistant","provider_specific_fields":{},"tool_calls":[{"id":"a"}],"reasoning_content":"well"}]}"#,
            REASONING,
        ),
        (
            "it is last among the provider's fields, and null where it should be",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":null,"tool_calls":[{"id":"a"}],"provider_specific_fields":{"a":1, "reasoning_content":"w\/ll"}}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":"w\/ll","tool_calls":[{"id":"a"}],"provider_specific_fields":{"a":1}}]}"#,
            REASONING,
        ),
        (
            "its other names say nothing",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning":"","provider_specific_fields":{"reasoning_content":null},"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning":"","provider_specific_fields":{"reasoning_content":null},"tool_calls":[{"id":"a"}],"reasoning_content":" "}]}"#,
            REASONING,
        ),
        (
            "all is kept, so every answer needs it",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":"a"},{"role":"user","content":"b"}],"thinking":{"keep":"all"}}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":"a","reasoning_content":" "},{"role":"user","content":"b"}],"thinking":{"keep":"all"}}"#,
            REASONING,
        ),
        (
            "K2.7 always keeps all",
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","content":"a"},{"role":"user","content":"b"}]}"#,
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","content":"a","reasoning_content":" "},{"role":"user","content":"b"}]}"#,
            REASONING,
        ),
    ]);
    leaves_alone(&[
        (
            "it is there",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":"x","reasoning":"y","tool_calls":[{"id":"a"}]}]}"#,
        ),
        (
            "no calls",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":"x"},{"role":"assistant","content":"x","tool_calls":[]}]}"#,
        ),
        (
            "no calls, on K2.5, which keeps nothing but what the last turn needs",
            r#"{"model":"kimi-k2.5","messages":[{"role":"assistant","content":"x"}]}"#,
        ),
        (
            "calls of a user",
            r#"{"model":"kimi-k3","messages":[{"role":"user","tool_calls":[{"id":"a"}]}]}"#,
        ),
        (
            "another type",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":[],"tool_calls":[{"id":"a"}]}]}"#,
        ),
        (
            "thinking is disabled",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning":"x","tool_calls":[{"id":"a"}]}],"thinking":{"type":"disabled"}}"#,
        ),
        (
            "the model does not think",
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}]}"#,
        ),
    ]);
}

#[test]
fn reasoning_is_found_in_the_details_of_another_router() {
    const REASONING: &[(Rule, &str)] = &[(Rule::ReasoningContent, "/messages/0/reasoning_content")];
    const DETAILS: &[(Rule, &str)] = &[
        (Rule::ReasoningContent, "/messages/0/reasoning_details"),
        (Rule::ReasoningContent, "/messages/0/reasoning_content"),
    ];
    changes(&[
        (
            "one text",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_details" : [{"type":"reasoning.text","text":"bec\u0061use"}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_content" : "bec\u0061use","tool_calls":[{"id":"a"}]}]}"#,
            DETAILS,
        ),
        (
            "several, what is encrypted, and null where it should be",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":null,"tool_calls":[{"id":"a"}],"reasoning_details":[{"text":"a\"","index":0}, {"data":"x"},{"text":""},{"text":"b"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_content":"a\"b"}]}"#,
            DETAILS,
        ),
        (
            "they say nothing",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_details":[{"data":"x"},{"text":""},{"text":null},"x"]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_details":[{"data":"x"},{"text":""},{"text":null},"x"],"reasoning_content":" "}]}"#,
            REASONING,
        ),
        (
            "reasoning comes first",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_details":[{"text":"a"}],"reasoning":"a"}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_details":[{"text":"a"}],"reasoning_content":"a"}]}"#,
            REASONING,
        ),
    ]);
}

#[test]
fn reasoning_is_found_in_the_content_and_leaves_it() {
    const MOVED: (Rule, &str) = (Rule::ReasoningContent, "/messages/0/reasoning_content");
    changes(&[
        (
            "a thought before a text, which becomes a string",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"h\u006dm","signature":"s"}, {"type":"text","text":"a"}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":"a","tool_calls":[{"id":"a"}],"reasoning_content":"h\u006dm"}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/content/0"),
                MOVED,
                (Rule::Content, "/messages/0/content"),
            ],
        ),
        (
            "several, of both types, and nothing else; null where it should be",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":null,"content":[{"type":"reasoning","text":"a"},{"type":"reasoning","reasoning":""},{"thinking":"b","type":"thinking"}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":"ab","content":"","tool_calls":[{"id":"a"}]}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/content/0"),
                (Rule::ReasoningContent, "/messages/0/content/1"),
                (Rule::ReasoningContent, "/messages/0/content/2"),
                MOVED,
                (Rule::Content, "/messages/0/content"),
            ],
        ),
        (
            "where arrays stay: between others, and alone",
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"thinking","thinking":"hm"},{"type":"image_url"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"oh"}],"tool_calls":[{"id":"a"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"ah"}]}]}"#,
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"image_url"}],"reasoning_content":"hm"},{"role":"assistant","content":"","tool_calls":[{"id":"a"}],"reasoning_content":"oh"},{"role":"assistant","content":" ","reasoning_content":"ah"}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/content/1"),
                MOVED,
                (Rule::ReasoningContent, "/messages/1/content/0"),
                (Rule::ReasoningContent, "/messages/1/reasoning_content"),
                (Rule::ReasoningContent, "/messages/2/content/0"),
                (Rule::ReasoningContent, "/messages/2/reasoning_content"),
                (Rule::EmptyContent, "/messages/1/content"),
                (Rule::EmptyContent, "/messages/2/content"),
            ],
        ),
        (
            "in a text part that becomes part of a string; the first that says something",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"reasoning_content":"","type":"text","text":"a"},{"type":"text","text":"b","reasoning_content":"xy"}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":"ab","tool_calls":[{"id":"a"}],"reasoning_content":"xy"}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/content/1"),
                MOVED,
                (Rule::Content, "/messages/0/content"),
            ],
        ),
        (
            "in a text part that stays",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"type":"text","text":"a","reasoning_content":"x"},{"type":"image_url"}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"image_url"}],"tool_calls":[{"id":"a"}],"reasoning_content":"x"}]}"#,
            &[(Rule::ReasoningContent, "/messages/0/content/0"), MOVED],
        ),
        (
            "thoughts that say nothing stay, and so do arrays",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":""},{"type":"text","text":"a","reasoning_content":""}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":""},{"type":"text","text":"a","reasoning_content":""}],"tool_calls":[{"id":"a"}],"reasoning_content":" "}]}"#,
            &[MOVED],
        ),
    ]);
    leaves_alone(&[
        (
            "an answer that needs none",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"}]}]}"#,
        ),
        (
            "an answer that has its own",
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","reasoning_content":"r","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"}]}]}"#,
        ),
    ]);
}

#[test]
fn thoughts_that_are_nowhere_found_are_counted() {
    for (lost, body) in [
        (
            2,
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","content":"a"},{"role":"assistant","content":"b","reasoning":"r"},{"role":"assistant","content":"c","reasoning_content":""}]}"#,
        ),
        (
            0,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":"","reasoning":"r","tool_calls":[{"id":"a"}]}]}"#,
        ),
        (
            0,
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"assistant","content":"","tool_calls":[{"id":"a"}]}]}"#,
        ),
    ] {
        let (_, report) = rewrite(&layer(), body);
        assert_eq!(report.lost_thoughts(), lost, "{body}");
    }
}
