//! What a JSON string says, written into memory that is kept.

/// Resolves the escapes of a valid JSON string, in quotes. The text is in `out` if there
/// are any, and in `quoted` itself if not. `None` if half of a surrogate pair is escaped,
/// which is no text.
pub(super) fn unescape<'a>(quoted: &'a [u8], out: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = quoted.get(1..quoted.len().checked_sub(1)?)?;
    let Some(mut plain) = memchr::memchr(b'\\', rest) else {
        return Some(rest);
    };
    out.clear();
    out.reserve(rest.len() + EIGHT);
    loop {
        out.extend_from_slice(&rest[..plain]);
        rest = near(&rest[plain..], out)?;
        match memchr::memchr(b'\\', rest) {
            Some(far) => plain = far,
            None => {
                out.extend_from_slice(rest);
                return Some(out);
            }
        }
    }
}

/// Resolves escapes that are near each other, as most are in arguments. Returns the text
/// behind them once [`EIGHT`] bytes twice in a row have none.
fn near<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut plain = 0;
    while plain < 2 * EIGHT {
        if let [b'\\', escape, behind @ ..] = rest {
            plain = 0;
            rest = behind;
            match escape {
                b'b' => out.push(b'\x08'),
                b'f' => out.push(b'\x0c'),
                b'n' => out.push(b'\n'),
                b'r' => out.push(b'\r'),
                b't' => out.push(b'\t'),
                b'u' => {
                    let character;
                    (character, rest) = unicode(rest)?;
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                &other => out.push(other),
            }
        } else if let Some(next) = rest.first_chunk::<EIGHT>() {
            // Copying all of them and forgetting some is cheaper than copying some.
            let before = before_escape(*next);
            out.extend_from_slice(next);
            out.truncate(out.len() - (EIGHT - before));
            plain += before;
            rest = &rest[before..];
        } else if let [byte, behind @ ..] = rest {
            out.push(*byte);
            rest = behind;
        } else {
            break;
        }
    }
    Some(rest)
}

/// The number of bytes that are looked at together.
const EIGHT: usize = 8;

/// How many of these bytes come before the first backslash.
fn before_escape(bytes: [u8; EIGHT]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    // A backslash becomes zero, and borrows: that sets the highest bit of its byte. So may
    // bytes behind it, but none before.
    let other = u64::from_le_bytes(bytes) ^ (ONES * b'\\' as u64);
    let borrows = other.wrapping_sub(ONES) & !other & (ONES << 7);
    borrows.trailing_zeros() as usize / 8
}

/// The character that the digits behind `\u` say, with a second escape if it takes two.
fn unicode(text: &[u8]) -> Option<(char, &[u8])> {
    let (first, rest) = digits(text)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, rest));
    }
    let (second, rest) = digits(rest.strip_prefix(b"\\u")?)?;
    let pair = char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?]);
    let mut characters = pair.map_while(Result::ok);
    match (characters.next(), characters.next()) {
        (Some(character), None) => Some((character, rest)),
        _ => None,
    }
}

fn digits(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<4>()?;
    let mut digits = digits.iter().map(|&digit| char::from(digit).to_digit(16));
    let number = digits.try_fold(0, |number, digit| Some(number << 4 | digit?))?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(quoted: &str) {
        let mut out = Vec::new();
        let text = unescape(quoted.as_bytes(), &mut out);
        let expected = serde_json::from_str::<String>(quoted).ok();
        assert_eq!(text, expected.as_deref().map(str::as_bytes), "{quoted}");
    }

    #[test]
    fn escapes_are_resolved_as_by_serde_json() {
        for inner in [
            "",
            "a",
            r#"\"\\\/\b\f\n\r\t"#,
            r"\u0041b\u00e9\u6708",
            r"\ud83c\udf15",
            r"a\uD83C\uDF15b",
            r"\ud83c",
            r"\udf15",
            r"\ud83cx\udf15",
            r"\ud83c\u0041",
            r"\ud83c\ud83c\udf15",
            r"\\u0041",
            "月🌕\\n",
        ] {
            check(&format!("\"{inner}\""));
        }
    }

    proptest! {
        #[test]
        fn any_string_says_what_serde_json_reads(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "é", "🌕", r#"\""#, r"\\", r"\n", r"\u0000", r"\ud83c", r"\udf15", "/",
                ]),
                0..12,
            ),
        ) {
            check(&format!("\"{}\"", pieces.concat()));
        }
    }
}
