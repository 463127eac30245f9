//! Thoughts, each with a text of its own, and which of them requests bring back.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::conversation;

/// The `reasoning_content` of models that think.
const THOUGHTS: &str = "The user wants an answer.";

/// The thoughts of each accepted request: one for every message of the assistant.
type Returned = Vec<Vec<Option<String>>>;

/// What an emulator thinks. Clones share what was returned.
#[derive(Clone, Debug, Default)]
pub(super) struct Thoughts {
    are_unique: bool,
    returned: Arc<Mutex<Returned>>,
}

impl Thoughts {
    pub(super) fn unique() -> Self {
        Self {
            are_unique: true,
            ..Self::default()
        }
    }

    /// What is thought before each of so many choices of the answer with this number.
    pub(super) fn of(&self, number: usize, choices: usize) -> Vec<String> {
        let thought = |choice| {
            if self.are_unique {
                format!("{THOUGHTS} This is thought {number}.{choice}.")
            } else {
                THOUGHTS.to_owned()
            }
        };
        (0..choices).map(thought).collect()
    }

    /// Notes what an accepted request brings back.
    pub(super) fn note(&self, request: &Map<String, Value>) {
        if !self.are_unique {
            return;
        }
        let thoughts = conversation::messages(request)
            .iter()
            .filter(|message| conversation::is_assistant(message))
            .map(|message| Some(message.get("reasoning_content")?.as_str()?.to_owned()));
        let thoughts = thoughts.collect();
        let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        returned.push(thoughts);
    }

    pub(super) fn returned(&self) -> Returned {
        let returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        returned.clone()
    }
}
