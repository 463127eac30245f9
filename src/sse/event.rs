//! Reads and writes the data of one server-sent event.

use std::ops::Range;

use memchr::memchr2;

/// The place of an event's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// No data: a comment, an empty line, or other fields only.
    None,
    /// Data in one line: this range of the event's text.
    Line(Range<usize>),
    /// Data in several lines, joined in the caller's buffer.
    Lines,
}

/// Finds the data of a complete event. `is_first` is true for the first event of a stream,
/// in which a byte order mark is skipped. `joined` is only written to if the data has
/// several lines.
#[inline]
pub(crate) fn data(event: &[u8], is_first: bool, joined: &mut Vec<u8>) -> Data {
    // Nearly every event is one line and an empty one.
    if let Some(line) = event
        .strip_prefix(b"data:")
        .and_then(|rest| rest.strip_suffix(b"\n\n"))
    {
        if memchr2(b'\n', b'\r', line).is_none() {
            let start = 5 + usize::from(line.first() == Some(&b' '));
            return Data::Line(start..5 + line.len());
        }
    }
    any_data(event, is_first, joined)
}

#[cold]
fn any_data(event: &[u8], is_first: bool, joined: &mut Vec<u8>) -> Data {
    let mut found = Data::None;
    for line in data_lines(event, is_first) {
        found = match found {
            Data::None => Data::Line(line),
            Data::Line(first) => {
                joined.clear();
                joined.extend_from_slice(&event[first]);
                joined.push(b'\n');
                joined.extend_from_slice(&event[line]);
                Data::Lines
            }
            Data::Lines => {
                joined.push(b'\n');
                joined.extend_from_slice(&event[line]);
                Data::Lines
            }
        };
    }
    found
}

/// Iterates over the ranges of the values of an event's `data` fields.
fn data_lines(event: &[u8], is_first: bool) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    if is_first && event.starts_with("\u{feff}".as_bytes()) {
        at = 3;
    }
    std::iter::from_fn(move || {
        loop {
            if at >= event.len() {
                return None;
            }
            let start = at;
            let rest = &event[start..];
            let line = &rest[..memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())];
            // After CR LF the next turn reads an empty line, which is skipped.
            at = start + line.len() + 1;
            let Some(value) = line.strip_prefix(b"data") else {
                continue;
            };
            let end = start + line.len();
            match value {
                [] => return Some(end..end),
                [b':', b' ', ..] => return Some(start + 6..end),
                [b':', ..] => return Some(start + 5..end),
                _ => {}
            }
        }
    })
}

/// Returns the event with its data replaced. Each line of `data` gets a `data` field; all
/// other lines are kept.
pub(crate) fn with_data(event: &[u8], is_first: bool, data: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(event.len() + data.len());
    let mut at = 0;
    for line in data_lines(event, is_first) {
        // The field begins after the last line end before its value.
        let start = event[..line.start]
            .iter()
            .rposition(|&byte| byte == b'\n' || byte == b'\r')
            .map_or(0, |end| end + 1);
        let is_first_line = at == 0;
        written.extend_from_slice(&event[at..start]);
        at = line.end;
        if is_first_line {
            let mark = &event[start..line.start];
            let mark = mark.strip_suffix(b" ").unwrap_or(mark);
            let mark = mark.strip_suffix(b":").unwrap_or(mark);
            for (number, line) in data.split(|&byte| byte == b'\n').enumerate() {
                if number == 0 {
                    written.extend_from_slice(mark);
                    written.extend_from_slice(b": ");
                } else {
                    written.extend_from_slice(b"\ndata: ");
                }
                written.extend_from_slice(line);
            }
        } else {
            // Removed with its line end.
            at += match &event[at..] {
                [b'\r', b'\n', ..] => 2,
                [_, ..] => 1,
                [] => 0,
            };
        }
    }
    written.extend_from_slice(&event[at..]);
    written
}

/// Whether an event's data is `[DONE]`, which ends a stream.
#[inline]
pub(crate) fn is_done(data: &[u8]) -> bool {
    data.trim_ascii() == b"[DONE]"
}

/// Whether an event is longer than `limit` bytes, not counting line ends at its end. So the
/// result is the same for an event whose last line ends have not arrived yet.
#[inline]
pub(crate) fn is_longer(event: &[u8], limit: usize) -> bool {
    event.len() > limit && {
        let ends = event.iter().rev();
        let ends = ends.take_while(|&&byte| byte == b'\n' || byte == b'\r');
        event.len() - ends.count() > limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data as a client receives it.
    fn text(event: &str, is_first: bool) -> Option<String> {
        let mut joined = Vec::new();
        let bytes = match data(event.as_bytes(), is_first, &mut joined) {
            Data::None => return None,
            Data::Line(range) => event.as_bytes()[range].to_vec(),
            Data::Lines => joined,
        };
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn data_is_what_the_specification_says() {
        for (event, expected) in [
            ("data: a\n\n", Some("a")),
            ("data:a\n\n", Some("a")),
            ("data:  a \n\n", Some(" a ")),
            ("data: a\r\n\r\n", Some("a")),
            ("data: a\r\r", Some("a")),
            ("data: a", Some("a")),
            ("data:\n\n", Some("")),
            ("data\n\n", Some("")),
            ("data: a\ndata: b\n\n", Some("a\nb")),
            ("data: a\r\ndata\r\ndata:c\r\n\r\n", Some("a\n\nc")),
            ("id: 1\nevent: error\ndata: a\nretry: 5\n\n", Some("a")),
            (": data: a\n\n", None),
            (" data: a\n\n", None),
            ("database: a\n\n", None),
            ("\u{feff}data: a\n\n", None),
            ("\n", None),
            ("", None),
        ] {
            assert_eq!(text(event, false).as_deref(), expected, "{event:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped_at_the_start_of_a_stream_only() {
        let event = "\u{feff}data: a\n\n";
        assert_eq!(text(event, true).as_deref(), Some("a"));
        assert_eq!(text("data: a\n\n", true).as_deref(), Some("a"));
    }

    #[test]
    fn the_end_of_a_stream_may_be_surrounded_by_space() {
        assert!(is_done(b"[DONE]"));
        assert!(is_done(b" [DONE] "));
        assert!(!is_done(b"\"[DONE]\""));
        assert!(!is_done(b"[done]"));
    }

    #[test]
    fn other_data_takes_the_place_of_all_data_lines() {
        for (event, data, expected) in [
            ("data: a\n\n", "b", "data: b\n\n"),
            ("data:a\r\ndata:b\r\n\r\n", "c", "data: c\r\n\r\n"),
            (
                ": x\rdata\rid: 1\rdata: b\r\r",
                "c\nd",
                ": x\rdata: c\ndata: d\rid: 1\r\r",
            ),
            ("data: a\ndata: b", "c", "data: c\n"),
            (
                "\u{feff}data: a\ndata: b\nid: 1\n\n",
                "c",
                "\u{feff}data: c\nid: 1\n\n",
            ),
        ] {
            let written = with_data(event.as_bytes(), true, data.as_bytes());
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }

    #[test]
    fn line_ends_do_not_count() {
        assert!(!is_longer(b"data:\r\n\r\n", 5));
        assert!(is_longer(b"data:\r\n\r\n", 4));
        assert!(!is_longer(b"data:", 5));
        assert!(!is_longer(b"\n\n\n", 0));
    }
}
