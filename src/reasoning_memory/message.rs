//! What a message of a request says, written into the conversation.

use std::borrow::Cow;

use super::{
    call::Function,
    members::{each_element, member},
    part::{has_text, write_part, write_text},
    store::is_blank,
    transcript::Transcript,
    words::MessageKey,
};
use crate::json::{Kind, Member, Span, Str, Value};

/// The members of a message that matter. Of one that appears twice, the last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Message {
    pub(super) span: Span,
    pub(super) role: Option<Value>,
    pub(super) content: Option<Value>,
    pub(super) partial: Option<Value>,
    pub(super) reasoning_content: Option<Member>,
    /// `reasoning_content` appears twice.
    pub(super) is_repeated: bool,
    /// Other places in which clients send reasoning back.
    pub(super) reasoning: Option<Value>,
    pub(super) provider_specific_fields: Option<Value>,
    pub(super) reasoning_details: Option<Value>,
}

/// Who speaks, as far as it makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    /// Left out: clients put the time and other changing things into these messages.
    System,
    User,
    Assistant,
    /// Tools, and roles that are not known.
    Other,
}

impl Message {
    /// Takes a member of the message, other than its tool calls.
    #[inline(always)]
    pub(super) fn member(&mut self, word: Option<MessageKey>, key: Str, value: Value) {
        match word {
            Some(MessageKey::Role) => self.role = Some(value),
            Some(MessageKey::Content) => self.content = Some(value),
            Some(MessageKey::Partial) => self.partial = Some(value),
            Some(MessageKey::ReasoningContent) => {
                self.is_repeated = self.reasoning_content.is_some();
                let key = key.span;
                self.reasoning_content = Some(Member { key, value });
            }
            Some(MessageKey::Reasoning) => self.reasoning = Some(value),
            Some(MessageKey::ReasoningDetails) => self.reasoning_details = Some(value),
            Some(MessageKey::ProviderSpecificFields) => {
                self.provider_specific_fields = Some(value);
            }
            Some(MessageKey::ToolCalls) | None => {}
        }
    }

    pub(super) fn role<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        self.role
            .and_then(Value::as_str)
            .map_or(Cow::Borrowed(b""), |role| role.unescaped(text))
    }

    pub(super) fn speaker(role: &[u8]) -> Speaker {
        match role {
            b"system" | b"developer" => Speaker::System,
            b"user" => Speaker::User,
            b"assistant" => Speaker::Assistant,
            _ => Speaker::Other,
        }
    }

    /// Whether this is the start of an answer, to be continued by the model.
    pub(super) fn is_partial(&self) -> bool {
        self.partial
            .is_some_and(|partial| partial.kind == Kind::True)
    }

    /// Whether the client sends reasoning in some place. Blank texts are none.
    pub(super) fn has_reasoning(&self, text: &[u8]) -> bool {
        let says = |value: Option<Value>| match value {
            None => false,
            Some(value) => match value.as_str() {
                Some(string) => !is_blank(string.span.of(text)),
                None => value.kind != Kind::Null,
            },
        };
        let in_fields = || {
            let fields = self
                .provider_specific_fields
                .map(|fields| fields.span.of(text));
            fields.is_some_and(|fields| {
                member(fields, b"reasoning_content")
                    .and_then(Value::as_str)
                    .is_some_and(|string| !is_blank(string.span.of(fields)))
            })
        };
        self.is_repeated
            || says(self.reasoning_content.map(|found| found.value))
            || self
                .reasoning
                .is_some_and(|value| value.kind == Kind::String)
                && says(self.reasoning)
            || in_fields()
            || self
                .reasoning_details
                .is_some_and(|details| has_text(details.span.of(text), false))
            || self
                .content
                .is_some_and(|content| has_text(content.span.of(text), true))
    }

    /// Writes the message and its tool calls.
    pub(super) fn write(
        &self,
        role: &[u8],
        calls: &[Function],
        text: &[u8],
        transcript: &mut Transcript,
    ) {
        transcript.message(role);
        if let Some(content) = self.content {
            let raw = content.span.of(text);
            match content.kind {
                Kind::Null => {}
                Kind::String => {
                    if let Some(string) = content.as_str() {
                        write_text(string, text, transcript);
                    }
                }
                Kind::Array => each_element(raw, |part| write_part(part, raw, transcript)),
                _ => transcript.value(raw, b""),
            }
            transcript.end_text();
        }
        for call in calls {
            call.write(text, transcript);
        }
    }
}
