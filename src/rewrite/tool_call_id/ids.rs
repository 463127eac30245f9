//! The ids of a conversation's tool calls: which are kept or fresh, and which call an
//! answer belongs to.

use std::{borrow::Cow, collections::HashMap};

use crate::json::Str;

/// The start of every fresh id.
const PREFIX: &[u8] = b"functions.";

/// The id of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Id {
    /// The id in the request.
    Kept,
    Fresh(Fresh),
}

/// A fresh id, `functions.NAME:INDEX`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh {
    /// The name of the called function, if there is one and it is valid Unicode.
    pub(super) name: Option<Str>,
    pub(super) index: u32,
}

/// A call that waits for its answer.
#[derive(Debug)]
struct Waiting {
    id: Id,
    /// The next waiting call with the same id in the request, counted from 1. 0 if there
    /// is none.
    next: u32,
}

/// The ids of all calls up to the message that is being read. The time of each operation
/// depends only on the length of the id.
#[derive(Debug, Default)]
pub(super) struct Ids<'a> {
    /// The number of each id in the request: its index in `open`. Calls without an id
    /// share the empty one.
    known: HashMap<Cow<'a, [u8]>, u32>,
    /// For each number, the call that the next answer belongs to, counted as in
    /// [`Waiting::next`].
    open: Vec<u32>,
    waiting: Vec<Waiting>,
    /// For each name, the lowest index that may be free. All below are taken.
    indices: HashMap<Cow<'a, [u8]>, u32>,
    /// Memory for the id that is being tried.
    candidate: Vec<u8>,
    #[cfg(test)]
    tried: usize,
}

impl<'a> Ids<'a> {
    /// Records the id that a call was sent with. Returns its number and whether the call
    /// may keep it.
    pub(super) fn note(&mut self, id: Cow<'a, [u8]>) -> (u32, bool) {
        let is_good = !id.is_empty() && !self.is_fresh(&id);
        let next = self.open.len() as u32;
        let number = *self.known.entry(id).or_insert(next);
        let is_new = number == next;
        if is_new {
            self.open.push(0);
        }
        (number, is_new && is_good)
    }

    /// Whether this id is taken by a call as its fresh one. Also `true` for some ids that
    /// calls were sent with.
    fn is_fresh(&self, id: &[u8]) -> bool {
        let Some(rest) = id.strip_prefix(PREFIX) else {
            return false;
        };
        let Some(colon) = rest.iter().rposition(|&byte| byte == b':') else {
            return false;
        };
        let (name, digits) = (&rest[..colon], &rest[colon + 1..]);
        self.indices
            .get(name)
            .zip(index(digits))
            .is_some_and(|(&free, index)| index < free)
    }

    /// Takes the lowest index for which `functions.NAME:INDEX` is free.
    pub(super) fn fresh_index(&mut self, name: Cow<'a, [u8]>) -> u32 {
        self.candidate.clear();
        self.candidate.extend_from_slice(PREFIX);
        self.candidate.extend_from_slice(&name);
        self.candidate.push(b':');
        let length = self.candidate.len();
        let free = self.indices.entry(name).or_insert(0);
        loop {
            let index = *free;
            *free += 1;
            self.candidate.truncate(length);
            self.candidate
                .extend_from_slice(index.to_string().as_bytes());
            #[cfg(test)]
            {
                self.tried += 1;
            }
            if !self.known.contains_key(&self.candidate[..]) {
                return index;
            }
        }
    }

    /// Adds a call that waits for its answer, before all others with the same number. The
    /// calls of a message must be added in reverse order.
    pub(super) fn wait(&mut self, number: u32, id: Id) {
        let open = &mut self.open[number as usize];
        self.waiting.push(Waiting { id, next: *open });
        *open = self.waiting.len() as u32;
    }

    /// The id of the call that an answer with this id belongs to: the first one that waits
    /// in the latest message with such a call. `None` if no call waits.
    pub(super) fn answer(&mut self, id: &[u8]) -> Option<Id> {
        let number = *self.known.get(id)?;
        let open = &mut self.open[number as usize];
        let call = &self.waiting[open.checked_sub(1)? as usize];
        *open = call.next;
        Some(call.id)
    }
}

/// Parses the index of a fresh id: decimal, without leading zeros.
fn index(digits: &[u8]) -> Option<u32> {
    let is_canonical = match digits {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| is_canonical)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(ids: &mut Ids<'static>, id: &str) -> bool {
        ids.note(Cow::Owned(id.as_bytes().to_vec())).1
    }

    fn fresh(ids: &mut Ids<'static>, name: &'static str) -> u32 {
        ids.fresh_index(Cow::Borrowed(name.as_bytes()))
    }

    #[test]
    fn an_index_is_the_first_that_no_call_has() {
        let mut ids = Ids::default();
        for id in ["functions.f:0", "functions.f:2", "functions.f:03", "f:3"] {
            assert!(note(&mut ids, id), "{id}");
        }
        assert_eq!(fresh(&mut ids, "f"), 1);
        assert_eq!(fresh(&mut ids, "f"), 3);
        assert_eq!(fresh(&mut ids, "g"), 0);
        // Fresh ones are taken from then on, and nothing else is.
        for (id, is_free) in [
            ("functions.f:1", false),
            ("functions.f:3", false),
            ("functions.g:0", false),
            ("functions.f:4", true),
            ("functions.f:01", true),
            ("functions.f:", true),
            ("functions.f", true),
            ("functions.h:0", true),
            ("functions.f:99999999999", true),
        ] {
            assert_eq!(note(&mut ids, id), is_free, "{id}");
        }
        assert_eq!(fresh(&mut ids, "f"), 5);
    }

    /// The number of ids that were tried.
    fn tried(make: impl Fn(&mut Ids<'static>, usize), count: usize) -> usize {
        let mut ids = Ids::default();
        make(&mut ids, count);
        ids.tried
    }

    #[test]
    fn no_id_is_tried_twice_however_many_are_needed() {
        for count in [1_000, 4_000] {
            let of_one_name = |ids: &mut Ids<'static>, count: usize| {
                for _ in 0..count {
                    fresh(ids, "x");
                }
            };
            assert_eq!(tried(of_one_name, count), count);
            // Ids that are already taken: first all at once, then one before each fresh id.
            let behind = |ids: &mut Ids<'static>, count: usize| {
                for index in 0..count {
                    note(ids, &format!("functions.x:{index}"));
                }
                of_one_name(ids, count);
            };
            assert_eq!(tried(behind, count), 2 * count);
            let between = |ids: &mut Ids<'static>, count: usize| {
                for index in 0..count {
                    note(ids, &format!("functions.x:{}", 2 * index));
                    fresh(ids, "x");
                }
            };
            assert!(tried(between, count) <= 2 * count);
        }
    }

    #[test]
    fn answers_are_for_the_latest_message_and_there_in_order() {
        let mut ids = Ids::default();
        let (x, _) = ids.note(Cow::Borrowed(b"x"));
        let fresh = |index| Id::Fresh(Fresh { name: None, index });
        ids.wait(x, fresh(1));
        ids.wait(x, Id::Kept);
        ids.wait(x, fresh(3));
        ids.wait(x, fresh(2));
        let mut answers = || match ids.answer(b"x") {
            Some(Id::Fresh(fresh)) => Some(fresh.index),
            Some(Id::Kept) => Some(0),
            None => None,
        };
        let answers: Vec<_> = std::iter::repeat_with(&mut answers).take(5).collect();
        assert_eq!(answers, [Some(2), Some(3), Some(0), Some(1), None]);
        assert!(ids.answer(b"y").is_none());
    }
}
