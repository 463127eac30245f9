//! `tools` and `tool_choice`.

use serde_json::json;

use super::harness::*;

#[test]
fn functions_have_proper_names() {
    for name in ["", "1st", "_x", "get weather", "a.b", "$web_search"] {
        refuses(
            &ALL,
            json!({"tools": [tool(name, json!({"type": "object"}))]}),
            "Invalid request: function name is invalid, must start with a letter and can contain \
             letters, numbers, underscores, and dashes",
        );
    }
    refuses(
        &ALL,
        json!({"tools": [clock(), weather(), clock()]}),
        "function name clock is duplicated",
    );
    accepts(
        &ALL,
        json!({"tools": [
            clock(), weather(), {"type": "function", "function": {"name": "bare"}},
            {"type": "builtin_function", "function": {"name": "$web_search"}},
        ]}),
    );
    for broken in [
        json!("x"),
        json!({"type": "function"}),
        json!({"function": {"name": "f"}}),
        json!({"type": "retrieval", "function": {"name": "f"}}),
        json!({"type": "function", "function": {"name": 5}}),
    ] {
        refuses_naming(&ALL, json!({"tools": [broken]}), "");
    }
}

#[test]
fn names_of_functions_have_up_to_256_characters() {
    let of_length =
        |length| json!({"tools": [tool(&"x".repeat(length), json!({"type": "object"}))]});
    accepts(&ALL, of_length(256));
    refuses_naming(&ALL, of_length(257), "256");
}

#[test]
fn there_may_be_many_tools() {
    let tools = (0..140).map(|i| tool(&format!("f{i}"), json!({"type": "object"})));
    accepts(&ALL, json!({"tools": tools.collect::<Vec<_>>()}));
}

#[test]
fn parameters_are_of_moonshots_dialect() {
    for root in [
        json!(null),
        json!({}),
        json!({"type": "array"}),
        json!({"type": ["object"]}),
        json!([]),
        json!("x"),
    ] {
        refuses(
            &ALL,
            json!({"tools": [tool("f", root)]}),
            "tools.function.parameters.type is required and must be \"object\"",
        );
    }
    let broken = json!({"type": "object", "properties": {"a": {"enum": ["x"]}}});
    refuses(
        &ALL,
        json!({"tools": [clock(), tool("f", broken)]}),
        "Invalid request: tools.function.parameters is not a valid moonshot flavored json schema, \
         details: <At path 'properties.a': type is not defined>",
    );
}

#[test]
fn a_tool_choice_has_a_known_form() {
    let function = json!({"name": "clock"});
    for choice in [
        json!("any"),
        json!(""),
        json!(true),
        json!({"type": "auto"}),
        json!({"type": "required"}),
        json!({"type": "any"}),
        json!({"type": "tool", "name": "clock"}),
        json!({"type": "function", "name": "clock"}),
        json!({"type": "function", "function": {}}),
        json!({"type": "function", "function": "clock"}),
        json!({"type": "custom", "function": function}),
        json!({"function": function}),
        json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}),
    ] {
        let fields = json!({"tool_choice": choice, "tools": [clock()]});
        refuses_naming(&ALL, fields, "tool_choice");
    }
    for choice in [json!("auto"), json!("none"), json!(null)] {
        accepts(&ALL, json!({"tool_choice": choice, "tools": [clock()]}));
    }
}

#[test]
fn only_k3_takes_a_tool_choice_without_tools() {
    let k3 = [K3, K3_CODE];
    let others = &ALL[2..];
    for choice in ["auto", "none"] {
        accepts(&k3, json!({"tool_choice": choice}));
        accepts(&k3, json!({"tool_choice": choice, "tools": null}));
        refuses_naming(others, json!({"tool_choice": choice}), "tool_choice");
        let empty = json!({"tool_choice": choice, "tools": []});
        refuses_naming(&ALL, empty, "tool_choice");
    }
    for fields in [
        json!({"tool_choice": "required"}),
        json!({"tool_choice": "required", "tools": []}),
    ] {
        refuses_naming(&ALL, fields, "tool_choice");
    }
    let named = json!({"type": "function", "function": {"name": "clock"}});
    refuses_naming(others, json!({"tool_choice": named}), "tool_choice");
    accepts(&ALL, json!({"tool_choice": null}));
}

#[test]
fn a_tool_can_only_be_forced_where_the_model_allows_it() {
    let tools = json!([weather(), clock()]);
    let named = json!({"type": "function", "function": {"name": "clock"}});
    let required = json!({"tools": tools, "tool_choice": "required"});
    let specified = json!({"tools": tools, "tool_choice": named});
    refuses(
        &[K28, CODING, K27, K26, K25, K2_THINKING],
        required.clone(),
        "tool_choice 'required' is incompatible with thinking enabled",
    );
    refuses(
        &[K28, CODING, K27, K26, K25],
        specified.clone(),
        "tool_choice 'specified' is incompatible with thinking enabled",
    );
    refuses_naming(&SILENT, required.clone(), "tool_choice 'required'");
    accepts(&RANGE, specified.clone());
    accepts(&[K3, K3_CODE], required.clone());
    for mut fields in [required, specified] {
        fields["thinking"] = json!({"type": "disabled"});
        accepts(&SWITCHED, fields);
    }
    let stranger = json!({"type": "function", "function": {"name": "nobody"}});
    refuses_naming(
        &[K2, V1],
        json!({"tool_choice": stranger, "tools": [clock()]}),
        "nobody",
    );
}

#[test]
fn k3_ignores_a_named_choice() {
    for name in ["clock", "nobody"] {
        let named = json!({"type": "function", "function": {"name": name}});
        for tools in [json!([weather(), clock()]), json!([]), json!(null)] {
            let fields = json!({"tools": tools, "tool_choice": named});
            let answer = accepts(&[K3, K3_CODE], fields);
            assert_eq!(answer["choices"][0]["finish_reason"], "stop", "{name}");
        }
    }
}
