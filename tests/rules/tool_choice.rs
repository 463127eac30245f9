//! `tool_choice`.

use tower_moonshot::{Rule, ToolChoicePolicy};

use super::{changes, changes_with, layer, leaves_alone, leaves_alone_with, rewrite};

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
        (
            "a name, in whatever form",
            r#"{"model":"kimi-k3","messages":[],"tool_choice":{"type":"tool","name":"f"}}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            CHOICE,
        ),
        (
            "any, and a list",
            r#"{"model":"moonshot-v1-8k","messages":[],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}}"#,
            r#"{"model":"moonshot-v1-8k","messages":[]}"#,
            CHOICE,
        ),
        (
            "none on K3 with an empty list",
            r#"{"model":"kimi-k3","messages":[],"tools":[],"tool_choice":"none"}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[]}"#,
            CHOICE,
        ),
        (
            "none on K2.6",
            r#"{"model":"kimi-k2.6","messages":[],"tool_choice":"none"}"#,
            r#"{"model":"kimi-k2.6","messages":[]}"#,
            CHOICE,
        ),
        (
            "on K3 a word is plain even so",
            r#"{"model":"kimi-k3","messages":[],"tool_choice":{"type":"auto"}}"#,
            r#"{"model":"kimi-k3","messages":[],"tool_choice":"auto"}"#,
            CHOICE,
        ),
        (
            "only system messages have tools",
            r#"{"model":"kimi-k3","messages":[{"role":"user","content":"a","tools":[{"function":{"name":"f"}}]},{"role":"system","tools":[]},{"role":"system","tools":null}],"tool_choice":"required"}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"user","content":"a","tools":[{"function":{"name":"f"}}]},{"role":"system","tools":[]},{"role":"system","tools":null,"content":" "}]}"#,
            &[
                (Rule::ToolChoice, "/tool_choice"),
                (Rule::EmptyContent, "/messages/2/content"),
            ],
        ),
    ]);
    leaves_alone(&[
        ("no choice either", r#"{"messages":[],"tool_choice":null}"#),
        (
            "K3 takes auto without tools",
            r#"{"model":"kimi-k3","messages":[],"tool_choice":"auto"}"#,
        ),
        (
            "and none, and null is no field",
            r#"{"model":"k3","messages":[],"tools":null,"tool_choice":"none"}"#,
        ),
        (
            "no known word",
            r#"{"messages":[],"tool_choice":"perhaps"}"#,
        ),
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
            r#"{"messages":[],"tools":[{}],"tool_choice":"perhaps"}"#,
        ),
        (
            "no known type",
            r#"{"messages":[],"tools":[{}],"tool_choice":{"type":"custom","name":"f"}}"#,
        ),
        (
            "a name alone",
            r#"{"messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"name":"f"}}"#,
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
fn the_forms_of_other_apis_mean_what_they_mean_there() {
    const CHOICE: &[(Rule, &str)] = &[(Rule::ToolChoice, "/tool_choice")];
    const ASKED: &[(Rule, &str)] = &[
        (Rule::ToolChoice, "/tool_choice"),
        (Rule::ToolChoice, "/messages/-"),
    ];
    const ONLY: &[(Rule, &str)] = &[
        (Rule::ToolChoice, "/tools/0"),
        (Rule::ToolChoice, "/tool_choice"),
    ];
    changes(&[
        (
            "Anthropic's any",
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":{"type":"any","disable_parallel_tool_use":true}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
            CHOICE,
        ),
        (
            "the word",
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"any"}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
            CHOICE,
        ),
        (
            "where required is refused",
            r#"{"model":"moonshot-v1-8k","messages":[],"tools":[{}],"tool_choice":"any"}"#,
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"user","content":"Please select a tool to handle the current issue."}],"tools":[{}]}"#,
            ASKED,
        ),
        (
            "Anthropic's name",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}],"tool_choice":{"type":"tool","name":"g"}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            ONLY,
        ),
        (
            "the name of the Responses API, among its tools",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"type":"function","name":"f"},{"type":"function","name":"g"}],"tool_choice":{"type":"function","name":"g"}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"type":"function","function":{"name":"g"}}],"tool_choice":"required"}"#,
            &[
                (Rule::ToolChoice, "/tools/0"),
                (Rule::ToolChoice, "/tool_choice"),
                (Rule::Tools, "/tools/1"),
            ],
        ),
        (
            "a name without a type",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}],"tool_choice":{"function":{"name":"g"}}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            ONLY,
        ),
        (
            "a name where names stay is one of the documented form, spelled as it was",
            r#"{"model":"moonshot-v1-8k","messages":[],"tool_choice" : {"name":"\u0066","type":"tool"}, "tools":[{"function":{"name":"f"}},{}]}"#,
            r#"{"model":"moonshot-v1-8k","messages":[],"tool_choice" : {"type":"function","function":{"name":"\u0066"}}, "tools":[{"function":{"name":"f"}},{}]}"#,
            CHOICE,
        ),
        (
            "while K2.6 doesn't think",
            r#"{"model":"kimi-k2.6","messages":[],"tools":[{"function":{"name":"f"}},{}],"thinking":{"type":"disabled"},"tool_choice":{"function":{"name":"f"}}}"#,
            r#"{"model":"kimi-k2.6","messages":[],"tools":[{"function":{"name":"f"}},{}],"thinking":{"type":"disabled"},"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
            CHOICE,
        ),
        (
            "the allowed tools stay, and one of them is required",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"h"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"h"}},{"type":"function","function":{"name":"\u0067"}},{"type":"function","function":{"name":"i"}},7]}}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"g"}},{"function":{"name":"h"}}],"tool_choice":"required"}"#,
            ONLY,
        ),
        (
            "the allowed tools in the form of the Responses API, on a model that knows no list either",
            r#"{"model":"moonshot-v1-8k","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"g"}]}}"#,
            r#"{"model":"moonshot-v1-8k","messages":[],"tools":[{"function":{"name":"g"}}],"tool_choice":"auto"}"#,
            ONLY,
        ),
        (
            "the allowed tools where required is refused",
            r#"{"model":"kimi-k2.7","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"function":{"name":"g"}}]}}}"#,
            r#"{"model":"kimi-k2.7","messages":[{"role":"user","content":"Please select a tool to handle the current issue."}],"tools":[{"function":{"name":"g"}}]}"#,
            &[
                (Rule::ToolChoice, "/tools/0"),
                (Rule::ToolChoice, "/tool_choice"),
                (Rule::ToolChoice, "/messages/-"),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "a name that is not there",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"tool","name":"g"}}"#,
        ),
        (
            "no allowed tool is there",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"g"}}]}}}"#,
        ),
        (
            "no mode",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"tools":[{"function":{"name":"f"}}]}}}"#,
        ),
        (
            "no list",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto"}}}"#,
        ),
    ]);
}

#[test]
fn tools_in_system_messages_can_be_required_and_stay() {
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
            "a name that is nowhere",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
        ),
    ]);
    for (why, body, expected, reported) in [
        (
            "a name becomes required",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}],"tool_choice":"required"}"#,
            "the model takes no name; other tools remain",
        ),
        (
            "the only one",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tool_choice":{"type":"tool","name":"f"}}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tool_choice":"required"}"#,
            "the only tool left is the named one",
        ),
        (
            "beside tools of the request",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tools":[{"function":{"name":"g"}}],"tool_choice":{"function":{"name":"f"}}}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            "the model takes no name; other tools remain",
        ),
        (
            "one of the request beside tools in a message",
            r#"{"model":"kimi-k3","messages":[{"role":"developer","tools":[{"function":{"name":"f"}}]}],"tools":[{"function":{"name":"g"}}],"tool_choice":{"function":{"name":"g"}}}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            "the model takes no name; other tools remain",
        ),
        (
            "a list",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"function":{"name":"f"}}]}}}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}],"tool_choice":"auto"}"#,
            "the model takes no list; other tools remain",
        ),
    ] {
        let (sent, report) = rewrite(&layer(), body);
        assert_eq!(sent, expected, "{why}");
        let change = &report.changes()[0];
        assert_eq!(change.pointer(), "/tool_choice", "{why}");
        assert_eq!(change.why(), reported, "{why}");
    }
}

#[test]
fn the_model_may_choose_if_that_is_the_policy() {
    changes_with(
        &layer().with_tool_choice(ToolChoicePolicy::Auto),
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
    let layer = layer().with_tool_choice(ToolChoicePolicy::DisableThinking);
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
