//! The model families and what each of them accepts: one table.
//!
//! A new model of a known family needs nothing. A new family is one row of
//! [`FAMILIES`]. Ids are matched by prefix and version, never exactly: dated and
//! suffixed ids (`…-0905-preview`, `…-highspeed`) come and go.

use std::ops::RangeInclusive;

/// What a family makes of the parameters of a request.
#[derive(Debug)]
pub(crate) struct Family {
    /// The ids, any of these, matched from their start.
    ids: &'static [Id],
    pub(crate) sampling: Sampling,
    pub(crate) thinking: Thinking,
    pub(crate) forced_choice: ForcedChoice,
    pub(crate) thinking_param: ThinkingParam,
    pub(crate) effort: Effort,
}

/// Which sampling parameters are accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sampling {
    /// Each at one value only, or absent. Live reports, with verbatim errors
    /// (`invalid temperature: only 1 is allowed for this model`).
    Fixed {
        temperature: f64,
        temperature_without_thinking: f64,
    },
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
    /// On, unless `thinking` is `{"type":"disabled"}`.
    Switchable,
    Never,
}

/// Which values of `tool_choice` that force a call are taken as they are. Live
/// reports (`tool_choice 'required' is incompatible with thinking enabled`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForcedChoice {
    /// `"required"` is, a named function is refused.
    RequiredOnly,
    /// Neither is.
    Refused,
    /// Both are while thinking is disabled, neither while it is on.
    WithoutThinking,
    /// `"required"` is not supported. For a named function nothing is reported.
    Unsupported,
}

/// What is refused in the `thinking` object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThinkingParam {
    /// Nothing that is known.
    Any,
    /// `type`, because thinking is always on and has levels instead.
    NoType,
    /// `"type": "disabled"`.
    NotDisabled,
    /// `keep`.
    NoKeep,
}

/// What becomes of `reasoning_effort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// It has the levels low, high and max, and can't stand beside `thinking`.
    Levels,
    /// Ignored, but can't stand beside `thinking`; `none` is refused.
    IgnoredButNone,
    /// Ignored, but can't stand beside `thinking`; `none` means to disable it.
    NoneDisables,
    /// Nothing is known but that it has to be a string.
    Unknown,
}

/// `kimi-k3` and whatever comes after it. That later generations behave like it
/// is a judgement.
const K3: Family = Family {
    ids: &[Id::prefix("kimi-k3"), Id::versions("kimi-k", 3..=9)],
    sampling: Sampling::Fixed {
        temperature: 1.0,
        temperature_without_thinking: 1.0,
    },
    thinking: Thinking::Always,
    forced_choice: ForcedChoice::RequiredOnly,
    thinking_param: ThinkingParam::NoType,
    effort: Effort::Levels,
};

/// K2.7 and later K2 minor versions, which is a judgement as with K3.
const K2_7: Family = Family {
    ids: &[Id::prefix("kimi-k2.7"), Id::versions("kimi-k2.", 7..=99)],
    sampling: Sampling::Fixed {
        temperature: 1.0,
        temperature_without_thinking: 1.0,
    },
    thinking: Thinking::Always,
    forced_choice: ForcedChoice::Refused,
    thinking_param: ThinkingParam::NotDisabled,
    effort: Effort::IgnoredButNone,
};

const K2_6: Family = Family {
    ids: &[Id::prefix("kimi-k2.6")],
    sampling: Sampling::Fixed {
        temperature: 1.0,
        temperature_without_thinking: 0.6,
    },
    thinking: Thinking::Switchable,
    forced_choice: ForcedChoice::WithoutThinking,
    thinking_param: ThinkingParam::Any,
    effort: Effort::NoneDisables,
};

/// The ids of Kimi Code accept temperature 0.6 where the platform's accept 1.
const KIMI_CODE: Sampling = Sampling::Fixed {
    temperature: 0.6,
    temperature_without_thinking: 0.6,
};

/// Retired in May 2026.
const K2_PREVIEW: Family = Family {
    ids: &[Id::prefix("kimi-k2-")],
    sampling: Sampling::Range {
        default_is_zero: false,
    },
    thinking: Thinking::Never,
    forced_choice: ForcedChoice::Unsupported,
    thinking_param: ThinkingParam::Any,
    effort: Effort::Unknown,
};

/// Whatever no row knows: treated like the models that Moonshot documents for
/// its OpenAI-compatible endpoint.
static UNKNOWN: Family = Family {
    ids: &[],
    ..K2_PREVIEW
};

/// The first row that has the id wins.
static FAMILIES: &[Family] = &[
    K3,
    Family {
        ids: &[Id::prefix("k3"), Id::versions("k", 3..=9)],
        sampling: KIMI_CODE,
        ..K3
    },
    Family {
        ids: &[Id::prefix("kimi-for-coding")],
        sampling: KIMI_CODE,
        ..K2_7
    },
    K2_6,
    Family {
        ids: &[Id::prefix("kimi-k2.5")],
        thinking_param: ThinkingParam::NoKeep,
        ..K2_6
    },
    K2_7,
    // Retired in May 2026.
    Family {
        ids: &[Id::prefix("kimi-k2-thinking")],
        thinking: Thinking::Always,
        ..K2_PREVIEW
    },
    K2_PREVIEW,
    // Retired in August 2026; `kimi-latest` still answered on 2026-08-20.
    Family {
        ids: &[
            Id::prefix("moonshot-v1"),
            Id::prefix("kimi-latest"),
            Id::prefix("kimi-thinking-preview"),
        ],
        sampling: Sampling::Range {
            default_is_zero: true,
        },
        ..K2_PREVIEW
    },
];

impl Family {
    /// What is assumed of a model that nobody knows.
    pub(crate) fn unknown() -> &'static Self {
        &UNKNOWN
    }

    /// The family of a model id, which may carry a provider prefix.
    pub(crate) fn of(id: impl AsRef<[u8]>) -> &'static Self {
        let id = &id.as_ref()[provider_prefix(&id)..];
        let start = Start::of(id);
        FAMILIES
            .iter()
            .find(|family| family.ids.iter().any(|ids| ids.contain(start, id)))
            .unwrap_or_else(Self::unknown)
    }
}

/// Ids that belong to a row: whatever starts like this, in any case.
#[derive(Debug)]
struct Id {
    start: Start,
    mask: Start,
    length: usize,
    /// If set, a number in this range has to follow, and no digit behind it.
    versions: Option<RangeInclusive<u32>>,
}

impl Id {
    const fn prefix(prefix: &str) -> Self {
        let prefix = prefix.as_bytes();
        assert!(prefix.len() <= Start::LENGTH);
        let mut mask = [0; Start::LENGTH];
        let mut at = 0;
        while at < prefix.len() {
            // A letter's case is one bit.
            mask[at] = if prefix[at].is_ascii_alphabetic() {
                !0x20
            } else {
                0xff
            };
            at += 1;
        }
        let mask = Start::of(&mask);
        Self {
            start: Start::of(prefix).masked(mask),
            mask,
            length: prefix.len(),
            versions: None,
        }
    }

    const fn versions(prefix: &str, versions: RangeInclusive<u32>) -> Self {
        Self {
            versions: Some(versions),
            ..Self::prefix(prefix)
        }
    }

    /// Whether `id`, which starts with `start`, is one of these.
    fn contain(&self, start: Start, id: &[u8]) -> bool {
        start.masked(self.mask).is(self.start)
            && self.versions.as_ref().is_none_or(|versions| {
                version(&id[self.length..]).is_some_and(|number| versions.contains(&number))
            })
    }
}

/// The number that `rest` starts with.
fn version(rest: &[u8]) -> Option<u32> {
    let digits = rest.iter().map_while(|byte| char::from(*byte).to_digit(10));
    digits.fold(None, |number: Option<u32>, digit| {
        Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit))
    })
}

/// The first bytes of an id, then zeros. As words, because every request looks
/// through the table, and words are compared without a loop.
#[derive(Clone, Copy, Debug)]
struct Start([u64; 3]);

impl Start {
    const LENGTH: usize = 24;

    const fn of(id: &[u8]) -> Self {
        Self([word(id, 0), word(id, 8), word(id, 16)])
    }

    const fn masked(self, mask: Self) -> Self {
        let ([a, b, c], [x, y, z]) = (self.0, mask.0);
        Self([a & x, b & y, c & z])
    }

    /// Whether these are the same bytes. `==` on arrays would put both into memory.
    const fn is(self, other: Self) -> bool {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        (a ^ x) | (b ^ y) | (c ^ z) == 0
    }
}

/// Up to eight bytes, the first one lowest.
const fn word(bytes: &[u8], from: usize) -> u64 {
    if bytes.len() <= from {
        return 0;
    }
    let (_, rest) = bytes.split_at(from);
    if let Some(eight) = rest.first_chunk() {
        return u64::from_le_bytes(*eight);
    }
    if let (Some(first), Some(last)) = (rest.first_chunk(), rest.last_chunk()) {
        // Two halves, which may overlap.
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return first as u64 | (last as u64) << (8 * (rest.len() - 4));
    }
    let mut word = 0;
    let mut at = rest.len();
    while at > 0 {
        at -= 1;
        word = word << 8 | rest[at] as u64;
    }
    word
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

    fn same(id: &str, family: &Family) -> bool {
        let found = Family::of(id);
        found.sampling == family.sampling
            && found.thinking == family.thinking
            && found.forced_choice == family.forced_choice
            && found.thinking_param == family.thinking_param
            && found.effort == family.effort
    }

    #[test]
    fn ids_of_the_next_models_find_their_family() {
        for id in [
            "kimi-k3",
            "kimi-k3.1-pro",
            "kimi-k32-chat",
            "kimi-k4",
            "Kimi-K3-0905",
            "moonshot/kimi-k3",
        ] {
            assert!(same(id, &K3), "{id}");
        }
        for id in [
            "kimi-k2.7",
            "kimi-k2.7-highspeed",
            "kimi-k2.8",
            "kimi-k2.10-pro",
        ] {
            assert!(same(id, &K2_7), "{id}");
        }
        for id in ["kimi-k2.6", "moonshotai/Kimi-K2.6-preview"] {
            assert!(same(id, &K2_6), "{id}");
        }
        for id in ["k3", "k3-turbo", "kimi-for-coding", "kimi-for-coding-v2"] {
            assert_eq!(Family::of(id).sampling, KIMI_CODE, "{id}");
        }
        assert_eq!(
            Family::of("kimi-k2.5").thinking_param,
            ThinkingParam::NoKeep
        );
        assert_eq!(
            Family::of("kimi-k2-thinking-turbo").thinking,
            Thinking::Always
        );
        assert!(same("kimi-k2-0905-preview", &K2_PREVIEW));
        for id in [
            "moonshot-v1-8k-vision-preview",
            "kimi-latest-8k",
            "KIMI-LATEST",
        ] {
            assert_eq!(
                Family::of(id).sampling,
                Sampling::Range {
                    default_is_zero: true
                },
                "{id}"
            );
        }
    }

    #[test]
    fn other_ids_are_unknown() {
        for id in [
            "",
            "gpt-4o",
            " kimi-k3",
            "kimi-k",
            "kimi-k25",
            "kimi k2.5",
            "openai/kimi-k3",
            "月之暗面",
        ] {
            assert!(same(id, &UNKNOWN), "{id}");
        }
    }

    #[test]
    fn provider_prefixes_may_stand_several_times_but_not_alone() {
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
