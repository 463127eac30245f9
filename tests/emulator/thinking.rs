//! `model`, `thinking` and `reasoning_effort`.

use serde_json::{Value, json};

use super::harness::*;

#[test]
fn a_model_is_required() {
    for model in [json!(null), json!(5)] {
        refuses_naming(&[K25], json!({"model": model}), "model");
    }
    let response = send(&open(), post(&json!({"messages": []})));
    assert_eq!(
        read(response)["error"]["message"],
        "Invalid request: model is required"
    );
}

#[test]
fn thinking_is_switched_off_where_it_can_be() {
    let disabled = json!({"thinking": {"type": "disabled"}});
    accepts(&SWITCHED, disabled.clone());
    refuses(
        &[K27],
        disabled,
        "invalid thinking: only type=enabled is allowed for this model",
    );
    accepts(&FIXED, json!({"thinking": {"type": "enabled"}}));
    accepts(&ALL, json!({"thinking": {}}));
    accepts(&ALL, json!({"thinking": null}));
}

#[test]
fn thinking_is_an_object_of_a_known_type() {
    for (value, kind) in [
        (json!(true), "bool"),
        (json!(false), "bool"),
        (json!("disabled"), "string"),
        (json!(1), "number"),
        (json!([]), "array"),
    ] {
        refuses(
            &ALL,
            json!({"thinking": value}),
            &format!(
                "Invalid request: the thinking field in the request (expected type object) is \
                 illegal, and {kind} is not acceptable"
            ),
        );
    }
    for kind in ["adaptive", "off", "Enabled", ""] {
        refuses(
            &ALL,
            json!({"thinking": {"type": kind}}),
            &format!("invalid value for thinking type: {kind}"),
        );
    }
    refuses_naming(&ALL, json!({"thinking": {"type": null}}), "thinking.type");
    refuses_naming(&ALL, json!({"thinking": {"type": true}}), "thinking.type");
}

#[test]
fn keep_depends_on_the_model() {
    let keep = |value: Value| json!({"thinking": {"keep": value}});
    accepts(&[K3, K3_CODE, K28, CODING, K27, K26], keep(json!("all")));
    refuses(
        &[K25],
        keep(json!("all")),
        "thinking.keep is not supported by model \"kimi-k2.5\"",
    );
    refuses_naming(&[K25], keep(json!(null)), "thinking.keep");
    for other in [json!("none"), json!(""), json!(null), json!(true)] {
        refuses_naming(&[K27], keep(other), "only keep=all");
    }
    for other in [json!("none"), json!(null)] {
        accepts(&[K3, K28, K26], keep(other));
    }
    refuses_naming(&[K3, K28, K26, V1], keep(json!(true)), "thinking.keep");
}

#[test]
fn k3_and_k28_have_levels_of_effort() {
    let leveled = [K3, K3_CODE, K28, CODING];
    for level in ["low", "high", "max"] {
        accepts(&ALL, json!({"reasoning_effort": level}));
        accepts(&FIXED, json!({"thinking": {"effort": level}}));
    }
    for level in ["minimal", "medium", "xhigh", "none", "LOW", ""] {
        let own = "low, high and max";
        refuses_naming(&leveled, json!({"reasoning_effort": level}), own);
        refuses_naming(&leveled, json!({"thinking": {"effort": level}}), own);
    }
    refuses_naming(&leveled, json!({"thinking": {"effort": 3}}), "effort");
    accepts(&leveled, json!({"thinking": {"effort": null}}));
    accepts(
        &leveled,
        json!({"thinking": {"type": "enabled", "keep": "all", "effort": "high"}}),
    );
}

#[test]
fn other_models_ignore_levels_but_not_none() {
    for level in ["minimal", "medium", "xhigh"] {
        accepts(&[K27, K26, K25, V1], json!({"reasoning_effort": level}));
    }
    let none = json!({"reasoning_effort": "none"});
    refuses_naming(&[K27, K26, K25], none.clone(), "none");
    accepts(&RANGE, none);
}

#[test]
fn reasoning_effort_is_a_string_or_null() {
    for (effort, kind) in [
        (json!(3), "number"),
        (json!({"effort": "low"}), "object"),
        (json!(true), "bool"),
    ] {
        refuses(
            &ALL,
            json!({"reasoning_effort": effort}),
            &format!(
                "Invalid request: the `reasoning_effort` field in the request (expected type \
                 string) is illegal, and {kind} is not acceptable"
            ),
        );
    }
    accepts(&ALL, json!({"reasoning_effort": null}));
    accepts(
        &FIXED,
        json!({"reasoning_effort": null, "thinking": {"type": "enabled"}}),
    );
}

#[test]
fn only_k3_takes_thinking_beside_reasoning_effort() {
    let both = json!({"reasoning_effort": "max", "thinking": {"type": "enabled"}});
    refuses(
        &[K28, CODING, K27, K26, K25],
        both.clone(),
        "cannot specify both 'thinking' and 'reasoning_effort'",
    );
    accepts(&[K3, K3_CODE], both);
    let two = json!({"reasoning_effort": "max", "thinking": {"keep": "all", "effort": "low"}});
    accepts(&[K3, K3_CODE], two);
    for wrong in [
        json!({"reasoning_effort": "none", "thinking": {"effort": "low"}}),
        json!({"reasoning_effort": "low", "thinking": {"effort": "none"}}),
    ] {
        refuses_naming(&[K3, K3_CODE], wrong, "low, high and max");
    }
}
