//! The sampling parameters and others with a fixed type.

use serde_json::json;

use super::harness::*;

#[test]
fn fixed_parameters_have_one_value() {
    for (name, value, accepted) in [
        ("temperature", json!(0.6), "1"),
        ("temperature", json!(null), "1"),
        ("temperature", json!(0), "1"),
        ("top_p", json!(1), "0.95"),
        ("top_p", json!(null), "0.95"),
        ("n", json!(2), "1"),
        ("n", json!(null), "1"),
        ("presence_penalty", json!(0.1), "0"),
        ("frequency_penalty", json!(-1), "0"),
        ("logprobs", json!(true), "false"),
        ("logprobs", json!(null), "false"),
    ] {
        refuses(
            &FIXED,
            json!({name: value}),
            &format!("invalid {name}: only {accepted} is allowed for this model"),
        );
    }
    for value in [json!(0), json!(3), json!(null)] {
        refuses_naming(&FIXED, json!({"top_logprobs": value}), "top_logprobs");
    }
    for name in [
        "temperature",
        "top_p",
        "n",
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
        "top_logprobs",
    ] {
        for value in [json!("1"), json!("false"), json!([]), json!({})] {
            refuses_naming(&ALL, json!({name: value}), name);
        }
    }
    let accepted = json!({
        "temperature": 1.0, "top_p": 0.95, "n": 1.0, "presence_penalty": 0,
        "frequency_penalty": -0.0, "logprobs": false,
    });
    accepts(&FIXED, accepted);
}

#[test]
fn the_accepted_temperature_is_lower_while_thinking_is_disabled() {
    let disabled =
        |temperature: f64| json!({"thinking": {"type": "disabled"}, "temperature": temperature});
    accepts(&SWITCHED, disabled(0.6));
    refuses(
        &SWITCHED,
        disabled(1.0),
        "invalid temperature: only 0.6 is allowed for this model",
    );
    accepts(&FIXED, json!({"temperature": 1}));
    accepts(&RANGE, disabled(1.0));
}

#[test]
fn older_models_have_ranges() {
    for temperature in [json!(-0.1), json!(1.01), json!(2)] {
        refuses_naming(&RANGE, json!({"temperature": temperature}), "temperature");
    }
    for temperature in [json!(0), json!(0.5), json!(1), json!(null)] {
        accepts(&RANGE, json!({"temperature": temperature}));
    }
    for n in [json!(0), json!(6), json!(-1), json!(1.5)] {
        refuses_naming(&RANGE, json!({"n": n, "temperature": 1}), "invalid n");
    }
    accepts(&RANGE, json!({"n": 5, "temperature": 0.3}));
    accepts(
        &RANGE,
        json!({"n": null, "top_p": null, "logprobs": null, "stream": null}),
    );
}

#[test]
fn several_answers_need_a_temperature() {
    for temperature in [0.0, 0.001, 0.29] {
        refuses_naming(
            &RANGE,
            json!({"n": 2, "temperature": temperature}),
            "temperature",
        );
        accepts(&RANGE, json!({"n": 1, "temperature": temperature}));
    }
    refuses_naming(&RANGE, json!({"n": 2.0, "temperature": 0.0}), "temperature");
    // Only moonshot-v1 has a default temperature of 0.
    for fields in [json!({"n": 2}), json!({"n": 2, "temperature": null})] {
        refuses_naming(&[V1], fields.clone(), "temperature");
        accepts(&[K2_THINKING, K2, UNKNOWN], fields);
    }
}

#[test]
fn other_parameters_have_their_types() {
    for (name, value) in [
        ("max_tokens", json!("5")),
        ("stream", json!("true")),
        ("stream_options", json!(true)),
        ("stream_options", json!({"include_usage": 1})),
        ("tools", json!({})),
        ("response_format", json!("json_object")),
        ("messages", json!({})),
    ] {
        let field = if name == "stream_options" && value.is_object() {
            "include_usage"
        } else {
            name
        };
        refuses_naming(&ALL, json!({name: value}), field);
    }
    let ignored = json!({"user": 1, "store": true, "metadata": {}, "unheard_of": []});
    accepts(&ALL, ignored);
}
