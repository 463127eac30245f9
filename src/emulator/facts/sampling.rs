//! Facts about the sampling parameters.

use super::{
    Section,
    fact::Fact,
    grade::Grade::{Documented, Reported, Suite},
    models::{NEWER, OLDER, ONLY_V1, SWITCHED},
    table,
};
use crate::Rule;

/// What a model says about a parameter with a single accepted value.
const FIXED: &str = "invalid {}: only {} is allowed for this model";

table! { FACTS:
    TEMPERATURE_FIXED = Fact::refused("temperature_fixed", NEWER, "temperature other than 1")
        .with(r#"{"temperature":0.5}"#)
        .says(FIXED, &["temperature", "1"])
        .known(&[Suite, Reported])
        .repaired_by(Rule::Sampling);
    TEMPERATURE_WITHOUT_THINKING = Fact::refused(
            "temperature_without_thinking", SWITCHED,
            "temperature other than 0.6 while thinking is disabled",
        )
        .with(r#"{"thinking":{"type":"disabled"},"temperature":1}"#)
        .says(FIXED, &["temperature", "0.6"])
        .known(&[Suite, Reported])
        .repaired_by(Rule::Sampling);
    TOP_P_FIXED = Fact::refused("top_p_fixed", NEWER, "`top_p` other than 0.95")
        .with(r#"{"top_p":1}"#)
        .says(FIXED, &["top_p", "0.95"])
        .known(&[Suite, Reported])
        .repaired_by(Rule::Sampling);
    N_FIXED = Fact::refused("n_fixed", NEWER, "`n` other than 1")
        .with(r#"{"n":2}"#)
        .says(FIXED, &["n", "1"])
        .known(&[Suite, Reported])
        .repaired_by(Rule::Sampling);
    PRESENCE_PENALTY_FIXED = Fact::refused("presence_penalty_fixed", NEWER, "`presence_penalty` other than 0")
        .with(r#"{"presence_penalty":1}"#)
        .says(FIXED, &["presence_penalty", "0"])
        .known(&[Suite, Reported])
        .repaired_by(Rule::Sampling);
    FREQUENCY_PENALTY_FIXED = Fact::refused("frequency_penalty_fixed", NEWER, "`frequency_penalty` other than 0")
        .with(r#"{"frequency_penalty":1}"#)
        .says(FIXED, &["frequency_penalty", "0"])
        .known(&[Suite, Reported])
        .repaired_by(Rule::Sampling);
    LOGPROBS_FIXED = Fact::refused("logprobs_fixed", NEWER, "`logprobs` other than false")
        .with(r#"{"logprobs":true}"#)
        .says(FIXED, &["logprobs", "false"])
        .known(&[Reported])
        .repaired_by(Rule::Sampling);
    SAMPLING_NULL = Fact::refused("sampling_null", NEWER, "null in one of these parameters")
        .with(r#"{"temperature":null}"#)
        .says_like(FIXED, &["temperature", "1"])
        .repaired_by(Rule::Sampling);
    SAMPLING_TYPE = Fact::refused("sampling_type", NEWER, "a value of a wrong JSON type in one of them")
        .with(r#"{"temperature":"1"}"#)
        .says_like(super::tools::TYPE_MESSAGE, &["temperature", "type number", "string"])
        .repaired_by(Rule::Sampling);
    TOP_LOGPROBS = Fact::refused("top_logprobs", NEWER, "`top_logprobs` with any value, null too")
        .with(r#"{"top_logprobs":1}"#)
        .says_like("invalid top_logprobs: it is not allowed for this model", &[])
        .repaired_by(Rule::Sampling);
    TEMPERATURE_RANGE = Fact::refused("temperature_range", OLDER, "temperature outside 0 to 1")
        .with(r#"{"temperature":1.5}"#)
        .says_like("invalid temperature: it must be between 0 and 1", &[])
        .known(&[Documented])
        .repaired_by(Rule::Temperature);
    N_RANGE = Fact::refused("n_range", OLDER, "`n` that is not a whole number from 1 to 5")
        .with(r#"{"n":6,"temperature":1}"#)
        .says_like("invalid n: it must be an integer between 1 and 5", &[])
        .known(&[Documented]);
    N_COLD = Fact::refused("n_cold", OLDER, "`n` above 1 with a temperature below 0.3")
        .with(r#"{"n":2,"temperature":0.001}"#)
        .says_like(COLD, &[])
        .known(&[Documented])
        .note("the bound is LiteLLM's")
        .repaired_by(Rule::Temperature);
    N_COLD_DEFAULT = Fact::refused("n_cold_default", ONLY_V1, "`n` above 1 without a temperature")
        .with(r#"{"n":2}"#)
        .says_like(COLD, &[])
        .repaired_by(Rule::Temperature);
}

const COLD: &str = "invalid n: only 1 is possible with a temperature close to 0; use a \
    temperature of at least 0.3";

pub(super) static SECTION: Section = Section {
    title: "## Sampling",
    before: "",
    after: "Moonshot's documentation refuses several answers with a temperature \"close to 0\". On V1 the\n\
        documented default is 0, so there an absent temperature counts as 0.",
    facts: FACTS,
};
