//! Random bodies, compared with an independent implementation that shares no code with
//! the layer.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use proptest::prelude::*;
use serde_json::Value;
use tower::service_fn;
use tower_moonshot::inline_media::InlineMediaLayer;

use crate::harness::*;

const URL: &str = "https://example.com/a.png";

/// Writes a JSON string, sometimes with unnecessary escapes.
fn string(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    (
        prop::sample::select(words),
        any::<prop::sample::Index>(),
        0..4,
    )
        .prop_map(|(word, index, escape)| {
            let escaped = |(at, char): (usize, char)| {
                if escape == 0 && at == index.index(word.len().max(1)) {
                    format!("\\u{:04x}", u32::from(char))
                } else {
                    char.to_string()
                }
            };
            let inner: String = word.chars().enumerate().map(escaped).collect();
            format!("\"{inner}\"")
        })
}

fn object(members: Vec<(String, String)>, space: &str) -> String {
    let members: Vec<String> = members
        .into_iter()
        .map(|(key, value)| format!("{space}{key}{space}:{value}"))
        .collect();
    format!("{{{}{space}}}", members.join(","))
}

fn space() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["", "", " ", "\n\t"][..])
}

/// An unexpected value.
fn other() -> impl Strategy<Value = String> {
    prop::sample::select(&["null", "1", "[]", "{}", "true", "\"x\"", "[[{}]]"][..])
        .prop_map(str::to_owned)
}

/// An object with a random number of these members, in any order, some of them twice.
fn members(
    member: impl Strategy<Value = (String, String)> + 'static,
) -> impl Strategy<Value = String> {
    (prop::collection::vec(member, 0..5), space())
        .prop_map(|(members, space)| object(members, space))
}

fn array(element: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    (prop::collection::vec(element, 0..4), space())
        .prop_map(|(elements, space)| format!("[{space}{}{space}]", elements.join(",")))
}

fn url() -> impl Strategy<Value = String> {
    string(&[
        URL,
        URL,
        URL,
        "HTTPS://example.com/a.png",
        "data:,",
        "ms://a",
        "http",
        "",
    ])
}

fn target() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        4 => (string(&["url"]), url()),
        1 => (string(&["url", "detail"]), other()),
    ];
    prop_oneof![4 => members(member), 1 => url(), 1 => other()]
}

fn part() -> impl Strategy<Value = String> {
    let kind = string(&["image_url", "image_url", "video_url", "text"]);
    let member = prop_oneof![
        4 => (string(&["type"]), kind),
        4 => (string(&["image_url", "image_url", "video_url"]), target()),
        1 => (string(&["type", "text", "url"]), other()),
    ];
    prop_oneof![6 => members(member), 1 => other()]
}

fn request() -> impl Strategy<Value = String> {
    let content = prop_oneof![6 => array(part()), 1 => other(), 1 => url()];
    let member = prop_oneof![
        5 => (string(&["content"]), content),
        1 => (string(&["role", "content"]), other()),
    ];
    let messages = array(prop_oneof![8 => members(member), 1 => other()]);
    let member = prop_oneof![
        5 => (string(&["messages"]), messages),
        1 => (string(&["model", "image_url", "messages"]), other()),
    ];
    members(member)
}

/// Inlines the image in the slow, obvious way. Returns the number of times.
fn expected(request: &mut Value) -> usize {
    let mut count = 0;
    let messages = request.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten() {
        let parts = message.get_mut("content").and_then(Value::as_array_mut);
        for part in parts.into_iter().flatten() {
            let kind = part.get("type").and_then(Value::as_str).map(str::to_owned);
            let Some(kind @ ("image_url" | "video_url")) = kind.as_deref() else {
                continue;
            };
            let Some(mut url) = part.get_mut(kind) else {
                continue;
            };
            if url.is_object() {
                let Some(inner) = url.get_mut("url") else {
                    continue;
                };
                url = inner;
            }
            let is_http = url.as_str().is_some_and(|url| {
                let url = url.to_lowercase();
                url.starts_with("http://") || url.starts_with("https://")
            });
            if is_http {
                count += 1;
                if kind == "image_url" {
                    *url = PNG_URL.into();
                }
            }
        }
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn any_request_is_rewritten_as_by_the_slow_implementation(body in request()) {
        let client = service_fn(async |_: Request<Empty<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::from(PNG)))
        });
        let layer = InlineMediaLayer::new().with_client(client);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let passed = runtime.block_on(send(&layer, body.clone()));

        let before: Value = serde_json::from_str(&body).unwrap();
        let mut wanted = before.clone();
        let count = expected(&mut wanted);
        let after: Value = serde_json::from_str(&passed.body).unwrap();
        prop_assert_eq!(&after, &wanted);
        prop_assert_eq!(passed.media().len(), count);
        for media in passed.media() {
            let is_there = after.pointer(&media.pointer()).unwrap() == PNG_URL;
            prop_assert_eq!(media.outcome().is_ok(), is_there);
        }
        // Only members with a later duplicate are removed, and the rest keeps its order.
        if wanted == before {
            prop_assert_eq!(&passed.body, &body);
        }
        let mut rest = body.chars();
        for char in passed.body.replace(PNG_URL, "").chars() {
            prop_assert!(rest.any(|other| other == char), "{} is not of {}", passed.body, body);
        }
    }
}
