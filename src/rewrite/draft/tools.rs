//! The tools of a request: those in its `tools`, and those in its messages.

use std::ops::Range;

use super::Draft;
use crate::{
    json::{Kind, Span, Str, Value},
    rewrite::{
        change::Place,
        chat::{Call, Field, Form, MessageField, Role, Tool},
    },
};

/// An array of tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rewrite) enum ToolList {
    /// The request's `tools`.
    Request,
    /// The `tools` of the message with this index.
    Message(usize),
}

impl ToolList {
    /// The place of one of its tools.
    pub(in crate::rewrite) const fn place(self, index: usize) -> Place {
        match self {
            Self::Request => Place::tool(index),
            Self::Message(message) => Place::message_tool(message, index),
        }
    }
}

impl Draft<'_> {
    /// Whether there may be any tool.
    #[inline]
    pub(in crate::rewrite) fn may_have_tools(&self) -> bool {
        !self.spans.tools.is_empty() || self.any_message_has(MessageField::Tools)
    }

    /// Every array that may have tools. Messages are only listed if any has the field.
    pub(in crate::rewrite) fn tool_lists(&self) -> impl Iterator<Item = ToolList> + use<> {
        let messages = if self.any_message_has(MessageField::Tools) {
            self.message_count()
        } else {
            0
        };
        std::iter::once(ToolList::Request).chain((0..messages).map(ToolList::Message))
    }

    /// The elements of an array of tools, including those that a rule has removed.
    pub(in crate::rewrite) fn tools(&self, list: ToolList) -> &[Tool] {
        match list {
            ToolList::Request => &self.spans.tools,
            ToolList::Message(index) => &self.spans.message_tools[self.tools_of(index)],
        }
    }

    fn tools_mut(&mut self, list: ToolList) -> &mut [Tool] {
        match list {
            ToolList::Request => &mut self.spans.tools,
            ToolList::Message(index) => {
                let range = self.tools_of(index);
                &mut self.spans.message_tools[range]
            }
        }
    }

    /// The range of a message's tools in the list. Empty for other than system messages,
    /// where Moonshot refuses tools.
    fn tools_of(&self, index: usize) -> Range<usize> {
        match self.message(index).role {
            Some(Role::System | Role::Developer) => self.spans.tools_of(index),
            _ => 0..0,
        }
    }

    /// Whether any system message has tools.
    pub(in crate::rewrite) fn any_message_has_tools(&self) -> bool {
        self.tool_lists()
            .skip(1)
            .any(|list| !self.tools(list).is_empty())
    }

    /// Whether a tool has this name and no rule has removed it.
    pub(in crate::rewrite) fn is_named(&self, tool: &Tool, name: &[u8]) -> bool {
        !tool.is_removed()
            && tool
                .name
                .and_then(|tool| self.text(tool))
                .is_some_and(|tool| *tool == *name)
    }

    /// Whether all tools of a list have different names. `false` may be wrong.
    pub(in crate::rewrite) fn names_are_distinct(&mut self, list: ToolList) -> bool {
        let tools = match list {
            ToolList::Request => &self.spans.tools[..],
            ToolList::Message(index) => &self.spans.message_tools[self.tools_of(index)],
        };
        let names = tools.iter().filter(|tool| !tool.is_removed());
        let names = names.filter_map(|tool| tool.name);
        self.spans.distinct.are_all(self.text, names)
    }

    /// Removes neighbouring tools with one edit. Later rules see that they are removed.
    pub(in crate::rewrite) fn remove_tools(
        &mut self,
        list: ToolList,
        indices: Range<usize>,
        why: &'static str,
    ) {
        let tools = &mut self.tools_mut(list)[indices.clone()];
        let (Some(first), Some(last)) = (tools.first(), tools.last()) else {
            return;
        };
        let span = Span {
            start: first.span.start,
            end: last.span.end,
        };
        for tool in tools {
            tool.form = Form::Removed;
        }
        self.edits().remove(span);
        for index in indices {
            self.note(list.place(index), why);
        }
    }

    /// The name of the function that a tool call calls, if it has one.
    pub(in crate::rewrite) fn function_name(&self, call: Call) -> Option<Str> {
        if self.raw(call.span).first() != Some(&b'{') {
            return None;
        }
        let call = Value {
            kind: Kind::Object,
            span: call.span,
            escaped: false,
        };
        let function = self.member(call, "function")?;
        self.member(function.value, "name")?.value.as_str()
    }

    /// The kind of the request's `tools`. `None` if absent or null.
    pub(in crate::rewrite) fn kind_of_tools(&self) -> Option<Kind> {
        self.given(Field::Tools).map(|tools| tools.value.kind)
    }
}
