//! What reading or copying the body costs alone.

use std::hint::black_box;

use bytes::Bytes;

/// A copy of the body, into memory that was just allocated.
pub(crate) fn copy(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    let copy = body.to_vec();
    send(&copy);
    Some(())
}

/// Is it UTF-8?
pub(crate) fn utf8(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    simdutf8::basic::from_utf8(body).ok()?;
    send(body);
    Some(())
}

/// Where are the quotes and backslashes?
pub(crate) fn quotes(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    black_box(memchr::memchr2_iter(b'"', b'\\', body).count());
    send(body);
    Some(())
}
