//! What a message of a request says, written into the conversation.

use std::borrow::Cow;

use super::{key::Transcript, store::is_blank};
use crate::json::{Error, Kind, Member, Scanner, Span, Str, Value};

/// The members of a message that matter. Of one that appears twice, the last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Message {
    pub(super) span: Span,
    pub(super) role: Option<Value>,
    pub(super) content: Option<Value>,
    pub(super) tool_calls: Option<Value>,
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

    /// Writes the message.
    pub(super) fn write(&self, role: &[u8], text: &[u8], transcript: &mut Transcript) {
        transcript.message(role);
        if let Some(content) = self.content {
            let raw = content.span.of(text);
            match content.kind {
                Kind::Null => {}
                Kind::String => {
                    if let Some(string) = content.as_str() {
                        transcript.text(&string.unescaped(text));
                    }
                }
                Kind::Array => each_element(raw, |part| write_part(part, raw, transcript)),
                _ => transcript.value(raw, b""),
            }
            transcript.end_text();
        }
        if let Some(calls) = self.tool_calls {
            // The text was validated before, so there is no error.
            let _ = write_calls(calls.span.of(text), transcript);
        }
    }
}

/// Writes an element of a content array, which is `text`.
fn write_part(part: Value, text: &[u8], transcript: &mut Transcript) {
    let raw = part.span.of(text);
    match part.kind {
        Kind::String => {
            if let Some(string) = part.as_str() {
                transcript.text(&string.unescaped(text));
            }
        }
        Kind::Object => Part::of(raw).write(raw, transcript),
        _ => transcript.value(raw, b""),
    }
}

/// The members of a part that matter.
#[derive(Default)]
struct Part {
    kind: Option<Str>,
    text: Option<Str>,
    refusal: Option<Str>,
    image: Option<Value>,
    video: Option<Value>,
    reasoning: Option<Str>,
    thinking: Option<Str>,
    reasoning_content: Option<Str>,
}

impl Part {
    fn of(raw: &[u8]) -> Self {
        let mut part = Self::default();
        each_member(raw, |key, value| match key {
            b"type" => part.kind = value.as_str(),
            b"text" => part.text = value.as_str(),
            b"refusal" => part.refusal = value.as_str(),
            b"image_url" => part.image = Some(value),
            b"video_url" => part.video = Some(value),
            b"reasoning" => part.reasoning = value.as_str(),
            b"thinking" => part.thinking = value.as_str(),
            b"reasoning_content" => part.reasoning_content = value.as_str(),
            _ => {}
        });
        part
    }

    fn write(&self, raw: &[u8], transcript: &mut Transcript) {
        let kind = self.kind.map(|kind| kind.unescaped(raw));
        match kind.as_deref() {
            // Reasoning is no part of what is said.
            Some(b"thinking" | b"reasoning") => {}
            None | Some(b"text" | b"input_text" | b"output_text" | b"refusal")
                if self.text.or(self.refusal).is_some() =>
            {
                if let Some(text) = self.text.or(self.refusal) {
                    transcript.text(&text.unescaped(raw));
                }
            }
            Some(kind @ b"image_url") => write_media(kind, self.image, raw, transcript),
            Some(kind @ b"video_url") => write_media(kind, self.video, raw, transcript),
            // A mark for prompt caches, which moves from part to part.
            _ => transcript.value(raw, b"cache_control"),
        }
    }

    /// Whether there is reasoning in it: in a list of reasoning, or else in a content.
    fn has_reasoning(&self, raw: &[u8], in_content: bool) -> bool {
        let kind = self.kind.map(|kind| kind.unescaped(raw));
        let is_reasoning =
            !in_content || matches!(kind.as_deref(), Some(b"thinking" | b"reasoning"));
        let texts = if is_reasoning {
            [self.thinking, self.reasoning, self.text]
        } else {
            [self.reasoning_content, None, None]
        };
        texts
            .into_iter()
            .flatten()
            .any(|text| !is_blank(text.span.of(raw)))
    }
}

/// Writes an image or a video: its URL, whatever else is said of it.
fn write_media(kind: &[u8], media: Option<Value>, text: &[u8], transcript: &mut Transcript) {
    let Some(media) = media else {
        return transcript.media(kind, b"");
    };
    if let Some(url) = media.as_str() {
        return transcript.media(kind, &url.unescaped(text));
    }
    let raw = media.span.of(text);
    let url = member(raw, b"url").and_then(Value::as_str);
    let url = url.map_or(Cow::Borrowed(&b""[..]), |url| url.unescaped(raw));
    transcript.media(kind, &url);
}

/// Writes an array of tool calls, which is `raw`: their names and arguments.
fn write_calls(raw: &[u8], transcript: &mut Transcript) -> Result<(), Error> {
    let mut scanner = Scanner::new(raw)?;
    if scanner.peek()? == Kind::Array && scanner.open()? {
        loop {
            let function = if scanner.peek()? == Kind::Object {
                call(&mut scanner)?
            } else {
                scanner.skip()?;
                Function::default()
            };
            function.write(raw, transcript);
            if !scanner.more(b']')? {
                break;
            }
        }
    }
    Ok(())
}

/// What a tool call calls.
#[derive(Default)]
struct Function {
    name: Option<Str>,
    arguments: Option<Value>,
}

/// Reads a tool call.
fn call(scanner: &mut Scanner<'_>) -> Result<Function, Error> {
    let mut function = Function::default();
    if scanner.open()? {
        loop {
            let key = scanner.key()?.unescaped(scanner.text());
            // What OpenAI calls custom tools has an input instead of arguments.
            if !matches!(&*key, b"function" | b"custom") {
                scanner.skip()?;
            } else if scanner.peek()? == Kind::Object {
                function = called(scanner)?;
            } else {
                scanner.skip()?;
                function = Function::default();
            }
            if !scanner.more(b'}')? {
                break;
            }
        }
    }
    Ok(function)
}

fn called(scanner: &mut Scanner<'_>) -> Result<Function, Error> {
    let mut function = Function::default();
    if scanner.open()? {
        loop {
            let key = scanner.key()?.unescaped(scanner.text());
            let value = scanner.skip()?;
            match &*key {
                b"name" => function.name = value.as_str(),
                b"arguments" | b"input" => function.arguments = Some(value),
                _ => {}
            }
            if !scanner.more(b'}')? {
                break;
            }
        }
    }
    Ok(function)
}

impl Function {
    fn write(&self, raw: &[u8], transcript: &mut Transcript) {
        let name = self.name.map(|name| name.unescaped(raw));
        let name = name.as_deref().unwrap_or_default();
        match self.arguments {
            Some(arguments) => match arguments.as_str() {
                Some(string) => transcript.call_with(name, string.span.of(raw)),
                None if arguments.kind == Kind::Null => transcript.call(name, b""),
                // Some clients send the object itself.
                None => transcript.call(name, arguments.span.of(raw)),
            },
            None => transcript.call(name, b""),
        }
    }
}

/// Whether there is reasoning in a list.
fn has_text(raw: &[u8], in_content: bool) -> bool {
    let mut found = false;
    if raw.first() == Some(&b'[') {
        each_element(raw, |part| {
            if part.kind == Kind::Object {
                let part = part.span.of(raw);
                found |= Part::of(part).has_reasoning(part, in_content);
            }
        });
    }
    found
}

/// The member of an object with this name.
pub(super) fn member(raw: &[u8], name: &[u8]) -> Option<Value> {
    let mut found = None;
    each_member(raw, |key, value| {
        if key == name {
            found = Some(value);
        }
    });
    found
}

/// Calls `see` for every member of an object. Anything else has none. The text was
/// validated before, so an error is none.
fn each_member(raw: &[u8], mut see: impl FnMut(&[u8], Value)) {
    let mut read = || -> Result<(), Error> {
        let mut scanner = Scanner::new(raw)?;
        if scanner.peek()? == Kind::Object && scanner.open()? {
            loop {
                let key = scanner.key()?.unescaped(raw);
                let value = scanner.skip()?;
                see(&key, value);
                if !scanner.more(b'}')? {
                    break;
                }
            }
        }
        Ok(())
    };
    let _ = read();
}

/// Calls `see` for every element of an array. Anything else has none.
fn each_element(raw: &[u8], mut see: impl FnMut(Value)) {
    let mut read = || -> Result<(), Error> {
        let mut scanner = Scanner::new(raw)?;
        if scanner.peek()? == Kind::Array && scanner.open()? {
            loop {
                see(scanner.skip()?);
                if !scanner.more(b']')? {
                    break;
                }
            }
        }
        Ok(())
    };
    let _ = read();
}
