//! Says why Moonshot refuses a request. Moonshot itself often answers no more than
//! `Invalid request`.

use std::{
    fmt::Write as _,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_LENGTH},
    response::Response,
};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower_moonshot::emulator::{self, Finding};

use super::heavy::Threads;

/// The response header with the findings, for `--explain`.
const HEADER: HeaderName = HeaderName::from_static("x-moonshot-explain");

/// The member with the findings beside `error`, for `--explain`.
const MEMBER: &str = "explain";

/// The longest request that is kept until its response begins, in bytes. With
/// `--explain` there is no limit but that of all requests.
const MAX_KEPT: usize = 1024 * 1024;

/// The most findings that are listed in the log line and in the header. The body has all.
const LISTED: usize = 8;

/// The longest pointer in the log line and in the header, in bytes. Proxies refuse headers
/// of more than a few KB.
const MAX_POINTER: usize = 128;

/// Examines requests that the upstream has refused.
#[derive(Clone, Debug)]
pub(crate) struct Explain {
    /// Whether clients get the findings, and not only the log.
    tells_clients: bool,
    threads: Threads,
}

impl Explain {
    pub(crate) const fn new(tells_clients: bool, threads: Threads) -> Self {
        Self {
            tells_clients,
            threads,
        }
    }

    /// Keeps what is sent of a body.
    pub(crate) fn keep(&self, body: Body) -> (Body, Sent) {
        let sent = Sent::new(body.is_end_stream());
        let limit = if self.tells_clients {
            usize::MAX
        } else {
            MAX_KEPT
        };
        let kept = Kept {
            body,
            sent: sent.clone(),
            room: limit,
        };
        (Body::new(kept), sent)
    }

    /// Examines the request that was sent if this response refuses it. What is found is in
    /// the extensions of the response, for the log.
    ///
    /// With `is_here`, this runs where the emulator has just judged the same request: on a
    /// blocking thread already if that takes long. To ask for another one could wait for
    /// ever.
    pub(crate) async fn examine(&self, response: Response, sent: Sent, is_here: bool) -> Response {
        let is_refusal = matches!(
            response.status(),
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY
        );
        let Some(frames) = is_refusal.then(|| sent.take()).flatten() else {
            return response;
        };
        let explain = move || emulator::explain(&frames.concat());
        let findings = if is_here {
            explain()
        } else {
            // Even a short request may have schemas that take long.
            self.threads.run(explain).await
        };
        let explained = Explained(findings.into());
        let mut response = if self.tells_clients {
            explained.tell(response).await
        } else {
            response
        };
        response.extensions_mut().insert(explained);
        response
    }
}

/// The frames of a request that were sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent(Arc<Mutex<Frames>>);

#[derive(Debug)]
struct Frames {
    /// Nothing if they are too long.
    frames: Option<Vec<Bytes>>,
    /// Whether the last one was sent. An upstream may refuse a request before that.
    is_whole: bool,
}

impl Sent {
    fn new(is_whole: bool) -> Self {
        Self(Arc::new(Mutex::new(Frames {
            frames: Some(Vec::new()),
            is_whole,
        })))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Frames) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes all frames, if all were sent and kept.
    fn take(&self) -> Option<Vec<Bytes>> {
        self.with(|sent| sent.frames.take().filter(|_| sent.is_whole))
    }

    fn add(&self, frame: &Bytes) {
        self.with(|sent| {
            if let Some(frames) = sent.frames.as_mut() {
                frames.push(frame.clone());
            }
        });
    }

    fn forget(&self) {
        self.with(|sent| sent.frames = None);
    }

    fn end(&self) {
        self.with(|sent| sent.is_whole = true);
    }
}

/// A request body whose frames are kept. That copies no bytes.
#[derive(Debug)]
struct Kept {
    body: Body,
    sent: Sent,
    room: usize,
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            match self.room.checked_sub(data.len()) {
                Some(room) => {
                    self.room = room;
                    self.sent.add(data);
                }
                None => self.sent.forget(),
            }
        }
        // A client that has sent the announced length doesn't ask whether there is more.
        if frame.is_none() || self.body.is_end_stream() {
            self.sent.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What was found in a request that was refused, in the extensions of its response. It
/// names places and kinds of faults, and never repeats what the request says there.
#[derive(Clone, Debug)]
pub(crate) struct Explained(Arc<[Finding]>);

impl Explained {
    /// The findings in one line of visible ASCII.
    pub(crate) fn line(&self) -> String {
        let mut line = String::new();
        for finding in self.0.iter().take(LISTED) {
            if !line.is_empty() {
                line.push_str("; ");
            }
            line.push_str(finding.fact().id());
            let (pointer, more) = shortened(finding.pointer());
            if !pointer.is_empty() || !more.is_empty() {
                let _ = write!(line, " at {}{more}", pointer.escape_default());
            }
        }
        match self.0.len() {
            0 => line.push_str("no known reason"),
            count if count > LISTED => {
                let _ = write!(line, "; {} more", count - LISTED);
            }
            _ => {}
        }
        line
    }

    fn json(&self) -> Value {
        let findings = self.0.iter().map(|finding| {
            json!({
                "pointer": finding.pointer(),
                "fact": finding.fact().id(),
                "what": finding.fact().what(),
                "source": finding.grade().source(),
                "grade": finding.grade().name(),
                "rule": finding.rule().map(|rule| rule.name()),
            })
        });
        Value::Array(findings.collect())
    }

    /// Adds the findings to an error in JSON, whose other bytes stay as they are.
    async fn tell(&self, response: Response) -> Response {
        let (mut parts, body) = response.into_parts();
        let Ok(text) = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
        else {
            // It was in memory, so it can be read.
            return Response::from_parts(parts, Body::empty());
        };
        if let Ok(line) = HeaderValue::try_from(self.line()) {
            parts.headers.insert(HEADER, line);
        }
        let text = match with_member(&text, &self.json()) {
            Some(longer) => {
                parts.headers.remove(CONTENT_LENGTH);
                Bytes::from(longer)
            }
            None => text,
        };
        Response::from_parts(parts, Body::from(text))
    }
}

/// The steps of a pointer that fit [`MAX_POINTER`], and what stands for the rest.
fn shortened(pointer: &str) -> (&str, &str) {
    if pointer.len() <= MAX_POINTER {
        return (pointer, "");
    }
    let mut fits = pointer.bytes().take(MAX_POINTER);
    let end = fits.rposition(|byte| byte == b'/').unwrap_or(0);
    (&pointer[..end], "/...")
}

/// Adds a member to a JSON object that doesn't have it.
fn with_member(text: &[u8], value: &Value) -> Option<Vec<u8>> {
    let object: serde_json::Map<String, Value> = serde_json::from_slice(text).ok()?;
    if object.contains_key(MEMBER) {
        return None;
    }
    let mut longer = text.trim_ascii_end().strip_suffix(b"}")?.to_vec();
    if !object.is_empty() {
        longer.push(b',');
    }
    longer.extend_from_slice(format!("\"{MEMBER}\":{value}}}").as_bytes());
    Some(longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_added_and_the_rest_stays() {
        let add = |text: &str| with_member(text.as_bytes(), &json!([1])).map(String::from_utf8);
        for (text, expected) in [
            ("{}", r#"{"explain":[1]}"#),
            (" { } \n", r#" { "explain":[1]}"#),
            (
                "{\"error\": {\"message\":\"\\u00e9\"}}\n",
                r#"{"error": {"message":"\u00e9"},"explain":[1]}"#,
            ),
        ] {
            assert_eq!(add(text), Some(Ok(expected.to_owned())));
        }
        for text in ["", "[]", "nonsense", r#"{"explain":null}"#] {
            assert_eq!(add(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn what_is_longer_than_the_limit_is_not_kept() {
        for (limit, expected) in [(6, Some(6)), (5, None)] {
            let sent = Sent::new(false);
            let frames = futures_util::stream::iter(
                ["abc", "def"].map(|frame| Ok::<_, axum::Error>(Bytes::from(frame))),
            );
            let kept = Kept {
                body: Body::from_stream(frames),
                sent: sent.clone(),
                room: limit,
            };
            assert_eq!(kept.collect().await.unwrap().to_bytes(), "abcdef");
            let length = sent.take().map(|frames| frames.concat().len());
            assert_eq!(length, expected);
        }
    }
}
