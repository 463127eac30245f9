//! Requests and responses.

/// A chat request that becomes shorter, and the result.
pub(crate) const CHAT: &str =
    r#"{"model":"moonshot/kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;
pub(crate) const REWRITTEN: &str =
    r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;

/// A response with a length.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
    content-length: 2\r\nconnection: close\r\n\r\n{}";

/// A stream of one event and the marker of its end.
pub(crate) const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    transfer-encoding: chunked\r\nconnection: close\r\n\r\n\
    9\r\ndata: 1\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";

/// Its body.
pub(crate) const EVENTS: &str = "data: 1\n\ndata: [DONE]\n\n";

/// The head of a request, up to the headers that say how long its body is.
pub(crate) fn head(path: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\
         content-type: application/json\r\n"
    )
}

/// A request with a length.
pub(crate) fn with_length(path: &str, body: &str) -> String {
    let length = body.len();
    format!("{}content-length: {length}\r\n\r\n{body}", head(path))
}

/// A request in two chunks.
pub(crate) fn in_chunks(path: &str, body: &str) -> String {
    let (start, end) = body.split_at(body.len() / 2);
    format!(
        "{}transfer-encoding: chunked\r\n\r\n{:x}\r\n{start}\r\n{:X};a=b\r\n{end}\r\n0\r\n\r\n",
        head(path),
        start.len(),
        end.len()
    )
}

pub(crate) fn chat() -> String {
    with_length("/v1/chat/completions", CHAT)
}

/// An upload of 20 bytes of which the first half is sent.
pub(crate) fn half() -> String {
    format!("{}content-length: 20\r\n\r\n0123456789", head("/v1/files"))
}
