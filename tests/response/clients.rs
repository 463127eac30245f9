//! The oracle: how clients put a stream together, each in its way. With whatever is
//! wrong with the stream, all of them have to get what the model said.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tower_moonshot::response::ResponseCompatLayer;

use crate::{
    generate::{self, Answer, CACHED, Faults, Style},
    harness::{EVENTS, Script, cases, repaired_by},
};

/// Adds one fragment of a tool call to what a client has of that call.
type Add = fn(&mut Map<String, Value>, &Map<String, Value>);

/// As OpenAI's Python client: all strings are concatenated.
fn concatenating(call: &mut Map<String, Value>, fragment: &Map<String, Value>) {
    for (key, new) in fragment {
        match (call.get_mut(key), new) {
            (Some(Value::String(old)), Value::String(new)) if key != "type" => old.push_str(new),
            (Some(Value::Object(old)), Value::Object(new)) => concatenating(old, new),
            (_, new) => drop(call.insert(key.clone(), new.clone())),
        }
    }
}

/// As OpenAI's JavaScript client: only arguments are concatenated, else the last
/// one counts.
fn overwriting(call: &mut Map<String, Value>, fragment: &Map<String, Value>) {
    for (key, new) in fragment {
        match (call.get_mut(key), new) {
            (Some(Value::String(old)), Value::String(new)) if key == "arguments" => {
                old.push_str(new)
            }
            (Some(Value::Object(old)), Value::Object(new)) => overwriting(old, new),
            (_, new) => drop(call.insert(key.clone(), new.clone())),
        }
    }
}

/// As Vercel's AI SDK: only arguments are concatenated, else the first one counts.
fn keeping(call: &mut Map<String, Value>, fragment: &Map<String, Value>) {
    for (key, new) in fragment {
        match (call.get_mut(key), new) {
            (Some(Value::String(old)), Value::String(new)) if key == "arguments" => {
                old.push_str(new)
            }
            (Some(Value::Object(old)), Value::Object(new)) => keeping(old, new),
            (Some(_), _) => {}
            (None, new) => drop(call.insert(key.clone(), new.clone())),
        }
    }
}

const CLIENTS: [(&str, Add); 3] = [
    ("concatenating", concatenating),
    ("overwriting", overwriting),
    ("keeping", keeping),
];

/// What a client has of a stream in the end.
fn understood(text: &str, add: Add) -> Value {
    let mut choices: Vec<Value> = Vec::new();
    let mut usages = Vec::new();
    let mut is_done = false;
    for data in generate::data(text) {
        if data.trim() == "[DONE]" {
            is_done = true;
            break;
        }
        let chunk: Value = serde_json::from_str(&data).unwrap();
        if !chunk["usage"].is_null() {
            assert_eq!(chunk["choices"], json!([]), "{chunk}");
            usages.push(chunk["usage"]["prompt_tokens_details"]["cached_tokens"].clone());
        }
        for choice in chunk["choices"].as_array().unwrap() {
            let index = choice["index"].as_u64().unwrap() as usize;
            while choices.len() <= index {
                choices.push(json!({"thoughts": "", "text": "", "calls": {}, "end": null}));
            }
            let has = &mut choices[index];
            let delta = &choice["delta"];
            for (part, key) in [("thoughts", "reasoning_content"), ("text", "content")] {
                let more = delta[key].as_str().unwrap_or_default();
                has[part] = json!(has[part].as_str().unwrap().to_owned() + more);
            }
            for fragment in delta["tool_calls"].as_array().into_iter().flatten() {
                // A client without an index is lost.
                let place = fragment["index"].to_string();
                let calls = has["calls"].as_object_mut().unwrap();
                let call = calls.entry(place).or_insert(json!({}));
                add(call.as_object_mut().unwrap(), fragment.as_object().unwrap());
            }
            if !choice["finish_reason"].is_null() {
                has["end"] = choice["finish_reason"].clone();
            }
        }
    }
    json!({"choices": choices, "usages": usages, "is_done": is_done})
}

/// What they are to have.
fn meant(answer: &Answer, has_usage: bool) -> Value {
    let choices: Vec<Value> = answer
        .choices
        .iter()
        .map(|choice| {
            let calls: Map<String, Value> = choice
                .calls
                .iter()
                .enumerate()
                .map(|(index, call)| {
                    let call = json!({
                        "index": index, "id": call.id, "type": "function",
                        "function": {"name": call.name, "arguments": call.arguments.concat()},
                    });
                    (index.to_string(), call)
                })
                .collect();
            json!({
                "thoughts": choice.thoughts.concat(), "text": choice.text.concat(),
                "calls": calls, "end": choice.finish_reason(),
            })
        })
        .collect();
    let usages = if has_usage {
        vec![json!(CACHED)]
    } else {
        Vec::new()
    };
    json!({"choices": choices, "usages": usages, "is_done": true})
}

fn check(answer: &Answer, faults: &Faults, style: &Style, size: usize) {
    let text = style.write(&answer.chunks(faults), true);
    let frames = Script::of(text.as_bytes().chunks(size));
    let repaired = repaired_by(&ResponseCompatLayer::new(), EVENTS, frames).text();
    // Nobody adds up the usage of several choices.
    let has_usage = !faults.usage_in_choice || answer.choices.len() == 1;
    for (name, add) in CLIENTS {
        assert_eq!(
            understood(&repaired, add),
            meant(answer, has_usage),
            "{name}: {text}\n{repaired}"
        );
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn every_client_gets_what_the_model_said(answer in generate::answer(), faults in generate::faults(), style in generate::style(), size in 1..400usize) {
        check(&answer, &faults, &style, size);
    }
}

/// The oracle is worth something: each fault trips one of the clients at least.
#[test]
fn without_the_layer_each_fault_trips_a_client() {
    let call = |id: &str, name: &str| generate::Call {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: vec!["{".to_owned(), "}".to_owned()],
    };
    let answer = Answer {
        choices: vec![generate::Choice {
            thoughts: vec!["Hm".to_owned()],
            text: Vec::new(),
            calls: vec![call("a:0", "read_1"), call("b:1", "write_2")],
        }],
    };
    let trips = |faults: &Faults| {
        let chunks = answer.chunks(faults);
        let text: String = chunks
            .iter()
            .map(|chunk| format!("data: {chunk}\n\n"))
            .collect();
        let text = text + "data: [DONE]\n\n";
        CLIENTS
            .iter()
            .any(|(_, add)| understood(&text, *add) != meant(&answer, true))
    };
    let fault = Faults::default();
    assert!(!trips(&fault));
    for faults in [
        Faults {
            no_index: true,
            ..fault.clone()
        },
        Faults {
            null_index: true,
            ..fault.clone()
        },
        Faults {
            name_in_pieces: Some(2),
            ..fault.clone()
        },
        Faults {
            name_repeated: true,
            ..fault.clone()
        },
        Faults {
            new_ids: true,
            ..fault.clone()
        },
        Faults {
            id_repeated: true,
            ..fault.clone()
        },
        Faults {
            usage_in_choice: true,
            ..fault.clone()
        },
        Faults {
            no_details: true,
            ..fault.clone()
        },
    ] {
        assert!(trips(&faults), "{faults:?}");
    }
}
