//! `temperature`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

#[test]
fn a_temperature_above_1_becomes_1() {
    changes(&[
        (
            "on V1",
            r#"{"model":"moonshot-v1-8k","messages":[],"temperature":1.5}"#,
            r#"{"model":"moonshot-v1-8k","messages":[],"temperature":1}"#,
            &[(Rule::Temperature, "/temperature")],
        ),
        (
            "another spelling of the number and of the key",
            r#"{"temper\u0061ture" : 20E-1 , "messages":[]}"#,
            r#"{"temper\u0061ture" : 1 , "messages":[]}"#,
            &[(Rule::Temperature, "/temperature")],
        ),
        (
            "more than a double holds",
            r#"{"messages":[],"temperature":1e400}"#,
            r#"{"messages":[],"temperature":1}"#,
            &[(Rule::Temperature, "/temperature")],
        ),
    ]);
    leaves_alone(&[
        ("1", r#"{"messages":[],"temperature":1.0}"#),
        (
            "near 0, for one answer",
            r#"{"messages":[],"temperature":0.001,"n":1}"#,
        ),
        ("a string", r#"{"messages":[],"temperature":"2"}"#),
        ("a truth value", r#"{"messages":[],"temperature":true}"#),
        ("null", r#"{"messages":[],"temperature":null}"#),
    ]);
}

#[test]
fn several_answers_get_a_temperature_of_at_least_0_3() {
    changes(&[
        (
            "n as an integer",
            r#"{"messages":[],"temperature":0.1,"n":2}"#,
            r#"{"messages":[],"temperature":0.3,"n":2}"#,
            &[(Rule::Temperature, "/temperature")],
        ),
        (
            "n as a fraction, before the temperature",
            r#"{"n":2.0,"messages":[],"temperature":-0.0}"#,
            r#"{"n":2.0,"messages":[],"temperature":0.3}"#,
            &[(Rule::Temperature, "/temperature")],
        ),
        (
            "n with an exponent",
            r#"{"n":2e0,"messages":[],"temperature":0.29}"#,
            r#"{"n":2e0,"messages":[],"temperature":0.3}"#,
            &[(Rule::Temperature, "/temperature")],
        ),
        (
            "no temperature on V1, whose default is 0",
            r#"{"model":"kimi-latest","messages":[],"n":2}"#,
            r#"{"model":"kimi-latest","messages":[],"n":2,"temperature":0.3}"#,
            &[(Rule::Temperature, "/temperature")],
        ),
        (
            "null on V1",
            r#"{"model":"kimi-latest","messages":[],"n":2,"temperature":null}"#,
            r#"{"model":"kimi-latest","messages":[],"n":2,"temperature":0.3}"#,
            &[(Rule::Temperature, "/temperature")],
        ),
    ]);
    leaves_alone(&[
        ("0.3", r#"{"messages":[],"temperature":0.30,"n":2}"#),
        ("one answer", r#"{"messages":[],"temperature":0.1,"n":1.0}"#),
        (
            "n as a string",
            r#"{"messages":[],"temperature":0.1,"n":"2"}"#,
        ),
        (
            "another default",
            r#"{"model":"kimi-k2-0905-preview","messages":[],"n":2}"#,
        ),
        (
            "a string on V1",
            r#"{"model":"kimi-latest","messages":[],"n":2,"temperature":""}"#,
        ),
    ]);
}
