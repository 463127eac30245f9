//! Tells while a body is walked whether a schema may need a repair.
//!
//! A clean schema costs no more than this: one pass, which validates JSON just as
//! [`Scanner::skip`] does, without a tree. What is not told apart cheaply counts as
//! doubtful, and the tree decides.

mod agreement;
mod reader;

use self::{agreement::Seen, reader::Subschema};
use super::Use;
use crate::json::{Backend, Error, Kind, Scanner, Span, Value};

/// Schemas within more schemas are doubtful. It bounds the recursion of the reader,
/// and is well below Moonshot's own limit.
const MAX_LEVEL: u32 = 16;

/// Longer schemas are doubtful: half of what Moonshot accepts, because a number may
/// be longer in another spelling.
const MAX_BYTES: usize = 60_000;

/// Schemas with more properties are doubtful.
const MAX_PROPERTIES: usize = 1_000;

/// Arrays of `enum`, `anyOf` and `required` that are longer are doubtful.
const MAX_LIST: usize = 200;

/// Lists that all schemas of a thread share, so that a clean one allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Names of properties, of all objects that are open.
    names: Vec<Span>,
    /// Names in `required`, likewise.
    required: Vec<Span>,
    /// Names of properties in the order in which one can be looked for.
    sorted: Vec<Span>,
}

impl Scratch {
    /// Gives memory back to the allocator, down to room for so many names.
    pub(crate) fn shrink_to(&mut self, names: usize) {
        for list in [&mut self.names, &mut self.required, &mut self.sorted] {
            list.clear();
            list.shrink_to(names);
        }
    }
}

/// Reads the value that comes next, and says whether it is a schema that may need a
/// repair. A schema that Moonshot refuses is never missed.
#[inline(always)]
pub(crate) fn prescan<B: Backend>(
    scanner: &mut Scanner<'_, B>,
    scratch: &mut Scratch,
    usage: Use,
) -> Result<(Value, bool), Error> {
    if scanner.peek()? != Kind::Object {
        return Ok((scanner.skip()?, false));
    }
    let start = scanner.pos();
    let mut scan = Prescan {
        scratch,
        usage,
        properties: 0,
        looked_up: 0,
        doubtful: false,
    };
    let root: Seen = scanner.call(Subschema {
        scan: &mut scan,
        level: 0,
    })?;
    let span = Span::new(start, scanner.pos());
    let doubtful =
        scan.doubtful || usage == Use::Tool && !root.is_object() || span.range().len() > MAX_BYTES;
    scan.scratch.names.clear();
    scan.scratch.required.clear();
    let value = Value {
        kind: Kind::Object,
        span,
        escaped: false,
    };
    Ok((value, doubtful))
}

/// The reading of one schema and all that are in it.
#[derive(Debug)]
struct Prescan<'s> {
    scratch: &'s mut Scratch,
    usage: Use,
    properties: usize,
    /// The number of `required`, `enum` and `anyOf`, which Moonshot looks up by path.
    looked_up: usize,
    doubtful: bool,
}
