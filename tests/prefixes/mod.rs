//! Whether the rewrite of a conversation begins with that of its beginning, so that
//! caches that are keyed by prefix keep hitting from turn to turn.

use proptest::prelude::*;
use serde_json::Value;

use crate::reader::{self, Kind, Node};

/// Cuts a conversation before each message, and checks that what is sent of the
/// messages before the cut has the same bytes with and without the rest.
///
/// There are two exceptions. The shorter one may have a message appended. And where
/// the rest has the first part that is no text, arrays stay arrays that were joined
/// without it.
pub(crate) fn check(send: impl Fn(&str) -> String, body: &str) -> Result<(), TestCaseError> {
    let Some(messages) = messages_of(body) else {
        return Ok(());
    };
    let whole = send(body);
    for cut in 0..messages.len() {
        let shorter = send(&beginning(body, cut));
        let (short, long) = (messages_of(&shorter), messages_of(&whole));
        let (short, long) = (short.unwrap(), long.unwrap());
        prop_assert!(long.len() >= cut && short.len() >= cut);
        prop_assert!(short.len() <= cut + 1, "{} has too many messages", shorter);
        let arrays_come_back = !short[..cut].iter().any(|sent| has_array(sent))
            && long.iter().any(|sent| has_array(sent))
            && messages[cut..]
                .iter()
                .any(|message| has_other_part(message));
        for index in 0..cut {
            if arrays_come_back && has_array(messages[index]) {
                let rest = |text| without_content(text);
                prop_assert_eq!(rest(short[index]), rest(long[index]), "{} of {}", cut, body);
            } else {
                prop_assert_eq!(short[index], long[index], "{} of {}", cut, body);
            }
        }
    }
    Ok(())
}

fn root(body: &str) -> Node {
    reader::read(body.as_bytes()).unwrap_or_else(|at| panic!("no JSON at {at}: {body}"))
}

/// The texts of a request's messages, if it has some.
fn messages_of(body: &str) -> Option<Vec<&str>> {
    let root = root(body);
    let messages = root.member("messages")?;
    let is_array = matches!(messages.kind, Kind::Array(_));
    let spans = messages.children().into_iter();
    is_array.then(|| spans.map(|span| &body[span]).collect())
}

/// A request with its first `cut` messages only, otherwise as it is.
fn beginning(body: &str, cut: usize) -> String {
    let root = root(body);
    let messages = root.member("messages").unwrap();
    let end = match cut.checked_sub(1) {
        Some(last) => messages.children()[last].end,
        None => messages.span.start + 1,
    };
    [&body[..end], &body[messages.span.end - 1..]].concat()
}

fn has_array(message: &str) -> bool {
    let root = root(message);
    let content = root.member("content");
    content.is_some_and(|content| matches!(content.kind, Kind::Array(_)))
}

/// Whether the content has a part that isn't text, by name or by form.
fn has_other_part(message: &str) -> bool {
    let message: Value = serde_json::from_str(message).unwrap();
    let parts = message["content"].as_array();
    parts.is_some_and(|parts| {
        parts.iter().any(|part| {
            let key = part["type"].as_str().unwrap_or_default();
            !matches!(key, "text" | "refusal") || !part[key].is_string()
        })
    })
}

fn without_content(message: &str) -> Value {
    let mut message: Value = serde_json::from_str(message).unwrap();
    message.as_object_mut().unwrap().remove("content");
    message
}
