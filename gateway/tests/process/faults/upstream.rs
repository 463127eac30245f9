//! Upstreams that leave, stall, or answer early.

use super::{
    Gets::{CutOff, Error, Whole},
    check,
};
use crate::{
    messages::{CHAT, OK, REWRITTEN, chat, half, with_length},
    script::{
        Act::{Leaves, Reads, ReadsToTheEnd, Resets, Sends},
        Step::{self, Client, Upstream},
    },
};

#[tokio::test]
async fn upstreams_that_end_the_connection() {
    let (chat, upload) = (chat(), with_length("/v1/files", CHAT));
    let asked = |request, steps: &[Step<'static>]| {
        let mut all = vec![Client(Sends(request)), Upstream(Reads("}]}"))];
        all.extend(steps);
        all
    };
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n0123456789";
    let in_head = Upstream(Sends("HTTP/1.1 200 O"));
    let unreachable = Error(502, "upstream_unreachable");
    for (request, arrives) in [(&chat, REWRITTEN), (&upload, CHAT)] {
        for (end, again) in [(Upstream(Resets), "resets"), (Upstream(Leaves), "closes")] {
            println!("{again}");
            check(
                &[],
                vec![
                    (
                        "before the response",
                        asked(request, &[end]),
                        unreachable,
                        Whole(arrives),
                    ),
                    (
                        "in the head",
                        asked(request, &[in_head, end]),
                        unreachable,
                        Whole(arrives),
                    ),
                    (
                        "behind the response",
                        asked(request, &[Upstream(Sends(OK)), Client(Reads("{}")), end]),
                        Whole("{}"),
                        Whole(arrives),
                    ),
                ],
            )
            .await;
        }
    }
    let in_body = |end| {
        asked(
            &chat,
            &[
                Upstream(Sends(half)),
                Client(Reads("0123456789")),
                Upstream(end),
            ],
        )
    };
    check(
        &[],
        vec![
            (
                "resets in the body",
                in_body(Resets),
                CutOff("0123456789"),
                Whole(REWRITTEN),
            ),
            (
                "closes in the body",
                in_body(Leaves),
                CutOff("0123456789"),
                Whole(REWRITTEN),
            ),
            (
                "is no HTTP server",
                asked(&chat, &[Upstream(Sends("220 mail.example ESMTP\r\n"))]),
                unreachable,
                Whole(REWRITTEN),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn upstreams_that_stall() {
    let chat = chat();
    let asked = |answer| {
        vec![
            Client(Sends(&chat)),
            Upstream(Reads(REWRITTEN)),
            Upstream(Sends(answer)),
            Upstream(ReadsToTheEnd),
        ]
    };
    let late = Error(504, "upstream_timeout");
    check(
        // Enough for the requests that are served in between, on a busy machine too.
        &["--first-byte-timeout", "2"],
        vec![
            (
                "an upstream sends nothing",
                asked(""),
                late,
                Whole(REWRITTEN),
            ),
            (
                "in the head",
                asked("HTTP/1.1 200 O"),
                late,
                Whole(REWRITTEN),
            ),
            (
                "behind an interim response",
                asked("HTTP/1.1 100 Continue\r\n\r\n"),
                late,
                Whole(REWRITTEN),
            ),
            (
                "in an error",
                asked("HTTP/1.1 500 No\r\ncontent-length: 20\r\n\r\n0123456789"),
                late,
                Whole(REWRITTEN),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn upstreams_that_answer_early() {
    let (chat, upload) = (chat(), half());
    let early = |answer, then| {
        vec![
            Client(Sends(&upload)),
            Upstream(Reads("0123456789")),
            Upstream(Sends(answer)),
            Client(Reads("{}")),
            Client(then),
        ]
    };
    let keeping = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let waits = "HTTP/1.1 100 Continue\r\n\r\n";
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    check(
        &[],
        vec![
            (
                "and the client leaves",
                early(OK, Leaves),
                Whole("{}"),
                CutOff("0123456789"),
            ),
            // The rest of the upload must not become the start of the next request.
            (
                "and keep the connection",
                early(keeping, Leaves),
                Whole("{}"),
                CutOff("0123456789"),
            ),
            (
                "and the client goes on",
                early(OK, Sends("0123456789")),
                Whole("{}"),
                Whole("01234567890123456789"),
            ),
            (
                "with interim responses",
                vec![
                    Client(Sends(&chat)),
                    Upstream(Reads(REWRITTEN)),
                    Upstream(Sends(waits)),
                    Upstream(Sends(hints)),
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
                    Upstream(Sends(waits)),
                    Upstream(Leaves),
                ],
                Error(502, "upstream_unreachable"),
                Whole(REWRITTEN),
            ),
        ],
    )
    .await;
}
