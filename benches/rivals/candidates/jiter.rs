//! jiter's iterator, which reports offsets. The edits are made by offset.

use bytes::Bytes;
use jiter::{Jiter, Peek};

use super::{
    job::FIXED,
    spans::{Spans, with_comma},
};

pub(crate) fn rewrite(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    let mut spans = Spans::default();
    let mut jiter = Jiter::new(body);
    request(body, &mut jiter, &mut spans)?;
    jiter.finish().ok()?;
    spans.apply(body, send);
    Some(())
}

/// The meaning of a key. The iterator can't continue while it lends the key itself.
enum Ask {
    Model,
    Messages,
    Number(&'static str),
    Nothing,
}

fn ask(key: &str) -> Ask {
    match key {
        "model" => Ask::Model,
        "messages" => Ask::Messages,
        _ => match FIXED.iter().find(|(name, _)| *name == key) {
            Some((name, _)) => Ask::Number(name),
            None => Ask::Nothing,
        },
    }
}

fn request(body: &[u8], jiter: &mut Jiter<'_>, spans: &mut Spans) -> Option<()> {
    jiter.peek().ok()?;
    let mut after = jiter.current_index() + 1;
    let mut is_first = true;
    let mut key = jiter.next_object().ok()?.map(ask);
    while let Some(asked) = key {
        match asked {
            Ask::Model => spans.model(jiter.next_str().ok()?),
            Ask::Messages => messages(jiter, spans)?,
            Ask::Number(name) => {
                let number = f64::from(jiter.next_number().ok()?);
                let member = with_comma(body, after, is_first, jiter.current_index());
                spans.number(name, number, member);
            }
            Ask::Nothing => jiter.next_skip().ok()?,
        }
        after = jiter.current_index();
        is_first = false;
        key = jiter.next_key().ok()?.map(ask);
    }
    Some(())
}

fn messages(jiter: &mut Jiter<'_>, spans: &mut Spans) -> Option<()> {
    let mut more = jiter.next_array().ok()?;
    while more.is_some() {
        message(jiter, spans)?;
        more = jiter.array_step().ok()?;
    }
    Some(())
}

fn message(jiter: &mut Jiter<'_>, spans: &mut Spans) -> Option<()> {
    // 0 is the role and 1 the content.
    let ask = |key: &str| ["role", "content"].iter().position(|name| *name == key);
    let mut key = jiter.next_object().ok()?.map(ask);
    while let Some(asked) = key {
        let peek = jiter.peek().ok()?;
        let start = jiter.current_index();
        match (asked, peek) {
            (Some(0), Peek::String) => {
                let is_developer = jiter.known_str().ok()? == "developer";
                if is_developer {
                    spans.role("developer", start..jiter.current_index());
                }
            }
            (Some(1), Peek::Array) => {
                let mut more = jiter.known_array().ok()?;
                while more.is_some() {
                    part(jiter, spans)?;
                    more = jiter.array_step().ok()?;
                }
                spans.array(start..jiter.current_index());
            }
            _ => jiter.known_skip(peek).ok()?,
        }
        key = jiter.next_key().ok()?.map(ask);
    }
    Some(())
}

fn part(jiter: &mut Jiter<'_>, spans: &mut Spans) -> Option<()> {
    let ask = |key: &str| ["type", "text"].iter().position(|name| *name == key);
    let mut is_text = false;
    let mut text = None;
    let mut key = jiter.next_object().ok()?.map(ask);
    while let Some(asked) = key {
        let peek = jiter.peek().ok()?;
        let start = jiter.current_index();
        match (asked, peek) {
            (Some(0), Peek::String) => is_text = jiter.known_str().ok()? == "text",
            (Some(1), Peek::String) => {
                jiter.known_skip(peek).ok()?;
                text = Some(start + 1..jiter.current_index() - 1);
            }
            _ => jiter.known_skip(peek).ok()?,
        }
        key = jiter.next_key().ok()?.map(ask);
    }
    spans.part(text.filter(|_| is_text));
    Some(())
}
