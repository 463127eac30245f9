//! Rule `error`: errors in the shape that clients look for.

use std::borrow::Cow;

use super::{
    members::{each_member, quoted},
    ops::Ops,
};
use crate::{
    json::{Kind, Value},
    sse::Answer,
};

/// The error type of errors without one.
const SERVER_ERROR: &str = "server_error";

/// What an error without a message says.
const NO_MESSAGE: &str = "The upstream reported an error without a message";

/// Members of an error, wherever it has them.
#[derive(Default)]
struct Told {
    message: Option<Value>,
    kind: Option<Value>,
    code: Option<Value>,
    object: Option<Value>,
    /// There is no member at all.
    is_nothing: bool,
}

impl Told {
    fn by(object: Value, text: &[u8]) -> Self {
        let mut told = Self {
            is_nothing: true,
            ..Self::default()
        };
        each_member(text, object, |key, member| {
            told.is_nothing = false;
            match key {
                b"message" => told.message = Some(member.value),
                b"type" => told.kind = Some(member.value),
                b"code" => told.code = Some(member.value),
                b"object" => told.object = Some(member.value),
                _ => {}
            }
        });
        told
    }
}

/// Whether what was read is an error; if it is, it gets OpenAI's shape. Returns
/// whether it is one, and whether it was repaired.
pub(super) fn repair(answer: &Answer, text: &[u8], ops: &mut Ops) -> (bool, bool) {
    match answer.error {
        Some(error) if error.kind == Kind::Object => {
            let told = Told::by(error, text);
            (
                !told.is_nothing,
                !told.is_nothing && complete(error, &told, text, ops),
            )
        }
        // Clients take these for no error.
        Some(error) if error.kind == Kind::False || is_empty_string(error) => (false, false),
        Some(error) => {
            let top = Told::by(whole(answer), text);
            let own_code = top
                .code
                .map_or(Cow::Borrowed("null"), |code| raw(code, text));
            let (message, code) = match string(top.message, text) {
                // `{"error":"name","message":…}`
                Some(message) if error.kind == Kind::String => (message, raw(error, text)),
                Some(message) => (message, own_code),
                None => (spelled(error, text), own_code),
            };
            ops.replace(error.span, object(&message, top.kind, &code, text));
            (true, true)
        }
        None if answer.choices_array.is_none() && answer.usage.is_none() => {
            let top = Told::by(whole(answer), text);
            let is_called_one = string(top.object, text).as_deref() == Some("error");
            let is_one = is_called_one || top.kind.is_some() || top.code.is_some();
            let Some(message) = string(top.message, text).filter(|_| is_one) else {
                return (false, false);
            };
            let code = top
                .code
                .map_or(Cow::Borrowed("null"), |code| raw(code, text));
            let error = object(&message, top.kind, &code, text);
            ops.append(answer.object, format!("\"error\":{error}"));
            (true, true)
        }
        None => (false, false),
    }
}

/// Gives an error object what it lacks.
fn complete(error: Value, told: &Told, text: &[u8], ops: &mut Ops) -> bool {
    let mut is_changed = false;
    let mut put = |there: Option<Value>, key: &str, what: String| {
        match there {
            None => ops.append(error.span, format!("\"{key}\":{what}")),
            Some(value) => ops.replace(value.span, what),
        }
        is_changed = true;
    };
    match told.message {
        None => put(None, "message", quoted(NO_MESSAGE)),
        Some(message) if message.kind == Kind::String => {}
        Some(message) if message.kind == Kind::Null => {
            put(told.message, "message", quoted(NO_MESSAGE));
        }
        Some(message) => put(told.message, "message", quoted(&spelled(message, text))),
    }
    if told.kind.is_none_or(|kind| kind.kind == Kind::Null) {
        put(told.kind, "type", quoted(SERVER_ERROR));
    }
    is_changed
}

/// An error in OpenAI's shape.
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

/// What a string says, or how another value is spelled.
fn spelled(value: Value, text: &[u8]) -> String {
    string(Some(value), text).unwrap_or_else(|| raw(value, text).into_owned())
}

fn raw(value: Value, text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(value.span.of(text))
}
