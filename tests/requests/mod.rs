//! Generates chat requests: usual ones, those of other APIs and invalid ones.

mod messages;
mod parameters;
mod tools;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};
use tower_moonshot::{NPolicy, Rule, ToolChoicePolicy};

use self::parameters::fixed;
use crate::reference::Reference;

type Values = BoxedStrategy<Value>;

/// One of these values. A value that is listed twice is twice as likely.
fn pick(from: Value) -> Values {
    select(from.as_array().cloned().unwrap_or_default()).boxed()
}

/// An object that has each of these members in the given percentage of cases.
fn object(members: Vec<(&'static str, u32, Values)>) -> Values {
    let members: Vec<_> = members
        .into_iter()
        .map(|(key, percent, value)| {
            let member = value.prop_map(move |value| Some((key.to_owned(), value)));
            // A member of 100 % stays in the smallest failing case.
            match percent {
                100 => member.boxed(),
                _ => prop_oneof![100 - percent => Just(None), percent => member].boxed(),
            }
        })
        .collect();
    members
        .prop_map(|members| members.into_iter().flatten().collect())
        .boxed()
}

fn array(item: Values, longest: usize) -> Values {
    vec(item, 0..=longest).prop_map(Value::from).boxed()
}

/// Bodies of chat requests, and a few others.
pub(crate) fn requests() -> impl Strategy<Value = Value> {
    let no_messages = pick(json!([null, {}, "Hi", 5]));
    let messages = prop_oneof![
        30 => messages::messages(true),
        30 => messages::messages(false),
        1 => no_messages,
    ];
    chats(99, messages.boxed())
}

/// Requests that always have messages.
pub(crate) fn conversations() -> impl Strategy<Value = Value> {
    let messages = prop_oneof![messages::messages(true), messages::messages(false)];
    chats(100, messages.boxed())
}

fn chats(percent: u32, messages: Values) -> Values {
    let metadata = pick(json!([{"temperature": 2, "messages": [{"role": "developer"}]}]));
    let mut members = vec![
        ("model", 97, parameters::models()),
        ("messages", percent, messages),
        ("temperature", 40, parameters::temperatures()),
        ("n", 35, parameters::ns()),
        ("top_p", 20, fixed(json!(0.95))),
        ("presence_penalty", 15, fixed(json!(0))),
        ("frequency_penalty", 15, fixed(json!(0.0))),
        (
            "logprobs",
            20,
            pick(json!([true, false, null, 0, 1, "true"])),
        ),
        ("top_logprobs", 20, pick(json!([0, 3, null, "3", false]))),
        ("tools", 60, tools::tools()),
        ("tool_choice", 50, tools::tool_choices()),
        ("thinking", 40, parameters::thinking()),
        ("reasoning_effort", 40, parameters::reasoning_efforts()),
        ("response_format", 25, tools::response_formats()),
        ("max_tokens", 15, parameters::budgets()),
        ("max_completion_tokens", 15, parameters::budgets()),
        ("stop", 10, pick(json!([["a", "b"], "END"]))),
        ("metadata", 10, metadata),
        ("型/~\"", 10, pick(json!([{}, [], "\u{10ffff}"]))),
    ];
    members.extend(parameters::switches());
    object(members)
}

/// Settings of a layer, mostly the defaults.
pub(crate) fn settings() -> impl Strategy<Value = Reference> {
    let tool_choice = select(vec![
        ToolChoicePolicy::Nudge,
        ToolChoicePolicy::Nudge,
        ToolChoicePolicy::Auto,
        ToolChoicePolicy::DisableThinking,
    ]);
    let n = select(vec![NPolicy::Remove, NPolicy::Remove, NPolicy::Keep]);
    let off = prop_oneof![2 => Just(Vec::new()), 1 => vec(select(Rule::ALL), 1..5)];
    let aliases = select(vec![
        vec![],
        vec![
            ("fast", "kimi-k2.6"),
            ("moonshot/odd", "kimi \"k3\""),
            ("gpt-4o", "kimi-k3"),
        ],
    ]);
    let floor = select(vec![0, 0, 16_000]);
    (tool_choice, n, off, aliases, floor).prop_map(
        |(tool_choice, n, off, aliases, min_completion_tokens)| Reference {
            off,
            aliases,
            tool_choice,
            n,
            min_completion_tokens,
        },
    )
}
