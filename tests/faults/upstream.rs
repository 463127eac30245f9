//! Upstreams that fail.

use crate::{
    messages::{EVENTS, OK, REWRITTEN, STREAM, chat, half},
    script::{
        Act::{Drips, Leaves, Reads, Resets, Sends},
        Step::{self, Client, Upstream},
    },
    stack::{
        Gets::{CutOff, Status, Whole},
        check,
    },
};

/// A response that is cut off in its body.
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n0123456789";

#[tokio::test]
async fn that_ends_the_connection() {
    let chat = chat();
    let asked = |steps: &[Step<'static>]| {
        let mut all = vec![Client(Sends(&chat)), Upstream(Reads(REWRITTEN))];
        all.extend(steps);
        all
    };
    check(vec![
        (
            "it resets before the response",
            asked(&[Upstream(Resets)]),
            Status(502),
            Whole(REWRITTEN),
        ),
        (
            "it closes before the response",
            asked(&[Upstream(Leaves)]),
            Status(502),
            Whole(REWRITTEN),
        ),
        (
            "it resets in the head",
            asked(&[Upstream(Sends("HTTP/1.1 200 O")), Upstream(Resets)]),
            Status(502),
            Whole(REWRITTEN),
        ),
        (
            "it resets in the body",
            asked(&[
                Upstream(Sends(HALF)),
                Client(Reads("0123456789")),
                Upstream(Resets),
            ]),
            CutOff("0123456789"),
            Whole(REWRITTEN),
        ),
        (
            "it closes in the body",
            asked(&[
                Upstream(Sends(HALF)),
                Client(Reads("0123456789")),
                Upstream(Leaves),
            ]),
            CutOff("0123456789"),
            Whole(REWRITTEN),
        ),
        (
            "it resets behind the response",
            asked(&[Upstream(Sends(OK)), Client(Reads("{}")), Upstream(Resets)]),
            Whole("{}"),
            Whole(REWRITTEN),
        ),
        (
            "it is no HTTP server",
            asked(&[Upstream(Sends("220 mail.example ESMTP\r\n"))]),
            Status(502),
            Whole(REWRITTEN),
        ),
    ])
    .await;
}

#[tokio::test]
async fn that_sends_one_byte_at_a_time() {
    let chat = chat();
    check(vec![(
        "a stream",
        vec![
            Client(Sends(&chat)),
            Upstream(Reads(REWRITTEN)),
            Upstream(Drips(STREAM)),
        ],
        Whole(EVENTS),
        Whole(REWRITTEN),
    )])
    .await;
}

#[tokio::test]
async fn that_answers_early() {
    let upload = half();
    let chat = chat();
    check(vec![
        (
            "before the whole upload has arrived",
            vec![
                Client(Sends(&upload)),
                Upstream(Reads("0123456789")),
                Upstream(Sends(OK)),
                Client(Reads("{}")),
                Client(Leaves),
            ],
            Whole("{}"),
            CutOff("0123456789"),
        ),
        (
            // The rest of the upload must not become the start of the next request.
            "and keeps the connection open",
            vec![
                Client(Sends(&upload)),
                Upstream(Reads("0123456789")),
                Upstream(Sends("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")),
                Client(Reads("{}")),
                Client(Leaves),
            ],
            Whole("{}"),
            CutOff("0123456789"),
        ),
        (
            "and the upload goes on",
            vec![
                Client(Sends(&upload)),
                Upstream(Reads("0123456789")),
                Upstream(Sends(OK)),
                Client(Reads("{}")),
                Client(Sends("0123456789")),
            ],
            Whole("{}"),
            Whole("01234567890123456789"),
        ),
        (
            "with interim responses",
            vec![
                Client(Sends(&chat)),
                Upstream(Reads(REWRITTEN)),
                Upstream(Sends("HTTP/1.1 100 Continue\r\n\r\n")),
                Upstream(Sends("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")),
                Upstream(Sends(OK)),
            ],
            Whole("{}"),
            Whole(REWRITTEN),
        ),
        (
            "with interim responses alone",
            vec![
                Client(Sends(&chat)),
                Upstream(Reads(REWRITTEN)),
                Upstream(Sends("HTTP/1.1 100 Continue\r\n\r\n")),
                Upstream(Leaves),
            ],
            Status(502),
            Whole(REWRITTEN),
        ),
    ])
    .await;
}
