//! Repairs a stream: takes frames, and returns the pieces to forward.
//!
//! Text without edits is forwarded as slices of its frame. Two things are held back as
//! copies: the start of an event that continues in the next frame, and an event with an
//! incomplete name of a tool call, along with the events behind it.

use std::collections::VecDeque;

use bytes::Bytes;

use super::repair::{Missing, Repair};
use crate::sse::Splitter;

/// How much of the buffer for held-back text is kept for reuse, in bytes.
const KEPT: usize = 64 * 1024;

/// The longest part of a frame that is processed at once, in bytes. Offsets have 32 bits.
const MAX_FRAME: usize = 1 << 30;

/// The state of a stream.
#[derive(Debug)]
pub(super) struct Stream {
    repair: Repair,
    splitter: Splitter,
    /// The text that is held back.
    held: Vec<u8>,
    /// The offset in it at which the incomplete event begins.
    event: usize,
    /// The current event is too long, and forwarded unread.
    is_passing: bool,
    /// The body was changed, so that digests of it are wrong.
    is_changed: bool,
    out: VecDeque<Bytes>,
}

impl Stream {
    pub(super) const fn new(repair: Repair) -> Self {
        Self {
            repair,
            splitter: Splitter::new(),
            held: Vec::new(),
            event: 0,
            is_passing: false,
            is_changed: false,
            out: VecDeque::new(),
        }
    }

    /// Returns the next piece to forward.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        self.out.pop_front()
    }

    /// Returns how many bytes are ready to be forwarded.
    pub(super) fn ready(&self) -> usize {
        self.out.iter().map(Bytes::len).sum()
    }

    /// Returns how many bytes are held back.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    pub(super) const fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Processes the next frame.
    pub(super) fn push(&mut self, mut frame: Bytes) {
        while frame.len() > MAX_FRAME {
            self.push_part(frame.split_to(MAX_FRAME));
        }
        self.push_part(frame);
    }

    fn push_part(&mut self, mut frame: Bytes) {
        while !self.held.is_empty() {
            match self.splitter.end(&frame) {
                Some(end) => {
                    self.held.extend_from_slice(&frame.split_to(end));
                    let at = self.event..self.held.len();
                    let is_first = self.splitter.take_first();
                    self.event = at.end;
                    self.repair.event(&self.held, at, is_first);
                    self.release();
                }
                None => {
                    self.held.extend_from_slice(&frame);
                    if self.repair.is_too_long(&self.held[self.event..]) {
                        self.repair.unread(&self.held);
                        self.is_passing = true;
                        self.event = self.held.len();
                        self.release();
                    }
                    return;
                }
            }
        }
        self.pass(frame);
    }

    /// Forwards the complete events of a frame, with nothing held back before it.
    fn pass(&mut self, mut frame: Bytes) {
        let mut event = 0;
        while let Some(length) = self.splitter.end(&frame[event..]) {
            let at = event..event + length;
            event = at.end;
            let is_first = self.splitter.take_first();
            if !std::mem::take(&mut self.is_passing) {
                self.repair.event(&frame, at, is_first);
            }
        }
        if !self.is_passing && self.repair.is_too_long(&frame[event..]) {
            self.repair.unread(&frame);
            self.is_passing = true;
        }
        let cut = match self.repair.held() {
            Some(held) => held,
            None if self.is_passing => frame.len(),
            None => event,
        };
        if cut == frame.len() {
            self.forward(frame);
            return;
        }
        self.held.extend_from_slice(&frame[cut..]);
        self.event = event - cut;
        frame.truncate(cut);
        self.forward(frame);
    }

    /// Forwards the text that is held back, unless it has to be held back further.
    fn release(&mut self) {
        if self.repair.held().is_some() {
            return;
        }
        let text = Bytes::copy_from_slice(&self.held);
        self.clear();
        self.forward(text);
    }

    fn clear(&mut self) {
        self.held.clear();
        // Long events are rare, so their memory is not kept.
        self.held.shrink_to(KEPT);
        self.event = 0;
    }

    fn forward(&mut self, text: Bytes) {
        self.repair.advance(text.len());
        if self.repair.edits.is_empty() {
            if !text.is_empty() {
                self.out.push_back(text);
            }
            return;
        }
        self.is_changed = true;
        self.out.extend(self.repair.edits.apply(text));
    }

    /// Ends the stream, and appends the event that is missing at its end.
    pub(super) fn finish(&mut self) {
        let mut rest = std::mem::take(&mut self.held);
        let at = self.event..rest.len();
        let has_rest = !at.is_empty();
        let mut is_start = false;
        if has_rest {
            let is_first = self.splitter.take_first();
            is_start = self.repair.last_event(&rest, at.clone(), is_first);
        }
        let missing = self.repair.finish(&rest);
        let (event, is_end) = match missing {
            Missing::Nothing => (Bytes::new(), false),
            Missing::Usage(event) => (event, false),
            Missing::End(event) => (event, true),
        };
        if is_end && is_start {
            // Removed: with half an event before it, clients would not see the error.
            rest.truncate(at.start);
        }
        let is_cut = has_rest && !(is_end && is_start);
        self.forward(Bytes::from(rest));
        if !event.is_empty() {
            self.is_changed = true;
            if is_cut {
                self.out.push_back(Bytes::from_static(b"\n\n"));
            }
            self.out.push_back(event);
        }
    }

    /// Ends the stream after an error of its body: the text that is held back is forwarded
    /// before the error.
    pub(super) fn fail(&mut self) {
        let rest = std::mem::take(&mut self.held);
        self.repair.close(&rest);
        self.forward(Bytes::from(rest));
    }
}
