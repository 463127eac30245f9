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
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant","content":" ","reasoning_content":" "}]}"#,
            &[
                (Rule::EmptyContent, "/messages/0/content"),
                (Rule::ReasoningContent, "/messages/0/reasoning_content"),
            ],
        ),
        (
            "a kept answer whose last member goes",
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"reasoning":"x","role":"assistant","reasoning_content":null}]}"#,
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"reasoning_content":"x","role":"assistant","content":" "}]}"#,
            &[
                (Rule::EmptyContent, "/messages/0/content"),
                (Rule::ReasoningContent, "/messages/0/reasoning_content"),
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
fn the_effort_that_replaces_thinking_takes_what_was_kept_with_it() {
    changes(&[(
        "so an answer without calls needs no reasoning",
        r#"{"model":"kimi-k3","thinking":{"type":"enabled","keep":"all"},"reasoning_effort":"high","messages":[{"role":"assistant","content":"a"}]}"#,
        r#"{"model":"kimi-k3","reasoning_effort":"high","messages":[{"role":"assistant","content":"a"}]}"#,
        &[(Rule::ReasoningEffort, "/thinking")],
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
            r#"{"messages":[{"role":"developer"}],"messages":[{"role":"user","role":"developer"}]}"#,
            r#"{"messages":[{"role":"system"}]}"#,
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
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"enabled"}}"#,
        ),
        (
            Rule::ReasoningEffort,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"none"}"#,
        ),
        (
            Rule::ToolChoice,
            r#"{"messages":[],"tool_choice":"required"}"#,
        ),
        (Rule::Temperature, r#"{"messages":[],"temperature":2}"#),
        (
            Rule::Sampling,
            r#"{"model":"kimi-k3","messages":[],"temperature":2}"#,
        ),
        (Rule::Role, r#"{"messages":[{"role":"developer"}]}"#),
        (
            Rule::Content,
            r#"{"messages":[{"content":[{"type":"text","text":"a"}]}]}"#,
        ),
        (Rule::EmptyContent, r#"{"messages":[{"role":"assistant"}]}"#),
        (
            Rule::ReasoningContent,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{}]}]}"#,
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
