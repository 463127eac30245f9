//! White space around texts, which clients keep or don't.

/// A text in UTF-8 in three: the white space before it, the text, and that behind it. A
/// text of nothing else is all in the first.
pub(super) fn trimmed(text: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let rest = text.trim_ascii_start();
    let middle = rest.trim_ascii_end();
    match middle {
        // Nearly every text begins and ends with visible ASCII, which needs no closer look.
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => {
            let (start, _) = text.split_at(text.len() - rest.len());
            (start, middle, &rest[middle.len()..])
        }
        _ => trimmed_as_utf8(text),
    }
}

fn trimmed_as_utf8(text: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let Ok(all) = simdutf8::basic::from_utf8(text) else {
        return (b"", text, b"");
    };
    let rest = all.trim_start();
    let (start, rest) = text.split_at(all.len() - rest.len());
    let length = all[start.len()..].trim_end().len();
    let (middle, end) = rest.split_at(length);
    (start, middle, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_in_three() {
        for (text, expected) in [
            ("", ["", "", ""]),
            ("a", ["", "a", ""]),
            ("a b", ["", "a b", ""]),
            (" \n", [" \n", "", ""]),
            (" a b\t\n", [" ", "a b", "\t\n"]),
            ("\u{3000}月\u{a0}", ["\u{3000}", "月", "\u{a0}"]),
            ("月 ", ["", "月", " "]),
            (" .", [" ", ".", ""]),
            ("\u{b} a b\n\u{a0}", ["\u{b} ", "a b", "\n\u{a0}"]),
        ] {
            let (start, middle, end) = trimmed(text.as_bytes());
            assert_eq!(
                [start, middle, end],
                expected.map(str::as_bytes),
                "{text:?}"
            );
        }
    }
}
