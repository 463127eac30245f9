//! `tools`.

use tower_moonshot::Rule;

use super::{changes, layer, leaves_alone, rewrite};

#[test]
fn a_flat_tool_is_nested_and_its_members_keep_their_bytes() {
    const NESTED: &[(Rule, &str)] = &[(Rule::Tools, "/tools/0")];
    changes(&[
        (
            "the usual order",
            r#"{"messages":[],"tools":[{"type":"function","name":"f","description":"x","parameters":{"type":"object","properties":{}},"strict":true}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","description":"x","parameters":{"type":"object","properties":{}},"strict":true}}]}"#,
            NESTED,
        ),
        (
            "what is in between comes first, what else there is stays where it is",
            r#"{"messages":[],"tools":[{"x":1, "n\u0061me":"f" ,"type":"function", "cache_control":{"a":[1,2]},"parameters":{"type":"object"} ,"defer_loading":true}]}"#,
            r#"{"messages":[],"tools":[{"x":1, "type":"function","cache_control":{"a":[1,2]},"function":{"n\u0061me":"f" ,"parameters":{"type":"object"}} ,"defer_loading":true}]}"#,
            NESTED,
        ),
        (
            "nothing but a name, indented",
            "{\"messages\":[],\"tools\":[\n  {\n    \"type\": \"function\",\n    \"name\": \"f\"\n  }\n]}",
            "{\"messages\":[],\"tools\":[\n  {\n    \"type\": \"function\",\n    \"function\":{\"name\": \"f\"}\n  }\n]}",
            NESTED,
        ),
        (
            "the type last, and parameters that are twice there",
            r#"{"messages":[],"tools":[{"parameters":{},"name":"f","parameters":{"type":"object"},"type":"function"}]}"#,
            r#"{"messages":[],"tools":[{"function":{"parameters":{},"name":"f","parameters":{"type":"object"}},"type":"function"}]}"#,
            NESTED,
        ),
        (
            "a schema is repaired as well",
            r#"{"messages":[],"tools":[{"name":"f","type":"function","parameters":{"properties":{}}}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
            &[
                (Rule::ToolSchema, "/tools/0/parameters/type"),
                (Rule::Tools, "/tools/0"),
            ],
        ),
        (
            "of two that are repaired the first is removed",
            r#"{"messages":[],"tools":[{"parameters":{},"x":1,"type":"function","parameters":{"properties":{}},"name":"f"}]}"#,
            r#"{"messages":[],"tools":[{"x":1,"type":"function","function":{"parameters":{"type":"object","properties":{}},"name":"f"}}]}"#,
            &[
                (Rule::ToolSchema, "/tools/0/parameters/type"),
                (Rule::Tools, "/tools/0"),
            ],
        ),
        (
            "in a system message",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"type":"function","function":{"name":"e"}},{"type":"function","name":"f"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"type":"function","function":{"name":"e"}},{"type":"function","function":{"name":"f"}}]}]}"#,
            &[(Rule::Tools, "/messages/0/tools/1")],
        ),
    ]);
    leaves_alone(&[
        (
            "nested already",
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f"},"name":"g"}]}"#,
        ),
        (
            "a function that is null is no flat tool",
            r#"{"messages":[],"tools":[{"type":"function","function":null,"name":"g"}]}"#,
        ),
        (
            "another type, or none",
            r#"{"messages":[],"tools":[{"type":"custom","name":"f","parameters":{}},{"name":"g","parameters":null},{"type":"web_search"}]}"#,
        ),
        (
            "no name",
            r#"{"messages":[],"tools":[{"type":"function","name":7,"parameters":{}},{"type":"function","parameters":null}]}"#,
        ),
        (
            "no tools, and no objects",
            r#"{"messages":[],"tools":[null,"f",[{"type":"function","name":"f"}]]}"#,
        ),
        (
            "in another message than the system's",
            r#"{"messages":[{"role":"user","content":"a","tools":[{"type":"function","name":"f","parameters":{}}]}]}"#,
        ),
    ]);
}

#[test]
fn parameters_that_are_null_become_a_schema() {
    changes(&[
        (
            "of the request",
            r#"{"messages":[],"tools":[{"function":{"name":"f","parameters": null }}]}"#,
            r#"{"messages":[],"tools":[{"function":{"name":"f","parameters": {"type":"object","properties":{}} }}]}"#,
            &[(Rule::Tools, "/tools/0/function/parameters")],
        ),
        (
            "of a flat tool",
            r#"{"messages":[],"tools":[{"type":"function","name":"f","parameters":null}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
            &[
                (Rule::Tools, "/tools/0"),
                (Rule::Tools, "/tools/0/parameters"),
            ],
        ),
        (
            "of a tool in a system message",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f","parameters":null}}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}]}"#,
            &[(Rule::Tools, "/messages/0/tools/0/function/parameters")],
        ),
    ]);
    leaves_alone(&[(
        "absent, of another type, or null and not the last",
        r#"{"messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g","parameters":[]}},{"function":{"name":"h","parameters":null,"parameters":{"type":"object"}}}]}"#,
    )]);
}

#[test]
fn a_tool_that_is_equal_to_an_earlier_one_is_removed() {
    const SECOND: &[(Rule, &str)] = &[(Rule::Tools, "/tools/1")];
    changes(&[
        (
            "to the byte",
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"f"}},{"function":{"name":"g"}}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f"}},{"function":{"name":"g"}}]}"#,
            SECOND,
        ),
        (
            "order, escapes, numbers and white space aside",
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","minProperties":10}}},{ "function":{"parameters":{"minProperties":1.0e1,"type":"object"},"n\u0061me":"\u0066"},"type":"function"}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","minProperties":10}}}]}"#,
            SECOND,
        ),
        (
            "several, and others between",
            r#"{"messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"f"}},{"function":{"name":"f","strict":true}},{"function":{"name":"g"}},{"function":{"name":"f"}}]}"#,
            r#"{"messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"f","strict":true}}]}"#,
            &[
                (Rule::Tools, "/tools/2"),
                (Rule::Tools, "/tools/4"),
                (Rule::Tools, "/tools/5"),
            ],
        ),
        (
            "once both are nested",
            r#"{"messages":[],"tools":[{"type":"function","name":"f","parameters":null},{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
            &[
                (Rule::Tools, "/tools/0"),
                (Rule::Tools, "/tools/0/parameters"),
                (Rule::Tools, "/tools/1"),
            ],
        ),
        (
            "once the schema of one is repaired",
            r#"{"messages":[],"tools":[{"function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"function":{"name":"f","parameters":{"properties":{}}}}]}"#,
            r#"{"messages":[],"tools":[{"function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
            &[
                (Rule::ToolSchema, "/tools/1/function/parameters/type"),
                (Rule::Tools, "/tools/1"),
            ],
        ),
        (
            "once no other tool is left",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":"required"}"#,
            &[
                (Rule::ToolChoice, "/tools/1"),
                (Rule::ToolChoice, "/tool_choice"),
                (Rule::Tools, "/tools/2"),
            ],
        ),
        (
            "in one system message",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}},{"function":{"name":"f"}}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}]}"#,
            &[(Rule::Tools, "/messages/0/tools/1")],
        ),
    ]);
    leaves_alone(&[
        (
            "different ones of one name",
            r#"{"messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"f","description":"x"}},{"type":"function","function":{"name":"f"}}]}"#,
        ),
        (
            "equal ones without a name",
            r#"{"messages":[],"tools":[{},{},{"function":{"name":1}},{"function":{"name":1}},1,1]}"#,
        ),
        (
            "numbers that are not the same",
            r#"{"messages":[],"tools":[{"function":{"name":"f"},"x":9007199254740993},{"function":{"name":"f"},"x":9007199254740992}]}"#,
        ),
        (
            "in two places",
            r#"{"model":"kimi-k3","tools":[{"function":{"name":"f"}}],"messages":[{"role":"system","tools":[{"function":{"name":"f"}}]},{"role":"system","tools":[{"function":{"name":"f"}}]}]}"#,
        ),
    ]);
}

#[test]
fn what_was_rewritten_once_is_not_rewritten_again() {
    for body in [
        r#"{"messages":[],"tools":[{"x":1,"name":"f","type":"function","parameters":null,"y":2},{"type":"function","name":"f","y":2,"x":1,"parameters":{"type":"object","properties":{}}}]}"#,
        r#"{"messages":[],"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{"a":true}}},{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{}}}}}]}"#,
    ] {
        let (once, report) = rewrite(&layer(), body);
        assert!(report.to_string().contains("tools at /tools/1"), "{report}");
        let (twice, report) = rewrite(&layer(), String::leak(once.clone()));
        assert_eq!((twice, report.changes()), (once, &[][..]));
    }
}
