//! A schema as a tree that can be changed.
//!
//! All values are nodes of one list and name one another by their place in it, so
//! nothing here recurses. The members of an object are linked from one to the next.
//! Every node knows where in the text it came from: what is not changed is written
//! as it was, and a change is reported at the place of its cause.

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
    pub(super) const fn count(&self) -> usize {
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

    pub(super) const fn steps(&self) -> u64 {
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

// === changing ===

impl<'a> Tree<'a> {
    pub(super) fn set_altered(&mut self, id: Id) {
        self.node_mut(id).flags.set(Flags::ALTERED);
    }

    fn set_changed(&mut self, id: Id) {
        self.node_mut(id).flags.set(Flags::CHANGED);
    }

    /// A new value for the sake of another one, which nothing holds yet.
    pub(super) fn make(&mut self, cause: Id, kind: Kind) -> Id {
        let mut flags = Flags::MADE;
        flags.set(Flags::CHANGED);
        flags.set(Flags::RENAMED);
        self.charge(1);
        self.push(Node {
            cause: cause.0,
            at: 0,
            key: Name::NONE,
            next: NONE,
            first: NONE,
            last: NONE,
            span: Span::new(0, 0),
            keywords: Keywords::default(),
            kind,
            flags,
        })
    }

    pub(super) fn make_object(&mut self, cause: Id) -> Id {
        self.make(cause, Kind::Object)
    }

    /// An array of new values.
    pub(super) fn make_array(&mut self, cause: Id, elements: impl IntoIterator<Item = Id>) -> Id {
        let array = self.make(cause, Kind::Array);
        for element in elements {
            self.append(array, Name::NONE, element);
        }
        array
    }

    /// A new scalar, as it is written.
    pub(super) fn make_raw(&mut self, cause: Id, raw: &str) -> Id {
        let kind = match raw.as_bytes().first() {
            Some(b'"') => Kind::String,
            Some(b't') => Kind::True,
            Some(b'f') => Kind::False,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        };
        let id = self.make(cause, kind);
        self.set_raw(id, raw);
        id
    }

    fn set_raw(&mut self, id: Id, raw: &str) {
        let start = self.made.len();
        self.made.push_str(raw);
        let span = Span::new(start, self.made.len());
        let node = self.node_mut(id);
        node.span = span;
        node.flags.set(Flags::OWN_TEXT);
    }

    /// Makes another scalar of one.
    pub(super) fn become_raw(&mut self, id: Id, raw: &str) {
        self.set_raw(id, raw);
        self.set_changed(id);
    }

    /// Makes an empty object of whatever a node is.
    pub(super) fn become_object(&mut self, id: Id) {
        let node = self.node_mut(id);
        node.kind = Kind::Object;
        (node.first, node.last) = (NONE, NONE);
        node.keywords = Keywords::default();
        node.flags.set(Flags::CHANGED);
    }

    /// Gives a node that nothing holds its key.
    fn set_key(&mut self, id: Id, key: Name) {
        let node = self.node_mut(id);
        if node.key != key {
            node.key = key;
            node.flags.set(Flags::RENAMED);
        }
    }

    /// Links a node as the last one of a container.
    fn link(&mut self, holder: Id, key: Name, id: Id) {
        let last = self.node(holder).last;
        if last == NONE {
            self.node_mut(holder).first = id.0;
        } else {
            self.nodes[last as usize].next = id.0;
        }
        let holder = self.node_mut(holder);
        holder.last = id.0;
        holder.keywords.insert(key);
    }

    /// Adds a new node as the last one of a container.
    pub(super) fn append(&mut self, holder: Id, key: Name, id: Id) {
        self.set_key(id, key);
        self.link(holder, key, id);
        self.set_changed(holder);
    }

    /// Adds a new node as the first one of a container.
    pub(super) fn prepend(&mut self, holder: Id, key: Name, id: Id) {
        let first = self.node(holder).first;
        if first == NONE {
            return self.append(holder, key, id);
        }
        self.set_key(id, key);
        self.node_mut(id).next = first;
        let holder_node = self.node_mut(holder);
        holder_node.first = id.0;
        holder_node.keywords.insert(key);
        self.set_changed(holder);
    }

    /// Removes a member or an element.
    pub(super) fn remove(&mut self, holder: Id, id: Id) {
        let key = self.key(id);
        self.node_mut(id).flags.set(Flags::GONE);
        self.node_mut(holder).keywords.remove(key);
        self.set_changed(holder);
    }

    /// Removes the member with this name.
    pub(super) fn remove_member(&mut self, object: Id, name: Name) -> Option<Id> {
        let id = self.get(object, name)?;
        self.remove(object, id);
        Some(id)
    }

    /// Removes a member or an element, and puts a new node in its place.
    pub(super) fn replace(&mut self, holder: Id, old: Id, key: Name, id: Id) {
        let next = self.node(old).next;
        self.set_key(id, key);
        self.node_mut(id).next = next;
        self.node_mut(old).next = id.0;
        if self.node(holder).last == old.0 {
            self.node_mut(holder).last = id.0;
        }
        self.remove(holder, old);
        self.node_mut(holder).keywords.insert(key);
    }

    /// Gives a member another value, or adds it as the last one.
    pub(super) fn set(&mut self, object: Id, name: Name, id: Id) {
        self.put(object, name, name, id);
    }

    /// Puts a member in the place of another one, or adds it as the last one.
    pub(super) fn put(&mut self, object: Id, instead_of: Name, name: Name, id: Id) {
        match self.get(object, instead_of) {
            Some(old) => self.replace(object, old, name, id),
            None => self.append(object, name, id),
        }
    }

    pub(super) fn rename(&mut self, holder: Id, id: Id, name: Name) {
        let old = self.key(id);
        self.set_key(id, name);
        let holder_node = self.node_mut(holder);
        holder_node.keywords.remove(old);
        holder_node.keywords.insert(name);
        self.set_changed(holder);
    }

    /// A new node that is what another one was, which becomes empty. References to
    /// the old one have to be told.
    fn taken(&mut self, id: Id) -> Id {
        let mut node = self.node(id).clone();
        node.cause = id.0;
        node.next = NONE;
        node.flags.set(Flags::MADE);
        self.charge(1);
        self.push(node)
    }

    /// Takes a member or an element away, to be put somewhere else.
    pub(super) fn take(&mut self, holder: Id, id: Id) -> Id {
        let taken = self.taken(id);
        self.remove(holder, id);
        taken
    }

    /// Takes all members or elements away at once, to be put somewhere else.
    pub(super) fn take_all(&mut self, holder: Id) -> Vec<Id> {
        let all: Vec<Id> = self.all(holder).collect();
        for id in &all {
            self.node_mut(*id).next = NONE;
        }
        let node = self.node_mut(holder);
        (node.first, node.last) = (NONE, NONE);
        node.keywords = Keywords::default();
        self.set_changed(holder);
        all
    }

    /// Moves all that a node holds into a new node, which nothing holds yet. The
    /// old one is an empty object then.
    pub(super) fn move_out(&mut self, id: Id) -> Id {
        let taken = self.taken(id);
        self.become_object(id);
        taken
    }

    /// A copy of a value and all below it, if there is room for one. `copied` is
    /// told of each node and its copy.
    pub(super) fn copy(&mut self, id: Id, mut copied: impl FnMut(Id, Id)) -> Option<Id> {
        if self.length_read(id) > self.room {
            return None;
        }
        let first = self.nodes.len();
        let mut room = self.room;
        let copy = self.copy_node(id);
        // Pairs of a container and its copy.
        let mut rest = vec![(id, copy)];
        let mut pairs = vec![(id, copy)];
        while let Some((from, to)) = rest.pop() {
            let mut child = self.node(from).first;
            while child != NONE {
                let id = Id(child);
                let node = self.node(id);
                child = node.next;
                if node.flags.has(Flags::GONE) {
                    continue;
                }
                let key = node.key;
                let length = match node.kind {
                    Kind::Object | Kind::Array => 2,
                    _ => node.span.length() as usize,
                };
                let name = if key == Name::NONE {
                    0
                } else {
                    self.name(key).len() + 3
                };
                let Some(left) = room.checked_sub(length + name + 1) else {
                    self.nodes.truncate(first);
                    return None;
                };
                room = left;
                let copy = self.copy_node(id);
                self.link(to, key, copy);
                rest.push((id, copy));
                pairs.push((id, copy));
            }
        }
        self.copied += self.room - room;
        self.room = room;
        for (from, to) in pairs {
            copied(from, to);
        }
        Some(copy)
    }

    fn copy_node(&mut self, id: Id) -> Id {
        let mut node = self.node(id).clone();
        let is_container = matches!(node.kind, Kind::Object | Kind::Array);
        node.cause = id.0;
        node.flags.set(Flags::MADE);
        (node.next, node.first, node.last) = (NONE, NONE, NONE);
        if is_container {
            node.keywords = Keywords::default();
        }
        self.charge(2);
        self.push(node)
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
