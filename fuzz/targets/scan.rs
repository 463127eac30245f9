//! The scanner: every back end accepts what `serde_json` accepts, and rejects at the offset
//! at which a simple reader does.
#![no_main]

#[allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "the target needs the scanner alone"
)]
#[path = "../../src/json/mod.rs"]
mod json;
#[allow(dead_code, reason = "the target needs no spans")]
#[path = "../../tests/reader/mod.rs"]
mod reader;

use libfuzzer_sys::fuzz_target;
use tower_moonshot_fuzz::json::is_accepted;

fuzz_target!(|data: &[u8]| {
    let [shift, start, text @ ..] = data else {
        return;
    };
    // Some back ends read from multiples of 64 bytes on, so addresses matter. The text ends
    // where its allocation does, so that a sanitizer sees reads beyond it.
    let shift = usize::from(shift % 64);
    let buffer: Box<[u8]> = [&[0; 64][..shift], text].concat().into();
    let text = &buffer[shift..];

    let outcome = json::agree(text, usize::from(*start) % (text.len() + 1));
    let expected = reader::read(text);
    match (&outcome.value, &expected) {
        (Ok(value), Ok(node)) => assert_eq!(value.span.range(), node.span),
        (Err(error), Err(offset)) => assert_eq!(error.offset(), *offset),
        (value, expected) => panic!("{value:?}, but expected {expected:?}"),
    }
    assert_eq!(outcome.value.is_ok(), is_accepted(text));
});
