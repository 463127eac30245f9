//! `tool_call_id`: ids that Moonshot can match.
//!
//! Ids have up to 64 letters, digits, underscores and dashes. Histories that
//! began with another provider bring others, and Moonshot then finds no call to
//! an answer (live reports, `tool_call_id  is not found`). Such an id is mapped,
//! in the call and in its answers alike: what is not allowed becomes `_`, what is
//! too long is cut, and a number is added if another id of the request would be
//! the same.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{change::Place, chat::MessageField, draft::Draft};
use crate::json::{Str, Text};

const WHY: &str = "an id is 1 to 64 of A-Z, a-z, 0-9, _ and -";

const MAX_LENGTH: usize = 64;

pub(super) fn apply(draft: &mut Draft<'_>) {
    let has_ids = draft.any_message_has(MessageField::ToolCalls)
        || draft.any_message_has(MessageField::ToolCallId);
    if has_ids && !all_are_plain(draft) {
        map(draft);
    }
}

fn all_are_plain(draft: &Draft<'_>) -> bool {
    let calls = draft.all_calls().iter().filter_map(|call| call.id);
    let answers = draft
        .all_message_fields(MessageField::ToolCallId)
        .filter_map(|id| id.value.as_str());
    let is_plain = |id: Str| is_plain(draft.raw(id.span));
    calls.chain(answers).all(is_plain)
}

/// Every id of a call, and every id that an answer names.
fn ids(draft: &Draft<'_>) -> impl Iterator<Item = (Place, Str)> {
    (0..draft.message_count()).flat_map(move |message| {
        let calls = draft.calls(message).iter().enumerate();
        let calls = calls
            .filter_map(move |(index, call)| call.id.map(|id| (Place::call(message, index), id)));
        let answer = draft
            .message_field(message, MessageField::ToolCallId)
            .and_then(|id| id.value.as_str())
            .map(|id| (Place::message(message, MessageField::ToolCallId), id));
        calls.chain(answer)
    })
}

/// Whether a quoted string is an id as it should be, and not escaped.
fn is_plain(quoted: &[u8]) -> bool {
    (3..=MAX_LENGTH + 2).contains(&quoted.len())
        && quoted[1..quoted.len() - 1]
            .iter()
            .fold(true, |all, &byte| all & ALLOWED[usize::from(byte)])
}

/// [`is_allowed`] for every byte: a look-up is cheaper than five comparisons.
static ALLOWED: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        allowed[byte] = is_allowed(byte as u8 as char);
        byte += 1;
    }
    allowed
};

const fn is_allowed(letter: char) -> bool {
    matches!(letter, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-')
}

fn map(draft: &mut Draft<'_>) {
    let ids: Vec<_> = ids(draft)
        .filter_map(|(place, id)| Some((place, id.span, in_letters(draft.text(id)?)?)))
        .collect();
    let is_id = |id: &str| (1..=MAX_LENGTH).contains(&id.len()) && id.chars().all(is_allowed);
    let mut taken: HashSet<String> = ids
        .iter()
        .filter(|(.., id)| is_id(id))
        .map(|(.., id)| id.to_string())
        .collect();
    let mut mapped = HashMap::new();
    let mut number = 1;
    for (place, span, id) in &ids {
        if is_id(id) {
            continue;
        }
        let new = mapped.entry(id.as_ref()).or_insert_with(|| {
            let new = unique(id, &taken, &mut number);
            taken.insert(new.clone());
            new
        });
        draft
            .edits()
            .replace(*span, Text::from(format!("\"{new}\"")));
        draft.note(place.clone(), WHY);
    }
}

fn in_letters(id: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    match id {
        Cow::Borrowed(id) => std::str::from_utf8(id).ok().map(Cow::Borrowed),
        Cow::Owned(id) => String::from_utf8(id).ok().map(Cow::Owned),
    }
}

/// An id like this one that is allowed and not taken. `number` is the last one
/// that was added to any id: to count on from there tries none twice, however many
/// ids would be the same.
fn unique(id: &str, taken: &HashSet<String>, number: &mut usize) -> String {
    let clean: String = id
        .chars()
        .map(|letter| if is_allowed(letter) { letter } else { '_' })
        .take(MAX_LENGTH)
        .collect();
    let clean = if clean.is_empty() { "call" } else { &clean };
    if !taken.contains(clean) {
        return clean.to_owned();
    }
    loop {
        *number += 1;
        let suffix = format!("_{number}");
        let kept = clean.len().min(MAX_LENGTH - suffix.len());
        let numbered = format!("{}{suffix}", &clean[..kept]);
        if !taken.contains(&numbered) {
            return numbered;
        }
    }
}
