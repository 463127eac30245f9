//! The rule `temperature`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

const AT_MOST_1: &str = "at most 1 is accepted";
const NEAR_0: &str = "n above 1 is refused at temperatures near 0";
const DEFAULT_0: &str = "n above 1 is refused at the default temperature, 0";

#[test]
fn a_temperature_above_1_becomes_1() {
    changes(&[
        (
            "on V1",
            r#"{"model":"moonshot-v1-8k","messages":[],"temperature":1.5}"#,
            r#"{"model":"moonshot-v1-8k","messages":[],"temperature":1}"#,
            &[(Rule::Temperature, "/temperature", AT_MOST_1)],
        ),
        (
            "another spelling of the number and of the key",
            r#"{"temper\u0061ture" : 20E-1 , "messages":[]}"#,
            r#"{"temper\u0061ture" : 1 , "messages":[]}"#,
            &[(Rule::Temperature, "/temperature", AT_MOST_1)],
        ),
        (
            "larger than any double",
            r#"{"messages":[],"temperature":1e400}"#,
            r#"{"messages":[],"temperature":1}"#,
            &[(Rule::Temperature, "/temperature", AT_MOST_1)],
        ),
    ]);
    leaves_alone(&[
        ("1", r#"{"messages":[],"temperature":1.0}"#),
        (
            "near 0, with n 1",
            r#"{"messages":[],"temperature":0.001,"n":1}"#,
        ),
        ("a string", r#"{"messages":[],"temperature":"2"}"#),
        ("a truth value", r#"{"messages":[],"temperature":true}"#),
        ("null", r#"{"messages":[],"temperature":null}"#),
    ]);
}

#[test]
fn n_above_1_gets_a_temperature_of_at_least_0_3() {
    changes(&[
        (
            "n as an integer",
            r#"{"messages":[],"temperature":0.1,"n":2}"#,
            r#"{"messages":[],"temperature":0.3,"n":2}"#,
            &[(Rule::Temperature, "/temperature", NEAR_0)],
        ),
        (
            "n as a fraction, before the temperature",
            r#"{"n":2.0,"messages":[],"temperature":-0.0}"#,
            r#"{"n":2.0,"messages":[],"temperature":0.3}"#,
            &[(Rule::Temperature, "/temperature", NEAR_0)],
        ),
        (
            "n with an exponent",
            r#"{"n":2e0,"messages":[],"temperature":0.29}"#,
            r#"{"n":2e0,"messages":[],"temperature":0.3}"#,
            &[(Rule::Temperature, "/temperature", NEAR_0)],
        ),
        (
            "no temperature on V1, whose default is 0",
            r#"{"model":"kimi-latest","messages":[],"n":2}"#,
            r#"{"model":"kimi-latest","messages":[],"n":2,"temperature":0.3}"#,
            &[(Rule::Temperature, "/temperature", DEFAULT_0)],
        ),
        (
            "null on V1",
            r#"{"model":"kimi-latest","messages":[],"n":2,"temperature":null}"#,
            r#"{"model":"kimi-latest","messages":[],"n":2,"temperature":0.3}"#,
            &[(Rule::Temperature, "/temperature", DEFAULT_0)],
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
            "absent on a model with another default",
            r#"{"model":"kimi-k2-0905-preview","messages":[],"n":2}"#,
        ),
        (
            "a string on V1",
            r#"{"model":"kimi-latest","messages":[],"n":2,"temperature":""}"#,
        ),
    ]);
}
