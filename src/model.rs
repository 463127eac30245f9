//! The model families and what each of them accepts: one table.
//!
//! A new model of a known family needs nothing. A new family is one row of
//! [`FAMILIES`]. Ids are matched by prefix and version, never exactly: dated and
//! suffixed ids (`…-0905-preview`, `…-highspeed`) come and go.
//!
//! What is said of a family is *documented* by Moonshot, required by the *vendor's
//! suite* for hosts of its models, what the *vendor's client* does, a *live report*
//! (an answer that somebody recorded), or a *judgement*.

use std::ops::RangeInclusive;

/// What the models of a family accept.
#[derive(Debug, PartialEq)]
pub(crate) struct Family {
    ids: &'static [Ids],
    pub(crate) sampling: Sampling,
    pub(crate) thinking: Thinking,
    pub(crate) thinking_param: ThinkingParam,
    pub(crate) effort: Effort,
    pub(crate) forced_choice: ForcedChoice,
}

/// Which sampling parameters are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// Each at one value only, or absent. Vendor's suite, and live reports with
    /// verbatim errors (`invalid temperature: only 1 is allowed for this model`).
    Fixed,
    /// Temperature from 0 to 1, `n` from 1 to 5, but one answer only near
    /// temperature 0. Documented.
    Range {
        /// The default temperature is 0, so that several answers need another
        /// one. The default is documented, the refusal a judgement.
        default_is_zero: bool,
    },
}

/// Whether a model thinks before it answers. Documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thinking {
    Always,
    /// Unless `thinking` is `{"type":"disabled"}`.
    Switchable,
    Never,
}

/// What is refused in the `thinking` object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThinkingParam {
    /// Any `type` but `enabled` and `disabled`. Vendor's suite.
    OnOrOff,
    /// `"type": "adaptive"`, which other hosts have. Live reports.
    NotAdaptive,
    /// As [`NotAdaptive`](Self::NotAdaptive), and `keep`. Live reports
    /// (`thinking.keep is not supported by model "kimi-k2.5"`).
    NotKept,
    /// As [`NotAdaptive`](Self::NotAdaptive), and `"type": "disabled"`, and any
    /// `keep` but `all`. Documented.
    AlwaysKept,
    /// Nothing that is known.
    Unknown,
}

impl ThinkingParam {
    /// Whether a switch of another host's (`enable_thinking: false`) can be put in
    /// this model's terms. Live reports: Moonshot ignores it without a word.
    pub(crate) const fn has_foreign_switch(self) -> bool {
        matches!(self, Self::NotAdaptive | Self::NotKept)
    }
}

/// What `reasoning_effort` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// The levels low, high and max.
    Levels {
        /// What `none`, which is refused, stands for: no thinking at all, or
        /// else the level low. Judgement.
        none_disables: bool,
        /// Whether it is accepted beside `thinking`. If not, it is moved into it,
        /// which is what the vendor's client does.
        beside_thinking: bool,
    },
    /// Nothing, and it is refused beside `thinking`. Live reports.
    Ignored {
        /// Whether `none` can mean to disable thinking. Judgement.
        none_disables: bool,
    },
    /// Nothing is known but that it has to be a string.
    Unknown,
}

/// Which forced values of `tool_choice` are accepted. Live reports
/// (`tool_choice 'required' is incompatible with thinking enabled`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForcedChoice {
    /// `"required"` is; a named function is ignored. Vendor's suite.
    RequiredOnly,
    /// Neither `"required"` nor a named function.
    Refused,
    /// Both while thinking is disabled, neither while it is on.
    WithoutThinking,
    /// `"required"` is not supported. Of a named function nothing is reported.
    Unsupported,
}

/// K3. That it thinks unless `thinking.type` is `disabled`, and takes `type`,
/// `effort` and `keep`: vendor's suite and client. The levels: documented. That
/// later generations behave like it is a judgement.
const K3: Family = Family {
    ids: &[Ids::Version("kimi-k", 3..=u32::MAX)],
    sampling: Sampling::Fixed,
    thinking: Thinking::Switchable,
    thinking_param: ThinkingParam::OnOrOff,
    effort: Effort::Levels {
        none_disables: false,
        beside_thinking: true,
    },
    forced_choice: ForcedChoice::RequiredOnly,
};

/// K3 on Kimi Code, where thinking can be disabled for sure: live reports.
const KIMI_CODE_K3: Family = Family {
    ids: &[Ids::StartWith("k3")],
    effort: Effort::Levels {
        none_disables: true,
        beside_thinking: true,
    },
    ..K3
};

/// K2.8, which is what Kimi Code's `kimi-for-coding` is: documented, by way of a
/// catalogue of models that cites Moonshot. That later K2 models behave like it,
/// and forced choices as with K2.6, are judgements.
const K2_8: Family = Family {
    ids: &[
        Ids::StartWith("kimi-for-coding"),
        Ids::Version("kimi-k2.", 8..=u32::MAX),
    ],
    sampling: Sampling::Fixed,
    thinking: Thinking::Switchable,
    thinking_param: ThinkingParam::NotAdaptive,
    effort: Effort::Levels {
        none_disables: true,
        beside_thinking: false,
    },
    forced_choice: ForcedChoice::WithoutThinking,
};

/// K2.7. That it always thinks, and keeps all of it: documented. The effort: live
/// reports.
const K2_7: Family = Family {
    ids: &[Ids::Version("kimi-k2.", 7..=7)],
    sampling: Sampling::Fixed,
    thinking: Thinking::Always,
    thinking_param: ThinkingParam::AlwaysKept,
    effort: Effort::Ignored {
        none_disables: false,
    },
    forced_choice: ForcedChoice::Refused,
};

/// K2.6. Thinking: documented. The rest: vendor's suite and live reports.
const K2_6: Family = Family {
    ids: &[Ids::Version("kimi-k2.", 6..=6)],
    sampling: Sampling::Fixed,
    thinking: Thinking::Switchable,
    thinking_param: ThinkingParam::NotAdaptive,
    effort: Effort::Ignored {
        none_disables: true,
    },
    forced_choice: ForcedChoice::WithoutThinking,
};

/// K2.5. As K2.6, but that it has no preserved thinking: live reports.
const K2_5: Family = Family {
    ids: &[Ids::Version("kimi-k2.", 5..=5)],
    thinking_param: ThinkingParam::NotKept,
    ..K2_6
};

/// K2 thinking, retired in May 2026. Documented.
const K2_THINKING: Family = Family {
    ids: &[Ids::StartWith("kimi-k2-thinking")],
    thinking: Thinking::Always,
    ..K2_PREVIEW
};

/// The other K2 previews, retired in May 2026. Documented.
const K2_PREVIEW: Family = Family {
    ids: &[Ids::StartWith("kimi-k2-")],
    sampling: Sampling::Range {
        default_is_zero: false,
    },
    thinking: Thinking::Never,
    thinking_param: ThinkingParam::Unknown,
    effort: Effort::Unknown,
    forced_choice: ForcedChoice::Unsupported,
};

/// V1, retired in August 2026; `kimi-latest` still answered on 2026-08-20 (live
/// report). Documented.
const V1: Family = Family {
    ids: &[
        Ids::StartWith("moonshot-v1"),
        Ids::StartWith("kimi-latest"),
        Ids::StartWith("kimi-thinking-preview"),
    ],
    sampling: Sampling::Range {
        default_is_zero: true,
    },
    ..K2_PREVIEW
};

/// Every other id: treated like the models that Moonshot documents for its
/// OpenAI-compatible endpoint. Judgement.
static UNKNOWN: Family = Family {
    ids: &[],
    ..K2_PREVIEW
};

/// The first row that has the id wins.
static FAMILIES: &[Family] = &[
    K3,
    KIMI_CODE_K3,
    K2_8,
    K2_7,
    K2_6,
    K2_5,
    K2_THINKING,
    K2_PREVIEW,
    V1,
];

impl Family {
    /// The family of ids that no row has.
    pub(crate) fn unknown() -> &'static Self {
        &UNKNOWN
    }

    /// The family of a model id, which may carry a provider prefix.
    pub(crate) fn of(id: impl AsRef<[u8]>) -> &'static Self {
        let id = id.as_ref();
        let id = &id[provider_prefix(id)..];
        FAMILIES
            .iter()
            .find(|family| family.ids.iter().any(|ids| ids.contain(id)))
            .unwrap_or(&UNKNOWN)
    }
}

/// Ids of one family, in any case.
#[derive(Clone, Debug, PartialEq)]
enum Ids {
    /// Those that start like this.
    StartWith(&'static str),
    /// Those that start like this and go on with a decimal number in this range.
    Version(&'static str, RangeInclusive<u32>),
}

impl Ids {
    fn contain(&self, id: &[u8]) -> bool {
        match self {
            Self::StartWith(prefix) => after_prefix(id, prefix).is_some(),
            Self::Version(prefix, versions) => after_prefix(id, prefix)
                .and_then(leading_number)
                .is_some_and(|number| versions.contains(&number)),
        }
    }
}

/// The decimal number that a text starts with; the largest one if it is larger.
fn leading_number(text: &[u8]) -> Option<u32> {
    let digits = text.iter().map_while(|&byte| char::from(byte).to_digit(10));
    digits.fold(None, |number: Option<u32>, digit| {
        Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit))
    })
}

/// What other programs put before the ids of Moonshot's models.
const PREFIXES: [&str; 2] = ["moonshot/", "moonshotai/"];

/// The length of the provider prefixes (`moonshot/`, `moonshotai/`, also several)
/// that the id starts with. An id that is nothing but prefixes has none.
pub(crate) fn provider_prefix(id: impl AsRef<[u8]>) -> usize {
    let id = id.as_ref();
    let mut rest = id;
    while let Some(shorter) = PREFIXES
        .iter()
        .find_map(|prefix| after_prefix(rest, prefix))
        .filter(|shorter| !shorter.is_empty())
    {
        rest = shorter;
    }
    id.len() - rest.len()
}

fn after_prefix<'a>(id: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let (start, rest) = id.split_at_checked(prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix.as_bytes())
        .then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_find_their_family() {
        for (family, ids) in [
            (
                &K3,
                &[
                    "kimi-k3",
                    "kimi-k3.1-pro",
                    "Kimi-K3-0905",
                    "moonshot/kimi-k3",
                    "kimi-k4",
                    "kimi-k10",
                    "kimi-k25",
                    "kimi-k32-chat",
                    "kimi-k99999999999999999999",
                ][..],
            ),
            (&KIMI_CODE_K3, &["k3", "K3-256k", "k3.1"]),
            (
                &K2_8,
                &[
                    "kimi-for-coding",
                    "Kimi-For-Coding-highspeed",
                    "kimi-k2.8-preview",
                    "kimi-k2.10-pro",
                    "kimi-k2.50",
                ],
            ),
            (&K2_7, &["kimi-k2.7", "kimi-k2.7-code", "kimi-k2.7.1"]),
            (&K2_6, &["kimi-k2.6", "moonshotai/Kimi-K2.6-preview"]),
            (&K2_5, &["kimi-k2.5", "KIMI-K2.5-0905"]),
            (
                &K2_THINKING,
                &["kimi-k2-thinking", "kimi-k2-thinking-turbo"],
            ),
            (&K2_PREVIEW, &["kimi-k2-0905-preview", "kimi-k2-turbo"]),
            (
                &V1,
                &[
                    "moonshot-v1-8k-vision-preview",
                    "kimi-latest-8k",
                    "KIMI-LATEST",
                    "kimi-thinking-preview",
                ],
            ),
            (
                &UNKNOWN,
                &[
                    "",
                    "gpt-4o",
                    " kimi-k3",
                    "kimi-k",
                    "kimi-k1.5",
                    "kimi-k2",
                    "kimi-k2.",
                    "kimi-k2.4",
                    "kimi k2.5",
                    "k2",
                    "openai/kimi-k3",
                    "月之暗面",
                ],
            ),
        ] {
            for id in ids {
                assert_eq!(Family::of(id), family, "{id}");
            }
        }
    }

    #[test]
    fn several_provider_prefixes_are_skipped_but_not_the_whole_id() {
        for (id, length) in [
            ("kimi-k3", 0),
            ("moonshot/kimi-k3", 9),
            ("moonshotai/moonshot/kimi-k3", 20),
            ("Moonshotai/Kimi-K3", 11),
            ("moonshot/", 0),
            ("moonshot/moonshot/", 9),
            ("moonshot", 0),
        ] {
            assert_eq!(provider_prefix(id), length, "{id}");
        }
    }
}
