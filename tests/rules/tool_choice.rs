//! `tool_choice`.

use tower_moonshot::{Rule, ToolChoicePolicy};

use super::{changes, changes_with, layer, leaves_alone, leaves_alone_with};

#[test]
fn without_tools_there_is_no_choice() {
    const CHOICE: &[(Rule, &str)] = &[(Rule::ToolChoice, "/tool_choice")];
    changes(&[
        (
            "no tools",
            r#"{"model":"kimi-k3","tool_choice":"required","messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            CHOICE,
        ),
        (
            "an empty list",
            r#"{"tools":[ ],"tool_choice":{"type":"function","function":{"name":"f"}},"messages":[]}"#,
            r#"{"tools":[ ],"messages":[]}"#,
            CHOICE,
        ),
        (
            "null",
            r#"{"tools":null,"messages":[],"tool_choice":"auto"}"#,
            r#"{"tools":null,"messages":[]}"#,
            CHOICE,
        ),
    ]);
    leaves_alone(&[
        ("no choice either", r#"{"messages":[],"tool_choice":null}"#),
        (
            "tools that are no list",
            r#"{"messages":[],"tools":{},"tool_choice":"required"}"#,
        ),
    ]);
}

#[test]
fn a_choice_without_a_function_is_a_plain_string() {
    const CHOICE: &[(Rule, &str)] = &[(Rule::ToolChoice, "/tool_choice")];
    changes(&[
        (
            "auto",
            r#"{"messages":[],"tools":[{}],"tool_choice":{"type":"auto"}}"#,
            r#"{"messages":[],"tools":[{}],"tool_choice":"auto"}"#,
            CHOICE,
        ),
        (
            "none",
            r#"{"messages":[],"tools":[{}],"tool_choice":{ "type" : "n\u006fne" }}"#,
            r#"{"messages":[],"tools":[{}],"tool_choice":"none"}"#,
            CHOICE,
        ),
        (
            "required, which K3 takes",
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":{"type":"required"}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
            CHOICE,
        ),
    ]);
    leaves_alone(&[
        (
            "plain already",
            r#"{"messages":[],"tools":[{}],"tool_choice":"none"}"#,
        ),
        (
            "no known word",
            r#"{"messages":[],"tools":[{}],"tool_choice":"any"}"#,
        ),
        (
            "no known type",
            r#"{"messages":[],"tools":[{}],"tool_choice":{"type":"any"}}"#,
        ),
        (
            "of two minds",
            r#"{"messages":[],"tools":[{}],"tool_choice":{"type":"required","function":{"name":"f"}}}"#,
        ),
        ("null", r#"{"messages":[],"tools":[{}],"tool_choice":null}"#),
        (
            "a number",
            r#"{"messages":[],"tools":[{}],"tool_choice":1}"#,
        ),
    ]);
}

#[test]
fn a_message_asks_for_a_tool_where_required_is_refused() {
    const ASKED: &[(Rule, &str)] = &[
        (Rule::ToolChoice, "/tool_choice"),
        (Rule::ToolChoice, "/messages/-"),
    ];
    changes(&[
        (
            "on V1",
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"user","content":"Hi"}],"tools":[{}],"tool_choice":"required"}"#,
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"user","content":"Hi"},{"role":"user","content":"Please select a tool to handle the current issue."}],"tools":[{}]}"#,
            ASKED,
        ),
        (
            "on K2.7, pretty, as an object",
            "{\n  \"model\": \"kimi-k2.7\",\n  \"tool_choice\": {\"type\": \"required\"},\n  \"tools\": [{}],\n  \"messages\": [\n    {\"role\": \"user\", \"content\": \"Hi\"}\n  ]\n}",
            "{\n  \"model\": \"kimi-k2.7\",\n  \"tools\": [{}],\n  \"messages\": [\n    {\"role\": \"user\", \"content\": \"Hi\"},{\"role\":\"user\",\"content\":\"Please select a tool to handle the current issue.\"}\n  ]\n}",
            ASKED,
        ),
        (
            "on K2.6, which thinks",
            r#"{"model":"kimi-k2.6","tools":[{}],"tool_choice":"required","messages":[null]}"#,
            r#"{"model":"kimi-k2.6","tools":[{}],"messages":[null,{"role":"user","content":"Please select a tool to handle the current issue."}]}"#,
            ASKED,
        ),
        (
            "without messages",
            r#"{"tools":[{}],"tool_choice":"required","messages":[]}"#,
            r#"{"tools":[{}],"messages":[{"role":"user","content":"Please select a tool to handle the current issue."}]}"#,
            ASKED,
        ),
        (
            "but not behind a prefill",
            r#"{"tools":[{}],"tool_choice":"required","messages":[{"role":"assistant","content":"{","partial":true}]}"#,
            r#"{"tools":[{}],"messages":[{"role":"assistant","content":"{","partial":true}]}"#,
            &[(Rule::ToolChoice, "/tool_choice")],
        ),
    ]);
    leaves_alone(&[
        (
            "K3 takes it",
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
        ),
        (
            "K2.6 takes it while it doesn't think",
            r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"required","thinking":{"type":"disabled"}}"#,
        ),
    ]);
}

#[test]
fn only_the_named_tool_is_left_where_a_name_is_refused() {
    changes(&[
        (
            "on K3, which then must call a tool",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"h"}}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            &[
                (Rule::ToolChoice, "/tools/0"),
                (Rule::ToolChoice, "/tools/2"),
                (Rule::ToolChoice, "/tool_choice"),
            ],
        ),
        (
            "on K2.7, which is asked to; the last of several lines stays",
            "{\"model\":\"kimi-k2.7\",\"messages\":[null],\"tools\":[\n  {\"function\":{\"name\":\"f\"}},\n  7,\n  {\"function\":{\"n\\u0061me\":\"g\\u0021\"}}\n],\"tool_choice\":{\"function\":{\"name\":\"g!\"},\"type\":\"function\"}}",
            "{\"model\":\"kimi-k2.7\",\"messages\":[null,{\"role\":\"user\",\"content\":\"Please select a tool to handle the current issue.\"}],\"tools\":[\n  {\"function\":{\"n\\u0061me\":\"g\\u0021\"}}\n]}",
            &[
                (Rule::ToolChoice, "/tools/0"),
                (Rule::ToolChoice, "/tools/1"),
                (Rule::ToolChoice, "/tool_choice"),
                (Rule::ToolChoice, "/messages/-"),
            ],
        ),
        (
            "on K2.6 behind a prefill; the first of several lines stays",
            "{\"model\":\"kimi-k2.6\",\"messages\":[{\"role\":\"assistant\",\"partial\":true}],\"tools\":[\n  {\"function\":{\"name\":\"f\"}},\n  {\"function\":{\"name\":\"g\"}}\n],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}",
            "{\"model\":\"kimi-k2.6\",\"messages\":[{\"role\":\"assistant\",\"partial\":true}],\"tools\":[\n  {\"function\":{\"name\":\"f\"}}\n]}",
            &[
                (Rule::ToolChoice, "/tools/1"),
                (Rule::ToolChoice, "/tool_choice"),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "a name that is not there",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
        ),
        (
            "no name",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":null}}],"tool_choice":{"type":"function","function":{"name":null}}}"#,
        ),
        (
            "what V1 makes of a name is not known",
            r#"{"model":"moonshot-v1-8k","messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
        ),
        (
            "K2.5 takes a name while it doesn't think",
            r#"{"model":"kimi-k2.5","messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}},"thinking":{"type":"disabled"}}"#,
        ),
    ]);
}

#[test]
fn the_model_may_choose_if_that_is_the_policy() {
    changes_with(
        &layer().with_tool_choice_policy(ToolChoicePolicy::Auto),
        &[
            (
                "required",
                r#"{"tools":[{}],"tool_choice":"required","messages":[null]}"#,
                r#"{"tools":[{}],"messages":[null]}"#,
                &[(Rule::ToolChoice, "/tool_choice")],
            ),
            (
                "a name",
                r#"{"model":"kimi-k2.7","tools":[{},{"function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}},"messages":[null]}"#,
                r#"{"model":"kimi-k2.7","tools":[{"function":{"name":"f"}}],"messages":[null]}"#,
                &[
                    (Rule::ToolChoice, "/tools/0"),
                    (Rule::ToolChoice, "/tool_choice"),
                ],
            ),
        ],
    );
}

#[test]
fn thinking_is_disabled_for_a_forced_choice_if_that_is_the_policy() {
    let layer = layer().with_tool_choice_policy(ToolChoicePolicy::DisableThinking);
    changes_with(
        &layer,
        &[
            (
                "the accepted temperature is then another one, and the effort goes",
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"required","reasoning_effort":"high","temperature":1}"#,
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"required","thinking":{"type":"disabled"}}"#,
                &[
                    (Rule::ToolChoice, "/thinking"),
                    (Rule::ToolChoice, "/reasoning_effort"),
                    (Rule::Sampling, "/temperature"),
                ],
            ),
            (
                "in place of enabled thinking; the temperature that is now right stays",
                r#"{"model":"kimi-k2.5","thinking":{"type":"enabled","keep":"all"},"temperature":0.6,"messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
                r#"{"model":"kimi-k2.5","thinking":{"type":"disabled"},"temperature":0.6,"messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
                &[
                    (Rule::Thinking, "/thinking/keep"),
                    (Rule::ToolChoice, "/thinking"),
                ],
            ),
            (
                "K2.7 can't do without",
                r#"{"model":"kimi-k2.7","messages":[null],"tools":[{}],"tool_choice":"required"}"#,
                r#"{"model":"kimi-k2.7","messages":[null,{"role":"user","content":"Please select a tool to handle the current issue."}],"tools":[{}]}"#,
                &[
                    (Rule::ToolChoice, "/tool_choice"),
                    (Rule::ToolChoice, "/messages/-"),
                ],
            ),
        ],
    );
    leaves_alone_with(
        &layer,
        &[
            (
                "nothing is forced",
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"auto"}"#,
            ),
            (
                "a name that is not there",
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
            ),
            (
                "K3 takes it",
                r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
            ),
        ],
    );
}
