//! The table of model families and what each of them accepts.
//!
//! Ids are matched by prefix and version, never exactly, because dated and suffixed ids
//! (`…-0905-preview`, `…-highspeed`) come and go. A new model of a known family therefore
//! needs no change. A new family is one row of [`FAMILIES`].
//!
//! Each fact has one of these grades:
//!
//! - *Documented*: Moonshot's documentation says so.
//! - *Vendor's suite*: the tests require it by which Moonshot judges other hosts of its
//!   models.
//! - *Vendor's client*: Moonshot's own client does it.
//! - *Live report*: somebody recorded an answer of the API.
//! - *Judgement*: there is no source.

mod ids;

pub(crate) use self::ids::provider_prefix;
use self::ids::{Id, Ids};

/// A family of models, and what they accept.
#[derive(Debug, PartialEq)]
pub(crate) struct Family {
    /// Part of the keys of remembered thoughts, which outlive a version of this crate:
    /// a name never changes.
    #[cfg_attr(not(feature = "reasoning-memory"), allow(dead_code))]
    pub(crate) name: &'static str,
    ids: &'static [Ids],
    pub(crate) sampling: Sampling,
    pub(crate) thinking: Thinking,
    pub(crate) thinking_param: ThinkingParam,
    pub(crate) effort: Effort,
    pub(crate) forced_choice: ForcedChoice,
}

/// Which values of sampling parameters are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// Each parameter has one accepted value and may be absent. Vendor's suite; live
    /// reports (`invalid temperature: only 1 is allowed for this model`).
    Fixed,
    /// `temperature` is 0 to 1 and `n` is 1 to 5. Near temperature 0, `n` must be 1.
    /// Documented.
    Range {
        /// Whether the default temperature is 0, so that `n` above 1 requires an explicit
        /// one. The default is documented. The refusal is a judgement.
        default_is_zero: bool,
    },
}

/// Whether a model thinks before it answers. Documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// Thinking can't be disabled.
    Always,
    /// It thinks unless `thinking` is `{"type":"disabled"}`.
    Switchable,
    /// It never thinks.
    Never,
}

/// Which `thinking` objects are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThinkingParam {
    /// A `type` other than `enabled` and `disabled`. Vendor's suite.
    OnOrOff,
    /// `"type": "adaptive"`, a value of other hosts. Live reports.
    NotAdaptive,
    /// Like [`NotAdaptive`](Self::NotAdaptive), and any `keep`. Live reports
    /// (`thinking.keep is not supported by model "kimi-k2.5"`).
    NotKept,
    /// Like [`NotAdaptive`](Self::NotAdaptive), also `"type": "disabled"`, and a `keep`
    /// other than `all`. Documented.
    AlwaysKept,
    /// No refusal is known.
    Unknown,
}

impl ThinkingParam {
    /// Whether another host's switch, such as `enable_thinking: false`, can be translated
    /// to `thinking`. Moonshot ignores such a switch silently. Live reports.
    pub(crate) const fn has_foreign_switch(self) -> bool {
        matches!(self, Self::NotAdaptive | Self::NotKept)
    }
}

/// How `reasoning_effort` is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// `low`, `high` and `max` are accepted.
    Levels {
        /// Whether `none`, which is refused, is replaced by disabled thinking. If not, it
        /// is replaced by `low`. Judgement.
        none_disables: bool,
        /// Whether it is accepted beside `thinking`. If not, it is moved into `thinking`,
        /// as the vendor's client does.
        beside_thinking: bool,
    },
    /// It is ignored, and refused beside `thinking`. Live reports.
    Ignored {
        /// Whether `none` is replaced by disabled thinking. Judgement.
        none_disables: bool,
    },
    /// Only known to require a string.
    Unknown,
}

/// Which forced `tool_choice` values are accepted. Live reports
/// (`tool_choice 'required' is incompatible with thinking enabled`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForcedChoice {
    /// `"required"` is accepted. A named function is silently ignored. Vendor's suite.
    RequiredOnly,
    /// Both `"required"` and a named function are refused.
    Refused,
    /// Both are accepted while thinking is disabled, and refused while it is enabled.
    WithoutThinking,
    /// `"required"` is not supported. Nothing is known about a named function.
    Unsupported,
}

/// K3 and later generations.
///
/// It thinks unless `thinking.type` is `disabled`, and accepts `type`, `effort` and `keep`:
/// vendor's suite, vendor's client. The effort levels are documented. Treating later
/// generations like K3 is a judgement.
const K3: Family = Family {
    name: "k3",
    ids: &[Ids::Generation(3..=u32::MAX)],
    sampling: Sampling::Fixed,
    thinking: Thinking::Switchable,
    thinking_param: ThinkingParam::OnOrOff,
    effort: Effort::Levels {
        none_disables: false,
        beside_thinking: true,
    },
    forced_choice: ForcedChoice::RequiredOnly,
};

/// K3 on Kimi Code, where `thinking.type: "disabled"` takes effect. Live reports. On the
/// open platform, reports differ.
const KIMI_CODE_K3: Family = Family {
    name: "kimi-code-k3",
    ids: &[Ids::StartWith("k3")],
    effort: Effort::Levels {
        none_disables: true,
        beside_thinking: true,
    },
    ..K3
};

/// K2.8, Kimi Code's `kimi-for-coding`, and later K2 models.
///
/// `kimi-for-coding` is K2.8: documented, as cited by a model catalogue. Treating later K2
/// models like K2.8, and its forced choices like those of K2.6, are judgements.
const K2_8: Family = Family {
    name: "k2.8",
    ids: &[Ids::StartWith("kimi-for-coding"), Ids::K2(8..=u32::MAX)],
    sampling: Sampling::Fixed,
    thinking: Thinking::Switchable,
    thinking_param: ThinkingParam::NotAdaptive,
    effort: Effort::Levels {
        none_disables: true,
        beside_thinking: false,
    },
    forced_choice: ForcedChoice::WithoutThinking,
};

/// K2.7, which always thinks and always preserves thinking (documented). The treatment of
/// `reasoning_effort` is a live report.
const K2_7: Family = Family {
    name: "k2.7",
    ids: &[Ids::K2(7..=7)],
    sampling: Sampling::Fixed,
    thinking: Thinking::Always,
    thinking_param: ThinkingParam::AlwaysKept,
    effort: Effort::Ignored {
        none_disables: false,
    },
    forced_choice: ForcedChoice::Refused,
};

/// K2.6. Its thinking is documented. The rest is from the vendor's suite and live reports.
const K2_6: Family = Family {
    name: "k2.6",
    ids: &[Ids::K2(6..=6)],
    sampling: Sampling::Fixed,
    thinking: Thinking::Switchable,
    thinking_param: ThinkingParam::NotAdaptive,
    effort: Effort::Ignored {
        none_disables: true,
    },
    forced_choice: ForcedChoice::WithoutThinking,
};

/// K2.5, which is like K2.6 but rejects `thinking.keep`. Live reports.
const K2_5: Family = Family {
    name: "k2.5",
    ids: &[Ids::K2(5..=5)],
    thinking_param: ThinkingParam::NotKept,
    ..K2_6
};

/// K2 Thinking, retired in May 2026. Documented.
const K2_THINKING: Family = Family {
    name: "k2-thinking",
    ids: &[Ids::StartWith("kimi-k2-thinking")],
    thinking: Thinking::Always,
    ..K2_PREVIEW
};

/// The other K2 previews, retired in May 2026. Documented.
const K2_PREVIEW: Family = Family {
    name: "k2-preview",
    ids: &[Ids::StartWith("kimi-k2-")],
    sampling: Sampling::Range {
        default_is_zero: false,
    },
    thinking: Thinking::Never,
    thinking_param: ThinkingParam::Unknown,
    effort: Effort::Unknown,
    forced_choice: ForcedChoice::Unsupported,
};

/// V1, retired in August 2026 (documented). `kimi-latest` still answered on 2026-08-20
/// (live report).
const V1: Family = Family {
    name: "v1",
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

/// All other ids, which are treated like the K2 previews. Judgement.
static UNKNOWN: Family = Family {
    name: "unknown",
    ids: &[],
    ..K2_PREVIEW
};

/// The table. The first row that matches an id wins.
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
    /// Returns the family of ids that no row matches.
    pub(crate) fn unknown() -> &'static Self {
        &UNKNOWN
    }

    /// Returns the family of a model id, with or without provider prefixes.
    pub(crate) fn of(id: impl AsRef<[u8]>) -> &'static Self {
        let id = id.as_ref();
        let id = Id::new(&id[provider_prefix(id)..]);
        FAMILIES
            .iter()
            .find(|family| family.ids.iter().any(|ids| ids.contain(&id)))
            .unwrap_or(&UNKNOWN)
    }
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
}
