//! What one request needs: which thoughts to look up, where to insert them, and the
//! conversation that its answer will continue.

use bytes::Bytes;
use tower::BoxError;

use super::{
    ReasoningScope, StoreKey, Thought,
    config::Config,
    due::Due,
    key::Namespace,
    report::{Missing, NoMemory, Recalled},
    transcript::Prefix,
    walk::{State, Switches, Turn, walk},
};
use crate::{Skipped, json::Edits, model::Thinking, overrides::Overrides};

/// What one request needs.
pub(super) struct Plan {
    /// The messages whose thoughts are looked up, the earliest first.
    turns: Vec<Turn>,
    recalled: Recalled,
    /// What is needed to remember the answer.
    pub(super) conversation: Box<Conversation>,
}

/// The conversation that an answer continues.
pub(super) struct Conversation {
    pub(super) namespace: Namespace,
    pub(super) prefix: Prefix,
}

/// What came of looking the thoughts up.
pub(super) enum Answer {
    Found(Vec<Option<Thought>>),
    Failed(BoxError),
    TimedOut,
    /// The store was not asked.
    Skipped,
}

impl Plan {
    pub(super) fn of(
        text: &Bytes,
        scope: &ReasoningScope,
        overrides: Overrides<'_>,
        config: &Config,
    ) -> Result<Self, NoMemory> {
        let aliases = &config.aliases;
        let family = |switches: &Switches| switches.family(text, overrides, aliases);
        let thinks = |switches: &Switches| family(switches).thinking != Thinking::Never;
        let refused = |why| NoMemory::Body(Skipped::from_rewrite(why, text));
        let mut found = walk(text, scope, &thinks).map_err(refused)?;
        if found.is_unread && thinks(&found.switches) {
            // The model is named twice, and the last one thinks.
            found = walk(text, scope, &|_| true).map_err(refused)?;
        }
        let family = family(&found.switches);
        let due = found.switches.due(family, text);
        if due == Due::None {
            return Err(NoMemory::NotThinking);
        }
        let mut recalled = Recalled::default();
        let first = match due {
            Due::All => 0,
            _ => found.before_user,
        };
        recalled.miss(Missing::TooMany, found.earlier.saturating_sub(first));
        let mut turns = Vec::new();
        for turn in found.turns.iter().skip(first.saturating_sub(found.earlier)) {
            match turn.state {
                State::Given => recalled.given += 1,
                State::Lacking => turns.push(*turn),
                State::Partial => {}
            }
        }
        Ok(Self {
            turns,
            recalled,
            conversation: Box::new(Conversation {
                namespace: Namespace::new(scope, family.name),
                prefix: found.transcript.into_prefix(),
            }),
        })
    }

    /// The keys of the thoughts to look up.
    pub(super) fn keys(&self) -> Vec<StoreKey> {
        let namespace = &self.conversation.namespace;
        let turns = self.turns.iter();
        turns.map(|turn| namespace.key(&turn.digest)).collect()
    }

    /// Inserts the thoughts into the request. `None` if there is nothing to insert.
    pub(super) fn finish(
        mut self,
        answer: Answer,
        text: &Bytes,
        config: &Config,
    ) -> (Option<Bytes>, Recalled, Box<Conversation>) {
        let edited = match answer {
            Answer::Found(thoughts) => self.insert(thoughts, text, config),
            Answer::TimedOut => {
                self.recalled.miss(Missing::StoreTimeout, self.turns.len());
                None
            }
            Answer::Skipped => {
                self.recalled.miss(Missing::StoreSkipped, self.turns.len());
                None
            }
            Answer::Failed(error) => {
                self.recalled.miss(Missing::StoreError, self.turns.len());
                self.recalled.store_error = Some(error.to_string().into());
                None
            }
        };
        (edited, self.recalled, self.conversation)
    }

    fn insert(
        &mut self,
        mut thoughts: Vec<Option<Thought>>,
        text: &Bytes,
        config: &Config,
    ) -> Option<Bytes> {
        const KEY: &str = "\"reasoning_content\":";
        // The comma and the key.
        let length = |thought: &Thought| thought.len() + KEY.len() + 1;
        let mut room = config.max_body_bytes.saturating_sub(text.len());
        thoughts.resize(self.turns.len(), None);
        // The latest come first, in case that there is no room for all.
        for found in thoughts.iter_mut().rev() {
            let Some(thought) = found.take().filter(|thought| !thought.is_blank()) else {
                self.recalled.miss(Missing::NotFound, 1);
                continue;
            };
            if thought.len() > config.max_thought_bytes || length(&thought) > room {
                self.recalled.miss(Missing::TooLong, 1);
                continue;
            }
            room -= length(&thought);
            *found = Some(thought);
            self.recalled.restored += 1;
        }
        let mut edits = Edits::default();
        for (turn, thought) in self.turns.iter().zip(thoughts) {
            let Some(thought) = thought else { continue };
            let json = thought.as_json().clone();
            match turn.present {
                Some(present) => edits.replace(present.value.span, json),
                None => edits.append_member(turn.message, KEY, json),
            }
        }
        // The layer inside reads the body in one piece, so it gets one and copies nothing.
        (!edits.is_empty()).then(|| edits.apply(text).into_bytes())
    }
}
