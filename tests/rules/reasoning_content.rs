//! The rule `reasoning_content`.

use tower_moonshot::Rule;

use super::{Changed, changes, layer, leaves_alone, rewrite};

const FIRST: &str = "/messages/0/reasoning_content";
const LOST: &str = "reasoning_content is required and no reasoning was found";
const MOVED: &str = "reasoning belongs in reasoning_content";
const NOT_CONTENT: &str = "reasoning is not part of the content";
const TEXT_ONLY: &str = "content that is only text is sent as one string";

#[test]
fn a_message_with_calls_gets_its_reasoning_if_the_model_thinks() {
    changes(&[
        (
            "absent",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_content":" "}]}"#,
            &[(Rule::ReasoningContent, FIRST, LOST)],
        ),
        (
            "null",
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","reasoning_content":null,"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","reasoning_content":" ","tool_calls":[{"id":"a"}]}]}"#,
            &[(Rule::ReasoningContent, FIRST, LOST)],
        ),
        (
            "empty",
            r#"{"model":"kimi-k2-thinking","messages":[{"role":"assistant","reasoning_content":"","tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2-thinking","messages":[{"role":"assistant","reasoning_content":" ","tool_calls":[{"id":"a"}]}]}"#,
            &[(Rule::ReasoningContent, FIRST, LOST)],
        ),
        (
            "in reasoning",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning" : "w\u0065ll","tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_content" : "w\u0065ll","tool_calls":[{"id":"a"}]}]}"#,
            &[(Rule::ReasoningContent, FIRST, MOVED)],
        ),
        (
            "in reasoning, beside an empty reasoning_content",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning":"well","reasoning_content":"","tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_content":"well","tool_calls":[{"id":"a"}]}]}"#,
            &[(Rule::ReasoningContent, FIRST, MOVED)],
        ),
        (
            "the only member of provider_specific_fields",
            r#"{"model":"kimi-k2.5","messages":[{"role":"assistant","provider_specific_fields":{"reasoning_content":"well"},"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.5","messages":[{"role":"assistant","provider_specific_fields":{},"tool_calls":[{"id":"a"}],"reasoning_content":"well"}]}"#,
            &[(Rule::ReasoningContent, FIRST, MOVED)],
        ),
        (
            "the last member of provider_specific_fields, beside a null reasoning_content",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":null,"tool_calls":[{"id":"a"}],"provider_specific_fields":{"a":1, "reasoning_content":"w\/ll"}}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":"w\/ll","tool_calls":[{"id":"a"}],"provider_specific_fields":{"a":1}}]}"#,
            &[(Rule::ReasoningContent, FIRST, MOVED)],
        ),
        (
            "empty in all other places",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning":"","provider_specific_fields":{"reasoning_content":null},"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning":"","provider_specific_fields":{"reasoning_content":null},"tool_calls":[{"id":"a"}],"reasoning_content":" "}]}"#,
            &[(Rule::ReasoningContent, FIRST, LOST)],
        ),
        (
            "with keep: all, every answer needs it",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":"a"},{"role":"user","content":"b"}],"thinking":{"keep":"all"}}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":"a","reasoning_content":" "},{"role":"user","content":"b"}],"thinking":{"keep":"all"}}"#,
            &[(Rule::ReasoningContent, FIRST, LOST)],
        ),
        (
            "on K2.7, every answer needs it",
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","content":"a"},{"role":"user","content":"b"}]}"#,
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","content":"a","reasoning_content":" "},{"role":"user","content":"b"}]}"#,
            &[(Rule::ReasoningContent, FIRST, LOST)],
        ),
    ]);
    leaves_alone(&[
        (
            "present",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":"x","reasoning":"y","tool_calls":[{"id":"a"}]}]}"#,
        ),
        (
            "no calls",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":"x"},{"role":"assistant","content":"x","tool_calls":[]}]}"#,
        ),
        (
            "no calls, on K2.5, whose keep is removed",
            r#"{"model":"kimi-k2.5","messages":[{"role":"assistant","content":"x"}]}"#,
        ),
        (
            "calls of a user",
            r#"{"model":"kimi-k3","messages":[{"role":"user","tool_calls":[{"id":"a"}]}]}"#,
        ),
        (
            "of another type",
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
fn reasoning_is_moved_from_reasoning_details() {
    const DETAILS: &[Changed] = &[
        (
            Rule::ReasoningContent,
            "/messages/0/reasoning_details",
            MOVED,
        ),
        (Rule::ReasoningContent, FIRST, MOVED),
    ];
    changes(&[
        (
            "one text",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_details" : [{"type":"reasoning.text","text":"bec\u0061use"}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_content" : "bec\u0061use","tool_calls":[{"id":"a"}]}]}"#,
            DETAILS,
        ),
        (
            "several texts and an encrypted one, beside a null reasoning_content",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":null,"tool_calls":[{"id":"a"}],"reasoning_details":[{"text":"a\"","index":0}, {"data":"x"},{"text":""},{"text":"b"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_content":"a\"b"}]}"#,
            DETAILS,
        ),
        (
            "no text",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_details":[{"data":"x"},{"text":""},{"text":null},"x"]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_details":[{"data":"x"},{"text":""},{"text":null},"x"],"reasoning_content":" "}]}"#,
            &[(Rule::ReasoningContent, FIRST, LOST)],
        ),
        (
            "reasoning is preferred",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_details":[{"text":"a"}],"reasoning":"a"}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}],"reasoning_details":[{"text":"a"}],"reasoning_content":"a"}]}"#,
            &[(Rule::ReasoningContent, FIRST, MOVED)],
        ),
    ]);
}

#[test]
fn reasoning_is_moved_out_of_the_content() {
    changes(&[
        (
            "a thought before a text; the rest becomes a string",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"h\u006dm","signature":"s"}, {"type":"text","text":"a"}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":"a","tool_calls":[{"id":"a"}],"reasoning_content":"h\u006dm"}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/content/0", NOT_CONTENT),
                (Rule::ReasoningContent, FIRST, MOVED),
                (Rule::Content, "/messages/0/content", TEXT_ONLY),
            ],
        ),
        (
            "several, of both types, without a text; a null reasoning_content",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":null,"content":[{"type":"reasoning","text":"a"},{"type":"reasoning","reasoning":""},{"thinking":"b","type":"thinking"}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":"ab","content":"","tool_calls":[{"id":"a"}]}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/content/0", NOT_CONTENT),
                (Rule::ReasoningContent, "/messages/0/content/1", NOT_CONTENT),
                (Rule::ReasoningContent, "/messages/0/content/2", NOT_CONTENT),
                (Rule::ReasoningContent, FIRST, MOVED),
                (Rule::Content, "/messages/0/content", TEXT_ONLY),
            ],
        ),
        (
            "in arrays that stay: between other parts, and alone",
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"thinking","thinking":"hm"},{"type":"image_url"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"oh"}],"tool_calls":[{"id":"a"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"ah"}]}]}"#,
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"image_url"}],"reasoning_content":"hm"},{"role":"assistant","content":"","tool_calls":[{"id":"a"}],"reasoning_content":"oh"},{"role":"assistant","content":" ","reasoning_content":"ah"}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/content/1", NOT_CONTENT),
                (Rule::ReasoningContent, FIRST, MOVED),
                (Rule::ReasoningContent, "/messages/1/content/0", NOT_CONTENT),
                (
                    Rule::ReasoningContent,
                    "/messages/1/reasoning_content",
                    MOVED,
                ),
                (Rule::ReasoningContent, "/messages/2/content/0", NOT_CONTENT),
                (
                    Rule::ReasoningContent,
                    "/messages/2/reasoning_content",
                    MOVED,
                ),
                (
                    Rule::EmptyContent,
                    "/messages/1/content",
                    "an empty content array is refused",
                ),
                (
                    Rule::EmptyContent,
                    "/messages/2/content",
                    "an empty message is refused",
                ),
            ],
        ),
        (
            "in text parts that become a string; the first that is not empty is moved",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"reasoning_content":"","type":"text","text":"a"},{"type":"text","text":"b","reasoning_content":"xy"}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":"ab","tool_calls":[{"id":"a"}],"reasoning_content":"xy"}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/content/1", NOT_CONTENT),
                (Rule::ReasoningContent, FIRST, MOVED),
                (Rule::Content, "/messages/0/content", TEXT_ONLY),
            ],
        ),
        (
            "in a text part that stays",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"type":"text","text":"a","reasoning_content":"x"},{"type":"image_url"}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"image_url"}],"tool_calls":[{"id":"a"}],"reasoning_content":"x"}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/content/0", NOT_CONTENT),
                (Rule::ReasoningContent, FIRST, MOVED),
            ],
        ),
        (
            "empty thoughts stay, and so does their array",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":""},{"type":"text","text":"a","reasoning_content":""}],"tool_calls":[{"id":"a"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":""},{"type":"text","text":"a","reasoning_content":""}],"tool_calls":[{"id":"a"}],"reasoning_content":" "}]}"#,
            &[(Rule::ReasoningContent, FIRST, LOST)],
        ),
    ]);
    leaves_alone(&[
        (
            "an answer that needs no reasoning",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"}]}]}"#,
        ),
        (
            "an answer that already has reasoning",
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","reasoning_content":"r","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"}]}]}"#,
        ),
    ]);
}

#[test]
fn lost_thoughts_are_counted() {
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
