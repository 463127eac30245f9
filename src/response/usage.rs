//! Rules `usage` and `cached_tokens`: what an answer cost, where OpenAI has it.

use bytes::Bytes;

use super::{members::each_member, ops::Ops};
use crate::{
    json::{Kind, Span, Text, Value},
    sse::Answer,
};

/// The usage of a stream, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// It came where OpenAI has it.
    came: bool,
    /// The event to send if it doesn't come.
    event: Option<Bytes>,
}

/// What else is repaired in a usage, or a chunk, that is put in.
#[derive(Debug)]
pub(super) struct Other {
    /// `cached_tokens` are given where OpenAI has them.
    pub(super) cached_tokens: bool,
    /// The model has this name, in quotes.
    pub(super) model: Option<Bytes>,
}

impl Usage {
    /// Looks at a chunk. `is_only_choice` says whether it is of the one choice that
    /// the stream has.
    pub(super) fn chunk(
        &mut self,
        answer: &Answer,
        text: &[u8],
        is_only_choice: bool,
        other: &Other,
    ) {
        if answer
            .usage
            .is_some_and(|usage| usage.value.kind == Kind::Object)
        {
            self.came = true;
        }
        if self.came || !is_only_choice {
            self.event = None;
        } else if let Some(usage) = usage_of_choice(answer) {
            self.event = event(answer, text, usage, other);
        }
    }

    /// The event that is missing once the stream is about to end.
    pub(super) fn take_event(&mut self) -> Option<Bytes> {
        self.event.take()
    }
}

/// The usage of the one choice of an answer.
fn usage_of_choice(answer: &Answer) -> Option<Value> {
    let [choice] = &*answer.choices else {
        return None;
    };
    choice.usage.filter(|usage| usage.kind == Kind::Object)
}

/// The chunk with this usage and no choices, and everything else as this one has it.
fn event(answer: &Answer, text: &[u8], usage: Value, other: &Other) -> Option<Bytes> {
    let choices = answer.choices_array?.span;
    let Span { start, end } = answer.object;
    let moved = |span: Span| Span {
        start: span.start - start,
        end: span.end - start,
    };
    let object = text.get(start as usize..end as usize)?;
    let mut ops = Ops::default();
    ops.replace(moved(choices), "[]");
    if let (Some(name), Some(model)) = (&other.model, answer.model) {
        ops.replace(moved(model.span), name.clone());
    }
    put_usage(&mut ops, answer, spelled(usage, text, other), moved);
    let chunk = ops.apply(Bytes::copy_from_slice(object)).into_bytes();
    let mut event = Vec::with_capacity(chunk.len() + 8);
    event.extend_from_slice(b"data: ");
    // In JSON a line end is but white space, in an event it ends the data.
    event.extend(chunk.iter().map(|&byte| match byte {
        b'\n' | b'\r' => b' ',
        byte => byte,
    }));
    event.extend_from_slice(b"\n\n");
    Some(Bytes::from(event))
}

/// Gives a JSON answer the usage of its one choice, if it has none. Returns whether
/// it did.
pub(super) fn complete(answer: &Answer, text: &[u8], other: &Other, ops: &mut Ops) -> bool {
    let is_missing = answer
        .usage
        .is_none_or(|usage| usage.value.kind == Kind::Null);
    let Some(usage) = usage_of_choice(answer).filter(|_| is_missing) else {
        return false;
    };
    put_usage(ops, answer, spelled(usage, text, other), |span| span);
    true
}

/// A usage as it is put in.
fn spelled(usage: Value, text: &[u8], other: &Other) -> Bytes {
    let text = Bytes::copy_from_slice(usage.span.of(text));
    let mut ops = Ops::default();
    if other.cached_tokens {
        let span = Span::new(0, text.len());
        add_cached_tokens(Value { span, ..usage }, &text, &mut ops);
    }
    ops.apply(text).into_bytes()
}

/// Puts `usage` to the top of the answer, whose spans are `moved`.
fn put_usage(ops: &mut Ops, answer: &Answer, usage: Bytes, moved: impl Fn(Span) -> Span) {
    match answer.usage {
        Some(there) => ops.replace(moved(there.value.span), Text::from(usage)),
        None => {
            let member = [b"\"usage\":", &usage[..]].concat();
            ops.append(moved(answer.object), Text::from(Bytes::from(member)));
        }
    }
}

/// Gives `cached_tokens` of a usage in its `prompt_tokens_details` too, if it isn't
/// there. Returns whether it did.
pub(super) fn add_cached_tokens(usage: Value, text: &[u8], ops: &mut Ops) -> bool {
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
        None => ops.append(
            usage.span,
            format!("\"prompt_tokens_details\":{{\"cached_tokens\":{cached}}}"),
        ),
        Some(details) if details.kind == Kind::Null => {
            ops.replace(details.span, format!("{{\"cached_tokens\":{cached}}}"));
        }
        Some(details) if details.kind == Kind::Object => {
            let mut there = None;
            each_member(text, details, |key, member| {
                if key == b"cached_tokens" {
                    there = Some(member.value);
                }
            });
            match there {
                None => ops.append(details.span, format!("\"cached_tokens\":{cached}")),
                Some(null) if null.kind == Kind::Null => {
                    ops.replace(null.span, cached.into_owned());
                }
                Some(_) => return false,
            }
        }
        Some(_) => return false,
    }
    true
}
