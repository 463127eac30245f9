//! How the body of a request arrives.

use std::{convert::Infallible, io, pin::Pin, task};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Request, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{Full, StreamBody};
use serde_json::json;
use tower::Service;

use super::harness::*;

#[test]
fn a_body_that_is_no_json_object_is_refused() {
    for body in ["", "{", "hello", "[]", "null", "\u{feff}{}"] {
        let request = Request::post("/v1/chat/completions").body(Full::<Bytes>::from(body));
        let response = send(&open(), request.unwrap());
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        let message = read(response)["error"]["message"].take();
        assert!(message.as_str().unwrap().contains("request body"), "{body}");
    }
}

#[test]
fn a_body_may_come_in_pieces_of_any_kind() {
    let whole = request(K25, &json!({})).to_string();
    let frames = whole.as_bytes().chunks(7).map(Bytes::copy_from_slice);
    let frames = frames.map(|data| Ok::<_, Infallible>(Frame::data(data)));
    let trailers = Frame::trailers(HeaderMap::new());
    let stream = futures_util::stream::iter(frames.chain([Ok(trailers)]));
    let request = Request::post("/v1/chat/completions").body(StreamBody::new(stream));
    assert_eq!(send(&open(), request.unwrap()).status(), StatusCode::OK);
}

#[test]
fn a_body_that_breaks_off_is_refused_with_the_reason() {
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"{}"))),
        Err(io::Error::other("the cable fell out")),
    ];
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let request = Request::post("/v1/chat/completions").body(body);
    let response = send(&open(), request.unwrap());
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        read(response)["error"]["message"],
        "Invalid request: the request body could not be read: the cable fell out",
    );
}

#[test]
fn a_body_over_100_000_000_bytes_is_refused_announced_or_not() {
    for (length, expected) in [
        (100_000_000, StatusCode::OK),
        (100_000_001, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let mut announced = post(&request(K25, &json!({})));
        announced
            .headers_mut()
            .insert("content-length", length.into());
        assert_eq!(send(&open(), announced).status(), expected, "{length}");

        let body = request(K25, &json!({})).to_string();
        let space = Bytes::from(vec![b' '; 1_000_000]);
        let spaces = length - body.len();
        let pieces = std::iter::repeat_n(space.clone(), spaces / space.len())
            .chain([space.slice(..spaces % space.len()), Bytes::from(body)])
            .map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
        let body = StreamBody::new(futures_util::stream::iter(pieces));
        let request = Request::post("/v1/chat/completions").body(body);
        let response = send(&open(), request.unwrap());
        assert_eq!(response.status(), expected, "{length}");
    }
}

#[test]
fn a_body_that_never_comes_keeps_the_answer_waiting() {
    struct Silence;
    impl Body for Silence {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut task::Context<'_>,
        ) -> task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            task::Poll::Pending
        }
    }
    let request = Request::post("/v1/chat/completions").body(Silence);
    let answer = open().call(request.unwrap());
    assert!(answer.now_or_never().is_none());
}
