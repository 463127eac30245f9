//! Facts about tools, and about values of a wrong type anywhere.

use super::{
    Section,
    fact::Fact,
    grade::Grade::{Reported, Suite, Validator},
    models::ALL,
    table,
};
use crate::Rule;

table! { FACTS:
    TOOL_TYPE = Fact::refused("tool_type", ALL, "a tool of a type other than `function` and `builtin_function`, or of none")
        .with(r#"{"tools":[{"type":"custom","function":{"name":"f"}}]}"#)
        .says_like(
            "Invalid request: tool type '{}' is unknown, only function and builtin_function are \
             allowed",
            &["custom"],
        )
        .known(&[Suite]);
    TOOL_WITHOUT_FUNCTION = Fact::refused("tool_without_function", ALL, "a tool without a `function`")
        .with(r#"{"tools":[{"type":"function","name":"f"}]}"#)
        .says_like("Invalid request: a tool must have a function", &[])
        .known(&[Suite])
        .repaired_by(Rule::Tools);
    FUNCTION_NAME = Fact::refused("function_name", ALL, "a function name that does not match `[A-Za-z][A-Za-z0-9_-]*`, or none")
        .with(r#"{"tools":[{"type":"function","function":{"name":"1f"}}]}"#)
        .says(
            "Invalid request: function name is invalid, must start with a letter and can contain \
             letters, numbers, underscores, and dashes",
            &[],
        )
        .known(&[Reported, Suite]);
    FUNCTION_NAME_LONG = Fact::refused("function_name_long", ALL, "a function name over 256 characters")
        .with(r#"{"tools":[{"type":"function","function":{"name":"$LONG"}}]}"#)
        .says_like(
            "Invalid request: function name is invalid, must not be longer than 256 characters",
            &[],
        )
        .known(&[Suite]);
    PARAMETERS_TYPE = Fact::refused("parameters_type", ALL, "`parameters` without `\"type\": \"object\"` at their root, or null")
        .with(r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}"#)
        .says("tools.function.parameters.type is required and must be \"object\"", &[])
        .known(&[Reported])
        .repaired_by(Rule::ToolSchema);
    PARAMETERS_DIALECT = Fact::refused("parameters_dialect", ALL, "`parameters` that [`check_schema`] refuses")
        .with(r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"enum":["x"]}}}}}]}"#)
        .says(DIALECT, &["At path 'properties.a': type is not defined"])
        .known(&[Reported, Validator])
        .repaired_by(Rule::ToolSchema);
    FUNCTION_DUPLICATED = Fact::refused("function_duplicated", ALL, "two functions with the same name, also in two places")
        .with(r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}},{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}"#)
        .says("function name {} is duplicated", &["f"])
        .known(&[Reported, Suite])
        .repaired_by(Rule::Tools);
}

pub(super) const DIALECT: &str = "Invalid request: tools.function.parameters is not a valid \
    moonshot flavored json schema, details: <{}>";

pub(super) static SECTION: Section = Section {
    title: "## Tools",
    before: "These checks apply to the tools of the request first, then to those of system messages.",
    after: "The suite tests types, missing fields and the length of names for tools in messages only.\n\
        Names of the type `builtin_function` may begin with a dollar sign, like `$web_search`\n\
        (documented).",
    facts: FACTS,
};

table! { TYPE_FACTS:
    WRONG_TYPE = Fact::refused("wrong_type", ALL, "a value of a wrong JSON type")
        .with(r#"{"max_tokens":"8"}"#)
        .says_like(TYPE_MESSAGE, &["max_tokens", "type number", "string"]);
}

/// The form of several recorded messages.
pub(super) const TYPE_MESSAGE: &str = "Invalid request: the `{}` field in the request (expected {}) \
    is illegal, and {} is not acceptable";

pub(super) static TYPES: Section = Section {
    title: "## Wrong types",
    before: "",
    after: "This applies to all fields that the tables name, to the lists `messages`, `tools` and\n\
        `tool_calls` and their elements, and to `max_tokens`, `max_completion_tokens`, `seed`,\n\
        `stream`, `stream_options` with its `include_usage`, and `partial` of an assistant message.\n\
        Null counts as absent, except where a table says otherwise, and in `model`, `role` and the\n\
        fields of a part.",
    facts: TYPE_FACTS,
};
