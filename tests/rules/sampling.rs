//! The rule `sampling`.

use tower_moonshot::{NPolicy, Rule};

use super::{Changed, changes, changes_with, layer, leaves_alone, leaves_alone_with};

const ONLY_1: &str = "only 1 is accepted";
const ONLY_0_95: &str = "only 0.95 is accepted";
const ONLY_0: &str = "only 0 is accepted";
const ONLY_FALSE: &str = "only false is accepted";
const NO_TOP_LOGPROBS: &str = "top_logprobs is not accepted";
const ONLY_0_6: &str = "only 0.6 is accepted while thinking is disabled";

#[test]
fn a_parameter_is_removed_with_its_comma() {
    const BOTH: &[Changed] = &[
        (Rule::Sampling, "/temperature", ONLY_1),
        (Rule::Sampling, "/top_p", ONLY_0_95),
    ];
    changes(&[
        (
            "first",
            r#"{"temperature":0.5,"model":"kimi-k3","messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::Sampling, "/temperature", ONLY_1)],
        ),
        (
            "in the middle",
            r#"{"model":"kimi-k3","temperature":0.5,"messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::Sampling, "/temperature", ONLY_1)],
        ),
        (
            "last",
            r#"{"model":"kimi-k3","messages":[],"temperature":0.5}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::Sampling, "/temperature", ONLY_1)],
        ),
        (
            "two, first",
            r#"{"top_p":0.5,"temperature":0.5,"model":"kimi-k3","messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            BOTH,
        ),
        (
            "two, in the middle",
            r#"{"model":"kimi-k3","temperature":0.5,"top_p":0.5,"messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            BOTH,
        ),
        (
            "two, last",
            r#"{"model":"kimi-k3","messages":[],"temperature":0.5,"top_p":0.5}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            BOTH,
        ),
        (
            "first and last",
            r#"{"temperature":0.5,"model":"kimi-k3","messages":[],"top_p":0.5}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            BOTH,
        ),
        (
            "every other one",
            r#"{"temperature":0.5,"model":"kimi-k3","top_p":0.5,"messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            BOTH,
        ),
        (
            "spaced, first",
            "{ \"temperature\" : 0.5 , \"model\" : \"kimi-k3\" , \"messages\" : [ ] }",
            "{ \"model\" : \"kimi-k3\" , \"messages\" : [ ] }",
            &[(Rule::Sampling, "/temperature", ONLY_1)],
        ),
        (
            "indented, in the middle",
            "{\n  \"model\": \"kimi-k3\",\n  \"temperature\": 0.5,\n  \"top_p\": 0.5,\n  \"messages\": []\n}\n",
            "{\n  \"model\": \"kimi-k3\",\n  \"messages\": []\n}\n",
            BOTH,
        ),
        (
            "indented, last",
            "{\r\n\t\"model\": \"kimi-k3\",\r\n\t\"messages\": [],\r\n\t\"temperature\": 0.5,\r\n\t\"top_p\": 0.5\r\n}",
            "{\r\n\t\"model\": \"kimi-k3\",\r\n\t\"messages\": []\r\n}",
            BOTH,
        ),
    ]);
}

#[test]
fn a_parameter_is_removed_unless_it_has_the_accepted_value() {
    changes(&[
        (
            "numbers that are not accepted",
            r#"{"model":"kimi-k2.6","messages":[],"temperature":0.6,"top_p":0.9,"n":0,"presence_penalty":0.1,"frequency_penalty":-1,"max_tokens":9}"#,
            r#"{"model":"kimi-k2.6","messages":[],"max_tokens":9}"#,
            &[
                (Rule::Sampling, "/temperature", ONLY_1),
                (Rule::Sampling, "/top_p", ONLY_0_95),
                (Rule::Sampling, "/n", ONLY_1),
                (Rule::Sampling, "/presence_penalty", ONLY_0),
                (Rule::Sampling, "/frequency_penalty", ONLY_0),
            ],
        ),
        (
            "null",
            r#"{"model":"kimi-k2.7","messages":[],"temperature":null,"n":null,"logprobs":null,"top_logprobs":null}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            &[
                (Rule::Sampling, "/temperature", ONLY_1),
                (Rule::Sampling, "/n", ONLY_1),
                (Rule::Sampling, "/logprobs", ONLY_FALSE),
                (Rule::Sampling, "/top_logprobs", NO_TOP_LOGPROBS),
            ],
        ),
        (
            "log probabilities",
            r#"{"model":"kimi-k2.5","messages":[],"logprobs":true,"top_logprobs":3}"#,
            r#"{"model":"kimi-k2.5","messages":[]}"#,
            &[
                (Rule::Sampling, "/logprobs", ONLY_FALSE),
                (Rule::Sampling, "/top_logprobs", NO_TOP_LOGPROBS),
            ],
        ),
        (
            "another temperature is accepted while thinking is disabled",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"disabled"},"temperature":1}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"disabled"}}"#,
            &[(Rule::Sampling, "/temperature", ONLY_0_6)],
        ),
        (
            "another temperature is accepted on K3 too",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"disabled"},"temperature":1.0}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"disabled"}}"#,
            &[(Rule::Sampling, "/temperature", ONLY_0_6)],
        ),
        (
            "Kimi Code, which thinks",
            r#"{"model":"kimi-for-coding","messages":[],"temperature":0.6}"#,
            r#"{"model":"kimi-for-coding","messages":[]}"#,
            &[(Rule::Sampling, "/temperature", ONLY_1)],
        ),
        (
            "K2.7, which always thinks",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"disabled"},"temperature":0.6}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            &[
                (
                    Rule::Thinking,
                    "/thinking",
                    "the model always thinks; only type enabled is accepted",
                ),
                (Rule::Sampling, "/temperature", ONLY_1),
            ],
        ),
        (
            "values that are not numbers",
            r#"{"model":"kimi-k3","messages":[],"temperature":"1","n":"1","top_p":[],"presence_penalty":{},"frequency_penalty":false,"logprobs":"false","top_logprobs":"0"}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[
                (Rule::Sampling, "/temperature", ONLY_1),
                (Rule::Sampling, "/top_p", ONLY_0_95),
                (Rule::Sampling, "/n", ONLY_1),
                (Rule::Sampling, "/presence_penalty", ONLY_0),
                (Rule::Sampling, "/frequency_penalty", ONLY_0),
                (Rule::Sampling, "/logprobs", ONLY_FALSE),
                (Rule::Sampling, "/top_logprobs", NO_TOP_LOGPROBS),
            ],
        ),
        (
            "any top_logprobs",
            r#"{"model":"kimi-k2.6","messages":[],"logprobs":0,"top_logprobs":0}"#,
            r#"{"model":"kimi-k2.6","messages":[]}"#,
            &[
                (Rule::Sampling, "/logprobs", ONLY_FALSE),
                (Rule::Sampling, "/top_logprobs", NO_TOP_LOGPROBS),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "the accepted values, in several spellings",
            r#"{"model":"kimi-k3","messages":[],"temperature":1.0,"top_p":95e-2,"n":1e0,"presence_penalty":-0.0,"frequency_penalty":0,"logprobs":false}"#,
        ),
        (
            "the accepted temperature without thinking",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"disabled"},"temperature":0.60}"#,
        ),
        (
            "of Kimi Code",
            r#"{"model":"k3-256k","messages":[],"temperature":1}"#,
        ),
        (
            "of Kimi Code without thinking",
            r#"{"model":"kimi-for-coding","messages":[],"thinking":{"type":"disabled"},"temperature":6e-1}"#,
        ),
        (
            "models that accept ranges",
            r#"{"model":"kimi-latest","messages":[],"top_p":0.5,"logprobs":true,"top_logprobs":2,"presence_penalty":2}"#,
        ),
    ]);
}

#[test]
fn n_above_1_is_kept_if_that_is_the_policy() {
    let body = r#"{"model":"kimi-k3","messages":[],"n":2}"#;
    changes(&[(
        "the default policy",
        body,
        r#"{"model":"kimi-k3","messages":[]}"#,
        &[(
            Rule::Sampling,
            "/n",
            "only 1 is accepted; one answer comes back",
        )],
    )]);
    let layer = layer().with_n_policy(NPolicy::Keep);
    leaves_alone_with(&layer, &[("more than one", body)]);
    changes_with(
        &layer,
        &[
            (
                "n of 0 is still removed",
                r#"{"n":0,"model":"kimi-k3","messages":[]}"#,
                r#"{"model":"kimi-k3","messages":[]}"#,
                &[(Rule::Sampling, "/n", ONLY_1)],
            ),
            (
                "n that is not a number is still removed",
                r#"{"n":"2","model":"kimi-k3","messages":[]}"#,
                r#"{"model":"kimi-k3","messages":[]}"#,
                &[(Rule::Sampling, "/n", ONLY_1)],
            ),
        ],
    );
}
