//! What a repair changed, kept as nodes and written out at the end.

use std::collections::HashSet;

use super::{
    keyword::Name,
    tree::{Id, Tree},
};

/// The most changes of one schema that are listed.
const MAX_LISTED: usize = 100;

/// The most changes of one schema that are kept note of.
const MAX_NOTES: usize = 1_000;

/// The longest pointer of a change. A longer one is cut back to what is around.
const MAX_POINTER: usize = 400;

/// A repaired schema.
#[derive(Debug)]
pub(crate) struct Repaired {
    pub(crate) text: String,
    pub(crate) changes: Vec<SchemaChange>,
    /// How many more changes there were.
    pub(crate) left_out: usize,
}

/// One change of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SchemaChange {
    /// Where, as a JSON Pointer into the schema as it came.
    pub(crate) pointer: String,
    pub(crate) why: &'static str,
}

impl Repaired {
    /// Adds to the changes those of an earlier round.
    pub(super) fn after(self, earlier: Option<Self>) -> Self {
        let Some(mut all) = earlier else {
            return self;
        };
        all.text = self.text;
        all.left_out += self.left_out;
        for change in self.changes {
            // Where it is now, nothing need have been before.
            if !all.changes.iter().any(|known| known.why == change.why) {
                all.changes.push(SchemaChange {
                    pointer: String::new(),
                    ..change
                });
            }
        }
        all
    }
}

/// The changes of one round.
#[derive(Debug, Default)]
pub(super) struct Changes {
    notes: Vec<Note>,
    left_out: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Note {
    at: Id,
    keyword: Option<Name>,
    why: &'static str,
}

impl Changes {
    /// Keeps note of a change, or of their number if there are too many.
    pub(super) fn note(&mut self, at: Id, keyword: Option<Name>, why: &'static str) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(Note { at, keyword, why });
        } else {
            self.left_out += 1;
        }
    }

    /// Writes the tree and the places of the changes.
    pub(super) fn finish(self, tree: &Tree<'_>) -> Repaired {
        let mut changes = Vec::new();
        let mut left_out = self.left_out;
        // Copies of a subschema are repaired each, for one cause.
        let mut known = HashSet::new();
        for note in self.notes {
            let at = tree.origin(note.at);
            if !known.insert(Note { at, ..note }) {
                continue;
            }
            if changes.len() == MAX_LISTED {
                left_out += 1;
                continue;
            }
            changes.push(SchemaChange {
                pointer: tree.pointer(at, note.keyword, MAX_POINTER),
                why: note.why,
            });
        }
        Repaired {
            text: tree.write(Id::ROOT),
            changes,
            left_out,
        }
    }
}
