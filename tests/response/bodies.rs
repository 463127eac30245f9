//! Bodies of responses: heads, trailers, errors, slices and memory.

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_moonshot::{
    MoonshotCompatLayer,
    response::{ResponseBody, ResponseCompat, ResponseCompatLayer, ResponseReport, ResponseRule},
};

use crate::harness::{
    ASKED, EVENTS, Got, JSON, Script, answered, chat, drain, headers, repaired_by,
};

const CHUNK: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
const FINISH: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const CACHED: &str = r#"{"choices":[],"usage":{"cached_tokens":1}}"#;

fn through(body: Script, fields: &[(&'static str, &'static str)]) -> Got {
    let mut response = Response::new(body);
    *response.headers_mut() = headers(fields);
    answered(
        &ResponseCompatLayer::new(),
        &MoonshotCompatLayer::new(),
        chat(ASKED),
        response,
    )
}

#[test]
fn trailers_come_behind_everything() {
    let trailers = [("x-sum", "1"), ("content-digest", "sha-256=:x:")];
    // Not changed: as they came.
    let got = repaired_by(
        &ResponseCompatLayer::new(),
        EVENTS,
        Script::of([CHUNK, FINISH, DONE]).with_trailers(&trailers),
    );
    assert_eq!(got.text(), [CHUNK, FINISH, DONE].concat());
    assert_eq!(got.trailers, Some(headers(&trailers)));
    // Changed: without digests. What is missing comes before them.
    let got = repaired_by(
        &ResponseCompatLayer::new(),
        EVENTS,
        Script::of([CHUNK]).with_trailers(&trailers),
    );
    assert!(got.text().contains("stream_broke_off"));
    assert_eq!(got.trailers, Some(headers(&trailers[..1])));
    let clean = repaired_by(
        &ResponseCompatLayer::new(),
        JSON,
        Script::of(["{}"]).with_trailers(&trailers),
    );
    assert_eq!(clean.trailers, Some(headers(&trailers)));
    let got = repaired_by(
        &ResponseCompatLayer::new(),
        JSON,
        Script::of([CACHED]).with_trailers(&trailers),
    );
    assert_eq!(got.trailers, Some(headers(&trailers[..1])));
}

#[test]
fn an_error_of_the_body_passes_behind_what_came_before() {
    let start = CHUNK.to_owned() + "data: {\"choi";
    let got = repaired_by(
        &ResponseCompatLayer::new(),
        EVENTS,
        Script::of([&start]).with_error("reset"),
    );
    // The error says it all: nothing is added.
    assert_eq!((got.text(), got.error), (start, Some("reset")));
    // A name that waits for more does not get lost either.
    let name = "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"a\"}}]}}]}\n\n";
    let got = repaired_by(
        &ResponseCompatLayer::new(),
        EVENTS,
        Script::of([name]).with_error("reset"),
    );
    assert_eq!((got.text(), got.error), (name.to_owned(), Some("reset")));
    let got = repaired_by(
        &ResponseCompatLayer::new(),
        JSON,
        Script::of(["{\"a\""]).with_error("reset"),
    );
    assert_eq!(
        (got.text(), got.error),
        ("{\"a\"".to_owned(), Some("reset"))
    );
}

#[test]
fn the_length_of_a_json_answer_is_that_of_what_is_sent() {
    let length = CACHED.len().to_string().leak();
    let fields = [
        ("content-type", JSON),
        ("content-length", &*length),
        ("content-digest", "sha-256=:x:"),
        ("etag", "\"1\""),
    ];
    let got = through(Script::of([CACHED]), &fields);
    let sent = got.head.headers()["content-length"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(sent, got.bytes().len().to_string());
    assert_ne!(sent, *length);
    assert!(!got.head.headers().contains_key("content-digest"));
    assert!(got.head.headers().contains_key("etag"));
    // Nothing changed: as it came.
    let clean = CACHED.replace("cached", "other_");
    let got = through(Script::of([&clean]), &fields);
    assert_eq!(*got.head.headers(), headers(&fields));
    assert_eq!(got.text(), clean);
    // One that is split up arrives, chunked or not.
    let got = through(
        Script::of([CACHED]),
        &[("content-type", JSON), ("transfer-encoding", "chunked")],
    );
    assert!(!got.head.headers().contains_key("transfer-encoding"));
}

#[test]
fn a_stream_has_no_length_and_no_digest() {
    let fields = [
        ("content-type", EVENTS),
        ("content-length", "5"),
        ("digest", "x"),
        ("cache-control", "no-cache"),
    ];
    let got = through(Script::of([FINISH, DONE]), &fields);
    assert_eq!(*got.head.headers(), headers(&[fields[0], fields[3]]));
}

#[test]
fn frames_without_a_fault_are_handed_on_themselves() {
    let frames: Vec<Bytes> = [CHUNK, CHUNK, FINISH, DONE]
        .iter()
        .map(|text| Bytes::from_static(text.as_bytes()).slice(..))
        .map(|text| Bytes::copy_from_slice(&text))
        .collect();
    let body = http_body_util::StreamBody::new(futures_util::stream::iter(
        frames
            .clone()
            .into_iter()
            .map(|frame| Ok::<_, &'static str>(http_body::Frame::data(frame))),
    ));
    let response = Response::builder()
        .header(CONTENT_TYPE, EVENTS)
        .body(body)
        .unwrap();
    let response = std::cell::Cell::new(Some(response));
    let inner = service_fn(|_: Request<Full<Bytes>>| {
        std::future::ready(Ok::<_, &str>(response.take().unwrap()))
    });
    let service = ResponseCompat::new(inner);
    let response = service
        .oneshot(chat(ASKED))
        .now_or_never()
        .unwrap()
        .unwrap();
    let got = drain(response);
    let pointers = |frames: &[Bytes]| {
        frames
            .iter()
            .map(|frame| frame.as_ptr())
            .collect::<Vec<_>>()
    };
    assert_eq!(pointers(&got.frames), pointers(&frames));
}

#[test]
fn complete_events_do_not_wait_for_the_rest_of_their_frame() {
    let cut = CHUNK.to_owned() + CHUNK + &FINISH[..20];
    let got = repaired_by(
        &ResponseCompatLayer::new(),
        EVENTS,
        Script::of([&cut, &FINISH[20..], DONE]),
    );
    let texts: Vec<&[u8]> = got.frames.iter().map(|frame| &frame[..]).collect();
    assert_eq!(
        texts,
        [
            CHUNK.repeat(2).as_bytes(),
            FINISH.as_bytes(),
            DONE.as_bytes()
        ]
    );
}

/// Held back is a name, until the next chunk of its choice.
#[test]
fn only_a_name_waits_for_the_next_chunk() {
    let fragment = |function: &str| {
        format!(
            "data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{{\"index\":0,\"function\":{{{function}}}}}]}}}}]}}\n\n"
        )
    };
    let frames = [
        CHUNK.to_owned(),
        fragment(r#""name":"f","arguments":"""#),
        fragment(r#""arguments":"{""#),
        fragment(r#""arguments":"}""#),
        FINISH.to_owned(),
    ];
    let got = repaired_by(&ResponseCompatLayer::new(), EVENTS, Script::of(&frames));
    let expected = [
        frames[0].clone(),
        frames[1..3].concat(),
        frames[3].clone(),
        frames[4].clone(),
    ];
    assert_eq!(got.frames, expected);
    // One that has its arguments doesn't wait.
    let frames = [
        fragment(r#""name":"f","arguments":"{}""#),
        FINISH.to_owned(),
    ];
    let got = repaired_by(&ResponseCompatLayer::new(), EVENTS, Script::of(&frames));
    assert_eq!(got.frames, frames);
}

#[test]
fn a_body_tells_nothing_of_its_text() {
    let inner = service_fn(|_| {
        let response = Response::builder().header(CONTENT_TYPE, EVENTS);
        std::future::ready(Ok::<_, &str>(
            response.body(Script::of([CHUNK, "data: secret"])).unwrap(),
        ))
    });
    let service = ResponseCompatLayer::new().layer(inner);
    let response = service
        .oneshot(chat(ASKED))
        .now_or_never()
        .unwrap()
        .unwrap();
    let mut body = response.into_body();
    for _ in 0..5 {
        let _ = body.frame().now_or_never();
        assert!(!format!("{body:?}").contains("secret"));
    }
    let body = ResponseBody::<Script>::default();
    assert!(body.is_end_stream());
    assert!(format!("{body:?}").contains("ResponseBody"));
}

#[test]
fn a_layer_may_be_there_twice() {
    let text = [
        CHUNK,
        "data: {\"choices\":[],\"usage\":{\"cached_tokens\":1}}\n\n",
    ]
    .concat();
    let mut response = Response::new(Script::of([&text]));
    *response.headers_mut() = headers(&[("content-type", EVENTS), ("msh-uid", "u")]);
    let inner = service_fn(move |_| std::future::ready(Ok::<_, &'static str>(response.clone())));
    let once = repaired_by(&ResponseCompatLayer::new(), EVENTS, Script::of([&text])).text();
    let service = ResponseCompat::new(ResponseCompat::new(inner));
    let response = service
        .oneshot(chat(ASKED))
        .now_or_never()
        .unwrap()
        .unwrap();
    let report = response.extensions().get::<ResponseReport>().unwrap();
    assert_eq!(report.count(ResponseRule::AccountHeaders), 0);
    assert_eq!(drain(response).text(), once);
}
