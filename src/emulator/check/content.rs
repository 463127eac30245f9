//! Reads and checks the content of one message.

use serde_json::Value;

use super::super::error::ApiError;

/// The content of a message.
#[derive(Debug)]
pub(super) enum Content<'a> {
    Absent,
    Text(&'a str),
    /// A list of parts, and how many of them are empty texts.
    Parts {
        all: usize,
        empty: usize,
    },
}

impl Content<'_> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Text(text) => text.is_empty(),
            Self::Parts { all, empty } => all == empty,
        }
    }
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

/// Reads a content and refuses parts of unknown types.
pub(super) fn read(content: Option<&Value>) -> Result<Content<'_>, ApiError> {
    match content {
        None | Some(Value::Null) => Ok(Content::Absent),
        Some(Value::String(text)) => Ok(Content::Text(text)),
        Some(Value::Array(parts)) => {
            let mut empty = 0;
            for part in parts {
                if check_part(part)? == Part::EmptyText {
                    empty += 1;
                }
            }
            let all = parts.len();
            Ok(Content::Parts { all, empty })
        }
        Some(other) => Err(ApiError::wrong_type(
            "content",
            "type string or array",
            other,
        )),
    }
}

#[derive(Debug, PartialEq)]
enum Part {
    EmptyText,
    Other,
}

fn check_part(part: &Value) -> Result<Part, ApiError> {
    let Some(fields) = part.as_object() else {
        return Err(ApiError::wrong_type("content part", "type object", part));
    };
    let kind = match fields.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        other => {
            return Err(ApiError::wrong_type(
                "type of a content part",
                "type string",
                other.unwrap_or(&Value::Null),
            ));
        }
    };
    match kind {
        "text" => match fields.get("text") {
            Some(Value::String(text)) if text.is_empty() => Ok(Part::EmptyText),
            Some(Value::String(_)) => Ok(Part::Other),
            other => Err(ApiError::wrong_type(
                "text",
                "type string",
                other.unwrap_or(&Value::Null),
            )),
        },
        "image_url" => check_url("image", fields.get(kind)),
        "video_url" => check_url("video", fields.get(kind)),
        _ => Err(ApiError::invalid(format!(
            "Invalid request: unsupported content type: {kind}; only text, image_url and \
             video_url are allowed"
        ))),
    }
}

/// Moonshot fetches nothing: images and videos are sent inline or were uploaded.
fn check_url(what: &str, value: Option<&Value>) -> Result<Part, ApiError> {
    let url = match value {
        Some(Value::Object(fields)) => fields.get("url"),
        other => other,
    };
    match url {
        Some(Value::String(url)) if url.starts_with("data:") || url.starts_with("ms://") => {
            Ok(Part::Other)
        }
        Some(Value::String(url)) => Err(ApiError::invalid(format!(
            "Invalid request: unsupported {what} url: {url}"
        ))),
        other => Err(ApiError::wrong_type(
            &format!("{what}_url.url"),
            "type string",
            other.unwrap_or(&Value::Null),
        )),
    }
}
