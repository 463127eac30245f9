//! Applies the rules to one answer, event by event.

use std::ops::Range;

use bytes::Bytes;

use super::{
    ResponseReport, ResponseRule, error,
    pending_edits::PendingEdits,
    request_facts::RequestFacts,
    rule::Rules,
    tool_calls::{Event, ToolCalls},
    usage::{self, Usage, UsageRepairs},
};
use crate::{
    json::Rope,
    sse::{self, Answer, Data},
};

/// How many choices of a stream are tracked. With more, its end is not checked.
const MAX_CHOICES: usize = 1024;

/// The event that is appended to a stream that broke off. It does not contain `[DONE]`,
/// because some clients look for that anywhere in a line.
const BROKE_OFF: &str = concat!(
    "data: {\"error\":{\"message\":\"The stream ended before the answer was complete: ",
    "neither a finish_reason nor the marker of its end arrived\",",
    "\"type\":\"server_error\",\"param\":null,\"code\":\"stream_broke_off\"}}\n\n"
);

/// The state of the repair of one answer.
#[derive(Debug)]
pub(super) struct Repair {
    rules: Rules,
    limit: usize,
    request: RequestFacts,
    report: ResponseReport,
    answer: Answer,
    joined: Vec<u8>,
    /// Edits of the text that was not forwarded yet.
    pub(super) edits: PendingEdits,
    tool_calls: ToolCalls,
    usage: Usage,
    end: End,
}

/// How far a stream is from its end.
#[derive(Debug, Default)]
struct End {
    /// The index of each choice, and whether it has had its `finish_reason`.
    choices: Vec<(u32, bool)>,
    /// `[DONE]` has arrived. Later events are not read.
    is_done: bool,
    /// An error has arrived.
    is_error: bool,
    /// An event that was not read may have been the end.
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
    pub(super) fn new(
        rules: Rules,
        limit: usize,
        request: RequestFacts,
        report: ResponseReport,
    ) -> Self {
        Self {
            rules,
            limit,
            request,
            report,
            answer: Answer::default(),
            joined: Vec::new(),
            edits: PendingEdits::default(),
            tool_calls: ToolCalls::default(),
            usage: Usage::default(),
            end: End::default(),
        }
    }

    /// Returns the offset from which on the text has to be held back.
    pub(super) fn held(&self) -> Option<usize> {
        self.tool_calls.held()
    }

    /// Moves offsets after the first `length` bytes of the text were forwarded.
    pub(super) fn advance(&mut self, length: usize) {
        self.tool_calls.advance(length);
    }

    /// Whether an event is too long to be read.
    pub(super) fn is_too_long(&self, event: &[u8]) -> bool {
        sse::is_longer(event, self.limit)
    }

    /// Skips an event that is too long. `text` is the text that is held back before it.
    pub(super) fn unread(&mut self, text: &[u8]) {
        self.end.is_unknown = true;
        self.close(text);
    }

    /// Repairs the complete event in `at` of `text`. `is_first` is true for the first event
    /// of a stream.
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

    /// Repairs data in one line, in the event that begins at `event`.
    fn data(&mut self, text: &[u8], line: Range<usize>, event: usize) {
        if sse::is_done(&text[line.clone()]) {
            self.done(text, event);
        } else if self.answer.read(text, line) {
            self.chunk(text, u32::try_from(event).ok());
        }
    }

    /// Repairs data in several lines. If it needs an edit, the whole event is written anew,
    /// because spans of the joined lines are not spans of the event.
    fn lines(&mut self, text: &[u8], at: Range<usize>, is_first: bool) {
        let joined = std::mem::take(&mut self.joined);
        if sse::is_done(&joined) {
            self.done(text, at.start);
        } else if self.answer.read(&joined, 0..joined.len()) {
            // Open names have spans of `text`, not of the joined lines.
            self.close(text);
            let edits = std::mem::take(&mut self.edits);
            self.chunk(&joined, None);
            let mut own = std::mem::replace(&mut self.edits, edits);
            if !own.is_empty() {
                let data = own.apply(Bytes::copy_from_slice(&joined)).into_bytes();
                let event = sse::with_data(&text[at.clone()], is_first, &data);
                let at = crate::json::Span::new(at.start, at.end);
                self.edits.replace(at, Bytes::from(event));
            }
        }
        self.joined = joined;
    }

    /// Handles `[DONE]`, in the event that begins at `at`.
    fn done(&mut self, text: &[u8], at: usize) {
        self.close(text);
        if let Some(event) = self.missing_usage() {
            self.edits.insert(at, event);
        }
        self.end.is_done = true;
    }

    /// Repairs a chunk that was parsed into `self.answer`.
    fn chunk(&mut self, text: &[u8], start: Option<u32>) {
        self.end.chunk(&self.answer);
        self.model(text);
        if self.is_on(ResponseRule::ToolCalls) {
            let event = Event { text, start };
            let repairs = self.tool_calls.chunk(&self.answer, event, &mut self.edits);
            self.count(ResponseRule::ToolCalls, repairs);
        }
        if self.request.include_usage && self.is_on(ResponseRule::Usage) {
            let is_only_choice = self.end.choices.len() == 1;
            let repairs = UsageRepairs {
                cached_tokens: self.is_on(ResponseRule::CachedTokens),
                model: self.other_model(text),
            };
            self.usage
                .chunk(&self.answer, text, is_only_choice, &repairs);
        }
        self.cached_tokens(text);
        if self.error(text) {
            self.close(text);
            self.end.is_error = true;
        }
    }

    /// Repairs a JSON answer. Returns `None` if there is nothing to repair.
    pub(super) fn json(&mut self, text: &Bytes) -> Option<Rope> {
        if self.answer.read(text, 0..text.len()) {
            self.model(text);
            let repairs = UsageRepairs {
                cached_tokens: self.is_on(ResponseRule::CachedTokens),
                model: None,
            };
            if self.is_on(ResponseRule::Usage)
                && usage::complete(&self.answer, text, &repairs, &mut self.edits)
            {
                self.report.add(ResponseRule::Usage);
            }
            self.cached_tokens(text);
            self.error(text);
        }
        (!self.edits.is_empty()).then(|| self.edits.apply(text.clone()))
    }

    /// Repairs the last event of a stream that lacks the empty line behind it. Returns
    /// whether its data is incomplete, so that no client can read it.
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

    /// Ends the stream. Returns what has to be appended to it.
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

    /// Treats all names of tool calls as complete.
    pub(super) fn close(&mut self, text: &[u8]) {
        let repairs = self.tool_calls.close_all(text, &mut self.edits);
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
                self.edits.replace(model.span, name);
                self.report.add(ResponseRule::Model);
            }
        }
    }

    /// Returns the client's name for the model, if the answer has another one.
    fn other_model(&self, text: &[u8]) -> Option<Bytes> {
        let name = self.request.model.as_ref();
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
                && usage::add_cached_tokens(usage.value, text, &mut self.edits)
            {
                self.report.add(ResponseRule::CachedTokens);
            }
        }
    }

    /// Repairs an error. Returns whether the answer is one.
    fn error(&mut self, text: &[u8]) -> bool {
        if !self.is_on(ResponseRule::Error) {
            return self.answer.error.is_some();
        }
        let (is_error, is_repaired) = error::repair(&self.answer, text, &mut self.edits);
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

/// An event to append to a stream.
#[derive(Debug)]
pub(super) enum Missing {
    Nothing,
    /// The chunk with the usage.
    Usage(Bytes),
    /// The error event of a stream that broke off.
    End(Bytes),
}
