//! `sampling`.

use tower_moonshot::{NPolicy, Rule};

use super::{changes, changes_with, layer, leaves_alone, leaves_alone_with};

#[test]
fn a_parameter_that_is_fixed_goes_with_the_comma_that_was_its_own() {
    const TEMPERATURE: &[(Rule, &str)] = &[(Rule::Sampling, "/temperature")];
    const BOTH: &[(Rule, &str)] = &[(Rule::Sampling, "/temperature"), (Rule::Sampling, "/top_p")];
    changes(&[
        (
            "first",
            r#"{"temperature":0.5,"model":"kimi-k3","messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            TEMPERATURE,
        ),
        (
            "in the middle",
            r#"{"model":"kimi-k3","temperature":0.5,"messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            TEMPERATURE,
        ),
        (
            "last",
            r#"{"model":"kimi-k3","messages":[],"temperature":0.5}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            TEMPERATURE,
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
            TEMPERATURE,
        ),
        (
            "pretty, in the middle",
            "{\n  \"model\": \"kimi-k3\",\n  \"temperature\": 0.5,\n  \"top_p\": 0.5,\n  \"messages\": []\n}\n",
            "{\n  \"model\": \"kimi-k3\",\n  \"messages\": []\n}\n",
            BOTH,
        ),
        (
            "pretty, last",
            "{\r\n\t\"model\": \"kimi-k3\",\r\n\t\"messages\": [],\r\n\t\"temperature\": 0.5,\r\n\t\"top_p\": 0.5\r\n}",
            "{\r\n\t\"model\": \"kimi-k3\",\r\n\t\"messages\": []\r\n}",
            BOTH,
        ),
    ]);
}

#[test]
fn a_parameter_that_is_fixed_goes_unless_it_has_the_one_value() {
    changes(&[
        (
            "numbers that are not accepted",
            r#"{"model":"kimi-k2.6","messages":[],"temperature":0.6,"top_p":0.9,"n":0,"presence_penalty":0.1,"frequency_penalty":-1,"max_tokens":9}"#,
            r#"{"model":"kimi-k2.6","messages":[],"max_tokens":9}"#,
            &[
                (Rule::Sampling, "/temperature"),
                (Rule::Sampling, "/top_p"),
                (Rule::Sampling, "/n"),
                (Rule::Sampling, "/presence_penalty"),
                (Rule::Sampling, "/frequency_penalty"),
            ],
        ),
        (
            "null",
            r#"{"model":"kimi-k2.7","messages":[],"temperature":null,"n":null,"logprobs":null,"top_logprobs":null}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            &[
                (Rule::Sampling, "/temperature"),
                (Rule::Sampling, "/n"),
                (Rule::Sampling, "/logprobs"),
                (Rule::Sampling, "/top_logprobs"),
            ],
        ),
        (
            "log probabilities",
            r#"{"model":"kimi-k2.5","messages":[],"logprobs":true,"top_logprobs":3}"#,
            r#"{"model":"kimi-k2.5","messages":[]}"#,
            &[
                (Rule::Sampling, "/logprobs"),
                (Rule::Sampling, "/top_logprobs"),
            ],
        ),
        (
            "without thinking the temperature is another one",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"disabled"},"temperature":1}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"disabled"}}"#,
            &[(Rule::Sampling, "/temperature")],
        ),
        (
            "without thinking it is another one on K3 as well",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"disabled"},"temperature":1.0}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"disabled"}}"#,
            &[(Rule::Sampling, "/temperature")],
        ),
        (
            "Kimi Code, which thinks",
            r#"{"model":"kimi-for-coding","messages":[],"temperature":0.6}"#,
            r#"{"model":"kimi-for-coding","messages":[]}"#,
            &[(Rule::Sampling, "/temperature")],
        ),
        (
            "K2.7, which always thinks",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"disabled"},"temperature":0.6}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            &[
                (Rule::Thinking, "/thinking"),
                (Rule::Sampling, "/temperature"),
            ],
        ),
        (
            "what is no number at all",
            r#"{"model":"kimi-k3","messages":[],"temperature":"1","n":"1","top_p":[],"presence_penalty":{},"frequency_penalty":false,"logprobs":"false","top_logprobs":"0"}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[
                (Rule::Sampling, "/temperature"),
                (Rule::Sampling, "/top_p"),
                (Rule::Sampling, "/n"),
                (Rule::Sampling, "/presence_penalty"),
                (Rule::Sampling, "/frequency_penalty"),
                (Rule::Sampling, "/logprobs"),
                (Rule::Sampling, "/top_logprobs"),
            ],
        ),
        (
            "no number of log probabilities is accepted",
            r#"{"model":"kimi-k2.6","messages":[],"logprobs":0,"top_logprobs":0}"#,
            r#"{"model":"kimi-k2.6","messages":[]}"#,
            &[
                (Rule::Sampling, "/logprobs"),
                (Rule::Sampling, "/top_logprobs"),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "the accepted values, however they are written",
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
            "models that have ranges",
            r#"{"model":"kimi-latest","messages":[],"top_p":0.5,"logprobs":true,"top_logprobs":2,"presence_penalty":2}"#,
        ),
    ]);
}

#[test]
fn several_answers_are_kept_if_that_is_the_policy() {
    let body = r#"{"model":"kimi-k3","messages":[],"n":2}"#;
    changes(&[(
        "by default they are not",
        body,
        r#"{"model":"kimi-k3","messages":[]}"#,
        &[(Rule::Sampling, "/n")],
    )]);
    let layer = layer().with_n(NPolicy::Keep);
    leaves_alone_with(&layer, &[("more than one", body)]);
    changes_with(
        &layer,
        &[
            (
                "none at all is refused all the same",
                r#"{"n":0,"model":"kimi-k3","messages":[]}"#,
                r#"{"model":"kimi-k3","messages":[]}"#,
                &[(Rule::Sampling, "/n")],
            ),
            (
                "and so is what is no number",
                r#"{"n":"2","model":"kimi-k3","messages":[]}"#,
                r#"{"model":"kimi-k3","messages":[]}"#,
                &[(Rule::Sampling, "/n")],
            ),
        ],
    );
}
