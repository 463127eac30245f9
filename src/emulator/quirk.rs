//! Answers with faults.

use http::StatusCode;
use serde_json::{Value, json};

/// A fault in an answer that Moonshot was seen to give, and that trips clients. Each
/// of them is from live reports unless it says otherwise.
///
/// Several can be combined, see [`Emulator::with_quirk`](super::Emulator::with_quirk).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quirk {
    /// `usage` is only in `choices[0].usage`: of the last chunk, even with
    /// `stream_options.include_usage`, or of a JSON answer.
    UsageInChoice,
    /// `usage.cached_tokens` without `usage.prompt_tokens_details`.
    NoTokenDetails,
    /// Fragments of tool calls have no `index`. In streams only.
    NoCallIndex,
    /// The `index` of fragments of tool calls is null. In streams only.
    NullCallIndex,
    /// The name of a tool call arrives in two fragments. In streams only.
    NameInPieces,
    /// Each fragment of a tool call has an id, and each another one. In streams only.
    NewCallIds,
    /// The answer ends in its middle, without an error: a stream without a
    /// `finish_reason` and without `[DONE]`, a JSON answer with half of its text.
    BreaksOff,
    /// The answer turns into an error that is a string,
    /// `{"error":"The engine is currently overloaded"}`: a stream in its middle, a JSON
    /// answer as a whole, with the status 503. The shape is a judgement.
    PlainError,
}

/// The quirks of an emulator.
#[derive(Clone, Debug, Default)]
pub(super) struct Quirks(pub(super) Vec<Quirk>);

impl Quirks {
    fn has(&self, quirk: Quirk) -> bool {
        self.0.contains(&quirk)
    }

    /// Makes the faults of a stream. Returns whether `[DONE]` is to follow.
    pub(super) fn stream(&self, chunks: &mut Vec<Value>) -> bool {
        if self.has(Quirk::UsageInChoice) {
            chunks.retain(|chunk| chunk["choices"] != json!([]));
        }
        if self.has(Quirk::NoTokenDetails) {
            for chunk in chunks.iter_mut() {
                remove_details(chunk);
            }
        }
        if self.has(Quirk::NameInPieces) {
            let whole = std::mem::take(chunks);
            chunks.extend(whole.into_iter().flat_map(name_in_pieces));
        }
        for (number, chunk) in chunks.iter_mut().enumerate() {
            self.fragments(chunk, number);
        }
        let breaks = [Quirk::BreaksOff, Quirk::PlainError];
        if !breaks.iter().any(|&quirk| self.has(quirk)) {
            return true;
        }
        chunks.truncate(chunks.len() / 2);
        if self.has(Quirk::PlainError) {
            chunks.push(plain_error());
        }
        false
    }

    fn fragments(&self, chunk: &mut Value, number: usize) {
        for call in calls(chunk) {
            if self.has(Quirk::NewCallIds) {
                call["id"] = json!(format!("call_{number}"));
            }
            if self.has(Quirk::NullCallIndex) {
                call["index"] = Value::Null;
            }
            if self.has(Quirk::NoCallIndex) {
                if let Some(call) = call.as_object_mut() {
                    call.remove("index");
                }
            }
        }
    }

    /// Makes the faults of a JSON answer: its status, and its text.
    pub(super) fn json(&self, mut answer: Value) -> (StatusCode, String) {
        if self.has(Quirk::PlainError) {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return (status, plain_error().to_string());
        }
        if self.has(Quirk::NoTokenDetails) {
            remove_details(&mut answer);
        }
        if self.has(Quirk::UsageInChoice) {
            let usage = answer.as_object_mut().and_then(|all| all.remove("usage"));
            answer["choices"][0]["usage"] = usage.unwrap_or_default();
        }
        let mut text = answer.to_string();
        if self.has(Quirk::BreaksOff) {
            let mut middle = text.len() / 2;
            while !text.is_char_boundary(middle) {
                middle += 1;
            }
            text.truncate(middle);
        }
        (StatusCode::OK, text)
    }
}

fn plain_error() -> Value {
    json!({"error": "The engine is currently overloaded"})
}

fn remove_details(answer: &mut Value) {
    for pointer in ["/usage", "/choices/0/usage"] {
        let usage = answer.pointer_mut(pointer).and_then(Value::as_object_mut);
        if let Some(usage) = usage {
            usage.remove("prompt_tokens_details");
        }
    }
}

/// The fragments of tool calls in a chunk.
fn calls(chunk: &mut Value) -> impl Iterator<Item = &mut Value> {
    let calls = chunk.pointer_mut("/choices/0/delta/tool_calls");
    calls.and_then(Value::as_array_mut).into_iter().flatten()
}

/// A chunk with a name becomes one with its first character, and one with its rest.
fn name_in_pieces(mut chunk: Value) -> Vec<Value> {
    let mut rest = chunk.clone();
    let mut has_rest = false;
    for (first, rest) in calls(&mut chunk).zip(calls(&mut rest)) {
        let name = first["function"]["name"].as_str().unwrap_or_default();
        let middle = name.chars().next().map_or(0, char::len_utf8);
        if middle > 0 && middle < name.len() {
            let (start, end) = (name[..middle].to_owned(), name[middle..].to_owned());
            *rest = json!({"index": first["index"], "function": {"name": end}});
            first["function"]["name"] = json!(start);
            has_rest = true;
        }
    }
    if has_rest {
        vec![chunk, rest]
    } else {
        vec![chunk]
    }
}
