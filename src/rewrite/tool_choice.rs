//! `tool_choice`: replaces a choice that the model refuses or does not know.
//!
//! **Without any tools**, in the request or in a system message, a forced choice is
//! removed: there is nothing to call. K3 accepts `"auto"` and `"none"` without `tools`
//! (vendor's suite). On other models, and beside `"tools": []`, they are removed too, as
//! LiteLLM does.
//!
//! **Forms of other APIs** are translated (judgement: they can mean nothing else).
//!
//! | sent | read as |
//! |---|---|
//! | `{"type":"auto"}`, `"none"`, `"required"` | the plain string (live reports) |
//! | `"any"`, `{"type":"any"}` (Anthropic) | `"required"` |
//! | `{"type":"tool","name":X}` (Anthropic) | the named function X |
//! | `{"type":"function","name":X}` (OpenAI's Responses API) | ″ |
//! | `{"function":{"name":X}}` | ″ |
//! | `{"type":"allowed_tools","allowed_tools":{"mode":M,"tools":[…]}}` (OpenAI) | M, with all other tools removed from `tools` |
//!
//! **`"required"`** is accepted on K3. The other thinking models refuse it while they
//! think (live reports, `tool_choice 'required' is incompatible with thinking enabled`),
//! and the older models don't support it. There it is removed, and a user message is
//! appended that asks for a tool, in the words of Moonshot's migration guide
//! (documented). [`ToolChoicePolicy`] has alternatives.
//!
//! **A named function** is refused by thinking models while they think (live reports),
//! and K3 silently ignores the name (vendor's suite). All other tools are removed from
//! `tools`, and a call is forced as above (judgement). Tools in system messages can't be
//! removed without changing the conversation: they stay, and the change says so. Whether
//! the older models accept a named function is unknown, so it stays. A name that is not
//! among the tools stays too.

use std::{borrow::Cow, collections::HashSet};

use super::{
    Rule, ToolChoicePolicy,
    change::Place,
    chat::{Field, Role, Tool},
    draft::{Draft, ToolList},
};
use crate::{
    json::{Kind, Str, Text, Value},
    model::ForcedChoice,
};

const NUDGE: &str = concat!(
    r#"{"role":"user","content":"#,
    r#""Please select a tool to handle the current issue."}"#
);

const NO_TOOLS: &str = "there are no tools to choose from";
const PLAIN: &str = "a choice that names no tool must be a string";
const DIALECT: &str = "Moonshot does not know this form of tool_choice";
const NOT_SUPPORTED: &str = "the model does not accept a forced choice";
const NOT_WHILE_THINKING: &str = "the model accepts a forced choice only without thinking";
const ASKED_INSTEAD: &str = "this message asks for a tool in place of the forced choice";
const ONLY_ONE: &str = "only the named tool may be called";
const ONLY_ALLOWED: &str = "only the allowed tools may be called";
const ONE_LEFT: &str = "the named tool is the only one left";
const OTHERS_LEFT: &str = "the model ignores the name; other tools remain";
const ALLOWED_LEFT: &str = "only the allowed tools are left";
const OTHERS_ALLOWED: &str = "Moonshot does not know allowed_tools; other tools remain";
const NO_EFFORT: &str = "thinking was disabled for the forced choice";

/// The meaning of a `tool_choice`.
enum Choice<'a> {
    Plain(Word),
    Named(Named<'a>),
    Allowed(Word, HashSet<Cow<'a, [u8]>>),
}

/// A choice that names no tool.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    Auto,
    None,
    Required,
}

impl Word {
    /// The word as it is sent.
    const fn quoted(self) -> &'static str {
        match self {
            Self::Auto => "\"auto\"",
            Self::None => "\"none\"",
            Self::Required => "\"required\"",
        }
    }
}

struct Named<'a> {
    name: Cow<'a, [u8]>,
    spelled: Str,
    /// Whether the choice has the form that Moonshot documents.
    is_native: bool,
}

pub(super) fn apply(draft: &mut Draft<'_>) {
    let Some(sent) = draft.given(Field::ToolChoice).map(|found| found.value) else {
        return;
    };
    let has_tools = match draft.kind_of_tools() {
        None => false,
        Some(Kind::Array) => !draft.tools(ToolList::Request).is_empty(),
        // Moonshot judges `tools` of another type.
        Some(_) => return,
    };
    let Some(choice) = read(draft, sent) else {
        return;
    };
    if !has_tools && !draft.any_message_has_tools() {
        match choice {
            Choice::Plain(word @ (Word::Auto | Word::None)) if takes_choice_of_nothing(draft) => {
                write(draft, sent, word);
            }
            _ => draft.remove(Field::ToolChoice, NO_TOOLS),
        }
        return;
    }
    match choice {
        Choice::Plain(word) => plain(draft, sent, word),
        Choice::Named(named) => name(draft, &named),
        Choice::Allowed(word, allowed) => allow(draft, word, &allowed),
    }
}

/// Whether `"auto"` and `"none"` are accepted although there are no tools: on K3, where
/// `tools` is absent.
fn takes_choice_of_nothing(draft: &Draft<'_>) -> bool {
    draft.family.forced_choice == ForcedChoice::RequiredOnly && draft.kind_of_tools().is_none()
}

/// Applies a choice that names no tool.
fn plain(draft: &mut Draft<'_>, sent: Value, word: Word) {
    if word != Word::Required || requires_natively(draft) || disables_thinking(draft, |_, _| true) {
        write(draft, sent, word);
    } else {
        replace_required(draft);
    }
}

/// Whether the model accepts `"required"`, given whether it thinks.
fn requires_natively(draft: &Draft<'_>) -> bool {
    match draft.family.forced_choice {
        ForcedChoice::RequiredOnly => true,
        ForcedChoice::WithoutThinking => !draft.thinks,
        ForcedChoice::Refused | ForcedChoice::Unsupported => false,
    }
}

/// Writes the choice as a plain string, unless it is that string already.
fn write(draft: &mut Draft<'_>, sent: Value, word: Word) {
    if sent.kind == Kind::Object {
        draft.set(Field::ToolChoice, word.quoted(), PLAIN);
    } else if !draft.is_string(sent, word.quoted().trim_matches('"')) {
        draft.set(Field::ToolChoice, word.quoted(), DIALECT);
    }
}

/// Applies a choice that names a function.
fn name(draft: &mut Draft<'_>, named: &Named<'_>) {
    let is_named = |draft: &Draft<'_>, tool: &Tool| draft.is_named(tool, &named.name);
    let mut lists = draft.tool_lists();
    let Some(list) = lists.find(|&list| has_any(draft, list, is_named)) else {
        return;
    };
    let is_native = match draft.family.forced_choice {
        ForcedChoice::RequiredOnly | ForcedChoice::Refused => false,
        ForcedChoice::WithoutThinking => !draft.thinks,
        ForcedChoice::Unsupported => true,
    };
    if is_native || disables_thinking(draft, is_named) {
        if !named.is_native {
            translate(draft, named);
        }
        return;
    }
    if list == ToolList::Request {
        keep_only(draft, ONLY_ONE, is_named);
    }
    if requires_natively(draft) {
        let others = are_others_left(draft, is_named);
        let why = if others { OTHERS_LEFT } else { ONE_LEFT };
        draft.set(Field::ToolChoice, Word::Required.quoted(), why);
    } else {
        replace_required(draft);
    }
}

/// Writes the choice in the form that Moonshot documents. The name keeps its spelling.
fn translate(draft: &mut Draft<'_>, named: &Named<'_>) {
    let Some(choice) = draft.field(Field::ToolChoice) else {
        return;
    };
    let span = choice.value.span;
    let name = draft.slice(named.spelled.span);
    let before = Text::Static(r#"{"type":"function","function":{"name":"#);
    draft
        .edits()
        .replace_by_all(span, [before, name, Text::Static("}}")]);
    draft.note(Place::Field(Field::ToolChoice), DIALECT);
}

/// Applies a choice that lists the allowed tools.
fn allow(draft: &mut Draft<'_>, word: Word, allowed: &HashSet<Cow<'_, [u8]>>) {
    let is_allowed = |draft: &Draft<'_>, tool: &Tool| {
        let name = tool.name.and_then(|name| draft.text(name));
        name.is_some_and(|name| allowed.contains(&name))
    };
    let mut lists = draft.tool_lists();
    if !lists.any(|list| has_any(draft, list, is_allowed)) {
        return;
    }
    if has_any(draft, ToolList::Request, is_allowed) {
        keep_only(draft, ONLY_ALLOWED, is_allowed);
    }
    if word != Word::Required || requires_natively(draft) || disables_thinking(draft, is_allowed) {
        let others = are_others_left(draft, is_allowed);
        let why = if others { OTHERS_ALLOWED } else { ALLOWED_LEFT };
        draft.set(Field::ToolChoice, word.quoted(), why);
    } else {
        replace_required(draft);
    }
}

/// Whether a list has a tool for which `is` holds.
fn has_any(draft: &Draft<'_>, list: ToolList, is: impl Fn(&Draft<'_>, &Tool) -> bool) -> bool {
    draft.tools(list).iter().any(|tool| is(draft, tool))
}

/// Removes the request's other tools. Neighbours are removed with one edit.
fn keep_only(draft: &mut Draft<'_>, why: &'static str, stays: impl Fn(&Draft<'_>, &Tool) -> bool) {
    let count = draft.tools(ToolList::Request).len();
    let mut first = 0;
    for index in 0..=count {
        let tool = draft.tools(ToolList::Request).get(index);
        if tool.is_none_or(|tool| stays(draft, tool)) {
            draft.remove_tools(ToolList::Request, first..index, why);
            first = index + 1;
        }
    }
}

/// Whether any other tool than these is left.
fn are_others_left(draft: &Draft<'_>, these: impl Fn(&Draft<'_>, &Tool) -> bool) -> bool {
    let is_other = |draft: &Draft<'_>, tool: &Tool| !tool.is_removed() && !these(draft, tool);
    draft
        .tool_lists()
        .any(|list| has_any(draft, list, is_other))
}

/// Reads a choice. `None` if its form is unknown: Moonshot judges it.
fn read<'a>(draft: &Draft<'a>, sent: Value) -> Option<Choice<'a>> {
    if sent.kind == Kind::String {
        return word(draft, sent).map(Choice::Plain);
    }
    let member = |name| draft.member(sent, name).map(|found| found.value);
    let kind = member("type");
    let is = |name| kind.is_some_and(|kind| draft.is_string(kind, name));
    if let Some(function) = member("function") {
        let name = draft.member(function, "name")?.value;
        return match kind {
            None => named(draft, name, false),
            Some(_) if is("function") => named(draft, name, true),
            Some(_) => None,
        };
    }
    if is("function") || is("tool") {
        return named(draft, member("name")?, false);
    }
    if is("allowed_tools") {
        // The Responses API has mode and tools in the choice itself.
        return allowed(draft, member("allowed_tools").unwrap_or(sent));
    }
    word(draft, kind?).map(Choice::Plain)
}

fn word(draft: &Draft<'_>, value: Value) -> Option<Word> {
    match &*draft.string(value)? {
        b"auto" => Some(Word::Auto),
        b"none" => Some(Word::None),
        b"required" | b"any" => Some(Word::Required),
        _ => None,
    }
}

fn named<'a>(draft: &Draft<'a>, name: Value, is_native: bool) -> Option<Choice<'a>> {
    let spelled = name.as_str()?;
    Some(Choice::Named(Named {
        name: draft.text(spelled)?,
        spelled,
        is_native,
    }))
}

fn allowed<'a>(draft: &Draft<'a>, allowed: Value) -> Option<Choice<'a>> {
    let mode = word(draft, draft.member(allowed, "mode")?.value)?;
    let tools = draft.elements(draft.member(allowed, "tools")?.value);
    let names = tools.iter().filter_map(|&tool| {
        let function = draft.member(tool, "function");
        let named = function.map_or(tool, |function| function.value);
        draft.string(draft.member(named, "name")?.value)
    });
    Some(Choice::Allowed(mode, names.collect()))
}

/// Disables thinking, so that the model accepts the forced choice of one of these tools,
/// if that is the policy and the model allows it. Returns whether it did.
fn disables_thinking(draft: &mut Draft<'_>, of: impl Fn(&Draft<'_>, &Tool) -> bool) -> bool {
    // Tools in messages don't count. Whether the model thinks decides how earlier
    // messages are rewritten, and that must not depend on later messages.
    let can = draft.settings.tool_choice == ToolChoicePolicy::DisableThinking
        && draft.family.forced_choice == ForcedChoice::WithoutThinking
        && has_any(draft, ToolList::Request, of);
    if can {
        draft.disable_thinking(NOT_WHILE_THINKING);
        if draft.settings.is_on(Rule::ReasoningEffort) {
            draft.remove(Field::ReasoningEffort, NO_EFFORT);
        }
    }
    can
}

/// Removes the choice and, unless the policy is to let the model choose, appends a
/// message that asks for a tool. A prefill has to be the last message, so nothing is
/// appended after one.
fn replace_required(draft: &mut Draft<'_>) {
    let why = match draft.family.forced_choice {
        ForcedChoice::WithoutThinking => NOT_WHILE_THINKING,
        _ => NOT_SUPPORTED,
    };
    draft.remove(Field::ToolChoice, why);
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
