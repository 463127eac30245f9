//! What a conversation begins with: its system messages and the first message of the user.

use std::{borrow::Cow, collections::HashMap, fmt, hash::Hash};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::affinity::Digest;

/// Returns a digest of the caller and of what the conversation in a request begins with.
/// Without a message of the user, only the caller counts.
///
/// A client sends the same start with the same bytes in each turn, so the values are
/// hashed as they are spelled. Nothing behind the first message of the user is read. If a
/// request is spelled oddly, its conversation may move to another entry, and nothing else
/// happens.
pub(crate) fn start_of(body: &[u8], scope: Option<&impl Hash>) -> Digest {
    let mut start = Start {
        values: Vec::new(),
        is_complete: false,
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    // It ends with an error once the start is complete.
    let _ = json.deserialize_map(Members(&mut start));
    if !start.is_complete {
        start.values.clear();
    }
    Digest::of(&(scope, start.values))
}

/// Finds the messages among the members of a request.
struct Members<'s, 'a>(&'s mut Start<'a>);

impl<'a> Visitor<'a> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<Cow<'a, str>>()? {
            if key == "messages" {
                // Of two arrays of messages the last counts, but who sends two?
                return members.next_value_seed(&mut *self.0);
            }
            members.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl<'a> DeserializeSeed<'a> for &mut Start<'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
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

    fn start(body: &str) -> Digest {
        start_of(body.as_bytes(), Some(&"a caller"))
    }

    #[test]
    fn later_turns_begin_with_the_same() {
        let first = start(
            r#"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[1]}]}"#,
        );
        assert_ne!(first, start("{}"));
        for later in [
            r#"{"messages" : [{"role":"system","content":"s"},{"content":[1],"role":"user"},{"role":"assistant","content":"x"},{"role":"user","content":"y"}],"model":"other"}"#,
            r#"{"metadata":{"messages":[{"role":"user","content":"x"}]},"messages":[{"role":"system","content":"s"},{"role":"user","content":[1]}]}"#,
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
    fn without_a_message_of_the_user_only_the_caller_counts() {
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
            assert_eq!(start(body), start("{}"), "{body}");
            assert_ne!(
                start(body),
                start_of(body.as_bytes(), Some(&"another")),
                "{body}"
            );
        }
    }
}
