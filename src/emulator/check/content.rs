//! Reads and checks the content of one message.

use serde_json::Value;

use super::{
    super::{error::type_of, facts, finding::Findings, place::Place, steps},
    field::wrong_type,
};
use crate::Rule;

/// The content of a message.
#[derive(Debug)]
pub(super) enum Content<'a> {
    Absent,
    Text(&'a str),
    /// A list of parts. Some of them may be faulty.
    Parts(&'a [Value]),
    /// Neither a string nor a list.
    Faulty,
}

impl Content<'_> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Text(text) => text.is_empty(),
            Self::Parts(parts) => parts.iter().all(is_empty_text),
            Self::Faulty => false,
        }
    }
}

pub(super) fn is_empty_text(part: &Value) -> bool {
    let is = |name: &str, text: &str| part.get(name).and_then(Value::as_str) == Some(text);
    is("type", "text") && is("text", "")
}

/// Whether a message has a part that isn't text. With such a part anywhere in
/// the request, older models accept lists of parts too.
pub(super) fn has_other_than_text(message: &Value) -> bool {
    let parts = message.get("content").and_then(Value::as_array);
    parts
        .into_iter()
        .flatten()
        .any(|part| part.get("type").and_then(Value::as_str) != Some("text"))
}

/// Whether all parts of a message are texts, none of them without its text.
pub(super) fn is_text(message: &Value) -> bool {
    let parts = message.get("content").and_then(Value::as_array);
    parts.into_iter().flatten().all(|part| {
        let has_text = part.get("text").is_some_and(Value::is_string);
        has_text && part.get("type").and_then(Value::as_str) == Some("text")
    })
}

/// Reads a content and refuses parts of unknown types. `has_thoughts` says whether
/// parts that hold thoughts may be moved to where they belong.
pub(super) fn read<'a>(
    content: Option<&'a Value>,
    has_thoughts: bool,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Content<'a> {
    match content {
        None | Some(Value::Null) => Content::Absent,
        Some(Value::String(text)) => Content::Text(text),
        Some(Value::Array(parts)) => {
            steps::count(parts.len());
            for (index, part) in parts.iter().enumerate() {
                check_part(part, has_thoughts, &place.index(index), findings);
            }
            Content::Parts(parts)
        }
        Some(other) => {
            wrong_type("content", "type string or array", other, place, findings);
            Content::Faulty
        }
    }
}

fn check_part(part: &Value, has_thoughts: bool, place: &Place<'_>, findings: &mut Findings) {
    let Some(fields) = part.as_object() else {
        wrong_type("content part", "type object", part, place, findings);
        return;
    };
    let mut incomplete = |name: &str, place: &Place<'_>, value: Option<&Value>| {
        let found = type_of(value.unwrap_or(&Value::Null));
        findings.add(
            &facts::PART_INCOMPLETE,
            place,
            &[name, "type string", found],
        );
    };
    let kind = match fields.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        other => return incomplete("type of a content part", &place.key("type"), other),
    };
    match kind {
        "text" => match fields.get("text") {
            Some(Value::String(_)) => {}
            other => incomplete("text", &place.key("text"), other),
        },
        "image_url" | "video_url" => {
            // Moonshot fetches nothing: images and videos are sent inline or were
            // uploaded.
            let what = kind.trim_end_matches("_url");
            let place = place.key(kind);
            let (url, place) = match fields.get(kind) {
                Some(Value::Object(fields)) => (fields.get("url"), place.key("url")),
                other => (other, place),
            };
            match url {
                Some(Value::String(url))
                    if url.starts_with("data:") || url.starts_with("ms://") => {}
                Some(Value::String(url)) => {
                    findings.add(&facts::URL_UNSUPPORTED, &place, &[what, url]);
                }
                other => incomplete(&format!("{kind}.url"), &place, other),
            }
        }
        _ => {
            let rule = match kind {
                "refusal" if fields.get(kind).is_some_and(Value::is_string) => Some(Rule::Content),
                "thinking" | "reasoning" if has_thoughts => Some(Rule::ReasoningContent),
                _ => None,
            };
            findings.add_repaired(&facts::PART_UNKNOWN, &place.key("type"), &[kind], rule);
        }
    }
}
