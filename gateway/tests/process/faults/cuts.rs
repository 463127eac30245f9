//! Messages that end at every byte. None is taken for a whole one.

use super::{Gets, Stack};
use crate::{
    messages::{CHAT, EVENTS, OK, REWRITTEN, STREAM, chat, in_chunks, with_length},
    script::{Act, Got, Step, recorded},
};

/// How a sender ends in the middle of a message.
const ENDS: [Act<'_>; 2] = [Act::Finishes, Act::Resets];

/// A request's path, framing, and the body that arrives if all of it was sent.
fn requests() -> [(&'static str, String, &'static str); 4] {
    let (chat, files) = ("/v1/chat/completions", "/v1/files");
    [
        ("chat with a length", with_length(chat, CHAT), REWRITTEN),
        ("chat in chunks", in_chunks(chat, CHAT), REWRITTEN),
        ("upload with a length", with_length(files, CHAT), CHAT),
        ("upload in chunks", in_chunks(files, CHAT), CHAT),
    ]
}

#[tokio::test]
async fn a_request_that_is_cut_anywhere_never_arrives_whole() {
    for (name, request, arrives) in requests() {
        for end in ENDS {
            let stack = Stack::start(&[]).await;
            let clients = async {
                for length in 0..request.len() {
                    let steps = [
                        Step::Client(Act::Sends(&request[..length])),
                        Step::Client(end),
                    ];
                    let (client, _) = stack.run(&steps).await;
                    assert!(
                        !is_success(&client),
                        "{name}, {length} bytes, {end:?}: {client:?}"
                    );
                }
                stack.is_idle().await;
                let whole = [Step::Client(Act::Sends(&request))];
                let (client, _) = stack.run(&whole).await;
                Gets::Whole("{}").check(&client, name);
            };
            let got = recorded(&stack.upstream, OK, clients).await;
            let mut whole = got.iter().filter(|got| matches!(got, Got::Whole(_)));
            Gets::Whole(arrives).check(whole.next().unwrap(), name);
            assert_eq!(whole.next(), None, "{name}, {end:?}");
        }
    }
}

fn is_success(got: &Got) -> bool {
    matches!(got, Got::Whole(message) if message.head.starts_with("HTTP/1.1 200 "))
}

/// Responses, and the bodies that arrive if all of it was sent.
fn responses() -> [(&'static str, String, &'static str); 3] {
    let body = r#"{"choices":[{"message":{"content":"Hi"}}]}"#;
    let start = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let length = body.len();
    let (a, b) = body.split_at(7);
    let chunks = format!("7\r\n{a}\r\n{:x}\r\n{b}\r\n0\r\n\r\n", b.len());
    [
        (
            "with a length",
            format!("{start}content-length: {length}\r\n\r\n{body}"),
            body,
        ),
        (
            "in chunks",
            format!("{start}transfer-encoding: chunked\r\n\r\n{chunks}"),
            body,
        ),
        ("a stream", STREAM.to_owned(), EVENTS),
    ]
}

#[tokio::test]
async fn a_response_that_is_cut_anywhere_never_arrives_whole() {
    let request = chat();
    for arguments in [&[][..], &["--no-response-repairs", "--no-reasoning-memory"]] {
        let stack = Stack::start(arguments).await;
        for (name, response, arrives) in responses() {
            for end in [Act::Leaves, Act::Resets] {
                for length in 0..=response.len() {
                    let steps = [
                        Step::Client(Act::Sends(&request)),
                        Step::Upstream(Act::Reads(REWRITTEN)),
                        Step::Upstream(Act::Sends(&response[..length])),
                        Step::Upstream(end),
                    ];
                    let (client, _) = stack.run(&steps).await;
                    let is_whole = length == response.len();
                    // A reset may overtake what was sent before.
                    if is_whole && matches!(end, Act::Leaves) {
                        Gets::Whole(arrives).check(&client, name);
                    } else {
                        assert!(
                            is_whole || !is_success(&client) || says_so(&client),
                            "{name}, {length} bytes, {end:?}: {client:?}"
                        );
                    }
                }
                stack.is_idle().await;
            }
        }
        stack.serves("after all cuts").await;
    }
}

/// Whether a stream ends with the event that tells clients that it has broken off.
fn says_so(got: &Got) -> bool {
    let Got::Whole(message) = got else {
        return false;
    };
    let last = message.body.trim_end().rsplit("\n\n").next().unwrap();
    last.starts_with("data: {\"error\":") && last.contains("\"stream_broke_off\"")
}
