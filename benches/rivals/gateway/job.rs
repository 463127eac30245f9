//! The requests of the load runs, and the answers that are expected.

use bytes::Bytes;

use crate::bodies::KINDS;

/// The model of every request: one of those in LiteLLM's example.
const MODEL: &str = "moonshot-v1-128k";

/// How many events with text a stream has.
const EVENTS: usize = 32;

/// The text of every answer.
const TEXT: &str = "It will rain tomorrow, and not a little.";

/// The header of its answers in which the upstream says how the request arrived.
pub(crate) const ARRIVED: &str = "x-arrived";

/// A kind of request.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) name: String,
    /// Several different bodies, sent in turn.
    pub(crate) bodies: Vec<Bytes>,
    is_stream: bool,
}

impl Job {
    /// The requests of the load runs. `is_refused` adds parameters that Moonshot refuses.
    pub(crate) fn all(is_refused: bool) -> [Self; 3] {
        [("b", false), ("c", false), ("b", true)]
            .map(|(kind, is_stream)| Self::new(kind, is_refused, is_stream))
    }

    /// Requests of 1 MB, with parameters that Moonshot refuses.
    pub(crate) fn large() -> Self {
        Self::new("d", true, false)
    }

    fn new(kind: &str, is_refused: bool, is_stream: bool) -> Self {
        let kind = KINDS.iter().find(|found| found.name == kind).unwrap();
        let bodies = kind.bodies(is_refused).into_iter().map(|body| {
            let mut body = String::from_utf8(body.into()).unwrap();
            body = body.replacen("kimi-k3", MODEL, 1);
            if !is_stream {
                body = body.replacen(r#""stream":true"#, r#""stream":false"#, 1);
                // Only allowed in requests for a stream.
                body = body.replacen(r#","stream_options":{"include_usage":true}"#, "", 1);
            }
            body.into()
        });
        Self {
            name: format!("{}{}", kind.what, if is_stream { ", SSE" } else { "" }),
            bodies: bodies.collect(),
            is_stream,
        }
    }

    /// Whether this is the upstream's answer, to the byte.
    pub(crate) fn is_answer(&self, answer: &[u8]) -> bool {
        if self.is_stream {
            answer == events().concat()
        } else {
            answer == completion()
        }
    }

    /// Whether an answer is a complete completion, with any text.
    pub(crate) fn is_complete(&self, answer: &[u8]) -> bool {
        let end: &[u8] = if self.is_stream {
            b"data: [DONE]\n\n"
        } else {
            b"}"
        };
        answer.ends_with(end)
    }

    /// Whether an answer has the upstream's text, in any JSON around it.
    pub(crate) fn says_the_same(&self, answer: &[u8]) -> bool {
        let holds = |part: &str| memchr::memmem::find(answer, part.as_bytes()).is_some();
        if self.is_stream {
            let events = memchr::memmem::find_iter(answer, TEXT.as_bytes()).count();
            events == EVENTS && holds("[DONE]")
        } else {
            holds(TEXT)
        }
    }
}

/// The answer to a request without `stream`.
pub(crate) fn completion() -> Bytes {
    format!(
        concat!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"{}","#,
            r#""choices":[{{"index":0,"message":{{"role":"assistant","content":"{}"}},"finish_reason":"stop"}}],"#,
            r#""usage":{{"prompt_tokens":19,"completion_tokens":21,"total_tokens":40,"cached_tokens":10,"prompt_tokens_details":{{"cached_tokens":10}}}}}}"#,
        ),
        MODEL, TEXT
    )
    .into()
}

/// The events of a stream.
pub(crate) fn events() -> Vec<Bytes> {
    let event = |delta: &str, finish: &str| {
        let head = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000"#;
        format!(
            "data: {head},\"model\":\"{MODEL}\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        )
        .into()
    };
    let text = format!(r#"{{"role":"assistant","content":"{TEXT}"}}"#);
    let mut events = vec![event(&text, "null"); EVENTS];
    events.push(event("{}", r#""stop""#));
    events.push("data: [DONE]\n\n".into());
    events
}
