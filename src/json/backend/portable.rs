//! The back end for any machine. It reads eight bytes at a time in a `u64`, and uses
//! `memchr` for long runs. The other back ends call it to locate errors in strings.

use super::{
    super::{
        Scanner,
        error::{Error, ErrorKind},
    },
    Backend, Pass, StringEnd,
};

/// Runs on any machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Portable;

impl Backend for Portable {
    #[inline(always)]
    fn plain_string(self, text: &[u8], start: usize) -> Option<usize> {
        plain_string(text, start)
    }

    #[inline(always)]
    fn string(self, text: &[u8], start: usize) -> Result<StringEnd, Error> {
        string(text, start)
    }

    #[inline(always)]
    fn space(self, text: &[u8], pos: usize) -> usize {
        space(text, pos)
    }

    #[inline(never)]
    fn run<P: Pass>(scanner: Scanner<'_, Self>, pass: P) -> P::Output {
        pass.run(scanner)
    }
}

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// The length in bytes of a run that is read word by word before [`long_run`] is tried.
const SHORT: usize = 16;

/// The bytes that [`extremes`] reads in one step.
const BLOCK: usize = 32;

#[inline(always)]
fn plain_string(text: &[u8], start: usize) -> Option<usize> {
    for step in [0, 8, 16] {
        let word = load(text, start + step)?;
        // As in `special`, which needs masks only for bytes that aren't ASCII. Those stop
        // this loop.
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let stop = (quote.wrapping_sub(ONES)
            | backslash.wrapping_sub(ONES)
            | word.wrapping_sub(ONES * 0x20)
            | word)
            & HIGH;
        if stop != 0 {
            let end = start + step + (stop.trailing_zeros() / 8) as usize;
            return (text.get(end) == Some(&b'"')).then_some(end);
        }
    }
    None
}

#[inline(never)]
pub(super) fn string(text: &[u8], start: usize) -> Result<StringEnd, Error> {
    let mut pos = start;
    let mut run = start;
    let mut escaped = false;
    let mut high = 0;
    loop {
        let Some(word) = load(text, pos) else {
            return string_tail(text, start, pos, escaped, high != 0);
        };
        let special = special(word);
        if special == 0 {
            high |= word & HIGH;
            pos += 8;
            if pos - run >= SHORT {
                let (end, non_ascii) =
                    long_run(text, pos).map_err(|e| utf8_first(text, start, e))?;
                high |= u64::from(non_ascii);
                pos = end;
                run = end;
            }
            continue;
        }
        let skip = special.trailing_zeros();
        // The bits below the first special byte; `skip` is 7, 15, … or 63.
        high |= word & HIGH & ((1 << skip) - 1);
        pos += (skip / 8) as usize;
        match text[pos] {
            b'"' => return end(text, start, pos, escaped, high != 0),
            b'\\' => {
                escaped = true;
                // Escapes often follow each other: "\u6708\u4e4b", "\n\t".
                while text.get(pos) == Some(&b'\\') {
                    pos += escape(text, pos).map_err(|e| utf8_first(text, start, e))?;
                }
                run = pos;
            }
            _ => {
                let error = Error::new(ErrorKind::ControlCharacter, pos);
                return Err(utf8_first(text, start, error));
            }
        }
    }
}

/// Reads the last few bytes of the text one at a time.
#[cold]
fn string_tail(
    text: &[u8],
    start: usize,
    mut pos: usize,
    mut escaped: bool,
    mut non_ascii: bool,
) -> Result<StringEnd, Error> {
    while let Some(&byte) = text.get(pos) {
        match byte {
            b'"' => return end(text, start, pos, escaped, non_ascii),
            b'\\' => {
                escaped = true;
                pos += escape(text, pos).map_err(|e| utf8_first(text, start, e))?;
                continue;
            }
            0..0x20 => {
                let error = Error::new(ErrorKind::ControlCharacter, pos);
                return Err(utf8_first(text, start, error));
            }
            _ => non_ascii |= byte >= 0x80,
        }
        pos += 1;
    }
    let error = Error::new(ErrorKind::UnexpectedEnd, text.len());
    Err(utf8_first(text, start, error))
}

/// Validates UTF-8 at the end of a string that contains more than ASCII.
#[inline]
fn end(
    text: &[u8],
    start: usize,
    quote: usize,
    escaped: bool,
    non_ascii: bool,
) -> Result<StringEnd, Error> {
    if non_ascii && simdutf8::basic::from_utf8(&text[start..quote]).is_err() {
        let error = Error::new(ErrorKind::InvalidUtf8, quote);
        return Err(utf8_first(text, start, error));
    }
    Ok(StringEnd { quote, escaped })
}

/// Returns the first invalid UTF-8 before `error`, or else `error`.
#[cold]
fn utf8_first(text: &[u8], start: usize, error: Error) -> Error {
    match simdutf8::compat::from_utf8(&text[start..error.offset().min(text.len())]) {
        Ok(_) => error,
        Err(broken) => Error::new(ErrorKind::InvalidUtf8, start + broken.valid_up_to()),
    }
}

/// Skips to the next quote or backslash. Returns its offset, and whether a byte before it
/// is not ASCII.
fn long_run(text: &[u8], start: usize) -> Result<(usize, bool), Error> {
    let Some(length) = memchr::memchr2(b'"', b'\\', &text[start..]) else {
        // The string does not end. A control character is the earlier error.
        let control = text[start..].iter().position(|&byte| byte < 0x20);
        let kind = match control {
            Some(_) => ErrorKind::ControlCharacter,
            None => ErrorKind::UnexpectedEnd,
        };
        return Err(Error::new(
            kind,
            control.map_or(text.len(), |at| start + at),
        ));
    };
    let run = &text[start..start + length];
    let (lowest, bits) = extremes(run);
    if lowest < 0x20 {
        let at = run.iter().position(|&byte| byte < 0x20).unwrap_or(0);
        return Err(Error::new(ErrorKind::ControlCharacter, start + at));
    }
    Ok((start + length, bits >= 0x80))
}

/// Returns the lowest byte, and the bitwise OR of all bytes. It has no early exit, so that
/// the compiler can vectorize it.
fn extremes(run: &[u8]) -> (u8, u8) {
    let mut lowest = [0xff; BLOCK];
    let mut bits = [0; BLOCK];
    let mut look = |block: &[u8; BLOCK]| {
        for lane in 0..BLOCK {
            lowest[lane] = block[lane].min(lowest[lane]);
            bits[lane] |= block[lane];
        }
    };
    let Some(last) = run.last_chunk() else {
        let bits = run.iter().fold(0, |bits, byte| bits | byte);
        return (run.iter().copied().min().unwrap_or(0xff), bits);
    };
    for block in run.chunks_exact(BLOCK).filter_map(<[u8]>::first_chunk) {
        look(block);
    }
    // The last block overlaps the one before it, which doesn't change the result.
    look(last);
    (
        lowest.into_iter().min().unwrap_or(0xff),
        bits.into_iter().fold(0, |bits, byte| bits | byte),
    )
}

/// Returns the length of the escape that starts at `pos`.
#[inline]
fn escape(text: &[u8], pos: usize) -> Result<usize, Error> {
    match text.get(pos + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => match text.get(pos + 2..pos + 6) {
            Some(digits)
                if digits
                    .iter()
                    .fold(0, |bad, &digit| bad | NOT_HEX[digit as usize])
                    == 0 =>
            {
                Ok(6)
            }
            _ => Err(bad_hex(text, pos + 2)),
        },
        Some(_) => Err(Error::new(ErrorKind::InvalidEscape, pos + 1)),
        None => Err(Error::new(ErrorKind::UnexpectedEnd, text.len())),
    }
}

/// 0 for hexadecimal digits, 1 for anything else.
static NOT_HEX: [u8; 256] = {
    let mut table = [1; 256];
    let mut byte = 0;
    while byte < 256 {
        if (byte as u8).is_ascii_hexdigit() {
            table[byte] = 0;
        }
        byte += 1;
    }
    table
};

#[cold]
fn bad_hex(text: &[u8], start: usize) -> Error {
    let digits = text[start..].iter().take(4);
    let good = digits.take_while(|digit| digit.is_ascii_hexdigit()).count();
    let kind = if start + good == text.len() {
        ErrorKind::UnexpectedEnd
    } else {
        ErrorKind::InvalidEscape
    };
    Error::new(kind, start + good)
}

#[inline(never)]
pub(super) fn space(text: &[u8], mut pos: usize) -> usize {
    while let Some(word) = load(text, pos) {
        // Indentation consists of spaces, so other white space is read one at a time.
        let other = word ^ (ONES * b' ' as u64);
        if other == 0 {
            pos += 8;
            continue;
        }
        pos += (other.trailing_zeros() / 8) as usize;
        match text[pos] {
            b'\n' | b'\r' | b'\t' => pos += 1,
            _ => return pos,
        }
    }
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(pos) {
        pos += 1;
    }
    pos
}

/// Loads eight bytes, the first one lowest.
#[inline]
fn load(text: &[u8], pos: usize) -> Option<u64> {
    let bytes = text.get(pos..pos + 8)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes))
}

/// Sets the high bit of each byte that is a quote, a backslash or a control character.
/// Only the lowest bit set is reliable: borrows may set higher ones.
#[inline]
const fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    (quote.wrapping_sub(ONES) & !quote
        | backslash.wrapping_sub(ONES) & !backslash
        | word.wrapping_sub(ONES * 0x20) & !word)
        & HIGH
}
