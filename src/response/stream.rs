//! A stream that is repaired while it passes: frames in, pieces out.
//!
//! What needs no repair passes as slices of its frame. Held back are, as copies, the
//! start of an event that its frame cuts, and the events behind a name of a tool call
//! of which more may come.

use std::collections::VecDeque;

use bytes::Bytes;

use super::repair::{Missing, Repair};
use crate::sse::Splitter;

/// How much memory for what is held back is kept for the next time, in bytes.
const KEPT: usize = 64 * 1024;

/// Offsets within one text have 32 bits.
const MAX_FRAME: usize = 1 << 30;

/// A stream on its way.
#[derive(Debug)]
pub(super) struct Stream {
    repair: Repair,
    splitter: Splitter,
    /// What is held back.
    held: Vec<u8>,
    /// Where in it the event begins that is not complete.
    event: usize,
    /// The current event is too long, and passes.
    is_passing: bool,
    /// Something was repaired, so that digests of the body are wrong.
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

    /// The next piece that can be handed on.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        self.out.pop_front()
    }

    /// How many bytes can be handed on.
    pub(super) fn ready(&self) -> usize {
        self.out.iter().map(Bytes::len).sum()
    }

    /// How many bytes are held back.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    pub(super) const fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Takes the next frame.
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

    /// Hands on what a frame completes, with nothing held back before it.
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
            self.hand_on(frame);
            return;
        }
        self.held.extend_from_slice(&frame[cut..]);
        self.event = event - cut;
        frame.truncate(cut);
        self.hand_on(frame);
    }

    /// Hands on what is held back, unless it still has to be.
    fn release(&mut self) {
        if self.repair.held().is_some() {
            return;
        }
        let text = Bytes::copy_from_slice(&self.held);
        self.clear();
        self.hand_on(text);
    }

    fn clear(&mut self) {
        self.held.clear();
        // A long event is rare: its memory is not kept.
        self.held.shrink_to(KEPT);
        self.event = 0;
    }

    fn hand_on(&mut self, text: Bytes) {
        self.repair.advance(text.len());
        if self.repair.ops.is_empty() {
            if !text.is_empty() {
                self.out.push_back(text);
            }
            return;
        }
        self.is_changed = true;
        self.out.extend(self.repair.ops.apply(text));
    }

    /// Ends the stream.
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
            // Clients are to forget it, and those that don't would miss the error.
            rest.truncate(at.start);
        }
        let is_cut = has_rest && !(is_end && is_start);
        self.hand_on(Bytes::from(rest));
        if !event.is_empty() {
            self.is_changed = true;
            if is_cut {
                self.out.push_back(Bytes::from_static(b"\n\n"));
            }
            self.out.push_back(event);
        }
    }

    /// Ends the stream because its body failed: what is held back is handed on, and
    /// the error says the rest.
    pub(super) fn fail(&mut self) {
        let rest = std::mem::take(&mut self.held);
        self.repair.close(&rest);
        self.hand_on(Bytes::from(rest));
    }
}
