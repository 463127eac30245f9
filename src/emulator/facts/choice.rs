//! Facts about `tool_choice`.

use super::{
    Section,
    fact::Fact,
    grade::Grade::{Documented, Reported, Suite},
    models::{ALL, K28_TO_K2_THINKING, K28_TO_K25, NOT_K3, NOT_K3_K27, OLDER_SILENT, ONLY_K3},
    table,
};
use crate::Rule;

table! { FACTS:
    CHOICE_WORD = Fact::refused("choice_word", ALL, "a `tool_choice` that is an unknown word")
        .with(r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"any"}"#)
        .says_like(
            "Invalid request: tool_choice '{}' is unknown, only none, auto, required and an object \
             with a function are allowed",
            &["any"],
        )
        .known_on(ONLY_K3, &[Suite])
        .repaired_by(Rule::ToolChoice);
    CHOICE_OBJECT = Fact::refused("choice_object", ALL, "a `tool_choice` that is an object and names no function")
        .with(r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":{"type":"any"}}"#)
        .says_like(
            "Invalid request: tool_choice as an object must have the type 'function' and a function \
             with a name",
            &[],
        )
        .known_on(ONLY_K3, &[Reported])
        .repaired_by(Rule::ToolChoice);
    REQUIRED_WITHOUT_TOOLS = Fact::refused("required_without_tools", ALL, "`tool_choice` `required` without tools")
        .with(r#"{"tool_choice":"required"}"#)
        .says_like(NO_TOOLS, &[])
        .known_on(ONLY_K3, &[Suite])
        .repaired_by(Rule::ToolChoice);
    AUTO_BESIDE_EMPTY_TOOLS = Fact::refused(
            "auto_beside_empty_tools", ALL,
            "`tool_choice` `auto` or `none` with `tools: []` and no other tools",
        )
        .with(r#"{"tools":[],"tool_choice":"auto"}"#)
        .says_like(NO_TOOLS, &[])
        .repaired_by(Rule::ToolChoice);
    AUTO_WITHOUT_TOOLS = Fact::refused("auto_without_tools", NOT_K3, "`tool_choice` `auto` or `none` without tools")
        .with(r#"{"tool_choice":"auto"}"#)
        .says_like(NO_TOOLS, &[])
        .repaired_by(Rule::ToolChoice);
    NAMED_WITHOUT_TOOLS = Fact::refused("named_without_tools", NOT_K3, "a named `tool_choice` without tools")
        .with(r#"{"tool_choice":{"type":"function","function":{"name":"f"}}}"#)
        .says_like(NO_TOOLS, &[])
        .repaired_by(Rule::ToolChoice);
    REQUIRED_WHILE_THINKING = Fact::refused(
            "required_while_thinking", K28_TO_K2_THINKING,
            "`tool_choice` `required` while thinking is on",
        )
        .with(r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"required"}"#)
        .says("tool_choice 'required' is incompatible with thinking enabled", &[])
        .known(&[Reported])
        .repaired_by(Rule::ToolChoice);
    NAMED_WHILE_THINKING = Fact::refused(
            "named_while_thinking", K28_TO_K25,
            "a named `tool_choice` while thinking is on",
        )
        .with(r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#)
        .says("tool_choice 'specified' is incompatible with thinking enabled", &[])
        .known(&[Reported])
        .repaired_by(Rule::ToolChoice);
    REQUIRED_UNSUPPORTED = Fact::refused("required_unsupported", OLDER_SILENT, "`tool_choice` `required`")
        .with(r#"{"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":"required"}"#)
        .says_like("Invalid request: tool_choice 'required' is not supported by this model", &[])
        .known(&[Documented])
        .repaired_by(Rule::ToolChoice);
    NAMED_MISSING = Fact::refused("named_missing", NOT_K3_K27, "a named `tool_choice` that is not among the tools")
        .with(r#"{"thinking":{"type":"disabled"},"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#)
        .says_like(
            "Invalid request: tool_choice names the function {}, which is not among the tools",
            &["g"],
        );
}

const NO_TOOLS: &str = "Invalid request: tool_choice is only allowed when tools are specified";

pub(super) static SECTION: Section = Section {
    title: "## Tool choice",
    before: "",
    after: "An object names a function as `{\"type\": \"function\", \"function\": {\"name\": …}}`. The\n\
        report is about `{\"type\": \"any\"}`.",
    facts: FACTS,
};
