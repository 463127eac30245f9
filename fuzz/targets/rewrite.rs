//! The rewrite of chat requests, judged by the reference on parsed values and by a reader
//! that knows where everything is.
//!
//! An input consists of two bytes of settings and a body.
#![no_main]
#![allow(clippy::unwrap_used, reason = "what cannot go on has failed")]

#[path = "../../tests/explain/mod.rs"]
mod explain;
#[path = "../../tests/prefixes/mod.rs"]
mod prefixes;
#[path = "../../tests/reader/mod.rs"]
mod reader;
#[path = "../../tests/reference/mod.rs"]
mod reference;

use bytes::Bytes;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::Value;
use tower_moonshot::{MoonshotCompatLayer, NPolicy, Report, Rule, Skipped, ToolChoicePolicy};
use tower_moonshot_fuzz::json::{Vocabulary, mutate};

use self::reference::Reference;

const VOCABULARY: Vocabulary = Vocabulary {
    keys: &[
        "model",
        "messages",
        "temperature",
        "n",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
        "top_logprobs",
        "tools",
        "tool_choice",
        "thinking",
        "reasoning_effort",
        "response_format",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "role",
        "content",
        "name",
        "tool_calls",
        "tool_call_id",
        "partial",
        "reasoning_content",
        "reasoning",
        "reasoning_details",
        "provider_specific_fields",
        "type",
        "text",
        "refusal",
        "thinking",
        "image_url",
        "url",
        "id",
        "function",
        "arguments",
        "parameters",
        "strict",
        "json_schema",
        "schema",
        "keep",
        "effort",
        "enable_thinking",
        "chat_template_kwargs",
        "extra_body",
        "allowed_tools",
        "mode",
        "description",
        "$schema",
        "signature",
        "x",
        "m\\u006fdel",
        "functions",
        "budget_tokens",
        "include_thoughts",
    ],
    values: &[
        "null",
        "true",
        "false",
        "0",
        "1",
        "2",
        "0.1",
        "0.95",
        "1.0",
        "-1",
        "1e400",
        "\"\"",
        "\" \"",
        "\"x\"",
        "[]",
        "{}",
        "\"kimi-k3\"",
        "\"k3\"",
        "\"kimi-k2.8-preview\"",
        "\"kimi-k2.7\"",
        "\"kimi-for-coding\"",
        "\"kimi-k2.6\"",
        "\"kimi-k2.5\"",
        "\"kimi-k2-thinking\"",
        "\"kimi-k2-0905-preview\"",
        "\"moonshot-v1-8k\"",
        "\"moonshot/kimi-k3\"",
        "\"moonshotai/kimi-k2.6\"",
        "\"fast\"",
        "\"gpt-4o\"",
        "\"system\"",
        "\"user\"",
        "\"assistant\"",
        "\"tool\"",
        "\"developer\"",
        "\"auto\"",
        "\"none\"",
        "\"required\"",
        "\"any\"",
        "\"enabled\"",
        "\"disabled\"",
        "\"adaptive\"",
        "\"all\"",
        "\"low\"",
        "\"medium\"",
        "\"high\"",
        "\"max\"",
        "\"minimal\"",
        "\"xhigh\"",
        "\"text\"",
        "\"refusal\"",
        "\"thinking\"",
        "\"reasoning\"",
        "\"reasoning.text\"",
        "\"image_url\"",
        "\"function\"",
        "\"json_schema\"",
        "\"json_object\"",
        "\"object\"",
        "\"functions.f:0\"",
        "\"call_1\"",
        "\"f\"",
        "\"\\ud800\"",
        "\"\u{6708}\\u4e4b\"",
        "{\"type\":\"text\",\"text\":\"\"}",
        "{\"type\":\"text\",\"text\":\"a\"}",
        "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
        "{\"type\":\"function\",\"name\":\"f\",\"parameters\":null}",
        "{\"type\":\"disabled\"}",
        "{\"type\":\"enabled\",\"keep\":\"all\"}",
        "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"f:0\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}",
        "{\"role\":\"tool\",\"tool_call_id\":\"f:0\",\"content\":\"1\"}",
        "{\"role\":\"user\",\"content\":\"Hi\"}",
        "{\"role\":\"system\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}",
        "[{\"type\":\"reasoning.text\",\"text\":\"so\"}]",
        "{\"reasoning_content\":\"so\"}",
        "{\"type\":\"object\",\"properties\":{\"a\":true}}",
    ],
};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, 2, VOCABULARY)
});

fuzz_target!(|data: &[u8]| {
    let [first, second, body @ ..] = data else {
        return;
    };
    let settings = settings(*first, *second);
    let layer = layer(&settings);
    let (sent, report) = rewrite(&layer, body);

    // Valid, or left alone.
    let read = reader::read(body);
    match (&read, report.skipped()) {
        (Err(offset), Some(Skipped::InvalidJson(invalid))) => {
            assert_eq!(invalid.offset(), *offset);
            return;
        }
        (Ok(_), None | Some(Skipped::NotAChatRequest)) => {}
        (read, skipped) => panic!("{read:?}, but {skipped:?}"),
    }
    reader::read(&sent).unwrap();
    let body = std::str::from_utf8(body).unwrap();
    let sent = std::str::from_utf8(&sent).unwrap();

    // Idempotent.
    let (again, second_report) = rewrite(&layer, sent.as_bytes());
    assert_eq!(String::from_utf8_lossy(&again), sent, "{settings:?} {body}");
    assert_eq!(second_report.changes(), [], "{settings:?} {body}");

    // Equal in meaning. Schemas have more than one right repair, and a target of their own.
    let (Ok(before), Ok(after)) = (parse(body), parse(sent)) else {
        return;
    };
    let repairs = |report: &Report| {
        let mut changes = report.changes().iter();
        changes.any(|change| change.rule() == Rule::ToolSchema)
    };
    if repairs(&report) {
        return;
    }
    if !has_objects(&before) {
        return;
    }
    let expected = settings.rewrite(before);
    assert_eq!(after, expected, "{settings:?} {body}");

    // Changed nowhere else.
    let explained = explain::explain(body, sent);
    assert!(explained.is_ok(), "{explained:?}\n{settings:?} {body}");

    // The same for the beginning of a conversation.
    let send = |body: &str| {
        let (rope, _) = layer.rewrite(Bytes::copy_from_slice(body.as_bytes()));
        String::from_utf8(rope.into_bytes().to_vec()).unwrap()
    };
    if first & 0x80 != 0 {
        let checked = prefixes::check(send, body);
        assert!(checked.is_ok(), "{checked:?}\n{settings:?} {body}");
    }
});

/// Whether messages, and tools and calls if there are any, are lists of objects. Of others,
/// the reference knows only that they are left alone.
fn has_objects(request: &Value) -> bool {
    let are_objects = |value: Option<&Value>| match value {
        Some(Value::Array(items)) => items.iter().all(Value::is_object),
        Some(value) => value.is_null(),
        None => true,
    };
    let messages = request.get("messages");
    let lists = |message: &Value| {
        are_objects(message.get("tools")) && are_objects(message.get("tool_calls"))
    };
    are_objects(messages)
        && are_objects(request.get("tools"))
        && messages
            .and_then(Value::as_array)
            .is_none_or(|all| all.iter().all(lists))
}

fn parse(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text)
}

/// Rewrites a body, which is not even copied if it needs no change.
fn rewrite(layer: &MoonshotCompatLayer, body: &[u8]) -> (Bytes, Report) {
    let body = Bytes::copy_from_slice(body);
    let (rope, report) = layer.rewrite(body.clone());
    let (length, sent) = (rope.len(), rope.into_bytes());
    assert_eq!(length, sent.len());
    assert_eq!(report.changes().is_empty(), sent == body);
    assert_eq!(report.changes().is_empty(), sent.as_ptr() == body.as_ptr());
    (sent, report)
}

fn settings(first: u8, second: u8) -> Reference {
    let policies = ToolChoicePolicy::ALL;
    let aliases = [
        ("fast", "kimi-k2.6"),
        ("moonshot/odd", "kimi \"k3\""),
        ("gpt-4o", "kimi-k3"),
    ];
    let off = usize::from(second).checked_sub(1);
    Reference {
        off: off
            .map(|at| Rule::ALL[at % Rule::ALL.len()])
            .into_iter()
            .collect(),
        aliases: if first & 8 == 0 {
            Vec::new()
        } else {
            aliases.to_vec()
        },
        tool_choice: policies[usize::from(first & 3) % policies.len()],
        n: if first & 4 == 0 {
            NPolicy::Remove
        } else {
            NPolicy::Keep
        },
        min_completion_tokens: if first & 16 == 0 { 0 } else { 16_000 },
    }
}

fn layer(settings: &Reference) -> MoonshotCompatLayer {
    let layer = MoonshotCompatLayer::new()
        .with_aliases(settings.aliases.iter().copied())
        .unwrap()
        .with_tool_choice_policy(settings.tool_choice)
        .with_n_policy(settings.n)
        .with_min_completion_tokens(settings.min_completion_tokens);
    let off = settings.off.iter();
    off.fold(layer, |layer, &rule| layer.without_rule(rule))
}
