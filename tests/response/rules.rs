//! One rule after the other, as bytes.

use bytes::Bytes;
use http::{Response, StatusCode};
use tower_moonshot::{
    MoonshotCompatLayer,
    response::{ResponseCompatLayer, ResponseRule},
};

use crate::harness::{
    ASKED, EVENTS, JSON, Script, answered, chat, headers, json, repaired_by, stream,
};

const DONE: &str = "data: [DONE]\n\n";

fn event(json: &str) -> String {
    format!("data: {json}\n\n")
}

/// A chunk with this choice.
fn chunk(choice: &str) -> String {
    event(&format!(
        r#"{{"id":"1","object":"chat.completion.chunk","created":7,"model":"kimi-k3","choices":[{choice}]}}"#
    ))
}

fn delta(delta: &str) -> String {
    chunk(&format!(
        r#"{{"index":0,"delta":{{{delta}}},"finish_reason":null}}"#
    ))
}

fn finish(rest: &str) -> String {
    chunk(&format!(
        r#"{{"index":0,"delta":{{}},"finish_reason":"stop"{rest}}}"#
    ))
}

#[track_caller]
fn stays(text: &str) {
    assert_eq!(stream(text), text);
}

#[test]
fn a_stream_as_documented_keeps_its_bytes() {
    let usage =
        r#"{"prompt_tokens":1,"cached_tokens":0,"prompt_tokens_details":{"cached_tokens":0}}"#;
    stays(&[
        delta(r#""role":"assistant","content":"""#),
        delta(r#""reasoning_content":"Hm""#),
        delta(r#""tool_calls":[{"index":0,"id":"f:0","type":"function","function":{"name":"f","arguments":""}}]"#),
        delta(r#""tool_calls":[{"index":0,"function":{"arguments":"{}"}}]"#),
        finish(&format!(r#","usage":{usage}"#)),
        event(&format!(r#"{{"id":"1","choices":[],"usage":{usage}}}"#)),
        DONE.to_owned(),
    ].concat());
}

// === usage ===

#[test]
fn usage_of_the_choice_is_repeated_in_a_last_chunk_for_who_asked() {
    let start = delta(r#""content":"Hi""#) + &finish(r#","usage":{"prompt_tokens":1}"#);
    let last = event(
        r#"{"id":"1","object":"chat.completion.chunk","created":7,"model":"kimi-k3","choices":[],"usage":{"prompt_tokens":1}}"#,
    );
    assert_eq!(
        stream(&(start.clone() + DONE)),
        start.clone() + &last + DONE
    );
    // Without `[DONE]` too.
    assert_eq!(stream(&start), start.clone() + &last);
    let cut = start.trim_end();
    assert_eq!(stream(cut), cut.to_owned() + "\n\n" + &last);
    // A null in its place is no usage.
    let start = start.replace(r#""choices":"#, r#""usage":null,"choices":"#);
    let last = last.replace(
        r#""choices":[],"usage":{"prompt_tokens":1}"#,
        r#""usage":{"prompt_tokens":1},"choices":[]"#,
    );
    assert_eq!(stream(&(start.clone() + DONE)), start + &last + DONE);
}

#[test]
fn usage_is_repeated_only_if_it_came_nowhere_else() {
    stays(&(finish(r#","usage":{"a":1}"#) + &event(r#"{"choices":[],"usage":{"a":1}}"#) + DONE));
    stays(&(chunk(r#"{"finish_reason":"stop","usage":{"a":1}}],"usage":{"a":1},"x":["#) + DONE));
    stays(&(finish("") + DONE));
}

#[test]
fn usage_of_several_choices_is_not_added_up() {
    let choice = |index| {
        chunk(&format!(
            r#"{{"index":{index},"finish_reason":"stop","usage":{{"a":1}}}}"#
        ))
    };
    stays(&(choice(0) + &choice(1) + DONE));
    stays(
        &(chunk(
            r#"{"index":0,"finish_reason":"stop","usage":{}},{"index":1,"finish_reason":"stop"}"#,
        ) + DONE),
    );
}

#[test]
fn who_did_not_ask_for_usage_gets_no_chunk_without_choices() {
    let text = finish(r#","usage":{"a":1}"#) + DONE;
    for body in [
        ASKED.replace("true}", "false}"),
        ASKED.replace("\"stream_options\"", "\"x\""),
        r#"{"messages":[{"role":"user","content":"\"include_usage\": true"}],"model":"kimi-k3"}"#
            .to_owned(),
        "not JSON with \"include_usage\"".to_owned(),
    ] {
        let mut response = Response::new(Script::of([&text]));
        *response.headers_mut() = headers(&[("content-type", EVENTS)]);
        let (layer, compat) = (ResponseCompatLayer::new(), MoonshotCompatLayer::new());
        assert_eq!(
            answered(&layer, &compat, chat(&body), response).text(),
            text,
            "{body}"
        );
    }
}

#[test]
fn a_json_answer_gets_the_usage_of_its_choice() {
    assert_eq!(
        json(r#"{"choices":[{"message":{},"usage":{"a":1}}] }"#),
        r#"{"choices":[{"message":{},"usage":{"a":1}}],"usage":{"a":1} }"#
    );
    assert_eq!(
        json(r#"{"usage":null,"choices":[{"usage":{"cached_tokens":2}}]}"#),
        r#"{"usage":{"cached_tokens":2,"prompt_tokens_details":{"cached_tokens":2}},"choices":[{"usage":{"cached_tokens":2}}]}"#
    );
    for text in [
        r#"{"choices":[{"usage":{"a":1}}],"usage":{}}"#,
        r#"{"choices":[{"usage":{"a":1}},{"usage":{"a":1}}]}"#,
        r#"{"choices":[{"usage":null}]}"#,
    ] {
        assert_eq!(json(text), text);
    }
}

// === cached_tokens ===

#[test]
fn cached_tokens_are_given_where_openai_has_them() {
    for (usage, expected) in [
        (
            r#"{"cached_tokens":5}"#,
            r#"{"cached_tokens":5,"prompt_tokens_details":{"cached_tokens":5}}"#,
        ),
        (
            r#"{"cached_tokens":5,"prompt_tokens_details":null}"#,
            r#"{"cached_tokens":5,"prompt_tokens_details":{"cached_tokens":5}}"#,
        ),
        (
            r#"{"prompt_tokens_details":{},"cached_tokens":5}"#,
            r#"{"prompt_tokens_details":{"cached_tokens":5},"cached_tokens":5}"#,
        ),
        (
            r#"{"prompt_tokens_details":{"a":1,"cached_tokens":null},"cached_tokens":5}"#,
            r#"{"prompt_tokens_details":{"a":1,"cached_tokens":5},"cached_tokens":5}"#,
        ),
        (
            r#"{"prompt_tokens_details":{"cached_tokens":4},"cached_tokens":5}"#,
            "",
        ),
        (r#"{"prompt_tokens_details":[],"cached_tokens":5}"#, ""),
        (r#"{"prompt_tokens_details":{}}"#, ""),
        (r#"{"cached_tokens":null}"#, ""),
        ("5", ""),
    ] {
        let expected = if expected.is_empty() { usage } else { expected };
        let answer = |usage| format!(r#"{{"choices":[],"usage":{usage}}}"#);
        assert_eq!(json(&answer(usage)), answer(expected));
        let start = finish("");
        let text = |usage| start.clone() + &event(&answer(usage)) + DONE;
        assert_eq!(stream(&text(usage)), text(expected));
    }
}

// === tool_calls ===

fn fragments(fragments: &[&str]) -> String {
    let mut text = String::new();
    for fragment in fragments {
        text += &delta(&format!(r#""tool_calls":[{fragment}]"#));
    }
    text + &chunk(r#"{"index":0,"delta":{},"finish_reason":"tool_calls"}"#) + DONE
}

#[track_caller]
fn become_(before: &[&str], after: &[&str]) {
    assert_eq!(stream(&fragments(before)), fragments(after));
}

#[test]
fn an_index_is_filled_in() {
    become_(
        &[
            r#"{"id":"a","function":{"name":"f","arguments":""}}"#,
            r#"{"function":{"arguments":"{"}}"#,
            r#"{"index":null,"function":{"arguments":"}"}}"#,
            // Behind arguments a name is that of the next call.
            r#"{"id":"b","function":{"name":"g","arguments":"{}"}}"#,
            r#"{"function":{"name":"h","arguments":"{}"}}"#,
        ],
        &[
            r#"{"id":"a","function":{"name":"f","arguments":""},"index":0}"#,
            r#"{"function":{"arguments":"{"},"index":0}"#,
            r#"{"index":0,"function":{"arguments":"}"}}"#,
            r#"{"id":"b","function":{"name":"g","arguments":"{}"},"index":1}"#,
            r#"{"function":{"name":"h","arguments":"{}"},"index":2}"#,
        ],
    );
}

#[test]
fn a_call_is_known_by_its_id_where_there_is_no_index() {
    become_(
        &[
            r#"{"index":4,"id":"a","function":{"name":"f","arguments":"1"}}"#,
            r#"{"index":7,"id":"b","function":{"name":"g","arguments":"1"}}"#,
            r#"{"id":"a","function":{"arguments":"2"}}"#,
            r#"{"id":"b","function":{"arguments":"2"}}"#,
        ],
        &[
            r#"{"index":4,"id":"a","function":{"name":"f","arguments":"1"}}"#,
            r#"{"index":7,"id":"b","function":{"name":"g","arguments":"1"}}"#,
            r#"{"function":{"arguments":"2"},"index":4}"#,
            r#"{"function":{"arguments":"2"},"index":7}"#,
        ],
    );
}

#[test]
fn several_calls_in_one_chunk_are_told_apart() {
    become_(
        &[
            r#"{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g","arguments":"{}"}}"#,
        ],
        &[
            r#"{"id":"a","function":{"name":"f","arguments":"{}"},"index":0},{"id":"b","function":{"name":"g","arguments":"{}"},"index":1}"#,
        ],
    );
}

#[test]
fn a_call_keeps_its_first_id() {
    become_(
        &[
            r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
            r#"{"index":0,"id":"b","function":{"arguments":"{"}}"#,
            r#"{"index":0,"id":"a","function":{"arguments":"}"}}"#,
            r#"{"index":0,"id":"","function":{"arguments":" "}}"#,
            r#"{"index":0,"id":null,"function":{"arguments":" "}}"#,
        ],
        &[
            r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
            r#"{"index":0,"function":{"arguments":"{"}}"#,
            r#"{"index":0,"function":{"arguments":"}"}}"#,
            r#"{"index":0,"id":"","function":{"arguments":" "}}"#,
            r#"{"index":0,"id":null,"function":{"arguments":" "}}"#,
        ],
    );
}

#[test]
fn a_name_in_pieces_is_sent_whole() {
    become_(
        &[
            r#"{"index":0,"id":"a","function":{"name":"get","arguments":""}}"#,
            r#"{"index":0,"function":{"name":"_\u0077"}}"#,
            r#"{"index":0,"function":{"name":"eather","arguments":"{"}}"#,
            r#"{"index":0,"function":{"arguments":"}"}}"#,
        ],
        &[
            r#"{"index":0,"id":"a","function":{"name":"get_\u0077eather","arguments":""}}"#,
            r#"{"index":0,"function":{}}"#,
            r#"{"index":0,"function":{"arguments":"{"}}"#,
            r#"{"index":0,"function":{"arguments":"}"}}"#,
        ],
    );
    // The end of the choice ends a name too.
    become_(
        &[
            r#"{"index":0,"function":{"name":"a"}}"#,
            r#"{"index":0,"function":{"name":"b"}}"#,
        ],
        &[
            r#"{"index":0,"function":{"name":"ab"}}"#,
            r#"{"index":0,"function":{}}"#,
        ],
    );
}

#[test]
fn a_name_that_is_repeated_is_no_piece() {
    become_(
        &[
            r#"{"index":0,"function":{"name":"f","arguments":""}}"#,
            r#"{"index":0,"function":{"name":"f","arguments":"{"}}"#,
            r#"{"index":0,"function":{"name":"f","arguments":"}"}}"#,
            r#"{"index":0,"function":{"name":"other","arguments":" "}}"#,
        ],
        &[
            r#"{"index":0,"function":{"name":"f","arguments":""}}"#,
            r#"{"index":0,"function":{"arguments":"{"}}"#,
            r#"{"index":0,"function":{"arguments":"}"}}"#,
            // Nobody knows what that may mean.
            r#"{"index":0,"function":{"name":"other","arguments":" "}}"#,
        ],
    );
}

#[test]
fn all_faults_of_fragments_at_once() {
    become_(
        &[
            r#"{"id":"a","type":"function","function":{"name":"re"}}"#,
            r#"{"id":"b","function":{"name":"ad"}}"#,
            r#"{"id":"c","function":{"arguments":"{}"}}"#,
            r#"{"id":"d","function":{"name":"w","arguments":""}}"#,
            r#"{"id":"e","function":{"name":"rite","arguments":"{}"}}"#,
        ],
        &[
            r#"{"id":"a","type":"function","function":{"name":"read"},"index":0}"#,
            r#"{"function":{},"index":0}"#,
            r#"{"function":{"arguments":"{}"},"index":0}"#,
            r#"{"id":"d","function":{"name":"write","arguments":""},"index":1}"#,
            r#"{"function":{"arguments":"{}"},"index":1}"#,
        ],
    );
}

#[test]
fn fragments_that_nobody_understands_stay() {
    for fragment in [
        r#"{"index":"0","id":"a","function":{"name":"f"}}"#,
        r#"{"index":-1,"function":{"name":"f"}}"#,
        r#"{"index":0,"function":{"name":1,"arguments":{}}}"#,
        "null",
        "7",
    ] {
        stays(&fragments(&[fragment, fragment]));
    }
}

#[test]
fn calls_of_different_choices_are_different_calls() {
    let chunk = |index: u8, fragment: &str| {
        chunk(&format!(
            r#"{{"index":{index},"delta":{{"tool_calls":[{fragment}]}}}}"#
        ))
    };
    let text = |first: &str, second: &str, third: &str| {
        chunk(0, first) + &chunk(1, first) + &chunk(0, second) + &chunk(1, third) + DONE
    };
    let (a, b) = (
        r#"{"index":0,"function":{"name":"a"}}"#,
        r#"{"index":0,"function":{"name":"b"}}"#,
    );
    let (ab, none) = (
        r#"{"index":0,"function":{"name":"ab"}}"#,
        r#"{"index":0,"function":{}}"#,
    );
    let arguments = r#"{"index":0,"function":{"arguments":"{}"}}"#;
    let before = text(a, b, arguments);
    let after = chunk(0, ab) + &chunk(1, a) + &chunk(0, none) + &chunk(1, arguments) + DONE;
    assert_eq!(stream(&before), after);
}

// === error ===

#[test]
fn an_error_gets_the_shape_of_openai() {
    for (error, expected) in [
        (r#"{"error":{"message":"no","type":"x"}}"#, ""),
        (r#"{"error":{"message":"","type":"x","code":null}}"#, ""),
        (
            r#"{"error":{"message":"no"}}"#,
            r#"{"error":{"message":"no","type":"server_error"}}"#,
        ),
        (
            r#"{"error":{"type":"x","message":null}}"#,
            r#"{"error":{"type":"x","message":"The upstream reported an error without a message"}}"#,
        ),
        (
            r#"{"error":{"code":1}}"#,
            r#"{"error":{"code":1,"message":"The upstream reported an error without a message","type":"server_error"}}"#,
        ),
        (
            r#"{"error":{"message":{"a":"b"},"type":"x"}}"#,
            r#"{"error":{"message":"{\"a\":\"b\"}","type":"x"}}"#,
        ),
        (
            r#"{"error":"no \"good\""}"#,
            r#"{"error":{"message":"no \"good\"","type":"server_error","param":null,"code":null}}"#,
        ),
        (
            r#"{"error":500,"code":"c"}"#,
            r#"{"error":{"message":"500","type":"server_error","param":null,"code":"c"},"code":"c"}"#,
        ),
        (
            r#"{"code":5,"error":"url.not_found","message":"nothing here","status":false}"#,
            r#"{"code":5,"error":{"message":"nothing here","type":"server_error","param":null,"code":"url.not_found"},"message":"nothing here","status":false}"#,
        ),
        (
            r#"{"object":"error","message":"no","type":"BadRequestError","code":400}"#,
            r#"{"object":"error","message":"no","type":"BadRequestError","code":400,"error":{"message":"no","type":"BadRequestError","param":null,"code":400}}"#,
        ),
    ] {
        let expected = if expected.is_empty() { error } else { expected };
        assert_eq!(json(error), expected);
        let start = delta(r#""content":"Hi""#);
        // Behind an error nothing is missing.
        assert_eq!(
            stream(&(start.clone() + &event(error))),
            start + &event(expected)
        );
    }
}

#[test]
fn what_is_no_error_stays() {
    for text in [
        r#"{"error":null,"choices":[]}"#,
        r#"{"error":"","choices":[]}"#,
        r#"{"error":false,"choices":[]}"#,
        r#"{"error":{ },"choices":[]}"#,
        r#"{"message":"hello"}"#,
        r#"{"type":"ping"}"#,
        r#"{"choices":[],"message":"x","code":1}"#,
        "[\"error\"]",
        "{\"error\":\"no\"",
    ] {
        assert_eq!(json(text), text);
        stays(&(finish("") + &event(text) + DONE));
    }
}

// === end ===

const BROKE_OFF: &str = concat!(
    "data: {\"error\":{\"message\":\"The stream ended before the answer was complete: neither a finish_reason nor the marker of its end arrived\",",
    "\"type\":\"server_error\",\"param\":null,\"code\":\"stream_broke_off\"}}\n\n"
);

#[test]
fn a_stream_that_breaks_off_ends_with_an_error() {
    let start = delta(r#""content":"Hi""#);
    assert_eq!(stream(&start), start.clone() + BROKE_OFF);
    // Whatever came before: nothing, a comment, something else than chunks.
    for other in ["", ": ping\n\n", "data: 1\n\n", "x\n\n", "\r\n\r\n"] {
        assert_eq!(stream(other), other.to_owned() + BROKE_OFF);
    }
    // One choice of two has no end.
    let two = finish("") + &chunk(r#"{"index":1,"delta":{}}"#);
    assert_eq!(stream(&two), two.clone() + BROKE_OFF);
}

#[test]
fn the_start_of_an_event_gives_way_to_the_error() {
    let start = delta(r#""content":"Hi""#);
    for rest in [
        "data: {\"choices\":[{\"del",
        "data:",
        "data: {\r\ndata: \"a\":\r\n",
        "data: [DO",
    ] {
        assert_eq!(stream(&(start.clone() + rest)), start.clone() + BROKE_OFF);
    }
    // What has a meaning stays.
    for rest in [
        ": ping",
        "event: x\r\n",
        "data: {}",
        "data: {\"choices\":[{\"index\":0}]}\n",
    ] {
        let text = start.clone() + rest;
        assert_eq!(stream(&text), text + "\n\n" + BROKE_OFF);
    }
}

#[test]
fn a_stream_that_is_complete_does_not_break_off() {
    let start = delta(r#""content":"Hi""#);
    stays(&(start.clone() + DONE));
    stays(&(start.clone() + &finish("")));
    stays(&(start.clone() + "data: [DONE]"));
    stays(&(start.clone() + finish("").trim_end()));
    stays(&(start.clone() + &finish("") + "data: {\"cut"));
    stays(&(start + &event(r#"{"error":{"message":"no","type":"x"}}"#)));
}

/// What was not read may have been the end.
#[test]
fn a_stream_with_an_event_over_the_limit_is_not_judged() {
    let layer = ResponseCompatLayer::new().with_max_answer_bytes(100);
    let text = event(&format!(r#"{{"choices":[],"x":"{}"}}"#, "x".repeat(100)));
    assert_eq!(
        repaired_by(&layer, EVENTS, Script::of([&text])).text(),
        text
    );
    let text = &text[..text.len() - 3];
    assert_eq!(repaired_by(&layer, EVENTS, Script::of([text])).text(), text);
    let got = repaired_by(&layer, EVENTS, Script::of([&delta("").as_bytes()[..50]])).text();
    assert_eq!(got, BROKE_OFF);
}

#[test]
fn behind_done_nothing_is_read() {
    stays(&(finish("") + DONE + &event(r#"{"error":"no"}"#) + "data: {"));
}

// === lines ===

#[test]
fn data_in_several_lines_is_repaired_too() {
    let text = "id: 1\r\ndata: {\"choices\":[],\r\ndata: \"usage\":{\"cached_tokens\":5}}\r\nevent: x\r\n\r\n";
    let expected = "id: 1\r\ndata: {\"choices\":[],\ndata: \"usage\":{\"cached_tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":5}}}\r\nevent: x\r\n\r\n";
    assert_eq!(
        stream(&(text.to_owned() + DONE)),
        expected.to_owned() + DONE
    );
    let clean = "data: {\"choices\":\rdata: []}\r\rdata: [DONE]\r\r";
    stays(clean);
    // In lines or not, usage is found, and given in one line.
    let text = "data: {\"choices\":[{\"finish_reason\":\"stop\",\ndata: \"usage\":{}}]}\n\n";
    let last = "data: {\"choices\":[],\"usage\":{}}\n\n";
    assert_eq!(
        stream(&(text.to_owned() + DONE)),
        text.to_owned() + last + DONE
    );
}

#[test]
fn a_byte_order_mark_counts_at_the_start_of_a_stream_only() {
    let error = event(r#"{"error":{"message":"no"}}"#);
    let shaped = event(r#"{"error":{"message":"no","type":"server_error"}}"#);
    let mark = "\u{feff}".to_owned();
    assert_eq!(stream(&(mark.clone() + &error)), mark.clone() + &shaped);
    // Anywhere else it is part of a field's name, which is then unknown.
    let text = mark + &error + DONE;
    assert_eq!(stream(&(shaped.clone() + &text)), shaped + &text);
}

// === model ===

#[test]
fn an_alias_is_echoed_and_nothing_else() {
    let compat = MoonshotCompatLayer::new()
        .with_aliases([("gpt-4o", "kimi-k3"), ("a\"b", "kimi-k3"), ("in", "x")])
        .unwrap();
    let asked = |model: &str, text: &str, content_type| {
        let body = format!(r#"{{"messages":[{{"role":"user","content":"Hi"}}],"model":{model}}}"#);
        let mut response = Response::new(Script::of([text]));
        *response.headers_mut() = headers(&[("content-type", content_type)]);
        answered(&ResponseCompatLayer::new(), &compat, chat(&body), response)
    };
    let answer = r#"{"model" : "kimi-k3","choices":[{"finish_reason":"stop"}]}"#;
    for (model, expected) in [
        (r#""gpt-4o""#, r#""gpt-4o""#),
        (r#""moonshot/gpt-4o""#, r#""moonshot/gpt-4o""#),
        (r#""a\"b""#, r#""a\"b""#),
        (r#""gpt\u002d4o""#, r#""gpt\u002d4o""#),
        (r#""kimi-k3""#, r#""kimi-k3""#),
        (r#""moonshot/kimi-k3""#, r#""kimi-k3""#),
        (r#""other""#, r#""kimi-k3""#),
    ] {
        let expected = answer.replace(r#""kimi-k3""#, expected);
        assert_eq!(asked(model, answer, JSON).text(), expected);
        let got = asked(model, &(event(answer).repeat(2) + DONE), EVENTS);
        assert_eq!(got.text(), event(&expected).repeat(2) + DONE);
    }
    for answer in [
        r#"{"model":null}"#,
        r#"{"model":5}"#,
        r#"{"choices":[]}"#,
        r#"{"model":"gpt-4o"}"#,
    ] {
        assert_eq!(asked(r#""gpt-4o""#, answer, JSON).text(), answer);
    }
    // Without the rule of the request the name was not changed.
    let compat = compat.without_rule(tower_moonshot::Rule::Model);
    let mut response = Response::new(Script::of([answer]));
    *response.headers_mut() = headers(&[("content-type", JSON)]);
    let body = r#"{"messages":[],"model":"gpt-4o"}"#;
    assert_eq!(
        answered(&ResponseCompatLayer::new(), &compat, chat(body), response).text(),
        answer
    );
}

// === headers ===

#[test]
fn account_headers_are_dropped_and_request_ids_stay() {
    let fields = [
        ("msh-uid", "u"),
        ("msh-org-id", "o"),
        ("Msh-Project-Id", "p"),
        ("msh-gid", "g"),
        ("msh-request-id", "r"),
        ("x-msh-trace-id", "t"),
        ("msh-cache", "c"),
    ];
    // Also of what is not read at all.
    for request in [
        chat(ASKED),
        http::Request::get("/v1/models")
            .body(Default::default())
            .unwrap(),
    ] {
        let mut response = Response::new(Script::of(["x"]).with_trailers(&fields));
        *response.headers_mut() = headers(&fields);
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        let got = answered(
            &ResponseCompatLayer::new(),
            &MoonshotCompatLayer::new(),
            request,
            response,
        );
        assert_eq!(*got.head.headers(), headers(&fields[4..]));
        assert_eq!(got.trailers, Some(headers(&fields[4..])));
        assert_eq!(got.report(), "repaired: account_headers 4");
    }
}

// === switches ===

#[test]
fn each_rule_can_be_switched_off() {
    let cases = [
        (ResponseRule::Usage, finish(r#","usage":{"a":1}"#) + DONE),
        (
            ResponseRule::CachedTokens,
            event(r#"{"choices":[],"usage":{"cached_tokens":1}}"#) + DONE,
        ),
        (
            ResponseRule::ToolCalls,
            fragments(&[r#"{"function":{"name":"f"}}"#]),
        ),
        (ResponseRule::Error, event(r#"{"error":"no"}"#)),
        (ResponseRule::End, delta("")),
    ];
    for (rule, text) in cases {
        let layer = ResponseCompatLayer::new();
        let got = repaired_by(&layer, EVENTS, Script::of([&text]));
        assert_ne!(got.text(), text, "{rule}");
        assert_eq!(got.report(), format!("repaired: {rule} 1"));
        let got = repaired_by(
            &layer.clone().without_rule(rule),
            EVENTS,
            Script::of([&text]),
        );
        assert_eq!(got.text(), text, "{rule}");
        assert_eq!(got.report(), "nothing to repair");
        let alone = layer.without_rules().with_rule(rule);
        assert_ne!(
            repaired_by(&alone, EVENTS, Script::of([&text])).text(),
            text,
            "{rule}"
        );
    }
}

#[test]
fn what_is_not_read_passes_with_its_head() {
    let text = r#"{"error":"no"}"#;
    let length: &'static str = "14";
    for (status, fields) in [
        (
            200,
            vec![("content-type", JSON), ("content-encoding", "gzip")],
        ),
        (
            200,
            vec![("content-type", EVENTS), ("content-encoding", "br")],
        ),
        (200, vec![("content-type", "text/html")]),
        (200, vec![]),
        (204, vec![("content-type", JSON)]),
        (304, vec![("content-type", JSON)]),
        (502, vec![("content-type", EVENTS)]),
    ] {
        let mut response = Response::new(Script::of([text]));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        *response.headers_mut() = headers(&fields);
        response
            .headers_mut()
            .extend(headers(&[("content-length", length), ("digest", "x")]));
        let expected = response.headers().clone();
        let got = answered(
            &ResponseCompatLayer::new(),
            &MoonshotCompatLayer::new(),
            chat(ASKED),
            response,
        );
        assert_eq!(
            (got.text().as_str(), got.head.headers()),
            (text, &expected),
            "{fields:?}"
        );
    }
    // Nor is the answer to another request.
    for request in [
        http::Request::post("/v1/files")
            .body(Bytes::new().into())
            .unwrap(),
        http::Request::head("/v1/chat/completions")
            .body(Bytes::new().into())
            .unwrap(),
    ] {
        let mut response = Response::new(Script::of([text]));
        *response.headers_mut() = headers(&[("content-type", JSON), ("content-length", length)]);
        let expected = response.headers().clone();
        let got = answered(
            &ResponseCompatLayer::new(),
            &MoonshotCompatLayer::new(),
            request,
            response,
        );
        assert_eq!((got.text().as_str(), got.head.headers()), (text, &expected));
    }
}
