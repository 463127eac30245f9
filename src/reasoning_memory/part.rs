//! Parts of a content array: texts, media, reasoning and what is not known.

use std::borrow::Cow;

use super::{
    members::{each_element, each_member, member},
    store::is_blank,
    transcript::Transcript,
};
use crate::json::{Kind, Str, Value};

/// Writes an element of a content array, which is `text`.
pub(super) fn write_part(part: Value, text: &[u8], transcript: &mut Transcript) {
    let raw = part.span.of(text);
    match part.kind {
        Kind::String => {
            if let Some(string) = part.as_str() {
                write_text(string, text, transcript);
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
                    write_text(text, raw, transcript);
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

/// Whether there is reasoning in a list.
pub(super) fn has_text(raw: &[u8], in_content: bool) -> bool {
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

/// Writes a JSON string in `text` that is text of a content.
pub(super) fn write_text(string: Str, text: &[u8], transcript: &mut Transcript) {
    match string.plain(text) {
        Some(plain) => transcript.text(plain),
        None => transcript.quoted_text(string.span.of(text)),
    }
}
