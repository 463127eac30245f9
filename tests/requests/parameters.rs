//! Generates the other members of a request: the model and parameters.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Values, pick};

/// Ids of every family, and unknown ones.
pub(super) fn models() -> Values {
    let known = pick(json!([
        "kimi-k3",
        "kimi-k3",
        "kimi-k3.1-pro",
        "k3",
        "k3-256k",
        "Kimi-K4-preview",
        "kimi-k10",
        "moonshot/kimi-k3",
        "kimi-k2.8-preview",
        "kimi-k2.50",
        "kimi-for-coding",
        "kimi-for-coding",
        "kimi-for-coding-highspeed",
        "kimi-k2.7",
        "kimi-k2.7-code",
        "KIMI-k2.7",
        "kimi-k2.6",
        "kimi-k2.6",
        "moonshotai/Kimi-K2.6",
        "moonshot/moonshotai/kimi-k2.6-0905",
        "kimi-k2.5",
        "kimi-k2.5",
        "MOONSHOT/kimi-k2.5-preview",
        "kimi-k2-thinking",
        "kimi-k2-thinking-turbo",
        "kimi-k2-0905-preview",
        "moonshot-v1-8k",
        "moonshot/moonshot-v1-auto",
        "kimi-latest",
        "kimi-thinking-preview",
    ]));
    let odd = pick(json!([
        "gpt-4o",
        "moonshot",
        "moonshot/",
        "kimi-k",
        "kimi-k2",
        "kimi-k2.",
        "kimi-k2.1",
        "kimi-k1.5",
        "kimi-k25",
        "kimi-k32b",
        "kimi-k99999999999999999999",
        "kimi-k2.99999999999999999999",
        "kimi-k2.10",
        "kimi-k2.6.1",
        "kimi-k2.60",
        "k2.6",
        "k4",
        "k30",
        "openai/kimi-k3",
        "月之暗面",
        "",
        null,
        3,
        "fast",
        "moonshot/fast",
        "moonshot/odd",
    ]));
    prop_oneof![3 => known, 1 => odd].boxed()
}

/// A parameter for which some families accept only one value.
pub(super) fn fixed(accepted: Value) -> Values {
    prop_oneof![
        2 => Just(accepted),
        5 => pick(json!([null, 0, 0.0, -0.0, 0.5, 0.6, 1, 2, -1, 1e300])),
        1 => pick(json!(["1", true, false, [], {}])),
    ]
    .boxed()
}

pub(super) fn temperatures() -> Values {
    let near_bounds = json!([
        null,
        0,
        -0.0,
        -1,
        0.001,
        0.29,
        0.3,
        0.31,
        0.6,
        0.6,
        1,
        1,
        1.001,
        1.5,
        2,
        1e300,
        "0.5",
        "1",
        true,
        [0],
        {}
    ]);
    pick(near_bounds)
}

pub(super) fn ns() -> Values {
    pick(json!([
        null,
        0,
        1,
        1,
        2,
        2,
        2,
        3,
        5,
        1.5,
        -1,
        1e30,
        "2",
        true,
        [],
        {}
    ]))
}

pub(super) fn thinking() -> Values {
    let usual = pick(json!([
        {"type": "disabled"}, {"type": "disabled"}, {"type": "enabled"},
        {"type": "enabled", "keep": "all"}, {"keep": "all"}, {"type": "disabled", "keep": "all"},
        {"type": "enabled", "effort": "high"}, {"type": "enabled", "keep": "all", "effort": "low"},
        {"type": "enabled", "budget_tokens": 2048},
    ]));
    let other = pick(json!([
        true, false, {"type": "adaptive"}, {"type": "adaptive", "keep": "all"}, {"type": "auto"},
        {"type": "adaptive", "effort": "xhigh"}, {"effort": "minimal"}, {"effort": "medium"}, {"effort": "max"},
        {"type": "disabled", "effort": "high"}, {"type": "enabled", "effort": "odd"}, {"keep": null},
        {"keep": "none"}, {"type": "enabled", "keep": null}, {"type": "enabled", "keep": 5}, {"budget": 1},
    ]));
    let odd = pick(json!([
        {"type": null}, {"type": 1, "budget": 1}, {"effort": "odd"}, {"effort": null}, {"effort": 3}, {"effort": "none"},
        {"type": "enabled", "effort": "none"}, {}, null, "disabled", [],
    ]));
    prop_oneof![5 => usual, 5 => other, 2 => odd].boxed()
}

pub(super) fn reasoning_efforts() -> Values {
    pick(json!([
        "none", "none", "none", "minimal", "low", "low", "medium", "high", "high", "xhigh", "max", "", "High",
        "extreme", null, 3, [], {}, true, ["high"], {"effort": 3}, {"effort": "none"},
        {"effort": "high"}, {"effort": "low", "summary": "auto"}, {"effort": "odd"},
    ]))
}

/// Other hosts' switches for thinking.
pub(super) fn switches() -> Vec<(&'static str, u32, Values)> {
    let off = json!({"thinking": false});
    vec![
        (
            "enable_thinking",
            10,
            pick(json!([false, false, true, null, "false", 0])),
        ),
        (
            "chat_template_kwargs",
            10,
            pick(
                json!([off, off, {"enable_thinking": false}, {"thinking": true}, {"thinking": null}, {}, null, "x"]),
            ),
        ),
        (
            "reasoning",
            10,
            pick(
                json!([{"enabled": false}, {"effort": "none"}, {"effort": "high"}, {"enabled": true}, {}, null, false]),
            ),
        ),
    ]
}

/// Token budgets around the documented minimum.
pub(super) fn budgets() -> Values {
    pick(json!([
        16,
        200,
        15_999,
        15_999.5,
        16_000,
        32_000,
        0,
        -1,
        null,
        "16",
        []
    ]))
}
