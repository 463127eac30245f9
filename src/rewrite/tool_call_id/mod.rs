//! `tool_call_id`: the id of a tool call is present and unique.
//!
//! Moonshot refuses a call whose id is empty (live reports, `tool_call_id  is not
//! found`), and two calls in one turn with the same id (live reports, `tool call id
//! X is duplicated`). That it refuses the same id in two turns as well is a
//! judgement. Hosts that number calls in each turn anew make such histories.
//!
//! A call that has no id, an empty one or one that an earlier call has gets a fresh
//! id in the form of Moonshot's own, `functions.NAME:INDEX`. `NAME` is the called
//! function; `INDEX` is the first with which no call of this message or of an
//! earlier one has the id. Later messages play no part: the rewrite of a longer
//! conversation begins with that of the shorter one, so that prompt caches hold. A
//! later call that happens to have a fresh id is itself one with a repeated id.
//!
//! An answer goes with the latest message before it in which a call of its id still
//! waits for one, and within that message with the first such call. One without an
//! id, or with an empty one, goes with calls that had none. An answer to no waiting
//! call is left as it is.
//!
//! Every other id is left as it is, of any length and with any letters. The model
//! issues ids such as `functions.read:0` and is trained to see them again (the
//! vendor's client returns them; with `:` mapped to `_`, agents end early, live
//! reports). Ids of another type than string and null are for Moonshot to judge.
//!
//! A call without a function's name can't be named after it, and counts as one of a
//! function `call`. If it has no member `id` either, it is left as it is: nothing
//! tells that it is a call (judgement).

mod ids;

use std::borrow::Cow;

use self::ids::{Fresh, Id, Ids};
use super::{
    change::Place,
    chat::{Call, MessageField, Role},
    draft::Draft,
    words::CallField,
};
use crate::json::{Kind, Str, Text};

const MISSING: &str = "a tool call needs an id";
const REPEATED: &str = "an earlier tool call has this id";
const ANSWERED: &str = "the tool call that this answers has a new id";

/// The name in ids of calls that name no function.
const NO_NAME: &str = "call";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if draft.any_message_has(MessageField::ToolCalls) && !all_are_distinct(draft) {
        rename(draft);
    }
}

/// Whether all calls have ids, and different ones: if so, there is nothing to do.
fn all_are_distinct(draft: &mut Draft<'_>) -> bool {
    let needs_one = |call: &Call| is_missing(call) && is_call(draft, *call);
    if draft.all_calls().iter().any(needs_one) {
        return false;
    }
    let (calls, text, distinct) = draft.calls_and_distinct();
    let ids = calls.iter().filter_map(|call| call.id?.as_str());
    distinct.are_all(ids.map(|id| id.unescaped(text)))
}

/// Whether an element of `tool_calls` has anything that calls have.
fn is_call(draft: &Draft<'_>, call: Call) -> bool {
    call.id.is_some() || draft.function_name(call).is_some()
}

/// Whether a call's id is absent, null or empty.
fn is_missing(call: &Call) -> bool {
    call.id.is_none_or(|id| match id.kind {
        Kind::Null => true,
        Kind::String => id.as_str().is_some_and(Str::is_empty),
        _ => false,
    })
}

/// A call that is to be looked at.
struct Turn {
    /// Which of the message's calls it is.
    index: usize,
    /// The number of the id that it has in the request.
    number: u32,
    id: Option<Id>,
}

fn rename(draft: &mut Draft<'_>) {
    let mut ids = Ids::default();
    let mut turn = Vec::new();
    for message in 0..draft.message_count() {
        match draft.role(message) {
            Some(Role::Assistant) => rename_calls(draft, message, &mut ids, &mut turn),
            Some(Role::Tool) => rename_answer(draft, message, &mut ids),
            _ => {}
        }
    }
}

fn rename_calls<'a>(
    draft: &mut Draft<'a>,
    message: usize,
    ids: &mut Ids<'a>,
    turn: &mut Vec<Turn>,
) {
    turn.clear();
    for (index, call) in draft.calls(message).iter().enumerate() {
        let id = match call.id.map(|id| (id.kind, id.as_str())) {
            Some((_, Some(id))) => draft.text_or_raw(id),
            None | Some((Kind::Null, _)) => Cow::Borrowed(&b""[..]),
            Some(_) => continue,
        };
        let (number, keeps) = ids.note(id);
        let id = keeps.then_some(Id::Kept);
        turn.push(Turn { index, number, id });
    }
    // Only now are all ids of the message known that a fresh one must differ from.
    turn.retain_mut(|call| {
        if call.id.is_none() {
            call.id = rename_call(draft, message, call.index, ids).map(Id::Fresh);
        }
        call.id.is_some()
    });
    for call in turn.drain(..).rev() {
        ids.wait(call.number, call.id.unwrap_or(Id::Kept));
    }
}

/// Gives a call a fresh id; not one that is none.
fn rename_call<'a>(
    draft: &mut Draft<'a>,
    message: usize,
    index: usize,
    ids: &mut Ids<'a>,
) -> Option<Fresh> {
    let call = draft.calls(message)[index];
    if !is_call(draft, call) {
        return None;
    }
    let named = draft.function_name(call);
    let text = named.and_then(|name| draft.text(name));
    let fresh = Fresh {
        name: named.filter(|_| text.is_some()),
        index: ids.fresh_index(text.unwrap_or(Cow::Borrowed(NO_NAME.as_bytes()))),
    };
    let new = quoted(draft, fresh);
    match call.id {
        Some(id) => draft.edits().replace(id.span, Text::from(new)),
        None => {
            let edits = draft.edits();
            edits.append_member(call.span, CallField::Id.key(), Text::from(new));
        }
    }
    let why = if is_missing(&call) { MISSING } else { REPEATED };
    draft.note(Place::call(message, index), why);
    Some(fresh)
}

/// Gives an answer the id of the call that it is for, if that has a fresh one.
fn rename_answer<'a>(draft: &mut Draft<'a>, message: usize, ids: &mut Ids<'a>) {
    let member = draft.message_field(message, MessageField::ToolCallId);
    let id = match member.map(|member| member.value) {
        None => Cow::Borrowed(&b""[..]),
        Some(id) => match id.as_str() {
            Some(id) => draft.text_or_raw(id),
            None if id.kind == Kind::Null => Cow::Borrowed(&b""[..]),
            None => return,
        },
    };
    let Some(Id::Fresh(fresh)) = ids.answer(&id) else {
        return;
    };
    let new = quoted(draft, fresh);
    match member {
        Some(member) => draft.edits().replace(member.value.span, Text::from(new)),
        None => {
            let span = draft.message(message).span;
            draft
                .edits()
                .append_member(span, MessageField::ToolCallId.key(), Text::from(new));
        }
    }
    draft.note(Place::message(message, MessageField::ToolCallId), ANSWERED);
}

/// A fresh id in quotes. The name is spelled as in the request, whatever escapes it
/// has.
fn quoted(draft: &Draft<'_>, Fresh { name, index }: Fresh) -> String {
    let name = name.map_or(NO_NAME.as_bytes(), |name| {
        let quoted = draft.raw(name.span);
        &quoted[1..quoted.len() - 1]
    });
    format!("\"functions.{}:{index}\"", String::from_utf8_lossy(name))
}
