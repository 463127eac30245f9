//! Model families: ids with a common prefix, which Moonshot treats alike.

/// Ids that are or were on sale. Every family has at least one.
pub(super) const CATALOGUE: [&str; 22] = [
    "k3",
    "k3-256k",
    "kimi-for-coding",
    "kimi-for-coding-highspeed",
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

/// A group of models that share their rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    K3,
    /// K2.8 and Kimi Code, whose `kimi-for-coding` is K2.8.
    K28,
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
            return Self::K28;
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
                Some(7) => Self::K27,
                Some(8..) => Self::K28,
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    /// Whether each sampling parameter has a single accepted value.
    pub(super) fn fixes_sampling(self) -> bool {
        matches!(
            self,
            Self::K3 | Self::K28 | Self::K27 | Self::K26 | Self::K25
        )
    }

    /// Whether content may be a list of parts that are all text. Moonshot's own
    /// client sends such lists to the newer models.
    pub(super) fn takes_text_parts(self) -> bool {
        self.fixes_sampling()
    }

    pub(super) fn thinks(self) -> Thinks {
        match self {
            Self::K27 | Self::K2Thinking => Thinks::Always,
            Self::K3 | Self::K28 | Self::K26 | Self::K25 => Thinks::ByDefault,
            Self::K2Preview | Self::V1 | Self::Unknown => Thinks::Never,
        }
    }
}

/// Splits off a leading decimal number. One that is too large to represent is
/// the largest possible number.
fn number(text: &str) -> (Option<u32>, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let value = digits.bytes().fold(0_u32, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    });
    ((end > 0).then_some(value), rest)
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
            ("kimi-k10", Family::K3),
            ("kimi-k25", Family::K3),
            ("kimi-k32-turbo", Family::K3),
            ("kimi-k4294967298", Family::K3),
            ("k3-code", Family::K3),
            ("K3-256k", Family::K3),
            ("kimi-for-coding", Family::K28),
            ("Kimi-For-Coding-highspeed", Family::K28),
            ("kimi-k2.8-preview", Family::K28),
            ("kimi-k2.10-highspeed", Family::K28),
            ("kimi-k2.50", Family::K28),
            ("kimi-k2.4294967301", Family::K28),
            ("kimi-k2.7", Family::K27),
            ("kimi-k2.7-code", Family::K27),
            ("kimi-k2.6", Family::K26),
            ("kimi-k2.5-turbo", Family::K25),
            ("kimi-k2-thinking-turbo", Family::K2Thinking),
            ("kimi-k2-0905-preview", Family::K2Preview),
            ("moonshot-v1-8k", Family::V1),
            ("kimi-latest", Family::V1),
            ("kimi-thinking-preview", Family::V1),
            ("kimi-k2", Family::Unknown),
            ("kimi-k2.", Family::Unknown),
            ("kimi-k2.1", Family::Unknown),
            ("kimi-k1.5", Family::Unknown),
            ("kimi-k0", Family::Unknown),
            ("kimi-k", Family::Unknown),
            ("gpt-4o", Family::Unknown),
            ("moonshot/kimi-k3", Family::Unknown),
            ("", Family::Unknown),
        ] {
            assert_eq!(Family::of(id), family, "{id}");
        }
    }

    #[test]
    fn every_id_of_the_catalogue_has_a_family() {
        for id in CATALOGUE {
            assert_ne!(Family::of(id), Family::Unknown, "{id}");
        }
    }
}
