//! `tool_choice`: one that the model takes.
//!
//! **Without tools** anywhere, in the request or in a system message, a forced choice
//! is removed: there is nothing to call. K3 accepts `"auto"` and `"none"` without a
//! field `tools` (the vendor's own test suite asserts it); elsewhere these are removed
//! as well, as LiteLLM does.
//!
//! **Other dialects** are translated (judgements: nothing else can be meant).
//!
//! | sent | read as |
//! |---|---|
//! | `{"type":"auto"}`, `"none"`, `"required"` | the plain string (live reports) |
//! | `"any"`, `{"type":"any"}` (Anthropic) | `"required"` |
//! | `{"type":"tool","name":X}` (Anthropic) | the named function X |
//! | `{"type":"function","name":X}` (OpenAI's Responses API) | ″ |
//! | `{"function":{"name":X}}` | ″ |
//! | `{"type":"allowed_tools","allowed_tools":{"mode":M,"tools":[…]}}` (OpenAI) | M, and no other tools are left in `tools` |
//!
//! **`"required"`** is native on K3. The other thinking models refuse it while they
//! think (live reports, `tool_choice 'required' is incompatible with thinking
//! enabled`), and it is not supported on the older ones. There it is removed, and a
//! last user message asks for a tool, in the words of Moonshot's migration guide
//! (documented). [`ToolChoicePolicy`] has alternatives.
//!
//! **A named function** is refused by thinking models while they think (live reports)
//! and silently ignored by K3 (the vendor's test suite). No other tool is left in
//! `tools`, and a call is forced as above (judgement). Tools in system messages can't
//! be taken out without changing the conversation: they stay, and the change says so.
//! Whether the older models take a named function is not known, so that it stays
//! there. One that is not among the tools is left as it is.

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
const PLAIN: &str = "a choice without a function is a plain string";
const DIALECT: &str = "Moonshot does not know this form of the choice";
const NOT_SUPPORTED: &str = "the model refuses a forced choice";
const ASKED_INSTEAD: &str = "asks for a tool instead of the forced choice";
const ONLY_ONE: &str = "only the named tool may be called";
const ONLY_ALLOWED: &str = "only the allowed tools may be called";
const ONE_LEFT: &str = "the only tool left is the named one";
const OTHERS_LEFT: &str = "the model takes no name; other tools remain";
const ALLOWED_LEFT: &str = "the only tools left are the allowed ones";
const OTHERS_ALLOWED: &str = "the model takes no list; other tools remain";
const NO_THINKING: &str = "without thinking the model takes a forced choice";

/// What a `tool_choice` asks for.
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
    /// Whether it is in the form that Moonshot documents.
    is_native: bool,
}

pub(super) fn apply(draft: &mut Draft<'_>) {
    let Some(sent) = draft.given(Field::ToolChoice).map(|found| found.value) else {
        return;
    };
    let has_tools = match draft.kind_of_tools() {
        None => false,
        Some(Kind::Array) => !draft.tools(ToolList::Request).is_empty(),
        // For Moonshot to judge.
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

/// Whether `"auto"` and `"none"` are accepted as they are: on K3, without a field
/// `tools`.
fn takes_choice_of_nothing(draft: &Draft<'_>) -> bool {
    draft.family.forced_choice == ForcedChoice::RequiredOnly && draft.kind_of_tools().is_none()
}

fn plain(draft: &mut Draft<'_>, sent: Value, word: Word) {
    if word != Word::Required || requires_natively(draft) || disables_thinking(draft) {
        write(draft, sent, word);
    } else {
        replace_required(draft);
    }
}

/// Whether the model takes `"required"` as the request is now.
fn requires_natively(draft: &Draft<'_>) -> bool {
    match draft.family.forced_choice {
        ForcedChoice::RequiredOnly => true,
        ForcedChoice::WithoutThinking => !draft.thinks,
        ForcedChoice::Refused | ForcedChoice::Unsupported => false,
    }
}

/// Gives the choice as a plain string, if it isn't one.
fn write(draft: &mut Draft<'_>, sent: Value, word: Word) {
    if sent.kind == Kind::Object {
        draft.set(Field::ToolChoice, word.quoted(), PLAIN);
    } else if !draft.is_string(sent, word.quoted().trim_matches('"')) {
        draft.set(Field::ToolChoice, word.quoted(), DIALECT);
    }
}

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
    if is_native || disables_thinking(draft) {
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

/// Names the function in the form that Moonshot documents, in the spelling that the
/// name has.
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

fn allow(draft: &mut Draft<'_>, word: Word, allowed: &HashSet<Cow<'_, [u8]>>) {
    let is_allowed = |draft: &Draft<'_>, tool: &Tool| {
        let name = tool.name().and_then(|name| draft.text(name));
        name.is_some_and(|name| allowed.contains(&name))
    };
    let mut lists = draft.tool_lists();
    if !lists.any(|list| has_any(draft, list, is_allowed)) {
        return;
    }
    if has_any(draft, ToolList::Request, is_allowed) {
        keep_only(draft, ONLY_ALLOWED, is_allowed);
    }
    if word != Word::Required || requires_natively(draft) || disables_thinking(draft) {
        let others = are_others_left(draft, is_allowed);
        let why = if others { OTHERS_ALLOWED } else { ALLOWED_LEFT };
        draft.set(Field::ToolChoice, word.quoted(), why);
    } else {
        replace_required(draft);
    }
}

fn has_any(draft: &Draft<'_>, list: ToolList, is: impl Fn(&Draft<'_>, &Tool) -> bool) -> bool {
    draft.tools(list).iter().any(|tool| is(draft, tool))
}

/// Removes all of the request's tools but these, neighbours at once.
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

/// Whether the model will be offered any other tool than these.
fn are_others_left(draft: &Draft<'_>, these: impl Fn(&Draft<'_>, &Tool) -> bool) -> bool {
    let is_other = |draft: &Draft<'_>, tool: &Tool| !tool.is_removed() && !these(draft, tool);
    draft
        .tool_lists()
        .any(|list| has_any(draft, list, is_other))
}

/// Reads a choice. One that is of no known form is for Moonshot to judge.
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

/// If that is the policy and the model can do without, switches thinking off, so
/// that it takes the forced choice.
fn disables_thinking(draft: &mut Draft<'_>) -> bool {
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
