//! Tells the fragments of tool calls apart.
//!
//! OpenAI sends `index` with each fragment. Where a host leaves it out, both the repair of
//! answers and the memory of thoughts have to guess the same call, or a thought would be
//! stored under calls that no client has seen.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::Call;
use crate::json::Value;

/// A tool call of which a fragment has arrived.
#[derive(Debug)]
pub(crate) struct SeenCall {
    /// The index of the choice that it belongs to, and its own index there.
    pub(crate) choice: u32,
    pub(crate) index: u32,
    /// Hashes of its id and name, so that a call needs no allocation.
    pub(crate) id: Option<u64>,
    pub(crate) name: Option<u64>,
    /// Its arguments have begun, so its name is complete.
    pub(crate) has_arguments: bool,
}

impl SeenCall {
    /// A call of which nothing but its place is known.
    pub(crate) const fn new(choice: u32, index: u32) -> Self {
        Self {
            choice,
            index,
            id: None,
            name: None,
            has_arguments: false,
        }
    }
}

/// What a fragment says of its call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    /// Hashes of its id and name; `None` where they are absent or empty.
    pub(crate) id: Option<u64>,
    pub(crate) name: Option<u64>,
    pub(crate) has_arguments: bool,
}

impl Fragment {
    pub(crate) fn of(call: &Call, text: &[u8]) -> Self {
        let says = |value: Option<Value>| {
            value
                .and_then(Value::as_str)
                .filter(|said| !said.is_empty())
        };
        let hash = |value: Option<Value>| says(value).map(|said| hash(&said.unescaped(text)));
        Self {
            id: hash(call.id.map(|id| id.value)),
            name: hash(call.name.map(|name| name.value)),
            has_arguments: says(call.arguments).is_some(),
        }
    }

    /// Guesses the index of its call, for a fragment without one. `calls` are those of its
    /// choice so far, in the order of their first fragments.
    pub(crate) fn guess_index<'a>(
        &self,
        calls: impl DoubleEndedIterator<Item = &'a SeenCall> + Clone,
    ) -> u32 {
        let is_same = |call: &&SeenCall| self.id.is_some() && call.id == self.id;
        if let Some(call) = calls.clone().find(is_same) {
            return call.index;
        }
        match calls.clone().next_back() {
            None => 0,
            // A name after arguments begins the next call, unless it only repeats the name
            // of this one: a call with an id would begin with an id.
            Some(last)
                if last.has_arguments
                    && self.name.is_some()
                    && (self.name != last.name || self.id.is_some() || last.id.is_none()) =>
            {
                let highest = calls.map(|call| call.index).max();
                highest.map_or(0, |index| index.saturating_add(1))
            }
            Some(last) => last.index,
        }
    }
}

/// The hash under which ids and names are compared.
pub(crate) fn hash(what: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
