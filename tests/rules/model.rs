//! The rule `model`.

use tower_moonshot::{ConfigError, Rule};

use super::{changes, changes_with, layer, leaves_alone, leaves_alone_with};

const NO_PREFIX: &str = "Moonshot's model ids have no provider prefix";
const ALIAS: &str = "the name is an alias";
const ONLY_1: &str = "only 1 is accepted";

#[test]
fn a_provider_prefix_is_removed_and_the_id_keeps_its_spelling() {
    changes(&[
        (
            "one prefix",
            r#"{"model":"moonshot/kimi-k2-0905-preview","messages":[]}"#,
            r#"{"model":"kimi-k2-0905-preview","messages":[]}"#,
            &[(Rule::Model, "/model", NO_PREFIX)],
        ),
        (
            "several prefixes, and upper case",
            r#"{"messages":[], "model" : "MoonshotAI/moonshot/Kimi-K2.6"}"#,
            r#"{"messages":[], "model" : "Kimi-K2.6"}"#,
            &[(Rule::Model, "/model", NO_PREFIX)],
        ),
        (
            "an escaped slash and letter; other escapes stay",
            r#"{"mod\u0065l":"m\u006fonshot\/kimi\u002dk3","messages":[]}"#,
            r#"{"mod\u0065l":"kimi\u002dk3","messages":[]}"#,
            &[(Rule::Model, "/model", NO_PREFIX)],
        ),
    ]);
    leaves_alone(&[
        ("no prefix", r#"{"model":"kimi-k3","messages":[]}"#),
        (
            "a prefix without an id",
            r#"{"model":"moonshot/","messages":[]}"#,
        ),
        (
            "another provider",
            r#"{"model":"openai/moonshot/kimi-k3","messages":[]}"#,
        ),
        (
            "not a string",
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
                "the target's family refuses the temperature",
                r#"{"model":"gpt-4o","temperature":0.5,"messages":[]}"#,
                r#"{"model":"kimi-k3","messages":[]}"#,
                &[
                    (Rule::Model, "/model", ALIAS),
                    (Rule::Sampling, "/temperature", ONLY_1),
                ],
            ),
            (
                "an alias with a prefix",
                r#"{"model":"moonshot/gpt-4o","messages":[]}"#,
                r#"{"model":"kimi-k3","messages":[]}"#,
                &[(Rule::Model, "/model", ALIAS)],
            ),
            (
                "a target that needs an escape",
                r#"{"model":"odd","messages":[]}"#,
                r#"{"model":"a\"b","messages":[]}"#,
                &[(Rule::Model, "/model", ALIAS)],
            ),
        ],
    );
    leaves_alone_with(
        &layer.without_rule(Rule::Model),
        &[(
            "the target is of no known family",
            r#"{"model":"gpt-4o","temperature":0.5,"messages":[]}"#,
        )],
    );
}

#[test]
fn an_alias_of_an_alias_or_of_nothing_is_refused() {
    let aliases = |aliases: &[(&str, &str)]| layer().with_aliases(aliases.iter().copied()).err();
    let of_alias = |error: Option<ConfigError>, alias: &str, model: &str| match error {
        Some(ConfigError::AliasOfAlias { name, target, .. }) => {
            (name, target) == (alias.into(), model.into())
        }
        _ => false,
    };
    assert_eq!(aliases(&[("a", "b"), ("c", "b")]), None);
    assert!(of_alias(aliases(&[("a", "b"), ("b", "c")]), "a", "b"));
    let prefixed = aliases(&[("b", "c"), ("a", "moonshot/b")]);
    assert!(of_alias(prefixed, "a", "b"));
    assert!(of_alias(aliases(&[("a", "a")]), "a", "a"));
    // Adding the second alias later is refused too.
    let second = layer()
        .with_alias("b", "c")
        .and_then(|layer| layer.with_alias("a", "b"));
    assert!(of_alias(second.err(), "a", "b"));
    assert_eq!(aliases(&[("", "b")]), Some(ConfigError::EmptyAlias));
    assert_eq!(aliases(&[("a", "")]), Some(ConfigError::EmptyAlias));
}

#[test]
fn the_family_is_found_behind_a_prefix_that_stays() {
    changes_with(
        &layer().without_rule(Rule::Model),
        &[(
            "the rule is disabled",
            r#"{"model":"moonshot/kimi-k3","temperature":0.5,"messages":[]}"#,
            r#"{"model":"moonshot/kimi-k3","messages":[]}"#,
            &[(Rule::Sampling, "/temperature", ONLY_1)],
        )],
    );
}
