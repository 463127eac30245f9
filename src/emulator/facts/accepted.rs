//! Facts about what is accepted, and often believed to be refused.

use super::{
    Section,
    fact::Fact,
    grade::Grade::{Client, Documented, Reported, Suite},
    models::{
        ALL, ANY_KEEP, K3_K28, K27_TO_K25, NEWER, NOT_K27, OLDER, ONLY_K2_THINKING, ONLY_K3,
        SWITCHED_K2,
    },
    table,
};

table! { FACTS:
    FIXED_VALUES = Fact::accepted(
            "fixed_values", NEWER,
            "the one accepted value of each sampling parameter",
            r#"{"temperature":1,"top_p":0.95,"n":1,"presence_penalty":0,"frequency_penalty":0,"logprobs":false}"#,
        )
        .known(&[Suite, Reported]);
    KIMI_CODE_TEMPERATURE = Fact::accepted(
            "kimi_code_temperature", K3_K28,
            "temperature 1 on Kimi Code",
            r#"{"temperature":1}"#,
        )
        .known(&[Reported]);
    ANY_CALL_ID = Fact::accepted(
            "any_call_id", ALL,
            "ids of tool calls with any characters and length, like `f:0`",
            r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"","reasoning_content":"?","tool_calls":[{"id":"f:0","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"f:0","content":"1"}]}"#,
        )
        .known(&[Reported]);
    THINKING_BESIDE_EFFORT = Fact::accepted(
            "thinking_beside_effort", ONLY_K3,
            "`thinking` with `type`, `effort` and `keep`, and beside `reasoning_effort`",
            r#"{"thinking":{"type":"enabled","effort":"low","keep":"all"},"reasoning_effort":"low"}"#,
        )
        .known(&[Suite]);
    K3_THINKING_DISABLED = Fact::accepted(
            "k3_thinking_disabled", ONLY_K3,
            "`thinking.type` `disabled`",
            r#"{"thinking":{"type":"disabled"}}"#,
        )
        .known(&[Suite]);
    SWITCHED_THINKING_DISABLED = Fact::accepted(
            "thinking_disabled_accepted", SWITCHED_K2,
            "the same, with temperature 0.6",
            r#"{"thinking":{"type":"disabled"},"temperature":0.6}"#,
        )
        .known(&[Documented]);
    OLD_THINKING_DISABLED = Fact::accepted(
            "old_thinking_disabled", ONLY_K2_THINKING,
            "`thinking.type` `disabled`, without effect",
            r#"{"thinking":{"type":"disabled"}}"#,
        );
    OTHER_KEEP = Fact::accepted(
            "other_keep", ANY_KEEP,
            "`thinking.keep` other than `all`",
            r#"{"thinking":{"keep":"none"}}"#,
        );
    EFFORT_NULL = Fact::accepted(
            "effort_null", ALL,
            "`reasoning_effort: null`",
            r#"{"reasoning_effort":null}"#,
        )
        .known(&[Client]);
    EFFORT_IGNORED = Fact::accepted(
            "effort_ignored", K27_TO_K25,
            "`reasoning_effort` with any level but `none`, without effect",
            r#"{"reasoning_effort":"medium"}"#,
        )
        .known(&[Reported]);
    OLD_EFFORT_IGNORED = Fact::accepted(
            "old_effort_ignored", OLDER,
            "`reasoning_effort` with any level, without effect",
            r#"{"reasoning_effort":"none"}"#,
        );
    ANSWER_WITHOUT_THOUGHT = Fact::accepted(
            "answer_without_thought", NOT_K27,
            "plain answers without `reasoning_content`",
            r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hi"},{"role":"user","content":"Hi"}]}"#,
        )
        .known_on(K3_K28, &[Suite, Reported]);
    NEW_TEXT_PARTS = Fact::accepted(
            "text_parts_accepted", NEWER,
            "lists of parts that are all text",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#,
        )
        .known(&[Client]);
    TOOLS_OF_SYSTEM = Fact::accepted(
            "tools_of_system", ONLY_K3,
            "system messages with `tools` and no content, also as the last message",
            r#"{"messages":[{"role":"user","content":"Hi"},{"role":"system","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}]}"#,
        )
        .known(&[Suite]);
    K3_AUTO_WITHOUT_TOOLS = Fact::accepted(
            "k3_auto_without_tools", ONLY_K3,
            "`tool_choice` `auto` or `none` without a `tools` field",
            r#"{"tool_choice":"auto"}"#,
        )
        .known(&[Suite]);
    K3_REQUIRED = Fact::accepted(
            "k3_required", ONLY_K3,
            "`tool_choice` `required`",
            r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"required"}"#,
        )
        .known(&[Suite, Documented]);
    K3_NAMED = Fact::accepted(
            "k3_named", ONLY_K3,
            "a named `tool_choice`, without effect",
            r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
        )
        .known(&[Suite]);
    FORCED_WITHOUT_THINKING = Fact::accepted(
            "forced_without_thinking", SWITCHED_K2,
            "a forced `tool_choice` while thinking is disabled",
            r#"{"thinking":{"type":"disabled"},"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"required"}"#,
        )
        .known(&[Documented])
        .note("on K2.8: judgement");
    OLD_NAMED = Fact::accepted(
            "old_named", OLDER,
            "a named `tool_choice`",
            r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
        );
    LAX_SCHEMA = Fact::accepted(
            "lax_schema", ALL,
            "a schema outside the dialect if the `strict` beside it is false",
            r#"{"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":false,"schema":{"type":"object","properties":{"a":{"enum":["x"]}}}}}}"#,
        )
        .known(&[Documented]);
    MANY_TOOLS = Fact::accepted(
            "many_tools", ALL,
            "more than 128 tools",
            "",
        )
        .without_sample()
        .known(&[Client]);
    BOTH_BUDGETS = Fact::accepted(
            "both_budgets", ALL,
            "both `max_tokens` and `max_completion_tokens`",
            r#"{"max_completion_tokens":8}"#,
        )
        .known(&[Reported]);
    UNKNOWN_FIELDS = Fact::accepted(
            "unknown_fields", ALL,
            "unknown fields, like another host's `enable_thinking`, without effect",
            r#"{"enable_thinking":true,"store":false,"no_such_field":1}"#,
        )
        .known(&[Reported]);
}

pub(super) static SECTION: Section = Section {
    title: "# What it accepts",
    before: "Some of what is often believed to be refused is accepted:",
    after: "The suite has a test that K3 refuses other values of `thinking.keep`, and skips it. That\n\
        Kimi Code accepted only temperature 0.6 was an incident of April 2026. A limit of 128 tools\n\
        was reported in 2025; Moonshot's own clients send up to 140 today.",
    facts: FACTS,
};
