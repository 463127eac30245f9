//! A schema as a tree that can be changed.
//!
//! All values are nodes of one list and name one another by their place in it, so
//! nothing here recurses. The members of an object are linked from one to the next.
//! Every node knows where in the text it came from: what is not changed is written
//! as it was, and a change is reported at the place of its cause.

mod change;

use std::{borrow::Cow, cell::Cell};

use super::keyword::{Keywords, Name, Names};
use crate::json::{Kind, Span, Str};

/// The name of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(u32);

impl Id {
    pub(super) const ROOT: Self = Self(0);

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// No node.
const NONE: u32 = u32::MAX;

/// What is known of a node beside its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    /// It has no place in the text: its cause is another node.
    const MADE: Self = Self(1);
    /// It was an element of an array in the text.
    const ELEMENT: Self = Self(1 << 1);
    /// Its span is one of the text that was made.
    const OWN_TEXT: Self = Self(1 << 2);
    /// The node itself, and not one below, was changed.
    const CHANGED: Self = Self(1 << 3);
    /// It admits something else than it did.
    const ALTERED: Self = Self(1 << 4);
    /// It is no longer a member or an element of what it was one of.
    const GONE: Self = Self(1 << 5);
    /// Its key is not the one that it, or what it was copied from, has in the text.
    const RENAMED: Self = Self(1 << 6);

    const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    const fn set(&mut self, flag: Self) {
        self.0 |= flag.0;
    }
}

/// A value. Small, because there is one for every two bytes of some schemas.
#[derive(Clone, Debug)]
struct Node {
    /// What held it in the text, or the node for whose sake it was made.
    cause: u32,
    /// In the text: the offset of its key, or its place in an array.
    at: u32,
    key: Name,
    next: u32,
    first: u32,
    last: u32,
    span: Span,
    keywords: Keywords,
    kind: Kind,
    flags: Flags,
}

const _: () = assert!(size_of::<Node>() <= 40);

/// Room for nodes that are made: a list that doubled would take three times its
/// contents while it moves.
const SPARE: usize = 64;

/// The schema.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    text: &'a str,
    /// Scalars that were made, one behind the other.
    made: String,
    nodes: Vec<Node>,
    pub(super) names: Names<'a>,
    /// How many more steps of work may be done.
    steps: Cell<u64>,
    /// How many more bytes may come from copying.
    room: usize,
    /// How many have come from copying.
    copied: usize,
    /// How many nodes were read.
    read: usize,
}

impl<'a> Tree<'a> {
    pub(super) fn with_capacity(text: &'a str, nodes: usize, steps: u64, room: usize) -> Self {
        Self {
            text,
            made: String::new(),
            nodes: Vec::with_capacity(nodes + SPARE),
            names: Names::default(),
            steps: Cell::new(steps),
            room,
            copied: 0,
            read: 0,
        }
    }

    /// Adds a value of the text that `holder` holds.
    pub(super) fn add_read(
        &mut self,
        holder: Option<Id>,
        at: u32,
        key: Name,
        kind: Kind,
        span: Span,
    ) -> Id {
        let mut flags = Flags::default();
        if key == Name::NONE && holder.is_some() {
            flags.set(Flags::ELEMENT);
        }
        let id = self.push(Node {
            cause: holder.map_or(NONE, |holder| holder.0),
            at,
            key,
            next: NONE,
            first: NONE,
            last: NONE,
            span,
            keywords: Keywords::default(),
            kind,
            flags,
        });
        if let Some(holder) = holder {
            self.link(holder, key, id);
        }
        id
    }

    /// Of members with the same key the last one counts: the others are not there.
    /// `last` has room for one node for each name.
    pub(super) fn leave_last_of_each(&mut self, object: Id, last: &mut Vec<u32>) {
        let mut child = self.node(object).first;
        while child != NONE {
            let node = &self.nodes[child as usize];
            let (place, next) = (node.key.place(), node.next);
            if last.len() <= place {
                last.resize(place + 1, NONE);
            }
            let earlier = std::mem::replace(&mut last[place], child);
            if earlier != NONE && self.nodes[earlier as usize].cause == object.0 {
                self.nodes[earlier as usize].flags.set(Flags::GONE);
            }
            child = next;
        }
    }

    /// Sets where in the text a container ends.
    pub(super) fn end_read(&mut self, id: Id, end: u32) {
        self.nodes[id.index()].span.end = end;
    }

    /// Keeps note that all of the text has been read.
    pub(super) fn end(mut self) -> Self {
        self.read = self.nodes.len();
        self
    }

    fn push(&mut self, node: Node) -> Id {
        let id = Id(self.nodes.len() as u32);
        if self.nodes.len() == self.nodes.capacity() {
            self.nodes.reserve_exact(SPARE + self.nodes.len() / 8);
        }
        self.nodes.push(node);
        id
    }

    fn node(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
    }

    fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id.index()]
    }

    /// How many nodes there are, those that are gone among them.
    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// No less than the length of what is there when it is written.
    pub(super) fn written_at_most(&self) -> usize {
        /// More than any keyword that is added, with its punctuation.
        const KEYWORD: usize = 32;
        let made = self.nodes.len() - self.read.min(self.nodes.len());
        self.text.len() + self.made.len() + self.copied + KEYWORD * made
    }

    /// Whether a condition holds for any name.
    pub(super) fn any_name(&self, holds: impl Fn(&str) -> bool) -> bool {
        self.names.any(holds)
    }

    // === work ===

    /// Counts work.
    pub(super) fn charge(&self, steps: usize) {
        let left = self.steps.get().saturating_sub(steps as u64);
        self.steps.set(left);
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps.get()
    }

    pub(super) const fn room(&self) -> usize {
        self.room
    }
}

// === looking ===

/// The members of an object, or the elements of an array, that are there.
#[derive(Clone, Debug)]
pub(super) struct Children<'t, 'a> {
    tree: &'t Tree<'a>,
    next: u32,
}

impl Iterator for Children<'_, '_> {
    type Item = Id;

    fn next(&mut self) -> Option<Id> {
        while self.next != NONE {
            let id = Id(self.next);
            let node = self.tree.node(id);
            self.next = node.next;
            self.tree.charge(1);
            if !node.flags.has(Flags::GONE) {
                return Some(id);
            }
        }
        None
    }
}

impl<'a> Tree<'a> {
    pub(super) fn kind(&self, id: Id) -> Kind {
        self.node(id).kind
    }

    pub(super) fn is_object(&self, id: Id) -> bool {
        self.kind(id) == Kind::Object
    }

    pub(super) fn is_array(&self, id: Id) -> bool {
        self.kind(id) == Kind::Array
    }

    /// What a member is called.
    pub(super) fn key(&self, id: Id) -> Name {
        self.node(id).key
    }

    /// Whether it is a member of an object.
    pub(super) fn is_member(&self, id: Id) -> bool {
        self.key(id) != Name::NONE
    }

    pub(super) fn name(&self, name: Name) -> &str {
        self.names.text(name)
    }

    fn all(&self, id: Id) -> Children<'_, 'a> {
        Children {
            tree: self,
            next: self.node(id).first,
        }
    }

    /// The members of an object; none of anything else.
    pub(super) fn members(&self, id: Id) -> Children<'_, 'a> {
        let node = self.node(id);
        let next = if node.kind == Kind::Object {
            node.first
        } else {
            NONE
        };
        Children { tree: self, next }
    }

    /// The elements of an array; none of anything else.
    pub(super) fn elements(&self, id: Id) -> Children<'_, 'a> {
        let node = self.node(id);
        let next = if node.kind == Kind::Array {
            node.first
        } else {
            NONE
        };
        Children { tree: self, next }
    }

    /// The members or elements of whatever it is.
    pub(super) fn children(&self, id: Id) -> Children<'_, 'a> {
        self.all(id)
    }

    pub(super) fn get(&self, object: Id, name: Name) -> Option<Id> {
        if !self.node(object).keywords.may_have(name) {
            return None;
        }
        self.members(object).find(|id| self.key(*id) == name)
    }

    pub(super) fn has(&self, object: Id, name: Name) -> bool {
        let node = self.node(object);
        node.keywords.may_have(name) && (name.bit() != 0 || self.get(object, name).is_some())
    }

    /// The member with this name, if it is an object.
    pub(super) fn object(&self, object: Id, name: Name) -> Option<Id> {
        self.get(object, name).filter(|id| self.is_object(*id))
    }

    /// The member with this name, if it is an array with anything in it.
    pub(super) fn list(&self, object: Id, name: Name) -> Option<Id> {
        let array = self.get(object, name)?;
        self.elements(array).next().map(|_| array)
    }

    pub(super) fn has_members(&self, id: Id) -> bool {
        self.members(id).next().is_some()
    }

    /// A scalar as it is written; of a container that was read, its text.
    pub(super) fn raw(&self, id: Id) -> &str {
        let node = self.node(id);
        let text = if node.flags.has(Flags::OWN_TEXT) {
            &self.made
        } else {
            self.text
        };
        text.get(node.span.range()).unwrap_or_default()
    }

    /// What a string says.
    pub(super) fn string(&self, id: Id) -> Option<Cow<'_, str>> {
        (self.kind(id) == Kind::String).then(|| unquoted(self.raw(id)))
    }

    pub(super) fn number(&self, id: Id) -> Option<f64> {
        match self.kind(id) {
            Kind::Number => self.raw(id).parse().ok(),
            _ => None,
        }
    }

    /// What held this node in the text; none of the root and of what was made.
    pub(super) fn holder(&self, id: Id) -> Option<Id> {
        let node = self.node(id);
        (!node.flags.has(Flags::MADE) && node.cause != NONE).then_some(Id(node.cause))
    }

    /// The node of the text for whose sake this one is there, itself if it is one.
    pub(super) fn origin(&self, mut id: Id) -> Id {
        while self.node(id).flags.has(Flags::MADE) {
            id = Id(self.node(id).cause);
        }
        id
    }

    /// The length of what a node is in the text; 0 if it was made.
    pub(super) fn length_read(&self, id: Id) -> usize {
        let node = self.node(id);
        if node.flags.has(Flags::MADE) {
            0
        } else {
            node.span.length() as usize
        }
    }

    /// A JSON Pointer into the text: the place of a node's cause, and a keyword of
    /// it. A pointer that would be longer than `limit` is one to what is around.
    pub(super) fn pointer(&self, id: Id, keyword: Option<Name>, limit: usize) -> String {
        let mut steps: Vec<Cow<'_, str>> = Vec::new();
        steps.extend(keyword.map(|keyword| self.name(keyword).into()));
        let mut id = self.origin(id);
        while let Some(holder) = self.holder(id) {
            let node = self.node(id);
            steps.push(if node.flags.has(Flags::ELEMENT) {
                node.at.to_string().into()
            } else {
                unquoted(self.quoted_at(node.at))
            });
            id = holder;
        }
        let mut pointer = String::new();
        for step in steps.into_iter().rev() {
            if pointer.len() + step.len() >= limit {
                break;
            }
            pointer.push('/');
            pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        }
        pointer
    }

    /// The string that begins at an offset of the text, with its quotes.
    fn quoted_at(&self, at: u32) -> &'a str {
        let rest = self.text.get(at as usize..).unwrap_or_default();
        let mut escaped = false;
        let mut bytes = rest.bytes().enumerate().skip(1);
        let end = bytes.find_map(|(index, byte)| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends.then_some(index)
        });
        end.and_then(|end| rest.get(..=end)).unwrap_or_default()
    }

    /// A member's key with its quotes, as it was spelled if it is the same.
    pub(super) fn quoted_key(&self, id: Id) -> Cow<'a, str> {
        let node = self.node(id);
        if node.flags.has(Flags::RENAMED) {
            Cow::Owned(quoted(self.name(node.key)))
        } else {
            Cow::Borrowed(self.quoted_at(node.at))
        }
    }

    pub(super) fn is_altered(&self, id: Id) -> bool {
        self.node(id).flags.has(Flags::ALTERED)
    }

    pub(super) fn is_changed(&self, id: Id) -> bool {
        self.node(id).flags.has(Flags::CHANGED)
    }

    /// Whether it is an object or an array.
    pub(super) fn is_container(&self, id: Id) -> bool {
        matches!(self.kind(id), Kind::Object | Kind::Array)
    }

    /// A node and all objects and arrays below it, each behind the one that holds it.
    /// Scalars are not among them: there may be very many.
    pub(super) fn containers(&self, id: Id) -> Vec<Id> {
        let mut found = vec![id];
        let mut next = 0;
        while let Some(&id) = found.get(next) {
            next += 1;
            found.extend(self.all(id).filter(|child| self.is_container(*child)));
        }
        found
    }
}

/// What a quoted string says. One with half of a surrogate pair says nothing that
/// is text; it is given with its quotes.
pub(super) fn unquoted(quoted: &str) -> Cow<'_, str> {
    let string = Str {
        span: Span::new(0, quoted.len()),
        escaped: quoted.contains('\\'),
    };
    match string.unescaped(quoted.as_bytes()) {
        Cow::Borrowed(_) if string.escaped => Cow::Borrowed(quoted),
        Cow::Borrowed(_) => Cow::Borrowed(quoted.get(1..quoted.len() - 1).unwrap_or(quoted)),
        Cow::Owned(name) => String::from_utf8(name).map_or(Cow::Borrowed(quoted), Cow::Owned),
    }
}

/// A string in quotes.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
