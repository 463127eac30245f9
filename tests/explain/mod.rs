//! Why the bytes of a rewritten text are what they are.

use proptest::prelude::*;
use serde_json::Value;

use crate::reader::{self, Kind, Member, Node};

/// Checks that `after` is `before` with the smallest edits:
///
/// - what means the same has the same bytes, keys, escapes and numbers included;
/// - what stays is in the same order, and what is new comes last;
/// - between what stays there is the same white space, less what belonged to
///   something that went;
/// - a key whose value was edited stands once, so that who reads the first of
///   equal keys reads the same as who reads the last.
pub(crate) fn explain(before: &str, after: &str) -> Result<(), TestCaseError> {
    let texts = Texts { before, after };
    let read = |text: &str| reader::read(text.as_bytes()).unwrap();
    let (old, new) = (read(before), read(after));
    // Around the value itself.
    prop_assert_eq!(&before[..old.span.start], &after[..new.span.start]);
    prop_assert_eq!(&before[old.span.end..], &after[new.span.end..]);
    texts.value(&old, &new)
}

#[derive(Clone, Copy)]
struct Texts<'a> {
    before: &'a str,
    after: &'a str,
}

impl Texts<'_> {
    fn value(self, old: &Node, new: &Node) -> Result<(), TestCaseError> {
        let (old_text, new_text) = (
            &self.before[old.span.clone()],
            &self.after[new.span.clone()],
        );
        let parse = |text| serde_json::from_str::<Value>(text).unwrap();
        if parse(old_text) == parse(new_text) {
            prop_assert_eq!(old_text, new_text);
            return Ok(());
        }
        // Disabled thinking replaces whatever `thinking` was.
        if new_text == r#"{"type":"disabled"}"# {
            return Ok(());
        }
        if let Some(function) = new.member("function").filter(|_| is_flat(old)) {
            return self.nested(old, function);
        }
        match (&old.kind, &new.kind) {
            (Kind::Object(old_members), Kind::Object(new_members)) => {
                self.members(old, new, old_members, new_members)?;
                self.space(old, new)
            }
            (Kind::Array(old_items), Kind::Array(new_items)) => {
                self.items(old_items, new_items)?;
                self.space(old, new)
            }
            (Kind::Array(parts), Kind::Scalar) => self.joined(parts, new_text),
            _ => Ok(()),
        }
    }

    fn members(
        self,
        old: &Node,
        new: &Node,
        old_members: &[Member],
        new_members: &[Member],
    ) -> Result<(), TestCaseError> {
        let mut rest = old_members.iter();
        let mut is_at_end = false;
        for member in new_members {
            let key = &member.key;
            let was = old.member(key);
            let is = &new.member(key).unwrap().span;
            let same_value =
                was.is_some_and(|was| self.before[was.span.clone()] == self.after[is.clone()]);
            if !same_value {
                let count = new_members.iter().filter(|other| other.key == *key).count();
                prop_assert_eq!(count, 1, "{} stands several times", key);
            }
            // Reasoning keeps its place, or takes that of the texts it is joined from.
            let was_reasoning = |other: &&Member| match &*other.key {
                "reasoning" => self.before[other.value.span.clone()] == self.after[is.clone()],
                "reasoning_details" => new.member("reasoning_details").is_none(),
                _ => false,
            };
            if key == "reasoning_content" && !same_value {
                if let Some(reasoning) = old_members.iter().rfind(was_reasoning) {
                    rest.find(|other| other.span == reasoning.span);
                    continue;
                }
            }
            match was {
                None => is_at_end = true,
                Some(was) => {
                    prop_assert!(!is_at_end, "{} is behind what is new", key);
                    // The next of this name in the old order.
                    let next = rest.find(|other| {
                        other.key == *key && (same_value || other.value.span == was.span)
                    });
                    let Some(next) = next else {
                        // Removed by one rule, and needed by a later one.
                        prop_assert_eq!(key, "thinking", "{} is out of order", key);
                        is_at_end = true;
                        continue;
                    };
                    prop_assert_eq!(
                        &self.before[next.span.start..next.value.span.start],
                        &self.after[member.span.start..member.value.span.start],
                        "the key is spelled differently"
                    );
                    // Other dialects' choices are written anew.
                    if key != "tool_choice" {
                        self.value(&next.value, &member.value)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn items(self, old: &[Node], new: &[Node]) -> Result<(), TestCaseError> {
        if new.len() < old.len() {
            let mut rest = old.iter();
            for item in new {
                let text = &self.after[item.span.clone()];
                let is_same = |old: &Node| self.before[old.span.clone()] == *text;
                let name = tool_name(self.after, item);
                let found = if name.is_some() {
                    // The first tool of this name that it can have been made of.
                    rest.any(|old| {
                        tool_name(self.before, old) == name && self.value(old, item).is_ok()
                    })
                } else if rest.clone().any(is_same) {
                    rest.any(is_same)
                } else {
                    rest.any(|old| self.value(old, item).is_ok())
                };
                prop_assert!(found, "{} is not an original item, or out of order", text);
            }
            return Ok(());
        }
        for (old, new) in old.iter().zip(new) {
            self.value(old, new)?;
        }
        Ok(())
    }

    /// A flat tool that was nested has the members of the flat one, in their order.
    fn nested(self, old: &Node, function: &Node) -> Result<(), TestCaseError> {
        let mut rest = old.members().iter();
        for member in function.members() {
            let found = rest.find(|other| {
                let (was, is) = (&other.span, &member.span);
                let same_key = self.before[was.start..other.value.span.start]
                    == self.after[is.start..member.value.span.start];
                same_key && self.value(&other.value, &member.value).is_ok()
            });
            prop_assert!(found.is_some(), "{} is new, or out of order", member.key);
        }
        Ok(())
    }

    /// A content array that became a string has the escapes of its parts.
    fn joined(self, parts: &[Node], new_text: &str) -> Result<(), TestCaseError> {
        let texts = parts.iter().filter_map(|part| {
            let kind = part.member("type")?;
            let kind: String = serde_json::from_str(&self.before[kind.span.clone()]).ok()?;
            // Thoughts have left.
            let kind = Some(kind).filter(|kind| matches!(&**kind, "text" | "refusal"))?;
            let text = part.member(&kind)?.span.clone();
            Some(&self.before[text.start + 1..text.end - 1])
        });
        let joined: String = texts.collect();
        if !joined.is_empty() {
            prop_assert_eq!(format!("\"{}\"", joined), new_text);
        }
        Ok(())
    }

    /// No white space is new, and none goes while everything it is between stays.
    fn space(self, old: &Node, new: &Node) -> Result<(), TestCaseError> {
        let (before, after) = (between(self.before, old), between(self.after, new));
        if old.children().len() == new.children().len() && keys(old) == keys(new) {
            prop_assert_eq!(before, after);
            return Ok(());
        }
        let mut rest = before.chars();
        for space in after.chars().filter(|&letter| letter != ',') {
            prop_assert!(rest.any(|letter| letter == space), "white space is new");
        }
        Ok(())
    }
}

/// Whether a tool has beside `type` what belongs under `function`.
fn is_flat(node: &Node) -> bool {
    let has = |key: &str| node.member(key).is_some();
    has("type") && has("name") && !has("function")
}

/// The name of a tool's function, nested or flat.
fn tool_name(text: &str, node: &Node) -> Option<Value> {
    let name = match node.member("function") {
        Some(function) => function.member("name"),
        None => node.member("name"),
    };
    serde_json::from_str(&text[name?.span.clone()]).ok()
}

fn keys(node: &Node) -> Vec<&str> {
    let keys = node.members().iter().map(|member| &*member.key);
    keys.collect()
}

/// What stands between the children of a value.
fn between(text: &str, node: &Node) -> String {
    let mut between = String::new();
    let mut from = node.span.start;
    for child in node.children() {
        between.push_str(&text[from..child.start]);
        from = child.end;
    }
    between.push_str(&text[from..node.span.end]);
    between
}
