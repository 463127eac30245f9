//! Reads JSON that serde_json can't hold.

use serde_json::Value;

/// Parses a JSON text.
///
/// A [`Value`] has no place for two things that JSON allows: half of a surrogate pair, as
/// in `"\ud83d"` where a client has cut an emoji in two, and a number like `1e400`. Nobody
/// has recorded what Moonshot does with them, so they are no reason to refuse a request.
/// The half is read as U+FFFD, and the number as 1e308 with its sign.
///
/// # Errors
///
/// If the text is not JSON.
///
/// ```
/// use tower_moonshot::emulator::parse;
///
/// assert_eq!(parse(br#"["a\ud83d", -1e400]"#)?, serde_json::json!(["a\u{fffd}", -1e308]));
/// assert!(parse(b"{").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn parse(text: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(text).or_else(|_| serde_json::from_slice(&readable(text)))
}

/// Replaces what a [`Value`] can't hold by texts of the same length, so that errors have
/// the place that they have in the original.
fn readable(text: &[u8]) -> Vec<u8> {
    let mut readable = text.to_vec();
    let mut at = 0;
    let mut in_string = false;
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        at += match (in_string, byte) {
            (true, b'\\') => match (unit(rest), rest.get(6..).and_then(unit)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
                (Some(0xd800..=0xdfff), _) => {
                    readable[at..at + 6].copy_from_slice(b"\\ufffd");
                    6
                }
                _ => 2,
            },
            (_, b'"') => {
                in_string = !in_string;
                1
            }
            (false, b'-' | b'0'..=b'9') => {
                let length = rest
                    .iter()
                    .take_while(|byte| {
                        matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
                    })
                    .count();
                if is_too_large(&rest[..length]) {
                    let sign = usize::from(byte == b'-');
                    readable[at + sign..at + length].fill(b'0');
                    readable[at + sign..at + sign + 2].copy_from_slice(b"1e");
                    readable[at + length - 3..at + length].copy_from_slice(b"308");
                }
                length
            }
            _ => 1,
        };
    }
    readable
}

/// The UTF-16 unit of an escape such as `\ud83d`, with which `text` begins.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.get(..6)?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

/// Whether a text is a number that no double can hold. All of those have five bytes or
/// more without their sign.
fn is_too_large(number: &[u8]) -> bool {
    let text = std::str::from_utf8(number).unwrap_or_default();
    let out_of_range = |error: serde_json::Error| error.to_string().contains("out of range");
    // Rust's grammar allows leading zeros, and serde_json doesn't read to the end.
    text.parse().is_ok_and(f64::is_infinite)
        && serde_json::from_str::<Value>(text).is_err_and(out_of_range)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_value_has_no_place_for_is_replaced() {
        for (text, expected) in [
            (r#""\ud83d""#, json!("\u{fffd}")),
            (r#""a\uDE00b""#, json!("a\u{fffd}b")),
            (r#""\ud83d\ud83d\ude00""#, json!("\u{fffd}😀")),
            (r#""\ud83d\n\\ud83d""#, json!("\u{fffd}\n\\ud83d")),
            (r#"{"\ud83d":"1e400"}"#, json!({"\u{fffd}": "1e400"})),
            ("[1e400,-1e400,2E+308]", json!([1e308, -1e308, 1e308])),
            (r#"["\ud83d😀", 1, 1e3]"#, json!(["\u{fffd}😀", 1, 1e3])),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap(), expected, "{text}");
        }
        let digits = "9".repeat(400);
        assert_eq!(parse(digits.as_bytes()).unwrap(), json!(1e308));
    }

    #[test]
    fn what_is_not_json_is_an_error_at_its_place() {
        for (text, alike) in [
            (r#"["\ud83d" 1]"#, r#"["\u0041" 1]"#),
            (r#"["\ud83d\x"]"#, r#"["\u0041\x"]"#),
            (r#"["\ud83x"]"#, r#"["\u004x"]"#),
            (r#"["\ud83d"#, r#"["\u0041"#),
            (r#"\ud83d"#, r#"\u0041"#),
            ("[1e400 1]", "[1e100 1]"),
            ("[-1e400 1]", "[-1e100 1]"),
            ("[1e400", "[1e100"),
            ("[01e400]", "[01e100]"),
            ("[1.e400]", "[1.e100]"),
        ] {
            let [error, expected] = [text, alike].map(|text| parse(text.as_bytes()).unwrap_err());
            assert_eq!(error.to_string(), expected.to_string(), "{text}");
        }
        assert!(parse(b"[1e400e1]").is_err());
        assert!(parse(b"\"\xff\\ud83d\"").is_err());
    }
}
