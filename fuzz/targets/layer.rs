//! The layer around bodies that yield frames, errors, trailers and pauses in any order.
//!
//! An input consists of six bytes of settings, the steps of the body, and its text.
#![no_main]
#![allow(clippy::unwrap_used, reason = "what cannot go on has failed")]

use std::{
    cell::RefCell,
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT},
};
use http_body::Body;
use libfuzzer_sys::fuzz_target;
use tower::{Layer, Service};
use tower_moonshot::{
    LeaveBody, MoonshotCompatLayer, Report, RequestBody, Skipped, try_clone_request,
};
use tower_moonshot_fuzz::body::{Collected, Hint, Script, Step, collect, poll};

/// Chats that need no change, get shorter, get longer and break off.
const TEXTS: [&str; 4] = [
    r#"{"model": "kimi-k3",  "messages": [{"role": "user", "content": "Hi"}]}"#,
    r#"{"model":"moonshot/kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#,
    r#"{"model":"kimi-k3","messages":[{"role":"user","content":""},{"role":"developer"}]}"#,
    r#"{"model":"kimi-k3","messages":[{"role":"user","content":"#,
];

/// The steps of a body at most.
const STEPS: usize = 24;

/// Keeps what it receives.
#[derive(Clone, Default)]
struct Upstream {
    received: Rc<RefCell<Option<Request<RequestBody<Script>>>>>,
}

impl Service<Request<RequestBody<Script>>> for Upstream {
    type Response = Response<()>;
    type Error = u8;
    type Future = Ready<Result<Self::Response, u8>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), u8>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody<Script>>) -> Self::Future {
        assert!(self.received.borrow_mut().replace(request).is_none());
        ready(Ok(Response::new(())))
    }
}

fuzz_target!(|data: &[u8]| {
    let [head, hint, length, limit, text, drop_after, rest @ ..] = data else {
        return;
    };
    let (steps, raw) = rest.split_at(rest.len().min(STEPS));
    let text = match TEXTS.get(usize::from(text % 8)) {
        Some(text) => Bytes::from_static(text.as_bytes()),
        None => Bytes::copy_from_slice(raw),
    };
    let body = Script {
        steps: script(steps, text).into(),
        hint: match hint % 4 {
            0 => Hint::Nothing,
            1 => Hint::Lower,
            2 => Hint::Exact,
            _ => Hint::Wrong(u64::from(*length)),
        },
        says_end: hint & 4 == 4,
    };
    let limit = if limit & 1 == 0 {
        1_000_000
    } else {
        usize::from(*limit)
    };
    let is_chat = head & 7 != 7;
    let is_json = head & 0x18 != 0x18;
    let is_plain = head & 0x60 != 0x60;
    let is_left = head & 0x80 == 0x80;

    let path = if is_chat {
        "/v1/chat/completions"
    } else {
        "/v1/files"
    };
    let mut request = Request::post(path)
        .header(
            CONTENT_TYPE,
            if is_json {
                "application/json"
            } else {
                "text/plain"
            },
        )
        .header(CONTENT_LENGTH, "12345")
        .header("content-md5", "x")
        .header(EXPECT, "100-continue");
    if !is_plain {
        request = request.header(CONTENT_ENCODING, "gzip");
    }
    if is_left {
        request = request.extension(LeaveBody);
    }
    let request = request.body(body.clone()).unwrap();

    let upstream = Upstream::default();
    let layer = MoonshotCompatLayer::new().with_max_body_bytes(limit);
    let mut future = layer.clone().layer(upstream.clone()).call(request);
    // A caller that goes away leaves nothing behind.
    if drop_after & 1 == 1 {
        let mut polls = drop_after / 2;
        let went = poll(|cx| {
            let polled = Pin::new(&mut future).as_mut().poll(cx);
            match polled {
                Poll::Pending if polls == 0 => Poll::Ready(None),
                Poll::Pending => {
                    polls -= 1;
                    Poll::Pending
                }
                Poll::Ready(response) => Poll::Ready(Some(response)),
            }
        });
        if went.is_none() {
            drop(future);
            assert!(
                upstream.received.borrow().is_none(),
                "called without a body"
            );
            return;
        }
        check(
            &layer,
            &body,
            went.unwrap().unwrap(),
            &upstream,
            is_chat,
            limit,
        );
        return;
    }
    let response = poll(|cx| Pin::new(&mut future).poll(cx)).unwrap();
    check(&layer, &body, response, &upstream, is_chat, limit);
});

/// What a body does, up to what no reader would see.
fn script(steps: &[u8], mut text: Bytes) -> Vec<Step> {
    let mut script = Vec::new();
    for step in steps {
        let argument = usize::from(step >> 3);
        script.push(match step & 7 {
            0 | 1 => Step::Pending,
            2 => {
                let mut trailers = HeaderMap::new();
                trailers.insert("digest", HeaderValue::from(argument));
                trailers.insert("etag", HeaderValue::from(argument));
                Step::Trailers(trailers)
            }
            3 if argument > 20 => Step::Error(argument as u8),
            3 => Step::Data(Bytes::new()),
            _ => Step::Data(text.split_to(text.len().min(argument * 2))),
        });
        if matches!(script.last(), Some(Step::Error(_))) {
            return script;
        }
    }
    // Most texts arrive whole in the end.
    if steps.len() % 4 != 3 {
        script.push(Step::Data(text));
    }
    script
}

fn check(
    layer: &MoonshotCompatLayer,
    body: &Script,
    response: Response<()>,
    upstream: &Upstream,
    is_chat: bool,
    limit: usize,
) {
    let all = collect(body.clone(), false);
    let request = upstream.received.borrow_mut().take().unwrap();
    let report = response.extensions().get::<Report>();
    assert_eq!(report.is_some(), is_chat);
    let is_honest = !matches!(body.hint, Hint::Wrong(_)) && all.error.is_none();
    let copy = try_clone_request(&request);
    let (head, sent) = request.into_parts();
    let sent_hint = sent.size_hint();
    let sent = collect(sent, is_honest);

    let skipped = report.and_then(Report::skipped);
    let is_unread = matches!(
        skipped,
        Some(Skipped::Compressed | Skipped::ByRequest) | Some(Skipped::TooLarge { .. })
    );
    let was_read = is_chat && head.headers.get(EXPECT).is_none();
    if !was_read || is_unread || skipped == Some(&Skipped::ReadError) {
        // The same bytes and the same end. Trailers are only kept where they come last.
        assert_eq!(sent.data, all.data);
        assert_eq!(sent.error, all.error);
        if !was_read || all.trailers.is_none() {
            assert_eq!(sent.trailers, all.trailers);
        }
        assert_eq!(head.headers[CONTENT_LENGTH], "12345");
        assert_eq!(skipped == Some(&Skipped::ReadError), was_read && !is_unread);
        if was_read && matches!(skipped, Some(Skipped::TooLarge { .. })) {
            assert!(all.data.len() > limit);
        }
        return;
    }

    // Read to the end, which is no longer than the limit unless the body lied.
    assert_eq!((sent.error, all.error), (None, None));
    assert!(all.data.len() <= limit || !is_honest);
    let (expected, of_text) = layer.rewrite(Bytes::from(all.data));
    assert_eq!(sent_hint.exact(), Some(expected.len() as u64));
    let report = report.unwrap();
    assert_eq!(report.to_string(), of_text.to_string());
    let is_changed = !of_text.changes().is_empty();
    let mut trailers = all.trailers;
    if let Some(trailers) = trailers.as_mut().filter(|_| is_changed) {
        trailers.remove("digest");
    }
    let expected = expected.into_bytes().to_vec();
    if is_changed {
        assert_eq!(head.headers[CONTENT_LENGTH], expected.len().to_string());
    } else {
        assert_eq!(head.headers[CONTENT_LENGTH], "12345");
    }
    assert_eq!(head.headers.get("content-md5").is_none(), is_changed);
    let expected = Collected {
        data: expected,
        trailers,
        error: None,
    };
    assert_eq!(sent, expected);
    assert_eq!(
        collect(copy.unwrap().into_body(), true),
        expected,
        "a copy for a retry"
    );
}
