//! The entries of the configuration, and which of them serves a request.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::Extensions;
use moonshot_config::{config::Config, names::Names};
use tower_moonshot::{ApiKey, Region, TargetModel};

/// All configured names.
#[derive(Debug)]
pub(crate) struct Entries {
    names: Names<Name>,
    /// The upstream that all entries share, if they do.
    only: Option<Upstream>,
    /// Whether no request's body has any influence on its upstream and model.
    is_one_for_all: bool,
}

/// A name and its entries, which take turns.
#[derive(Debug)]
struct Name {
    label: Arc<str>,
    entries: Vec<Entry>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Entry {
    entry: moonshot_config::config::Entry,
    upstream: Upstream,
}

/// Where requests are sent, and with which key.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    region: Region,
    api_key: Option<ApiKey>,
    /// The base URL, in logs.
    pub(crate) base: Arc<str>,
}

/// The entry for one request.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The configured name, a label of the metrics.
    pub(crate) label: Arc<str>,
    pub(crate) upstream: Upstream,
    target: Option<TargetModel>,
}

impl Entries {
    pub(crate) fn new(config: &Config) -> Self {
        let mut names: Vec<Name> = Vec::new();
        for entry in &config.entries {
            let upstream = Upstream {
                region: entry.region.clone(),
                api_key: entry.api_key.clone(),
                base: entry.region.base_url().to_string().into(),
            };
            let found = names.iter_mut().find(|name| *name.label == *entry.name);
            let entry = Entry {
                entry: entry.clone(),
                upstream,
            };
            match found {
                Some(name) => name.entries.push(entry),
                None => names.push(Name {
                    label: entry.entry.name.as_str().into(),
                    entries: vec![entry],
                    next: AtomicUsize::new(0),
                }),
            }
        }
        let mut all = names.iter().flat_map(|name| &name.entries);
        let first = all.next();
        let only = first.filter(|first| all.all(|other| other.upstream.is(&first.upstream)));
        let is_one_for_all = only.is_some()
            && matches!(&config.entries[..], [one] if one.name == "*" && one.model == "*");
        let only = only.map(|entry| entry.upstream.clone());
        let names = names.into_iter();
        Self {
            only,
            is_one_for_all,
            names: Names::new(names.map(|name| (name.label.to_string(), name))),
        }
    }

    /// Returns the upstream that all entries share, for requests without a model.
    pub(crate) const fn only(&self) -> Option<&Upstream> {
        self.only.as_ref()
    }

    /// Whether the model of a request makes no difference, so that its body need not be
    /// looked into.
    pub(crate) const fn is_one_for_all(&self) -> bool {
        self.is_one_for_all
    }

    /// Chooses the entry for a model; `None` if none is configured for it.
    pub(crate) fn choose(&self, asked: &str) -> Option<Choice> {
        let name = self.names.find(asked)?;
        let turn = name.next.fetch_add(1, Ordering::Relaxed);
        // Every name has at least one entry.
        let Entry { entry, upstream } = &name.entries[turn % name.entries.len()];
        let target = match entry.target(asked) {
            // The part that matches `*` is empty, and so is the id.
            Some(model) => Some(TargetModel::new(model).ok()?),
            None => None,
        };
        Some(Choice {
            label: Arc::clone(&name.label),
            upstream: upstream.clone(),
            target,
        })
    }
}

impl Upstream {
    fn is(&self, other: &Self) -> bool {
        self.region == other.region && self.api_key == other.api_key
    }

    /// Tells the layer, in the extensions of a request, where to send it.
    pub(crate) fn direct(&self, extensions: &mut Extensions) {
        extensions.insert(self.region.clone());
        if let Some(key) = &self.api_key {
            extensions.insert(key.clone());
        }
    }
}

impl Choice {
    /// Tells the layer, in the extensions of a request, where to send it and for which
    /// model.
    pub(crate) fn direct(&self, extensions: &mut Extensions) {
        self.upstream.direct(extensions);
        if let Some(target) = &self.target {
            extensions.insert(target.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Entries {
        Entries::new(&Config::parse(text.as_bytes(), &|_| None).unwrap())
    }

    fn target(choice: &Choice) -> Option<String> {
        choice.target.as_ref().map(|target| format!("{target:?}"))
    }

    #[test]
    fn entries_of_a_name_take_turns_and_stars_carry_over() {
        let entries = entries(
            "model_list:
- {model_name: fast, litellm_params: {model: moonshot/kimi-k3, api_base: 'https://a.test/v1'}}
- {model_name: fast, litellm_params: {model: moonshot/kimi-k3, api_base: 'https://b.test/v1'}}
- {model_name: my-*, litellm_params: {model: moonshot/*, api_base: 'https://a.test/v1'}}",
        );
        assert!(entries.only().is_none() && !entries.is_one_for_all());
        let bases = [(); 3].map(|()| entries.choose("fast").unwrap().upstream.base);
        assert_eq!(
            bases,
            [
                "https://a.test/v1",
                "https://b.test/v1",
                "https://a.test/v1"
            ]
            .map(Arc::from)
        );
        let choice = entries.choose("my-kimi-k2").unwrap();
        assert!(target(&choice).unwrap().contains("kimi-k2"));
        assert!(entries.choose("my-").is_none());
        assert!(entries.choose("gpt-4").is_none());
    }

    #[test]
    fn an_upstream_that_all_share_serves_what_has_no_model() {
        let two = "model_list:
- {model_name: a, litellm_params: {model: moonshot/a, api_key: sk-a}}
- {model_name: b, litellm_params: {model: moonshot/b, api_key: sk-";
        assert!(entries(&format!("{two}a}}}}")).only().is_some());
        assert!(entries(&format!("{two}b}}}}")).only().is_none());
        let one = entries("model_list: [{model_name: '*', litellm_params: {model: moonshot/*}}]");
        assert!(one.is_one_for_all());
        assert!(target(&one.choose("x").unwrap()).is_some());
    }
}
