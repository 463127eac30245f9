//! Trailers over HTTP/1.1, where hyper sends those that a header announces.

use crate::{
    messages::{CHAT, OK, REWRITTEN, chat, in_chunks},
    script::{
        Act::{Reads, Sends},
        Got,
        Step::{Client, Upstream},
        run,
    },
    stack::{BOTH, Stack},
};

#[tokio::test]
async fn of_requests_arrive_behind_unchanged_bodies() {
    for (path, announced, arrives) in [
        ("/v1/files", true, "x-checksum: 7"),
        ("/v1/files", false, ""),
        // A rewritten body is sent with a length, which leaves no place for trailers.
        ("/v1/chat/completions", true, ""),
    ] {
        let request = in_chunks(path, CHAT);
        let request = request.strip_suffix("\r\n").unwrap();
        let request = format!("{request}x-checksum: 7\r\n\r\n");
        let request = match announced {
            true => request.replace("\r\nhost:", "\r\ntrailer: x-checksum\r\nhost:"),
            false => request,
        };
        for layers in BOTH {
            let stack = Stack::start(layers).await;
            let steps = [
                Client(Sends(&request)),
                Upstream(Reads("}]}")),
                Upstream(Sends(OK)),
            ];
            let (_, upstream) = run(stack.address, &stack.upstream, &steps).await;
            let Got::Whole(upstream) = upstream else {
                panic!("{path}: {upstream:?}");
            };
            let is_chat = path.ends_with("completions");
            assert_eq!(upstream.body, if is_chat { REWRITTEN } else { CHAT });
            assert_eq!(upstream.trailers, arrives, "{path}, {layers:?}");
        }
    }
}

#[tokio::test]
async fn of_responses_arrive_at_clients_that_accept_them() {
    let response = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\
        trailer: x-checksum\r\n\r\n2\r\n{}\r\n0\r\nx-checksum: 7\r\n\r\n";
    for (accepts, arrives) in [("te: trailers\r\n", "x-checksum: 7"), ("", "")] {
        let request = chat().replace("content-type", &format!("{accepts}content-type"));
        for layers in BOTH {
            let stack = Stack::start(layers).await;
            let steps = [
                Client(Sends(&request)),
                Upstream(Reads(REWRITTEN)),
                Upstream(Sends(response)),
            ];
            let (client, _) = run(stack.address, &stack.upstream, &steps).await;
            let Got::Whole(client) = client else {
                panic!("{client:?}");
            };
            assert_eq!((&*client.body, &*client.trailers), ("{}", arrives));
        }
    }
}
