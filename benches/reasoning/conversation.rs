//! A request of an agent with many turns, and the answers that led to it.

use std::fmt::Write;

use bytes::Bytes;
use tower::Layer;
use tower_moonshot::reasoning_memory::ReasoningMemoryLayer;

use crate::{
    bodies::Rng,
    service::{Answer, Frames, call, request},
};

/// The length in bytes of the system message.
const SYSTEM: usize = 6000;

const TOOLS: usize = 16;

pub(crate) const TURNS: usize = 30;

/// Returns a request of [`TURNS`] turns without reasoning, and a layer that remembers the
/// reasoning of each.
pub(crate) fn taught() -> (Bytes, ReasoningMemoryLayer) {
    let layer = ReasoningMemoryLayer::new();
    let mut text = head();
    for number in 0..TURNS {
        let mut service = layer.layer(Answer(answer(number)));
        let report = call(&mut service, request(&Bytes::from(format!("{text}]}}"))));
        assert_eq!(report.map(|report| report.remembered()), Some(1));
        let (call, answer) = turn(number);
        text.push_str(&call);
        text.push_str(&answer);
    }
    text.push_str("]}");
    (Bytes::from(text), layer)
}

/// The start of a request: what comes before the messages, and the first two.
fn head() -> String {
    let mut rng = Rng::new(1);
    let mut text = String::from("{\"model\":\"kimi-k3\",\"stream\":true,\"tools\":[");
    for number in 0..TOOLS {
        let comma = if number == 0 { "" } else { "," };
        write!(
            text,
            "{comma}{{\"type\":\"function\",\"function\":{{\"name\":\"tool_{number}\",\"description\":\"{}\",\"parameters\":{{\"type\":\"object\",\"properties\":{{\"path\":{{\"type\":\"string\"}}}},\"required\":[\"path\"]}}}}}}",
            rng.words(350)
        )
        .unwrap();
    }
    write!(
        text,
        "],\"messages\":[{{\"role\":\"system\",\"content\":\"{}\"}},{{\"role\":\"user\",\"content\":\"{}\"}}",
        rng.words(SYSTEM),
        rng.words(300)
    )
    .unwrap();
    text
}

/// One turn: a call of a tool, without reasoning, and its answer.
fn turn(number: usize) -> (String, String) {
    let mut rng = Rng::new(100 + number as u64);
    let arguments =
        format!("{{\\\"path\\\":\\\"src/file_{number}.rs\\\",\\\"offset\\\":{number}}}");
    let call = format!(
        ",{{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{{\"id\":\"functions.tool_1:{number}\",\"type\":\"function\",\"function\":{{\"name\":\"tool_1\",\"arguments\":\"{arguments}\"}}}}]}}"
    );
    let answer = format!(
        ",{{\"role\":\"tool\",\"tool_call_id\":\"functions.tool_1:{number}\",\"content\":\"{}\"}}",
        rng.words(1200)
    );
    (call, answer)
}

/// The answer that a turn begins with.
fn answer(number: usize) -> Frames {
    let thought = Rng::new(200 + number as u64).words(600);
    let (call, _) = turn(number);
    let calls = call
        .split_once("\"tool_calls\":")
        .and_then(|(_, calls)| calls.strip_suffix('}'))
        .unwrap();
    let event = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"reasoning_content\":\"{thought}\",\"tool_calls\":{calls}}},\"finish_reason\":\"tool_calls\"}}]}}\n\ndata: [DONE]\n\n"
    );
    Frames(vec![Bytes::from(event)])
}

/// Returns a stream of so many chunks of 200 bytes each. Most of them are reasoning.
pub(crate) fn stream(chunks: usize) -> Frames {
    let mut rng = Rng::new(7);
    let mut frames: Vec<Bytes> = (0..chunks)
        .map(|number| {
            let key = if number < chunks * 3 / 4 {
                "reasoning_content"
            } else {
                "content"
            };
            let words = rng.words(200);
            let mut event = format!(
                "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"model\":\"kimi-k3\",\"choices\":[{{\"index\":0,\"delta\":{{\"{key}\":\"\"}}}}]}}\n\n"
            );
            let room = 200_usize.saturating_sub(event.len());
            let at = event.len() - "\"}}]}\n\n".len();
            event.insert_str(at, &words[..room]);
            assert_eq!(event.len(), 200);
            Bytes::from(event)
        })
        .collect();
    frames.push(Bytes::from_static(
        b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    ));
    frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    frames.reverse();
    Frames(frames)
}
