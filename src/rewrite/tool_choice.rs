//! `tool_choice`: what the model refuses, in other words.
//!
//! Without tools any `tool_choice` is refused. `"required"` is not supported on
//! the older models and refused by the thinking ones, K3 excepted; a named
//! function is refused by all of them while they think (live reports,
//! `tool_choice 'required' is incompatible with thinking enabled`). Whether the
//! older models take a named function is not known, so it stays.
//!
//! Instead of `"required"` Moonshot's migration guide puts a user message at the
//! end (documented), and so does LiteLLM. Instead of a named function only that
//! one is left in `tools` (judgement).

use std::borrow::Cow;

use super::{
    Rule, ToolChoicePolicy,
    change::Place,
    chat::{Field, Role},
    draft::Draft,
};
use crate::{
    json::{Kind, Text, Value},
    model::ForcedChoice,
};

const NUDGE: &str = concat!(
    r#"{"role":"user","content":"#,
    r#""Please select a tool to handle the current issue."}"#
);

const NO_TOOLS: &str = "there are no tools to choose from";
const PLAIN: &str = "a choice without a function is a plain string";
const NOT_SUPPORTED: &str = "the model refuses a forced choice";
const ASKED_INSTEAD: &str = "asks for a tool instead of the forced choice";
const ONLY_ONE: &str = "only the named tool may be called";
const ONE_LEFT: &str = "the only tool left is the named one";
const NO_THINKING: &str = "without thinking the model takes a forced choice";

/// What a `tool_choice` asks for.
enum Choice<'a> {
    Auto,
    None,
    Required,
    Named(Cow<'a, [u8]>),
}

pub(super) fn apply(draft: &mut Draft<'_>) {
    let Some(sent) = draft.given(Field::ToolChoice).map(|found| found.value) else {
        return;
    };
    match draft.given(Field::Tools).map(|tools| tools.value.kind) {
        None => return draft.remove(Field::ToolChoice, NO_TOOLS),
        Some(Kind::Array) if draft.tools().is_empty() => {
            return draft.remove(Field::ToolChoice, NO_TOOLS);
        }
        Some(Kind::Array) => {}
        Some(_) => return,
    }
    let Some(choice) = choice(draft, sent) else {
        return;
    };
    match choice {
        Choice::Auto => make_plain(draft, sent, "\"auto\""),
        Choice::None => make_plain(draft, sent, "\"none\""),
        Choice::Required => {
            let native = match draft.family.forced_choice {
                ForcedChoice::RequiredOnly => true,
                ForcedChoice::WithoutThinking => !draft.thinks,
                ForcedChoice::Refused | ForcedChoice::Unsupported => false,
            };
            if native || disable_thinking(draft) {
                make_plain(draft, sent, "\"required\"");
            } else {
                replace_required(draft);
            }
        }
        Choice::Named(name) => named(draft, &name),
    }
}

fn named(draft: &mut Draft<'_>, name: &[u8]) {
    let native = match draft.family.forced_choice {
        ForcedChoice::RequiredOnly | ForcedChoice::Refused => false,
        ForcedChoice::WithoutThinking => !draft.thinks,
        ForcedChoice::Unsupported => true,
    };
    let is_named = |draft: &Draft<'_>, index: usize| {
        draft.tools()[index]
            .name
            .and_then(|tool| draft.text(tool))
            .is_some_and(|tool| *tool == *name)
    };
    let count = draft.tools().len();
    if native || !(0..count).any(|index| is_named(draft, index)) || disable_thinking(draft) {
        return;
    }
    let mut first = 0;
    for index in 0..=count {
        if index == count || is_named(draft, index) {
            if first < index {
                draft.remove_tools(first..index, ONLY_ONE);
            }
            first = index + 1;
        }
    }
    if draft.family.forced_choice == ForcedChoice::RequiredOnly {
        draft.set(Field::ToolChoice, "\"required\"", ONE_LEFT);
    } else {
        replace_required(draft);
    }
}

/// Reads a choice. One that is of no known form is none of ours.
fn choice<'a>(draft: &Draft<'a>, sent: Value) -> Option<Choice<'a>> {
    let word = match sent.kind {
        Kind::String => sent,
        Kind::Object => {
            let function = draft.member(sent, "function");
            let kind = draft.member(sent, "type")?.value;
            if let Some(function) = function {
                let name = draft.member(function.value, "name")?.value;
                return draft
                    .is_string(kind, "function")
                    .then(|| draft.string(name))?
                    .map(Choice::Named);
            }
            kind
        }
        _ => return None,
    };
    match &*draft.string(word)? {
        b"auto" => Some(Choice::Auto),
        b"none" => Some(Choice::None),
        b"required" => Some(Choice::Required),
        _ => None,
    }
}

/// `{"type":"auto"}` is refused, `"auto"` is not.
fn make_plain(draft: &mut Draft<'_>, sent: Value, word: &'static str) {
    if sent.kind == Kind::Object {
        draft.set(Field::ToolChoice, word, PLAIN);
    }
}

/// If that is the policy and the model can do without, switches thinking off, so
/// that it takes the forced choice.
fn disable_thinking(draft: &mut Draft<'_>) -> bool {
    let can = draft.settings.tool_choice == ToolChoicePolicy::DisableThinking
        && draft.family.forced_choice == ForcedChoice::WithoutThinking;
    if can {
        draft.disable_thinking(NO_THINKING);
        if draft.settings.is_on(Rule::ReasoningEffort) {
            draft.remove(Field::ReasoningEffort, NO_THINKING);
        }
    }
    can
}

/// Removes the choice, and asks for a tool in a last message, unless the policy is to
/// let the model choose. None is put behind a prefill, which has to be last.
fn replace_required(draft: &mut Draft<'_>) {
    draft.remove(Field::ToolChoice, NOT_SUPPORTED);
    let asks = draft.settings.tool_choice != ToolChoicePolicy::Auto;
    let is_prefill = draft
        .message_count()
        .checked_sub(1)
        .is_some_and(|last| draft.role(last) == Some(Role::Assistant) && draft.is_partial(last));
    let Some(messages) = draft.field(Field::Messages).filter(|_| asks && !is_prefill) else {
        return;
    };
    draft
        .edits()
        .append(messages.value.span, Text::Static(NUDGE));
    draft.note(Place::NewMessage, ASKED_INSTEAD);
}
