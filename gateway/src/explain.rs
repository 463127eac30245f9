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

/// So many findings are listed in the log line and in the header. The body has all.
const LISTED: usize = 8;

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
        let sent = Sent(Arc::new(Mutex::new(Some(Vec::new()))));
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
    pub(crate) async fn examine(&self, response: Response, sent: Sent) -> Response {
        let is_refusal = matches!(
            response.status(),
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY
        );
        let Some(frames) = is_refusal.then(|| sent.take()).flatten() else {
            return response;
        };
        // Even a short request may have schemas that take long.
        let findings = self
            .threads
            .run(move || emulator::explain(&frames.concat()));
        let explained = Explained(findings.await.into());
        let mut response = if self.tells_clients {
            explained.tell(response).await
        } else {
            response
        };
        response.extensions_mut().insert(explained);
        response
    }
}

/// The frames of a request that were sent; nothing if they are too long.
#[derive(Clone, Debug)]
pub(crate) struct Sent(Arc<Mutex<Option<Vec<Bytes>>>>);

impl Sent {
    fn take(&self) -> Option<Vec<Bytes>> {
        let mut frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frames.take()
    }

    fn add(&self, frame: &Bytes) {
        let mut frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frames) = frames.as_mut() {
            frames.push(frame.clone());
        }
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
                None => drop(self.sent.take()),
            }
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
            let pointer = finding.pointer().escape_default();
            let _ = match finding.pointer() {
                "" => write!(line, "{}", finding.fact().id()),
                _ => write!(line, "{} at {pointer}", finding.fact().id()),
            };
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
            let explain = Explain::new(false, Threads::new());
            let (body, sent) = explain.keep(Body::empty());
            drop(body);
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
