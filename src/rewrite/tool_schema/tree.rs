//! A schema as a list of nodes that can be changed.
//!
//! Nodes name one another by their place in the list, so nothing here recurses,
//! and a value that is moved keeps its name. Every node knows where in the text it
//! came from: what is not changed is written as it stood there, and a change is
//! reported by the place where its cause was.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use crate::json::{Error, Kind, Scanner, Span, Str};

/// The longest schema that Moonshot takes, in bytes of compact JSON.
pub(super) const MAX_BYTES: usize = 120_000;

/// Objects with more members are searched by hash.
const FEW: usize = 16;

/// The name of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(u32);

impl Id {
    pub(super) const ROOT: Self = Self(0);

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A key: what it says, and its spelling if it came from the text.
#[derive(Clone, Debug)]
pub(super) struct Key<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) quoted: Option<&'a str>,
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(name: &'a str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            quoted: None,
        }
    }
}

impl From<String> for Key<'_> {
    fn from(name: String) -> Self {
        Self {
            name: Cow::Owned(name),
            quoted: None,
        }
    }
}

pub(super) type Member<'a> = (Key<'a>, Id);

/// The value of a node.
#[derive(Clone, Debug)]
pub(super) enum Json<'a> {
    Object(Vec<Member<'a>>),
    Array(Vec<Id>),
    /// Anything else, as it is written.
    Scalar(Cow<'a, str>),
}

/// Where a node came from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    Root,
    /// A member of an object; the key with its quotes.
    Member(Id, Span),
    Element(Id, u32),
    /// Made for the sake of another node.
    Made(Id),
}

#[derive(Clone, Debug)]
struct Node<'a> {
    json: Json<'a>,
    origin: Origin,
    /// Where it stands in the text, unless it was made.
    span: Option<Span>,
    /// Whether the node itself, and not one below, was changed.
    changed: bool,
    /// Whether it says something else than it said.
    altered: bool,
    /// The node that a `$ref` here leads to.
    target: Option<Id>,
}

/// The schema.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    text: &'a str,
    nodes: Vec<Node<'a>>,
    /// Where each reference of the text led, as far as that is known.
    targets: Vec<Option<Id>>,
    /// What is referred to.
    referred: HashSet<Id>,
    /// How many more bytes may come from copying.
    room: usize,
}

// === reading ===

impl<'a> Tree<'a> {
    /// Reads a schema. Its text has been validated.
    pub(super) fn parse(text: &'a str) -> Result<Self, Error> {
        let mut tree = Self {
            text,
            nodes: Vec::with_capacity(text.len() / 8),
            targets: Vec::new(),
            referred: HashSet::new(),
            room: MAX_BYTES,
        };
        tree.read(Span::new(0, text.len()), Origin::Root)?;
        Ok(tree)
    }

    /// Reads the value at `span` into new nodes, each behind the one that holds it.
    fn read(&mut self, span: Span, origin: Origin) -> Result<Id, Error> {
        let base = span.start;
        let moved = |span: Span| Span {
            start: span.start + base,
            end: span.end + base,
        };
        let text = self.text;
        let mut scanner = Scanner::new(span.of(text.as_bytes()))?;
        let first = self.next_id();
        let mut open: Vec<Id> = Vec::new();
        let mut origin = origin;
        // Before a value.
        loop {
            let kind = scanner.peek()?;
            let start = scanner.pos();
            let id = self.next_id();
            let mut entered = false;
            let (json, end) = match kind {
                Kind::Object => {
                    entered = scanner.open()?;
                    (Json::Object(Vec::new()), scanner.pos())
                }
                Kind::Array => {
                    entered = scanner.open()?;
                    (Json::Array(Vec::new()), scanner.pos())
                }
                _ => {
                    let span = moved(scanner.skip()?.span);
                    (Json::Scalar(Cow::Borrowed(self.slice(span))), scanner.pos())
                }
            };
            self.nodes.push(Node {
                json,
                origin,
                span: Some(moved(Span::new(start, end))),
                changed: false,
                altered: false,
                target: None,
            });
            if let (Some(&holder), Origin::Element(..)) = (open.last(), origin) {
                if let Json::Array(elements) = &mut self.nodes[holder.index()].json {
                    elements.push(id);
                }
            }
            if let (Some(&holder), Origin::Member(_, key)) = (open.last(), origin) {
                let key = self.key(key);
                if let Json::Object(members) = &mut self.nodes[holder.index()].json {
                    members.push((key, id));
                }
            }
            if entered {
                open.push(id);
            } else {
                // Behind a value: close what is closed here.
                loop {
                    let Some(&holder) = open.last() else {
                        return Ok(first);
                    };
                    let close = match self.nodes[holder.index()].json {
                        Json::Object(_) => b'}',
                        _ => b']',
                    };
                    if scanner.more(close)? {
                        break;
                    }
                    open.pop();
                    let node = &mut self.nodes[holder.index()];
                    if let Some(span) = &mut node.span {
                        span.end = base + Span::new(0, scanner.pos()).end;
                    }
                    if let Json::Object(members) = &mut node.json {
                        keep_last(members);
                    }
                }
            }
            let Some(&holder) = open.last() else {
                return Ok(first);
            };
            origin = match &self.nodes[holder.index()].json {
                Json::Array(elements) => Origin::Element(holder, Span::new(0, elements.len()).end),
                _ => Origin::Member(holder, moved(scanner.key()?.span)),
            };
        }
    }

    /// Keeps in mind where the references lead, of which none was changed yet.
    pub(super) fn keep_targets(&mut self) {
        self.targets = self.nodes.iter().map(|node| node.target).collect();
        self.referred = self.targets.iter().flatten().copied().collect();
    }

    /// Something that stood beside the choice that a branch belongs to was moved
    /// into it: references to it alone don't mean that.
    pub(super) fn moved_into(&mut self, branch: Id) {
        if self.referred.contains(&branch) {
            self.set_altered(branch);
        }
    }

    /// Reads once more what a node, or the one that it was made or copied from,
    /// was in the text.
    pub(super) fn read_again(&mut self, id: Id) -> Option<Id> {
        let mut cause = id;
        let span = loop {
            let node = &self.nodes[cause.index()];
            cause = match (node.span, node.origin) {
                (Some(span), _) => break span,
                (None, Origin::Made(cause)) => cause,
                _ => return None,
            };
        };
        let start = |node: &Node<'_>| node.span.map(|span| span.start);
        let known = self.nodes.get(..self.targets.len())?;
        let first = known.binary_search_by_key(&Some(span.start), start).ok()?;
        let room = self.room.checked_sub(span.range().len())?;
        let again = self.read(span, Origin::Made(id)).ok()?;
        self.room = room;
        // Nodes are read in the same order each time.
        for index in again.index()..self.nodes.len() {
            self.nodes[index].target = *self.targets.get(first + index - again.index())?;
        }
        Some(again)
    }

    fn next_id(&self) -> Id {
        Id(Span::new(0, self.nodes.len()).end)
    }

    fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.range()).unwrap_or_default()
    }

    fn key(&self, quoted: Span) -> Key<'a> {
        let quoted = self.slice(quoted);
        Key {
            name: unquoted(quoted),
            quoted: Some(quoted),
        }
    }
}

/// Of several members with one name the last counts.
fn keep_last(members: &mut Vec<Member<'_>>) {
    let is_twice = |(index, (key, _)): (usize, &Member<'_>)| {
        members[..index]
            .iter()
            .any(|(known, _)| known.name == key.name)
    };
    if members.len() <= FEW && !members.iter().enumerate().any(is_twice) {
        return;
    }
    let mut last = vec![true; members.len()];
    if members.len() <= FEW {
        for index in 0..members.len() {
            let (name, behind) = (&members[index].0.name, &members[index + 1..]);
            last[index] = !behind.iter().any(|(key, _)| key.name == *name);
        }
    } else {
        let mut places = HashMap::with_capacity(members.len());
        for (index, (key, _)) in members.iter().enumerate() {
            if let Some(earlier) = places.insert(&*key.name, index) {
                last[earlier] = false;
            }
        }
    }
    let mut last = last.into_iter();
    members.retain(|_| last.next().unwrap_or(true));
}

/// What a quoted string says. One with half of a surrogate pair says nothing that
/// is text; it is given with its quotes.
fn unquoted(quoted: &str) -> Cow<'_, str> {
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

// === looking ===

impl<'a> Tree<'a> {
    /// How many nodes there are; the first ones are those of the text.
    pub(super) fn ids(&self) -> impl ExactSizeIterator<Item = Id> + use<> {
        (0..self.next_id().0).map(Id)
    }

    /// No less than the length of everything in compact JSON, whatever it is.
    pub(super) fn length_at_most(&self) -> usize {
        /// A number may be longer in its usual spelling, but not longer than this.
        const NUMBER: usize = 32;
        /// Every byte of a key that was made may need an escape.
        const ESCAPE: usize = 6;
        // What is no text is quoted once more, as it is written.
        let quoted_again = |quoted: &str| 2 * quoted.len() + 2;
        let key = |(key, _): &Member<'_>| match key.quoted {
            Some(quoted) => quoted_again(quoted) + 2,
            None => ESCAPE * key.name.len() + 4,
        };
        let nodes = self.nodes.iter();
        let lengths = nodes.map(|node| match &node.json {
            Json::Object(members) => members.iter().map(key).sum::<usize>() + 2,
            Json::Array(elements) => elements.len() + 2,
            Json::Scalar(raw) => quoted_again(raw).max(NUMBER),
        });
        lengths.sum()
    }

    pub(super) fn json(&self, id: Id) -> &Json<'a> {
        &self.nodes[id.index()].json
    }

    pub(super) fn kind(&self, id: Id) -> Kind {
        match self.json(id) {
            Json::Object(_) => Kind::Object,
            Json::Array(_) => Kind::Array,
            Json::Scalar(raw) => match raw.as_bytes().first() {
                Some(b'"') => Kind::String,
                Some(b't') => Kind::True,
                Some(b'f') => Kind::False,
                Some(b'n') => Kind::Null,
                _ => Kind::Number,
            },
        }
    }

    pub(super) fn is_object(&self, id: Id) -> bool {
        matches!(self.json(id), Json::Object(_))
    }

    /// The members of an object, none of anything else.
    pub(super) fn members(&self, id: Id) -> &[Member<'a>] {
        match self.json(id) {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// The elements of an array, none of anything else.
    pub(super) fn elements(&self, id: Id) -> &[Id] {
        match self.json(id) {
            Json::Array(elements) => elements,
            _ => &[],
        }
    }

    pub(super) fn get(&self, object: Id, name: &str) -> Option<Id> {
        let found = self
            .members(object)
            .iter()
            .find(|(key, _)| key.name == name);
        found.map(|(_, value)| *value)
    }

    pub(super) fn has(&self, object: Id, name: &str) -> bool {
        self.get(object, name).is_some()
    }

    /// The member with this name, if it is an object.
    pub(super) fn object(&self, object: Id, name: &str) -> Option<Id> {
        self.get(object, name)
            .filter(|value| self.is_object(*value))
    }

    /// What a string says.
    pub(super) fn string(&self, id: Id) -> Option<Cow<'_, str>> {
        match self.json(id) {
            Json::Scalar(raw) if raw.starts_with('"') => Some(unquoted(raw)),
            _ => None,
        }
    }

    /// How a scalar is written.
    pub(super) fn raw(&self, id: Id) -> &str {
        match self.json(id) {
            Json::Scalar(raw) => raw,
            _ => "",
        }
    }

    /// The node that held this one in the text, and what it was called there.
    pub(super) fn holder(&self, id: Id) -> Option<(Id, Key<'a>)> {
        match self.nodes[id.index()].origin {
            Origin::Member(holder, key) => Some((holder, self.key(key))),
            Origin::Element(holder, _) => Some((holder, Key::from(""))),
            Origin::Root | Origin::Made(_) => None,
        }
    }

    /// The place of a node's cause: a JSON Pointer into the text.
    pub(super) fn pointer(&self, id: Id) -> String {
        let mut steps = Vec::new();
        let mut id = id;
        loop {
            id = match self.nodes[id.index()].origin {
                Origin::Root => break,
                Origin::Made(cause) => cause,
                Origin::Member(holder, key) => {
                    let name = unquoted(self.slice(key));
                    steps.push(name.replace('~', "~0").replace('/', "~1"));
                    holder
                }
                Origin::Element(holder, index) => {
                    steps.push(index.to_string());
                    holder
                }
            };
        }
        let mut pointer = String::new();
        for step in steps.iter().rev() {
            pointer.push('/');
            pointer.push_str(step);
        }
        pointer
    }

    pub(super) fn target(&self, id: Id) -> Option<Id> {
        self.nodes[id.index()].target
    }

    pub(super) fn set_target(&mut self, id: Id, target: Option<Id>) {
        self.nodes[id.index()].target = target;
    }

    pub(super) fn is_altered(&self, id: Id) -> bool {
        self.nodes[id.index()].altered
    }

    pub(super) fn set_altered(&mut self, id: Id) {
        self.nodes[id.index()].altered = true;
    }

    pub(super) fn is_changed(&self, id: Id) -> bool {
        self.nodes[id.index()].changed
    }

    /// Where a node stood in the text.
    pub(super) fn original(&self, id: Id) -> Option<&'a str> {
        self.nodes[id.index()].span.map(|span| self.slice(span))
    }

    /// A node and all below it, each behind the one that holds it.
    pub(super) fn below(&self, id: Id) -> Vec<Id> {
        let mut found = vec![id];
        let mut next = 0;
        while let Some(&id) = found.get(next) {
            next += 1;
            match self.json(id) {
                Json::Object(members) => found.extend(members.iter().map(|(_, value)| *value)),
                Json::Array(elements) => found.extend(elements),
                Json::Scalar(_) => {}
            }
        }
        found
    }
}

// === changing ===

impl<'a> Tree<'a> {
    fn changed(&mut self, id: Id) -> &mut Json<'a> {
        let node = &mut self.nodes[id.index()];
        node.changed = true;
        &mut node.json
    }

    /// Makes something else of a node, which keeps its name.
    pub(super) fn become_json(&mut self, id: Id, json: Json<'a>) {
        *self.changed(id) = json;
    }

    /// Changes the members of what is an object.
    pub(super) fn change_members(&mut self, id: Id, change: impl FnOnce(&mut Vec<Member<'a>>)) {
        if let Json::Object(members) = self.changed(id) {
            change(members);
        }
    }

    /// Changes the elements of what is an array.
    pub(super) fn change_elements(&mut self, id: Id, change: impl FnOnce(&mut Vec<Id>)) {
        if let Json::Array(elements) = self.changed(id) {
            change(elements);
        }
    }

    pub(super) fn remove(&mut self, object: Id, name: &str) -> Option<Id> {
        let place = self
            .members(object)
            .iter()
            .position(|(key, _)| key.name == name)?;
        match self.changed(object) {
            Json::Object(members) => Some(members.remove(place).1),
            _ => None,
        }
    }

    /// Gives a member another value, or adds it as the last one.
    pub(super) fn set(&mut self, object: Id, name: &'static str, value: Id) {
        self.set_key(object, Key::from(name), value);
    }

    pub(super) fn set_key(&mut self, object: Id, key: Key<'a>, value: Id) {
        self.change_members(object, |members| {
            match members.iter_mut().find(|(known, _)| known.name == key.name) {
                Some((_, old)) => *old = value,
                None => members.push((key, value)),
            }
        });
    }

    /// Puts another keyword in the place of one, or in front.
    pub(super) fn put(&mut self, object: Id, instead_of: &str, name: &'static str, value: Id) {
        self.change_members(object, |members| {
            let place = members.iter().position(|(key, _)| key.name == instead_of);
            match place {
                Some(place) => members[place] = (Key::from(name), value),
                None => members.insert(0, (Key::from(name), value)),
            }
        });
    }

    /// A new value, for the sake of another one.
    pub(super) fn make(&mut self, cause: Id, json: Json<'a>) -> Id {
        let id = self.next_id();
        self.nodes.push(Node {
            json,
            origin: Origin::Made(cause),
            span: None,
            changed: true,
            altered: false,
            target: None,
        });
        id
    }

    pub(super) fn make_raw(&mut self, cause: Id, raw: impl Into<Cow<'a, str>>) -> Id {
        self.make(cause, Json::Scalar(raw.into()))
    }

    pub(super) fn make_empty(&mut self, cause: Id) -> Id {
        self.make(cause, Json::Object(Vec::new()))
    }

    /// A copy of a value and all below it, if there is room for one.
    pub(super) fn copy(&mut self, id: Id) -> Option<Id> {
        let first = self.next_id();
        let mut room = self.room;
        // Pairs of a node and the place of its copy's name.
        let mut ids = vec![id];
        let mut next = 0;
        while let Some(&id) = ids.get(next) {
            next += 1;
            let mut node = self.nodes[id.index()].clone();
            let mut name = |id: &mut Id| {
                let copy = Id(first.0 + Span::new(0, ids.len()).end);
                ids.push(std::mem::replace(id, copy));
            };
            let length = match &mut node.json {
                Json::Object(members) => {
                    let length: usize = members.iter().map(|(key, _)| key.name.len() + 4).sum();
                    members.iter_mut().for_each(|(_, id)| name(id));
                    length + 2
                }
                Json::Array(elements) => {
                    elements.iter_mut().for_each(&mut name);
                    elements.len() + 2
                }
                Json::Scalar(raw) => raw.len(),
            };
            let Some(less) = room.checked_sub(length) else {
                self.nodes.truncate(first.index());
                return None;
            };
            room = less;
            self.nodes.push(node);
        }
        self.room = room;
        Some(first)
    }

    /// As [`copy`](Self::copy); without room it is `{}`, which admits everything.
    pub(super) fn copy_or_empty(&mut self, id: Id) -> Id {
        match self.copy(id) {
            Some(copy) => copy,
            None => {
                let empty = self.make_empty(id);
                self.set_altered(empty);
                empty
            }
        }
    }
}
