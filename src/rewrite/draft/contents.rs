//! Questions about the contents of messages, and edits of content arrays.

use super::{Contents, Draft};
use crate::{
    json::{Edits, Kind, Span, Str},
    rewrite::{
        Rule,
        chat::{MessageField, Part, PartKind, Role},
    },
};

impl Draft<'_> {
    /// A summary of the contents of all messages.
    pub(in crate::rewrite) const fn contents(&self) -> Contents {
        self.contents
    }

    /// Whether content arrays are replaced by strings: if all of the request's arrays
    /// hold only text.
    pub(in crate::rewrite) const fn makes_strings(&self) -> bool {
        self.settings.is_on(Rule::Content) && !self.contents.any_part_is_other
    }

    /// Whether the message is empty and gets a space, because it must not be empty.
    pub(in crate::rewrite) fn fills(&self, index: usize) -> bool {
        self.settings.is_on(Rule::EmptyContent)
            && self.must_speak(index)
            && match self.message_field(index, MessageField::Content) {
                None => true,
                Some(content) => match content.value.kind {
                    Kind::Null => true,
                    Kind::String => content.value.as_str().is_some_and(Str::is_empty),
                    Kind::Array => self.parts(index).iter().all(Part::says_nothing),
                    _ => false,
                },
            }
    }

    /// Whether Moonshot refuses the message without content.
    fn must_speak(&self, index: usize) -> bool {
        let in_its_role = match self.role(index) {
            Some(Role::User | Role::Assistant) => true,
            Some(Role::System) => !self.carries_tools(index),
            // The rule `role` makes it a system message.
            Some(Role::Developer) => self.settings.is_on(Rule::Role) && !self.carries_tools(index),
            _ => false,
        };
        in_its_role && !self.has_calls(index) && !self.is_partial(index)
    }

    /// Whether the message has `tools` in place of content.
    fn carries_tools(&self, index: usize) -> bool {
        self.message_field(index, MessageField::Tools)
            .is_some_and(|tools| tools.value.kind != Kind::Null)
    }

    /// Whether the message has tool calls. A value of another type counts as calls, because
    /// Moonshot judges it.
    pub(in crate::rewrite) fn has_calls(&self, index: usize) -> bool {
        self.message_field(index, MessageField::ToolCalls)
            .is_some_and(|calls| match calls.value.kind {
                Kind::Null => false,
                Kind::Array => self.calls_tools(index),
                _ => true,
            })
    }

    /// Replaces a message's content array by one string: its texts, joined.
    pub(in crate::rewrite) fn join_content(&mut self, index: usize, content: Span) {
        let parts = &self.spans.parts[self.spans.parts_of(index)];
        let texts = parts.iter().filter_map(Part::text);
        join(&mut self.spans.edits, content, texts);
    }

    /// Replaces a container by one string: these strings in it, joined.
    pub(in crate::rewrite) fn join(&mut self, container: Span, strings: &[Str]) {
        join(&mut self.spans.edits, container, strings.iter().copied());
    }

    /// Removes a part of a message's content. Later rules see that it is removed.
    pub(in crate::rewrite) fn remove_part(&mut self, index: usize, number: usize) {
        let first = self.spans.messages[index].parts as usize;
        let part = &mut self.spans.parts[first + number];
        part.kind = PartKind::Removed;
        self.spans.edits.remove(part.span);
    }

    /// Updates the summary after parts were removed.
    pub(in crate::rewrite) fn update_contents(&mut self) {
        self.contents = self.spans.contents;
        self.contents.add_parts(&self.spans.parts);
    }
}

/// Cuts everything but the strings' text, the first opening quote and the last closing
/// quote. No text is copied.
fn join(edits: &mut Edits, container: Span, mut strings: impl Iterator<Item = Str>) {
    let Some(first) = strings.next() else {
        edits.replace(container, "\"\"");
        return;
    };
    edits.cut(Span {
        start: container.start,
        end: first.span.start,
    });
    let mut last = first;
    for string in strings {
        edits.cut(Span {
            start: last.span.end - 1,
            end: string.span.start + 1,
        });
        last = string;
    }
    edits.cut(Span {
        start: last.span.end,
        end: container.end,
    });
}
