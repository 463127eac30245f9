//! Thoughts on their way back: what is remembered, wherever a body is cut, and that the
//! body passes unchanged.

use bytes::Bytes;
use http::Response;
use http_body::Body;
use serde_json::{Value, json};
use tower_moonshot::reasoning_memory::{Forgotten, ReasoningMemoryLayer, ReasoningReport};

use crate::harness::{
    EVENTS, Exchange, JSON, Noting, Script, chat, chunk, exchange, k3, layer, response, stream,
};

fn asked() -> Value {
    k3(json!([{"role": "user", "content": "one"}]))
}

/// What is remembered of a response, and what the client got of it.
fn remembered(response: Response<Script>) -> (Vec<String>, Exchange) {
    let (layer, store) = layer();
    let got = exchange(&layer, chat(asked()), response);
    let thoughts = store.given().into_iter().map(|(_, thought)| thought);
    (thoughts.collect(), got)
}

/// A stream with everything that can be in one: comments, CR LF, escapes in a pair's
/// middle, a call in fragments.
fn full_stream() -> String {
    [
        ": hello\r\n\r\n",
        r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#, "\n\n",
        r#"data: {"choices":[{"index":0,"delta":{"reasoning_content":"A \"moon\": \ud83c"}}]}"#, "\r\n\r\n",
        r#"data: {"choices":[{"index":0,"delta":{"reasoning_content":"\udf15, 月"}}]}"#, "\n\n",
        "data: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"reasoning_content\":\".\"}}]}\n\n",
        r#"data: {"choices":[{"index":0,"delta":{"content":"Wait"}}]}"#, "\n\n",
        r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"f:0","type":"function","function":{"name":"f","arguments":""}}]}}]}"#, "\n\n",
        r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}}]}"#, "\n\n",
        r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#, "\n\n",
        r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls","usage":{}}]}"#, "\n\n",
        r#"data: {"choices":[],"usage":{}}"#, "\n\n",
        "data: [DONE]\n\n",
    ]
    .concat()
}

const THOUGHT: &str = "A \"moon\": 🌕, 月.";

/// The message that a client makes of that stream.
fn message() -> Value {
    json!({"role": "assistant", "content": "Wait", "tool_calls": [
        {"id": "f:0", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]})
}

#[test]
fn a_stream_gives_the_same_thought_and_the_same_bytes_wherever_it_is_cut() {
    let text = full_stream();
    let text = text.as_bytes();
    let (layer, store) = layer();
    let mut pieces: Vec<Vec<&[u8]>> = (0..=text.len())
        .map(|cut| vec![&text[..cut], &text[cut..]])
        .collect();
    // In three pieces, and byte by byte.
    for first in (0..text.len()).step_by(41) {
        for second in (first..text.len()).step_by(67) {
            pieces.push(vec![&text[..first], &text[first..second], &text[second..]]);
        }
    }
    pieces.push(text.chunks(1).collect());
    for frames in pieces {
        let got = exchange(&layer, chat(asked()), response(EVENTS, Script::of(&frames)));
        assert_eq!(got.frames, frames, "{frames:?}");
        let given = store.given();
        assert_eq!(given.len(), 1);
        assert_eq!(given[0].1, THOUGHT);
    }
    let next = k3(json!([{"role": "user", "content": "one"}, message()]));
    let sent = exchange(&layer, chat(next), response(EVENTS, Script::default()));
    assert_eq!(sent.reasoning(), [THOUGHT]);
}

#[test]
fn a_json_answer_gives_the_same_thought_wherever_it_is_cut() {
    let mut message = message();
    message["reasoning_content"] = json!(THOUGHT);
    let answer = json!({"choices": [{"message": message, "finish_reason": "tool_calls"}]});
    let text = answer.to_string();
    let (layer, store) = layer();
    for cut in 0..=text.len() {
        let (start, end) = text.as_bytes().split_at(cut);
        let body = Script::of([start, end]).with_trailers();
        let got = exchange(&layer, chat(asked()), response(JSON, body));
        assert_eq!(got.frames, [start, end]);
        assert!(got.trailers.is_some());
        let given = store.given();
        assert_eq!((given.len(), &*given[0].1), (1, THOUGHT));
    }
    let next = k3(json!([{"role": "user", "content": "one"}, self::message()]));
    let sent = exchange(&layer, chat(next), response(EVENTS, Script::default()));
    assert_eq!(sent.reasoning(), [THOUGHT]);
}

/// The reasons why nothing was remembered.
fn forgotten(report: &ReasoningReport) -> Vec<(Forgotten, u32)> {
    let counts = Forgotten::ALL
        .iter()
        .map(|&why| (why, report.forgotten_because(why)));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn only_complete_answers_with_a_thought_are_remembered() {
    let hm = || chunk(0, json!({"reasoning_content": "Hm."}), None);
    let end = |reason| chunk(0, json!({"content": "x"}), Some(reason));
    let done = |chunks: &[Value]| Script::of([stream(chunks)]);
    let open = |chunks: &[Value]| Script::of([stream(chunks).replace("data: [DONE]\n\n", "")]);
    let error = json!({"error": {"message": "overloaded"}});
    let blank = |text: &str| chunk(0, json!({"reasoning_content": text}), None);
    for (body, why) in [
        (done(&[hm(), end("stop")]), None),
        (done(&[hm(), end("tool_calls")]), None),
        // The end of the body is an end, too.
        (open(&[hm(), end("stop")]), None),
        (open(&[hm(), end("stop")]).with_trailers(), None),
        (done(&[hm(), end("length")]), Some(Forgotten::Cut)),
        (done(&[hm(), end("content_filter")]), Some(Forgotten::Cut)),
        (done(&[hm()]), Some(Forgotten::Unfinished)),
        (open(&[hm()]), Some(Forgotten::Unfinished)),
        (open(&[]), Some(Forgotten::Unfinished)),
        (
            open(&[hm(), end("stop")]).with_error("reset"),
            Some(Forgotten::Unfinished),
        ),
        (
            done(&[hm(), error.clone(), end("stop")]),
            Some(Forgotten::Failed),
        ),
        (done(&[error]), Some(Forgotten::Failed)),
        (
            Script::of([stream(&[hm(), end("stop")]).replacen("Hm", "\u{1}", 1)]),
            Some(Forgotten::Unreadable),
        ),
        (done(&[end("stop")]), Some(Forgotten::NoThought)),
        (done(&[blank(" "), end("stop")]), Some(Forgotten::NoThought)),
        (
            done(&[blank("\n"), blank("\u{3000}"), end("stop")]),
            Some(Forgotten::NoThought),
        ),
        (
            done(&[
                blank(""),
                chunk(0, json!({"reasoning_content": null}), Some("stop")),
            ]),
            Some(Forgotten::NoThought),
        ),
    ] {
        let (thoughts, got) = remembered(response(EVENTS, body.clone()));
        let report = got.report();
        match why {
            None => assert_eq!(
                (thoughts, report.remembered()),
                (vec!["Hm.".to_owned()], 1),
                "{body:?}"
            ),
            Some(why) => {
                assert_eq!(thoughts, [""; 0], "{body:?}");
                assert_eq!(forgotten(report), [(why, 1)], "{body:?}");
            }
        }
    }
}

#[test]
fn half_a_surrogate_pair_is_no_text() {
    let half = r#"data: {"choices":[{"index":0,"delta":{"reasoning_content":"Hm \ud83c"},"finish_reason":"stop"}]}"#;
    let (thoughts, got) = remembered(response(EVENTS, Script::of([half, "\n\ndata: [DONE]\n\n"])));
    assert_eq!(thoughts, [""; 0]);
    assert_eq!(forgotten(got.report()), [(Forgotten::Unreadable, 1)]);
}

#[test]
fn what_is_no_answer_is_not_read() {
    let body = || {
        Script::of([stream(&[chunk(
            0,
            json!({"reasoning_content": "Hm."}),
            Some("stop"),
        )])])
    };
    let mut compressed = response(EVENTS, body());
    compressed
        .headers_mut()
        .insert("content-encoding", "gzip".parse().unwrap());
    let mut refused = response(EVENTS, body());
    *refused.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
    for (response, why) in [
        (compressed, Forgotten::Unreadable),
        (response("text/plain", body()), Forgotten::Unreadable),
        (refused, Forgotten::Failed),
    ] {
        let (thoughts, got) = remembered(response);
        assert_eq!(thoughts, [""; 0]);
        assert_eq!(forgotten(got.report()), [(why, 1)]);
        assert_eq!(
            got.frames.concat(),
            stream(&[chunk(0, json!({"reasoning_content": "Hm."}), Some("stop"))]).as_bytes()
        );
    }
}

#[test]
fn each_choice_has_its_own_thought() {
    let chunks = [
        chunk(1, json!({"reasoning_content": "B"}), None),
        chunk(0, json!({"reasoning_content": "A"}), None),
        chunk(2, json!({"reasoning_content": "C"}), None),
        chunk(0, json!({"content": "a"}), Some("stop")),
        chunk(1, json!({"content": "b"}), Some("stop")),
        chunk(2, json!({"content": "c"}), Some("length")),
    ];
    let (layer, _) = layer();
    let got = exchange(
        &layer,
        chat(asked()),
        response(EVENTS, Script::of([stream(&chunks)])),
    );
    assert_eq!(got.report().remembered(), 2);
    for (said, thought) in [("a", json!("A")), ("b", json!("B")), ("c", Value::Null)] {
        let message = json!({"role": "assistant", "content": said});
        let next = k3(json!([{"role": "user", "content": "one"}, message]));
        let sent = exchange(&layer, chat(next), response(EVENTS, Script::default()));
        assert_eq!(sent.reasoning(), [thought], "{said}");
    }
}

#[test]
fn fragments_of_parallel_calls_are_put_together() {
    let fragment = |call: Value| chunk(0, json!({"tool_calls": [call]}), None);
    let thought = chunk(0, json!({"reasoning_content": "Both."}), None);
    let end = chunk(0, json!({}), Some("tool_calls"));
    let indexed = vec![
        json!({"index": 0, "id": "f:0", "function": {"name": "f", "arguments": ""}}),
        json!({"index": 1, "id": "g:1", "function": {"name": "g", "arguments": "{\"y\""}}),
        json!({"index": 0, "function": {"arguments": "{\"x\":1}"}}),
        json!({"index": 1, "function": {"arguments": ":2}"}}),
    ];
    let unindexed = vec![
        json!({"id": "f:0", "function": {"name": "f", "arguments": ""}}),
        json!({"function": {"arguments": "{\"x\":"}}),
        json!({"index": null, "function": {"arguments": "1}"}}),
        json!({"id": "g:1", "function": {"name": "g", "arguments": "{\"y\":2}"}}),
    ];
    let whole = vec![
        json!({"id": "f:0", "function": {"name": "f", "arguments": "{\"x\":1}"}}),
        json!({"id": "g:1", "function": {"name": "g", "arguments": "{\"y\":2}"}}),
    ];
    let in_pieces = vec![
        json!({"index": 7, "id": "f:0", "function": {"name": "f"}}),
        json!({"index": 7, "function": {"arguments": "{\"x\":1}"}}),
        json!({"index": 9, "id": "g:1", "function": {"name": ""}}),
        json!({"index": 9, "id": "", "function": {"name": "g"}}),
        json!({"index": 9, "id": "h:2", "function": {"arguments": "{\"y\":2}"}}),
    ];
    // Without an index, calls that take turns are told apart by their ids.
    let taking_turns = vec![
        json!({"index": 3, "id": "f:0", "function": {"name": "f", "arguments": "{\"x\":"}}),
        json!({"index": 5, "id": "g:1", "function": {"name": "g", "arguments": "{\"y\":"}}),
        json!({"id": "f:0", "function": {"arguments": "1}"}}),
        json!({"id": "g:1", "function": {"arguments": "2}"}}),
    ];
    // A repeated name is neither another piece of it nor another call.
    let repeated = vec![
        json!({"id": "f:0", "function": {"name": "f"}}),
        json!({"id": "f:0", "function": {"name": "f", "arguments": "{\"x\":"}}),
        json!({"function": {"name": "f", "arguments": "1}"}}),
        json!({"id": "g:1", "function": {"name": "g", "arguments": "{\"y\":2}"}}),
    ];
    // A name behind arguments begins the next call where calls have no ids.
    let without_ids = vec![
        json!({"function": {"name": "f", "arguments": "{\"x\":1}"}}),
        json!({"function": {"name": "g", "arguments": "{\"y\""}}),
        json!({"function": {"arguments": ":2}"}}),
    ];
    for fragments in [
        indexed,
        unindexed,
        whole,
        in_pieces,
        taking_turns,
        repeated,
        without_ids,
    ] {
        let (layer, _) = layer();
        let mut chunks = vec![thought.clone()];
        chunks.extend(fragments.iter().cloned().map(fragment));
        chunks.push(end.clone());
        let body = Script::of([stream(&chunks)]);
        let got = exchange(&layer, chat(asked()), response(EVENTS, body));
        assert_eq!(got.report().remembered(), 1, "{fragments:?}");
        let call = |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        let message = json!({"role": "assistant", "content": null, "tool_calls": [
            call("call_1", "f", "{ \"x\": 1.0 }"), call("call_2", "g", "{\"y\":2}")]});
        let next = k3(json!([{"role": "user", "content": "one"}, message]));
        let sent = exchange(&layer, chat(next), response(EVENTS, Script::default()));
        assert_eq!(sent.reasoning(), ["Both."], "{fragments:?}");
    }
}

/// In a JSON answer, nothing but its place tells a call from another.
#[test]
fn calls_of_a_json_answer_are_whole() {
    let call = |index: u32| json!({"index": index, "id": "f", "type": "function", "function": {"name": "f", "arguments": ""}});
    for calls in [json!([call(0), call(1)]), json!([call(0), call(0)])] {
        let (layer, _) = layer();
        let message = json!({"reasoning_content": "Twice.", "tool_calls": calls});
        let answer = json!({"choices": [{"message": message, "finish_reason": "tool_calls"}]});
        let body = Script::of([answer.to_string()]);
        let got = exchange(&layer, chat(asked()), response(JSON, body));
        assert_eq!(got.report().remembered(), 1);
        let message = json!({"role": "assistant", "tool_calls": calls});
        let next = k3(json!([{"role": "user", "content": "one"}, message]));
        let sent = exchange(&layer, chat(next), response(EVENTS, Script::default()));
        assert_eq!(sent.reasoning(), ["Twice."], "{calls}");
    }
}

#[test]
fn a_body_says_of_itself_what_its_inner_body_says() {
    let layer = ReasoningMemoryLayer::new().with_store(Noting::default());
    let (status, body) = crate::harness::wait(async {
        use tower::{Layer, Service, ServiceExt, service_fn};
        let inner = service_fn(|_| async {
            let answer = r#"{"choices":[{"message":{"reasoning_content":"Hm.","content":"x"},"finish_reason":"stop"}]}"#;
            let response = Response::builder()
                .header("content-type", JSON)
                .body(http_body_util::Full::new(Bytes::from(answer)));
            Ok::<_, std::convert::Infallible>(response.unwrap())
        });
        let mut service = layer.layer(inner);
        let service = service.ready().await.unwrap();
        let response = service.call(chat(asked())).await.unwrap();
        let report = response
            .extensions()
            .get::<ReasoningReport>()
            .unwrap()
            .clone();
        (report, response.into_body())
    });
    let mut body = std::pin::pin!(body);
    let length = body.size_hint().exact().unwrap();
    assert!(!body.is_end_stream());
    assert_eq!(status.remembered(), 0);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) else {
        panic!("no frame");
    };
    assert_eq!(frame.data_ref().unwrap().len() as u64, length);
    // Who knows that this was all doesn't ask for more, so the thought is kept by now.
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert_eq!(status.remembered(), 1);
    assert!(!format!("{:?}", body.as_ref().get_ref()).contains("Hm."));
}

#[test]
fn an_error_passes_behind_the_frames_before_it() {
    let frames = ["data: {\"choices\":[]}\n\n", "data: "];
    let (_, got) = remembered(response(EVENTS, Script::of(frames).with_error("reset")));
    assert_eq!(got.frames, frames);
    assert_eq!(got.error, Some("reset"));
}
