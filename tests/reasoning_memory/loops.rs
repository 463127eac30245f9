//! Conversations of several turns with the emulator, led as clients lead them that never
//! send reasoning back.

use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt};
use tower_moonshot::{
    MoonshotCompatLayer, ToolChoicePolicy,
    emulator::Emulator,
    reasoning_memory::{Forgotten, Missing, ReasoningMemoryLayer, ReasoningReport},
};

use crate::harness::{chat, wait};

/// How a client writes an answer into its history.
#[derive(Clone, Copy, Debug)]
enum Client {
    /// As it came, without the reasoning.
    Plain,
    /// Content null beside tool calls, arguments written anew with spaces, own ids.
    Rewriting,
    /// Content in parts, reasoning null.
    InParts,
    /// Content trimmed and absent beside tool calls, reasoning blank, arguments as an
    /// object in another order.
    Careless,
}

const CLIENTS: [Client; 4] = [
    Client::Plain,
    Client::Rewriting,
    Client::InParts,
    Client::Careless,
];

/// Arguments as Python's `json.dumps` writes them: with spaces behind commas and colons.
fn rewritten(arguments: &str) -> String {
    let value: Value = serde_json::from_str(arguments).unwrap();
    let members = value.as_object().unwrap().iter();
    let members: Vec<String> = members
        .map(|(key, value)| format!("\"{key}\": {value}"))
        .collect();
    format!("{{{}}}", members.join(", "))
}

impl Client {
    fn history(self, answer: &Value) -> Value {
        let mut message = json!({"role": "assistant", "content": answer["content"]});
        let calls = answer["tool_calls"].as_array();
        if let Some(calls) = calls {
            message["tool_calls"] = json!(calls);
        }
        let is_empty = message["content"] == json!("");
        let calls = message["tool_calls"].clone();
        match self {
            Self::Plain => {}
            Self::Rewriting => {
                if is_empty {
                    message["content"] = Value::Null;
                }
                for (number, call) in calls.as_array().into_iter().flatten().enumerate() {
                    let arguments = call["function"]["arguments"].as_str().unwrap();
                    let call = &mut message["tool_calls"][number];
                    call["function"]["arguments"] = json!(rewritten(arguments));
                }
            }
            Self::InParts => {
                if !is_empty {
                    let text = message["content"].as_str().unwrap();
                    let (start, end) = text.split_at(text.len() / 2);
                    message["content"] = json!([
                        {"type": "text", "text": start}, {"type": "text", "text": end}]);
                }
                message["reasoning_content"] = Value::Null;
            }
            Self::Careless => {
                message["reasoning_content"] = json!(" ");
                if is_empty {
                    message.as_object_mut().unwrap().remove("content");
                } else {
                    let text = message["content"].as_str().unwrap();
                    message["content"] = json!(format!("  {text}\n"));
                }
            }
        }
        message
            .as_object_mut()
            .unwrap()
            .retain(|_, value| *value != json!([]));
        message
    }
}

/// Puts a stream together, as clients do.
fn assembled(stream: &str) -> Value {
    let mut message = json!({"content": ""});
    for event in stream.split("\n\n") {
        let Some(data) = event
            .strip_prefix("data: ")
            .filter(|data| *data != "[DONE]")
        else {
            continue;
        };
        let chunk: Value = serde_json::from_str(data).unwrap();
        let delta = &chunk["choices"][0]["delta"];
        if let Some(text) = delta["content"].as_str() {
            message["content"] = json!(message["content"].as_str().unwrap().to_owned() + text);
        }
        for fragment in delta["tool_calls"].as_array().into_iter().flatten() {
            if fragment["id"].is_string() {
                let calls = message.as_object_mut().unwrap().entry("tool_calls");
                calls
                    .or_insert(json!([]))
                    .as_array_mut()
                    .unwrap()
                    .push(fragment.clone());
            } else {
                let last = message["tool_calls"]
                    .as_array_mut()
                    .unwrap()
                    .last_mut()
                    .unwrap();
                let arguments = &mut last["function"]["arguments"];
                let more = fragment["function"]["arguments"].as_str().unwrap();
                *arguments = json!(arguments.as_str().unwrap().to_owned() + more);
            }
        }
    }
    message
}

/// Two tools, the first of which has arguments.
fn tools() -> Value {
    let weather = json!({"type": "object", "required": ["city", "days"], "properties": {
        "city": {"type": "string", "enum": ["Bergen"]}, "days": {"type": "integer", "minimum": 3}}});
    json!([
        {"type": "function", "function": {"name": "weather", "parameters": weather}},
        {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}])
}

/// One turn: the answer, and the report.
fn turn<S, B>(service: &mut S, body: &Value) -> (Value, ReasoningReport)
where
    S: Service<http::Request<http_body_util::Full<Bytes>>, Response = http::Response<B>>,
    S::Error: std::fmt::Debug,
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    wait(async {
        let service = service.ready().await.unwrap();
        let response = service.call(chat(body)).await.unwrap();
        let (head, body) = response.into_parts();
        let text = body.collect().await.unwrap().to_bytes();
        let text = std::str::from_utf8(&text).unwrap();
        assert_eq!(head.status, 200, "{text}");
        let report = head.extensions.get::<ReasoningReport>().unwrap().clone();
        let message = if text.starts_with("data:") {
            assembled(text)
        } else {
            let answer: Value = serde_json::from_str(text).unwrap();
            answer["choices"][0]["message"].clone()
        };
        (message, report)
    })
}

#[test]
fn loops_of_tool_calls_get_every_thought_back() {
    // Two calls, an answer, another question, its answer: what each model needs of the
    // thoughts of the four turns before the last.
    for (model, keep, due) in [
        ("kimi-k3", false, [true; 4]),
        ("kimi-k2.7", false, [true; 4]),
        ("kimi-k2.6", false, [false, false, false, true]),
        ("kimi-k2.6", true, [true; 4]),
        ("kimi-for-coding", false, [false, false, false, true]),
        ("kimi-k2.5", false, [false, false, false, true]),
    ] {
        for client in CLIENTS {
            for is_stream in [false, true] {
                let case = format!("{model} {client:?} {is_stream}");
                converse(model, keep, due, client, is_stream, &case);
            }
        }
    }
}

fn converse(model: &str, keep: bool, due: [bool; 4], client: Client, is_stream: bool, case: &str) {
    let moonshot = Emulator::new().with_unique_thoughts();
    let compat = MoonshotCompatLayer::new().layer(moonshot.clone());
    let mut service = ReasoningMemoryLayer::new().layer(compat);
    let mut body = json!({
        "model": model, "stream": is_stream, "tools": tools(), "tool_choice": "required",
        "messages": [
            {"role": "system", "content": "It is 10:00."},
            {"role": "user", "content": "What is the weather?"}],
    });
    if keep {
        body["thinking"] = json!({"type": "enabled", "keep": "all"});
    }
    let mut restored = 0;
    for number in 0..5 {
        // The clock in the system message goes on.
        body["messages"][0]["content"] = json!(format!("It is 10:0{number}."));
        let is_call = [0, 1, 3].contains(&number);
        body["tool_choice"] = json!(if is_call { "required" } else { "auto" });
        let (answer, report) = turn(&mut service, &body);
        assert_eq!(answer["tool_calls"].is_array(), is_call, "{case} {number}");
        assert_eq!(report.missing(), 0, "{case} {number}: {report}");
        assert_eq!(report.remembered(), 1, "{case} {number}: {report}");
        restored = report.restored();
        let messages = body["messages"].as_array_mut().unwrap();
        let message = client.history(&answer);
        let id = message["tool_calls"][0]["id"].clone();
        messages.push(message);
        messages.push(if is_call {
            json!({"role": "tool", "tool_call_id": id, "content": format!("result {number}")})
        } else {
            json!({"role": "user", "content": "And tomorrow?"})
        });
    }
    let last = moonshot.returned_thoughts().pop().unwrap();
    assert_eq!(
        restored,
        due.iter().filter(|due| **due).count() as u32,
        "{case}"
    );
    for (number, (thought, due)) in last.iter().zip(due).enumerate() {
        let expected = format!("The user wants an answer. This is thought {number}.0.");
        let is_restored = thought.as_deref() == Some(&*expected);
        assert_eq!(is_restored, due, "{case} {number}: {thought:?}");
    }
}

/// The compat layer disables thinking for a forced choice after the memory has restored
/// thoughts. Moonshot accepts them, and the conversation goes on with thoughts.
#[test]
fn thoughts_are_accepted_where_a_forced_choice_disables_thinking() {
    let moonshot = Emulator::new().with_unique_thoughts();
    let memory = ReasoningMemoryLayer::new();
    let service = |policy| {
        let compat = MoonshotCompatLayer::new().with_tool_choice_policy(policy);
        memory.layer(compat.layer(moonshot.clone()))
    };
    let mut thinking = service(ToolChoicePolicy::Nudge);
    let mut forcing = service(ToolChoicePolicy::DisableThinking);
    for model in ["kimi-k2.6", "kimi-k2.5", "kimi-for-coding"] {
        let before = moonshot.returned_thoughts().len();
        let mut body = json!({
            "model": model, "tools": tools(), "tool_choice": "required",
            "messages": [{"role": "user", "content": "What is the weather?"}],
        });
        for (number, restored) in [(0, 0), (1, 1), (2, 2), (3, 2)] {
            let is_forced = number == 2;
            let service = if is_forced {
                &mut forcing
            } else {
                &mut thinking
            };
            let (answer, report) = turn(service, &body);
            let case = format!("{model} {number}: {report}");
            assert_eq!(report.restored(), restored, "{case}");
            // Behind the answer without thinking, there is no thought to restore.
            let missing = u32::from(number == 3);
            assert_eq!(report.missing_because(Missing::NotFound), missing, "{case}");
            let without = report.forgotten_because(Forgotten::NoThought);
            assert_eq!(without, u32::from(is_forced), "{case}");
            let messages = body["messages"].as_array_mut().unwrap();
            let message = Client::Plain.history(&answer);
            let id = message["tool_calls"][0]["id"].clone();
            assert!(id.is_string(), "{case}");
            messages.push(message);
            messages.push(json!({"role": "tool", "tool_call_id": id, "content": "result"}));
        }
        let returned = moonshot.returned_thoughts();
        let is_thought = |thought: &Option<String>| {
            thought
                .as_deref()
                .is_some_and(|text| text.contains("This is thought"))
        };
        let counts: Vec<usize> = returned[before..]
            .iter()
            .map(|thoughts| {
                thoughts
                    .iter()
                    .filter(|thought| is_thought(thought))
                    .count()
            })
            .collect();
        assert_eq!(counts, [0, 1, 2, 2], "{model}");
    }
}
