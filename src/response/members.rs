//! A closer look at one object.

use crate::json::{Error, Kind, Member, Scanner, Span, Value};

/// Calls `see` with what each key says and where its member is. The object is one
/// that was read before, so it is valid; anything else has no members.
pub(super) fn each_member(text: &[u8], object: Value, mut see: impl FnMut(&[u8], Member)) {
    if object.kind == Kind::Object {
        // The text was read before: there is no error to report.
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

/// A text as a JSON string, quotes included.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
