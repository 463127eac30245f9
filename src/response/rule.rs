//! What is repaired.

use std::fmt;

/// Declares the rules.
macro_rules! rules {
    ($( $(#[doc = $doc:literal])+ $rule:ident => $name:literal, )+) => {
        /// A repair of answers. Each can be switched off with
        /// [`ResponseCompatLayer::without_rule`](super::ResponseCompatLayer::without_rule).
        ///
        /// Displayed as its name in snake case, `tool_calls`, which is a good metric
        /// label.
        ///
        /// Each says how its fault is known: documented by Moonshot, from live
        /// reports, or a judgement. Nothing was measured against the live API by us.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ResponseRule {
            $( $(#[doc = $doc])+ $rule, )+
        }

        impl ResponseRule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[ $( Self::$rule, )+ ];

            /// The rule's name in snake case.
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
    /// Drops the headers `msh-uid`, `msh-org-id`, `msh-project-id` and `msh-gid` of
    /// every response, which identify the account that pays (live reports). Request
    /// ids, `Msh-Request-Id` and `x-msh-trace-id`, stay.
    AccountHeaders => "account_headers",
    /// Names the model as the client did, where
    /// [`MoonshotCompat`](crate::MoonshotCompat) replaced an alias: clients compare
    /// names and look up prices by them (judgement). Other names stay.
    Model => "model",
    /// Gives `usage` where OpenAI has it. Moonshot puts it into `choices[0].usage` of
    /// the chunk with the `finish_reason` (documented).
    ///
    /// If the client asked for it with `stream_options.include_usage`, and no chunk has
    /// it at its top, it is repeated in a chunk with `choices: []` before `[DONE]`. The
    /// chunk that has it keeps its bytes. A client that didn't ask gets no such chunk,
    /// as many clients fail on empty `choices`. A JSON answer without `usage` gets that
    /// of its choice (judgement). With several choices nothing is inserted: Moonshot
    /// reports no total then.
    Usage => "usage",
    /// Repeats `usage.cached_tokens` (documented) in
    /// `usage.prompt_tokens_details.cached_tokens`, where OpenAI's clients look for
    /// it and Moonshot sometimes has nothing (live reports).
    CachedTokens => "cached_tokens",
    /// Makes fragments of tool calls ones that clients put together: a missing or null
    /// `index` is filled in, a name that arrives in pieces is sent whole, in the first
    /// fragment, and only the first fragment of a call has an id (live reports). To
    /// see whether a name is whole, the fragment with a name waits for the next chunk
    /// of its choice, unless its arguments have begun.
    ToolCalls => "tool_calls",
    /// Gives an error in a stream, or in a JSON answer, OpenAI's shape,
    /// `{"error":{"message":…,"type":…}}`. Errors in mid-stream are known from live
    /// reports; other shapes than OpenAI's are a judgement. Members beside `error` stay.
    Error => "error",
    /// Ends a stream that breaks off with an error event: one without `[DONE]`, without
    /// an error, and with a choice that has no `finish_reason`, or without any (live
    /// reports). Clients take a stream that merely ends for a complete answer.
    End => "end",
}

impl fmt::Display for ResponseRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which rules are on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// One bit for each rule that is switched off.
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

    /// Whether any rule that is on needs to read a body.
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
