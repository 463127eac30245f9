//! Each rule, byte for byte: what it changes and how, what it reports, and what it
//! leaves alone.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bytes::Bytes;
use tower_moonshot::{ConfigError, MoonshotCompatLayer, NPolicy, Report, Rule, ToolChoicePolicy};

/// Why, a body, what is sent instead, and the changes that are reported.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(Rule, &'static str)],
);

fn layer() -> MoonshotCompatLayer {
    MoonshotCompatLayer::new()
}

fn rewrite(layer: &MoonshotCompatLayer, body: &'static str) -> (String, Report) {
    let (rope, report) = layer.rewrite(Bytes::from_static(body.as_bytes()));
    (
        String::from_utf8(rope.into_bytes().to_vec()).unwrap(),
        report,
    )
}

fn reported(report: &Report) -> Vec<(Rule, String)> {
    let changes = report.changes().iter();
    changes
        .map(|change| (change.rule(), change.pointer()))
        .collect()
}

#[track_caller]
fn changes_with(layer: &MoonshotCompatLayer, rows: &[Row]) {
    for &(why, body, expected, changes) in rows {
        let (sent, report) = rewrite(layer, body);
        assert_eq!(sent, expected, "{why}: {body}");
        let changes: Vec<_> = changes
            .iter()
            .map(|&(rule, at)| (rule, at.to_owned()))
            .collect();
        assert_eq!(reported(&report), changes, "{why}: {body}");
    }
}

#[track_caller]
fn changes(rows: &[Row]) {
    changes_with(&layer(), rows);
}

#[track_caller]
fn leaves_alone_with(layer: &MoonshotCompatLayer, rows: &[(&str, &'static str)]) {
    for &(why, body) in rows {
        let (sent, report) = rewrite(layer, body);
        assert_eq!(sent, body, "{why}");
        assert_eq!(reported(&report), [], "{why}");
    }
}

#[track_caller]
fn leaves_alone(rows: &[(&str, &'static str)]) {
    leaves_alone_with(&layer(), rows);
}

// === model ===

#[test]
fn a_provider_prefix_goes_and_the_id_keeps_its_spelling() {
    changes(&[
        (
            "one prefix",
            r#"{"model":"moonshot/kimi-k2-0905-preview","messages":[]}"#,
            r#"{"model":"kimi-k2-0905-preview","messages":[]}"#,
            &[(Rule::Model, "/model")],
        ),
        (
            "several, in other cases, the id too",
            r#"{"messages":[], "model" : "MoonshotAI/moonshot/Kimi-K2.6"}"#,
            r#"{"messages":[], "model" : "Kimi-K2.6"}"#,
            &[(Rule::Model, "/model")],
        ),
        (
            "an escaped slash and an escaped letter; the rest stays escaped",
            r#"{"mod\u0065l":"m\u006fonshot\/kimi\u002dk3","messages":[]}"#,
            r#"{"mod\u0065l":"kimi\u002dk3","messages":[]}"#,
            &[(Rule::Model, "/model")],
        ),
    ]);
    leaves_alone(&[
        ("no prefix", r#"{"model":"kimi-k3","messages":[]}"#),
        (
            "nothing behind it",
            r#"{"model":"moonshot/","messages":[]}"#,
        ),
        (
            "another provider",
            r#"{"model":"openai/moonshot/kimi-k3","messages":[]}"#,
        ),
        (
            "no string",
            r#"{"model":["moonshot/kimi-k3"],"messages":[]}"#,
        ),
        ("null", r#"{"model":null,"messages":[]}"#),
    ]);
}

#[test]
fn an_alias_becomes_its_target_and_the_rules_are_those_of_the_target() {
    let layer = layer()
        .with_aliases([("gpt-4o", "kimi-k3"), ("odd", "a\"b")])
        .unwrap();
    changes_with(
        &layer,
        &[
            (
                "its family refuses the temperature",
                r#"{"model":"gpt-4o","temperature":0.5,"messages":[]}"#,
                r#"{"model":"kimi-k3","messages":[]}"#,
                &[(Rule::Model, "/model"), (Rule::Sampling, "/temperature")],
            ),
            (
                "behind a prefix",
                r#"{"model":"moonshot/gpt-4o","messages":[]}"#,
                r#"{"model":"kimi-k3","messages":[]}"#,
                &[(Rule::Model, "/model")],
            ),
            (
                "a target that needs an escape",
                r#"{"model":"odd","messages":[]}"#,
                r#"{"model":"a\"b","messages":[]}"#,
                &[(Rule::Model, "/model")],
            ),
        ],
    );
    leaves_alone_with(
        &layer.without_rule(Rule::Model),
        &[(
            "the id that is sent is of no family",
            r#"{"model":"gpt-4o","temperature":0.5,"messages":[]}"#,
        )],
    );
}

#[test]
fn an_alias_of_an_alias_or_of_nothing_is_refused() {
    let aliases = |aliases: &[(&str, &str)]| layer().with_aliases(aliases.iter().copied()).err();
    let of_alias = |name: &str, target: &str| {
        let (name, target) = (name.to_owned(), target.to_owned());
        Some(ConfigError::AliasOfAlias { name, target })
    };
    assert_eq!(aliases(&[("a", "b"), ("c", "b")]), None);
    assert_eq!(aliases(&[("a", "b"), ("b", "c")]), of_alias("a", "b"));
    assert_eq!(
        aliases(&[("b", "c"), ("a", "moonshot/b")]),
        of_alias("a", "b")
    );
    assert_eq!(aliases(&[("a", "a")]), of_alias("a", "a"));
    // The second one is as wrong as both at once.
    let second = layer()
        .with_alias("b", "c")
        .and_then(|layer| layer.with_alias("a", "b"));
    assert_eq!(second.err(), of_alias("a", "b"));
    assert_eq!(aliases(&[("", "b")]), Some(ConfigError::EmptyAlias));
    assert_eq!(aliases(&[("a", "")]), Some(ConfigError::EmptyAlias));
}

#[test]
fn a_prefix_that_stays_does_not_hide_the_family() {
    changes_with(
        &layer().without_rule(Rule::Model),
        &[(
            "the rule is off",
            r#"{"model":"moonshot/kimi-k3","temperature":0.5,"messages":[]}"#,
            r#"{"model":"moonshot/kimi-k3","messages":[]}"#,
            &[(Rule::Sampling, "/temperature")],
        )],
    );
}

// === temperature ===

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

// === sampling ===

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
            "for Kimi Code it always is",
            r#"{"model":"kimi-for-coding","messages":[],"temperature":1}"#,
            r#"{"model":"kimi-for-coding","messages":[]}"#,
            &[(Rule::Sampling, "/temperature")],
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
            r#"{"model":"k3","messages":[],"temperature":6e-1}"#,
        ),
        (
            "other types",
            r#"{"model":"kimi-k3","messages":[],"temperature":"0.5","n":"2","top_p":[],"logprobs":"true","top_logprobs":"3"}"#,
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
        &[(
            "none at all is refused all the same",
            r#"{"n":0,"model":"kimi-k3","messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::Sampling, "/n")],
        )],
    );
}

// === thinking ===

#[test]
fn what_a_model_refuses_in_thinking_is_taken_out() {
    const TYPE: &[(Rule, &str)] = &[(Rule::Thinking, "/thinking/type")];
    const KEEP: &[(Rule, &str)] = &[(Rule::Thinking, "/thinking/keep")];
    const ALL: &[(Rule, &str)] = &[(Rule::Thinking, "/thinking")];
    changes(&[
        (
            "K3 has no type; nothing is left",
            r#"{"model":"kimi-k3","thinking":{"type":"enabled"},"messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            ALL,
        ),
        (
            "K3: what is kept stays",
            r#"{"model":"kimi-k3","messages":[],"thinking":{ "type": "enabled", "keep": "all" }}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{ "keep": "all" }}"#,
            TYPE,
        ),
        (
            "K3: the type is last, and twice there",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":1,"keep":"all","ty\u0070e":null}}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"}}"#,
            TYPE,
        ),
        (
            "K2.7 can't be disabled",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"disabled","keep":"all"}}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            ALL,
        ),
        (
            "K2.5 keeps nothing",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"enabled","keep":"all"}}"#,
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"enabled"}}"#,
            KEEP,
        ),
        (
            "K2.5: nothing is left in the object",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{ "keep":null }}"#,
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{  }}"#,
            KEEP,
        ),
    ]);
    leaves_alone(&[
        (
            "K3 keeps",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"}}"#,
        ),
        (
            "K3, empty",
            r#"{"model":"kimi-k3","messages":[],"thinking":{}}"#,
        ),
        (
            "K2.7 is enabled",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"enabled"}}"#,
        ),
        (
            "K2.6 takes it all",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"enabled","keep":"all"}}"#,
        ),
        (
            "no object",
            r#"{"model":"kimi-k3","messages":[],"thinking":"type"}"#,
        ),
        (
            "V1",
            r#"{"model":"moonshot-v1-8k","messages":[],"thinking":{"type":"disabled"}}"#,
        ),
    ]);
}

// === reasoning_effort ===

#[test]
fn an_effort_becomes_a_level_of_k3() {
    const EFFORT: &[(Rule, &str)] = &[(Rule::ReasoningEffort, "/reasoning_effort")];
    changes(&[
        (
            "minimal",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"minimal"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
            EFFORT,
        ),
        (
            "none",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
            EFFORT,
        ),
        (
            "medium, escaped",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort": "m\u0065dium"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort": "high"}"#,
            EFFORT,
        ),
        (
            "xhigh",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"xhigh"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"max"}"#,
            EFFORT,
        ),
        (
            "an object",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":{"effort":"medium","summary":"auto"}}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"high"}"#,
            EFFORT,
        ),
        (
            "no level at all",
            r#"{"model":"kimi-k3","reasoning_effort":"High","messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            EFFORT,
        ),
        (
            "it stays in place of thinking",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"},"reasoning_effort":"low"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
            &[(Rule::ReasoningEffort, "/thinking")],
        ),
        (
            "no level, and thinking stays",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"},"reasoning_effort":"odd"}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"}}"#,
            EFFORT,
        ),
    ]);
    leaves_alone(&[
        (
            "low",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
        ),
        (
            "high, escaped",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"hi\u0067h"}"#,
        ),
        (
            "max",
            r#"{"model":"kimi-k4","messages":[],"reasoning_effort":"max"}"#,
        ),
    ]);
}

#[test]
fn no_effort_disables_thinking_where_that_is_possible() {
    const DISABLED: &[(Rule, &str)] = &[
        (Rule::ReasoningEffort, "/thinking"),
        (Rule::ReasoningEffort, "/reasoning_effort"),
    ];
    const EFFORT: &[(Rule, &str)] = &[(Rule::ReasoningEffort, "/reasoning_effort")];
    changes(&[
        (
            "K2.6",
            r#"{"model":"kimi-k2.6","reasoning_effort":"none","messages":[]}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"disabled"}}"#,
            DISABLED,
        ),
        (
            "K2.5, last in a pretty body",
            "{\n  \"model\": \"kimi-k2.5\",\n  \"messages\": [],\n  \"reasoning_effort\": {\"effort\": \"none\"}\n}",
            "{\n  \"model\": \"kimi-k2.5\",\n  \"messages\": [],\"thinking\":{\"type\":\"disabled\"}\n}",
            DISABLED,
        ),
        (
            "null is no thinking",
            r#"{"model":"kimi-k2.6","thinking":null,"reasoning_effort":"none","messages":[]}"#,
            r#"{"model":"kimi-k2.6","thinking":{"type":"disabled"},"messages":[]}"#,
            DISABLED,
        ),
        (
            "what thinking says counts more",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"enabled"},"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"enabled"}}"#,
            EFFORT,
        ),
        (
            "K2.7 always thinks",
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            EFFORT,
        ),
    ]);
}

#[test]
fn an_effort_is_a_string_and_alone() {
    const EFFORT: &[(Rule, &str)] = &[(Rule::ReasoningEffort, "/reasoning_effort")];
    changes(&[
        (
            "beside thinking",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{},"reasoning_effort":"high"}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{}}"#,
            EFFORT,
        ),
        (
            "an object on a model that ignores it",
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":{ "effort" : "h\u0069gh" }}"#,
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":"h\u0069gh"}"#,
            EFFORT,
        ),
        (
            "an object on a model of which nothing is known, with the key twice",
            r#"{"model":"gpt-4o","messages":[],"reasoning_effort":{"effort":"low","effort":"high","summary":null}}"#,
            r#"{"model":"gpt-4o","messages":[],"reasoning_effort":"high"}"#,
            EFFORT,
        ),
        (
            "a number",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":3}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            EFFORT,
        ),
        (
            "null",
            r#"{"model":"kimi-k2.5","messages":[],"reasoning_effort":null}"#,
            r#"{"model":"kimi-k2.5","messages":[]}"#,
            EFFORT,
        ),
        (
            "an object without one",
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":{"effort":3}}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            EFFORT,
        ),
    ]);
    leaves_alone(&[
        (
            "it is ignored",
            r#"{"model":"kimi-k2.6","messages":[],"reasoning_effort":"odd"}"#,
        ),
        (
            "on V1",
            r#"{"model":"kimi-latest","messages":[],"reasoning_effort":"none"}"#,
        ),
        (
            "a number on V1",
            r#"{"model":"kimi-latest","messages":[],"reasoning_effort":3}"#,
        ),
        (
            "beside thinking on V1",
            r#"{"model":"kimi-latest","messages":[],"thinking":{},"reasoning_effort":"high"}"#,
        ),
    ]);
}

// === tool_choice ===

#[test]
fn without_tools_there_is_no_choice() {
    const CHOICE: &[(Rule, &str)] = &[(Rule::ToolChoice, "/tool_choice")];
    changes(&[
        (
            "no tools",
            r#"{"model":"kimi-k3","tool_choice":"required","messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            CHOICE,
        ),
        (
            "an empty list",
            r#"{"tools":[ ],"tool_choice":{"type":"function","function":{"name":"f"}},"messages":[]}"#,
            r#"{"tools":[ ],"messages":[]}"#,
            CHOICE,
        ),
        (
            "null",
            r#"{"tools":null,"messages":[],"tool_choice":"auto"}"#,
            r#"{"tools":null,"messages":[]}"#,
            CHOICE,
        ),
    ]);
    leaves_alone(&[
        ("no choice either", r#"{"messages":[],"tool_choice":null}"#),
        (
            "tools that are no list",
            r#"{"messages":[],"tools":{},"tool_choice":"required"}"#,
        ),
    ]);
}

#[test]
fn a_choice_without_a_function_is_a_plain_string() {
    const CHOICE: &[(Rule, &str)] = &[(Rule::ToolChoice, "/tool_choice")];
    changes(&[
        (
            "auto",
            r#"{"messages":[],"tools":[{}],"tool_choice":{"type":"auto"}}"#,
            r#"{"messages":[],"tools":[{}],"tool_choice":"auto"}"#,
            CHOICE,
        ),
        (
            "none",
            r#"{"messages":[],"tools":[{}],"tool_choice":{ "type" : "n\u006fne" }}"#,
            r#"{"messages":[],"tools":[{}],"tool_choice":"none"}"#,
            CHOICE,
        ),
        (
            "required, which K3 takes",
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":{"type":"required"}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
            CHOICE,
        ),
    ]);
    leaves_alone(&[
        (
            "plain already",
            r#"{"messages":[],"tools":[{}],"tool_choice":"none"}"#,
        ),
        (
            "no known word",
            r#"{"messages":[],"tools":[{}],"tool_choice":"any"}"#,
        ),
        (
            "no known type",
            r#"{"messages":[],"tools":[{}],"tool_choice":{"type":"any"}}"#,
        ),
        (
            "of two minds",
            r#"{"messages":[],"tools":[{}],"tool_choice":{"type":"required","function":{"name":"f"}}}"#,
        ),
        ("null", r#"{"messages":[],"tools":[{}],"tool_choice":null}"#),
        (
            "a number",
            r#"{"messages":[],"tools":[{}],"tool_choice":1}"#,
        ),
    ]);
}

#[test]
fn a_message_asks_for_a_tool_where_required_is_refused() {
    const ASKED: &[(Rule, &str)] = &[
        (Rule::ToolChoice, "/tool_choice"),
        (Rule::ToolChoice, "/messages/-"),
    ];
    changes(&[
        (
            "on V1",
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"user","content":"Hi"}],"tools":[{}],"tool_choice":"required"}"#,
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"user","content":"Hi"},{"role":"user","content":"Please select a tool to handle the current issue."}],"tools":[{}]}"#,
            ASKED,
        ),
        (
            "on K2.7, pretty, as an object",
            "{\n  \"model\": \"kimi-k2.7\",\n  \"tool_choice\": {\"type\": \"required\"},\n  \"tools\": [{}],\n  \"messages\": [\n    {\"role\": \"user\", \"content\": \"Hi\"}\n  ]\n}",
            "{\n  \"model\": \"kimi-k2.7\",\n  \"tools\": [{}],\n  \"messages\": [\n    {\"role\": \"user\", \"content\": \"Hi\"},{\"role\":\"user\",\"content\":\"Please select a tool to handle the current issue.\"}\n  ]\n}",
            ASKED,
        ),
        (
            "on K2.6, which thinks",
            r#"{"model":"kimi-k2.6","tools":[{}],"tool_choice":"required","messages":[null]}"#,
            r#"{"model":"kimi-k2.6","tools":[{}],"messages":[null,{"role":"user","content":"Please select a tool to handle the current issue."}]}"#,
            ASKED,
        ),
        (
            "without messages",
            r#"{"tools":[{}],"tool_choice":"required","messages":[]}"#,
            r#"{"tools":[{}],"messages":[{"role":"user","content":"Please select a tool to handle the current issue."}]}"#,
            ASKED,
        ),
        (
            "but not behind a prefill",
            r#"{"tools":[{}],"tool_choice":"required","messages":[{"role":"assistant","content":"{","partial":true}]}"#,
            r#"{"tools":[{}],"messages":[{"role":"assistant","content":"{","partial":true}]}"#,
            &[(Rule::ToolChoice, "/tool_choice")],
        ),
    ]);
    leaves_alone(&[
        (
            "K3 takes it",
            r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
        ),
        (
            "K2.6 takes it while it doesn't think",
            r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"required","thinking":{"type":"disabled"}}"#,
        ),
    ]);
}

#[test]
fn only_the_named_tool_is_left_where_a_name_is_refused() {
    changes(&[
        (
            "on K3, which then must call a tool",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}},{"function":{"name":"g"}},{"function":{"name":"h"}}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"g"}}],"tool_choice":"required"}"#,
            &[
                (Rule::ToolChoice, "/tools/0"),
                (Rule::ToolChoice, "/tools/2"),
                (Rule::ToolChoice, "/tool_choice"),
            ],
        ),
        (
            "on K2.7, which is asked to; the last of several lines stays",
            "{\"model\":\"kimi-k2.7\",\"messages\":[null],\"tools\":[\n  {\"function\":{\"name\":\"f\"}},\n  7,\n  {\"function\":{\"n\\u0061me\":\"g\\u0021\"}}\n],\"tool_choice\":{\"function\":{\"name\":\"g!\"},\"type\":\"function\"}}",
            "{\"model\":\"kimi-k2.7\",\"messages\":[null,{\"role\":\"user\",\"content\":\"Please select a tool to handle the current issue.\"}],\"tools\":[\n  {\"function\":{\"n\\u0061me\":\"g\\u0021\"}}\n]}",
            &[
                (Rule::ToolChoice, "/tools/0"),
                (Rule::ToolChoice, "/tools/1"),
                (Rule::ToolChoice, "/tool_choice"),
                (Rule::ToolChoice, "/messages/-"),
            ],
        ),
        (
            "on K2.6 behind a prefill; the first of several lines stays",
            "{\"model\":\"kimi-k2.6\",\"messages\":[{\"role\":\"assistant\",\"partial\":true}],\"tools\":[\n  {\"function\":{\"name\":\"f\"}},\n  {\"function\":{\"name\":\"g\"}}\n],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}",
            "{\"model\":\"kimi-k2.6\",\"messages\":[{\"role\":\"assistant\",\"partial\":true}],\"tools\":[\n  {\"function\":{\"name\":\"f\"}}\n]}",
            &[
                (Rule::ToolChoice, "/tools/1"),
                (Rule::ToolChoice, "/tool_choice"),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "a name that is not there",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"g"}}}"#,
        ),
        (
            "no name",
            r#"{"model":"kimi-k3","messages":[],"tools":[{"function":{"name":null}}],"tool_choice":{"type":"function","function":{"name":null}}}"#,
        ),
        (
            "what V1 makes of a name is not known",
            r#"{"model":"moonshot-v1-8k","messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
        ),
        (
            "K2.5 takes a name while it doesn't think",
            r#"{"model":"kimi-k2.5","messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}},"thinking":{"type":"disabled"}}"#,
        ),
    ]);
}

#[test]
fn the_model_may_choose_if_that_is_the_policy() {
    changes_with(
        &layer().with_tool_choice(ToolChoicePolicy::Auto),
        &[
            (
                "required",
                r#"{"tools":[{}],"tool_choice":"required","messages":[null]}"#,
                r#"{"tools":[{}],"messages":[null]}"#,
                &[(Rule::ToolChoice, "/tool_choice")],
            ),
            (
                "a name",
                r#"{"model":"kimi-k2.7","tools":[{},{"function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}},"messages":[null]}"#,
                r#"{"model":"kimi-k2.7","tools":[{"function":{"name":"f"}}],"messages":[null]}"#,
                &[
                    (Rule::ToolChoice, "/tools/0"),
                    (Rule::ToolChoice, "/tool_choice"),
                ],
            ),
        ],
    );
}

#[test]
fn thinking_is_disabled_for_a_forced_choice_if_that_is_the_policy() {
    let layer = layer().with_tool_choice(ToolChoicePolicy::DisableThinking);
    changes_with(
        &layer,
        &[
            (
                "the accepted temperature is then another one, and the effort goes",
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"required","reasoning_effort":"high","temperature":1}"#,
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"required","thinking":{"type":"disabled"}}"#,
                &[
                    (Rule::ToolChoice, "/thinking"),
                    (Rule::ToolChoice, "/reasoning_effort"),
                    (Rule::Sampling, "/temperature"),
                ],
            ),
            (
                "in place of enabled thinking; the temperature that is now right stays",
                r#"{"model":"kimi-k2.5","thinking":{"type":"enabled","keep":"all"},"temperature":0.6,"messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
                r#"{"model":"kimi-k2.5","thinking":{"type":"disabled"},"temperature":0.6,"messages":[],"tools":[{"function":{"name":"f"}},{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
                &[
                    (Rule::Thinking, "/thinking/keep"),
                    (Rule::ToolChoice, "/thinking"),
                ],
            ),
            (
                "K2.7 can't do without",
                r#"{"model":"kimi-k2.7","messages":[null],"tools":[{}],"tool_choice":"required"}"#,
                r#"{"model":"kimi-k2.7","messages":[null,{"role":"user","content":"Please select a tool to handle the current issue."}],"tools":[{}]}"#,
                &[
                    (Rule::ToolChoice, "/tool_choice"),
                    (Rule::ToolChoice, "/messages/-"),
                ],
            ),
        ],
    );
    leaves_alone_with(
        &layer,
        &[
            (
                "nothing is forced",
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":"auto"}"#,
            ),
            (
                "a name that is not there",
                r#"{"model":"kimi-k2.6","messages":[],"tools":[{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
            ),
            (
                "K3 takes it",
                r#"{"model":"kimi-k3","messages":[],"tools":[{}],"tool_choice":"required"}"#,
            ),
        ],
    );
}

// === role ===

#[test]
fn a_developer_is_a_system() {
    changes(&[(
        "wherever one is",
        r#"{"messages":[{"role":"developer","content":"a"},7,{"content":"b","rol\u0065":"dev\u0065loper"}]}"#,
        r#"{"messages":[{"role":"system","content":"a"},7,{"content":"b","rol\u0065":"system"}]}"#,
        &[
            (Rule::Role, "/messages/0/role"),
            (Rule::Role, "/messages/2/role"),
        ],
    )]);
    leaves_alone(&[
        (
            "other roles",
            r#"{"messages":[{"role":"Developer"},{"role":"critic"},{"role":5},{}]}"#,
        ),
        (
            "no message",
            r#"{"messages":["developer"],"role":"developer"}"#,
        ),
    ]);
}

// === content ===

#[test]
fn arrays_of_nothing_but_text_become_strings() {
    const FIRST: &[(Rule, &str)] = &[(Rule::Content, "/messages/0/content")];
    changes(&[
        (
            "escapes stay as they are, nothing stands between the texts",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"\u00e9\n"},{"text":"é\/","type":"text"}]}]}"#,
            r#"{"messages":[{"role":"user","content":"\u00e9\né\/"}]}"#,
            FIRST,
        ),
        (
            "whatever else is in the parts goes",
            r#"{"messages":[{"role":"system","content":[ { "cache_control":{"type":"ephemeral"}, "type":"text", "text":"a", "annotations":[]} , {"type":"text","text":""} ] }]}"#,
            r#"{"messages":[{"role":"system","content":"a" }]}"#,
            FIRST,
        ),
        (
            "a refusal is text; keys in escapes, and twice",
            r#"{"messages":[{"role":"assistant","content":[{"typ\u0065":"refus\u0061l","refusal":"x","refusal":"no"},{"type":"image","text":"t","type":"text"}]}]}"#,
            r#"{"messages":[{"role":"assistant","content":"not"}]}"#,
            FIRST,
        ),
        (
            "an empty array",
            r#"{"messages":[{"role":"system","content":[ ]}]}"#,
            r#"{"messages":[{"role":"system","content":""}]}"#,
            FIRST,
        ),
        (
            "in every message",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"tool","content":[{"type":"text","text":"b"}]}]}"#,
            r#"{"messages":[{"role":"user","content":"a"},{"role":"tool","content":"b"}]}"#,
            &[
                (Rule::Content, "/messages/0/content"),
                (Rule::Content, "/messages/1/content"),
            ],
        ),
    ]);
}

#[test]
fn one_part_that_is_no_text_keeps_all_arrays() {
    leaves_alone(&[
        (
            "an image in another message",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}]}"#,
        ),
        (
            "a text that is none",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":null}]}]}"#,
        ),
        (
            "a part that is a string",
            r#"{"messages":[{"role":"user","content":["a",{"type":"text","text":"a"}]}]}"#,
        ),
        (
            "a part without a type",
            r#"{"messages":[{"role":"user","content":[{"text":"a"}]}]}"#,
        ),
        (
            "contents of other types",
            r#"{"messages":[{"role":"user","content":5},{"role":"user","content":{"type":"text","text":"a"}}]}"#,
        ),
    ]);
}

// === empty_content ===

#[test]
fn a_message_that_says_nothing_gets_a_space() {
    const FIRST: &[(Rule, &str)] = &[(Rule::EmptyContent, "/messages/0/content")];
    changes(&[
        (
            "an empty string",
            r#"{"messages":[{"role":"user","content":""}]}"#,
            r#"{"messages":[{"role":"user","content":" "}]}"#,
            FIRST,
        ),
        (
            "an empty array",
            r#"{"messages":[{"role":"user","content":[]}]}"#,
            r#"{"messages":[{"role":"user","content":" "}]}"#,
            FIRST,
        ),
        (
            "empty texts",
            r#"{"messages":[{"role":"assistant","content":[{"type":"text","text":""},{"type":"refusal","refusal":""}]}]}"#,
            r#"{"messages":[{"role":"assistant","content":" "}]}"#,
            FIRST,
        ),
        (
            "null, of an assistant; no calls",
            r#"{"messages":[{"role":"assistant","content":null,"tool_calls":[]}]}"#,
            r#"{"messages":[{"role":"assistant","content":" ","tool_calls":[]}]}"#,
            FIRST,
        ),
        (
            "nothing, of an assistant, pretty",
            "{\"messages\":[{\n  \"role\": \"assistant\"\n}]}",
            "{\"messages\":[{\n  \"role\": \"assistant\",\"content\":\" \"\n}]}",
            FIRST,
        ),
    ]);
    leaves_alone(&[
        (
            "calls",
            r#"{"messages":[{"role":"assistant","content":"","tool_calls":[{}]},{"role":"assistant","tool_calls":[{}]}]}"#,
        ),
        (
            "calls of a wrong type",
            r#"{"messages":[{"role":"assistant","content":"","tool_calls":{"id":"c"}}]}"#,
        ),
        (
            "a prefill",
            r#"{"messages":[{"role":"assistant","content":"","partial":true}]}"#,
        ),
        (
            "other roles",
            r#"{"messages":[{"role":"system","content":""},{"role":"tool","content":""},{"content":""}]}"#,
        ),
        (
            "a user without content",
            r#"{"messages":[{"role":"user","content":null},{"role":"user"}]}"#,
        ),
        ("a space", r#"{"messages":[{"role":"user","content":" "}]}"#),
        (
            "other types",
            r#"{"messages":[{"role":"user","content":0},{"role":"assistant","content":{}}]}"#,
        ),
    ]);
}

#[test]
fn empty_texts_go_from_an_array_that_stays() {
    changes(&[
        (
            "first, last and two at once",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":""},{"type":"image_url"},{"type":"text","text":""}, {"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
            &[
                (Rule::EmptyContent, "/messages/0/content/0"),
                (Rule::EmptyContent, "/messages/0/content/2"),
                (Rule::EmptyContent, "/messages/0/content/3"),
            ],
        ),
        (
            "in the middle of lines",
            "{\"messages\":[{\"role\":\"tool\",\"content\":[\n  {\"type\":\"image_url\"},\n  {\"type\":\"text\",\"text\":\"\"},\n  {\"type\":\"text\",\"text\":\"a\"}\n]}]}",
            "{\"messages\":[{\"role\":\"tool\",\"content\":[\n  {\"type\":\"image_url\"},\n  {\"type\":\"text\",\"text\":\"a\"}\n]}]}",
            &[(Rule::EmptyContent, "/messages/0/content/1")],
        ),
        (
            "nothing else in it, of a user and of a tool",
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"user","content":[{"type":"text","text":""}]},{"role":"tool","content":[{"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"user","content":" "},{"role":"tool","content":""}]}"#,
            &[
                (Rule::EmptyContent, "/messages/1/content"),
                (Rule::EmptyContent, "/messages/2/content"),
            ],
        ),
    ]);
    changes_with(
        &layer().without_rule(Rule::Content),
        &[(
            "the arrays stay because strings are switched off",
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]}"#,
            &[(Rule::EmptyContent, "/messages/0/content/1")],
        )],
    );
}

// === reasoning_content ===

#[test]
fn a_call_of_a_model_that_thinks_has_its_reasoning() {
    const REASONING: &[(Rule, &str)] = &[(Rule::ReasoningContent, "/messages/0/reasoning_content")];
    changes(&[
        (
            "there is none",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{}],"reasoning_content":" "}]}"#,
            REASONING,
        ),
        (
            "it is null",
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","reasoning_content":null,"tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","reasoning_content":" ","tool_calls":[{}]}]}"#,
            REASONING,
        ),
        (
            "it is empty",
            r#"{"model":"kimi-k2-thinking","messages":[{"role":"assistant","reasoning_content":"","tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k2-thinking","messages":[{"role":"assistant","reasoning_content":" ","tool_calls":[{}]}]}"#,
            REASONING,
        ),
        (
            "it has another name",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning" : "w\u0065ll","tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_content" : "w\u0065ll","tool_calls":[{}]}]}"#,
            REASONING,
        ),
        (
            "it has another name, beside nothing under its own",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning":"well","reasoning_content":"","tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_content":"well","tool_calls":[{}]}]}"#,
            REASONING,
        ),
        (
            "it is among the provider's fields, alone",
            r#"{"model":"kimi-k2.5","messages":[{"role":"assistant","provider_specific_fields":{"reasoning_content":"well"},"tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k2.5","messages":[{"role":"assistant","provider_specific_fields":{},"tool_calls":[{}],"reasoning_content":"well"}]}"#,
            REASONING,
        ),
        (
            "it is last among the provider's fields, and null where it should be",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":null,"tool_calls":[{}],"provider_specific_fields":{"a":1, "reasoning_content":"w\/ll"}}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":"w\/ll","tool_calls":[{}],"provider_specific_fields":{"a":1}}]}"#,
            REASONING,
        ),
        (
            "its other names say nothing",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning":"","provider_specific_fields":{"reasoning_content":null},"tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning":"","provider_specific_fields":{"reasoning_content":null},"tool_calls":[{}],"reasoning_content":" "}]}"#,
            REASONING,
        ),
        (
            "all is kept, so every answer needs it",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":"a"},{"role":"user","content":"b"}],"thinking":{"keep":"all"}}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":"a","reasoning_content":" "},{"role":"user","content":"b"}],"thinking":{"keep":"all"}}"#,
            REASONING,
        ),
    ]);
    leaves_alone(&[
        (
            "it is there",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":"x","reasoning":"y","tool_calls":[{}]}]}"#,
        ),
        (
            "no calls",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":"x"},{"role":"assistant","content":"x","tool_calls":[]}]}"#,
        ),
        (
            "calls of a user",
            r#"{"model":"kimi-k3","messages":[{"role":"user","tool_calls":[{}]}]}"#,
        ),
        (
            "another type",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":[],"tool_calls":[{}]}]}"#,
        ),
        (
            "thinking is disabled",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning":"x","tool_calls":[{}]}],"thinking":{"type":"disabled"}}"#,
        ),
        (
            "the model does not think",
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"assistant","tool_calls":[{}]}]}"#,
        ),
    ]);
}

// === tool_call_id ===

#[test]
fn an_id_that_is_not_allowed_is_mapped_in_calls_and_answers_alike() {
    changes(&[
        (
            "other letters become underscores",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions.f:0"},{"id":"ok-1"}]},{"role":"tool","tool_call_id":"functions.f:0","content":"x"}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"functions_f_0"},{"id":"ok-1"}]},{"role":"tool","tool_call_id":"functions_f_0","content":"x"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id"),
                (Rule::ToolCallId, "/messages/1/tool_call_id"),
            ],
        ),
        (
            "what would be the same gets a number",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a.b"},{"id":"a b"},{"id":"a_b"}]}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a_b_2"},{"id":"a_b_3"},{"id":"a_b"}]}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id"),
                (Rule::ToolCallId, "/messages/0/tool_calls/1/id"),
            ],
        ),
        (
            "nothing",
            r#"{"messages":[{"role":"tool","tool_call_id":"","content":"x"}]}"#,
            r#"{"messages":[{"role":"tool","tool_call_id":"call","content":"x"}]}"#,
            &[(Rule::ToolCallId, "/messages/0/tool_call_id")],
        ),
        (
            "more than 64 letters",
            r#"{"messages":[{"role":"tool","content":"x","tool_call_id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX"}]}"#,
            r#"{"messages":[{"role":"tool","content":"x","tool_call_id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}"#,
            &[(Rule::ToolCallId, "/messages/0/tool_call_id")],
        ),
        (
            "the same id in two spellings, and an earlier one of the same call",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"first","id":"a.b"}]},{"role":"tool","tool_call_id":"a\u002eb","content":"x"}]}"#,
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a_b"}]},{"role":"tool","tool_call_id":"a_b","content":"x"}]}"#,
            &[
                (Rule::ToolCallId, "/messages/0/tool_calls/0/id"),
                (Rule::ToolCallId, "/messages/1/tool_call_id"),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "good ids, even in escapes",
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c\u0061ll_1"},{}]},{"role":"tool","tool_call_id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}"#,
        ),
        (
            "other types",
            r#"{"messages":[{"role":"assistant","tool_calls":["a b",{"id":7}]},{"role":"tool","tool_call_id":null},{"role":"assistant","content":"","tool_calls":{"id":"a b"}}]}"#,
        ),
    ]);
}

// === together ===

#[test]
fn no_effort_frees_a_forced_choice_and_changes_what_else_is_right_in_one_pass() {
    changes(&[(
        "nothing is asked, no reasoning is filled in, and 1 is no temperature any more",
        r#"{"model":"moonshot/kimi-k2.6","messages":[{"role":"assistant","tool_calls":[{"id":"c"}]}],"tools":[{}],"tool_choice":{"type":"required"},"reasoning_effort":"none","temperature":1}"#,
        r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","tool_calls":[{"id":"c"}]}],"tools":[{}],"tool_choice":"required","thinking":{"type":"disabled"}}"#,
        &[
            (Rule::Model, "/model"),
            (Rule::ReasoningEffort, "/thinking"),
            (Rule::ReasoningEffort, "/reasoning_effort"),
            (Rule::ToolChoice, "/tool_choice"),
            (Rule::Sampling, "/temperature"),
        ],
    )]);
}

#[test]
fn one_message_can_be_changed_in_several_places() {
    changes(&[
        (
            "a developer's parts",
            r#"{"messages":[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}"#,
            r#"{"messages":[{"role":"system","content":"ab"}]}"#,
            &[
                (Rule::Role, "/messages/0/role"),
                (Rule::Content, "/messages/0/content"),
            ],
        ),
        (
            "an answer that says nothing and is kept",
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant"}]}"#,
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"role":"assistant","content":" ","reasoning_content":" "}]}"#,
            &[
                (Rule::EmptyContent, "/messages/0/content"),
                (Rule::ReasoningContent, "/messages/0/reasoning_content"),
            ],
        ),
        (
            "a kept answer whose last member goes",
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"reasoning":"x","role":"assistant","reasoning_content":null}]}"#,
            r#"{"model":"kimi-k3","thinking":{"keep":"all"},"messages":[{"reasoning_content":"x","role":"assistant","content":" "}]}"#,
            &[
                (Rule::EmptyContent, "/messages/0/content"),
                (Rule::ReasoningContent, "/messages/0/reasoning_content"),
            ],
        ),
        (
            "a prefill of empty parts is a string, and may be empty",
            r#"{"messages":[{"role":"assistant","partial":true,"content":[{"type":"text","text":""}]}]}"#,
            r#"{"messages":[{"role":"assistant","partial":true,"content":""}]}"#,
            &[(Rule::Content, "/messages/0/content")],
        ),
    ]);
}

#[test]
fn the_effort_that_replaces_thinking_takes_what_was_kept_with_it() {
    changes(&[(
        "so an answer without calls needs no reasoning",
        r#"{"model":"kimi-k3","thinking":{"type":"enabled","keep":"all"},"reasoning_effort":"high","messages":[{"role":"assistant","content":"a"}]}"#,
        r#"{"model":"kimi-k3","reasoning_effort":"high","messages":[{"role":"assistant","content":"a"}]}"#,
        &[(Rule::ReasoningEffort, "/thinking")],
    )]);
}

#[test]
fn of_a_key_that_was_edited_no_earlier_one_is_left() {
    changes(&[
        (
            "a parameter that goes",
            r#"{"temperature":1,"model":"kimi-k3","temper\u0061ture":0.1,"messages":[],"temperature":0.5}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::Sampling, "/temperature")],
        ),
        (
            "a parameter that stays",
            r#"{"temperature":9,"messages":[],"temperature":2}"#,
            r#"{"messages":[],"temperature":1}"#,
            &[(Rule::Temperature, "/temperature")],
        ),
        (
            "of messages, one of which is edited, and of its role",
            r#"{"messages":[{"role":"developer"}],"messages":[{"role":"user","role":"developer"}]}"#,
            r#"{"messages":[{"role":"system"}]}"#,
            &[(Rule::Role, "/messages/0/role")],
        ),
    ]);
    leaves_alone(&[
        (
            "the last of them is as it should be",
            r#"{"temperature":9,"messages":[{"role":"developer"}],"temperature":1,"messages":[]}"#,
        ),
        (
            "keys that no rule knows",
            r#"{"user":1,"messages":[],"user":2}"#,
        ),
    ]);
}

#[test]
fn what_is_no_chat_request_stays_as_it_is() {
    for body in [
        r#"{"model":"moonshot/kimi-k3","temperature":2}"#,
        r#"{"model":"moonshot/kimi-k3","messages":{}}"#,
        r#"{"messages":[{"role":"developer"}],"messages":null}"#,
        r#"[{"messages":[{"role":"developer"}]}]"#,
        "\u{feff}{\"messages\":[{\"role\":\"developer\"}]}",
        r#"{"messages":[{"role":"developer"}]} ."#,
        "",
    ] {
        let (sent, report) = rewrite(&layer(), body);
        assert_eq!(sent, body);
        assert!(report.skipped().is_some(), "{body}");
        assert_eq!(report.changes(), []);
    }
}

#[test]
fn a_rule_that_is_off_changes_nothing() {
    for (rule, body) in [
        (Rule::Model, r#"{"model":"moonshot/kimi-k3","messages":[]}"#),
        (
            Rule::Thinking,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"enabled"}}"#,
        ),
        (
            Rule::ReasoningEffort,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"none"}"#,
        ),
        (
            Rule::ToolChoice,
            r#"{"messages":[],"tool_choice":"required"}"#,
        ),
        (Rule::Temperature, r#"{"messages":[],"temperature":2}"#),
        (
            Rule::Sampling,
            r#"{"model":"kimi-k3","messages":[],"temperature":2}"#,
        ),
        (Rule::Role, r#"{"messages":[{"role":"developer"}]}"#),
        (
            Rule::Content,
            r#"{"messages":[{"content":[{"type":"text","text":"a"}]}]}"#,
        ),
        (Rule::EmptyContent, r#"{"messages":[{"role":"assistant"}]}"#),
        (
            Rule::ReasoningContent,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{}]}]}"#,
        ),
        (Rule::ToolCallId, r#"{"messages":[{"tool_call_id":"a b"}]}"#),
    ] {
        let (_, report) = rewrite(&layer(), body);
        assert!(
            reported(&report).iter().all(|change| change.0 == rule),
            "{body}"
        );
        assert!(!report.changes().is_empty(), "{rule}");
        leaves_alone_with(&layer().without_rule(rule), &[("it is off", body)]);
    }
}
