//! What a conversation begins with: its system messages and the first message of the user.

use std::{borrow::Cow, collections::HashMap, fmt, sync::LazyLock};

use memchr::memmem::Finder;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::affinity::Digest;

static MESSAGES: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\"messages\""));

/// Returns a digest of what the conversation in a request begins with; `None` if there is
/// no message of the user.
///
/// A client sends the same start with the same bytes in each turn, so the values are
/// hashed as they are spelled. Nothing behind the first message of the user is read. If a
/// request is spelled oddly, its conversation may move to another entry, and nothing else
/// happens.
pub(crate) fn start_of(body: &[u8], scope: Option<&impl std::hash::Hash>) -> Option<Digest> {
    let mut start = Start {
        values: Vec::new(),
        is_complete: false,
    };
    let messages = messages_of(body)?;
    let mut json = serde_json::Deserializer::from_slice(messages);
    // It ends with an error once the start is complete.
    let _ = json.deserialize_seq(&mut start);
    start
        .is_complete
        .then(|| Digest::of(&(scope, start.values)))
}

/// The text from the array of messages on. Within a string the quotes of the name would be
/// escaped.
fn messages_of(body: &[u8]) -> Option<&[u8]> {
    MESSAGES.find_iter(body).find_map(|name| {
        let rest = body
            .get(name + MESSAGES.needle().len()..)?
            .trim_ascii_start();
        let value = rest.strip_prefix(b":")?.trim_ascii_start();
        value.starts_with(b"[").then_some(value)
    })
}

/// The contents of the messages at the start.
struct Start<'a> {
    values: Vec<&'a str>,
    is_complete: bool,
}

impl<'a> Visitor<'a> for &mut Start<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("messages")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut messages: A) -> Result<(), A::Error> {
        type Message<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

        while let Some(message) = messages.next_element::<Message<'a>>()? {
            let value = |name: &str| message.get(name).map_or("", |value| value.get());
            let role = value("role");
            if matches!(role, "\"system\"" | "\"developer\"" | "\"user\"") {
                self.values.push(value("content"));
            }
            if role == "\"user\"" {
                self.is_complete = true;
                return Err(A::Error::custom("the start is complete"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(body: &str) -> Option<Digest> {
        start_of(body.as_bytes(), Some(&"a caller"))
    }

    #[test]
    fn later_turns_begin_with_the_same() {
        let first = start(
            r#"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[1]}]}"#,
        );
        assert!(first.is_some());
        for later in [
            r#"{"messages" : [{"role":"system","content":"s"},{"content":[1],"role":"user"},{"role":"assistant","content":"x"},{"role":"user","content":"y"}],"model":"other"}"#,
            r#"{"tools":[{"description":"\"messages\":[{}]"}],"messages":[{"role":"system","content":"s"},{"role":"user","content":[1]}]}"#,
            // Nothing behind it is read.
            r#"{"messages":[{"role":"developer","content":"s"},{"role":"user","content":[1]},nonsense"#,
        ] {
            assert_eq!(start(later), first, "{later}");
        }
        for other in [
            r#"{"messages":[{"role":"system","content":"t"},{"role":"user","content":[1]}]}"#,
            r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":[2]}]}"#,
            r#"{"messages":[{"role":"user","content":[1]}]}"#,
        ] {
            assert_ne!(start(other), first, "{other}");
        }
    }

    #[test]
    fn callers_are_told_apart() {
        let body = br#"{"messages":[{"role":"user","content":"Hi"}]}"#;
        let of = |scope: Option<&str>| start_of(body, scope.as_ref());
        assert_ne!(of(Some("a")), of(Some("b")));
        assert_ne!(of(Some("a")), of(None));
        assert_eq!(of(Some("a")), of(Some("a")));
    }

    #[test]
    fn without_a_message_of_the_user_there_is_no_start() {
        for body in [
            "",
            "{}",
            "nonsense",
            r#"{"messages":null}"#,
            r#"{"messages":[]}"#,
            r#"{"messages":[1]}"#,
            r#"{"messages":[{"role":"system","content":"s"}]}"#,
            "{\"messages\":[{\"role\":\"user\",\"content\":\"\u{1}\"}]}",
        ] {
            assert_eq!(start(body), None, "{body}");
        }
    }
}
