//! Reads a body frame by frame, without changing it.

use super::{
    answer::Answer,
    body_kind::BodyKind,
    event::{Data, data, is_done, is_longer},
    splitter::Splitter,
};

/// How much of the buffer for incomplete events is kept for reuse, in bytes.
const KEPT: usize = 64 * 1024;

/// A part of a body that a [`Reader`] has read.
#[derive(Debug)]
pub(crate) enum Part<'a> {
    /// A chunk of a stream, or a JSON answer, and the text that its spans refer to.
    Answer(&'a Answer, &'a [u8]),
    /// `[DONE]`, which ends a stream.
    Done,
    /// An event or a JSON answer that was not read: longer than the limit, not a JSON object,
    /// or with more than 1 024 choices or tool calls.
    Unread,
}

/// Reads a body whose frames are forwarded elsewhere. See the [module docs](super).
#[derive(Debug)]
pub(crate) struct Reader {
    kind: BodyKind,
    limit: usize,
    splitter: Splitter,
    /// The start of an event that is not complete, or all of a JSON answer so far.
    carried: Vec<u8>,
    /// The current event, or the answer, is longer than the limit.
    is_longer: bool,
    joined: Vec<u8>,
    answer: Answer,
}

impl Reader {
    /// Creates a reader for a body of this kind. An event or a JSON answer of more than `limit`
    /// bytes is not read.
    pub(crate) fn new(kind: BodyKind, limit: usize) -> Self {
        Self {
            kind,
            limit,
            splitter: Splitter::new(),
            carried: Vec::new(),
            is_longer: false,
            joined: Vec::new(),
            answer: Answer::default(),
        }
    }

    /// Reads the next frame, and calls `see` for each part that it completes.
    pub(crate) fn read(&mut self, frame: &[u8], mut see: impl FnMut(Part<'_>)) {
        let mut rest = frame;
        if self.kind == BodyKind::Events {
            while let Some(end) = self.splitter.end(rest) {
                let (event, behind) = rest.split_at(end);
                rest = behind;
                let is_first = self.splitter.take_first();
                if self.carried.is_empty() && !self.is_longer {
                    self.event(event, is_first, &mut see);
                } else {
                    self.carry(event);
                    self.carried_event(is_first, &mut see);
                }
            }
        }
        self.carry(rest);
    }

    /// Ends the body, and calls `see` for its last part: a JSON answer, or an event without the
    /// empty line behind it.
    pub(crate) fn finish(&mut self, mut see: impl FnMut(Part<'_>)) {
        match self.kind {
            BodyKind::Events => {
                if !self.carried.is_empty() || self.is_longer {
                    let is_first = self.splitter.take_first();
                    self.carried_event(is_first, &mut see);
                }
            }
            BodyKind::Json => {
                let text = std::mem::take(&mut self.carried);
                if !self.is_longer && self.answer.read(&text, 0..text.len()) {
                    see(Part::Answer(&self.answer, &text));
                } else {
                    see(Part::Unread);
                }
            }
        }
    }

    /// Buffers a part that is not complete.
    fn carry(&mut self, bytes: &[u8]) {
        if self.is_longer || bytes.is_empty() {
            return;
        }
        self.carried.extend_from_slice(bytes);
        if is_longer(&self.carried, self.limit) {
            self.is_longer = true;
            self.carried = Vec::new();
        }
    }

    fn carried_event(&mut self, is_first: bool, see: &mut impl FnMut(Part<'_>)) {
        if std::mem::take(&mut self.is_longer) {
            see(Part::Unread);
            return;
        }
        let mut event = std::mem::take(&mut self.carried);
        self.event(&event, is_first, see);
        // Long events are rare, so their memory is not kept.
        if event.capacity() <= KEPT {
            event.clear();
            self.carried = event;
        }
    }

    fn event(&mut self, event: &[u8], is_first: bool, see: &mut impl FnMut(Part<'_>)) {
        if is_longer(event, self.limit) {
            see(Part::Unread);
            return;
        }
        let (text, at) = match data(event, is_first, &mut self.joined) {
            Data::None => return,
            Data::Line(range) => (event, range),
            Data::Lines => (&self.joined[..], 0..self.joined.len()),
        };
        if is_done(&text[at.clone()]) {
            see(Part::Done);
        } else if self.answer.read(text, at) {
            see(Part::Answer(&self.answer, text));
        } else {
            see(Part::Unread);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of a body in these frames, in words.
    fn seen(kind: BodyKind, limit: usize, frames: &[&[u8]]) -> Vec<String> {
        let mut seen = Vec::new();
        let mut note = |part: Part<'_>| match part {
            Part::Done => seen.push("done".to_owned()),
            Part::Unread => seen.push("unread".to_owned()),
            Part::Answer(answer, text) => {
                if let Some(error) = answer.error {
                    let error = String::from_utf8_lossy(error.span.of(text)).into_owned();
                    seen.push(format!("error {error}"));
                }
                for choice in &answer.choices {
                    let calls: Vec<String> = answer
                        .calls_of(choice)
                        .iter()
                        .map(|call| format!("{:?} {:?}", call.index(text), call.arguments(text)))
                        .collect();
                    seen.push(format!(
                        "{} {:?} {:?} {:?} {calls:?}",
                        choice.index,
                        choice.reasoning_content(text),
                        choice.content(text),
                        choice.finish_reason(text),
                    ));
                }
            }
        };
        let mut reader = Reader::new(kind, limit);
        for frame in frames {
            reader.read(frame, &mut note);
        }
        reader.finish(&mut note);
        seen
    }

    const STREAM: &str = concat!(
        "\u{feff}: hello\r\n\r\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"H\\u006dm\"}}]}\n\n",
        "event: x\rdata: {\"choices\":[\rdata: {\"index\":1,\"delta\":{\"content\":\"\u{6708}\"}}]}\r\r",
        "data:{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\"}}]}}]}\r\n\r\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
        "data: not JSON\n\n",
        "data: {\"error\":{\"message\":\"no\"}}\n\n",
        "data: [DONE]\n\n",
    );

    #[test]
    fn a_stream_says_the_same_wherever_it_is_cut() {
        let text = STREAM.as_bytes();
        let expected = seen(BodyKind::Events, 1000, &[text]);
        let mut words = expected.iter().map(|part| part.split(' ').next().unwrap());
        assert_eq!(
            words.by_ref().collect::<Vec<_>>(),
            ["0", "1", "0", "0", "unread", "error", "done"]
        );
        assert_eq!(
            format!("{:?}", expected[0]),
            r#""0 Some([72, 109, 109]) None None []""#
        );
        for first in 0..=text.len() {
            let (start, end) = text.split_at(first);
            assert_eq!(
                seen(BodyKind::Events, 1000, &[start, end]),
                expected,
                "{first}"
            );
            for second in (0..=end.len()).step_by(7) {
                let (middle, end) = end.split_at(second);
                let found = seen(BodyKind::Events, 1000, &[start, middle, end]);
                assert_eq!(found, expected, "{first} and {second}");
            }
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(seen(BodyKind::Events, 1000, &bytes), expected);
    }

    #[test]
    fn a_json_answer_is_read_at_its_end() {
        let text = br#" {"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]} "#;
        let expected = [r#"0 None Some([72, 105]) Some([115, 116, 111, 112]) []"#];
        assert_eq!(seen(BodyKind::Json, 100, &[text]), expected);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(seen(BodyKind::Json, 100, &bytes), expected);
        assert_eq!(seen(BodyKind::Json, 100, &[&text[..20]]), ["unread"]);
        assert_eq!(seen(BodyKind::Json, 20, &[text]), ["unread"]);
        assert_eq!(seen(BodyKind::Json, 20, &bytes), ["unread"]);
    }

    #[test]
    fn an_event_over_the_limit_is_unread_wherever_it_is_cut() {
        let text = b"data: {}\n\ndata: {\"a\":\"long\"}\r\n\r\ndata: [DONE]";
        for limit in 12..30 {
            let expected = seen(BodyKind::Events, limit, &[text]);
            let is_read = limit >= "data: {\"a\":\"long\"}".len();
            let middle = (!is_read).then_some("unread");
            assert_eq!(
                expected,
                middle.into_iter().chain(["done"]).collect::<Vec<_>>()
            );
            for cut in 0..=text.len() {
                let (start, end) = text.split_at(cut);
                assert_eq!(
                    seen(BodyKind::Events, limit, &[start, end]),
                    expected,
                    "{cut}"
                );
            }
            let bytes: Vec<&[u8]> = text.chunks(1).collect();
            assert_eq!(seen(BodyKind::Events, limit, &bytes), expected);
        }
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        for kind in [BodyKind::Events, BodyKind::Json] {
            let mut reader = Reader::new(kind, 1000);
            let mut unread = 0;
            for _ in 0..1000 {
                reader.read(&[b'x'; 999], |_| {});
                assert!(reader.carried.capacity() <= 4000);
            }
            reader.finish(|part| unread += usize::from(matches!(part, Part::Unread)));
            assert_eq!(unread, 1);
        }
    }

    #[test]
    fn an_event_that_the_stream_breaks_off_in_is_read_if_it_is_complete() {
        assert_eq!(seen(BodyKind::Events, 100, &[b"data: [DONE]"]), ["done"]);
        assert_eq!(
            seen(BodyKind::Events, 100, &[b"data: {\"choices\":"]),
            ["unread"]
        );
        assert!(seen(BodyKind::Events, 100, &[b": ping"]).is_empty());
        assert!(seen(BodyKind::Events, 100, &[]).is_empty());
    }
}
