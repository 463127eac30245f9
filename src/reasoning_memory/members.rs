//! Members and elements of values that were validated before.

use crate::json::{Error, Kind, Scanner, Value};

/// The member of an object with this name.
pub(super) fn member(raw: &[u8], name: &[u8]) -> Option<Value> {
    let mut found = None;
    each_member(raw, |key, value| {
        if key == name {
            found = Some(value);
        }
    });
    found
}

/// Calls `see` for every member of an object. Anything else has none. The text was
/// validated before, so there is no error.
pub(super) fn each_member(raw: &[u8], mut see: impl FnMut(&[u8], Value)) {
    let mut read = || -> Result<(), Error> {
        let mut scanner = Scanner::new(raw)?;
        if scanner.peek()? == Kind::Object && scanner.open()? {
            loop {
                let key = scanner.key()?.unescaped(raw);
                let value = scanner.skip()?;
                see(&key, value);
                if !scanner.more(b'}')? {
                    break;
                }
            }
        }
        Ok(())
    };
    let _ = read();
}

/// Calls `see` for every element of an array. Anything else has none.
pub(super) fn each_element(raw: &[u8], mut see: impl FnMut(Value)) {
    let mut read = || -> Result<(), Error> {
        let mut scanner = Scanner::new(raw)?;
        if scanner.peek()? == Kind::Array && scanner.open()? {
            loop {
                see(scanner.skip()?);
                if !scanner.more(b']')? {
                    break;
                }
            }
        }
        Ok(())
    };
    let _ = read();
}
