//! A list of edits, which adds and removes the commas that they require.

use bytes::Bytes;

use super::{
    Member, Span,
    edit::{Edit, Extent, How, Text},
    list::push,
    rope::Rope,
};

/// Collects edits of one valid JSON text, in any order.
///
/// An edit may lie inside a span that another edit removes or replaces, and is then
/// dropped. Otherwise spans must not overlap. Adjacent spans are fine.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    edits: Vec<Edit>,
}

impl Edits {
    /// Replaces `span`, which may be part of a value, by `text`.
    pub(crate) fn replace(&mut self, span: Span, text: impl Into<Text>) {
        self.push(span, text.into(), How::Replace);
    }

    /// Replaces `span`, which must have two bytes or more, by several texts in a row.
    pub(crate) fn replace_by_all(&mut self, span: Span, texts: impl IntoIterator<Item = Text>) {
        let mut texts = texts.into_iter().peekable();
        let mut rest = span;
        while let Some(text) = texts.next() {
            let is_first = rest.start == span.start;
            let end = match texts.peek() {
                None => span.end,
                // The first text replaces one byte and the last text all others.
                Some(_) if is_first => span.start + 1,
                Some(_) => rest.start,
            };
            self.replace(Span { end, ..rest }, text);
            rest.start = end;
        }
    }

    /// Inserts `text` before the byte at an offset. The caller takes care of commas.
    pub(crate) fn insert(&mut self, at: u32, text: impl Into<Text>) {
        self.push(Span { start: at, end: at }, text.into(), How::Replace);
    }

    /// Removes bytes. The caller takes care of commas.
    pub(crate) fn cut(&mut self, span: Span) {
        self.push(span, Text::Static(""), How::Replace);
    }

    /// Removes a member or an element, or several adjacent ones, with the comma.
    pub(crate) fn remove(&mut self, span: Span) {
        self.push(span, Text::Static(""), How::Remove);
    }

    /// Appends `text`, a member or an element, to `container`.
    pub(crate) fn append(&mut self, container: Span, text: impl Into<Text>) {
        let close = before_close(container);
        self.push(close, Text::Static(","), How::Comma);
        self.push(close, text.into(), How::Append);
    }

    /// Appends a member to an object. `key` includes its quotes and the colon.
    pub(crate) fn append_member(
        &mut self,
        object: Span,
        key: &'static str,
        value: impl Into<Text>,
    ) {
        self.append(object, key);
        self.extend(object, value);
    }

    /// Continues the member or element that was appended to `container` last.
    pub(crate) fn extend(&mut self, container: Span, text: impl Into<Text>) {
        self.push(before_close(container), text.into(), How::Append);
    }

    /// Whether there are no edits.
    pub(crate) fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    #[inline]
    fn push(&mut self, span: Span, text: Text, how: How) {
        push(&mut self.edits, Edit { span, text, how });
    }

    /// Removes the earlier members of duplicate keys whose last member is edited.
    ///
    /// The last member is the one that is read. A parser that reads the first one would
    /// otherwise see a value that was to be removed. `duplicates` are pairs of a later
    /// and an earlier member of one object, sorted by the offset of the later one.
    pub(crate) fn remove_duplicates(&mut self, duplicates: &[(Member, Member)]) {
        if self.edits.is_empty() || duplicates.is_empty() {
            return;
        }
        let mut edited: std::collections::BTreeSet<u32> =
            self.edits.iter().map(|edit| edit.span.start).collect();
        // Backwards, because a removal counts as an edit of the members around it.
        for (later, earlier) in duplicates.iter().rev() {
            let later = later.span();
            if edited.range(later.start..later.end).next().is_some() {
                self.remove(earlier.span());
                edited.insert(earlier.key.start);
            }
        }
    }

    /// Calls `f` with the index and the edited text of each span. `spans` are sorted and
    /// don't overlap, and no edit crosses the boundary of one.
    pub(crate) fn for_each_edited(
        &self,
        text: &Bytes,
        spans: &[Span],
        mut f: impl FnMut(usize, Bytes),
    ) {
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
            return;
        };
        let whole = first.start..last.end;
        let mut inside: Vec<&Edit> = self
            .edits
            .iter()
            .filter(|edit| whole.contains(&edit.span.start))
            .collect();
        inside.sort_by_key(|edit| edit.span.start);
        let mut rest = &inside[..];
        for (number, &span) in spans.iter().enumerate() {
            let before = rest.partition_point(|edit| edit.span.start < span.start);
            let inner = rest[before..].partition_point(|edit| edit.span.start < span.end);
            let (inner, behind) = rest[before..].split_at(inner);
            rest = behind;
            let edits = inner.iter().map(|edit| Edit {
                span: Span {
                    start: edit.span.start - span.start,
                    end: edit.span.end - span.start,
                },
                text: edit.text.clone(),
                how: edit.how,
            });
            let mut edits = Self {
                edits: edits.collect(),
            };
            f(number, edits.apply(&text.slice(span.range())).into_bytes());
        }
    }

    /// Returns the edited text and clears the list, which keeps its capacity.
    pub(crate) fn apply(&mut self, text: &Bytes) -> Rope {
        if self.edits.is_empty() {
            return Rope::from(text.clone());
        }
        // A stable sort keeps the order of what is appended to one container.
        self.edits.sort_by_key(|edit| edit.span.start);
        let extent = Settler::new(text).settle(&mut self.edits);
        Rope::new(text, &mut self.edits, extent)
    }

    /// Shrinks the capacity to this many edits.
    pub(crate) fn shrink_to(&mut self, edits: usize) {
        self.edits.shrink_to(edits);
    }
}

/// The empty span before the closing bracket.
const fn before_close(container: Span) -> Span {
    let end = container.end - 1;
    Span { start: end, end }
}

/// Resolves sorted edits to the spans that they replace, commas included.
struct Settler<'a> {
    text: &'a [u8],
    /// The size of the edited text up to `covered`.
    extent: Extent,
    /// The end of the last resolved edit. Edits that start before it lie inside a removed
    /// or replaced span and are dropped.
    covered: u32,
    /// Where the member or element after the last resolved comma is inserted.
    appended_at: u32,
}

impl<'a> Settler<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            extent: Extent::default(),
            covered: 0,
            appended_at: 0,
        }
    }

    /// Drops edits inside of removed spans and sets the final span of all others. The
    /// result is sorted and has no overlaps.
    fn settle(mut self, edits: &mut Vec<Edit>) -> Extent {
        let mut settled = 0;
        let mut next = 0;
        while let Some(&Edit { span, how, .. }) = edits.get(next) {
            let this = next;
            next += 1;
            if span.start < self.covered {
                continue;
            }
            let span = match how {
                How::Replace => span,
                How::Remove => {
                    let run;
                    (run, next) = self.run(span, edits, next);
                    self.with_comma(run)
                }
                How::Comma => {
                    let follows = self.find_end(span.start, edits[..settled].last());
                    if !follows {
                        continue;
                    }
                    self.insertion()
                }
                How::Append => self.insertion(),
            };
            let edit = &mut edits[this];
            edit.span = span;
            let stretch = span.start - self.covered;
            self.extent
                .add(stretch as usize, edit.text.as_bytes().len());
            self.covered = span.end;
            if settled < this {
                edits.swap(settled, this);
            }
            settled += 1;
        }
        edits.truncate(settled);
        let rest = self.text.len() - self.covered as usize;
        self.extent.add(rest, 0);
        self.extent
    }

    /// Joins adjacent removals to one run, which has one comma. Returns the span of the
    /// run and the index of the first edit after it.
    fn run(&self, first: Span, edits: &[Edit], mut next: usize) -> (Span, usize) {
        let mut run = first;
        while let Some(&Edit { span, how, .. }) = edits.get(next) {
            let in_run = span.start < run.end;
            if matches!(how, How::Remove) && span.start == self.after_comma(run) {
                run.end = span.end;
            } else if !in_run {
                break;
            }
            next += 1;
        }
        (run, next)
    }

    /// Extends a run by the comma after it, or by the one before it at the end of a
    /// container.
    fn with_comma(&self, run: Span) -> Span {
        let behind = self.after_comma(run);
        if behind > run.end {
            Span { end: behind, ..run }
        } else {
            Span {
                start: self.before_comma(run.start),
                ..run
            }
        }
    }

    /// Finds where a container is appended to: after its last remaining item and before
    /// the white space that follows. Returns whether there is such an item. `last` is the
    /// last edit before the closing bracket.
    fn find_end(&mut self, close: u32, last: Option<&Edit>) -> bool {
        let mut at = self.skip_space_back(close);
        let mut first = true;
        if let Some(last) = last.filter(|last| last.span.end == at) {
            if last.text.as_bytes().is_empty() {
                // The last item is removed. Continue before it.
                at = self.skip_space_back(last.span.start);
            } else {
                first = false;
            }
        }
        self.appended_at = at.max(self.covered);
        !(first && matches!(self.byte_before(at), Some(b'{' | b'[')))
    }

    const fn insertion(&self) -> Span {
        Span {
            start: self.appended_at,
            end: self.appended_at,
        }
    }

    /// Returns the offset after the comma and white space after `span`, or the end of
    /// `span` if no comma follows.
    fn after_comma(&self, span: Span) -> u32 {
        let comma = self.skip_space(span.end);
        match self.text.get(comma as usize) {
            Some(b',') => self.skip_space(comma + 1),
            _ => span.end,
        }
    }

    /// Returns the offset of the comma before `start`, or `start` if there is none.
    fn before_comma(&self, start: u32) -> u32 {
        let at = self.skip_space_back(start);
        match self.byte_before(at) {
            Some(b',') => at - 1,
            _ => start,
        }
    }

    fn byte_before(&self, at: u32) -> Option<u8> {
        self.text.get((at as usize).checked_sub(1)?).copied()
    }

    fn skip_space(&self, mut at: u32) -> u32 {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(at as usize) {
            at += 1;
        }
        at
    }

    fn skip_space_back(&self, mut at: u32) -> u32 {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte_before(at) {
            at -= 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edits a text. Spans are given as substrings of it.
    fn edited(text: &'static str, edit: impl Fn(&mut Edits, &dyn Fn(&str) -> Span)) -> String {
        let span = |part: &str| {
            let start = text.find(part).unwrap();
            Span::new(start, start + part.len())
        };
        let mut edits = Edits::default();
        edit(&mut edits, &span);
        let rope = edits.apply(&Bytes::from_static(text.as_bytes()));
        let length = rope.len();
        let edited = String::from_utf8(rope.into_bytes().to_vec()).unwrap();
        assert_eq!(edited.len(), length);
        edited
    }

    fn without(text: &'static str, parts: &[&str]) -> String {
        edited(text, |edits, span| {
            for part in parts.iter().rev() {
                edits.remove(span(part));
            }
        })
    }

    #[test]
    fn a_removed_member_takes_one_comma_with_it() {
        const TEXT: &str = "{\"a\":1, \"b\":2 ,\n\"c\":3 }";
        const A: &str = "\"a\":1";
        const B: &str = "\"b\":2";
        const C: &str = "\"c\":3";
        for (parts, expected) in [
            (&[A][..], "{\"b\":2 ,\n\"c\":3 }"),
            (&[B], "{\"a\":1, \"c\":3 }"),
            (&[C], "{\"a\":1, \"b\":2  }"),
            (&[A, B], "{\"c\":3 }"),
            (&[B, C], "{\"a\":1 }"),
            (&[A, C], "{\"b\":2  }"),
            (&[A, B, C], "{ }"),
        ] {
            assert_eq!(without(TEXT, parts), expected, "{parts:?}");
        }
    }

    #[test]
    fn a_new_member_follows_the_last_remaining_one() {
        const NEW: &str = "\"n\":0";
        for (text, removed, expected) in [
            (
                "{\"a\":1,\"b\":2\n}",
                &[][..],
                "{\"a\":1,\"b\":2,\"n\":0\n}",
            ),
            ("{\"a\":1, \"b\":2 }", &["\"b\":2"], "{\"a\":1,\"n\":0 }"),
            ("{\"a\":1, \"b\":2}", &["\"a\":1"], "{\"b\":2,\"n\":0}"),
            (
                "{ \"a\":1, \"b\":2 }",
                &["\"a\":1", "\"b\":2"],
                "{ \"n\":0 }",
            ),
            ("{}", &[], "{\"n\":0}"),
            ("{ \n}", &[], "{\"n\":0 \n}"),
        ] {
            let appended = edited(text, |edits, span| {
                edits.append(span(text), NEW);
                for part in removed {
                    edits.remove(span(part));
                }
            });
            assert_eq!(appended, expected, "{text} {removed:?}");
        }
        let twice = edited("{ }", |edits, span| {
            edits.append(span("{ }"), "\"a\":1");
            edits.append(span("{ }"), "\"b\":2");
        });
        assert_eq!(twice, "{\"a\":1,\"b\":2 }");
    }

    #[test]
    fn members_are_appended_by_key_and_value() {
        let appended = edited("{\"a\":1 }", |edits, span| {
            edits.append_member(span("{\"a\":1 }"), "\"b\":", "2");
            edits.append_member(span("{\"a\":1 }"), "\"c\":", "3");
            edits.remove(span("\"a\":1"));
        });
        assert_eq!(appended, "{\"b\":2,\"c\":3 }");
    }

    #[test]
    fn a_new_member_follows_a_replaced_value() {
        let text = "{\"a\":{\"b\":1}}";
        let appended = edited(text, |edits, span| {
            edits.append(span("{\"b\":1}"), "\"c\":2");
            edits.replace(span("1"), "[]");
            edits.append(span(text), "\"d\":3");
        });
        assert_eq!(appended, "{\"a\":{\"b\":[],\"c\":2},\"d\":3}");
    }

    #[test]
    fn one_value_is_replaced_by_several_texts() {
        let all = |texts: &'static [&'static str]| {
            let text = "{\"a\":\"\",\"b\":null}";
            edited(text, |edits, span| {
                for value in ["\"\"", "null"] {
                    let texts = texts.iter().copied().map(Text::from);
                    edits.replace_by_all(span(value), texts);
                }
                edits.append(span(text), "\"c\":0");
            })
        };
        assert_eq!(all(&["1"]), "{\"a\":1,\"b\":1,\"c\":0}");
        assert_eq!(all(&["1", "2"]), "{\"a\":12,\"b\":12,\"c\":0}");
        let four = all(&["1", "2", "3", "4"]);
        assert_eq!(four, "{\"a\":1234,\"b\":1234,\"c\":0}");
    }

    #[test]
    fn edits_inside_a_removed_member_are_dropped() {
        let text = "{\"a\":{\"b\":1,\"c\":2},\"d\":3}";
        let removed = edited(text, |edits, span| {
            edits.replace(span("1"), "one");
            edits.append(span("{\"b\":1,\"c\":2}"), "\"e\":4");
            edits.remove(span("\"a\":{\"b\":1,\"c\":2}"));
            edits.remove(span("\"c\":2"));
        });
        assert_eq!(removed, "{\"d\":3}");
    }

    #[test]
    fn without_edits_the_text_is_not_copied() {
        let text = Bytes::from_static(b"{}");
        let same = Edits::default().apply(&text).into_bytes();
        assert_eq!(same.as_ptr(), text.as_ptr());
    }
}
