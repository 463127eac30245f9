//! Clients that fail.

use crate::{
    messages::{CHAT, OK, REWRITTEN, STREAM, chat, half, head, in_chunks, with_length},
    script::{
        Act::{Drips, Finishes, Leaves, Reads, ReadsToTheEnd, Resets, Sends},
        Step::{Client, Upstream},
    },
    stack::{
        Gets::{CutOff, Nothing, Status, Whole},
        check,
    },
};

#[tokio::test]
async fn in_its_request() {
    let upload = half();
    let chunks = format!(
        "{}transfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n",
        head("/v1/files")
    );
    check(vec![
        (
            "it leaves in the head",
            vec![Client(Sends("POST /v1/chat/comp")), Client(Leaves)],
            Nothing,
            Nothing,
        ),
        (
            "it resets in the head",
            vec![Client(Sends("POST /v1/chat/comp")), Client(Resets)],
            Nothing,
            Nothing,
        ),
        (
            "it leaves an upload",
            vec![
                Client(Sends(&upload)),
                Upstream(Reads("0123456789")),
                Client(Leaves),
            ],
            Nothing,
            CutOff("0123456789"),
        ),
        (
            "it resets an upload",
            vec![
                Client(Sends(&upload)),
                Upstream(Reads("0123456789")),
                Client(Resets),
            ],
            Nothing,
            CutOff("0123456789"),
        ),
        (
            "it resets an upload in chunks",
            vec![
                Client(Sends(&chunks)),
                Upstream(Reads("0123456789\r\n")),
                Client(Resets),
            ],
            Nothing,
            CutOff("0123456789"),
        ),
        (
            "it closes its sending side in an upload",
            vec![
                Client(Sends(&upload)),
                Upstream(Reads("0123456789")),
                Client(Finishes),
                Upstream(ReadsToTheEnd),
            ],
            Status(502),
            CutOff("0123456789"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn while_it_waits() {
    let chat = chat();
    let asked = |end| {
        vec![
            Client(Sends(&chat)),
            Upstream(Reads(REWRITTEN)),
            Client(end),
        ]
    };
    let streaming = |end| {
        let mut steps = asked(Reads("data: 1\n\n\r\n"));
        steps.insert(
            2,
            Upstream(Sends(&STREAM[..STREAM.find("data: [DONE]").unwrap() - 3])),
        );
        steps.push(Client(end));
        steps
    };
    check(vec![
        (
            "it leaves before the response",
            asked(Leaves),
            Nothing,
            Whole(REWRITTEN),
        ),
        (
            "it resets before the response",
            asked(Resets),
            Nothing,
            Whole(REWRITTEN),
        ),
        (
            "it leaves a stream",
            streaming(Leaves),
            CutOff("data: 1\n\n"),
            Whole(REWRITTEN),
        ),
        (
            "it resets a stream",
            streaming(Resets),
            CutOff("data: 1\n\n"),
            Whole(REWRITTEN),
        ),
    ])
    .await;
}

#[tokio::test]
async fn one_byte_at_a_time() {
    let (whole, path) = (chat(), "/v1/chat/completions");
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
    let drips = |request, arrives| {
        vec![
            Client(Drips(request)),
            Upstream(Reads(arrives)),
            Upstream(Drips(OK)),
        ]
    };
    check(vec![
        (
            "with a length",
            drips(&whole, REWRITTEN),
            Whole("{}"),
            Whole(REWRITTEN),
        ),
        (
            "in chunks",
            drips(&chunks, REWRITTEN),
            Whole("{}"),
            Whole(REWRITTEN),
        ),
        (
            "in chunks of a byte",
            drips(&single, REWRITTEN),
            Whole("{}"),
            Whole(REWRITTEN),
        ),
        ("an upload", drips(&upload, "}]}"), Whole("{}"), Whole(CHAT)),
    ])
    .await;
}

#[tokio::test]
async fn a_client_that_expects_100_continue() {
    let chat = format!(
        "{}expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        head("/v1/chat/completions"),
        CHAT.len()
    );
    let upload = chat.replace("/v1/chat/completions", "/v1/files");
    check(vec![
        (
            "the server asks for a chat request",
            vec![
                Client(Sends(&chat)),
                Client(Reads("HTTP/1.1 100 Continue\r\n\r\n")),
                Client(Sends(CHAT)),
                Upstream(Reads(REWRITTEN)),
                Upstream(Sends(OK)),
            ],
            Whole("{}"),
            Whole(REWRITTEN),
        ),
        (
            "an upload is asked for",
            vec![
                Client(Sends(&upload)),
                Client(Reads("HTTP/1.1 100 Continue\r\n\r\n")),
                Client(Sends(CHAT)),
                Upstream(Reads("}]}")),
                Upstream(Sends(OK)),
            ],
            Whole("{}"),
            Whole(CHAT),
        ),
        (
            "the upstream refuses an upload before it has begun",
            vec![
                Client(Sends(&upload)),
                Upstream(Reads("\r\n\r\n")),
                Upstream(Sends(
                    "HTTP/1.1 413 No\r\ncontent-length: 7\r\nconnection: close\r\n\r\nrefused",
                )),
                Client(Reads("refused")),
                Client(Leaves),
            ],
            Status(413),
            CutOff(""),
        ),
    ])
    .await;
}
