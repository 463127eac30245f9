//! Objects and arrays that the walk has skipped: the few rules that need their members
//! read them a second time. They are small and rare.

use super::Draft;
use crate::json::{Error, Kind, Member, Scanner, Value};

impl Draft<'_> {
    /// The members of an object in order, each with whether its name is one of
    /// `names`.
    pub(in crate::rewrite) fn members(&self, object: Value, names: &[&str]) -> Vec<(Member, bool)> {
        let mut members = Vec::new();
        for_each_member(self.text, object, |key, member| {
            let is_one = names.iter().any(|name| *key == *name.as_bytes());
            members.push((member, is_one));
        });
        members
    }

    /// The member of an object with this name. If there are several, the last one wins.
    pub(in crate::rewrite) fn member(&self, object: Value, name: &str) -> Option<Member> {
        let mut found = None;
        for_each_member(self.text, object, |key, member| {
            if *key == *name.as_bytes() {
                found = Some(member);
            }
        });
        found
    }

    /// The elements of an array. Empty if the value is not an array.
    pub(in crate::rewrite) fn elements(&self, array: Value) -> Vec<Value> {
        let mut elements = Vec::new();
        for_each_element(self.text, array, |element| elements.push(element));
        elements
    }

    /// Removes all members of an object with this name.
    pub(in crate::rewrite) fn remove_members(&mut self, object: Value, name: &str) {
        for_each_member(self.text, object, |key, member| {
            if *key == *name.as_bytes() {
                self.spans.edits.remove(member.span());
            }
        });
    }

    /// Replaces the value of the member with this name. If there are several, the last
    /// one is kept.
    pub(in crate::rewrite) fn replace_members(
        &mut self,
        object: Value,
        name: &str,
        value: &'static str,
    ) {
        let mut last: Option<Member> = None;
        for_each_member(self.text, object, |key, member| {
            if *key == *name.as_bytes() {
                if let Some(earlier) = last.replace(member) {
                    self.spans.edits.remove(earlier.span());
                }
            }
        });
        if let Some(last) = last {
            self.spans.edits.replace(last.value.span, value);
        }
    }
}

/// Calls `f` with the name and the span of each member of an object.
pub(super) fn for_each_member(text: &[u8], object: Value, mut f: impl FnMut(&[u8], Member)) {
    if object.kind != Kind::Object {
        return;
    }
    let start = object.span.start;
    let inner = object.span.of(text);
    let mut look = || {
        let mut scanner = Scanner::new(inner)?;
        if scanner.open()? {
            loop {
                let key = scanner.key()?;
                let value = moved(scanner.skip()?, start);
                let member = Member {
                    key: key.span.moved(start),
                    value,
                };
                f(&key.unescaped(inner), member);
                if !scanner.more(b'}')? {
                    break;
                }
            }
        }
        Ok::<_, Error>(())
    };
    // The walk has validated the object.
    let looked = look();
    debug_assert!(looked.is_ok());
}

/// Calls `f` with each element of an array.
fn for_each_element(text: &[u8], array: Value, mut f: impl FnMut(Value)) {
    if array.kind != Kind::Array {
        return;
    }
    let start = array.span.start;
    let mut look = || {
        let mut scanner = Scanner::new(array.span.of(text))?;
        if scanner.open()? {
            loop {
                f(moved(scanner.skip()?, start));
                if !scanner.more(b']')? {
                    break;
                }
            }
        }
        Ok::<_, Error>(())
    };
    let looked = look();
    debug_assert!(looked.is_ok());
}

/// Moves a span from the inner text to the body.
fn moved(value: Value, by: u32) -> Value {
    Value {
        span: value.span.moved(by),
        ..value
    }
}
