//! Moonshot-flavoured JSON Schema, the dialect of tool parameters and of
//! `response_format`.
//!
//! Written from the validator's verdicts and rules, and without its code: a schema is
//! a flat list of objects ([`tree`]) that each check walks once or twice.

mod depth;
mod keywords;
mod refs;
mod size;

mod termination;
#[cfg(test)]
mod tests;
mod tree;

use std::{error::Error, fmt};

use serde_json::Value;

use self::{refs::References, termination::Termination, tree::Tree};
use super::{finding::MAX_TEXT, steps};

/// Checks a schema as Moonshot checks a tool's `parameters` or a `response_format`.
///
/// Moonshot validates every schema of a request and refuses the whole request for a
/// single invalid one. It accepts a dialect of JSON Schema, which its open-source
/// validator (walle) implements. The verdicts here are those of walle's edition of
/// 2026-06-29 at level *strict*; grade: validator, compared on several hundred
/// thousand schemas.
///
/// | what | rule | known from |
/// |---|---|---|
/// | limits | 120 000 bytes, 3000 properties, properties nested 30 deep with references included, 500 branches of an `anyOf`, 1000 values of an `enum` | documented, validator |
/// | keywords | `type`, `enum`, `properties`, `required`, `items`, `additionalProperties`, `anyOf`, `$ref`, `$defs`, `$id`, `description` and `pattern` have values of the right kind, and fit together | validator |
/// | other keywords | accepted with any value; references are looked for in every object below them | validator |
/// | references | `#`, or `#/$defs/` and keys that lead to an object; as a property, as `items`, `additionalProperties` or a branch of `anyOf`, or one level below the root | validator |
/// | beside a reference | only keywords that its target doesn't have, but for `title` and `description` | validator |
/// | recursion | must be seen to end, unless the root is seen to. An end is a type other than object and array, an object without `required`, or an empty schema; one required property, one branch or the items that have an end are enough. That an array may be empty doesn't count, nor what `oneOf`, `allOf` or `const` say | validator; confirmed by a live report of 2026-09 |
///
/// Arrays other than `anyOf` are never looked into, and neither are references in
/// `$defs` that nothing leads to.
///
/// The validator visits keys in random order, and so accepts a few schemas at one
/// time and refuses them at another: recursions without end beside an
/// `additionalProperties` or an empty `required`, and definitions that refer to each
/// other near the limit of depth. They are refused here (judgement).
///
/// That a tool's root needs `"type": "object"` is a rule of the API and not of the
/// dialect. It is checked where a request's tools are, not here.
///
/// The work and the memory are bounded, whatever the schema says: the limits are
/// checked first, and references are never expanded.
///
/// # Errors
///
/// Returns a rule that the schema breaks, and where. The wording is the validator's.
/// Of several faults it may name another one than the validator does.
///
/// # Examples
///
/// ```
/// use serde_json::json;
/// use tower_moonshot::emulator::check_schema;
///
/// let schema = json!({
///     "type": "object",
///     "properties": {"city": {"type": "string", "anyOf": [{"const": "Paris"}]}},
/// });
///
/// let error = check_schema(&schema).unwrap_err();
/// assert_eq!(error.path(), "properties.city");
/// assert_eq!(
///     error.to_string(),
///     "At path 'properties.city': when using anyOf, type should be defined in \
///      anyOf items instead of the parent schema",
/// );
/// ```
pub fn check_schema(schema: &Value) -> Result<(), SchemaError> {
    match faults(schema, 1).pop() {
        None => Ok(()),
        Some(fault) => Err(fault),
    }
}

/// Returns the faults of a schema, up to this number of them: the first of each keyword,
/// and those of references only if the keywords have none.
pub(super) fn faults(schema: &Value, limit: usize) -> Vec<SchemaError> {
    let mut faults = Faults {
        found: Vec::new(),
        limit,
        text: 0,
    };
    // `Err` only ends the checks: that fault is among the others.
    if limit > 0 {
        let _ = faults.gather(schema);
    }
    faults.found
}

/// There are faults that make further checks pointless, or as many as are wanted.
struct Enough;

struct Faults {
    found: Vec<SchemaError>,
    limit: usize,
    /// The length of what they say, in bytes.
    text: usize,
}

impl Faults {
    fn gather(&mut self, schema: &Value) -> Result<(), Enough> {
        let Some(root) = schema.as_object() else {
            return self.last(SchemaError::at_root("schema must be a dict"));
        };
        if let Err(fault) = size::check(root) {
            return self.last(fault);
        }
        let tree = match Tree::plant(root) {
            Ok(tree) => tree,
            Err(fault) => return self.last(fault),
        };
        for (index, _) in tree.schemas() {
            keywords::check(&tree, index, self)?;
        }
        self.end_if_any()?;
        let references = References::of(&tree);
        references.check_targets(self)?;
        self.end_if_any()?;
        if let Err(fault) = depth::check(&references) {
            return self.last(fault);
        }
        let termination = Termination::of(&references);
        references.check(|node, end| termination.is_endless(node, end), self)
    }

    /// Ends the checks if there are faults: those that follow rely on what was checked.
    fn end_if_any(&self) -> Result<(), Enough> {
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(Enough)
        }
    }

    /// Adds a fault after which checks go on.
    fn add(&mut self, fault: SchemaError) -> Result<(), Enough> {
        self.text += fault.path.len() + fault.pointer.len() + fault.message.len();
        self.found.push(fault);
        if self.found.len() < self.limit && self.text < MAX_TEXT {
            Ok(())
        } else {
            Err(Enough)
        }
    }

    /// Adds a fault after which they don't.
    fn last(&mut self, fault: SchemaError) -> Result<(), Enough> {
        self.found.push(fault);
        Err(Enough)
    }
}

/// The error of [`check_schema`]: a rule that the schema breaks, and where.
///
/// [`Display`](fmt::Display) writes both in the form in which Moonshot's validator
/// reports them, and which the API quotes in its own errors (known from the
/// validator).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    path: String,
    pointer: String,
    message: String,
}

impl SchemaError {
    fn new(path: String, message: impl Into<String>) -> Self {
        Self {
            path,
            pointer: String::new(),
            message: message.into(),
        }
    }

    /// Sets the place, which the validator often doesn't tell.
    fn at(mut self, pointer: String) -> Self {
        self.pointer = pointer;
        self
    }

    fn at_root(message: impl Into<String>) -> Self {
        Self::new(tree::ROOT.to_owned(), message)
    }

    /// Returns where the fault is, in the validator's notation: keys joined with dots,
    /// a branch as `anyOf{0}`, and `root` for the schema itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns where the fault is, as a JSON Pointer (RFC 6901) into the schema, such as
    /// `/properties/city/anyOf/0`. Empty for the schema itself.
    ///
    /// It is often more precise than [`path`](Self::path), which is `root` for a
    /// reference that leads nowhere.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Returns what is wrong there, in the validator's words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The validator names a branch in its path, but not in its message.
        let mut parts = self.path.split("anyOf{");
        write!(f, "At path '{}", parts.next().unwrap_or_default())?;
        for part in parts {
            f.write_str("anyOf")?;
            match part.split_once('}') {
                Some((_, rest)) => f.write_str(rest)?,
                None => write!(f, "{{{part}")?,
            }
        }
        write!(f, "': {}", self.message)
    }
}

impl Error for SchemaError {}
