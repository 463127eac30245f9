//! What is wrong with an answer, event by event.

use std::ops::Range;

use bytes::Bytes;

use super::{
    ResponseReport, ResponseRule,
    asked::Asked,
    error,
    ops::Ops,
    rule::Rules,
    tool_calls::{Event, ToolCalls},
    usage::{self, Other, Usage},
};
use crate::{
    json::Rope,
    sse::{self, Answer, Data},
};

/// How many choices of a stream are told apart. With more, its end is not judged.
const MAX_CHOICES: usize = 1024;

/// The event that says that a stream broke off. It doesn't spell the marker, which
/// some clients look for anywhere in a line.
const BROKE_OFF: &str = concat!(
    "data: {\"error\":{\"message\":\"The stream ended before the answer was complete: ",
    "neither a finish_reason nor the marker of its end arrived\",",
    "\"type\":\"server_error\",\"param\":null,\"code\":\"stream_broke_off\"}}\n\n"
);

/// What one answer needs.
#[derive(Debug)]
pub(super) struct Repair {
    rules: Rules,
    limit: usize,
    asked: Asked,
    report: ResponseReport,
    answer: Answer,
    joined: Vec<u8>,
    /// Repairs of the text so far.
    pub(super) ops: Ops,
    tool_calls: ToolCalls,
    usage: Usage,
    end: End,
}

/// What is known of the end of a stream.
#[derive(Debug, Default)]
struct End {
    /// Each choice, and whether it has its `finish_reason`.
    choices: Vec<(u32, bool)>,
    /// `[DONE]` came: what follows is no answer.
    is_done: bool,
    /// An error came.
    is_error: bool,
    /// Something was not read that may have been the end.
    is_unknown: bool,
}

impl End {
    fn chunk(&mut self, answer: &Answer) {
        for choice in &answer.choices {
            let is_finished = choice.is_finished();
            let index = choice.index;
            match self.choices.iter().position(|known| known.0 == index) {
                Some(at) => self.choices[at].1 |= is_finished,
                None if self.choices.len() < MAX_CHOICES => self.choices.push((index, is_finished)),
                None => self.is_unknown = true,
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.is_done || (!self.choices.is_empty() && self.choices.iter().all(|(_, end)| *end))
    }
}

impl Repair {
    pub(super) fn new(rules: Rules, limit: usize, asked: Asked, report: ResponseReport) -> Self {
        Self {
            rules,
            limit,
            asked,
            report,
            answer: Answer::default(),
            joined: Vec::new(),
            ops: Ops::default(),
            tool_calls: ToolCalls::default(),
            usage: Usage::default(),
            end: End::default(),
        }
    }

    /// Where the text begins that has to be held back.
    pub(super) fn held(&self) -> Option<usize> {
        self.tool_calls.held()
    }

    /// The first `length` bytes of the text were handed on.
    pub(super) fn advance(&mut self, length: usize) {
        self.tool_calls.advance(length);
    }

    /// Whether an event is too long to be read.
    pub(super) fn is_too_long(&self, event: &[u8]) -> bool {
        sse::is_longer(event, self.limit)
    }

    /// An event is too long, and passes unread. `text` is what is held back before it.
    pub(super) fn unread(&mut self, text: &[u8]) {
        self.end.is_unknown = true;
        self.close(text);
    }

    /// Looks at the complete event in `at` of `text`. `is_first` says that it is the
    /// stream's first.
    pub(super) fn event(&mut self, text: &[u8], at: Range<usize>, is_first: bool) {
        if self.end.is_done {
            return;
        }
        let (end, event) = (at.end, &text[at.clone()]);
        if self.is_too_long(event) {
            self.unread(text);
            return;
        }
        match sse::data(event, is_first, &mut self.joined) {
            Data::None => {}
            Data::Line(line) => {
                let line = at.start + line.start..at.start + line.end;
                self.data(text, line, at.start);
            }
            Data::Lines => self.lines(text, at, is_first),
        }
        if self.held().is_some_and(|held| end - held > self.limit) {
            self.close(text);
        }
    }

    /// Looks at data in one line, in the event that begins at `event`.
    fn data(&mut self, text: &[u8], line: Range<usize>, event: usize) {
        if sse::is_done(&text[line.clone()]) {
            self.done(text, event);
        } else if self.answer.read(text, line) {
            self.chunk(text, u32::try_from(event).ok());
        }
    }

    /// Looks at data in several lines. If it needs a repair, the event is written
    /// anew, as what JSON says doesn't depend on its lines.
    fn lines(&mut self, text: &[u8], at: Range<usize>, is_first: bool) {
        let joined = std::mem::take(&mut self.joined);
        if sse::is_done(&joined) {
            self.done(text, at.start);
        } else if self.answer.read(&joined, 0..joined.len()) {
            // Names that are open are in another text than this one's.
            self.close(text);
            let ops = std::mem::take(&mut self.ops);
            self.chunk(&joined, None);
            let mut own = std::mem::replace(&mut self.ops, ops);
            if !own.is_empty() {
                let data = own.apply(Bytes::copy_from_slice(&joined)).into_bytes();
                let event = sse::with_data(&text[at.clone()], is_first, &data);
                let at = crate::json::Span::new(at.start, at.end);
                self.ops.replace(at, Bytes::from(event));
            }
        }
        self.joined = joined;
    }

    /// `[DONE]` comes at `at`.
    fn done(&mut self, text: &[u8], at: usize) {
        self.close(text);
        if let Some(event) = self.missing_usage() {
            self.ops.insert(at, event);
        }
        self.end.is_done = true;
    }

    /// Looks at a chunk that was read.
    fn chunk(&mut self, text: &[u8], start: Option<u32>) {
        self.end.chunk(&self.answer);
        self.model(text);
        if self.is_on(ResponseRule::ToolCalls) {
            let event = Event { text, start };
            let repairs = self.tool_calls.chunk(&self.answer, event, &mut self.ops);
            self.count(ResponseRule::ToolCalls, repairs);
        }
        if self.asked.include_usage && self.is_on(ResponseRule::Usage) {
            let is_only_choice = self.end.choices.len() == 1;
            let other = Other {
                cached_tokens: self.is_on(ResponseRule::CachedTokens),
                model: self.other_model(text),
            };
            self.usage.chunk(&self.answer, text, is_only_choice, &other);
        }
        self.cached_tokens(text);
        if self.error(text) {
            self.close(text);
            self.end.is_error = true;
        }
    }

    /// Repairs a JSON answer, which is `text`. `None` if there is nothing to repair.
    pub(super) fn json(&mut self, text: &Bytes) -> Option<Rope> {
        if self.answer.read(text, 0..text.len()) {
            self.model(text);
            let other = Other {
                cached_tokens: self.is_on(ResponseRule::CachedTokens),
                model: None,
            };
            if self.is_on(ResponseRule::Usage)
                && usage::complete(&self.answer, text, &other, &mut self.ops)
            {
                self.report.add(ResponseRule::Usage);
            }
            self.cached_tokens(text);
            self.error(text);
        }
        (!self.ops.is_empty()).then(|| self.ops.apply(text.clone()))
    }

    /// What the stream breaks off in, at the end of `text`: an event that lacks the
    /// empty line, or the start of one. Returns whether it is only a start, which no
    /// client can read.
    pub(super) fn last_event(&mut self, text: &[u8], at: Range<usize>, is_first: bool) -> bool {
        let data = sse::data(&text[at.clone()], is_first, &mut self.joined);
        let is_whole = match data {
            Data::None => true,
            Data::Line(line) => {
                let line = &text[at.start + line.start..at.start + line.end];
                sse::is_done(line) || self.answer.read(line, 0..line.len())
            }
            Data::Lines => {
                let joined = &self.joined;
                sse::is_done(joined) || self.answer.read(joined, 0..joined.len())
            }
        };
        if is_whole {
            self.event(text, at, is_first);
        }
        !is_whole
    }

    /// The stream is over: what is missing at its end.
    pub(super) fn finish(&mut self, text: &[u8]) -> Missing {
        self.close(text);
        let end = &self.end;
        if end.is_error || end.is_unknown {
            Missing::Nothing
        } else if end.is_complete() {
            self.missing_usage()
                .map_or(Missing::Nothing, Missing::Usage)
        } else if self.is_on(ResponseRule::End) {
            self.report.add(ResponseRule::End);
            Missing::End(Bytes::from_static(BROKE_OFF.as_bytes()))
        } else {
            Missing::Nothing
        }
    }

    /// Takes names of tool calls for whole: nothing more comes.
    pub(super) fn close(&mut self, text: &[u8]) {
        let repairs = self.tool_calls.close_all(text, &mut self.ops);
        self.count(ResponseRule::ToolCalls, repairs);
    }

    fn missing_usage(&mut self) -> Option<Bytes> {
        let event = self.usage.take_event()?;
        self.report.add(ResponseRule::Usage);
        Some(event)
    }

    fn model(&mut self, text: &[u8]) {
        if let Some(name) = self.other_model(text) {
            if let Some(model) = self.answer.model {
                self.ops.replace(model.span, name);
                self.report.add(ResponseRule::Model);
            }
        }
    }

    /// The name of the model, if the answer has another one.
    fn other_model(&self, text: &[u8]) -> Option<Bytes> {
        let name = self.asked.model.as_ref();
        let model = self.answer.model?;
        name.filter(|name| {
            self.is_on(ResponseRule::Model)
                && model.as_str().is_some()
                && model.span.of(text) != **name
        })
        .cloned()
    }

    fn cached_tokens(&mut self, text: &[u8]) {
        if let Some(usage) = self.answer.usage {
            if self.is_on(ResponseRule::CachedTokens)
                && usage::add_cached_tokens(usage.value, text, &mut self.ops)
            {
                self.report.add(ResponseRule::CachedTokens);
            }
        }
    }

    /// Returns whether this is an error.
    fn error(&mut self, text: &[u8]) -> bool {
        if !self.is_on(ResponseRule::Error) {
            return self.answer.error.is_some();
        }
        let (is_error, is_repaired) = error::repair(&self.answer, text, &mut self.ops);
        self.count(ResponseRule::Error, u32::from(is_repaired));
        is_error
    }

    const fn is_on(&self, rule: ResponseRule) -> bool {
        self.rules.is_on(rule)
    }

    fn count(&self, rule: ResponseRule, repairs: u32) {
        for _ in 0..repairs {
            self.report.add(rule);
        }
    }
}

/// What is missing at the end of a stream.
#[derive(Debug)]
pub(super) enum Missing {
    Nothing,
    /// An event with the usage.
    Usage(Bytes),
    /// An event that says that it is no end.
    End(Bytes),
}
