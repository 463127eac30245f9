//! Clients that leave, stall or are slow.

use super::{
    Gets::{CutOff, Error, Nothing, Whole},
    check,
};
use crate::{
    messages::{CHAT, EVENTS, OK, REWRITTEN, STREAM, chat, half, head, in_chunks, with_length},
    script::{
        Act::{self, Drips, Finishes, Leaves, Reads, ReadsToTheEnd, Resets, Sends},
        Step::{self, Client, Upstream},
    },
};

/// The start of a stream.
const BEGUN: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";

#[tokio::test]
async fn clients_that_leave_in_their_request() {
    let chat = chat();
    let part = &chat[..chat.len() - 5];
    let upload = half();
    let chunks = in_chunks("/v1/files", "01234567890123456789");
    let chunks = &chunks[..chunks.find("A;a=b").unwrap()];
    let uploading = |request, end| {
        vec![
            Client(Sends(request)),
            Upstream(Reads("0123456789")),
            Client(end),
        ]
    };
    let unreadable = Error(400, "unreadable_body");
    let part_of = CutOff("0123456789");
    check(
        &[],
        vec![
            (
                "leaves in the head",
                vec![Client(Sends("POST /v1/chat")), Client(Leaves)],
                Nothing,
                Nothing,
            ),
            (
                "resets in the head",
                vec![Client(Sends("POST /v1/chat")), Client(Resets)],
                Nothing,
                Nothing,
            ),
            (
                "leaves in a chat",
                vec![Client(Sends(part)), Client(Leaves)],
                Nothing,
                Nothing,
            ),
            (
                "resets in a chat",
                vec![Client(Sends(part)), Client(Resets)],
                Nothing,
                Nothing,
            ),
            (
                "finishes in a chat",
                vec![Client(Sends(part)), Client(Finishes)],
                unreadable,
                Nothing,
            ),
            (
                "leaves in an upload",
                uploading(&upload, Leaves),
                Nothing,
                part_of,
            ),
            (
                "resets in an upload",
                uploading(&upload, Resets),
                Nothing,
                part_of,
            ),
            (
                "finishes in an upload",
                uploading(&upload, Finishes),
                unreadable,
                part_of,
            ),
            (
                "leaves in chunks",
                uploading(chunks, Leaves),
                Nothing,
                part_of,
            ),
            (
                "resets in chunks",
                uploading(chunks, Resets),
                Nothing,
                part_of,
            ),
            (
                "finishes in chunks",
                uploading(chunks, Finishes),
                unreadable,
                part_of,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn clients_that_leave_in_the_response() {
    let chat = chat();
    let asked = |steps: &[Step<'static>]| {
        let mut all = vec![Client(Sends(&chat)), Upstream(Reads(REWRITTEN))];
        all.extend(steps);
        all
    };
    let streaming = |end| {
        asked(&[
            Upstream(Sends(BEGUN)),
            Client(Reads("data: 1")),
            Client(end),
        ])
    };
    let rows = |ends: &[Act<'static>]| {
        let mut rows = Vec::new();
        for end in ends {
            rows.push((
                "before the response",
                asked(&[Client(*end)]),
                Nothing,
                Whole(REWRITTEN),
            ));
            rows.push((
                "in a stream",
                streaming(*end),
                CutOff("data: 1\n\n"),
                Whole(REWRITTEN),
            ));
        }
        rows
    };
    // Otherwise one that leaves looks as if it had only closed its sending side.
    check(&["--no-half-close"], rows(&[Leaves, Resets])).await;
    check(&[], rows(&[Resets])).await;
}

#[tokio::test]
async fn clients_that_stall() {
    let chat = chat();
    let part = &chat[..chat.len() - 5];
    let upload = half();
    let late = Error(408, "request_timeout");
    check(
        // Enough for the requests that are served in between, on a busy machine too.
        &["--client-timeout", "2"],
        vec![
            ("a client sends nothing", vec![], Nothing, Nothing),
            (
                "in the head",
                vec![Client(Sends("POST /v1/chat"))],
                Nothing,
                Nothing,
            ),
            ("in a chat", vec![Client(Sends(part))], late, Nothing),
            (
                "in an upload",
                vec![
                    Client(Sends(&upload)),
                    Upstream(Reads("0123456789")),
                    Upstream(ReadsToTheEnd),
                ],
                late,
                CutOff("0123456789"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn one_byte_at_a_time() {
    let (chat, path) = (chat(), "/v1/chat/completions");
    let chunks = in_chunks(path, CHAT);
    let single: String = CHAT
        .chars()
        .map(|byte| format!("1\r\n{byte}\r\n"))
        .collect();
    let single = format!(
        "{}transfer-encoding: chunked\r\n\r\n{single}0\r\n\r\n",
        head(path)
    );
    let upload = with_length("/v1/files", CHAT);
    let drips = |request, arrives, answer| {
        vec![
            Client(Drips(request)),
            Upstream(Reads(arrives)),
            Upstream(Drips(answer)),
        ]
    };
    check(
        &[],
        vec![
            (
                "with a length",
                drips(&chat, REWRITTEN, OK),
                Whole("{}"),
                Whole(REWRITTEN),
            ),
            (
                "in chunks",
                drips(&chunks, REWRITTEN, OK),
                Whole("{}"),
                Whole(REWRITTEN),
            ),
            (
                "in chunks of a byte",
                drips(&single, REWRITTEN, STREAM),
                Whole(EVENTS),
                Whole(REWRITTEN),
            ),
            (
                "an upload",
                drips(&upload, "}]}", OK),
                Whole("{}"),
                Whole(CHAT),
            ),
        ],
    )
    .await;
}
