//! Reads the members of one object.

use crate::json::{Error, Kind, Member, Scanner, Span, Value};

/// Calls `see` with the unescaped key and the span of each member. `object` was parsed
/// before, so it is valid. A value that is not an object has no members.
pub(super) fn each_member(text: &[u8], object: Value, mut see: impl FnMut(&[u8], Member)) {
    if object.kind == Kind::Object {
        // Cannot fail: the text was parsed before.
        let _ = try_each(object.span.of(text), object.span.start, &mut see);
    }
}

fn try_each(object: &[u8], base: u32, see: &mut impl FnMut(&[u8], Member)) -> Result<(), Error> {
    let mut scanner = Scanner::new(object)?;
    scanner.peek()?;
    if !scanner.open()? {
        return Ok(());
    }
    loop {
        let key = scanner.key()?;
        let value = scanner.skip()?;
        let member = Member {
            key: shifted(key.span, base),
            value: Value {
                span: shifted(value.span, base),
                ..value
            },
        };
        see(&key.unescaped(object), member);
        if !scanner.more(b'}')? {
            return Ok(());
        }
    }
}

const fn shifted(span: Span, base: u32) -> Span {
    Span {
        start: span.start + base,
        end: span.end + base,
    }
}
