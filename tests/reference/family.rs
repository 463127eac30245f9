//! The families of models.

use super::{Object, get};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Family {
    /// K3 on the open platform, and later generations.
    K3,
    /// K3 of the coding subscription, whose ids leave out `kimi-`.
    CodeK3,
    /// `kimi-for-coding`, K2.8 and later versions of K2.
    K28,
    K27,
    K26,
    K25,
    K2Thinking,
    V1,
    /// K2 previews and unknown ids.
    Other,
}

impl Family {
    /// The family of an id. Ids are matched by prefix, ignoring case.
    pub(super) fn of(id: &str) -> Self {
        let id = without_prefixes(id).to_ascii_lowercase();
        let starts = |prefix: &str| id.starts_with(prefix);
        let version = |prefix: &str| id.strip_prefix(prefix).and_then(leading_number);
        match (version("kimi-k"), version("kimi-k2.")) {
            (Some(3..), _) => Self::K3,
            (_, Some(8..)) => Self::K28,
            (_, Some(7)) => Self::K27,
            (_, Some(6)) => Self::K26,
            (_, Some(5)) => Self::K25,
            _ if starts("k3") => Self::CodeK3,
            _ if starts("kimi-for-coding") => Self::K28,
            _ if starts("kimi-k2-thinking") => Self::K2Thinking,
            _ if starts("moonshot-v1") => Self::V1,
            _ if starts("kimi-latest") || starts("kimi-thinking-preview") => Self::V1,
            _ => Self::Other,
        }
    }

    pub(super) fn is_k3(self) -> bool {
        matches!(self, Self::K3 | Self::CodeK3)
    }

    /// Whether each sampling parameter is accepted at one value only.
    pub(super) fn is_fixed(self) -> bool {
        self.is_k3() || matches!(self, Self::K28 | Self::K27 | Self::K26 | Self::K25)
    }

    /// Whether `"disabled"` is known to take effect.
    pub(super) fn can_switch_thinking(self) -> bool {
        matches!(self, Self::K28 | Self::K26 | Self::K25)
    }

    pub(super) fn thinks(self, request: &Object) -> bool {
        match self {
            Self::K27 | Self::K2Thinking => true,
            Self::V1 | Self::Other => false,
            _ => get(request, "thinking")["type"] != "disabled",
        }
    }
}

/// The number at the start of a text. A number that is too large becomes the maximum.
fn leading_number(text: &str) -> Option<u32> {
    let digits = text.split(|letter: char| !letter.is_ascii_digit()).next()?;
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(u32::MAX))
}

/// Returns an id without its prefixes `moonshot/` and `moonshotai/`, also repeated ones.
/// If nothing else is left, the last prefix stays.
pub(super) fn without_prefixes(id: &str) -> &str {
    for prefix in ["moonshot/", "moonshotai/"] {
        if let Some((start, rest)) = id.split_at_checked(prefix.len()) {
            if start.eq_ignore_ascii_case(prefix) && !rest.is_empty() {
                return without_prefixes(rest);
            }
        }
    }
    id
}
