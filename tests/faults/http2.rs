//! Upstreams that fail over HTTP/2, and what they see of clients that fail.

use bytes::Bytes;
use h2::{
    Reason, RecvStream,
    server::{self, SendResponse},
};
use http::{HeaderMap, Request, Response};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::{
    messages::{REWRITTEN, chat, half},
    script::{Act, End, Got, in_time},
    stack::{
        BOTH,
        Gets::{CutOff, Status, Whole},
        Stack,
    },
};

/// A request that has arrived, and the way to respond to it.
struct Asked {
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
}

impl Asked {
    /// Reads so much of the body, or all of it.
    async fn body(&mut self, length: usize) -> Result<Bytes, h2::Error> {
        let mut read = Vec::new();
        let body = self.request.body_mut();
        while read.len() < length {
            let Some(data) = in_time(body.data()).await else {
                break;
            };
            let data = data?;
            body.flow_control().release_capacity(data.len()).unwrap();
            read.extend(data);
        }
        Ok(read.into())
    }

    fn answers(&mut self, is_end: bool) -> h2::SendStream<Bytes> {
        self.respond
            .send_response(Response::new(()), is_end)
            .unwrap()
    }
}

/// One connection to the upstream.
struct Upstream {
    asked: mpsc::UnboundedReceiver<Asked>,
    goes_away: mpsc::UnboundedSender<Option<Reason>>,
}

impl Upstream {
    async fn accept(listener: &TcpListener) -> Self {
        let (socket, _) = in_time(listener.accept()).await.unwrap();
        let (sender, asked) = mpsc::unbounded_channel();
        let (goes_away, mut going) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut connection = server::handshake(socket).await.unwrap();
            loop {
                tokio::select! {
                    Some(reason) = going.recv() => match reason {
                        Some(reason) => connection.abrupt_shutdown(reason),
                        None => connection.graceful_shutdown(),
                    },
                    next = connection.accept() => match next {
                        Some(Ok((request, respond))) => {
                            let _ = sender.send(Asked { request, respond });
                        }
                        // The connection has ended.
                        _ => return,
                    }
                }
            }
        });
        Self { asked, goes_away }
    }

    async fn asked(&mut self) -> Asked {
        in_time(self.asked.recv()).await.unwrap()
    }
}

/// What the upstream does with a request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Resets the stream before its response.
    Resets(Reason),
    /// Resets the stream in its response.
    ResetsInTheBody(Reason),
    /// Says that it accepts no further requests, and responds.
    GoesAway,
    /// Ends the connection with all requests on it.
    GoesAwayFor(Reason),
    /// Ends the connection in its response.
    GoesAwayInTheBody(Reason),
    /// Responds before it has read the body, and asks for no more of it.
    AnswersEarly,
}

use Fault::{AnswersEarly, GoesAway, GoesAwayFor, GoesAwayInTheBody, Resets, ResetsInTheBody};

/// Sends a request that meets a fault. Returns what the client gets.
async fn exchange(stack: &Stack, fault: Fault) -> Got {
    let mut client = End::new(TcpStream::connect(stack.address).await.unwrap());
    let request = match fault {
        AnswersEarly => half(),
        _ => chat(),
    };
    client.does(Act::Sends(&request)).await;
    let mut upstream = Upstream::accept(&stack.upstream).await;
    let mut asked = upstream.asked().await;
    match fault {
        AnswersEarly => assert_eq!(asked.body(10).await.unwrap(), "0123456789"),
        _ => assert_eq!(asked.body(usize::MAX).await.unwrap(), REWRITTEN),
    }
    let part = Bytes::from("0123456789");
    match fault {
        Resets(reason) => asked.respond.send_reset(reason),
        ResetsInTheBody(reason) => {
            let mut body = asked.answers(false);
            body.send_data(part, false).unwrap();
            client.does(Act::Reads("0123456789")).await;
            body.send_reset(reason);
        }
        GoesAway => {
            upstream.goes_away.send(None).unwrap();
            let mut body = asked.answers(false);
            body.send_data(part, true).unwrap();
        }
        GoesAwayFor(reason) => upstream.goes_away.send(Some(reason)).unwrap(),
        GoesAwayInTheBody(reason) => {
            let mut body = asked.answers(false);
            body.send_data(part, false).unwrap();
            client.does(Act::Reads("0123456789")).await;
            upstream.goes_away.send(Some(reason)).unwrap();
        }
        AnswersEarly => {
            let mut body = asked.answers(false);
            body.send_data(part, true).unwrap();
            // The crate resets the stream with NO_ERROR once the response is sent.
            drop(asked);
            client.does(Act::Reads("\r\n0123456789")).await;
            client.does(Act::Leaves).await;
        }
    }
    client.got().await
}

#[tokio::test]
async fn an_upstream_that_resets_or_goes_away() {
    for (fault, gets) in [
        (Resets(Reason::INTERNAL_ERROR), Status(502)),
        (Resets(Reason::REFUSED_STREAM), Status(502)),
        (Resets(Reason::ENHANCE_YOUR_CALM), Status(502)),
        (Resets(Reason::CANCEL), Status(502)),
        (Resets(Reason::NO_ERROR), Status(502)),
        (
            ResetsInTheBody(Reason::INTERNAL_ERROR),
            CutOff("0123456789"),
        ),
        (ResetsInTheBody(Reason::CANCEL), CutOff("0123456789")),
        // hyper takes this reason for the end of the body, so no layer can see it.
        (ResetsInTheBody(Reason::NO_ERROR), Whole("0123456789")),
        (GoesAway, Whole("0123456789")),
        (GoesAwayFor(Reason::INTERNAL_ERROR), Status(502)),
        (GoesAwayFor(Reason::NO_ERROR), Status(502)),
        (
            GoesAwayInTheBody(Reason::INTERNAL_ERROR),
            CutOff("0123456789"),
        ),
        (AnswersEarly, Whole("0123456789")),
    ] {
        for layers in BOTH {
            println!("{fault:?}, {layers:?}");
            let stack = Stack::with_client(layers, true).await;
            gets.check(
                &exchange(&stack, fault).await,
                &format!("{fault:?}, {layers:?}"),
            );
            stack.is_idle().await;
        }
    }
}

/// After a connection that goes away, requests are sent on a new one.
#[tokio::test]
async fn the_next_request_is_sent_on_a_new_connection() {
    let stack = Stack::with_client(BOTH[0], true).await;
    for fault in [GoesAway, GoesAwayFor(Reason::INTERNAL_ERROR), GoesAway] {
        exchange(&stack, fault).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_its_upload_resets_the_stream() {
    for layers in BOTH {
        let stack = Stack::with_client(layers, true).await;
        let mut client = End::new(TcpStream::connect(stack.address).await.unwrap());
        let upload = half();
        client.does(Act::Sends(&upload)).await;
        let mut upstream = Upstream::accept(&stack.upstream).await;
        let mut asked = upstream.asked().await;
        assert_eq!(asked.body(10).await.unwrap(), "0123456789");
        client.does(Act::Leaves).await;
        let error = asked.body(usize::MAX).await.unwrap_err();
        assert!(error.is_reset(), "{error:?}");
        stack.is_idle().await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_its_stream_resets_it() {
    for layers in BOTH {
        let stack = Stack::with_client(layers, true).await;
        let mut client = End::new(TcpStream::connect(stack.address).await.unwrap());
        client.does(Act::Sends(&chat())).await;
        let mut upstream = Upstream::accept(&stack.upstream).await;
        let mut asked = upstream.asked().await;
        let mut body = asked.answers(false);
        body.send_data("data: 1\n\n".into(), false).unwrap();
        client.does(Act::Reads("data: 1")).await;
        client.does(Act::Leaves).await;
        let reset = in_time(std::future::poll_fn(|cx| body.poll_reset(cx))).await;
        assert_eq!(reset.unwrap(), Reason::CANCEL);
        stack.is_idle().await;
    }
}

/// Trailers of an HTTP/2 upstream reach an HTTP/1.1 client that accepts them.
#[tokio::test]
async fn trailers_of_a_response() {
    for layers in BOTH {
        let stack = Stack::with_client(layers, true).await;
        let mut client = End::new(TcpStream::connect(stack.address).await.unwrap());
        let request = chat().replace("content-type", "te: trailers\r\ncontent-type");
        client.does(Act::Sends(&request)).await;
        let mut upstream = Upstream::accept(&stack.upstream).await;
        let mut asked = upstream.asked().await;
        let head = Response::builder().header("trailer", "x-checksum");
        let head = head.body(()).unwrap();
        let mut body = asked.respond.send_response(head, false).unwrap();
        body.send_data("{}".into(), false).unwrap();
        let trailers = [("x-checksum".parse().unwrap(), "7".parse().unwrap())];
        body.send_trailers(HeaderMap::from_iter(trailers)).unwrap();
        let Got::Whole(got) = client.got().await else {
            panic!("the response has no end");
        };
        assert_eq!((&*got.body, &*got.trailers), ("{}", "x-checksum: 7"));
    }
}
