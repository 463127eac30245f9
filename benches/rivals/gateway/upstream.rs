//! The upstream: recognises each request, and says in a header how it arrived. Its
//! answers are fixed, so that it takes little processor time.

use std::{
    convert::Infallible,
    io::{self, Write},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    vec,
};

use bytes::Bytes;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Either, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::Barrier,
};

use crate::{
    Failure,
    candidates::value,
    job::{ARRIVED, Job, completion, events},
};

/// How many different bodies are remembered, so that they are parsed only once.
const KNOWN: usize = 64;

/// The receive buffer of a socket while requests are held, in bytes.
const HELD: u32 = 16 * 1024;

/// The longest TCP segment while requests are held, in bytes. The default on loopback is
/// 64 KB, of which the sender's kernel buffers about twenty.
const SEGMENT: u32 = 1024;

/// Serves until the process ends. Reads no body before `hold` requests have arrived; with
/// 0, it reads each at once.
pub(crate) async fn serve(hold: &str) -> Result<(), Failure> {
    let hold: usize = hold.parse()?;
    let upstream = Arc::new(Upstream::new(hold));
    let listener = listen(hold > 0)?;
    println!("http://{}", listener.local_addr()?);
    io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let upstream = Arc::clone(&upstream);
        let service = service_fn(move |request| {
            let upstream = Arc::clone(&upstream);
            async move { upstream.answer(request).await }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A client may close the connection at any time.
        tokio::spawn(async { connection.await.unwrap_or_default() });
    }
}

fn listen(holds: bool) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    if holds {
        // Otherwise a body would wait in the kernel instead of in the gateway.
        socket.set_recv_buffer_size(HELD)?;
        SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
    }
    socket.bind(([127, 0, 0, 1], 0).into())?;
    socket.listen(1024)
}

struct Upstream {
    hold: Option<Barrier>,
    /// The bodies that clients send.
    sent: Vec<Bytes>,
    /// The same bodies, rewritten with `serde_json::Value`.
    rewritten: Vec<Value>,
    known: Mutex<Vec<Known>>,
    completion: Bytes,
    events: Vec<Bytes>,
}

/// A body that has arrived before.
#[derive(Clone)]
struct Known {
    body: Bytes,
    arrived: &'static str,
    is_stream: bool,
}

impl Upstream {
    fn new(hold: usize) -> Self {
        let jobs = Job::all(true).into_iter().chain([Job::large()]);
        let sent: Vec<Bytes> = jobs.flat_map(|job| job.bodies).collect();
        let mut rewritten = Vec::new();
        for body in &sent {
            let parsed = value::rewrite(body, &mut |text| {
                rewritten.push(serde_json::from_slice(text).unwrap());
            });
            assert!(parsed.is_some());
        }
        Self {
            hold: (hold > 0).then(|| Barrier::new(hold)),
            sent,
            rewritten,
            known: Mutex::default(),
            completion: completion(),
            events: events(),
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Either<Full<Bytes>, Events>>, hyper::Error> {
        if let Some(hold) = &self.hold {
            hold.wait().await;
        }
        let body = request.into_body().collect().await?.to_bytes();
        let Known {
            arrived, is_stream, ..
        } = self.recognise(body);
        let (form, body) = if is_stream {
            let events = Events::new(self.events.clone());
            ("text/event-stream", Either::Right(events))
        } else {
            let completion = Full::new(self.completion.clone());
            ("application/json", Either::Left(completion))
        };
        let response = Response::builder().header(CONTENT_TYPE, form);
        Ok(response.header(ARRIVED, arrived).body(body).unwrap())
    }

    fn recognise(&self, body: Bytes) -> Known {
        let mut known = self.known.lock().unwrap();
        if let Some(known) = known.iter().find(|known| known.body == body) {
            return known.clone();
        }
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let arrived = if self.sent.contains(&body) {
            "untouched"
        } else if self.rewritten.contains(&request) {
            "rewritten"
        } else {
            "something else"
        };
        let new = Known {
            body,
            arrived,
            is_stream: request["stream"] == true,
        };
        if known.len() < KNOWN {
            known.push(new.clone());
        }
        new
    }
}

/// The body of a stream. Each event is flushed by itself.
struct Events {
    left: vec::IntoIter<Bytes>,
    has_paused: bool,
}

impl Events {
    fn new(events: Vec<Bytes>) -> Self {
        Self {
            left: events.into_iter(),
            has_paused: false,
        }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.has_paused = !self.has_paused;
        if self.has_paused {
            // hyper flushes what it has while a body is pending.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.left.next().map(|event| Ok(Frame::data(event))))
    }
}
