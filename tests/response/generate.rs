//! Answers, and streams of them with all that can be wrong.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What a model said, whatever becomes of it on the way.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) choices: Vec<Choice>,
}

/// One choice, in the pieces in which it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) thoughts: Vec<String>,
    pub(crate) text: Vec<String>,
    pub(crate) calls: Vec<Call>,
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
}

/// What is wrong with a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) no_index: bool,
    pub(crate) null_index: bool,
    /// Of so many characters each.
    pub(crate) name_in_pieces: Option<usize>,
    pub(crate) name_repeated: bool,
    pub(crate) new_ids: bool,
    pub(crate) id_repeated: bool,
    pub(crate) usage_in_choice: bool,
    pub(crate) no_details: bool,
}

pub(crate) const CACHED: u64 = 3;

pub(crate) fn answer() -> impl Strategy<Value = Answer> {
    let piece = || prop::collection::vec("[a-z \"\\\\\n\u{e9}\u{6708}\u{1f315}]{0,6}", 0..4);
    // The first piece of a name is never what comes behind it.
    let call = (
        "[a-z]{1,9}",
        "[a-z]_[0-9]{1,4}",
        prop::collection::vec("[a-z{}\"]{1,5}", 1..4),
    );
    let calls = prop::collection::vec(call, 0..4);
    let choice = (piece(), piece(), calls).prop_map(|(thoughts, text, calls)| Choice {
        thoughts,
        text,
        calls: calls
            .into_iter()
            .enumerate()
            .map(|(number, (id, name, arguments))| Call {
                id: format!("{id}:{number}"),
                name,
                arguments,
            })
            .collect(),
    });
    prop::collection::vec(choice, 1..3).prop_map(|choices| Answer { choices })
}

pub(crate) fn faults() -> impl Strategy<Value = Faults> {
    let name = prop::option::of(1..4usize);
    (prop::array::uniform7(any::<bool>()), name).prop_map(|(is, name_in_pieces)| Faults {
        no_index: is[0],
        null_index: is[1] && !is[0],
        name_in_pieces,
        // Without an index, with another id and the same name, it may be another call.
        name_repeated: is[2] && name_in_pieces.is_none() && !(is[3] && (is[0] || is[1])),
        new_ids: is[3],
        id_repeated: is[4] && !is[3],
        usage_in_choice: is[5],
        no_details: is[6],
    })
}

impl Answer {
    /// The stream: choices take turns.
    pub(crate) fn chunks(&self, faults: &Faults) -> Vec<Value> {
        let mut choices: Vec<_> = self
            .choices
            .iter()
            .enumerate()
            .map(|(index, choice)| choice.chunks(index, faults).into_iter())
            .collect();
        let mut chunks = Vec::new();
        loop {
            let before = chunks.len();
            for choice in &mut choices {
                chunks.extend(choice.next().map(|choice| chunk(json!([choice]))));
            }
            if chunks.len() == before {
                break;
            }
        }
        if !faults.usage_in_choice {
            let mut last = chunk(json!([]));
            last["usage"] = usage(faults);
            chunks.push(last);
        }
        chunks
    }
}

fn chunk(choices: Value) -> Value {
    json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "kimi-k3", "choices": choices})
}

pub(crate) fn usage(faults: &Faults) -> Value {
    let mut usage = json!({"prompt_tokens": 5, "completion_tokens": 7, "cached_tokens": CACHED});
    if !faults.no_details {
        usage["prompt_tokens_details"] = json!({"cached_tokens": CACHED});
    }
    usage
}

impl Choice {
    fn chunks(&self, index: usize, faults: &Faults) -> Vec<Value> {
        let mut deltas = vec![json!({"role": "assistant", "content": ""})];
        deltas.extend(
            self.thoughts
                .iter()
                .map(|piece| json!({"reasoning_content": piece})),
        );
        deltas.extend(self.text.iter().map(|piece| json!({"content": piece})));
        for (number, call) in self.calls.iter().enumerate() {
            let fragments = call.fragments(number, faults);
            deltas.extend(
                fragments
                    .into_iter()
                    .map(|fragment| json!({"tool_calls": [fragment]})),
            );
        }
        let mut chunks: Vec<Value> = deltas
            .into_iter()
            .map(|delta| json!({"index": index, "delta": delta, "finish_reason": null}))
            .collect();
        chunks.push(json!({"index": index, "delta": {}, "finish_reason": self.finish_reason(), "usage": usage(faults)}));
        chunks
    }

    pub(crate) fn finish_reason(&self) -> &'static str {
        if self.calls.is_empty() {
            "stop"
        } else {
            "tool_calls"
        }
    }
}

impl Call {
    fn fragments(&self, number: usize, faults: &Faults) -> Vec<Value> {
        let size = faults.name_in_pieces.unwrap_or(self.name.len());
        let name: Vec<char> = self.name.chars().collect();
        let mut functions: Vec<Map<String, Value>> = Vec::new();
        for piece in name.chunks(size) {
            let piece: String = piece.iter().collect();
            functions.push(Map::from_iter([("name".to_owned(), json!(piece))]));
        }
        functions[0].insert("arguments".to_owned(), json!(""));
        for piece in &self.arguments {
            functions.push(Map::from_iter([("arguments".to_owned(), json!(piece))]));
        }
        let mut fragments = Vec::new();
        for (place, mut function) in functions.into_iter().enumerate() {
            if faults.name_repeated {
                function.insert("name".to_owned(), json!(self.name));
            }
            let mut fragment = json!({"function": function});
            if !faults.no_index {
                fragment["index"] = if faults.null_index {
                    Value::Null
                } else {
                    json!(number)
                };
            }
            if place == 0 {
                fragment["id"] = json!(self.id);
                fragment["type"] = json!("function");
            } else if faults.new_ids {
                fragment["id"] = json!(format!("{}-{place}", self.id));
            } else if faults.id_repeated {
                fragment["id"] = json!(self.id);
            }
            fragments.push(fragment);
        }
        fragments
    }
}

/// How a stream is spelled.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    line_end: &'static str,
    field: &'static str,
    /// Comes before every so many events.
    between: (&'static str, usize),
}

pub(crate) fn style() -> impl Strategy<Value = Style> {
    let line_end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let field = prop::sample::select(vec!["data: ", "data:", "id: 1\ndata: ", "data:  "]);
    let between = prop::sample::select(vec!["", ": ping\n\n", "\n", "event: ping\n\n"]);
    (line_end, field, between, 1..4usize).prop_map(|(line_end, field, between, every)| Style {
        line_end,
        field,
        between: (between, every),
    })
}

impl Style {
    pub(crate) fn write(&self, chunks: &[Value], is_done: bool) -> String {
        let done = is_done.then(|| "[DONE]".to_owned());
        let data = chunks.iter().map(Value::to_string).chain(done);
        let mut text = String::new();
        for (number, data) in data.enumerate() {
            if number % self.between.1 == 0 {
                text += self.between.0;
            }
            text += &format!("{}{data}\n\n", self.field);
        }
        text.replace('\n', self.line_end)
    }
}

/// The data of a stream's events, as the specification says.
pub(crate) fn data(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut events = Vec::new();
    let mut event: Option<String> = None;
    for line in text.split('\n') {
        if line.is_empty() {
            events.extend(event.take());
        } else if let Some(value) = line.strip_prefix("data:") {
            let value = value.strip_prefix(' ').unwrap_or(value);
            event = Some(event.map_or(value.to_owned(), |event| event + "\n" + value));
        }
    }
    events
}
