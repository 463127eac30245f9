//! Roles and content.

use serde_json::{Value, json};

use super::harness::*;

#[test]
fn a_conversation_is_not_empty() {
    for none in [json!([]), json!(null)] {
        refuses(
            &ALL,
            messages(none),
            "Invalid request: messages must not be empty",
        );
    }
    refuses_naming(&ALL, messages(json!(["hello"])), "messages[0]");
}

#[test]
fn there_are_four_roles() {
    for role in ["developer", "function", "User", ""] {
        refuses(
            &ALL,
            messages(json!([{"role": role, "content": "x"}])),
            &format!("role '{role}' is not allowed"),
        );
    }
    for message in [json!({"role": 1, "content": "x"}), json!({"content": "x"})] {
        refuses_naming(&ALL, messages(json!([message])), "role");
    }
    accepts(
        &ALL,
        messages(json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi", "reasoning_content": "?"},
            {"role": "user", "content": "Bye"},
        ])),
    );
}

/// Checks that a message is refused as empty, after a first one that isn't.
#[track_caller]
fn is_empty(message: Value) {
    let role = message["role"].as_str().unwrap();
    let error =
        format!("Invalid request: the message at position 1 with role '{role}' must not be empty");
    let said = json!([{"role": "user", "content": "Hello"}, message]);
    refuses(&ALL, messages(said), &error);
}

#[test]
fn messages_are_not_empty() {
    for role in ["system", "user", "assistant"] {
        is_empty(json!({"role": role, "content": ""}));
        is_empty(json!({"role": role, "content": []}));
        is_empty(json!({"role": role, "content": [{"type": "text", "text": ""}]}));
        is_empty(json!({"role": role, "content": null}));
        is_empty(json!({"role": role}));
        refuses_naming(
            &ALL,
            messages(json!([{"role": role, "content": 5}])),
            "content",
        );
    }
    is_empty(json!({"role": "assistant", "content": "", "tool_calls": []}));
    is_empty(json!({"role": "assistant", "content": "", "reasoning_content": "?"}));
    is_empty(json!({"role": "user", "content": "", "partial": true}));
    is_empty(json!({"role": "system", "content": "", "tools": []}));

    let spaces = json!([
        {"role": "system", "content": " "},
        {"role": "user", "content": " "},
        {"role": "assistant", "content": "  \n", "reasoning_content": "?"},
    ]);
    accepts(&ALL, messages(spaces));
    let prefill = json!([
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "", "reasoning_content": "?", "partial": true},
    ]);
    accepts(&ALL, messages(prefill));
}

#[test]
fn beside_tool_calls_content_may_be_empty_but_no_empty_list() {
    for content in [json!(null), json!("")] {
        let mut said = turn("call_1");
        said[1]["content"] = content;
        accepts(&ALL, messages(said));
    }
    let mut said = turn("call_1");
    said[1]["content"] = json!([]);
    refuses(
        &ALL,
        messages(said.clone()),
        "Invalid request: the message at position 1 with role 'assistant' must not be empty",
    );
    said[1]["content"] = json!([{"type": "text", "text": ""}]);
    refuses(&FIXED, messages(said), "text content is empty");
}

#[test]
fn answers_of_tools_may_be_empty_but_have_content() {
    let mut said = turn("call_1");
    said[2]["content"] = json!("");
    accepts(&ALL, messages(said.clone()));
    said[2]["content"] = json!([]);
    accepts(&FIXED, messages(said.clone()));
    said[2]["content"] = json!(null);
    refuses_naming(&ALL, messages(said.clone()), "content");
    said[2].as_object_mut().unwrap().remove("content");
    refuses_naming(&ALL, messages(said), "content");
}

#[test]
fn older_models_take_lists_of_parts_only_beside_a_part_that_is_no_text() {
    let text = json!({"type": "text", "text": "Hello"});
    for role in ["system", "user", "assistant"] {
        let said = json!([
            {"role": role, "content": [text, text], "reasoning_content": "?"},
        ]);
        refuses_naming(&RANGE, messages(said.clone()), "must be a string");
        accepts(&FIXED, messages(said));
    }
    let image = json!({"type": "image_url", "image_url": {"url": PNG}});
    accepts(
        &ALL,
        messages(json!([
            {"role": "system", "content": [text]},
            {"role": "user", "content": [text, image]},
        ])),
    );
    refuses(
        &ALL,
        messages(json!([{"role": "user", "content": [{"type": "text", "text": ""}, image]}])),
        "text content is empty",
    );
    let one_empty = json!([text, {"type": "text", "text": ""}]);
    refuses(
        &FIXED,
        messages(json!([{"role": "user", "content": one_empty}])),
        "text content is empty",
    );
}

#[test]
fn parts_are_of_known_types() {
    let image = json!({"type": "image_url", "image_url": {"url": PNG}});
    for (part, name) in [
        (json!({"type": "refusal", "refusal": "No."}), "refusal"),
        (
            json!({"type": "input_audio", "input_audio": {}}),
            "input_audio",
        ),
        (json!({"type": "text", "text": 5}), "text"),
        (json!({"type": "text"}), "text"),
        (json!({"text": "x"}), "type"),
        (json!("x"), "content part"),
        (json!({"type": "image_url"}), "image_url"),
        (
            json!({"type": "image_url", "image_url": {"url": null}}),
            "image_url",
        ),
    ] {
        let said = json!([{"role": "user", "content": [image, part]}]);
        refuses_naming(&ALL, messages(said), name);
    }
}

#[test]
fn images_are_sent_along_or_uploaded() {
    let image = |url: &str| {
        messages(json!([
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]},
        ]))
    };
    for url in [
        "https://example.com/cat.png",
        "http://x/y",
        "file:///etc/passwd",
        "",
    ] {
        refuses(
            &ALL,
            image(url),
            &format!("Invalid request: unsupported image url: {url}"),
        );
    }
    for url in [PNG, "ms://file-1"] {
        accepts(&ALL, image(url));
    }
}
