//! A schema as a flat list of its objects.

use std::{fmt::Write, ops::Range};

use serde_json::{Map, Value};

use super::{super::place::write_escaped, SchemaError, steps};

/// The validator's name for the schema itself.
pub(super) const ROOT: &str = "root";

/// How deeply properties may be nested.
pub(super) const MAX_DEPTH: usize = 30;

/// How many properties all objects of a schema may have together.
const MAX_PROPERTIES: usize = 3_000;

/// Every object in which the validator may look for a reference, each after the
/// one that holds it.
///
/// A list with indices instead of recursion: no schema can overflow the stack, and
/// the path of an object, which may be long, is only written out for an error.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
}

/// One object of a schema.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) object: &'a Map<String, Value>,
    /// The object that holds this one; the root holds itself.
    pub(super) parent: usize,
    pub(super) step: Step<'a>,
    pub(super) kind: Kind,
    /// How many properties lie around it.
    pub(super) depth: usize,
    /// Whether some `$defs` holds it. References in there are only followed from
    /// elsewhere.
    pub(super) aside: bool,
    /// Whether the validator loses its way to this object, because a name on its
    /// path looks like an index.
    pub(super) lost: bool,
    /// Whether the validator takes it for the root: that is what the root's path is
    /// called, and a key of the root may have the same name.
    pub(super) as_root: bool,
    /// The objects that it holds: those under keys, sorted, then its branches.
    children: Range<usize>,
}

/// Where an object is in the one that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step<'a> {
    Root,
    Key(&'a str),
    Branch(usize),
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A subschema, whose keywords are checked.
    Schema,
    /// The value of a subschema's `$defs`.
    Definitions,
    /// The value of a subschema's `properties`.
    Properties,
    /// Anything else: the value of another keyword, or a part of it. Only the
    /// references in it are checked.
    Other,
}

impl Kind {
    /// What the object under a key of this one is.
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Self::Definitions | Self::Properties, _)
            | (Self::Schema, "items" | "additionalProperties") => Self::Schema,
            (Self::Schema, "$defs") => Self::Definitions,
            (Self::Schema, "properties") => Self::Properties,
            _ => Self::Other,
        }
    }

    /// What a branch of this object's `anyOf` is.
    fn branch(self) -> Self {
        match self {
            Self::Schema => Self::Schema,
            _ => Self::Other,
        }
    }
}

impl<'a> Tree<'a> {
    /// Lists the objects, and checks the limits that bound every later check.
    pub(super) fn plant(root: &'a Map<String, Value>) -> Result<Self, SchemaError> {
        let mut tree = Self {
            nodes: vec![Node {
                object: root,
                parent: 0,
                step: Step::Root,
                kind: Kind::Schema,
                depth: 0,
                aside: false,
                lost: false,
                as_root: true,
                children: 0..0,
            }],
        };
        let mut properties = 0;
        let mut next = 0;
        while next < tree.nodes.len() {
            let node = &tree.nodes[next];
            if node.kind == Kind::Schema && node.depth > MAX_DEPTH {
                return Err(tree.error(next, too_deep()));
            }
            if node.kind == Kind::Properties {
                properties += node.object.len();
                if properties > MAX_PROPERTIES {
                    return Err(tree.error(
                        node.parent,
                        format!(
                            "total number of properties keys({properties}) across all objects \
                             exceeds maximum limit of {MAX_PROPERTIES}"
                        ),
                    ));
                }
            }
            tree.grow(next);
            next += 1;
        }
        Ok(tree)
    }

    /// Appends the objects that one holds. Arrays other than `anyOf` (`oneOf`,
    /// `allOf`, `prefixItems` …) are never looked into.
    fn grow(&mut self, parent: usize) {
        let start = self.nodes.len();
        let object = self.nodes[parent].object;
        steps::count(1 + object.len());
        for (key, value) in object {
            match value {
                Value::Object(below) => self.push(parent, Step::Key(key), below),
                Value::Array(branches) if key == "anyOf" => {
                    steps::count(branches.len());
                    for (index, branch) in branches.iter().enumerate() {
                        if let Some(below) = branch.as_object() {
                            self.push(parent, Step::Branch(index), below);
                        }
                    }
                }
                _ => {}
            }
        }
        // Already in order, but for branches, unless the caller's serde_json keeps
        // the order of keys.
        self.nodes[start..].sort_unstable_by(|a, b| {
            steps::count(1);
            a.step.cmp(&b.step)
        });
        self.nodes[parent].children = start..self.nodes.len();
    }

    fn push(&mut self, parent: usize, step: Step<'a>, object: &'a Map<String, Value>) {
        let holder = &self.nodes[parent];
        let mut node = Node {
            object,
            parent,
            step,
            kind: holder.kind.branch(),
            depth: holder.depth,
            aside: holder.aside,
            lost: holder.lost,
            as_root: holder.as_root && step == Step::Key(ROOT),
            children: 0..0,
        };
        if let Step::Key(key) = step {
            node.kind = holder.kind.below(key);
            node.depth += usize::from(holder.kind == Kind::Properties);
            node.aside |= key == "$defs";
            node.lost |= key.contains('{') && key.contains('}');
        }
        self.nodes.push(node);
    }

    pub(super) fn nodes(&self) -> &[Node<'a>] {
        &self.nodes
    }

    /// The subschemas, whose keywords are to be checked.
    pub(super) fn schemas(&self) -> impl Iterator<Item = (usize, &Node<'a>)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, node)| node.kind == Kind::Schema)
    }

    pub(super) fn root(&self) -> &'a Map<String, Value> {
        self.nodes[0].object
    }

    /// The object under a key of one.
    pub(super) fn child(&self, node: usize, key: &str) -> Option<usize> {
        let Range { start, end } = self.nodes[node].children;
        let found = self.nodes[start..end].binary_search_by(|child| {
            steps::count(1);
            child.step.cmp(&Step::Key(key))
        });
        found.ok().map(|index| start + index)
    }

    /// The objects under all keys of one.
    pub(super) fn members(&self, node: usize) -> impl Iterator<Item = usize> {
        self.holding(node, |step| matches!(step, Step::Key(_)))
    }

    /// The objects in one's `anyOf`.
    pub(super) fn branches(&self, node: usize) -> impl Iterator<Item = usize> {
        self.holding(node, |step| matches!(step, Step::Branch(_)))
    }

    fn holding(&self, node: usize, of: fn(Step<'a>) -> bool) -> impl Iterator<Item = usize> {
        let children = self.nodes[node].children.clone();
        steps::count(children.len());
        children.filter(move |child| of(self.nodes[*child].step))
    }

    /// An error about one object.
    pub(super) fn error(&self, node: usize, message: impl Into<String>) -> SchemaError {
        self.error_below(node, None, message)
    }

    /// An error about one keyword of a subschema.
    pub(super) fn error_at(
        &self,
        node: usize,
        keyword: &str,
        message: impl Into<String>,
    ) -> SchemaError {
        self.error_below(node, Some(keyword), message)
    }

    fn error_below(
        &self,
        node: usize,
        keyword: Option<&str>,
        message: impl Into<String>,
    ) -> SchemaError {
        let error = match (node, keyword) {
            (0, None) => SchemaError::at_root(message),
            (0, Some(keyword)) => SchemaError::new(keyword.to_owned(), message),
            (_, None) => SchemaError::new(self.path(node), message),
            (_, Some(keyword)) => {
                SchemaError::new(format!("{}.{keyword}", self.path(node)), message)
            }
        };
        error.at(self.pointer(node, keyword))
    }

    /// The JSON Pointer to an object, or to one of its keywords.
    pub(super) fn pointer(&self, node: usize, keyword: Option<&str>) -> String {
        let mut pointer = String::new();
        for step in self.steps(node) {
            // Writing to a string never fails.
            let _ = match step {
                Step::Root => Ok(()),
                Step::Key(key) => {
                    pointer.push('/');
                    write_escaped(&mut pointer, key)
                }
                Step::Branch(index) => write!(pointer, "/anyOf/{index}"),
            };
        }
        // A key of a definition is named after the keyword and a dot.
        if let Some(keyword) = keyword.and_then(|keyword| keyword.split('.').next()) {
            pointer.push('/');
            pointer.push_str(keyword);
        }
        pointer
    }

    /// The path of an object in the validator's notation.
    pub(super) fn path(&self, node: usize) -> String {
        let steps = self.steps(node).into_iter().filter_map(|step| match step {
            Step::Root => None,
            Step::Key(key) => Some(key.to_owned()),
            Step::Branch(index) => Some(format!("anyOf{{{index}}}")),
        });
        steps.collect::<Vec<_>>().join(".")
    }

    /// The way to an object from the root.
    fn steps(&self, mut node: usize) -> Vec<Step<'a>> {
        let mut steps = vec![self.nodes[node].step];
        while node != 0 {
            node = self.nodes[node].parent;
            steps.push(self.nodes[node].step);
        }
        steps.reverse();
        steps
    }
}

/// The message about a schema that is nested too deeply.
pub(super) fn too_deep() -> String {
    format!("schema depth exceeds maximum limit of {MAX_DEPTH}")
}

/// The object that a keyword holds, if it holds one.
pub(super) fn object<'a>(
    schema: &'a Map<String, Value>,
    keyword: &str,
) -> Option<&'a Map<String, Value>> {
    schema.get(keyword).and_then(Value::as_object)
}

/// The array that a keyword holds, if it holds one.
pub(super) fn array<'a>(schema: &'a Map<String, Value>, keyword: &str) -> Option<&'a [Value]> {
    schema
        .get(keyword)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
}
