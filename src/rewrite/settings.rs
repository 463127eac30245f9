//! What the caller decides about the rewrite.

use std::{collections::HashMap, num::NonZeroU32, sync::Arc};

use super::Rule;
use crate::schema::Budget;

/// What happens to a `tool_choice` that forces a call where the model refuses
/// that. The default is [`Nudge`](Self::Nudge).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ToolChoicePolicy {
    /// It goes, and a last user message asks for a tool: `Please select a tool to
    /// handle the current issue.`, which is the wording of Moonshot's migration
    /// guide (documented).
    #[default]
    Nudge,
    /// It goes, and the model may choose.
    Auto,
    /// On models that can do without, thinking is disabled and the forced choice
    /// stays; on the others as with [`Nudge`](Self::Nudge). Models that can are
    /// K2.6 and K2.5, which refuse a forced choice only while they think (live
    /// reports).
    DisableThinking,
}

/// What happens to `n` above 1 on models that give one answer only. The default
/// is [`Remove`](Self::Remove).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NPolicy {
    /// It goes: one choice comes back instead of `n`.
    #[default]
    Remove,
    /// It stays, and Moonshot refuses the request.
    Keep,
}

/// The settings of the rewrite.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// One bit for each rule that is switched off.
    off: u32,
    /// Model names of the caller's, and the ids they stand for.
    pub(crate) aliases: HashMap<Box<str>, Arc<str>>,
    pub(crate) tool_choice: ToolChoicePolicy,
    pub(crate) n: NPolicy,
    /// The steps that the repair of a request's schemas may take.
    pub(crate) schema_budget: u64,
    /// The least that a thinking model's budget is raised to.
    pub(crate) min_completion_tokens: Option<NonZeroU32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            off: 0,
            aliases: HashMap::new(),
            tool_choice: ToolChoicePolicy::default(),
            n: NPolicy::default(),
            schema_budget: Budget::DEFAULT_STEPS,
            min_completion_tokens: None,
        }
    }
}

impl Settings {
    /// The id that a model's name stands for, if it is an alias.
    #[inline]
    pub(super) fn alias(&self, name: &[u8]) -> Option<&str> {
        if self.aliases.is_empty() {
            return None;
        }
        self.aliases
            .get(std::str::from_utf8(name).ok()?)
            .map(|id| &**id)
    }

    #[inline]
    pub(crate) const fn is_on(&self, rule: Rule) -> bool {
        self.off & (1 << rule as u32) == 0
    }

    pub(crate) const fn switch(&mut self, rule: Rule, on: bool) {
        if on {
            self.off &= !(1 << rule as u32);
        } else {
            self.off |= 1 << rule as u32;
        }
    }
}
