//! The cost of only reading or copying a body.

use std::hint::black_box;

use bytes::Bytes;

/// Copies the body to newly allocated memory.
pub(crate) fn copy(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    let copy = body.to_vec();
    send(&copy);
    Some(())
}

/// Validates UTF-8.
pub(crate) fn utf8(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    simdutf8::basic::from_utf8(body).ok()?;
    send(body);
    Some(())
}

/// Finds quotes and backslashes.
pub(crate) fn quotes(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    black_box(memchr::memchr2_iter(b'"', b'\\', body).count());
    send(body);
    Some(())
}
