//! Several rules at once, and what holds for all of them.

use tower_moonshot::Rule;

use super::{changes, layer, leaves_alone, leaves_alone_with, reported, rewrite};

#[test]
fn no_effort_frees_a_forced_choice_and_changes_what_else_is_right_in_one_pass() {
    changes(&[(
        "nothing is asked, no reasoning is filled in, and 1 is no temperature any more",
        r#"{"model":"moonshot/kimi-k2.6","messages":[{"role":"assistant","tool_calls":[{"id":"c"}]}],"tools":[{}],"tool_choice":{"type":"required"},"reasoning_effort":"none","temperature":1}"#,
        r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","tool_calls":[{"id":"c"}]}],"tools":[{}],"tool_choice":"required","thinking":{"type":"disabled"}}"#,
        &[
            (Rule::Model, "/model"),
            (Rule::ReasoningEffort, "/thinking"),
            (Rule::ReasoningEffort, "/reasoning_effort"),
            (Rule::ToolChoice, "/tool_choice"),
            (Rule::Sampling, "/temperature"),
        ],
    )]);
}

#[test]
fn one_message_can_be_changed_in_several_places() {
    changes(&[
        (
            "a developer's parts",
            r#"{"messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}"#,
            r#"{"messages":[{"role":"system","content":"ab"}]}"#,
            &[
                (Rule::Role, "/messages/0/role"),
                (Rule::Content, "/messages/0/content"),
            ],
        ),
        (
            "an answer that says nothing and is kept",
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant"}]}"#,
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant","reasoning_content":" ","content":" "}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/reasoning_content"),
                (Rule::EmptyContent, "/messages/0/content"),
            ],
        ),
        (
            "a kept answer whose last member goes",
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"reasoning":"x","role":"assistant","reasoning_content":null}]}"#,
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"reasoning_content":"x","role":"assistant","content":" "}]}"#,
            &[
                (Rule::ReasoningContent, "/messages/0/reasoning_content"),
                (Rule::EmptyContent, "/messages/0/content"),
            ],
        ),
        (
            "a prefill of empty parts is a string, and may be empty",
            r#"{"messages":[{"role":"assistant","partial":true,"content":[{"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"assistant","partial":true,"content":""}]}"#,
            &[(Rule::Content, "/messages/0/content")],
        ),
    ]);
}

#[test]
fn what_is_written_anew_at_the_end_and_what_is_appended_behind_it_do_not_mix() {
    changes(&[(
        "a choice in another dialect, and thinking",
        r#"{"model":"kimi-k2.6","messages":[],"enable_thinking":false,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","name":"f"}}"#,
        r#"{"model":"kimi-k2.6","messages":[],"enable_thinking":false,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}},"thinking":{"type":"disabled"}}"#,
        &[
            (Rule::Thinking, "/thinking"),
            (Rule::ToolChoice, "/tool_choice"),
        ],
    )]);
}

#[test]
fn of_a_key_that_was_edited_no_earlier_one_is_left() {
    changes(&[
        (
            "a parameter that goes",
            r#"{"temperature":1,"model":"kimi-k3","temper\u0061ture":0.1,"messages":[],"temperature":0.5}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::Sampling, "/temperature")],
        ),
        (
            "a parameter that stays",
            r#"{"temperature":9,"messages":[],"temperature":2}"#,
            r#"{"messages":[],"temperature":1}"#,
            &[(Rule::Temperature, "/temperature")],
        ),
        (
            "of messages, one of which is edited, and of its role",
            r#"{"messages":[{"role":"developer"}],"messages":[{"role":"user","role":"developer","content":"a"}]}"#,
            r#"{"messages":[{"role":"system","content":"a"}]}"#,
            &[(Rule::Role, "/messages/0/role")],
        ),
    ]);
    leaves_alone(&[
        (
            "the last of them is as it should be",
            r#"{"temperature":9,"messages":[{"role":"developer"}],"temperature":1,"messages":[]}"#,
        ),
        (
            "keys that no rule knows",
            r#"{"user":1,"messages":[],"user":2}"#,
        ),
    ]);
}

#[test]
fn what_is_no_chat_request_stays_as_it_is() {
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
fn a_rule_that_is_off_changes_nothing() {
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
