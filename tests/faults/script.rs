//! Faults as scripts: what a client and an upstream do, step by step, with what is tested
//! between them. The steps of both are one list, in the order in which they happen. An end
//! goes on once it has read what it waits for, so timing decides nothing.

use std::{future::Future, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

/// One step of one end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    Client(Act<'a>),
    /// The first one accepts the connection.
    Upstream(Act<'a>),
}

/// What an end does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act<'a> {
    /// Sends this.
    Sends(&'a str),
    /// Sends this in segments of one byte.
    Drips(&'a str),
    /// Reads until this has arrived.
    Reads(&'a str),
    /// Reads until the other end has closed or reset the connection.
    ReadsToTheEnd,
    /// Closes its sending side, and can still read.
    Finishes,
    /// Closes the connection.
    Leaves,
    /// Resets the connection.
    Resets,
}

/// What an end has got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// No byte.
    Nothing,
    /// A message without its end.
    CutOff(Message),
    Whole(Message),
}

/// A request or a response.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// The first line and the headers.
    pub(crate) head: String,
    /// The body, without its framing.
    pub(crate) body: String,
    pub(crate) trailers: String,
}

/// Runs a script. Returns what the client and the upstream have got once both connections
/// have ended. The other side has to end those that the script doesn't.
pub(crate) async fn run(
    target: SocketAddr,
    upstream: &TcpListener,
    steps: &[Step<'_>],
) -> (Got, Got) {
    let mut client = End::new(in_time(TcpStream::connect(target)).await.unwrap());
    let mut server = None;
    for step in steps {
        match step {
            Step::Client(act) => client.does(*act).await,
            Step::Upstream(act) => {
                if server.is_none() {
                    server = Some(End::new(in_time(upstream.accept()).await.unwrap().0));
                }
                if let Some(server) = &mut server {
                    server.does(*act).await;
                }
            }
        }
    }
    let client = client.got().await;
    match server {
        Some(server) => (client, server.got().await),
        None => (client, Got::Nothing),
    }
}

/// Answers whole requests with `answer` while clients do what they do. Returns everything
/// that has arrived, connection by connection.
pub(crate) async fn recorded(
    upstream: &TcpListener,
    answer: &'static str,
    clients: impl Future<Output = ()>,
) -> Vec<Got> {
    let mut connections = JoinSet::new();
    let accept = async {
        loop {
            let (connection, _) = upstream.accept().await.unwrap();
            connections.spawn(answered(connection, answer));
        }
    };
    tokio::select! {
        () = clients => {}
        () = accept => {}
    }
    in_time(connections.join_all()).await
}

/// Answers a request once it is whole; returns what arrived until the connection ended.
async fn answered(mut connection: TcpStream, answer: &str) -> Got {
    let mut received = Vec::new();
    while !matches!(parse(&received), Got::Whole(_)) {
        if !matches!(connection.read_buf(&mut received).await, Ok(1..)) {
            return parse(&received);
        }
    }
    let mut end = End::new(connection);
    end.does(Act::Sends(answer)).await;
    assert_eq!(end.got().await, Got::Nothing, "more than one request");
    parse(&received)
}

/// One end of a connection.
pub(crate) struct End {
    /// `None` once this end has closed it.
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

impl End {
    pub(crate) fn new(stream: TcpStream) -> Self {
        // Otherwise the kernel gathers single bytes.
        stream.set_nodelay(true).unwrap();
        Self {
            stream: Some(stream),
            received: Vec::new(),
        }
    }

    pub(crate) async fn does(&mut self, act: Act<'_>) {
        let stream = self.stream.as_mut().expect("an open connection");
        match act {
            Act::Sends(text) => self.sends(text.as_bytes()).await,
            Act::Drips(text) => {
                for byte in text.bytes() {
                    let _ = in_time(stream.write_all(&[byte])).await;
                    // Lets the other end read it first, where both share a thread.
                    tokio::task::yield_now().await;
                }
            }
            Act::Reads(text) => {
                while !String::from_utf8_lossy(&self.received).contains(text) {
                    let read = in_time(stream.read_buf(&mut self.received)).await;
                    let received = String::from_utf8_lossy(&self.received);
                    assert!(matches!(read, Ok(1..)), "no {text:?} in {received:?}");
                }
            }
            Act::ReadsToTheEnd => {
                while let Ok(1..) = in_time(stream.read_buf(&mut self.received)).await {}
            }
            Act::Finishes => {
                let _ = in_time(stream.shutdown()).await;
            }
            Act::Leaves => self.stream = None,
            Act::Resets => {
                // Without time to linger, the kernel resets instead of closing.
                stream.set_zero_linger().unwrap();
                self.stream = None;
            }
        }
    }

    /// Sends bytes. The other end may have reset the connection, which is no fault here: what
    /// arrives is compared in the end.
    pub(crate) async fn sends(&mut self, bytes: &[u8]) {
        let stream = self.stream.as_mut().expect("an open connection");
        let _ = in_time(stream.write_all(bytes)).await;
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream.expect("an open connection")
    }

    /// Reads to the end of the connection, unless this end has closed it.
    pub(crate) async fn ended(&mut self) {
        if self.stream.is_some() {
            self.does(Act::ReadsToTheEnd).await;
        }
    }

    /// Returns what has arrived when the connection has ended.
    pub(crate) async fn got(mut self) -> Got {
        self.ended().await;
        parse(&self.received)
    }
}

/// Parses one message with a `Content-Length`, chunks or no body.
///
/// # Panics
///
/// Panics if it is malformed, or if more follows.
pub(crate) fn parse(received: &[u8]) -> Got {
    let text = String::from_utf8_lossy(received);
    let mut text = &*text;
    // Interim responses, such as `100 Continue`.
    while text.starts_with("HTTP/1.1 1") {
        match text.split_once("\r\n\r\n") {
            Some((_, rest)) => text = rest,
            None => break,
        }
    }
    if text.is_empty() {
        return Got::Nothing;
    }
    let Some((head, rest)) = text.split_once("\r\n\r\n") else {
        let head = text.to_owned();
        return Got::CutOff(Message {
            head,
            ..Message::default()
        });
    };
    let field = |name: &str| {
        let mut values = head.lines().filter_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        let value = values.next();
        assert_eq!(values.next(), None, "{name} twice: {head}");
        value
    };
    let head = head.to_owned();
    let message = |body: &str, trailers: &str| Message {
        head: head.clone(),
        body: body.to_owned(),
        trailers: trailers.to_owned(),
    };
    match (field("content-length"), field("transfer-encoding")) {
        (length, None) => {
            let length = length.map_or(0, |length| length.parse().unwrap());
            assert!(rest.len() <= length, "more than one message: {text}");
            if rest.len() < length {
                return Got::CutOff(message(rest, ""));
            }
            Got::Whole(message(rest, ""))
        }
        (None, Some("chunked")) => match unchunked(rest) {
            (body, Some(trailers)) => Got::Whole(message(&body, trailers)),
            (body, None) => Got::CutOff(message(&body, "")),
        },
        both => panic!("conflicting lengths {both:?}: {text}"),
    }
}

/// Returns the data of chunks, and the trailers behind the last one if it has arrived.
fn unchunked(mut rest: &str) -> (String, Option<&str>) {
    let mut body = String::new();
    while let Some((size, data)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            // The trailers end with an empty line, which is the first one if there are none.
            let trailers = match data.strip_prefix("\r\n") {
                Some(after) => Some(("", after)),
                None => data.split_once("\r\n\r\n"),
            };
            if let Some((_, after)) = trailers {
                assert_eq!(after, "", "more than one message");
            }
            return (body, trailers.map(|(trailers, _)| trailers));
        }
        match data.get(size..) {
            Some(after) if after.len() >= 2 => {
                body.push_str(&data[..size]);
                rest = after.strip_prefix("\r\n").expect("the end of a chunk");
            }
            after => {
                body.push_str(after.map_or(data, |_| &data[..size]));
                break;
            }
        }
    }
    (body, None)
}

/// Waits for a future. The limit only ends a test that would hang.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    let limit = Duration::from_secs(60);
    timeout(limit, future).await.expect("timed out")
}
