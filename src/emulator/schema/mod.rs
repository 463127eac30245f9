//! Moonshot-flavoured JSON Schema, the dialect of tool parameters and of
//! `response_format`.

mod depth;
mod keywords;
mod refs;
mod size;
mod termination;
mod tree;

use std::{error::Error, fmt};

use serde_json::Value;

use self::{refs::Definitions, tree::Tree};

/// Tells whether Moonshot takes a schema as a tool's `parameters` or as a
/// `response_format`.
///
/// Moonshot validates every schema of a request and refuses the whole request
/// for one bad one. What it takes is a dialect of JSON Schema, whose rules its
/// own open-source validator (walle) spells out; the verdicts here are those of
/// walle at level *strict*. The one rule that is not about the dialect, that a
/// tool's root has `"type": "object"`, is the API's own and is not judged here.
///
/// On references that are required, reports go beyond walle's documents: a
/// definition which has no `type`, say because it is a `oneOf`, counts as a
/// recursion without end (reported from the live service in September 2026, and
/// in keeping with walle's source). That an array may end it by being empty,
/// unless `minItems` forbids, is documented, but earlier versions of walle
/// refused that too.
///
/// Whoever wrote the schema, the check is quick and the stack stays flat:
/// references are never expanded.
///
/// # Errors
///
/// The first rule that the schema breaks, with the place. The wording is
/// walle's, except for rules whose wording nobody has recorded.
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
    let Some(root) = schema.as_object() else {
        return Err(SchemaError::at_root("schema must be a dict"));
    };
    size::check(schema)?;
    let tree = Tree::plant(root)?;
    let definitions = Definitions::of(&tree)?;
    definitions.check_siblings()?;
    definitions.check_depth()?;
    definitions.check_termination()
}

/// Why [`check_schema`] turns a schema down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    path: String,
    message: String,
}

impl SchemaError {
    fn new(path: String, message: impl Into<String>) -> Self {
        Self {
            path,
            message: message.into(),
        }
    }

    fn at_root(message: impl Into<String>) -> Self {
        Self::new(tree::ROOT.to_owned(), message)
    }

    /// The place in the schema, in walle's notation: keys joined with dots, a
    /// branch as `anyOf{0}`, and `root` for the schema itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "At path '{}': {}", self.path, self.message)
    }
}

impl Error for SchemaError {}
