//! `tool_call_id`: gives every tool call an id of its own, and its answer the same id.
//!
//! Moonshot refuses a call with an empty id (live reports, `tool_call_id  is not found`),
//! and two calls in one turn with the same id (live reports, `tool call id X is
//! duplicated`). That it also refuses the same id in two turns is a judgement. Hosts that
//! number the calls of each turn from 0 produce such histories.
//!
//! A call gets a fresh id if its id is missing, empty or already used by an earlier call.
//! Fresh ids have the form of Moonshot's own, `functions.NAME:INDEX`. `NAME` is the called
//! function. `INDEX` is the lowest that makes the id unused in this and all earlier
//! messages. Later messages don't matter, so that the rewrite of a longer conversation
//! begins with that of the shorter one and prompt caches hold. A later call that already
//! has a fresh id counts as a repeated one.
//!
//! An answer belongs to the latest earlier message with an unanswered call of its id, and
//! there to the first such call. An answer without an id, or with an empty one, belongs to
//! a call that had none. An answer that belongs to no call is left unchanged.
//!
//! Every other id is left unchanged, of any length and with any characters. The model
//! issues ids such as `functions.read:0` and is trained to see them again (the vendor's
//! client returns them; with `:` replaced by `_`, agents end early, live reports). Ids of
//! types other than string and null are left for Moonshot to judge.
//!
//! A call without a function name gets the name `call`. If it has no `id` either, it is
//! left unchanged, because it may not be a call at all (judgement).

mod ids;

use std::borrow::Cow;

use self::ids::{Fresh, Id, Ids};
use super::{
    change::Place,
    chat::{Call, MessageField, Role},
    draft::Draft,
    keys::CallField,
};
use crate::json::{Kind, Str, Text};

const MISSING: &str = "a tool call needs an id";
const REPEATED: &str = "an earlier tool call has this id";
const ANSWERED: &str = "the tool call that this answers has a new id";

/// The name in fresh ids of calls without a function name.
const NO_NAME: &str = "call";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if draft.any_message_has(MessageField::ToolCalls) && !all_are_distinct(draft) {
        rename(draft);
    }
}

/// Whether all calls have different ids, so that there is nothing to do.
fn all_are_distinct(draft: &mut Draft<'_>) -> bool {
    let needs_one = |call: &Call| is_missing(call) && is_call(draft, *call);
    if draft.all_calls().iter().any(needs_one) {
        return false;
    }
    let (calls, text, distinct) = draft.calls_and_distinct();
    let ids = calls.iter().filter_map(|call| call.id?.as_str());
    distinct.are_all(text, ids)
}

/// Whether an element of `tool_calls` is a call: it has an id or a function name.
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

/// A call of the message that is being read.
struct Turn {
    /// Its index in the message.
    index: usize,
    /// The number of the id that it was sent with.
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
    // A fresh id must differ from all ids of the message, so these are read first.
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

/// Gives a call a fresh id. `None` if the element is not a call.
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

/// Gives an answer the id of its call, if that is a fresh one.
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

/// A fresh id as a JSON string. The name keeps its escapes.
fn quoted(draft: &Draft<'_>, Fresh { name, index }: Fresh) -> String {
    let name = name.map_or(NO_NAME.as_bytes(), |name| {
        let quoted = draft.raw(name.span);
        &quoted[1..quoted.len() - 1]
    });
    format!("\"functions.{}:{index}\"", String::from_utf8_lossy(name))
}
