//! Collects the thoughts of an answer while it passes, and hands them to the store once
//! it is complete.

use http::response::Parts;

use super::{
    ReasoningReport, ReasoningStore,
    collected::{Collected, End},
    plan::Conversation,
    report::Forgotten,
};
use crate::sse::{BodyKind, Part, Reader};

/// What is held of one response, in multiples of the longest thought.
const BUDGET: usize = 4;

/// How many choices of a response are told apart. Moonshot gives five at most
/// (documented).
const MAX_CHOICES: usize = 64;

/// Watches one answer.
pub(super) struct Watch<M: ReasoningStore> {
    reader: Reader,
    keeper: Keeper<M>,
}

struct Keeper<M: ReasoningStore> {
    store: M,
    conversation: Box<Conversation>,
    max_thought_bytes: usize,
    report: ReasoningReport,
    /// Tool calls come in fragments.
    is_stream: bool,
    choices: Vec<Collected>,
    /// How many bytes the choices hold.
    held: usize,
    /// Why nothing of the answer is remembered.
    spoilt: Option<Forgotten>,
    /// The answer is over, and was remembered or not.
    is_over: bool,
}

impl<M: ReasoningStore> Watch<M> {
    /// Watches the body behind this head. `None` if there is no answer in it.
    pub(super) fn of(
        head: &Parts,
        store: M,
        conversation: Box<Conversation>,
        max_thought_bytes: usize,
        report: ReasoningReport,
    ) -> Option<Box<Self>> {
        if !head.status.is_success() {
            report.forget(Forgotten::Failed);
            return None;
        }
        let Some(kind) = BodyKind::of(head.status, &head.headers) else {
            report.forget(Forgotten::Unreadable);
            return None;
        };
        Some(Box::new(Self {
            reader: Reader::new(kind, BUDGET * max_thought_bytes),
            keeper: Keeper {
                store,
                conversation,
                max_thought_bytes,
                report,
                is_stream: kind == BodyKind::Events,
                choices: Vec::new(),
                held: 0,
                spoilt: None,
                is_over: false,
            },
        }))
    }

    /// Looks at the next frame.
    pub(super) fn read(&mut self, frame: &[u8]) {
        let keeper = &mut self.keeper;
        if keeper.is_over || keeper.spoilt.is_some() {
            return;
        }
        self.reader.read(frame, |part| keeper.see(&part));
    }

    /// The body is over.
    pub(super) fn finish(mut self) {
        let keeper = &mut self.keeper;
        if !keeper.is_over && keeper.spoilt.is_none() {
            self.reader.finish(|part| keeper.see(&part));
        }
        keeper.remember();
    }
}

impl<M: ReasoningStore> Keeper<M> {
    fn see(&mut self, part: &Part<'_>) {
        if self.is_over || self.spoilt.is_some() {
            return;
        }
        match part {
            Part::Done => self.remember(),
            Part::Unread => self.spoil(Forgotten::Unreadable),
            Part::Answer(answer, _) if answer.error.is_some() => self.spoil(Forgotten::Failed),
            Part::Answer(answer, text) => {
                for choice in &answer.choices {
                    let at = self.choices.iter().position(|it| it.index == choice.index);
                    let at = match at {
                        Some(at) => at,
                        None if self.choices.len() < MAX_CHOICES => {
                            self.choices.push(Collected::new(choice.index));
                            self.choices.len() - 1
                        }
                        None => return self.spoil(Forgotten::TooLong),
                    };
                    let collected = &mut self.choices[at];
                    let before = collected.held();
                    collected.add(choice, answer.calls_of(choice), self.is_stream, text);
                    if collected.thought_len() > self.max_thought_bytes {
                        collected.forget(Forgotten::TooLong);
                    }
                    self.held = self.held + collected.held() - before;
                    if self.held > BUDGET * self.max_thought_bytes {
                        return self.spoil(Forgotten::TooLong);
                    }
                }
            }
        }
    }

    /// Gives the whole answer up.
    fn spoil(&mut self, why: Forgotten) {
        self.spoilt = Some(why);
        for choice in &mut self.choices {
            choice.forget(why);
        }
        self.held = 0;
    }

    /// Remembers the choices that are complete: the answer is over.
    fn remember(&mut self) {
        if self.is_over {
            return;
        }
        self.is_over = true;
        let choices = std::mem::take(&mut self.choices);
        if choices.is_empty() {
            self.report
                .forget(self.spoilt.unwrap_or(Forgotten::Unfinished));
        }
        for choice in choices {
            match self.complete(&choice) {
                Ok(()) => self.report.remember(),
                Err(why) => self.report.forget(why),
            }
        }
    }

    fn complete(&self, choice: &Collected) -> Result<(), Forgotten> {
        match choice.end() {
            Some(End::Forgotten(why)) => return Err(why),
            Some(End::Cut) => return Err(Forgotten::Cut),
            Some(End::Complete) => {}
            None => return Err(Forgotten::Unfinished),
        }
        let thought = choice.thought()?;
        let mut transcript = self.conversation.prefix.to_transcript();
        choice.write(&mut transcript)?;
        let key = self.conversation.namespace.key(&transcript.end_answer());
        self.store.remember(key, thought);
        Ok(())
    }
}

impl<M: ReasoningStore> Drop for Keeper<M> {
    fn drop(&mut self) {
        if !self.is_over {
            // Nobody saw the end of the answer.
            for choice in &mut self.choices {
                choice.forget(Forgotten::Unfinished);
            }
            self.remember();
        }
    }
}
