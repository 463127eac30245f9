//! What holds for every request, judged by a reference that works on parsed
//! values and by a reader that knows where everything stands.
//!
//! `PROPTEST_CASES` overrides the number of cases.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bodies;
mod explain;
mod prefixes;
mod reader;
mod reference;
mod requests;
mod spelling;

use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;
use tower_moonshot::{MoonshotCompatLayer, Report, Skipped};

use crate::reference::Reference;

/// This many cases, unless the environment says otherwise. Failing cases become
/// named tests rather than files of seeds.
fn cases(number: u32) -> ProptestConfig {
    ProptestConfig {
        cases: match std::env::var("PROPTEST_CASES") {
            Ok(cases) => cases.parse().unwrap(),
            Err(_) => number,
        },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The settings of a layer, and a body.
fn chats() -> impl Strategy<Value = (Reference, String)> {
    (requests::settings(), bodies::chats())
}

fn layer(settings: &Reference) -> MoonshotCompatLayer {
    let layer = MoonshotCompatLayer::new()
        .with_aliases(settings.aliases.iter().copied())
        .unwrap()
        .with_tool_choice_policy(settings.tool_choice)
        .with_n_policy(settings.n)
        .with_min_completion_tokens(settings.min_completion_tokens);
    settings
        .off
        .iter()
        .fold(layer, |layer, &rule| layer.without_rule(rule))
}

fn rewrite(settings: &Reference, body: &str) -> (String, Report) {
    let (rope, report) = layer(settings).rewrite(Bytes::copy_from_slice(body.as_bytes()));
    let rewritten = rope.into_bytes().to_vec();
    (String::from_utf8(rewritten).unwrap(), report)
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn a_rewritten_request_means_what_the_reference_makes_of_it((settings, body) in chats()) {
        let (sent, _) = rewrite(&settings, &body);
        let expected = settings.rewrite(parse(&body));
        prop_assert_eq!(parse(&sent), expected, "{:?} {}", settings, body);
    }

    #[test]
    fn rewriting_again_changes_nothing((settings, body) in chats()) {
        let (once, _) = rewrite(&settings, &body);
        let (twice, report) = rewrite(&settings, &once);
        prop_assert_eq!(&twice, &once);
        prop_assert_eq!(report.changes(), &[]);
    }

    #[test]
    fn bytes_change_where_the_meaning_does_and_nowhere_else((settings, body) in chats()) {
        let (sent, _) = rewrite(&settings, &body);
        explain::explain(&body, &sent)?;
    }

    #[test]
    fn a_request_that_needs_no_change_is_not_even_copied((settings, body) in chats()) {
        let body = Bytes::from(body);
        let (rope, report) = layer(&settings).rewrite(body.clone());
        let sent = rope.into_bytes();
        prop_assert_eq!(report.changes().is_empty(), sent == body);
        prop_assert_eq!(report.changes().is_empty(), sent.as_ptr() == body.as_ptr());
    }

    #[test]
    fn the_report_names_every_place_that_changed_and_no_other((settings, body) in chats()) {
        let (sent, report) = rewrite(&settings, &body);
        let (before, after) = (parse(&body), parse(&sent));
        let mut reported = BTreeSet::new();
        for change in report.changes() {
            let pointer = change.pointer();
            prop_assert!(is_a_place(&before, &pointer), "{} in {}", pointer, body);
            // As deep as a member of the request or of a message.
            let depth = if pointer.starts_with("/messages/") { 4 } else { 2 };
            reported.insert(pointer.split('/').take(depth).collect::<Vec<_>>().join("/"));
        }
        prop_assert_eq!(report.lost_thoughts(), lost_thoughts(&before, &after));
        let changed = changed_places(&before, &after);
        prop_assert_eq!(reported, changed, "{} became {}", body, sent);
    }
}

proptest! {
    // Each case is one for every message.
    #![proptest_config(cases(1000))]

    #[test]
    fn what_a_conversation_began_with_is_rewritten_the_same_however_it_goes_on(
        settings in requests::settings(),
        body in bodies::conversations(),
    ) {
        let send = |body: &str| rewrite(&settings, body).0;
        prefixes::check(send, &body)?;
    }
}

/// How many messages got a space for reasoning that was nowhere.
fn lost_thoughts(before: &Value, after: &Value) -> usize {
    let is_missing = |value: &Value| value.is_null() || *value == "";
    let messages = |request: &Value| request["messages"].as_array().cloned().unwrap_or_default();
    let pairs = messages(before).into_iter().zip(messages(after));
    let lost = pairs.filter(|(before, after)| {
        is_missing(&before["reasoning_content"])
            && after["reasoning_content"] == " "
            && before["reasoning"] != " "
            && before["provider_specific_fields"]["reasoning_content"] != " "
    });
    lost.count()
}

/// Whether a pointer leads to something, or to where something can be put in.
fn is_a_place(request: &Value, pointer: &str) -> bool {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match request.pointer(parent) {
        Some(Value::Object(_)) => true,
        Some(Value::Array(_)) => last == "-" || request.pointer(pointer).is_some(),
        _ => false,
    }
}

/// The members of a request, and of its messages, whose value is another one.
fn changed_places(before: &Value, after: &Value) -> BTreeSet<String> {
    let differing = |before: &Value, after: &Value| {
        let keys = [before, after]
            .into_iter()
            .filter_map(Value::as_object)
            .flatten();
        let keys: BTreeSet<_> = keys.map(|(key, _)| key.clone()).collect();
        keys.into_iter()
            .filter(|key| before.get(key) != after.get(key))
            .collect::<Vec<_>>()
    };
    let mut places = BTreeSet::new();
    for key in differing(before, after) {
        if key != "messages" {
            places.insert(format!("/{key}"));
            continue;
        }
        let old = before[&key].as_array().unwrap();
        let new = after[&key].as_array().unwrap();
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            let keys = differing(old, new);
            let reasoned = keys.iter().any(|key| key == "reasoning_content");
            for key in keys {
                // Whence the reasoning was moved goes without saying.
                let source = matches!(key.as_str(), "reasoning" | "provider_specific_fields");
                if !(reasoned && source) {
                    places.insert(format!("/messages/{index}/{key}"));
                }
            }
        }
        if new.len() > old.len() {
            places.insert(String::from("/messages/-"));
        }
    }
    places
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn the_pieces_of_a_rope_are_the_rewritten_text(body in bodies::long_chats()) {
        let settings = Reference::default();
        let original = Bytes::from(body.clone());
        let (mut rope, _) = layer(&settings).rewrite(original.clone());
        let whole = rope.clone().into_bytes();
        let mut pieces = Vec::new();
        prop_assert_eq!(rope.len(), whole.len());
        while let Some(piece) = rope.next() {
            prop_assert!(!piece.is_empty());
            // However long the text is, little of it is ever copied at once.
            let is_slice = original.as_ptr_range().contains(&piece.as_ptr());
            prop_assert!(is_slice || piece.len() <= 48 * 1024);
            pieces.extend_from_slice(&piece);
            prop_assert_eq!(pieces.len() + rope.len(), whole.len());
            prop_assert_eq!(rope.is_empty(), pieces.len() == whole.len());
            // What is left can be had in one piece at any time.
            let rest = rope.clone().into_bytes();
            prop_assert!(rest == whole.slice(pieces.len()..));
        }
        prop_assert!(pieces == whole);
        let sent: Value = serde_json::from_slice(&whole).unwrap();
        prop_assert!(sent == settings.rewrite(parse(&body)));
    }
}

proptest! {
    #![proptest_config(cases(8000))]

    #[test]
    fn what_is_no_json_is_left_alone_and_the_report_says_where_it_breaks(body in bodies::broken()) {
        let bytes = Bytes::from(body.clone());
        let (rope, report) = MoonshotCompatLayer::new().rewrite(bytes.clone());
        let sent = rope.into_bytes();
        match (reader::read(&body), report.skipped()) {
            (Ok(_), None | Some(Skipped::NotAChatRequest)) => {}
            (Err(offset), Some(Skipped::InvalidJson(invalid))) => {
                prop_assert_eq!(invalid.offset(), offset);
                let before = String::from_utf8_lossy(&body[..offset]);
                let (line, last) = match before.rsplit_once('\n') {
                    Some((lines, last)) => (lines.matches('\n').count() + 2, last),
                    None => (1, &*before),
                };
                prop_assert_eq!((invalid.line(), invalid.column()), (line, last.len() + 1));
                prop_assert_eq!(sent.as_ptr(), bytes.as_ptr());
            }
            (read, skipped) => prop_assert!(false, "{read:?}, but {skipped:?}"),
        }
    }

    #[test]
    fn serde_json_agrees_on_what_is_json(body in bodies::broken()) {
        let (_, report) = MoonshotCompatLayer::new().rewrite(Bytes::from(body.clone()));
        let is_valid = !matches!(report.skipped(), Some(Skipped::InvalidJson(_)));
        match serde_json::from_slice::<Value>(&body) {
            Ok(_) => prop_assert!(is_valid),
            Err(error) => {
                // The grammar allows both, but a `Value` has no room for them.
                let error = error.to_string();
                let no_room = error.starts_with("number out of range")
                    || error.starts_with("lone leading surrogate")
                    || error.starts_with("unexpected end of hex escape");
                prop_assert!(!is_valid || no_room, "{}", error);
            }
        }
    }
}

/// The judges themselves can say no.
#[test]
fn edits_that_touch_too_much_are_not_explained() {
    let rejected = [
        // The white space of what stays.
        (r#"{"a": 1,"b":2}"#, r#"{"a":1,"b":3}"#),
        // Order, and the spelling of a key.
        (r#"{"a":1,"b":2}"#, r#"{"b":3,"a":1}"#),
        (r#"{"\u0061":1}"#, r#"{"a":2}"#),
        // A nested tool whose members are spelled or ordered differently.
        (
            r#"{"type":"function","name":"f","description":"\u0061"}"#,
            r#"{"type":"function","function":{"name":"f","description":"a"}}"#,
        ),
        (
            r#"{"type":"function","name":"f","description":"a"}"#,
            r#"{"type":"function","function":{"description":"a","name":"f"}}"#,
        ),
        // Items that were there, in another order.
        (r#"[{"a":1},{"a":2},{"a":3}]"#, r#"[{"a":3},{"a":1}]"#),
    ];
    for (before, after) in rejected {
        assert!(
            explain::explain(before, after).is_err(),
            "{before} became {after}"
        );
    }
}

#[test]
fn a_rewrite_that_looks_ahead_is_caught() {
    let body = r#"{"messages":[{"role":"user","content":[]},{"role":"user","content":"a"},{"content":[{"type":"image_url"}]}]}"#;
    // What stays as it is, is the same however the conversation goes on.
    assert!(prefixes::check(str::to_owned, body).is_ok());
    // Arrays may come back with the first image, other things may not change.
    let joins = |body: &str| match body.contains("image_url") {
        true => body.to_owned(),
        false => body.replace(r#""content":[]"#, r#""content":"""#),
    };
    assert!(prefixes::check(joins, body).is_ok());
    let looks_ahead = |body: &str| match body.contains("image_url") {
        true => body.to_owned(),
        false => body.replace("\"a\"", "\"b\""),
    };
    assert!(prefixes::check(looks_ahead, body).is_err());
    let counts = |body: &str| body.replace("user", &body.matches("role").count().to_string());
    assert!(prefixes::check(counts, body).is_err());
}
