//! Splits an answer into chunks, which are sent as server-sent events.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    body::EmulatorBody,
    error::ApiError,
    quirk::Quirks,
    reply::{Answer, CREATED, Reply},
};

/// The maximum number of chunks for a text. A chunk takes far more memory than the
/// word in it.
const MAX_WORDS: usize = 1000;

/// Returns the whole stream, with a frame for each event.
pub(super) fn body(reply: &Reply, include_usage: bool, quirks: &Quirks) -> EmulatorBody {
    let mut chunks = chunks(reply);
    if include_usage {
        let mut last = chunk(reply, json!([]));
        last["usage"] = reply.usage(reply.choices);
        chunks.push(last);
    }
    let is_done = quirks.stream(&mut chunks);
    let mut events: Vec<Bytes> = chunks.iter().map(event).collect();
    if is_done {
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    }
    EmulatorBody::frames(events)
}

/// Returns a stream that breaks off in the middle with an error.
pub(super) fn broken_body(reply: &Reply, error: &ApiError) -> EmulatorBody {
    let chunks = chunks(reply);
    let mut events: Vec<Bytes> = chunks[..chunks.len() / 2].iter().map(event).collect();
    events.push(event(&error.to_json()));
    EmulatorBody::frames(events)
}

fn event(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

fn chunk(reply: &Reply, choices: Value) -> Value {
    json!({
        "id": reply.id,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": reply.model,
        "choices": choices,
    })
}

/// The chunks of one choice after the other: role, thoughts, answer, end.
fn chunks(reply: &Reply) -> Vec<Value> {
    let mut chunks = Vec::new();
    for index in 0..reply.choices {
        for delta in deltas(reply, index) {
            let choice = json!({"index": index, "delta": delta, "finish_reason": null});
            chunks.push(chunk(reply, json!([choice])));
        }
        // Moonshot puts the usage of a choice into the choice itself.
        let last = json!({
            "index": index,
            "delta": {},
            "finish_reason": reply.finish_reason(),
            "usage": reply.usage(1),
        });
        chunks.push(chunk(reply, json!([last])));
    }
    chunks
}

fn deltas(reply: &Reply, choice: usize) -> Vec<Value> {
    let mut deltas = vec![json!({"role": "assistant", "content": ""})];
    for word in words(reply.thoughts(choice).unwrap_or_default()) {
        deltas.push(json!({"reasoning_content": word}));
    }
    match &reply.answer {
        Answer::Text(text) => {
            deltas.extend(words(text).map(|word| json!({"content": word})));
        }
        Answer::Call {
            ids,
            name,
            arguments,
        } => {
            deltas.push(json!({"tool_calls": [{
                "index": 0,
                "id": ids[choice],
                "type": "function",
                "function": {"name": name, "arguments": ""},
            }]}));
            for fragment in halves(arguments) {
                deltas.push(json!({"tool_calls": [{
                    "index": 0,
                    "function": {"arguments": fragment},
                }]}));
            }
        }
    }
    deltas
}

/// Splits a text after its spaces, into at most `MAX_WORDS` pieces.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    (1..=MAX_WORDS).map_while(move |number| {
        let end = match rest.find(' ') {
            Some(space) if number < MAX_WORDS => space + 1,
            _ => rest.len(),
        };
        let (word, left) = rest.split_at(end);
        rest = left;
        (!word.is_empty()).then_some(word)
    })
}

/// Splits arguments in the middle, into pieces that are not JSON by themselves.
fn halves(arguments: &str) -> [&str; 2] {
    let mut middle = arguments.len() / 2;
    while !arguments.is_char_boundary(middle) {
        middle += 1;
    }
    let (first, second) = arguments.split_at(middle);
    [first, second]
}
