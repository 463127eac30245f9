//! `model`.

use tower_moonshot::{ConfigError, Rule};

use super::{changes, changes_with, layer, leaves_alone, leaves_alone_with};

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
