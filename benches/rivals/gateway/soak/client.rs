//! A client's connection: sends requests one after another, and verifies each answer.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::CONTENT_LENGTH};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, time};

use crate::{
    Failure,
    process::MASTER_KEY,
    soak::request::{Plan, Planned},
    soak::upstream::EVENTS,
};

/// The time limit for one answer.
const FOREVER: Duration = Duration::from_secs(60);

/// A request to the gateway.
pub(crate) fn post<B>(body: B) -> Result<Request<B>, http::Error> {
    Request::post("/v1/chat/completions")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {MASTER_KEY}"))
        .body(body)
}

/// Gets what is at a path.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Result<Bytes, Failure> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async { connection.await.unwrap_or_default() });
    let request = Request::get(path).header("host", "localhost");
    let request = request.body(Empty::<Bytes>::new())?;
    Ok(collect(sender.send_request(request).await?).await?)
}

/// A connection that is opened when it is needed.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    open: Option<SendRequest<Upload>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            open: None,
        }
    }

    async fn connect(&mut self) -> Result<SendRequest<Upload>, Failure> {
        if let Some(mut open) = self.open.take()
            && open.ready().await.is_ok()
        {
            return Ok(open);
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // A failure of the connection also fails a request, which reports it.
        tokio::spawn(async { connection.await.unwrap_or_default() });
        Ok(sender)
    }

    /// Sends a request, and verifies that what comes back is what its plan says.
    pub(crate) async fn follow(&mut self, planned: &Planned) -> Result<(), Failure> {
        let outcome = time::timeout(FOREVER, self.attempt(planned)).await;
        let outcome = outcome.unwrap_or_else(|_| Err("no answer in time".into()));
        outcome.map_err(|failure| format!("{} ({:?}): {failure}", planned.id, planned.plan).into())
    }

    async fn attempt(&mut self, planned: &Planned) -> Result<(), Failure> {
        let leaves = planned.plan == Plan::LeaveInUpload;
        let mut request = post(Upload::new(planned.body.clone(), leaves))?;
        let length = planned.body.len().into();
        request.headers_mut().insert(CONTENT_LENGTH, length);
        let mut connection = self.connect().await?;
        let answer = connection.send_request(request);
        if leaves {
            // The upload never ends, so that there is no answer. Leaving closes the
            // connection.
            let answer = time::timeout(Duration::from_millis(20), answer).await;
            return match answer {
                Err(_) => Ok(()),
                Ok(answer) => Err(format!("an answer to half a request: {answer:?}").into()),
            };
        }
        let mut answer = answer.await?;
        if planned.plan == Plan::LeaveInAnswer {
            answer.body_mut().frame().await;
            return Ok(());
        }
        let status = answer.status();
        let body = collect(answer).await;
        match (planned.plan, body) {
            (Plan::UpstreamError | Plan::ResetBeforeHead, Ok(body)) => {
                let error: Value = serde_json::from_slice(&body)?;
                if !status.is_server_error() || !error["error"]["message"].is_string() {
                    return Err(format!("no error: {status} {error}").into());
                }
            }
            (Plan::BrokenJson, Ok(_)) if status == StatusCode::BAD_REQUEST => {}
            // A broken answer ends as one: by an error of the connection, by a status, or
            // by an event.
            (Plan::ResetInBody, Err(_)) => return Ok(()),
            (Plan::ResetInBody, Ok(body)) => {
                let is_whole = memchr::memmem::find(&body, b"[DONE]").is_some()
                    || (status == StatusCode::OK && !planned.is_stream);
                if is_whole || memchr::memmem::find(&body, br#""error""#).is_none() {
                    let body = String::from_utf8_lossy(&body);
                    return Err(format!("half an answer as a whole one: {status} {body}").into());
                }
            }
            (_, body) => {
                let text = text(&body?, planned.is_stream)?;
                if text != expected(planned) || status != StatusCode::OK {
                    return Err(format!("another answer: {status} {text}").into());
                }
            }
        }
        self.open = Some(connection);
        Ok(())
    }
}

async fn collect(answer: Response<Incoming>) -> Result<Bytes, hyper::Error> {
    Ok(answer.into_body().collect().await?.to_bytes())
}

fn expected(planned: &Planned) -> String {
    let mut text = format!("{} {}", planned.id, planned.digest);
    if planned.is_stream {
        text.extend((0..EVENTS).map(|number| format!(" {number}")));
    }
    text
}

/// The text of an answer, all events of a stream added up.
fn text(body: &[u8], is_stream: bool) -> Result<String, Failure> {
    if !is_stream {
        let answer: Value = serde_json::from_slice(body)?;
        let text = answer["choices"][0]["message"]["content"].as_str();
        return Ok(text.ok_or_else(|| format!("no text: {answer}"))?.to_owned());
    }
    let body = std::str::from_utf8(body)?;
    let body = body.strip_suffix("data: [DONE]\n\n").ok_or("no end")?;
    let mut text = String::new();
    for event in body.split_terminator("\n\n") {
        let event: Value = serde_json::from_str(event.strip_prefix("data: ").ok_or("no data")?)?;
        text += event["choices"][0]["delta"]["content"]
            .as_str()
            .unwrap_or("");
    }
    Ok(text)
}

/// A body that is sent whole, or of which only half is ever sent.
#[derive(Debug)]
struct Upload {
    body: Option<Bytes>,
    ends: bool,
}

impl Upload {
    fn new(mut body: Bytes, leaves: bool) -> Self {
        if leaves {
            body.truncate(body.len() / 2);
        }
        Self {
            body: Some(body),
            ends: !leaves,
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.body.take() {
            Some(body) => Poll::Ready(Some(Ok(Frame::data(body)))),
            None if self.ends => Poll::Ready(None),
            // Nobody wakes this task: the client leaves.
            None => Poll::Pending,
        }
    }
}
