//! `&RawValue` for values that need not be read, parsed further where they do.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::job::{FIXED, is_fixed};

#[derive(Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

type Object<'a> = BTreeMap<Key<'a>, &'a RawValue>;

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Cow<'a, str>,
}

pub(crate) fn rewrite(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    let mut request: Object<'_> = serde_json::from_slice(body).ok()?;
    let mut messages: Vec<Object<'_>> = parse(request.get(&key("messages"))?)?;
    let mut changed = false;
    if is_fixed(&parse::<Cow<'_, str>>(request.get(&key("model"))?)?) {
        for (name, accepted) in FIXED {
            let number = request.get(&key(name)).and_then(|number| parse(number));
            if number.is_some_and(|number: f64| number != accepted) {
                request.remove(&key(name));
                changed = true;
            }
        }
    }

    let system = to_raw_value("system").ok()?;
    // The texts of each message whose content is an array of text parts only.
    let mut texts: Vec<(usize, Box<RawValue>)> = Vec::new();
    let mut text_only = true;
    for (index, message) in messages.iter_mut().enumerate() {
        let role = message.get_mut(&key("role"));
        if let Some(role) = role.filter(|role| says(role, "developer")) {
            *role = &system;
            changed = true;
        }
        let content = message
            .get(&key("content"))
            .filter(|content| is_array(content));
        if let Some(content) = content.filter(|_| text_only) {
            let parts: Vec<Part<'_>> = parse(content)?;
            text_only = parts.iter().all(|part| part.kind == "text");
            let text: String = parts.iter().map(|part| &*part.text).collect();
            texts.push((index, to_raw_value(&text).ok()?));
        }
    }
    if text_only {
        changed |= !texts.is_empty();
        for (index, text) in &texts {
            messages[*index].insert(key("content"), text);
        }
    }

    if !changed {
        send(body);
        return Some(());
    }
    let messages = to_raw_value(&messages).ok()?;
    request.insert(key("messages"), &messages);
    send(&serde_json::to_vec(&request).ok()?);
    Some(())
}

fn key(name: &str) -> Key<'_> {
    Key(Cow::Borrowed(name))
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn says(raw: &RawValue, text: &str) -> bool {
    parse::<Cow<'_, str>>(raw).is_some_and(|said| said == text)
}

fn is_array(raw: &RawValue) -> bool {
    raw.get().starts_with('[')
}
