//! Thoughts on their way out: which messages get theirs, and that no other byte changes.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tower_moonshot::{
    LeaveBody, ModelAliases, Skipped, TargetModel,
    reasoning_memory::{Missing, NoMemory, ReasoningMemoryLayer, ReasoningScope},
};

use crate::harness::{answer, chat, exchange, k3, layer, teach};

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn call(name: &str) -> Value {
    json!({"role": "assistant", "content": "", "tool_calls": [
        {"id": "f:0", "type": "function", "function": {"name": name, "arguments": "{}"}}]})
}

fn tool(text: &str) -> Value {
    json!({"role": "tool", "tool_call_id": "f:0", "content": text})
}

/// A conversation of two questions, with a tool call before the first answer and one in
/// the current loop; the thoughts before its three answers are 0, 1 and 2.
fn conversation() -> Vec<Value> {
    vec![
        user("one"),
        call("a"),
        tool("A"),
        json!({"role": "assistant", "content": "Done."}),
        user("two"),
        call("b"),
        tool("B"),
    ]
}

/// What a model of this id gets of these thoughts, asked with these members.
fn restored(model: &str, members: Value) -> Vec<Value> {
    let (layer, _) = layer();
    let messages = conversation();
    let mut request = members;
    request["model"] = json!(model);
    for (number, length) in [1, 3, 5].into_iter().enumerate() {
        request["messages"] = json!(messages[..length]);
        let sent = exchange(
            &layer,
            chat(&request),
            answer(&format!("thought {number}"), messages[length].clone()),
        );
        let thinks = sent.report().no_memory().is_none();
        assert_eq!(sent.report().remembered(), u32::from(thinks), "{model}");
    }
    request["messages"] = json!(messages);
    exchange(&layer, chat(&request), answer("", json!({}))).reasoning()
}

#[test]
fn each_family_gets_the_thoughts_that_it_needs() {
    let all = json!(["thought 0", "thought 1", "thought 2"]);
    let current = json!([null, null, "thought 2"]);
    let none = json!([null, null, null]);
    let off = json!({"thinking": {"type": "disabled"}});
    let keep = json!({"thinking": {"type": "enabled", "keep": "all"}});
    for (model, members, expected) in [
        ("kimi-k3", json!({}), &all),
        ("k3-256k", json!({}), &all),
        ("moonshot/kimi-k3", json!({}), &all),
        ("kimi-k3", off.clone(), &none),
        ("kimi-k3", json!({"thinking": false}), &none),
        ("kimi-k3", json!({"enable_thinking": false}), &all),
        ("kimi-k2.7", json!({}), &all),
        ("kimi-k2.7", off.clone(), &all),
        ("kimi-k2.6", json!({}), &current),
        ("kimi-k2.6", keep.clone(), &all),
        ("kimi-k2.6", off.clone(), &none),
        ("kimi-k2.6", json!({"enable_thinking": false}), &none),
        (
            "kimi-k2.6",
            json!({"chat_template_kwargs": {"thinking": false}}),
            &none,
        ),
        ("kimi-k2.6", json!({"reasoning": {"enabled": false}}), &none),
        ("kimi-k2.6", json!({"reasoning": {"effort": "none"}}), &none),
        ("kimi-k2.6", json!({"reasoning_effort": "none"}), &none),
        ("kimi-k2.6", json!({"reasoning_effort": "high"}), &current),
        ("kimi-for-coding", json!({}), &current),
        ("kimi-for-coding", keep.clone(), &all),
        ("kimi-k2.5", json!({}), &current),
        ("kimi-k2.5", keep, &current),
        ("kimi-k2-thinking", json!({}), &current),
        ("kimi-k2-0905-preview", json!({}), &none),
        ("moonshot-v1-8k", json!({}), &none),
        ("gpt-4o", json!({}), &none),
    ] {
        let got = json!(restored(model, members.clone()));
        assert_eq!(got, *expected, "{model} {members}");
    }
}

#[test]
fn aliases_and_targets_say_which_model_it_is() {
    let aliases = || ModelAliases::new([("big", "kimi-k3")]).unwrap();
    let messages = json!([user("one")]);
    let request = json!({"model": "big", "messages": messages});
    let remembers = |layer: &ReasoningMemoryLayer, request: Request<Full<Bytes>>| {
        let sent = exchange(layer, request, answer("Hm.", json!({"content": "x"})));
        sent.report().remembered() == 1
    };
    let plain = ReasoningMemoryLayer::new();
    let aliased = ReasoningMemoryLayer::new().with_aliases(aliases());
    assert!(!remembers(&plain, chat(&request)));
    assert!(remembers(&aliased, chat(&request)));
    let mut of_request = chat(&request);
    of_request.extensions_mut().insert(aliases());
    assert!(remembers(&plain, of_request));
    let mut targeted = chat(&request);
    targeted
        .extensions_mut()
        .insert(TargetModel::new("kimi-k3").unwrap());
    assert!(remembers(&plain, targeted));
    // The one of a name behind the messages counts as well.
    let last = r#"{"messages":[{"role":"user","content":"one"}],"model":"kimi-k3"}"#;
    assert!(remembers(&plain, chat(last)));
}

#[test]
fn only_the_reasoning_is_inserted_and_the_length_is_right() {
    let (layer, _) = layer();
    teach(
        &layer,
        &k3(json!([user("one")])),
        "A \"thought\"\n月",
        json!({"content": "Hi"}),
    );
    let thought = r#""A \"thought\"\n月""#;
    for (message, expected) in [
        (
            r#"{ "role":"assistant","content":"Hi" }"#,
            r#"{ "role":"assistant","content":"Hi","reasoning_content":T }"#,
        ),
        (
            r#"{"reasoning_content" : null,"role":"assistant","content":"Hi"}"#,
            r#"{"reasoning_content" : T,"role":"assistant","content":"Hi"}"#,
        ),
        (
            r#"{"role":"assistant","reasoning_content":"","content":"Hi"}"#,
            r#"{"role":"assistant","reasoning_content":T,"content":"Hi"}"#,
        ),
        (
            r#"{"role":"assistant","reasoning_content":" ","content":"Hi"}"#,
            r#"{"role":"assistant","reasoning_content":T,"content":"Hi"}"#,
        ),
        (
            r#"{"role":"assistant","reasoning_content":"\u0020\n","content":"Hi"}"#,
            r#"{"role":"assistant","reasoning_content":T,"content":"Hi"}"#,
        ),
        (
            r#"{"role":"assistant","reasoning":" ","content":[{"type":"thinking","thinking":""},{"type":"text","text":"Hi"}]}"#,
            r#"{"role":"assistant","reasoning":" ","content":[{"type":"thinking","thinking":""},{"type":"text","text":"Hi"}],"reasoning_content":T}"#,
        ),
    ] {
        let body = |message: &str| {
            format!(
                "{{ \"model\": \"kimi-k3\",\n\"temperature\":1.0, \"messages\":[{{\"role\":\"user\",\"content\":\"o\\u006ee\"}},{message} , {{\"role\":\"user\",\"content\":\"Go on.\"}}],\"x\":[1,2 ]}} "
            )
        };
        let mut request = chat(body(message));
        let headers = request.headers_mut();
        headers.insert("content-length", body(message).len().into());
        headers.insert("content-digest", "x".parse().unwrap());
        headers.insert("expect", "100-continue".parse().unwrap());
        let sent = exchange(&layer, request, answer("", json!({})));
        let expected = body(&expected.replace('T', thought));
        assert_eq!(sent.sent.body(), &expected, "{message}");
        assert_eq!(
            sent.sent.headers()["content-length"],
            expected.len().to_string()
        );
        for gone in ["content-digest", "expect"] {
            assert!(!sent.sent.headers().contains_key(gone));
        }
        let report = sent.report();
        assert_eq!(
            (report.restored(), report.given(), report.missing()),
            (1, 0, 0)
        );
    }
}

#[test]
fn the_clients_own_reasoning_always_wins() {
    let (layer, store) = layer();
    teach(
        &layer,
        &k3(json!([user("one")])),
        "Mine.",
        json!({"content": "Hi"}),
    );
    for message in [
        r#"{"role":"assistant","content":"Hi","reasoning_content":"Yours."}"#,
        r#"{"role":"assistant","content":"Hi","reasoning_content":7}"#,
        r#"{"role":"assistant","content":"Hi","reasoning_content":" ","reasoning_content":""}"#,
        r#"{"role":"assistant","content":"Hi","reasoning":"Yours."}"#,
        r#"{"role":"assistant","content":"Hi","provider_specific_fields":{"reasoning_content":"Yours."}}"#,
        r#"{"role":"assistant","content":"Hi","reasoning_details":[{"type":"reasoning.text","text":"Yours."}]}"#,
        r#"{"role":"assistant","content":[{"type":"thinking","thinking":"Yours."},{"type":"text","text":"Hi"}]}"#,
        r#"{"role":"assistant","content":[{"type":"reasoning","text":"Yours."},{"type":"text","text":"Hi"}]}"#,
        r#"{"role":"assistant","content":[{"type":"text","text":"Hi","reasoning_content":"Yours."}]}"#,
    ] {
        store.asked();
        let body = format!(
            r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":"one"}},{message},{{"role":"user","content":"two"}}]}}"#
        );
        let sent = exchange(&layer, chat(&body), answer("", json!({})));
        assert_eq!(sent.sent.body(), &body);
        assert_eq!(store.asked(), [], "{message}");
        assert_eq!((sent.report().given(), sent.report().missing()), (1, 0));
    }
}

#[test]
fn a_request_without_missing_thoughts_keeps_its_bytes_and_headers() {
    let (layer, _) = layer();
    let body = k3(json!([user("one"), {"role": "assistant", "content": "x"}, user("two")]));
    let mut request = chat(&body);
    request
        .headers_mut()
        .insert("content-digest", "x".parse().unwrap());
    let sent = exchange(&layer, request, answer("", json!({})));
    assert_eq!(sent.sent.body(), &body.to_string());
    assert_eq!(sent.sent.headers()["content-digest"], "x");
    assert_eq!(sent.report().missing_because(Missing::NotFound), 1);
    // Both services see the report.
    let inner: &tower_moonshot::reasoning_memory::ReasoningReport =
        sent.sent.extensions().get().unwrap();
    assert_eq!(inner.to_string(), sent.report().to_string());
}

#[test]
fn what_is_no_complete_answer_needs_no_thought() {
    let (layer, store) = layer();
    let prefill = json!([user("one"), {"role": "assistant", "content": "{", "partial": true}]);
    let sent = exchange(&layer, chat(k3(prefill)), answer("", json!({})));
    assert_eq!(store.asked(), []);
    assert_eq!(sent.report().missing(), 0);
}

#[test]
fn what_is_not_read_passes_untouched_and_says_why() {
    let layer = ReasoningMemoryLayer::new().with_max_body_bytes(200);
    let body = k3(json!([user("one"), {"role": "assistant", "content": "x"}]));
    let long = k3(json!([user(&"o".repeat(300))])).to_string();
    let mut compressed = chat(&body);
    compressed
        .headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    let mut text = chat(&body);
    text.headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    let mut left = chat(&body);
    left.extensions_mut().insert(LeaveBody);
    let mut anonymous = chat(&body);
    anonymous.headers_mut().remove("authorization");
    for (request, why) in [
        (compressed, NoMemory::Body(Skipped::Compressed)),
        (text, NoMemory::Body(Skipped::NotAChatRequest)),
        (left, NoMemory::Body(Skipped::ByRequest)),
        (anonymous, NoMemory::NoScope),
        (
            chat(json!({"messages": 1})),
            NoMemory::Body(Skipped::NotAChatRequest),
        ),
        (
            chat(json!({"model": "moonshot-v1-8k", "messages": []})),
            NoMemory::NotThinking,
        ),
    ] {
        let expected =
            crate::harness::wait(http_body_util::BodyExt::collect(request.body().clone()));
        let expected = expected.unwrap().to_bytes();
        let sent = exchange(&layer, request, answer("Hm.", json!({"content": "y"})));
        assert_eq!(sent.sent.body(), &expected);
        assert_eq!(sent.report().no_memory(), Some(&why));
        assert_eq!(sent.report().remembered(), 0);
    }
    let sent = exchange(&layer, chat(&long), answer("Hm.", json!({"content": "y"})));
    assert_eq!(sent.sent.body(), &long);
    let why = sent.report().no_memory().unwrap().to_string();
    assert_eq!(why, "the body is longer than 200 bytes");
    let sent = exchange(&layer, chat("{\"messages\":["), answer("Hm.", json!({})));
    assert_eq!(sent.sent.body(), "{\"messages\":[");
    let why = sent.report().no_memory().unwrap();
    assert!(
        matches!(why, NoMemory::Body(Skipped::InvalidJson(_))),
        "{why}"
    );
    // Other requests have no report.
    let mut models = chat("");
    *models.uri_mut() = "/v1/models".parse().unwrap();
    *models.method_mut() = http::Method::GET;
    let sent = exchange(&layer, models, answer("Hm.", json!({"content": "y"})));
    assert!(
        sent.head
            .extensions()
            .get::<tower_moonshot::reasoning_memory::ReasoningReport>()
            .is_none()
    );
}

#[test]
fn no_request_grows_beyond_the_limit_and_the_latest_thoughts_come_first() {
    let (teacher, store) = layer();
    let first = json!([user("one")]);
    let second = json!([user("one"), {"role": "assistant", "content": "x"}, user("two")]);
    let thought = "Hm. ".repeat(20);
    teach(&teacher, &k3(first), &thought, json!({"content": "x"}));
    teach(&teacher, &k3(second), &thought, json!({"content": "y"}));
    let body = k3(json!([
        user("one"), {"role": "assistant", "content": "x"},
        user("two"), {"role": "assistant", "content": "y"}, user("three")]));
    let limit = body.to_string().len() + 150;
    let layer = ReasoningMemoryLayer::new()
        .with_store(store)
        .with_max_body_bytes(limit);
    let sent = exchange(&layer, chat(&body), answer("", json!({})));
    assert!(sent.sent.body().len() <= limit);
    assert_eq!(sent.reasoning(), [Value::Null, json!(thought)]);
    assert_eq!(sent.report().missing_because(Missing::TooLong), 1);
}

#[test]
fn a_scope_in_the_extensions_is_enough() {
    let (layer, _) = layer();
    let request = |messages: Value| {
        let mut request = chat(k3(messages));
        request.headers_mut().remove("authorization");
        request
            .extensions_mut()
            .insert(ReasoningScope::new("tenant"));
        request
    };
    let first = json!([user("one")]);
    let taught = exchange(
        &layer,
        request(first),
        answer("Hm.", json!({"content": "x"})),
    );
    assert_eq!(taught.report().remembered(), 1);
    let next = json!([user("one"), {"role": "assistant", "content": "x"}, user("two")]);
    let sent = exchange(&layer, request(next), answer("", json!({})));
    assert_eq!(sent.reasoning(), ["Hm."]);
}
