//! The rules, and which of them are enabled.

use std::fmt;

/// Declares the rules.
macro_rules! rules {
    ($( $(#[doc = $doc:literal])+ $rule:ident => $name:literal, )+) => {
        /// A rule by which answers are repaired.
        ///
        /// All rules are enabled by default;
        /// [`ResponseCompatLayer::without_rule`](super::ResponseCompatLayer::without_rule)
        /// disables one. `Display` writes the [`name`](Self::name).
        ///
        /// Each rule names the grade of what it knows about Moonshot: documented, live
        /// report, or judgement. None was measured against the live API for this crate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ResponseRule {
            $( $(#[doc = $doc])+ $rule, )+
        }

        impl ResponseRule {
            /// All rules.
            pub const ALL: &'static [Self] = &[ $( Self::$rule, )+ ];

            /// Returns the rule's name in snake case, such as `tool_calls`. It suits
            /// metric labels.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$rule => $name, )+
                }
            }
        }
    };
}

rules! {
    /// Removes the headers that identify the account that pays: `msh-uid`, `msh-org-id`,
    /// `msh-project-id` and `msh-gid` (live reports). It applies to every response, and to
    /// trailers. The request ids `Msh-Request-Id` and `x-msh-trace-id` are kept.
    AccountHeaders => "account_headers",
    /// Restores the client's name for the model in `model`, if
    /// [`MoonshotCompat`](crate::MoonshotCompat) replaced an alias. Some clients compare the
    /// name with that of the request, or look up prices by it (judgement).
    Model => "model",
    /// Repeats `choices[0].usage` as `usage` of the answer itself. Moonshot puts it into the
    /// choice, in the chunk with the `finish_reason` (documented).
    ///
    /// In a stream, it is repeated in a chunk with `choices: []` before `[DONE]`, if the client
    /// set `stream_options.include_usage` and no chunk has a `usage` of its own. Other clients
    /// get no such chunk, because many fail on empty `choices`. In a JSON answer without
    /// `usage`, it is added to the answer (judgement). The original is kept in either case.
    ///
    /// With several choices nothing is inserted, because Moonshot then reports no total.
    Usage => "usage",
    /// Repeats `usage.cached_tokens` (documented) as
    /// `usage.prompt_tokens_details.cached_tokens`, where OpenAI's clients look for it.
    /// Moonshot sometimes leaves that out (live reports).
    CachedTokens => "cached_tokens",
    /// Repairs fragments of tool calls in streams so that clients assemble them correctly. A
    /// missing or null `index` is filled in, a name in pieces is sent whole in the first
    /// fragment, and only the first fragment of a call keeps its id (live reports).
    ///
    /// To see whether a name is complete, the event with a name is held back until the next
    /// chunk of its choice, unless the call's arguments have begun.
    ToolCalls => "tool_calls",
    /// Gives an error in a stream or in a JSON answer OpenAI's shape,
    /// `{"error":{"message":…,"type":…}}`. Moonshot sends errors in the middle of streams
    /// (live reports); shapes other than OpenAI's are a judgement. Members beside `error` are
    /// kept.
    Error => "error",
    /// Appends an error event to a stream that broke off (live reports). Otherwise, clients
    /// mistake it for a complete answer.
    ///
    /// A stream has broken off if it ends without `[DONE]`, without an error, and with no
    /// choice at all or with a choice that has no `finish_reason`.
    End => "end",
}

impl fmt::Display for ResponseRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The set of enabled rules.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// One bit for each disabled rule.
    off: u32,
}

impl Rules {
    #[inline]
    pub(super) const fn is_on(self, rule: ResponseRule) -> bool {
        self.off & (1 << rule as u32) == 0
    }

    pub(super) const fn switch(&mut self, rule: ResponseRule, on: bool) {
        if on {
            self.off &= !(1 << rule as u32);
        } else {
            self.off |= 1 << rule as u32;
        }
    }

    /// Whether an enabled rule has to read bodies.
    pub(super) fn read_bodies(self) -> bool {
        ResponseRule::ALL
            .iter()
            .any(|&rule| rule != ResponseRule::AccountHeaders && self.is_on(rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_switched_alone() {
        for &rule in ResponseRule::ALL {
            let mut rules = Rules::default();
            rules.switch(rule, false);
            for &other in ResponseRule::ALL {
                assert_eq!(rules.is_on(other), other != rule, "{other}");
            }
            rules.switch(rule, true);
            assert!(rules.is_on(rule));
        }
    }

    #[test]
    fn headers_alone_need_no_body() {
        let mut rules = Rules::default();
        for &rule in ResponseRule::ALL {
            assert!(rules.read_bodies());
            rules.switch(rule, rule == ResponseRule::AccountHeaders);
        }
        assert!(!rules.read_bodies());
    }
}
