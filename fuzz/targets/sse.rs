//! Answers, cut into frames anywhere: a reader sees the same, a layer that repairs nothing
//! passes the same bytes, and one that repairs makes the same of them.
//!
//! An input consists of four bytes of settings and a body.
#![no_main]
#![allow(clippy::unwrap_used, reason = "what cannot go on has failed")]

#[allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "the target needs a part of it"
)]
#[path = "../../src/json/mod.rs"]
mod json;
#[allow(dead_code, unused_imports, reason = "the target needs a part of it")]
#[path = "../../src/sse/mod.rs"]
mod sse;

/// What `sse` uses to judge heads, of which the target has none.
mod admission {
    pub(crate) fn is_compressed(_: &http::HeaderMap) -> bool {
        false
    }
}

use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body::Body;
use libfuzzer_sys::fuzz_target;
use tower::{Layer, Service};
use tower_moonshot::{
    MoonshotCompatLayer,
    reasoning_memory::{MemoryStore, ReasoningMemoryLayer},
    response::{ResponseCompatLayer, ResponseRule},
};
use tower_moonshot_fuzz::{
    body::{Collected, Script, Step, collect, poll},
    json::is_accepted,
};

use self::sse::{BodyKind, Part, Reader};

const REQUEST: &str = r#"{"model":"fast","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]}"#;

/// Answers with these steps.
#[derive(Clone)]
struct Upstream {
    content_type: &'static str,
    body: Script,
}

impl<B> Service<Request<B>> for Upstream {
    type Response = Response<Script>;
    type Error = u8;
    type Future = Ready<Result<Self::Response, u8>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), u8>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let response = Response::builder().header(CONTENT_TYPE, self.content_type);
        ready(Ok(response.body(self.body.clone()).unwrap()))
    }
}

fuzz_target!(|data: &[u8]| {
    let [cuts, settings, rules, limit, text @ ..] = data else {
        return;
    };
    let (kind, content_type) = match settings & 1 {
        0 => (BodyKind::Events, "text/event-stream"),
        _ => (BodyKind::Json, "application/json"),
    };
    let limit = if limit & 1 == 0 {
        1 << 20
    } else {
        usize::from(*limit)
    };
    let frames = cut(text, *cuts);

    let whole = seen(kind, limit, &[text]);
    assert_eq!(seen(kind, limit, &frames), whole);
    if limit > text.len() {
        let name = |part: &String| part.split(' ').next().unwrap().to_owned();
        let kinds: Vec<String> = whole.iter().map(name).collect();
        match kind {
            BodyKind::Events => {
                let expected: Vec<&str> = events(text).iter().map(|data| outcome(data)).collect();
                assert_eq!(kinds, expected);
            }
            BodyKind::Json if text.is_empty() => {}
            BodyKind::Json => {
                let is_answer = outcome(text) == "answer";
                assert_eq!(kinds, [if is_answer { "answer" } else { "unread" }]);
            }
        }
    }

    let mut trailers = HeaderMap::new();
    trailers.insert("etag", HeaderValue::from_static("x"));
    let body = |frames: &[&[u8]]| {
        let mut steps = Vec::new();
        for frame in frames {
            steps.push(Step::Data(Bytes::copy_from_slice(frame)));
            if settings & 2 == 2 {
                steps.push(Step::Pending);
            }
        }
        match settings >> 2 & 3 {
            2 => steps.push(Step::Trailers(trailers.clone())),
            3 => steps.push(Step::Error(7)),
            _ => {}
        }
        Script {
            steps: steps.into(),
            says_end: settings & 0x10 == 0x10,
            ..Script::default()
        }
    };
    let upstream = |frames: &[&[u8]]| Upstream {
        content_type,
        body: body(frames),
    };
    let layer = MoonshotCompatLayer::new()
        .with_aliases([("fast", "kimi-k3")])
        .unwrap();
    let unchanged = collect(body(&frames), true);

    // Nothing is repaired.
    let nothing = ResponseCompatLayer::new()
        .without_rules()
        .with_rule(ResponseRule::Model);
    let nothing = nothing.with_max_answer_bytes(limit);
    let service = nothing.layer(upstream(&frames));
    assert_eq!(response(service), unchanged);

    // Remembered, and not changed.
    if rules & 1 == 1 {
        let store = MemoryStore::new().with_max_bytes(100_000);
        let memory = ReasoningMemoryLayer::new()
            .with_store(store)
            .with_max_thought_bytes(limit);
        let service = memory.layer(layer.layer(upstream(&frames)));
        assert_eq!(response(service), unchanged);
    }

    // Repaired.
    let off = usize::from(rules >> 1).checked_sub(1);
    let mut repairs = ResponseCompatLayer::new().with_max_answer_bytes(limit);
    if let Some(off) = off {
        repairs = repairs.without_rule(ResponseRule::ALL[off % ResponseRule::ALL.len()]);
    }
    let repaired = response(repairs.layer(layer.layer(upstream(&frames))));
    let whole = response(repairs.layer(layer.layer(upstream(&[text]))));
    assert_eq!(
        String::from_utf8_lossy(&repaired.data),
        String::from_utf8_lossy(&whole.data)
    );
    assert_eq!(repaired, whole);
    assert_eq!(repaired.error, unchanged.error);
});

/// Sends a request, and returns what comes back.
fn response<S, R>(mut service: S) -> Collected
where
    S: Service<Request<Script>, Response = Response<R>, Error = u8>,
    R: Body<Data = Bytes, Error = u8>,
{
    let body = Script {
        steps: [Step::Data(Bytes::from_static(REQUEST.as_bytes()))].into(),
        ..Script::default()
    };
    let request = Request::post("/v1/chat/completions")
        .header(AUTHORIZATION, "Bearer sk-x")
        .body(body)
        .unwrap();
    let mut future = Box::pin(service.call(request));
    let response = poll(|cx| future.as_mut().poll(cx)).unwrap();
    collect(Box::pin(response.into_body()), true)
}

/// The text in frames. `0` cuts at every byte.
fn cut(text: &[u8], seed: u8) -> Vec<&[u8]> {
    if seed == 0 {
        return text.chunks(1).collect();
    }
    let (mut frames, mut rest) = (Vec::new(), text);
    let mut state = u32::from(seed);
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = 1 + (state >> 24) as usize % (4 << (seed % 6));
        let (frame, behind) = rest.split_at(rest.len().min(length));
        frames.push(frame);
        rest = behind;
    }
    frames
}

/// What a reader reports of a body in these frames.
fn seen(kind: BodyKind, limit: usize, frames: &[&[u8]]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut note = |part: Part<'_>| {
        seen.push(match part {
            Part::Done => "done".to_owned(),
            Part::Unread => "unread".to_owned(),
            Part::Answer(answer, text) => {
                let of = |span: json::Span| String::from_utf8_lossy(span.of(text)).into_owned();
                let mut said = format!("answer {:?}", answer.error.map(|error| of(error.span)));
                for choice in &answer.choices {
                    let strings = [choice.raw_content(), choice.raw_reasoning_content()];
                    let strings = strings.map(|string| string.map(|string| of(string.span)));
                    let reason = choice.finish_reason(text);
                    said += &format!("{} {strings:?} {reason:?}", choice.index);
                    for call in answer.calls_of(choice) {
                        let id = call.id.map(|id| of(id.span()));
                        let name = call.name.map(|name| of(name.span()));
                        let arguments = call.arguments.map(|value| of(value.span));
                        said += &format!("{:?} {id:?} {name:?} {arguments:?}", call.index(text));
                    }
                }
                said
            }
        });
    };
    let mut reader = Reader::new(kind, limit);
    for frame in frames {
        reader.read(frame, &mut note);
    }
    reader.finish(&mut note);
    seen
}

/// The data of each event, as the specification of server-sent events says, except that an
/// event at the end of the stream needs no empty line.
fn events(text: &[u8]) -> Vec<Vec<u8>> {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let mut lines = vec![Vec::new()];
    let mut bytes = text.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\n' => lines.push(Vec::new()),
            b'\r' => {
                bytes.next_if_eq(&&b'\n');
                lines.push(Vec::new());
            }
            _ => lines.last_mut().unwrap().push(byte),
        }
    }
    lines.push(Vec::new());
    let (mut events, mut data) = (Vec::new(), Vec::<Vec<u8>>::new());
    for line in lines {
        if line.is_empty() && !data.is_empty() {
            events.push(data.join(&b'\n'));
            data.clear();
        } else if let Some(value) = line.strip_prefix(b"data:") {
            data.push(value.strip_prefix(b" ").unwrap_or(value).to_vec());
        } else if line == b"data" {
            data.push(Vec::new());
        }
    }
    events
}

/// What a reader has to report of an event with this data, or of a JSON answer.
fn outcome(data: &[u8]) -> &'static str {
    if data.trim_ascii() == b"[DONE]" {
        return "done";
    }
    let is_object = data.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if is_object && is_accepted(data) {
        "answer"
    } else {
        "unread"
    }
}
