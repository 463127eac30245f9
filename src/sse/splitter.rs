//! Splits a stream into server-sent events.

use memchr::memchr2;

/// Finds the ends of server-sent events in text that may be cut at any byte.
///
/// As the specification of server-sent events says, lines end with LF, CR LF or CR, and
/// events with an empty line. An event is complete with the CR of its empty line. If the LF
/// behind that CR arrives with the next frame, it is an event of its own, without data. So
/// every byte belongs to one event, and no event waits for a byte that may never arrive.
#[derive(Debug)]
pub(crate) struct Splitter {
    /// No byte of the current line was read.
    line_is_empty: bool,
    /// No byte of the current event was read.
    event_is_empty: bool,
    /// The last byte was a CR, so that an LF belongs to the same line end.
    after_cr: bool,
    /// No event has ended yet.
    is_first: bool,
}

impl Splitter {
    pub(crate) const fn new() -> Self {
        Self {
            line_is_empty: true,
            event_is_empty: true,
            after_cr: false,
            is_first: true,
        }
    }

    /// Returns the offset behind the current event if it ends in `bytes`. The next call then
    /// has to start there. With `None`, all of `bytes` belongs to the event.
    #[inline]
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        if self.after_cr {
            let &first = bytes.first()?;
            self.after_cr = false;
            if first == b'\n' {
                at = 1;
                if self.event_is_empty {
                    return Some(at);
                }
            }
        }
        loop {
            let rest = &bytes[at..];
            let Some(length) = memchr2(b'\n', b'\r', rest) else {
                if !rest.is_empty() {
                    self.line_is_empty = false;
                    self.event_is_empty = false;
                }
                return None;
            };
            let is_blank = self.line_is_empty && length == 0;
            at += length + 1;
            if bytes[at - 1] == b'\r' {
                match bytes.get(at) {
                    Some(b'\n') => at += 1,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            self.line_is_empty = true;
            self.event_is_empty = is_blank;
            if is_blank {
                return Some(at);
            }
        }
    }

    /// Returns whether the last event is the first of the stream, which may begin with a byte
    /// order mark. To be called once per event.
    #[inline]
    pub(crate) const fn take_first(&mut self) -> bool {
        let is_first = self.is_first;
        self.is_first = false;
        is_first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a text in these pieces, and its rest.
    fn split(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::new();
        let mut events = vec![Vec::new()];
        for piece in pieces {
            let mut rest = *piece;
            while let Some(end) = splitter.end(rest) {
                events.last_mut().unwrap().extend_from_slice(&rest[..end]);
                events.push(Vec::new());
                rest = &rest[end..];
            }
            events.last_mut().unwrap().extend_from_slice(rest);
        }
        events
    }

    fn whole(text: &str) -> Vec<String> {
        let events = split(&[text.as_bytes()]);
        events
            .into_iter()
            .map(|event| String::from_utf8(event).unwrap())
            .collect()
    }

    #[test]
    fn an_empty_line_ends_an_event_whatever_ends_a_line() {
        assert_eq!(
            whole("data: a\n\ndata: b\ndata: c\n\nd"),
            ["data: a\n\n", "data: b\ndata: c\n\n", "d"]
        );
        assert_eq!(
            whole("data: a\r\n\r\ndata: b\r\n\r\n"),
            ["data: a\r\n\r\n", "data: b\r\n\r\n", ""]
        );
        assert_eq!(
            whole("data: a\r\rdata: b\r\r"),
            ["data: a\r\r", "data: b\r\r", ""]
        );
        assert_eq!(
            whole("a\n\rb\r\n\nc\r\n\rd"),
            ["a\n\r", "b\r\n\n", "c\r\n\r", "d"]
        );
        assert_eq!(whole("\n\n: ping\n\n"), ["\n", "\n", ": ping\n\n", ""]);
        assert_eq!(whole(""), [""]);
    }

    #[test]
    fn a_text_has_the_same_events_wherever_it_is_cut() {
        for text in [
            "data: a\n\ndata: b\ndata: c\n\nd",
            "data: a\r\n\r\ndata: b\r\n: c\r\n\r\nd",
            "data: a\r\rdata: b\r\r",
            "a\n\rb\r\n\nc\r\n\rd\r\n\n\n\r\r\n\r\n",
            "\u{feff}data: a\n\n\r\n\r\n\r",
        ] {
            let text = text.as_bytes();
            let expected = split(&[text]);
            for first in 0..=text.len() {
                for second in first..=text.len() {
                    let pieces = [&text[..first], &text[first..second], &text[second..]];
                    // An LF that comes after its CR is an event of its own.
                    let mut found: Vec<Vec<u8>> = Vec::new();
                    for event in split(&pieces) {
                        match found.last_mut() {
                            Some(last) if event == b"\n" && last.ends_with(b"\r") => {
                                last.push(b'\n');
                            }
                            _ => found.push(event),
                        }
                    }
                    assert_eq!(found, expected, "{text:?} at {first} and {second}");
                }
            }
        }
    }
}
