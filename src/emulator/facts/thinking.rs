//! Facts about `thinking` and `reasoning_effort`.

use super::{
    Section,
    fact::Fact,
    grade::Grade::{Documented, Reported},
    models::{
        ALL, ANY_KEEP, K3_K26, K3_K28, K26_K25, K27_TO_K25, K28_TO_K25, NEWER, ONLY_K25, ONLY_K27,
    },
    table,
};
use crate::Rule;

table! { FACTS:
    THINKING_NOT_AN_OBJECT = Fact::refused("thinking_not_an_object", ALL, "`thinking` that is not an object")
        .with(r#"{"thinking":true}"#)
        .says(
            "Invalid request: the thinking field in the request (expected type object) is illegal, \
             and {} is not acceptable",
            &["bool"],
        )
        .known_on(K3_K26, &[Reported])
        .repaired_by(Rule::Thinking);
    THINKING_EFFORT = Fact::refused("thinking_effort", K3_K28, "`thinking.effort` other than `low`, `high`, `max`")
        .with(r#"{"thinking":{"effort":"medium"}}"#)
        .says_like("invalid thinking.effort: only low, high and max are allowed for this model", &[])
        .repaired_by(Rule::ReasoningEffort);
    EFFORT_NOT_A_STRING = Fact::refused("effort_not_a_string", ALL, "`reasoning_effort` that is not a string")
        .with(r#"{"reasoning_effort":1}"#)
        .says(
            "Invalid request: the `reasoning_effort` field in the request (expected type string) \
             is illegal, and {} is not acceptable",
            &["number"],
        )
        .known(&[Reported])
        .repaired_by(Rule::ReasoningEffort);
    EFFORT_BESIDE_THINKING = Fact::refused("effort_beside_thinking", K28_TO_K25, "`reasoning_effort` beside `thinking`")
        .with(r#"{"thinking":{"type":"enabled"},"reasoning_effort":"high"}"#)
        .says("cannot specify both 'thinking' and 'reasoning_effort'", &[])
        .known_on(K26_K25, &[Reported])
        .repaired_by(Rule::ReasoningEffort);
    EFFORT_LEVEL = Fact::refused("effort_level", K3_K28, "`reasoning_effort` other than `low`, `high`, `max`")
        .with(r#"{"reasoning_effort":"medium"}"#)
        .says_like("invalid reasoning_effort: only low, high and max are allowed for this model", &[])
        .known(&[Reported])
        .repaired_by(Rule::ReasoningEffort);
    EFFORT_NONE = Fact::refused("effort_none", K27_TO_K25, "`reasoning_effort` `none`")
        .with(r#"{"reasoning_effort":"none"}"#)
        .says_like("invalid reasoning_effort: none is not allowed for this model", &[])
        .known_on(ONLY_K27, &[Reported])
        .repaired_by(Rule::ReasoningEffort);
    THINKING_DISABLED = Fact::refused("thinking_disabled", ONLY_K27, "`thinking.type` `disabled`")
        .with(r#"{"thinking":{"type":"disabled"}}"#)
        .says("invalid thinking: only type=enabled is allowed for this model", &[])
        .known(&[Reported])
        .repaired_by(Rule::Thinking);
    THINKING_TYPE = Fact::refused("thinking_type", ALL, "`thinking.type` other than `enabled`, `disabled`")
        .with(r#"{"thinking":{"type":"adaptive"}}"#)
        .says("invalid value for thinking type: {}", &["adaptive"])
        .known_on(NEWER, &[Reported])
        .repaired_by(Rule::Thinking);
    THINKING_TYPE_NOT_A_STRING = Fact::refused("thinking_type_not_a_string", ALL, "`thinking.type` that is not a string, null too")
        .with(r#"{"thinking":{"type":null}}"#)
        .says_like(
            "Invalid request: the `thinking.type` field in the request (expected type string) is \
             illegal, and {} is not acceptable",
            &["null"],
        );
    KEEP_UNSUPPORTED = Fact::refused("keep_unsupported", ONLY_K25, "`thinking.keep` with any value, null too")
        .with(r#"{"thinking":{"keep":"all"}}"#)
        .says("thinking.keep is not supported by model \"{}\"", &["$MODEL"])
        .known(&[Reported])
        .repaired_by(Rule::Thinking);
    KEEP_NOT_ALL = Fact::refused("keep_not_all", ONLY_K27, "`thinking.keep` other than `all`, null too")
        .with(r#"{"thinking":{"keep":"none"}}"#)
        .says_like("invalid thinking: only keep=all is allowed for this model", &[])
        .known(&[Documented])
        .repaired_by(Rule::Thinking);
    KEEP_NOT_A_STRING = Fact::refused("keep_not_a_string", ANY_KEEP, "`thinking.keep` that is neither a string nor null")
        .with(r#"{"thinking":{"keep":true}}"#)
        .says_like(
            "Invalid request: the `thinking.keep` field in the request (expected type string) is \
             illegal, and {} is not acceptable",
            &["bool"],
        );
}

pub(super) static SECTION: Section = Section {
    title: "## Thinking",
    before: "",
    after: "",
    facts: FACTS,
};
