//! Model ids: the patterns of the table, versions and provider prefixes.

use std::ops::RangeInclusive;

/// A pattern for model ids. Case is ignored.
#[derive(Debug, PartialEq)]
pub(super) enum Ids {
    /// Ids that start with this text, which is in lower case.
    StartWith(&'static str),
    /// `kimi-k`, followed by a number in this range.
    Generation(RangeInclusive<u32>),
    /// `kimi-k2.`, followed by a number in this range.
    K2(RangeInclusive<u32>),
}

impl Ids {
    /// Whether an id matches the pattern.
    pub(super) fn contain(&self, id: &Id<'_>) -> bool {
        let is_in = |number: Option<u32>, range: &RangeInclusive<u32>| {
            number.is_some_and(|number| range.contains(&number))
        };
        match self {
            Self::StartWith(prefix) => after_prefix(id.text, prefix).is_some(),
            Self::Generation(range) => is_in(id.generation, range),
            Self::K2(range) => is_in(id.k2, range),
        }
    }
}

/// The id of a model, with its version numbers.
pub(super) struct Id<'a> {
    text: &'a [u8],
    /// The number after `kimi-k`.
    generation: Option<u32>,
    /// The number after `kimi-k2.`.
    k2: Option<u32>,
}

impl<'a> Id<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        let after = after_prefix(text, "kimi-k").unwrap_or_default();
        Self {
            text,
            generation: leading_number(after),
            k2: after.strip_prefix(b"2.").and_then(leading_number),
        }
    }
}

/// Parses the decimal number at the start of a text. Too large numbers become `u32::MAX`.
fn leading_number(text: &[u8]) -> Option<u32> {
    let digits = text.iter().map_while(|&byte| char::from(byte).to_digit(10));
    digits.fold(None, |number: Option<u32>, digit| {
        Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit))
    })
}

/// Provider prefixes that other programs add to Moonshot's model ids.
const PREFIXES: [&str; 2] = ["moonshot/", "moonshotai/"];

/// Returns the length in bytes of the provider prefixes of an id: `moonshot/` and
/// `moonshotai/`, also repeated. At least one byte of the id always remains.
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

/// Strips a prefix that is in lower case, ignoring ASCII case.
fn after_prefix<'a>(id: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let (start, rest) = id.split_at_checked(prefix.len())?;
    // A loop instead of `eq_ignore_ascii_case`, because most ids differ in the first
    // byte.
    let mut pairs = start.iter().zip(prefix.bytes());
    pairs
        .all(|(byte, lower)| byte.to_ascii_lowercase() == lower)
        .then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

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
