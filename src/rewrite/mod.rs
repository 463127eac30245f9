//! From a chat request to one that Moonshot accepts: walk the body once, let
//! every rule look at the spans and ask for edits, apply them.
//!
//! Nothing here knows about HTTP. A new rule is a module with `fn apply(&mut
//! Draft)` and a line in the table below, which is also the order.

mod change;
mod chat;
mod content;
mod distinct;
mod draft;
mod empty_content;
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
mod words;

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
        /// A rule of the rewrite. Each can be switched off with
        /// [`MoonshotCompatLayer::without_rule`](crate::MoonshotCompatLayer::without_rule).
        ///
        /// Displayed as its name in snake case, `tool_choice`, which is a good
        /// metric label.
        ///
        /// Each says how it is known what Moonshot refuses: *documented* by Moonshot;
        /// asserted by the *vendor's suite*, with which Moonshot tests other hosts of
        /// its models; done by the *vendor's client*; *live reports*, which are
        /// answers that somebody recorded; or a *judgement*. Nothing was measured
        /// against the live API by this project.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $( $(#[doc = $doc])+ $rule, )+
        }

        impl Rule {
            /// Every rule, in the order in which they are applied.
            pub const ALL: &'static [Self] = &[ $( Self::$rule, )+ ];

            /// The rule's name in snake case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$rule => stringify!($module), )+
                }
            }
        }

        /// Applies every rule that is on: one after the other and not in a loop,
        /// because most see at once that there is nothing to do for them.
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

// What thinks and what is forced is settled first: the rules behind depend on it.
rules! {
    /// Replaces `moonshot/kimi-k3` and aliases by the id that Moonshot knows (live
    /// reports).
    Model => model,
    /// Repairs what a model refuses in `thinking`: a boolean in place of the object
    /// (live reports); a `type` that is neither `enabled` nor `disabled` (vendor's
    /// suite); on K2.7 `disabled`, and any `keep` but `all` (documented); on K2.5
    /// `keep` (live reports). Where other hosts' switches, such as `enable_thinking`,
    /// say that K2.5, K2.6 or K2.8 is not to think, `thinking` says so too: Moonshot
    /// ignores them (live reports).
    Thinking => thinking,
    /// Makes `reasoning_effort` a level that the model has, or removes it. On K3 and
    /// K2.8 it becomes `low`, `high` or `max` (documented; which one is nearest is a
    /// judgement), as does `thinking.effort`; on K2.8 it is moved into `thinking` if
    /// that is given (vendor's client). `none` disables thinking on K2.5, K2.6, K2.8
    /// and Kimi Code's K3 (judgement). On K2.5 to K2.7 an effort is removed beside
    /// `thinking`, which is refused (live reports). An object is replaced by its
    /// `effort` (live reports).
    ReasoningEffort => reasoning_effort,
    /// Replaces a `tool_choice` that the model refuses according to
    /// [`ToolChoicePolicy`] (live reports), and a named function by no other tool left
    /// on models that think (judgement; that K3 ignores the name is in the vendor's
    /// suite). Translates the forms of other APIs (judgement; `{"type":"auto"}`, live
    /// reports). Removes it where there are no tools (vendor's suite).
    ToolChoice => tool_choice,
    /// Schemas of tools and answers become ones of Moonshot's dialect, and never
    /// admit less than before. The dialect was measured on the validator that
    /// Moonshot publishes; the rest is documented or live reports.
    ToolSchema => tool_schema,
    /// Nests flat tools, as in OpenAI's Responses API, in `function`, and replaces
    /// `parameters` that are null by the schema of an object without properties (both
    /// judgements). Removes a tool that is equal to an earlier one (live reports,
    /// vendor's suite).
    Tools => tools,
    /// Adds the `name` that a `json_schema` in `response_format` lacks, and removes a
    /// `strict` that is no boolean (vendor's suite).
    ResponseFormat => response_format,
    /// On models that accept a range (V1, K2 previews, unknown ids), clamps
    /// temperatures above 1 to 1 (documented). With `n` above 1, one near 0 becomes
    /// 0.3 (documented; that 0.3 is far enough is LiteLLM's bound), on V1 also none
    /// at all (judgement).
    Temperature => temperature,
    /// Removes sampling parameters whose value is not the single one that the model
    /// accepts (vendor's suite, live reports). That is how K3 and the K2 models from
    /// K2.5 on are. For `n` see [`NPolicy`].
    Sampling => sampling,
    /// Raises `max_tokens` and `max_completion_tokens` of models that think to
    /// [what the layer is told](crate::MoonshotCompatLayer::with_min_completion_tokens),
    /// which by default is nothing (documented: thoughts are part of the completion).
    MinCompletionTokens => min_completion_tokens,
    /// Replaces the role `developer` by `system` (live reports).
    Role => role,
    /// Adds the `reasoning_content` that thinking models miss beside tool calls, and
    /// with `thinking.keep` set to `all`, and on K2.7, in every answer (documented,
    /// live reports). It is taken from where other APIs keep it: `reasoning`,
    /// `provider_specific_fields`, `reasoning_details` or parts of the content. If it
    /// is nowhere, it is one space, as in Moonshot's own clients;
    /// [`Report::lost_thoughts`](crate::Report::lost_thoughts) counts those.
    ReasoningContent => reasoning_content,
    /// Joins content arrays to strings where all of a request's hold nothing but text
    /// (live reports).
    Content => content,
    /// Gives one space to messages without content (that they are refused is from
    /// live reports, the space a judgement), and removes empty text parts.
    EmptyContent => empty_content,
    /// Gives `functions.NAME:INDEX` to tool calls without an id, and to those with one
    /// that an earlier call has, and to their answers (live reports; that an id may
    /// not be repeated in a later turn is a judgement). All other ids are left as they
    /// are, of any length and with any letters.
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

/// What came of a chat request that needed a change.
#[derive(Debug)]
pub(crate) struct Rewritten {
    pub(crate) body: Rope,
    pub(crate) changes: Arc<[Change]>,
    /// How many more changes there were.
    pub(crate) left_out: usize,
    /// How many schemas were left unrepaired for want of budget.
    pub(crate) schemas_left: usize,
}

/// Why a body was not judged by the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAChat {
    /// Not JSON.
    Invalid(json::Error),
    /// JSON, but not an object with an array of `messages`.
    OtherJson,
}

/// Rewrites one body. What needs no change keeps its bytes; `None` is a chat request
/// that needs none.
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
