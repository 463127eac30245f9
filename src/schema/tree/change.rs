//! Changes of a tree: members are added, removed, moved and copied.

use super::{Flags, Id, NONE, Node, Tree};
use crate::{
    json::{Kind, Span},
    schema::keyword::{Keywords, Name},
};

impl<'a> Tree<'a> {
    pub(in crate::schema) fn set_altered(&mut self, id: Id) {
        self.node_mut(id).flags.set(Flags::ALTERED);
    }

    fn set_changed(&mut self, id: Id) {
        self.node_mut(id).flags.set(Flags::CHANGED);
    }

    /// A new value for the sake of another one, which nothing holds yet.
    pub(in crate::schema) fn make(&mut self, cause: Id, kind: Kind) -> Id {
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

    pub(in crate::schema) fn make_object(&mut self, cause: Id) -> Id {
        self.make(cause, Kind::Object)
    }

    /// An array of new values.
    pub(in crate::schema) fn make_array(
        &mut self,
        cause: Id,
        elements: impl IntoIterator<Item = Id>,
    ) -> Id {
        let array = self.make(cause, Kind::Array);
        for element in elements {
            self.append(array, Name::NONE, element);
        }
        array
    }

    /// A new scalar, as it is written.
    pub(in crate::schema) fn make_raw(&mut self, cause: Id, raw: &str) -> Id {
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
    pub(in crate::schema) fn become_raw(&mut self, id: Id, raw: &str) {
        self.set_raw(id, raw);
        self.set_changed(id);
    }

    /// Makes an empty object of whatever a node is.
    pub(in crate::schema) fn become_object(&mut self, id: Id) {
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
    pub(super) fn link(&mut self, holder: Id, key: Name, id: Id) {
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
    pub(in crate::schema) fn append(&mut self, holder: Id, key: Name, id: Id) {
        self.set_key(id, key);
        self.link(holder, key, id);
        self.set_changed(holder);
    }

    /// Adds a new node as the first one of a container.
    pub(in crate::schema) fn prepend(&mut self, holder: Id, key: Name, id: Id) {
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
    pub(in crate::schema) fn remove(&mut self, holder: Id, id: Id) {
        let key = self.key(id);
        self.node_mut(id).flags.set(Flags::GONE);
        self.node_mut(holder).keywords.remove(key);
        self.set_changed(holder);
    }

    /// Removes the member with this name.
    pub(in crate::schema) fn remove_member(&mut self, object: Id, name: Name) -> Option<Id> {
        let id = self.get(object, name)?;
        self.remove(object, id);
        Some(id)
    }

    /// Removes a member or an element, and puts a new node in its place.
    pub(in crate::schema) fn replace(&mut self, holder: Id, old: Id, key: Name, id: Id) {
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
    pub(in crate::schema) fn set(&mut self, object: Id, name: Name, id: Id) {
        self.put(object, name, name, id);
    }

    /// Puts a member in the place of another one, or adds it as the last one.
    pub(in crate::schema) fn put(&mut self, object: Id, instead_of: Name, name: Name, id: Id) {
        match self.get(object, instead_of) {
            Some(old) => self.replace(object, old, name, id),
            None => self.append(object, name, id),
        }
    }

    pub(in crate::schema) fn rename(&mut self, holder: Id, id: Id, name: Name) {
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
    pub(in crate::schema) fn take(&mut self, holder: Id, id: Id) -> Id {
        let taken = self.taken(id);
        self.remove(holder, id);
        taken
    }

    /// Takes all members or elements away at once, to be put somewhere else.
    pub(in crate::schema) fn take_all(&mut self, holder: Id) -> Vec<Id> {
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
    pub(in crate::schema) fn move_out(&mut self, id: Id) -> Id {
        let taken = self.taken(id);
        self.become_object(id);
        taken
    }

    /// A copy of a value and all below it, if there is room for one. `copied` is
    /// told of each node and its copy.
    pub(in crate::schema) fn copy(&mut self, id: Id, mut copied: impl FnMut(Id, Id)) -> Option<Id> {
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
