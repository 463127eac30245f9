//! sonic-rs's lazy iterators, the checked ones. A lazy value is a slice of the body,
//! which gives its offset. The edits are made by offset.

use std::ops::Range;

use bytes::Bytes;
use sonic_rs::{JsonValueTrait, LazyValue, to_object_iter};

use super::spans::{Spans, with_comma};

pub(crate) fn rewrite(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    let mut spans = Spans::default();
    let text: &[u8] = body;
    let place = |value: &LazyValue<'_>| {
        let raw = value.as_raw_str();
        let start = raw.as_ptr() as usize - text.as_ptr() as usize;
        start..start + raw.len()
    };
    let mut after = 1 + text.iter().position(|byte| *byte == b'{')?;
    for (index, member) in to_object_iter(text).enumerate() {
        let (key, value) = member.ok()?;
        let span = place(&value);
        match &*key {
            "model" => spans.model(value.as_str()?),
            "messages" => {
                for message in value.into_array_iter()? {
                    self::message(message.ok()?, &mut spans, &place)?;
                }
            }
            _ => {
                if let Some(number) = value.as_f64() {
                    let member = with_comma(text, after, index == 0, span.end);
                    spans.number(&key, number, member);
                }
            }
        }
        after = span.end;
    }
    spans.apply(text, send);
    Some(())
}

fn message(
    message: LazyValue<'_>,
    spans: &mut Spans,
    place: &impl Fn(&LazyValue<'_>) -> Range<usize>,
) -> Option<()> {
    for member in message.into_object_iter()? {
        let (key, value) = member.ok()?;
        let span = place(&value);
        match &*key {
            "role" => spans.role(value.as_str()?, span),
            "content" if value.is_array() => {
                for part in value.into_array_iter()? {
                    let (mut is_text, mut text) = (false, None);
                    for member in part.ok()?.into_object_iter()? {
                        let (key, value) = member.ok()?;
                        match &*key {
                            "type" => is_text = value.as_str() == Some("text"),
                            "text" if value.is_str() => {
                                let quoted = place(&value);
                                text = Some(quoted.start + 1..quoted.end - 1);
                            }
                            _ => {}
                        }
                    }
                    spans.part(text.filter(|_| is_text));
                }
                spans.array(span);
            }
            _ => {}
        }
    }
    Some(())
}
