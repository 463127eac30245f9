//! From a chat request to one that Moonshot accepts: walk the body once, let
//! every rule look at the spans and ask for edits, apply them.
//!
//! Nothing here knows about HTTP. A new rule is a module with `fn apply(&mut
//! Draft)` and a line in the table below, which is also the order.

mod change;
mod chat;
mod content;
mod draft;
mod empty_content;
mod model;
mod reasoning_content;
mod reasoning_effort;
mod role;
mod sampling;
mod settings;
mod temperature;
mod thinking;
mod tool_call_id;
mod tool_choice;
mod tool_schema;
mod walk;
mod words;

use std::sync::Arc;

use bytes::Bytes;

use self::{chat::Spans, draft::Draft};
use crate::json::{self, Rope};

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
        /// Of what Moonshot refuses, each says how that is known: documented by
        /// Moonshot, from live reports, which are answers that somebody recorded, or
        /// a judgement. Nothing was measured against the live API by us.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// `moonshot/kimi-k3` and aliases become the id that Moonshot knows (live
    /// reports).
    Model => model,
    /// What a model refuses in `thinking` is taken out of it: on K3 its `type`
    /// (documented), on K2.7 all of it if that is `disabled`, on K2.5 its `keep`
    /// (live reports).
    Thinking => thinking,
    /// `reasoning_effort` becomes a level that the model has, or goes. On K3 that is
    /// `low`, `high` or `max` (documented; which one is nearest is a judgement).
    /// `none` disables thinking on K2.6 and K2.5. Beside `thinking` it goes, but on
    /// K3 `thinking` does. An object gives its `effort` (live reports).
    ReasoningEffort => reasoning_effort,
    /// `tool_choice` that the model refuses is put in other words, after
    /// [`ToolChoicePolicy`]. Without tools it goes; `{"type":"auto"}` becomes
    /// `"auto"` (live reports). Instead of a named function, models that think get
    /// no other tool (judgement).
    ToolChoice => tool_choice,
    /// Schemas of tools and answers become ones of Moonshot's dialect, and never
    /// admit less than before. The dialect was measured on the validator that
    /// Moonshot publishes; the rest is documented or live reports.
    ToolSchema => tool_schema,
    /// On models with a range of temperatures, V1, K2 previews and those that nobody
    /// knows, above 1 becomes 1 (documented). With `n` above 1, one near 0 becomes
    /// 0.3 (documented; that 0.3 is far enough is LiteLLM's bound), on V1 also none
    /// at all (judgement).
    Temperature => temperature,
    /// Sampling parameters go where a model, K3 and K2.5 to K2.7, accepts one value
    /// only and this is another, or null (live reports). For `n` see [`NPolicy`].
    Sampling => sampling,
    /// `developer` becomes `system` (live reports).
    Role => role,
    /// Content arrays become strings where all of a request's hold nothing but text
    /// (live reports).
    Content => content,
    /// Empty messages of users and assistants get one space (that they are refused
    /// is from live reports, the space a judgement), empty text parts go.
    EmptyContent => empty_content,
    /// Thinking models get the `reasoning_content` that they miss beside tool calls,
    /// with `thinking.keep` set to `all` in every message: from `reasoning` or
    /// `provider_specific_fields`, else one space, as Moonshot's own clients do (live
    /// reports).
    ReasoningContent => reasoning_content,
    /// Ids of tool calls, and of the answers to them, become 1 to 64 letters,
    /// digits, underscores and dashes (live reports).
    ToolCallId => tool_call_id,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
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
pub(crate) fn rewrite(body: &Bytes, settings: &Settings) -> Result<Option<Rewritten>, NotAChat> {
    Spans::with_scratch(|spans| {
        walk::walk(body, spans)?;
        apply(&mut Draft::new(body, spans, settings));
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
