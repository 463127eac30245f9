//! Bodies of requests as they come in: in all spellings, long, and broken.

use proptest::{
    collection::vec,
    option::weighted,
    prelude::*,
    sample::{Index, select},
};
use serde_json::json;

use crate::{requests, spelling};

/// Chat requests in all spellings, and a few that are none.
pub(crate) fn chats() -> impl Strategy<Value = String> {
    (requests::requests(), spelling::styles())
        .prop_map(|(request, style)| spelling::spell(&request, style))
}

/// Chat requests that have messages, in all spellings.
pub(crate) fn conversations() -> impl Strategy<Value = String> {
    (requests::conversations(), spelling::styles())
        .prop_map(|(request, style)| spelling::spell(&request, style))
}

/// Chats with texts a little shorter and longer than what a rope copies, and with
/// more edits than it gathers in one piece.
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

/// What gets into a body that breaks: every byte that means something, and some
/// that are never right.
const INKS: &[&[u8]] = &[
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

/// Bodies that are often not JSON, by a byte or two.
pub(crate) fn broken() -> impl Strategy<Value = Vec<u8>> {
    let ink = || select(INKS);
    let blots = vec((any::<Index>(), 0..3usize, ink()), 0..3);
    let cut = weighted(0.2, any::<Index>());
    let blotted = (chats(), blots, cut).prop_map(|(body, blots, cut)| {
        let mut body = body.into_bytes();
        for (at, covered, ink) in blots {
            let at = at.index(body.len() + 1);
            let end = body.len().min(at + covered);
            body.splice(at..end, ink.iter().copied());
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len() + 1));
        }
        body
    });
    let scribbled = vec(ink(), 0..12).prop_map(|inks| inks.concat());
    // Around the depth of 127, the brackets of the request included.
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
        6 => blotted,
        2 => scribbled,
        1 => nested,
        1 => vec(any::<u8>(), 0..40),
    ]
}
