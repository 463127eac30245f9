//! Facts about tool calls of earlier turns, the answers to them, and earlier thoughts.

use super::{
    Section,
    fact::Fact,
    grade::Grade::{Documented, Judgement, Reported},
    models::{ALL, KEEPING, ONLY_K27, THINKING},
    table,
};
use crate::Rule;

table! { CALL_FACTS:
    CALL_WITHOUT_ID = Fact::refused("call_without_id", ALL, "a tool call without an id, or with an empty one")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"","content":"1"}]}"#)
        .says(NOT_FOUND, &[""])
        .known(&[Reported])
        .repaired_by(Rule::ToolCallId);
    ANSWER_WITHOUT_ID = Fact::refused("answer_without_id", ALL, "a tool message without an id, or with an empty one")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"","content":"1"}]}"#)
        .says(NOT_FOUND, &[""])
        .known(&[Reported])
        .note("suite on K3")
        .repaired_by(Rule::ToolCallId);
    CALL_DUPLICATED = Fact::refused("call_duplicated", ALL, "two tool calls with the same id in one message")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"a","content":"1"}]}"#)
        .says(DUPLICATED, &["a"])
        .known(&[Reported])
        .repaired_by(Rule::ToolCallId);
    CALL_REPEATED = Fact::refused("call_repeated", ALL, "two tool calls with the same id in two messages")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"}]}"#)
        .says(DUPLICATED, &["a"])
        .known(&[Judgement])
        .repaired_by(Rule::ToolCallId);
    CALL_WITHOUT_FUNCTION = Fact::refused("call_without_function", ALL, "a tool call without a function")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"a","type":"function"}]},{"role":"tool","tool_call_id":"a","content":"1"}]}"#)
        .says_like("Invalid request: a tool call must have a function", &[]);
    CALL_INCOMPLETE = Fact::refused("call_incomplete", ALL, "a tool call whose function has no name or no arguments")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"a","type":"function","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"a","content":"1"}]}"#)
        .says_like("Invalid request: a tool call's function must have a string {}", &["arguments"]);
    ANSWER_ORPHANED = Fact::refused("answer_orphaned", ALL, "a tool message where no tool calls are to be answered")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"tool","tool_call_id":"a","content":"1"}]}"#)
        .says(
            "Invalid request: messages with role 'tool' must be a response to a preceeding message \
             with 'tool_calls'",
            &[],
        )
        .known(&[Reported]);
    ANSWER_UNKNOWN = Fact::refused("answer_unknown", ALL, "an answer to a tool call of another turn, or to an unknown one")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"1"}]}"#)
        .says(NOT_FOUND, &["b"])
        .known(&[Judgement]);
    ANSWER_REPEATED = Fact::refused("answer_repeated", ALL, "a second answer to a tool call")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"a","content":"1"}]}"#)
        .says_like("Invalid request: tool_call_id {} is answered twice", &["a"]);
    CALL_UNANSWERED = Fact::refused("call_unanswered", ALL, "a tool call that is not answered before the next other message")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"Hi"}]}"#)
        .says(
            "Invalid request: an assistant message with 'tool_calls' must be followed by tool messages \
             responding to each 'tool_call_id'. The following tool_call_ids did not have response \
             messages: {}",
            &["a"],
        )
        .known(&[Reported]);
}

const NOT_FOUND: &str = "Invalid request: tool_call_id {} is not found";
const DUPLICATED: &str = "Invalid request: tool call id {} is duplicated";

pub(super) static CALLS: Section = Section {
    title: "### Tool calls and their answers",
    before: "",
    after: "",
    facts: CALL_FACTS,
};

table! { THOUGHT_FACTS:
    THOUGHT_OF_CALLS = Fact::refused("thought_of_calls", THINKING, "a message with tool calls and without `reasoning_content`")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"}]}"#)
        .says(
            "thinking is enabled but reasoning_content is missing in assistant tool call message \
             at index {}",
            &["1"],
        )
        .known(&[Reported])
        .repaired_by(Rule::ReasoningContent);
    THOUGHT_KEPT = Fact::refused("thought_kept", KEEPING, "an assistant message without `reasoning_content`, with `thinking.keep` `all`")
        .with(r#"{"thinking":{"type":"enabled","keep":"all"},"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hi"},{"role":"user","content":"Hi"}]}"#)
        .says(PRESERVED, &["1"])
        .known(&[Reported])
        .repaired_by(Rule::ReasoningContent);
    THOUGHT_OF_ANSWER = Fact::refused("thought_of_answer", ONLY_K27, "an assistant message without `reasoning_content` and without tool calls")
        .with(r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hi"},{"role":"user","content":"Hi"}]}"#)
        .says_like(PRESERVED, &["1"])
        .known(&[Documented])
        .note("wording: judgement")
        .repaired_by(Rule::ReasoningContent);
}

const PRESERVED: &str = "preserved thinking (thinking.keep=all) requires reasoning_content on every \
    assistant message, but assistant message at index {} is missing reasoning_content";

pub(super) static THOUGHTS: Section = Section {
    title: "### Thoughts of earlier turns",
    before: "Only while thinking is on. An empty `reasoning_content` counts as missing (judgement).",
    after: "With `thinking.keep` `all`, the second message is used for messages with tool calls too.",
    facts: THOUGHT_FACTS,
};
