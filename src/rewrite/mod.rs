//! From a chat request to one that Moonshot accepts: walk the body once, let
//! every rule look at the spans and ask for edits, apply them.
//!
//! Nothing here knows about HTTP. A new rule is a file with `fn apply(&mut
//! Draft)` and a line in the table below, which is also the order.

mod change;
mod chat;
mod draft;
mod settings;
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
        $( mod $module; )+

        /// A rule of the rewrite. Each can be switched off with
        /// [`MoonshotCompatLayer::without_rule`](crate::MoonshotCompatLayer::without_rule).
        ///
        /// Displayed as its name in snake case, `tool_choice`, which is a good
        /// metric label.
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
    /// `moonshot/kimi-k3` and aliases become the id that Moonshot knows.
    Model => model,
    /// What a model refuses in `thinking` is taken out of it.
    Thinking => thinking,
    /// `reasoning_effort` becomes a level that the model has, or goes.
    ReasoningEffort => reasoning_effort,
    /// `tool_choice` that the model refuses is put in other words.
    ToolChoice => tool_choice,
    /// Schemas of tools and answers become ones of Moonshot's dialect.
    ToolSchema => tool_schema,
    /// A temperature above 1 becomes 1; one near 0 becomes 0.3 when several
    /// answers are asked for.
    Temperature => temperature,
    /// Sampling parameters go where a model accepts one value only.
    Sampling => sampling,
    /// `developer` becomes `system`.
    Role => role,
    /// Content arrays of nothing but text become strings.
    Content => content,
    /// Empty messages get one space, empty text parts go.
    EmptyContent => empty_content,
    /// Thinking models get the `reasoning_content` that they miss in tool calls.
    ReasoningContent => reasoning_content,
    /// Ids of tool calls get an alphabet that Moonshot accepts.
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
        if spans.edits.is_empty() {
            return Ok(None);
        }
        spans.edits.remove_duplicates(&spans.duplicates);
        Ok(Some(Rewritten {
            body: spans.edits.apply(body),
            changes: spans.changes.drain(..).collect(),
        }))
    })
}
