//! Rewrites a chat request so that Moonshot accepts it: walks the body once, lets every
//! rule look at the spans and ask for edits, and applies the edits.
//!
//! Nothing here depends on HTTP. A new rule is a module with `fn apply(&mut Draft)` and a
//! line in the table below, which also sets the order.

mod change;
mod chat;
mod content;
mod distinct;
mod draft;
mod empty_content;
mod keys;
mod min_completion_tokens;
mod model;
mod reasoning_content;
mod reasoning_effort;
mod response_format;
mod role;
mod sampling;
mod settings;
mod temperature;
mod thinking;
mod tool;
mod tool_call_id;
mod tool_choice;
mod tool_schema;
mod tools;
mod walk;

use std::{str::FromStr, sync::Arc};

use bytes::Bytes;

use self::{chat::Spans, draft::Draft};
use crate::{
    ConfigError,
    json::{self, Rope},
    overrides::Overrides,
};

pub(crate) use self::settings::Settings;
pub use self::{
    change::Change,
    settings::{NPolicy, ToolChoicePolicy},
};

/// Declares the rules and the order in which they are applied.
macro_rules! rules {
    ($( $(#[doc = $doc:literal])+ $rule:ident => $module:ident, )+) => {
        /// A rule of the rewrite.
        ///
        /// All rules are enabled by default. Disable one with
        /// [`MoonshotCompatLayer::without_rule`](crate::MoonshotCompatLayer::without_rule).
        /// A rule is displayed as its name in snake case, such as `tool_choice`, which
        /// suits metric labels.
        ///
        /// # Sources
        ///
        /// Each rule names the source of what it says about Moonshot:
        ///
        /// - *documented*: Moonshot's documentation says so;
        /// - *vendor's suite*: the tests by which Moonshot judges other hosts of its
        ///   models assert it;
        /// - *vendor's client*: Moonshot's own client does it;
        /// - *validator*: measured on the schema validator that Moonshot publishes;
        /// - *live reports*: somebody recorded such an answer of the API;
        /// - *judgement*: there is no source.
        ///
        /// This project has measured nothing against the live API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $( $(#[doc = $doc])+ $rule, )+
        }

        impl Rule {
            /// All rules, in the order in which they are applied.
            pub const ALL: &'static [Self] = &[ $( Self::$rule, )+ ];

            /// The rule's name in snake case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$rule => stringify!($module), )+
                }
            }
        }

        /// Applies every enabled rule. Unrolled, so that the first check of each rule,
        /// which usually ends it, can be inlined.
        fn apply(draft: &mut Draft<'_>) {
            $(
                if draft.settings.is_on(Rule::$rule) {
                    draft.rule = Rule::$rule;
                    $module::apply(draft);
                }
            )+
        }
    };
}

// Whether the model thinks is settled first, because later rules depend on it.
rules! {
    /// Replaces aliases, and removes the prefixes `moonshot/` and `moonshotai/`, which
    /// Moonshot answers with 404 (live reports). A
    /// [`TargetModel`](crate::TargetModel) in the request's extensions replaces any
    /// model.
    Model => model,
    /// Repairs a `thinking` that the model refuses, and translates other hosts' switches.
    ///
    /// Refused are a boolean in place of the object (live reports); a `type` other than
    /// `enabled` and `disabled` on K3 (vendor's suite), and `adaptive` on K2.x (live
    /// reports); `disabled`, and a `keep` other than `all`, on K2.7 (documented); any
    /// `keep` on K2.5 (live reports).
    ///
    /// Moonshot ignores other hosts' switches, such as `enable_thinking: false` (live
    /// reports). On K2.5, K2.6 and K2.8, the rule adds a `thinking` that disables
    /// thinking (judgement).
    Thinking => thinking,
    /// Replaces `reasoning_effort` by a level that the model accepts, or removes it.
    ///
    /// - An object is replaced by its `effort`: only a string is accepted (live
    ///   reports).
    /// - K3 and K2.8 accept `low`, `high` and `max`, here and in `thinking.effort`
    ///   (documented). Other known levels are replaced by the nearest one (judgement),
    ///   unknown levels are removed.
    /// - Beside `thinking`, the effort is moved into it on K2.8 (vendor's client), and
    ///   removed on K2.5, K2.6 and K2.7, which refuse both together (live reports).
    /// - `none` is replaced by disabled thinking on K2.5, K2.6, K2.8 and Kimi Code's K3,
    ///   by `low` on K3 (judgement), and removed on K2.7, which refuses it (live
    ///   reports).
    ReasoningEffort => reasoning_effort,
    /// Replaces a `tool_choice` that the model refuses or does not know.
    ///
    /// - A forced choice that the model refuses (live reports) is replaced according to
    ///   [`ToolChoicePolicy`].
    /// - A named function, which thinking models refuse (live reports) and K3 ignores
    ///   (vendor's suite), is replaced by a forced choice with all other tools removed
    ///   (judgement).
    /// - Forms of other APIs are translated (`{"type":"auto"}`: live reports; others:
    ///   judgement).
    /// - Without any tools, the choice is removed, except for `auto` and `none` on K3
    ///   (vendor's suite).
    ToolChoice => tool_choice,
    /// Repairs schemas of tools and answers that are outside of Moonshot's dialect of
    /// JSON Schema (validator; that a tool's root has to be an object: live reports). A
    /// repaired schema admits everything that the original admits.
    ToolSchema => tool_schema,
    /// Moves the members of flat tools, as OpenAI's Responses API has them, into
    /// `function`, and replaces null `parameters` by the schema of an object without
    /// properties (both judgement). Removes a tool that is equal to an earlier one,
    /// because names must not repeat (live reports, vendor's suite).
    Tools => tools,
    /// Adds the missing `name` of a `json_schema` in `response_format`, and removes a
    /// `strict` that is not a boolean (vendor's suite). Removes `$schema` from a schema
    /// whose `strict` is false, because it makes K2.5 answer nonsense (live reports).
    ResponseFormat => response_format,
    /// Clamps temperatures above 1 to 1, on models that accept a range: V1, K2 previews
    /// and unknown ids (documented). With `n` above 1, raises temperatures below 0.3 to
    /// 0.3: those near 0 are refused (documented), and the bound is LiteLLM's. On V1,
    /// also adds 0.3 where the temperature is absent, because its default is 0
    /// (judgement).
    Temperature => temperature,
    /// Removes sampling parameters whose value is not the only one that the model
    /// accepts, on K3 and on K2 models from K2.5 on (vendor's suite, live reports).
    /// [`NPolicy`] can keep `n`.
    Sampling => sampling,
    /// Raises `max_tokens` and `max_completion_tokens` of models that think to a
    /// [configured minimum](crate::MoonshotCompatLayer::with_min_completion_tokens),
    /// because thoughts are part of the completion (documented). There is no minimum by
    /// default.
    MinCompletionTokens => min_completion_tokens,
    /// Replaces the role `developer` by `system` (live reports).
    Role => role,
    /// Adds a missing `reasoning_content` to assistant messages that require it while the
    /// model thinks: those with tool calls (live reports), and on K2.7 and with
    /// `thinking.keep` set to `all`, every one (documented).
    ///
    /// The reasoning is moved from where other APIs keep it: `reasoning`,
    /// `provider_specific_fields`, `reasoning_details` or content parts (live reports).
    /// If none is found, one space is inserted (vendor's client), and
    /// [`Report::lost_thoughts`](crate::Report::lost_thoughts) counts the message.
    ReasoningContent => reasoning_content,
    /// Replaces content arrays by strings, if all arrays of the request hold only text:
    /// older models refuse arrays (live reports).
    Content => content,
    /// Fills messages without content with one space (judgement), and removes empty text
    /// parts. Moonshot refuses both (live reports).
    EmptyContent => empty_content,
    /// Gives tool calls whose id is missing or repeated, and their answers, a fresh id of
    /// the form `functions.NAME:INDEX` (live reports; for an id that is repeated in a
    /// later turn, judgement). All other ids are left unchanged, of any length and with
    /// any characters.
    ToolCallId => tool_call_id,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Rule {
    type Err = ConfigError;

    /// Parses the name in snake case, such as `tool_choice`.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        settings::named("rule", Self::ALL, Self::name, name)
    }
}

/// The result of a rewrite that changed the body, or left schemas unrepaired.
#[derive(Debug)]
pub(crate) struct Rewritten {
    pub(crate) body: Rope,
    pub(crate) changes: Arc<[Change]>,
    /// The number of changes that are not listed.
    pub(crate) left_out: usize,
    /// The number of schemas left unrepaired because the budget was spent.
    pub(crate) schemas_left: usize,
}

/// Why the rules were not applied to a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAChat {
    /// Not JSON.
    Invalid(json::Error),
    /// JSON, but not an object with an array of `messages`.
    OtherJson,
}

/// Rewrites the body of a chat request. Returns `None` if it needs no change.
pub(crate) fn rewrite(
    body: &Bytes,
    settings: &Settings,
    overrides: Overrides<'_>,
) -> Result<Option<Rewritten>, NotAChat> {
    Spans::with_scratch(|spans| {
        walk::walk(body, spans)?;
        let mut draft = Draft::new(body, spans, settings, overrides);
        apply(&mut draft);
        draft.finish();
        debug_assert_eq!(spans.edits.is_empty(), spans.changes.is_empty());
        if spans.edits.is_empty() && spans.schemas_left == 0 {
            return Ok(None);
        }
        spans.edits.remove_duplicates(&spans.duplicates);
        Ok(Some(Rewritten {
            body: spans.edits.apply(body),
            changes: spans.changes.drain(..).collect(),
            left_out: spans.left_out,
            schemas_left: spans.schemas_left,
        }))
    })
}
