//! Random request bodies: in all spellings, long, and broken.

use proptest::{
    collection::vec,
    option::weighted,
    prelude::*,
    sample::{Index, select},
};
use serde_json::json;

use crate::{requests, spelling};

/// Chat requests in all spellings, and a few bodies of other kinds.
pub(crate) fn chats() -> impl Strategy<Value = String> {
    (requests::requests(), spelling::styles())
        .prop_map(|(request, style)| spelling::spell(&request, style))
}

/// Chat requests that have messages, in all spellings.
pub(crate) fn conversations() -> impl Strategy<Value = String> {
    (requests::conversations(), spelling::styles())
        .prop_map(|(request, style)| spelling::spell(&request, style))
}

/// Chats with texts around the lengths at which a rope copies and gathers, and with more
/// edits than fit one piece.
pub(crate) fn long_chats() -> impl Strategy<Value = String> {
    const KIB: usize = 1024;
    let length = select(vec![
        1,
        100,
        16 * KIB - 40,
        16 * KIB - 1,
        16 * KIB,
        16 * KIB + 1,
        48 * KIB - 1,
        48 * KIB,
        48 * KIB + 1,
        100 * KIB,
    ]);
    let role = select(vec!["user", "developer", "assistant"]);
    let message = (role, length, any::<bool>()).prop_map(|(role, length, in_parts)| {
        let text = "x".repeat(length);
        let content = if in_parts {
            json!([{"type": "text", "text": text}, {"type": "text", "text": "é"}])
        } else {
            json!(text)
        };
        json!({"role": role, "content": content})
    });
    let empty = (0..3000usize).prop_map(|count| vec![json!({"role": "assistant"}); count]);
    let choice = select(vec!["auto", "required"]);
    (vec(message, 0..5), empty, choice).prop_map(|(long, empty, choice)| {
        let messages = [long, empty].concat();
        let request = json!({
            "messages": messages,
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "tool_choice": choice,
        });
        request.to_string()
    })
}

/// Pieces that break a body: every byte with a meaning in JSON, and some that are never
/// valid.
const PIECES: &[&[u8]] = &[
    b"",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\\uDC00",
    b",",
    b":",
    b"-",
    b"+",
    b".",
    b"0",
    b"01",
    b"1e400",
    b"e",
    b"E+",
    b"true",
    b"nul",
    b"NaN",
    b" ",
    b"\n",
    b"\r",
    b"\t",
    b"\0",
    b"\x1f",
    b"\x7f",
    b"\x80",
    b"\xc3",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xe4\xbd",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x98\x80",
    b"/",
    b"'",
    b"//",
];

/// Bodies that are often invalid JSON because of a byte or two.
pub(crate) fn broken() -> impl Strategy<Value = Vec<u8>> {
    let piece = || select(PIECES);
    let splices = vec((any::<Index>(), 0..3usize, piece()), 0..3);
    let cut = weighted(0.2, any::<Index>());
    let spliced = (chats(), splices, cut).prop_map(|(body, splices, cut)| {
        let mut body = body.into_bytes();
        for (at, covered, piece) in splices {
            let at = at.index(body.len() + 1);
            let end = body.len().min(at + covered);
            body.splice(at..end, piece.iter().copied());
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len() + 1));
        }
        body
    });
    let random = vec(piece(), 0..12).prop_map(|pieces| pieces.concat());
    // Around the maximum depth of 127, the brackets of the request included.
    let nested = (124..129usize, any::<bool>()).prop_map(|(depth, in_objects)| {
        let (open, close) = if in_objects {
            ("{\"a\":", "}")
        } else {
            ("[", "]")
        };
        let nest = format!("{}0{}", open.repeat(depth), close.repeat(depth));
        format!("{{\"messages\":[],\"deep\":{nest}}}").into_bytes()
    });
    prop_oneof![
        6 => spliced,
        2 => random,
        1 => nested,
        1 => vec(any::<u8>(), 0..40),
    ]
}
