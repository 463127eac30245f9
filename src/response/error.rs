//! Rule `error`: gives errors OpenAI's shape.

use std::borrow::Cow;

use super::{object_members::each_member, pending_edits::PendingEdits};
use crate::{
    json::{Kind, Value},
    sse::Answer,
};

/// The `type` of errors that have none.
const SERVER_ERROR: &str = "server_error";

/// The message of errors that have none.
const NO_MESSAGE: &str = "The upstream reported an error without a message";

/// The members of an error, from the object that holds them.
#[derive(Default)]
struct ErrorMembers {
    message: Option<Value>,
    kind: Option<Value>,
    code: Option<Value>,
    object: Option<Value>,
    /// The object has no members.
    is_empty: bool,
}

impl ErrorMembers {
    fn of(object: Value, text: &[u8]) -> Self {
        let mut members = Self {
            is_empty: true,
            ..Self::default()
        };
        each_member(text, object, |key, member| {
            members.is_empty = false;
            match key {
                b"message" => members.message = Some(member.value),
                b"type" => members.kind = Some(member.value),
                b"code" => members.code = Some(member.value),
                b"object" => members.object = Some(member.value),
                _ => {}
            }
        });
        members
    }
}

/// Gives an answer that is an error OpenAI's shape. Returns whether it is an error, and
/// whether it was repaired.
pub(super) fn repair(answer: &Answer, text: &[u8], edits: &mut PendingEdits) -> (bool, bool) {
    match answer.error {
        Some(error) if error.kind == Kind::Object => {
            let members = ErrorMembers::of(error, text);
            (
                !members.is_empty,
                !members.is_empty && complete(error, &members, text, edits),
            )
        }
        // Clients do not treat these as errors.
        Some(error) if error.kind == Kind::False || is_empty_string(error) => (false, false),
        Some(error) => {
            let top = ErrorMembers::of(whole(answer), text);
            let own_code = top
                .code
                .map_or(Cow::Borrowed("null"), |code| raw(code, text));
            let (message, code) = match string(top.message, text) {
                // `{"error":"name","message":…}`
                Some(message) if error.kind == Kind::String => (message, raw(error, text)),
                Some(message) => (message, own_code),
                None => (spelled(error, text), own_code),
            };
            edits.replace(error.span, object(&message, top.kind, &code, text));
            (true, true)
        }
        None if answer.choices_array.is_none() && answer.usage.is_none() => {
            let top = ErrorMembers::of(whole(answer), text);
            let is_called_one = string(top.object, text).as_deref() == Some("error");
            let is_one = is_called_one || top.kind.is_some() || top.code.is_some();
            let Some(message) = string(top.message, text).filter(|_| is_one) else {
                return (false, false);
            };
            let code = top
                .code
                .map_or(Cow::Borrowed("null"), |code| raw(code, text));
            let error = object(&message, top.kind, &code, text);
            edits.append(answer.object, format!("\"error\":{error}"));
            (true, true)
        }
        None => (false, false),
    }
}

/// Adds a missing `message` and `type` to an error object. Returns whether it did.
fn complete(error: Value, members: &ErrorMembers, text: &[u8], edits: &mut PendingEdits) -> bool {
    let mut is_changed = false;
    let mut put = |there: Option<Value>, key: &str, what: String| {
        match there {
            None => edits.append(error.span, format!("\"{key}\":{what}")),
            Some(value) => edits.replace(value.span, what),
        }
        is_changed = true;
    };
    match members.message {
        None => put(None, "message", quoted(NO_MESSAGE)),
        Some(message) if message.kind == Kind::String => {}
        Some(message) if message.kind == Kind::Null => {
            put(members.message, "message", quoted(NO_MESSAGE));
        }
        Some(message) => put(members.message, "message", quoted(&spelled(message, text))),
    }
    if members.kind.is_none_or(|kind| kind.kind == Kind::Null) {
        put(members.kind, "type", quoted(SERVER_ERROR));
    }
    is_changed
}

/// Writes an error object in OpenAI's shape.
fn object(message: &str, kind: Option<Value>, code: &str, text: &[u8]) -> String {
    let kind = string(kind, text);
    let kind = quoted(kind.as_deref().unwrap_or(SERVER_ERROR));
    let message = quoted(message);
    format!("{{\"message\":{message},\"type\":{kind},\"param\":null,\"code\":{code}}}")
}

const fn whole(answer: &Answer) -> Value {
    Value {
        kind: Kind::Object,
        span: answer.object,
        escaped: false,
    }
}

fn is_empty_string(value: Value) -> bool {
    value.as_str().is_some_and(|string| string.is_empty())
}

fn string(value: Option<Value>, text: &[u8]) -> Option<String> {
    let said = value?.as_str()?.unescaped(text);
    Some(String::from_utf8_lossy(&said).into_owned())
}

/// Returns the text of a string, or the JSON of another value.
fn spelled(value: Value, text: &[u8]) -> String {
    string(Some(value), text).unwrap_or_else(|| raw(value, text).into_owned())
}

/// Writes a text as a JSON string, quotes included.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn raw(value: Value, text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(value.span.of(text))
}
