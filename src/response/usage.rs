//! Rules `usage` and `cached_tokens`: repeat token counts where OpenAI has them.

use bytes::Bytes;

use super::{object_members::each_member, pending_edits::PendingEdits};
use crate::{
    json::{Kind, Span, Text, Value},
    sse::Answer,
};

/// The usage of a stream so far.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// A chunk had it where OpenAI has it.
    has_arrived: bool,
    /// The event to insert if no chunk has it there.
    event: Option<Bytes>,
}

/// The repairs of a usage, or of a chunk, before it is inserted.
#[derive(Debug)]
pub(super) struct UsageRepairs {
    /// Whether to repeat `cached_tokens` where OpenAI has them.
    pub(super) cached_tokens: bool,
    /// The name of the model to write, with its quotes.
    pub(super) model: Option<Bytes>,
}

impl Usage {
    /// Reads the usage of a chunk. `is_only_choice` is true while the stream has had one
    /// choice.
    pub(super) fn chunk(
        &mut self,
        answer: &Answer,
        text: &[u8],
        is_only_choice: bool,
        repairs: &UsageRepairs,
    ) {
        if answer
            .usage
            .is_some_and(|usage| usage.value.kind == Kind::Object)
        {
            self.has_arrived = true;
        }
        if self.has_arrived || !is_only_choice {
            self.event = None;
        } else if let Some(usage) = usage_of_choice(answer) {
            self.event = event(answer, text, usage, repairs);
        }
    }

    /// Returns the event to insert at the end of the stream, if one is missing.
    pub(super) fn take_event(&mut self) -> Option<Bytes> {
        self.event.take()
    }
}

/// Returns the usage of an answer's choice, if it has one choice.
fn usage_of_choice(answer: &Answer) -> Option<Value> {
    let [choice] = &*answer.choices else {
        return None;
    };
    choice.usage.filter(|usage| usage.kind == Kind::Object)
}

/// Writes the event with a usage and no choices. Its other members are those of `answer`.
fn event(answer: &Answer, text: &[u8], usage: Value, repairs: &UsageRepairs) -> Option<Bytes> {
    let choices = answer.choices_array?.span;
    let Span { start, end } = answer.object;
    let moved = |span: Span| Span {
        start: span.start - start,
        end: span.end - start,
    };
    let object = text.get(start as usize..end as usize)?;
    let mut edits = PendingEdits::default();
    edits.replace(moved(choices), "[]");
    if let (Some(name), Some(model)) = (&repairs.model, answer.model) {
        edits.replace(moved(model.span), name.clone());
    }
    put_usage(&mut edits, answer, spelled(usage, text, repairs), moved);
    let chunk = edits.apply(Bytes::copy_from_slice(object)).into_bytes();
    let mut event = Vec::with_capacity(chunk.len() + 8);
    event.extend_from_slice(b"data: ");
    // Line ends are white space in JSON, but would end the data of the event.
    event.extend(chunk.iter().map(|&byte| match byte {
        b'\n' | b'\r' => b' ',
        byte => byte,
    }));
    event.extend_from_slice(b"\n\n");
    Some(Bytes::from(event))
}

/// Repeats the usage of the choice of a JSON answer that has none itself. Returns whether
/// it did.
pub(super) fn complete(
    answer: &Answer,
    text: &[u8],
    repairs: &UsageRepairs,
    edits: &mut PendingEdits,
) -> bool {
    let is_missing = answer
        .usage
        .is_none_or(|usage| usage.value.kind == Kind::Null);
    let Some(usage) = usage_of_choice(answer).filter(|_| is_missing) else {
        return false;
    };
    put_usage(edits, answer, spelled(usage, text, repairs), |span| span);
    true
}

/// Writes a usage as it is inserted.
fn spelled(usage: Value, text: &[u8], repairs: &UsageRepairs) -> Bytes {
    let text = Bytes::copy_from_slice(usage.span.of(text));
    let mut edits = PendingEdits::default();
    if repairs.cached_tokens {
        let span = Span::new(0, text.len());
        add_cached_tokens(Value { span, ..usage }, &text, &mut edits);
    }
    edits.apply(text).into_bytes()
}

/// Inserts the member `usage` into the answer. `moved` maps its spans to those of the text.
fn put_usage(
    edits: &mut PendingEdits,
    answer: &Answer,
    usage: Bytes,
    moved: impl Fn(Span) -> Span,
) {
    match answer.usage {
        Some(there) => edits.replace(moved(there.value.span), Text::from(usage)),
        None => {
            let member = [b"\"usage\":", &usage[..]].concat();
            edits.append(moved(answer.object), Text::from(Bytes::from(member)));
        }
    }
}

/// Repeats `cached_tokens` of a usage in its `prompt_tokens_details`, if it is missing
/// there. Returns whether it did.
pub(super) fn add_cached_tokens(usage: Value, text: &[u8], edits: &mut PendingEdits) -> bool {
    let (mut cached, mut details) = (None, None);
    each_member(text, usage, |key, member| match key {
        b"cached_tokens" => cached = Some(member.value),
        b"prompt_tokens_details" => details = Some(member.value),
        _ => {}
    });
    let Some(cached) = cached.filter(|cached| cached.kind == Kind::Number) else {
        return false;
    };
    let cached = String::from_utf8_lossy(cached.span.of(text));
    match details {
        None => edits.append(
            usage.span,
            format!("\"prompt_tokens_details\":{{\"cached_tokens\":{cached}}}"),
        ),
        Some(details) if details.kind == Kind::Null => {
            edits.replace(details.span, format!("{{\"cached_tokens\":{cached}}}"));
        }
        Some(details) if details.kind == Kind::Object => {
            let mut there = None;
            each_member(text, details, |key, member| {
                if key == b"cached_tokens" {
                    there = Some(member.value);
                }
            });
            match there {
                None => edits.append(details.span, format!("\"cached_tokens\":{cached}")),
                Some(null) if null.kind == Kind::Null => {
                    edits.replace(null.span, cached.into_owned());
                }
                Some(_) => return false,
            }
        }
        Some(_) => return false,
    }
    true
}
