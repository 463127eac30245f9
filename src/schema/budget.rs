//! The work and the room that all repairs of one request share.

/// What the repairs of one request may still cost.
///
/// Work is counted in steps, not in time, so that the same request always gets the
/// same answer. One step is about the work on one member of a schema in one pass.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: u64,
    room: usize,
}

impl Budget {
    /// The steps that a request gets by default: about 20 ms on the machine that
    /// the benchmarks are recorded on.
    pub(crate) const DEFAULT_STEPS: u64 = 1_000_000;

    /// How many bytes may be added by copying, beside those that each schema earns
    /// by its own length.
    const ROOM: usize = 32 * 1024;

    /// How many bytes may be added by copying for each byte of a schema.
    pub(super) const ROOM_FOR_A_BYTE: usize = 1;

    pub(crate) const fn new(steps: u64) -> Self {
        Self {
            steps,
            room: Self::ROOM,
        }
    }

    /// Whether nothing is left.
    pub(crate) const fn is_spent(&self) -> bool {
        self.steps == 0
    }

    pub(crate) const fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) const fn room(&self) -> usize {
        self.room
    }

    /// Takes off what a repair cost.
    pub(super) const fn settle(&mut self, steps: u64, room: usize) {
        self.steps = steps;
        self.room = room;
    }
}
