//! The settings of the rewrite.

use std::{fmt, num::NonZeroU32, str::FromStr};

use super::Rule;
use crate::{ConfigError, ModelAliases, schema::Budget};

/// How a `tool_choice` that forces a tool call is replaced where the model refuses it.
///
/// The default is [`Nudge`](Self::Nudge). Displayed and parsed as its name in snake
/// case, such as `disable_thinking`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ToolChoicePolicy {
    /// Removes the choice and appends a user message that asks for a tool: `Please
    /// select a tool to handle the current issue.`, the wording of Moonshot's migration
    /// guide (documented).
    #[default]
    Nudge,
    /// Removes the choice. The model may answer without a tool call.
    Auto,
    /// Disables thinking and keeps the forced choice, on K2.5, K2.6 and K2.8. K2.5 and
    /// K2.6 refuse a forced choice only while they think (live reports); that K2.8 does
    /// the same is a judgement. Acts as [`Nudge`](Self::Nudge) on other models, and
    /// where the tool is only in a message.
    DisableThinking,
}

impl ToolChoicePolicy {
    /// Every policy.
    pub const ALL: &'static [Self] = &[Self::Nudge, Self::Auto, Self::DisableThinking];

    /// The policy's name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nudge => "nudge",
            Self::Auto => "auto",
            Self::DisableThinking => "disable_thinking",
        }
    }
}

impl fmt::Display for ToolChoicePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ToolChoicePolicy {
    type Err = ConfigError;

    /// Parses the name in snake case.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        named("tool choice policy", Self::ALL, Self::name, name)
    }
}

/// How `n` above 1 is treated on models that give only one answer.
///
/// The default is [`Remove`](Self::Remove). Displayed and parsed as its name, `remove`
/// or `keep`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NPolicy {
    /// Removes `n`: one choice comes back instead of several.
    #[default]
    Remove,
    /// Keeps `n`: Moonshot refuses the request.
    Keep,
}

impl NPolicy {
    /// Every policy.
    pub const ALL: &'static [Self] = &[Self::Remove, Self::Keep];

    /// The policy's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Keep => "keep",
        }
    }
}

impl fmt::Display for NPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for NPolicy {
    type Err = ConfigError;

    /// Parses the name.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        named("policy for n", Self::ALL, Self::name, name)
    }
}

/// Returns the value with this name. In an error, `of` says what the name is of.
pub(super) fn named<T: Copy>(
    of: &'static str,
    all: &'static [T],
    name_of: fn(T) -> &'static str,
    name: &str,
) -> Result<T, ConfigError> {
    let found = all.iter().copied().find(|&one| name_of(one) == name);
    found.ok_or_else(|| ConfigError::UnknownName {
        of,
        given: name.to_owned(),
        accepted: all.iter().copied().map(name_of).collect(),
    })
}

/// The rules that are enabled, and what they do.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// One bit for each rule that is disabled.
    off: u32,
    pub(crate) aliases: ModelAliases,
    pub(crate) tool_choice: ToolChoicePolicy,
    pub(crate) n: NPolicy,
    /// The steps that the repair of a request's schemas may take.
    pub(crate) schema_budget: u64,
    /// The minimum that the token budget of a thinking model is raised to.
    pub(crate) min_completion_tokens: Option<NonZeroU32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            off: 0,
            aliases: ModelAliases::default(),
            tool_choice: ToolChoicePolicy::default(),
            n: NPolicy::default(),
            schema_budget: Budget::DEFAULT_STEPS,
            min_completion_tokens: None,
        }
    }
}

impl Settings {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_as_they_are_displayed() {
        for &rule in Rule::ALL {
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        for &policy in ToolChoicePolicy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        for &policy in NPolicy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
    }

    #[test]
    fn an_error_lists_the_accepted_names() {
        let error = "Nudge".parse::<ToolChoicePolicy>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown tool choice policy \"Nudge\"; expected one of nudge, auto, disable_thinking",
        );
        let error = "tools?".parse::<Rule>().unwrap_err().to_string();
        assert!(
            error.contains("unknown rule \"tools?\"; expected one of model, "),
            "{error}"
        );
    }
}
