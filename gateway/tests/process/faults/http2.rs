//! HTTP/2 clients that fail.

use axum::http::{Request, Response};
use bytes::Bytes;
use h2::{
    Reason, RecvStream, SendStream,
    client::{self, ResponseFuture, SendRequest},
};
use tokio::net::TcpStream;

use super::{
    Gets::{CutOff, Whole},
    Stack,
};
use crate::{
    harness::in_time,
    http2::Http2,
    messages::{CHAT, OK, REWRITTEN},
    script::{Act, End, Got, recorded},
    slowed::is_slowed_down,
    smuggling_h2::{DATA, END_HEADERS, END_STREAM, HEADERS, PSEUDO, SETTINGS, block, frame},
};

/// The start of a response whose length is not known.
const BEGUN: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";

/// A client with one connection.
struct Client(SendRequest<Bytes>);

impl Client {
    async fn connect(stack: &Stack) -> Self {
        let socket = TcpStream::connect(stack.gateway.address).await.unwrap();
        let (client, connection) = client::handshake(socket).await.unwrap();
        tokio::spawn(connection);
        Self(client)
    }

    /// Sends the head of a request, and this of its body.
    async fn sends(
        &mut self,
        path: &str,
        part: &'static str,
        is_all: bool,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let mut client = in_time(self.0.clone().ready()).await.unwrap();
        let request = Request::post(format!("http://gateway{path}"));
        let request = request.header("content-type", "application/json");
        let request = request.body(()).unwrap();
        let (response, mut body) = client.send_request(request, false).unwrap();
        body.send_data(part.into(), is_all).unwrap();
        (response, body)
    }

    /// Sends a request and begins to receive a stream.
    async fn streams(&mut self, stack: &Stack) -> (Response<RecvStream>, End) {
        let (response, _) = self.sends("/v1/chat/completions", CHAT, true).await;
        let mut upstream = accept(stack).await;
        upstream.does(Act::Reads(REWRITTEN)).await;
        upstream.does(Act::Sends(BEGUN)).await;
        (in_time(response).await.unwrap(), upstream)
    }
}

async fn accept(stack: &Stack) -> End {
    End::new(in_time(stack.upstream.accept()).await.unwrap().0)
}

async fn text(response: Response<RecvStream>) -> Result<String, h2::Error> {
    let mut body = response.into_body();
    let mut read = Vec::new();
    while let Some(data) = in_time(body.data()).await {
        let data = data?;
        body.flow_control().release_capacity(data.len()).unwrap();
        read.extend(data);
    }
    Ok(String::from_utf8(read).unwrap())
}

const REASONS: [Reason; 4] = [
    Reason::CANCEL,
    Reason::NO_ERROR,
    Reason::INTERNAL_ERROR,
    Reason::ENHANCE_YOUR_CALM,
];

#[tokio::test]
async fn an_upload_whose_stream_is_reset_never_arrives_whole() {
    let stack = Stack::start(&[]).await;
    for reason in REASONS {
        for is_answered in [false, true] {
            let name = format!("{reason:?}, {is_answered}");
            let mut client = Client::connect(&stack).await;
            let (response, mut body) = client.sends("/v1/files", "0123456789", false).await;
            let mut upstream = accept(&stack).await;
            upstream.does(Act::Reads("0123456789")).await;
            if is_answered {
                // Then the end of the upload is not awaited any more.
                upstream.does(Act::Sends(BEGUN)).await;
                let response = in_time(response).await.unwrap();
                body.send_reset(reason);
                drop(response);
            } else {
                body.send_reset(reason);
                in_time(response).await.unwrap_err();
            }
            let got = upstream.got().await;
            CutOff("0123456789").check(&got, &format!("{name}: the upstream"));
            drop((body, client));
            stack.is_idle().await;
            stack.serves(&name).await;
        }
    }
}

/// The part is valid JSON, so that only the end of the stream shows that it is not all.
#[tokio::test]
async fn a_chat_request_whose_stream_is_reset_does_not_arrive() {
    let stack = Stack::start(&[]).await;
    for reason in REASONS {
        let mut client = Client::connect(&stack).await;
        let clients = async {
            let (response, mut body) = client.sends("/v1/chat/completions", CHAT, false).await;
            // The gateway has read the part once it has responded to a later request.
            let (later, _) = client.sends("/nothing", "", true).await;
            assert_eq!(in_time(later).await.unwrap().status(), 404);
            body.send_reset(reason);
            in_time(response).await.unwrap_err();
            stack.is_idle_but_for(1).await;
        };
        let got = recorded(&stack.upstream, OK, clients).await;
        assert_eq!(got, [], "{reason:?}");
        drop(client);
        stack.is_idle().await;
    }
}

#[tokio::test]
async fn a_reset_response_cancels_its_request_and_no_other() {
    let stack = Stack::start(&[]).await;
    for reason in REASONS {
        let mut client = Client::connect(&stack).await;
        // One that waits, one with a stream, and one that goes on.
        let (waiting, mut its_body) = client.sends("/v1/files", "0123456789", false).await;
        let mut its_upstream = accept(&stack).await;
        its_upstream.does(Act::Reads("0123456789")).await;
        let (left, upstream_of_left) = client.streams(&stack).await;
        let (kept, mut upstream) = client.streams(&stack).await;
        its_body.send_reset(reason);
        drop((waiting, left, its_body));
        Whole(REWRITTEN).check(&upstream_of_left.got().await, "the upstream of the stream");
        CutOff("0123456789").check(&its_upstream.got().await, "the upstream of the upload");
        upstream.does(Act::Sends("3\r\ntwo\r\n0\r\n\r\n")).await;
        assert_eq!(text(kept).await.unwrap(), "onetwo");
        upstream.does(Act::Leaves).await;
        drop(client);
        stack.is_idle().await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_cancels_everything_on_its_connection() {
    let stack = Stack::start(&[]).await;
    let mut client = Client::connect(&stack).await;
    let upload = client.sends("/v1/files", "0123456789", false).await;
    let mut upstream_of_upload = accept(&stack).await;
    upstream_of_upload.does(Act::Reads("0123456789")).await;
    let (first, upstream_of_first) = client.streams(&stack).await;
    let (second, upstream_of_second) = client.streams(&stack).await;
    drop((client, upload, first, second));
    CutOff("0123456789").check(&upstream_of_upload.got().await, "the upload");
    Whole(REWRITTEN).check(&upstream_of_first.got().await, "the first stream");
    Whole(REWRITTEN).check(&upstream_of_second.got().await, "the second stream");
    stack.is_idle().await;
    stack.serves("the next one").await;
}

/// It announces that it accepts no more streams from the gateway, which opens none.
#[tokio::test]
async fn a_client_that_goes_away_gets_its_response() {
    let stack = Stack::start(&[]).await;
    let mut client = Http2::connect(&stack.gateway, 1 << 20).await;
    client.get("/v1/files").await;
    let mut upstream = accept(&stack).await;
    upstream.does(Act::Reads("\r\n\r\n")).await;
    client.goes_away().await;
    upstream.does(Act::Sends(OK)).await;
    client.response().await;
    client.closed().await;
    stack.is_idle().await;
}

#[tokio::test]
async fn a_response_that_breaks_off_resets_the_stream() {
    let stack = Stack::start(&[]).await;
    for end in [Act::Leaves, Act::Resets] {
        let mut client = Client::connect(&stack).await;
        let (response, mut upstream) = client.streams(&stack).await;
        let (other, mut its_upstream) = client.streams(&stack).await;
        upstream.does(end).await;
        let error = text(response).await.unwrap_err();
        assert!(error.is_reset(), "{error:?}");
        its_upstream.does(Act::Sends("0\r\n\r\n")).await;
        assert_eq!(text(other).await.unwrap(), "one");
        its_upstream.does(Act::Leaves).await;
        drop(client);
        stack.is_idle().await;
    }
}

/// Each reset costs the gateway more than the client.
#[tokio::test]
async fn a_client_that_resets_all_its_streams_is_sent_away() {
    // Its connection is not closed because it is idle.
    let stack = Stack::start(&["--client-timeout", "600"]).await;
    let mut client = Http2::connect(&stack.gateway, 1 << 20).await;
    for _ in 0..2000 {
        client.resets("/health/readiness").await;
    }
    client.closed().await;
    stack.is_idle().await;
    stack.serves("the next one").await;
}

#[tokio::test]
async fn frames_that_are_cut_anywhere_never_arrive_whole() {
    let preface = [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &frame(SETTINGS, 0, 0, &[]),
    ]
    .concat();
    for (path, arrives) in [("/v1/chat/completions", REWRITTEN), ("/v1/files", CHAT)] {
        let headers = PSEUDO.map(|(name, value)| match name {
            ":path" => (name, path),
            _ => (name, value),
        });
        let (start, end) = CHAT.as_bytes().split_at(CHAT.len() / 2);
        let frames = [
            &preface[..],
            &frame(HEADERS, END_HEADERS, 1, &block(&headers)),
            &frame(DATA, 0, 1, start),
            &frame(DATA, END_STREAM, 1, end),
        ]
        .concat();
        for end in [Act::Finishes, Act::Resets] {
            let stack = Stack::start(&[]).await;
            let clients = async {
                for length in 0..frames.len() {
                    let socket = TcpStream::connect(stack.gateway.address).await.unwrap();
                    let mut client = End::new(socket);
                    client.sends(&frames[..length]).await;
                    client.does(end).await;
                    client.ended().await;
                }
                stack.is_idle().await;
            };
            let got = recorded(&stack.upstream, OK, clients).await;
            let is_whole = |got: &&Got| matches!(got, Got::Whole(_));
            assert_eq!(got.iter().find(is_whole), None, "{path}, {end:?}");

            // All of it, in segments of one byte.
            let socket = TcpStream::connect(stack.gateway.address).await.unwrap();
            let mut client = End::new(socket);
            let clients = async {
                for byte in &frames {
                    client.sends(&[*byte]).await;
                }
                // The body of the response.
                client.does(Act::Reads("{}")).await;
            };
            let got = recorded(&stack.upstream, OK, clients).await;
            Whole(arrives).check(&got[0], path);
        }
    }
}

#[tokio::test]
async fn trailers_of_responses_arrive() {
    let stack = Stack::start(&[]).await;
    let mut client = Client::connect(&stack).await;
    let (response, mut upstream) = client.streams(&stack).await;
    upstream
        .does(Act::Sends("0\r\nx-checksum: 7\r\n\r\n"))
        .await;
    let mut body = response.into_body();
    assert_eq!(in_time(body.data()).await.unwrap().unwrap(), "one");
    let trailers = in_time(body.trailers()).await.unwrap().unwrap();
    assert_eq!(trailers["x-checksum"], "7");
}

#[tokio::test]
async fn a_client_that_does_not_read_its_stream_slows_down_the_upstream() {
    let stack = Stack::start(&[]).await;
    let mut client = Client::connect(&stack).await;
    let (response, upstream) = client.streams(&stack).await;
    let mut body = response.into_body();
    let read = async || {
        let data = body.data().await.unwrap().unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        data.len()
    };
    is_slowed_down(upstream.into_stream(), read).await;
    drop((body, client));
    stack.is_idle().await;
}
