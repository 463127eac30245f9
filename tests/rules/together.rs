//! Several rules in one request, and properties of all rules.

use tower_moonshot::Rule;

use super::{changes, layer, leaves_alone, leaves_alone_with, reported, rewrite};

const SYSTEM: &str = "Moonshot calls this role system";
const TEXT_ONLY: &str = "content that is only text is sent as one string";
const NOT_EMPTY: &str = "an empty message is refused";

#[test]
fn disabled_thinking_is_seen_by_all_later_rules() {
    changes(&[(
        "the forced choice stays, no reasoning is inserted, and temperature 1 is removed",
        r#"{"model":"moonshot/kimi-k2.6","messages":[{"role":"assistant","tool_calls":[{"id":"c"}]}],"tools":[{}],"tool_choice":{"type":"required"},"reasoning_effort":"none","temperature":1}"#,
        r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","tool_calls":[{"id":"c"}]}],"tools":[{}],"tool_choice":"required","thinking":{"type":"disabled"}}"#,
        &[
            (
                Rule::Model,
                "/model",
                "Moonshot's model ids have no provider prefix",
            ),
            (
                Rule::ReasoningEffort,
                "/thinking",
                "the effort none means disabled thinking",
            ),
            (
                Rule::ReasoningEffort,
                "/reasoning_effort",
                "reasoning_effort is refused beside thinking",
            ),
            (
                Rule::ToolChoice,
                "/tool_choice",
                "a choice that names no tool must be a string",
            ),
            (
                Rule::Sampling,
                "/temperature",
                "only 0.6 is accepted while thinking is disabled",
            ),
        ],
    )]);
}

#[test]
fn one_message_can_be_changed_in_several_places() {
    changes(&[
        (
            "the content parts of a developer message",
            r#"{"messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}"#,
            r#"{"messages":[{"role":"system","content":"ab"}]}"#,
            &[
                (Rule::Role, "/messages/0/role", SYSTEM),
                (Rule::Content, "/messages/0/content", TEXT_ONLY),
            ],
        ),
        (
            "an empty answer with keep: all",
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant"}]}"#,
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant","reasoning_content":" ","content":" "}]}"#,
            &[
                (
                    Rule::ReasoningContent,
                    "/messages/0/reasoning_content",
                    "reasoning_content is required and no reasoning was found",
                ),
                (Rule::EmptyContent, "/messages/0/content", NOT_EMPTY),
            ],
        ),
        (
            "an answer whose last member is removed, with keep: all",
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"reasoning":"x","role":"assistant","reasoning_content":null}]}"#,
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"reasoning_content":"x","role":"assistant","content":" "}]}"#,
            &[
                (
                    Rule::ReasoningContent,
                    "/messages/0/reasoning_content",
                    "reasoning belongs in reasoning_content",
                ),
                (Rule::EmptyContent, "/messages/0/content", NOT_EMPTY),
            ],
        ),
        (
            "a prefill of empty parts becomes a string, which may be empty",
            r#"{"messages":[{"role":"assistant","partial":true,"content":[{"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"assistant","partial":true,"content":""}]}"#,
            &[(Rule::Content, "/messages/0/content", TEXT_ONLY)],
        ),
    ]);
}

#[test]
fn a_replaced_last_member_and_an_appended_one_do_not_mix() {
    changes(&[(
        "a translated tool_choice, and thinking",
        r#"{"model":"kimi-k2.6","messages":[],"enable_thinking":false,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","name":"f"}}"#,
        r#"{"model":"kimi-k2.6","messages":[],"enable_thinking":false,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}},"thinking":{"type":"disabled"}}"#,
        &[
            (
                Rule::Thinking,
                "/thinking",
                "Moonshot ignores other hosts' switches for thinking",
            ),
            (
                Rule::ToolChoice,
                "/tool_choice",
                "Moonshot does not know this form of tool_choice",
            ),
        ],
    )]);
}

#[test]
fn earlier_members_with_an_edited_key_are_removed() {
    changes(&[
        (
            "a parameter that is removed",
            r#"{"temperature":1,"model":"kimi-k3","temper\u0061ture":0.1,"messages":[],"temperature":0.5}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::Sampling, "/temperature", "only 1 is accepted")],
        ),
        (
            "a parameter that stays",
            r#"{"temperature":9,"messages":[],"temperature":2}"#,
            r#"{"messages":[],"temperature":1}"#,
            &[(Rule::Temperature, "/temperature", "at most 1 is accepted")],
        ),
        (
            "repeated messages and a repeated role",
            r#"{"messages":[{"role":"developer"}],"messages":[{"role":"user","role":"developer","content":"a"}]}"#,
            r#"{"messages":[{"role":"system","content":"a"}]}"#,
            &[(Rule::Role, "/messages/0/role", SYSTEM)],
        ),
    ]);
    leaves_alone(&[
        (
            "the last one needs no change",
            r#"{"temperature":9,"messages":[{"role":"developer"}],"temperature":1,"messages":[]}"#,
        ),
        (
            "keys that no rule looks at",
            r#"{"user":1,"messages":[],"user":2}"#,
        ),
    ]);
}

#[test]
fn a_body_that_is_no_chat_request_is_unchanged() {
    for body in [
        r#"{"model":"moonshot/kimi-k3","temperature":2}"#,
        r#"{"model":"moonshot/kimi-k3","messages":{}}"#,
        r#"{"messages":[{"role":"developer"}],"messages":null}"#,
        r#"[{"messages":[{"role":"developer"}]}]"#,
        "\u{feff}{\"messages\":[{\"role\":\"developer\"}]}",
        r#"{"messages":[{"role":"developer"}]} ."#,
        "",
    ] {
        let (sent, report) = rewrite(&layer(), body);
        assert_eq!(sent, body);
        assert!(report.skipped().is_some(), "{body}");
        assert_eq!(report.changes(), []);
    }
}

#[test]
fn a_disabled_rule_changes_nothing() {
    for (rule, body) in [
        (Rule::Model, r#"{"model":"moonshot/kimi-k3","messages":[]}"#),
        (
            Rule::Thinking,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"adaptive"}}"#,
        ),
        (
            Rule::ReasoningEffort,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"none"}"#,
        ),
        (
            Rule::ToolChoice,
            r#"{"messages":[],"tool_choice":"required"}"#,
        ),
        (
            Rule::Tools,
            r#"{"messages":[],"tools":[{"type":"function","name":"f"}]}"#,
        ),
        (Rule::Temperature, r#"{"messages":[],"temperature":2}"#),
        (
            Rule::Sampling,
            r#"{"model":"kimi-k3","messages":[],"temperature":2}"#,
        ),
        (
            Rule::ResponseFormat,
            r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{}}}"#,
        ),
        (
            Rule::Role,
            r#"{"messages":[{"role":"developer","content":"a"}]}"#,
        ),
        (
            Rule::Content,
            r#"{"messages":[{"content":[{"type":"text","text":"a"}]}]}"#,
        ),
        (Rule::EmptyContent, r#"{"messages":[{"role":"assistant"}]}"#),
        (
            Rule::ReasoningContent,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}]}"#,
        ),
        (
            Rule::ToolCallId,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a"},{"id":"a"}]}]}"#,
        ),
    ] {
        let (_, report) = rewrite(&layer(), body);
        assert!(
            reported(&report).iter().all(|change| change.0 == rule),
            "{body}"
        );
        assert!(!report.changes().is_empty(), "{rule}");
        leaves_alone_with(&layer().without_rule(rule), &[("it is off", body)]);
    }
}
