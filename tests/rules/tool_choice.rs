//! The rule `tool_choice`.

use tower_moonshot::{Rule, ToolChoicePolicy};

use super::{changes, changes_with, layer, leaves_alone, leaves_alone_with};

const NO_TOOLS: &str = "there are no tools to choose from";
const PLAIN: &str = "a choice that names no tool must be a string";
const REFUSED: &str = "the model does not accept a forced choice";
const ASKS: &str = "this message asks for a tool in place of the forced choice";
const NOT_WHILE_THINKING: &str = "the model accepts a forced choice only without thinking";
const ONLY_NAMED: &str = "only the named tool may be called";
const OTHERS_LEFT: &str = "the model ignores the name; other tools remain";
const ONE_LEFT: &str = "the named tool is the only one left";
const DIALECT: &str = "Moonshot does not know this form of tool_choice";
const ONLY_ALLOWED: &str = "only the allowed tools may be called";
const ALLOWED_LEFT: &str = "only the allowed tools are left";

#[test]
fn a_choice_without_tools_is_removed() {
    changes(&[
        (
            "no tools",
            r#"{"model":"kimi-k3","tool_choice":"required","messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::ToolChoice, "/tool_choice", NO_TOOLS)],
        ),
        (
            "an empty list",
            r#"{"tools":[ ],"tool_choice":{"type":"function","function":{"name":"f"}},"messages":[]}"#,
            r#"{"tools":[ ],"messages":[]}"#,
            &[(Rule::ToolChoice, "/tool_choice", NO_TOOLS)],
        ),
        (
            "null",
            r#"{"tools":null,"messages":[],"tool_choice":"auto"}"#,
            r#"{"tools":null,"messages":[]}"#,
            &[(Rule::ToolChoice, "/tool_choice", NO_TOOLS)],
        ),
        (
            "a named function",
            r#"{"model":"kimi-k3","messages":[],"tool_choice":{"type":"tool","name":"f"}}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::ToolChoice, "/tool_choice", NO_TOOLS)],
        ),
        (
            "any, and a list",
            r#"{"model":"moonshot-v1-8k","messages":[],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}}"#,
            r#"{"model":"moonshot-v1-8k","messages":[]}"#,
            &[(Rule::ToolChoice, "/tool_choice", NO_TOOLS)],
        ),
        (
            "none on K3 with an empty list",
            r#"{"model":"kimi-k3","messages":[],"tools":[],"tool_choice":"none"}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[]}"#,
            &[(Rule::ToolChoice, "/tool_choice", NO_TOOLS)],
        ),
        (
            "none on K2.6",
            r#"{"model":"kimi-k2.6","messages":[],"tool_choice":"none"}"#,
            r#"{"model":"kimi-k2.6","messages":[]}"#,
            &[(Rule::ToolChoice, "/tool_choice", NO_TOOLS)],
        ),
        (
            "auto as an object, on K3",
            r#"{"model":"kimi-k3","messages":[],"tool_choice":{"type":"auto"}}"#,
            r#"{"model":"kimi-k3","messages":[],"tool_choice":"auto"}"#,
            &[(Rule::ToolChoice, "/tool_choice", PLAIN)],
        ),
        (
            "only system messages have tools",
            r#"{"model":"kimi-k3","messages":[{"role":"user","content":"a","tools":[{"function":{"name":"f"}}]},{"role":"system","tools":[]},{"role":"system","tools":null}],"tool_choice":"required"}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"user","content":"a","tools":[{"function":{"name":"f"}}]},{"role":"system","tools":[]},{"role":"system","tools":null,"content":" "}]}"#,
            &[
                (Rule::ToolChoice, "/tool_choice", NO_TOOLS),
                (
                    Rule::EmptyContent,
                    "/messages/2/content",
                    "an empty message is refused",
                ),
            ],
        ),
    ]);
    leaves_alone(&[
        ("no choice either", r#"{"messages":[],"tool_choice":null}"#),
        (
            "auto on K3",
            r#"{"model":"kimi-k3","messages":[],"tool_choice":"auto"}"#,
        ),
        (
            "none on K3, with null tools",
            r#"{"model":"k3","messages":[],"tools":null,"tool_choice":"none"}"#,
        ),
        (
            "an unknown word",
            r#"{"messages":[],"tool_choice":"perhaps"}"#,
        ),
        (
            "tools that are no array",
            r#"{"messages":[],"tools":{},"tool_choice":"required"}"#,
        ),
    ]);
}

#[test]
fn a_choice_that_names_no_function_becomes_a_string() {
    changes(&[
        (
            "auto",
            r#"{"messages":[],"tools":[{}],"tool_choice":{"type":"auto"}}"#,
            r#"{"messages":[],"tools":[{}],"tool_choice":"auto"}"#,
            &[(Rule::ToolChoice, "/tool_choice", PLAIN)],
        ),
        (
            "none",
            r#"{"messages":[],"tools":[{}],"tool_choice":{ "type" : "n\u006fne" }}"#,
            r#"{"messages":[],"tools":[{}],"tool_choice":"none"}"#,
            &[(Rule::ToolChoice, "/tool_choice", PLAIN)],
        ),
        (
            "required on K3",
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":{"type":"required"}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
            &[(Rule::ToolChoice, "/tool_choice", PLAIN)],
        ),
    ]);
    leaves_alone(&[
        (
            "already a string",
            r#"{"messages":[],"tools":[{}],"tool_choice":"none"}"#,
        ),
        (
            "an unknown word",
            r#"{"messages":[],"tools":[{}],"tool_choice":"perhaps"}"#,
        ),
        (
            "an unknown type",
            r#"{"messages":[],"tools":[{}],"tool_choice":{"type":"custom","name":"f"}}"#,
        ),
        (
            "a name alone",
            r#"{"messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"name":"f"}}"#,
        ),
        (
            "both a word and a function",
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
    changes(&[
        (
            "on V1",
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"user","content":"Hi"}],"tools":[{}],"tool_choice":"required"}"#,
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"user","content":"Hi"},{"role":"user","content":"Please select a tool to handle the current issue."}],"tools":[{}]}"#,
            &[
                (Rule::ToolChoice, "/tool_choice", REFUSED),
                (Rule::ToolChoice, "/messages/-", ASKS),
            ],
        ),
        (
            "on K2.7, indented, as an object",
            "{\n  \"model\": \"kimi-k2.7\",\n  \"tool_choice\": {\"type\": \"required\"},\n  \"tools\": [{}],\n  \"messages\": [\n    {\"role\": \"user\", \"content\": \"Hi\"}\n  ]\n}",
            "{\n  \"model\": \"kimi-k2.7\",\n  \"tools\": [{}],\n  \"messages\": [\n    {\"role\": \"user\", \"content\": \"Hi\"},{\"role\":\"user\",\"content\":\"Please select a tool to handle the current issue.\"}\n  ]\n}",
            &[
                (Rule::ToolChoice, "/tool_choice", REFUSED),
                (Rule::ToolChoice, "/messages/-", ASKS),
            ],
        ),
        (
            "on K2.6, which thinks",
            r#"{"model":"kimi-k2.6","tools":[{}],"tool_choice":"required","messages":[null]}"#,
            r#"{"model":"kimi-k2.6","tools":[{}],"messages":[null,{"role":"user","content":"Please select a tool to handle the current issue."}]}"#,
            &[
                (Rule::ToolChoice, "/tool_choice", NOT_WHILE_THINKING),
                (Rule::ToolChoice, "/messages/-", ASKS),
            ],
        ),
        (
            "without messages",
            r#"{"tools":[{}],"tool_choice":"required","messages":[]}"#,
            r#"{"tools":[{}],"messages":[{"role":"user","content":"Please select a tool to handle the current issue."}]}"#,
            &[
                (Rule::ToolChoice, "/tool_choice", REFUSED),
                (Rule::ToolChoice, "/messages/-", ASKS),
            ],
        ),
        (
            "not after a prefill",
            r#"{"tools":[{}],"tool_choice":"required","messages":[{"role":"assistant","content":"{","partial":true}]}"#,
            r#"{"tools":[{}],"messages":[{"role":"assistant","content":"{","partial":true}]}"#,
            &[(Rule::ToolChoice, "/tool_choice", REFUSED)],
        ),
    ]);
    leaves_alone(&[
        (
            "K3 accepts it",
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
        ),
        (
            "K2.6 accepts it while thinking is disabled",
            r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"required","thinking":{"type":"disabled"}}"#,
        ),
    ]);
}

#[test]
fn the_other_tools_are_removed_where_a_name_is_refused() {
    changes(&[
        (
            "on K3, where required is accepted",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"h"}}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            &[
                (Rule::ToolChoice, "/tools/0", ONLY_NAMED),
                (Rule::ToolChoice, "/tools/2", ONLY_NAMED),
                (Rule::ToolChoice, "/tool_choice", ONE_LEFT),
            ],
        ),
        (
            "on K2.7, with a message; the last of several lines stays",
            "{\"model\":\"kimi-k2.7\",\"messages\":[null],\"tools\":[\n  {\"function\":{\"name\":\"f\"}},\n  7,\n  {\"function\":{\"n\\u0061me\":\"g\\u0021\"}}\n],\"tool_choice\":{\"function\":{\"name\":\"g!\"},\"type\":\"function\"}}",
            "{\"model\":\"kimi-k2.7\",\"messages\":[null,{\"role\":\"user\",\"content\":\"Please select a tool to handle the current issue.\"}],\"tools\":[\n  {\"function\":{\"n\\u0061me\":\"g\\u0021\"}}\n]}",
            &[
                (Rule::ToolChoice, "/tools/0", ONLY_NAMED),
                (Rule::ToolChoice, "/tools/1", ONLY_NAMED),
                (Rule::ToolChoice, "/tool_choice", REFUSED),
                (Rule::ToolChoice, "/messages/-", ASKS),
            ],
        ),
        (
            "on K2.6 behind a prefill; the first of several lines stays",
            "{\"model\":\"kimi-k2.6\",\"messages\":[{\"role\":\"assistant\",\"partial\":true}],\"tools\":[\n  {\"function\":{\"name\":\"f\"}},\n  {\"function\":{\"name\":\"g\"}}\n],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}",
            "{\"model\":\"kimi-k2.6\",\"messages\":[{\"role\":\"assistant\",\"partial\":true}],\"tools\":[\n  {\"function\":{\"name\":\"f\"}}\n]}",
            &[
                (Rule::ToolChoice, "/tools/1", ONLY_NAMED),
                (Rule::ToolChoice, "/tool_choice", NOT_WHILE_THINKING),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "a name that is not among the tools",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
        ),
        (
            "no name",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":null}}],"tool_choice":{"type":"function","function":{"name":null}}}"#,
        ),
        (
            "a name on V1, where nothing is known",
            r#"{"model":"moonshot-v1-8k","messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
        ),
        (
            "K2.5 accepts a name while thinking is disabled",
            r#"{"model":"kimi-k2.5","messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}},"thinking":{"type":"disabled"}}"#,
        ),
    ]);
}

#[test]
fn the_forms_of_other_apis_are_translated() {
    changes(&[
        (
            "Anthropic's any",
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":{"type":"any","disable_parallel_tool_use":true}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
            &[(Rule::ToolChoice, "/tool_choice", PLAIN)],
        ),
        (
            "the word any",
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"any"}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
            &[(Rule::ToolChoice, "/tool_choice", DIALECT)],
        ),
        (
            "where required is refused",
            r#"{"model":"moonshot-v1-8k","messages":[],"tools":[{}],"tool_choice":"any"}"#,
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"user","content":"Please select a tool to handle the current issue."}],"tools":[{}]}"#,
            &[
                (Rule::ToolChoice, "/tool_choice", REFUSED),
                (Rule::ToolChoice, "/messages/-", ASKS),
            ],
        ),
        (
            "Anthropic's name",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}],"tool_choice":{"type":"tool","name":"g"}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            &[
                (Rule::ToolChoice, "/tools/0", ONLY_NAMED),
                (Rule::ToolChoice, "/tool_choice", ONE_LEFT),
            ],
        ),
        (
            "the name and the tools of the Responses API",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"type":"function","name":"f"},{"type":"function","name":"g"}],"tool_choice":{"type":"function","name":"g"}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"type":"function","function":{"name":"g"}}],"tool_choice":"required"}"#,
            &[
                (Rule::ToolChoice, "/tools/0", ONLY_NAMED),
                (Rule::ToolChoice, "/tool_choice", ONE_LEFT),
                (
                    Rule::Tools,
                    "/tools/1",
                    "the name and parameters of a tool belong in function",
                ),
            ],
        ),
        (
            "a name without a type",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}],"tool_choice":{"function":{"name":"g"}}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            &[
                (Rule::ToolChoice, "/tools/0", ONLY_NAMED),
                (Rule::ToolChoice, "/tool_choice", ONE_LEFT),
            ],
        ),
        (
            "a name that stays gets the documented form and keeps its escapes",
            r#"{"model":"moonshot-v1-8k","messages":[],"tool_choice" : {"name":"\u0066","type":"tool"}, "tools":[{"function":{"name":"f"}},{}]}"#,
            r#"{"model":"moonshot-v1-8k","messages":[],"tool_choice" : {"type":"function","function":{"name":"\u0066"}}, "tools":[{"function":{"name":"f"}},{}]}"#,
            &[(Rule::ToolChoice, "/tool_choice", DIALECT)],
        ),
        (
            "on K2.6 while thinking is disabled",
            r#"{"model":"kimi-k2.6","messages":[],"tools":[{"function":{"name":"f"}},{}],"thinking":{"type":"disabled"},"tool_choice":{"function":{"name":"f"}}}"#,
            r#"{"model":"kimi-k2.6","messages":[],"tools":[{"function":{"name":"f"}},{}],"thinking":{"type":"disabled"},"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
            &[(Rule::ToolChoice, "/tool_choice", DIALECT)],
        ),
        (
            "the allowed tools stay, and one of them is required",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"h"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"h"}},{"type":"function","function":{"name":"\u0067"}},{"type":"function","function":{"name":"i"}},7]}}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"g"}},{"function":{"name":"h"}}],"tool_choice":"required"}"#,
            &[
                (Rule::ToolChoice, "/tools/0", ONLY_ALLOWED),
                (Rule::ToolChoice, "/tool_choice", ALLOWED_LEFT),
            ],
        ),
        (
            "allowed tools in the form of the Responses API",
            r#"{"model":"moonshot-v1-8k","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"g"}]}}"#,
            r#"{"model":"moonshot-v1-8k","messages":[],"tools":[{"function":{"name":"g"}}],"tool_choice":"auto"}"#,
            &[
                (Rule::ToolChoice, "/tools/0", ONLY_ALLOWED),
                (Rule::ToolChoice, "/tool_choice", ALLOWED_LEFT),
            ],
        ),
        (
            "the allowed tools where required is refused",
            r#"{"model":"kimi-k2.7","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"function":{"name":"g"}}]}}}"#,
            r#"{"model":"kimi-k2.7","messages":[{"role":"user","content":"Please select a tool to handle the current issue."}],"tools":[{"function":{"name":"g"}}]}"#,
            &[
                (Rule::ToolChoice, "/tools/0", ONLY_ALLOWED),
                (Rule::ToolChoice, "/tool_choice", REFUSED),
                (Rule::ToolChoice, "/messages/-", ASKS),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "a name that is not among the tools",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"tool","name":"g"}}"#,
        ),
        (
            "no allowed tool is among the tools",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"g"}}]}}}"#,
        ),
        (
            "no mode",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"tools":[{"function":{"name":"f"}}]}}}"#,
        ),
        (
            "no list of tools",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto"}}}"#,
        ),
    ]);
}

#[test]
fn tools_in_system_messages_stay() {
    leaves_alone(&[
        (
            "required",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tool_choice":"required"}"#,
        ),
        (
            "auto, beside an empty list",
            r#"{"model":"kimi-k3","messages":[{"role":"user","content":"a"},{"role":"system","content":"","tools":[{"function":{"name":"f"}}]}],"tools":[],"tool_choice":"auto"}"#,
        ),
        (
            "a name that no tool has",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
        ),
    ]);
    changes(&[
        (
            "a name becomes required",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}],"tool_choice":"required"}"#,
            &[(Rule::ToolChoice, "/tool_choice", OTHERS_LEFT)],
        ),
        (
            "the name of the only tool",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tool_choice":{"type":"tool","name":"f"}}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tool_choice":"required"}"#,
            &[(Rule::ToolChoice, "/tool_choice", ONE_LEFT)],
        ),
        (
            "beside tools of the request",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tools":[{"function":{"name":"g"}}],"tool_choice":{"function":{"name":"f"}}}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            &[(Rule::ToolChoice, "/tool_choice", OTHERS_LEFT)],
        ),
        (
            "a tool of the request, beside tools in a message",
            r#"{"model":"kimi-k3","messages":[{"role":"developer","tools":[{"function":{"name":"f"}}]}],"tools":[{"function":{"name":"g"}}],"tool_choice":{"function":{"name":"g"}}}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            &[
                (Rule::ToolChoice, "/tool_choice", OTHERS_LEFT),
                (
                    Rule::Role,
                    "/messages/0/role",
                    "Moonshot calls this role system",
                ),
            ],
        ),
        (
            "allowed tools",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"function":{"name":"f"}}]}}}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}],"tool_choice":"auto"}"#,
            &[(
                Rule::ToolChoice,
                "/tool_choice",
                "Moonshot does not know allowed_tools; other tools remain",
            )],
        ),
    ]);
}

#[test]
fn only_the_choice_is_removed_if_that_is_the_policy() {
    changes_with(
        &layer().with_tool_choice_policy(ToolChoicePolicy::Auto),
        &[
            (
                "required",
                r#"{"tools":[{}],"tool_choice":"required","messages":[null]}"#,
                r#"{"tools":[{}],"messages":[null]}"#,
                &[(Rule::ToolChoice, "/tool_choice", REFUSED)],
            ),
            (
                "a name",
                r#"{"model":"kimi-k2.7","tools":[{},{"function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}},"messages":[null]}"#,
                r#"{"model":"kimi-k2.7","tools":[{"function":{"name":"f"}}],"messages":[null]}"#,
                &[
                    (Rule::ToolChoice, "/tools/0", ONLY_NAMED),
                    (Rule::ToolChoice, "/tool_choice", REFUSED),
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
                "another temperature is then accepted, and the effort is removed",
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"required","reasoning_effort":"high","temperature":1}"#,
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"required","thinking":{"type":"disabled"}}"#,
                &[
                    (Rule::ToolChoice, "/thinking", NOT_WHILE_THINKING),
                    (
                        Rule::ToolChoice,
                        "/reasoning_effort",
                        "thinking was disabled for the forced choice",
                    ),
                    (
                        Rule::Sampling,
                        "/temperature",
                        "only 0.6 is accepted while thinking is disabled",
                    ),
                ],
            ),
            (
                "thinking was enabled; the temperature 0.6 stays",
                r#"{"model":"kimi-k2.5","thinking":{"type":"enabled","keep":"all"},"temperature":0.6,"messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
                r#"{"model":"kimi-k2.5","thinking":{"type":"disabled"},"temperature":0.6,"messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
                &[
                    (
                        Rule::Thinking,
                        "/thinking/keep",
                        "the model does not support thinking.keep",
                    ),
                    (Rule::ToolChoice, "/thinking", NOT_WHILE_THINKING),
                ],
            ),
            (
                "not for tools in messages: earlier messages would change",
                r#"{"model":"kimi-k2.6","tool_choice":"required","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}]}"#,
                r#"{"model":"kimi-k2.6","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]},{"role":"user","content":"Please select a tool to handle the current issue."}]}"#,
                &[
                    (Rule::ToolChoice, "/tool_choice", NOT_WHILE_THINKING),
                    (Rule::ToolChoice, "/messages/-", ASKS),
                ],
            ),
            (
                "K2.7, whose thinking can't be disabled",
                r#"{"model":"kimi-k2.7","messages":[null],"tools":[{}],"tool_choice":"required"}"#,
                r#"{"model":"kimi-k2.7","messages":[null,{"role":"user","content":"Please select a tool to handle the current issue."}],"tools":[{}]}"#,
                &[
                    (Rule::ToolChoice, "/tool_choice", REFUSED),
                    (Rule::ToolChoice, "/messages/-", ASKS),
                ],
            ),
        ],
    );
    leaves_alone_with(
        &layer,
        &[
            (
                "no forced choice",
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"auto"}"#,
            ),
            (
                "a name that is not among the tools",
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
            ),
            (
                "K3 accepts it",
                r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
            ),
        ],
    );
}
