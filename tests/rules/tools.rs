//! The rule `tools`.

use tower_moonshot::Rule;

use super::{changes, layer, leaves_alone, rewrite};

const IN_FUNCTION: &str = "the name and parameters of a tool belong in function";
const ROOT_TYPE: &str = "the parameters of a tool are an object";
const A_SCHEMA: &str = "parameters must be a schema";
const EQUAL: &str = "the tool is equal to an earlier one";

#[test]
fn a_flat_tool_is_nested_and_its_members_keep_their_bytes() {
    changes(&[
        (
            "the usual order",
            r#"{"messages":[],"tools":[{"type":"function","name":"f","description":"x","parameters":{"type":"object","properties":{}},"strict":true}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","description":"x","parameters":{"type":"object","properties":{}},"strict":true}}]}"#,
            &[(Rule::Tools, "/tools/0", IN_FUNCTION)],
        ),
        (
            "other members in between are moved to the front, all others stay",
            r#"{"messages":[],"tools":[{"x":1, "n\u0061me":"f" ,"type":"function", "cache_control":{"a":[1,2]},"parameters":{"type":"object"} ,"defer_loading":true}]}"#,
            r#"{"messages":[],"tools":[{"x":1, "type":"function","cache_control":{"a":[1,2]},"function":{"n\u0061me":"f" ,"parameters":{"type":"object"}} ,"defer_loading":true}]}"#,
            &[(Rule::Tools, "/tools/0", IN_FUNCTION)],
        ),
        (
            "only a name, indented",
            "{\"messages\":[],\"tools\":[\n  {\n    \"type\": \"function\",\n    \"name\": \"f\"\n  }\n]}",
            "{\"messages\":[],\"tools\":[\n  {\n    \"type\": \"function\",\n    \"function\":{\"name\": \"f\"}\n  }\n]}",
            &[(Rule::Tools, "/tools/0", IN_FUNCTION)],
        ),
        (
            "the type last, and repeated parameters",
            r#"{"messages":[],"tools":[{"parameters":{},"name":"f","parameters":{"type":"object"},"type":"function"}]}"#,
            r#"{"messages":[],"tools":[{"function":{"parameters":{},"name":"f","parameters":{"type":"object"}},"type":"function"}]}"#,
            &[(Rule::Tools, "/tools/0", IN_FUNCTION)],
        ),
        (
            "a schema is repaired as well",
            r#"{"messages":[],"tools":[{"name":"f","type":"function","parameters":{"properties":{}}}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
            &[
                (Rule::ToolSchema, "/tools/0/parameters/type", ROOT_TYPE),
                (Rule::Tools, "/tools/0", IN_FUNCTION),
            ],
        ),
        (
            "repeated parameters that are repaired",
            r#"{"messages":[],"tools":[{"parameters":{},"x":1,"type":"function","parameters":{"properties":{}},"name":"f"}]}"#,
            r#"{"messages":[],"tools":[{"x":1,"type":"function","function":{"parameters":{"type":"object","properties":{}},"name":"f"}}]}"#,
            &[
                (Rule::ToolSchema, "/tools/0/parameters/type", ROOT_TYPE),
                (Rule::Tools, "/tools/0", IN_FUNCTION),
            ],
        ),
        (
            "in a system message",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"type":"function","function":{"name":"e"}},{"type":"function","name":"f"}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"type":"function","function":{"name":"e"}},{"type":"function","function":{"name":"f"}}]}]}"#,
            &[(Rule::Tools, "/messages/0/tools/1", IN_FUNCTION)],
        ),
    ]);
    leaves_alone(&[
        (
            "already nested",
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f"},"name":"g"}]}"#,
        ),
        (
            "a null function",
            r#"{"messages":[],"tools":[{"type":"function","function":null,"name":"g"}]}"#,
        ),
        (
            "another type, or no type",
            r#"{"messages":[],"tools":[{"type":"custom","name":"f","parameters":{}},{"name":"g","parameters":null},{"type":"web_search"}]}"#,
        ),
        (
            "no name",
            r#"{"messages":[],"tools":[{"type":"function","name":7,"parameters":{}},{"type":"function","parameters":null}]}"#,
        ),
        (
            "elements that are not objects",
            r#"{"messages":[],"tools":[null,"f",[{"type":"function","name":"f"}]]}"#,
        ),
        (
            "in a message of another role",
            r#"{"messages":[{"role":"user","content":"a","tools":[{"type":"function","name":"f","parameters":{}}]}]}"#,
        ),
    ]);
}

#[test]
fn parameters_that_are_null_become_a_schema() {
    changes(&[
        (
            "in a nested tool",
            r#"{"messages":[],"tools":[{"function":{"name":"f","parameters": null }}]}"#,
            r#"{"messages":[],"tools":[{"function":{"name":"f","parameters": {"type":"object","properties":{}} }}]}"#,
            &[(Rule::Tools, "/tools/0/function/parameters", A_SCHEMA)],
        ),
        (
            "in a flat tool",
            r#"{"messages":[],"tools":[{"type":"function","name":"f","parameters":null}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
            &[
                (Rule::Tools, "/tools/0", IN_FUNCTION),
                (Rule::Tools, "/tools/0/parameters", A_SCHEMA),
            ],
        ),
        (
            "in a tool of a system message",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f","parameters":null}}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}]}"#,
            &[(
                Rule::Tools,
                "/messages/0/tools/0/function/parameters",
                A_SCHEMA,
            )],
        ),
    ]);
    leaves_alone(&[(
        "absent, of another type, or null before a later member",
        r#"{"messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g","parameters":[]}},{"function":{"name":"h","parameters":null,"parameters":{"type":"object"}}}]}"#,
    )]);
}

#[test]
fn a_tool_that_is_equal_to_an_earlier_one_is_removed() {
    changes(&[
        (
            "with the same bytes",
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"f"}},{"function":{"name":"g"}}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f"}},{"function":{"name":"g"}}]}"#,
            &[(Rule::Tools, "/tools/1", EQUAL)],
        ),
        (
            "with another order, escapes, numbers and white space",
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","minProperties":10}}},{ "function":{"parameters":{"minProperties":1.0e1,"type":"object"},"n\u0061me":"\u0066"},"type":"function"}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","minProperties":10}}}]}"#,
            &[(Rule::Tools, "/tools/1", EQUAL)],
        ),
        (
            "several, with others in between",
            r#"{"messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"f"}},{"function":{"name":"f","strict":true}},{"function":{"name":"g"}},{"function":{"name":"f"}}]}"#,
            r#"{"messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"f","strict":true}}]}"#,
            &[
                (Rule::Tools, "/tools/2", EQUAL),
                (Rule::Tools, "/tools/4", EQUAL),
                (Rule::Tools, "/tools/5", EQUAL),
            ],
        ),
        (
            "after both are nested",
            r#"{"messages":[],"tools":[{"type":"function","name":"f","parameters":null},{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
            &[
                (Rule::Tools, "/tools/0", IN_FUNCTION),
                (Rule::Tools, "/tools/0/parameters", A_SCHEMA),
                (Rule::Tools, "/tools/1", EQUAL),
            ],
        ),
        (
            "after a schema is repaired",
            r#"{"messages":[],"tools":[{"function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"function":{"name":"f","parameters":{"properties":{}}}}]}"#,
            r#"{"messages":[],"tools":[{"function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#,
            &[
                (
                    Rule::ToolSchema,
                    "/tools/1/function/parameters/type",
                    ROOT_TYPE,
                ),
                (Rule::Tools, "/tools/1", EQUAL),
            ],
        ),
        (
            "after the other tools are removed",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":"required"}"#,
            &[
                (
                    Rule::ToolChoice,
                    "/tools/1",
                    "only the named tool may be called",
                ),
                (
                    Rule::ToolChoice,
                    "/tool_choice",
                    "the named tool is the only one left",
                ),
                (Rule::Tools, "/tools/2", EQUAL),
            ],
        ),
        (
            "in one system message",
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}},{"function":{"name":"f"}}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"system","tools":[{"function":{"name":"f"}}]}]}"#,
            &[(Rule::Tools, "/messages/0/tools/1", EQUAL)],
        ),
    ]);
    leaves_alone(&[
        (
            "different tools of one name",
            r#"{"messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"f","description":"x"}},{"type":"function","function":{"name":"f"}}]}"#,
        ),
        (
            "equal tools without a name",
            r#"{"messages":[],"tools":[{},{},{"function":{"name":1}},{"function":{"name":1}},1,1]}"#,
        ),
        (
            "different numbers that are the same double",
            r#"{"messages":[],"tools":[{"function":{"name":"f"},"x":9007199254740993},{"function":{"name":"f"},"x":9007199254740992}]}"#,
        ),
        (
            "equal tools in two places",
            r#"{"model":"kimi-k3","tools":[{"function":{"name":"f"}}],"messages":[{"role":"system","tools":[{"function":{"name":"f"}}]},{"role":"system","tools":[{"function":{"name":"f"}}]}]}"#,
        ),
    ]);
}

#[test]
fn a_second_rewrite_changes_nothing() {
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
