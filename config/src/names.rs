//! The names of models in the configuration, and which of them a request asks for.

use std::{borrow::Cow, collections::HashMap};

use crate::config::Entry;

/// Something for each configured name. A `*` in a name matches any text.
#[derive(Clone, Debug)]
pub struct Names<T> {
    exact: HashMap<String, T>,
    /// Sorted by length, the longest and so most specific first.
    wildcards: Vec<(String, T)>,
}

impl<T> Names<T> {
    /// Takes names that differ from one another. Of wildcards of equal length, the first
    /// one given wins.
    pub fn new(names: impl IntoIterator<Item = (String, T)>) -> Self {
        let (mut wildcards, exact): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|(name, _)| name.contains('*'));
        wildcards.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Self {
            exact: exact.into_iter().collect(),
            wildcards,
        }
    }

    /// Returns what belongs to the name that is equal to `asked`, else to the most
    /// specific wildcard that matches it.
    #[must_use]
    pub fn find(&self, asked: &str) -> Option<&T> {
        self.find_where(asked, |_| true)
    }

    /// The same among the names for whose values `is_eligible` returns `true`.
    pub fn find_where(&self, asked: &str, is_eligible: impl Fn(&T) -> bool) -> Option<&T> {
        let exact = self.exact.get(asked).filter(|found| is_eligible(found));
        exact.or_else(|| {
            let mut wildcards = self.wildcards.iter();
            let (_, found) = wildcards
                .find(|(name, found)| starred(name, asked).is_some() && is_eligible(found))?;
            Some(found)
        })
    }

    /// Returns what belongs to the names, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        let wildcards = self.wildcards.iter().map(|(_, value)| value);
        self.exact.values().chain(wildcards)
    }
}

/// Returns Moonshot's id for the model that a request asked for as `asked`, by an entry
/// with this `name` and `model`; `None` if the id is what was asked for.
#[must_use]
pub fn target<'a>(name: &str, model: &'a str, asked: &str) -> Option<Cow<'a, str>> {
    match starred(name, asked) {
        Some(part) => Some(model.replacen('*', part, 1).into()),
        None if !model.contains('*') => Some(model.into()),
        None => None,
    }
}

impl Entry {
    /// Returns Moonshot's id for the model that a request asked for as `asked`; `None` if
    /// the id is what was asked for.
    #[must_use]
    pub fn target(&self, asked: &str) -> Option<Cow<'_, str>> {
        target(&self.name, &self.model, asked)
    }
}

/// Returns the part of `name` that matches `*` in `pattern`; `None` if they differ.
fn starred<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let (before, after) = pattern.split_once('*')?;
    name.strip_prefix(before)?.strip_suffix(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equal_name_wins_then_the_longest_wildcard() {
        let names = ["*", "kimi-*", "kimi-k3", "*-k3"].map(|name| (name.to_owned(), name));
        let names = Names::new(names);
        for (asked, found) in [
            ("kimi-k3", "kimi-k3"),
            ("kimi-k2", "kimi-*"),
            ("kimi-", "kimi-*"),
            ("my-k3", "*-k3"),
            ("gpt", "*"),
            ("", "*"),
        ] {
            assert_eq!(names.find(asked), Some(&found), "{asked}");
        }
        for (asked, found) in [("kimi-k3", Some(&"kimi-*")), ("gpt", None)] {
            let eligible = names.find_where(asked, |name| *name == "kimi-*");
            assert_eq!(eligible, found, "{asked}");
        }
        assert_eq!(names.values().count(), 4);
        let names = Names::new([("a*".to_owned(), ())]);
        assert_eq!(names.find("b"), None);
    }

    #[test]
    fn the_star_carries_text_over() {
        for (name, model, asked, expected) in [
            ("fast", "kimi-k3", "fast", Some("kimi-k3")),
            ("my-*", "kimi-*", "my-k3", Some("kimi-k3")),
            ("my-*", "kimi-k3", "my-own", Some("kimi-k3")),
            ("*", "*", "kimi-k3", Some("kimi-k3")),
        ] {
            assert_eq!(target(name, model, asked).as_deref(), expected, "{name}");
        }
    }
}
