//! Compares JSON texts as values.

use std::{borrow::Cow, ops::Range};

use crate::json::{Error, Kind, Reader};

/// Returns a normal form of a JSON text, which is equal for two texts exactly if their
/// values are: members are sorted, and the last of several with one name is kept; strings
/// are unescaped; numbers are digits and a power of ten. `None` if the text is not JSON.
pub(super) fn normal_form(text: &[u8]) -> Option<Vec<u8>> {
    let mut normal = Vec::with_capacity(text.len());
    let mut reader = Reader::new(text).ok()?;
    write(&mut reader, &mut normal).ok()?;
    reader.finish().ok()?;
    Some(normal)
}

/// Writes the form of the next value. No form is the start of another. The reader limits
/// the depth of the recursion.
fn write(reader: &mut Reader<'_>, normal: &mut Vec<u8>) -> Result<(), Error> {
    match reader.peek()? {
        Kind::Object => return write_object(reader, normal),
        Kind::Array => {
            normal.push(b'[');
            if reader.open()? {
                loop {
                    write(reader, normal)?;
                    if !reader.more(b']')? {
                        break;
                    }
                }
            }
            normal.push(b']');
        }
        Kind::String => {
            let string = reader.string()?;
            write_string(&string.unescaped(reader.text()), normal);
        }
        Kind::Number => {
            let number = reader.skip_peeked(Kind::Number)?.span.of(reader.text());
            write_number(number, normal);
        }
        kind @ (Kind::True | Kind::False | Kind::Null) => {
            reader.skip_peeked(kind)?;
            normal.push(match kind {
                Kind::True => b't',
                Kind::False => b'f',
                _ => b'n',
            });
        }
    }
    Ok(())
}

fn write_object(reader: &mut Reader<'_>, normal: &mut Vec<u8>) -> Result<(), Error> {
    let text = reader.text();
    let start = normal.len();
    let mut members: Vec<(Cow<'_, [u8]>, Range<usize>)> = Vec::new();
    if reader.open()? {
        loop {
            let key = reader.key()?.unescaped(text);
            let value = normal.len();
            write(reader, normal)?;
            members.push((key, value..normal.len()));
            if !reader.more(b'}')? {
                break;
            }
        }
    }
    let values = normal.split_off(start);
    // The sort is stable, so of equal names the last one comes first and is kept.
    members.reverse();
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    members.dedup_by(|(one, _), (other, _)| one == other);
    normal.push(b'{');
    for (key, value) in members {
        write_string(&key, normal);
        normal.extend_from_slice(&values[value.start - start..value.end - start]);
    }
    normal.push(b'}');
    Ok(())
}

fn write_string(string: &[u8], normal: &mut Vec<u8>) {
    normal.push(b'"');
    normal.extend_from_slice(&(string.len() as u32).to_le_bytes());
    normal.extend_from_slice(string);
}

/// Writes a number as its digits without zeros at either end, its sign and the power of
/// ten of the last digit.
fn write_number(number: &[u8], normal: &mut Vec<u8>) {
    let (mantissa, exponent) = match number.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&number[..at], power(&number[at + 1..])),
        None => (number, 0),
    };
    let point = mantissa.iter().position(|&byte| byte == b'.');
    let fraction = point.map_or(0, |point| mantissa.len() - point - 1);
    normal.push(b'0');
    let start = normal.len();
    normal.extend(
        mantissa
            .iter()
            .filter(|byte| byte.is_ascii_digit())
            .skip_while(|&&digit| digit == b'0'),
    );
    let digits = normal[start..].iter().rposition(|&digit| digit != b'0');
    let Some(last) = digits else {
        // Zero has no sign and no power.
        normal.truncate(start);
        normal.push(b',');
        return;
    };
    let zeros = normal.len() - start - last - 1;
    normal.truncate(start + last + 1);
    let sign = if mantissa.starts_with(b"-") {
        b'-'
    } else {
        b','
    };
    normal.push(sign);
    let power = exponent + zeros as i128 - fraction as i128;
    normal.extend_from_slice(&power.to_le_bytes());
}

/// Parses an exponent. All beyond 2^100 are taken for equal.
fn power(exponent: &[u8]) -> i128 {
    let (negative, digits) = match exponent {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let size = digits.iter().fold(0_i128, |size, &digit| {
        (size * 10 + i128::from(digit - b'0')).min(1 << 100)
    });
    if negative { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Vec<u8> {
        normal_form(text.as_bytes()).unwrap()
    }

    #[test]
    fn texts_of_one_value_have_one_form() {
        for texts in [
            &["1", "1.0", "10e-1", "0.1E+1", "1e0", "0.00100e3"][..],
            &["0", "-0", "0.0", "0e9", "-0.00e-3"],
            &["-120", "-1.2e2", "-12E1"],
            &["1e400", "10e399", "0.1e401"],
            &[r#""a/é""#, r#""\u0061\/\u00e9""#],
            &[
                r#"{"a":1,"b":[{"c":null,"d":"x"}]}"#,
                "{ \"b\" : [ {\"d\":\"\\u0078\",\"c\":null} ] ,\"a\":1.0}",
                r#"{"a":2,"b":[{"c":null,"d":"x"}],"\u0061":1}"#,
            ],
        ] {
            for text in texts {
                assert_eq!(form(text), form(texts[0]), "{text}");
            }
        }
    }

    /// Threads have 2 MB, of which other code takes its part.
    #[test]
    fn the_deepest_value_takes_little_of_the_stack() {
        let deep = [r#"{"a":["#.repeat(63), "]}".repeat(63)].concat();
        let thread = std::thread::Builder::new().stack_size(512 * 1024);
        let form = thread.spawn(move || normal_form(deep.as_bytes())).unwrap();
        assert!(form.join().unwrap().is_some());
        assert_eq!(normal_form(b"1 2"), None);
    }

    #[test]
    fn texts_of_different_values_have_different_forms() {
        let texts = [
            "0",
            "1",
            "-1",
            "10",
            "100",
            "0.1",
            "11",
            "1e400",
            "9007199254740993",
            "9007199254740992",
            "0.1000000000000000055",
            "null",
            "true",
            "false",
            "\"\"",
            "\"1\"",
            "\"null\"",
            "[]",
            "{}",
            "[[]]",
            "[null]",
            "[1,1]",
            "[11]",
            "[1,[1]]",
            "[[1],1]",
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":1,"b":2}"#,
            r#"{"a":2,"b":1}"#,
            r#"{"a":{"b":1}}"#,
            r#"[{"a":1},{"b":2}]"#,
            r#"{"ab":1}"#,
            r#"["a","b"]"#,
            r#"["ab"]"#,
            r#"["b","a"]"#,
            r#"["a",["b"]]"#,
            r#""\ud800""#,
            r#""\ud801""#,
        ];
        for (index, one) in texts.iter().enumerate() {
            for other in &texts[..index] {
                assert_ne!(form(one), form(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn a_text_that_is_not_json_has_no_form() {
        assert_eq!(normal_form(b"{"), None);
        assert_eq!(normal_form(b"[1,]"), None);
    }
}
