//! What Moonshot's models have in common, by the beginnings of their ids.

/// Ids that were or are on sale, at least one of every family.
pub(super) const CATALOGUE: [&str; 20] = [
    "k3",
    "kimi-for-coding",
    "kimi-k2-0711-preview",
    "kimi-k2-0905-preview",
    "kimi-k2-thinking",
    "kimi-k2-thinking-turbo",
    "kimi-k2-turbo-preview",
    "kimi-k2.5",
    "kimi-k2.6",
    "kimi-k2.7",
    "kimi-k3",
    "kimi-latest",
    "kimi-thinking-preview",
    "moonshot-v1-8k",
    "moonshot-v1-8k-vision-preview",
    "moonshot-v1-32k",
    "moonshot-v1-32k-vision-preview",
    "moonshot-v1-128k",
    "moonshot-v1-128k-vision-preview",
    "moonshot-v1-auto",
];

/// Models that Moonshot treats alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    K3,
    K27,
    K26,
    K25,
    K2Thinking,
    K2Preview,
    V1,
    Unknown,
}

/// Whether a family thinks before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinks {
    Always,
    /// Unless the request disables it.
    ByDefault,
    Never,
}

impl Family {
    pub(super) fn of(model: &str) -> Self {
        let model = model.to_ascii_lowercase();
        let has = |prefix| model.starts_with(prefix);
        if has("moonshot-v1") || has("kimi-latest") || has("kimi-thinking-preview") {
            return Self::V1;
        }
        if has("kimi-for-coding") {
            return Self::K27;
        }
        if has("k3") {
            return Self::K3;
        }
        let Some(version) = model.strip_prefix("kimi-k") else {
            return Self::Unknown;
        };
        let (major, rest) = number(version);
        match major {
            Some(3..) => Self::K3,
            Some(2) if rest.starts_with("-thinking") => Self::K2Thinking,
            Some(2) if rest.starts_with('-') => Self::K2Preview,
            Some(2) => match rest.strip_prefix('.').and_then(|rest| number(rest).0) {
                Some(5) => Self::K25,
                Some(6) => Self::K26,
                Some(7..) => Self::K27,
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    /// Whether the sampling parameters have one accepted value each.
    pub(super) fn fixes_sampling(self) -> bool {
        matches!(self, Self::K3 | Self::K27 | Self::K26 | Self::K25)
    }

    pub(super) fn thinks(self) -> Thinks {
        match self {
            Self::K3 | Self::K27 | Self::K2Thinking => Thinks::Always,
            Self::K26 | Self::K25 => Thinks::ByDefault,
            Self::K2Preview | Self::V1 | Self::Unknown => Thinks::Never,
        }
    }
}

/// Splits off a leading number.
fn number(text: &str) -> (Option<u32>, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (text[..end].parse().ok(), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::{CATALOGUE, Family};

    #[test]
    fn an_id_belongs_to_a_family_by_its_beginning() {
        for (id, family) in [
            ("kimi-k3", Family::K3),
            ("kimi-k3.1-pro", Family::K3),
            ("Kimi-K3-2026-10-01", Family::K3),
            ("kimi-k4", Family::K3),
            ("k3-code", Family::K3),
            ("kimi-k2.7", Family::K27),
            ("kimi-k2.10-highspeed", Family::K27),
            ("kimi-for-coding-highspeed", Family::K27),
            ("kimi-k2.6", Family::K26),
            ("kimi-k2.5-turbo", Family::K25),
            ("kimi-k2-thinking-turbo", Family::K2Thinking),
            ("kimi-k2-0905-preview", Family::K2Preview),
            ("moonshot-v1-8k", Family::V1),
            ("kimi-latest", Family::V1),
            ("kimi-thinking-preview", Family::V1),
            ("kimi-k2.1", Family::Unknown),
            ("kimi-k1.5", Family::Unknown),
            ("kimi-k", Family::Unknown),
            ("kimi-k99999999999", Family::Unknown),
            ("gpt-4o", Family::Unknown),
            ("moonshot/kimi-k3", Family::Unknown),
            ("", Family::Unknown),
        ] {
            assert_eq!(Family::of(id), family, "{id}");
        }
    }

    #[test]
    fn no_id_of_the_catalogue_is_unknown() {
        for id in CATALOGUE {
            assert_ne!(Family::of(id), Family::Unknown, "{id}");
        }
    }
}
