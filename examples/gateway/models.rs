//! Which entries of the configuration serve a model name.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tower_moonshot::{ApiKey, ConfigError, MoonshotCompatLayer, Region};

use super::config::{Config, Entry};

/// Every name that is served.
#[derive(Debug)]
pub(crate) struct Models {
    /// In the order of the configuration.
    names: Vec<Arc<Name>>,
    exact: HashMap<String, Arc<Name>>,
    /// The most specific, which is the longest, first.
    wildcards: Vec<Arc<Name>>,
    is_open: bool,
}

/// A name, and the entries that take turns in serving it.
#[derive(Debug)]
pub(crate) struct Name {
    /// As it is configured: one of a few, so a good label for metrics.
    pub(crate) label: Arc<str>,
    deployments: Vec<Deployment>,
    next: AtomicUsize,
}

/// One entry: where it is, and the layer that makes requests fit it.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    /// May have a `*`.
    model: Box<str>,
    region: Region,
    api_key: Option<ApiKey>,
    layer: MoonshotCompatLayer,
    /// The base URL, for logs and metrics.
    pub(crate) upstream: Arc<str>,
}

/// A name that was asked for, and which of its entries is to serve it now.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    name: Arc<Name>,
    asked: Arc<str>,
    first: usize,
    /// How many entries were tried before.
    turn: usize,
}

impl Models {
    /// With `rewrites` off, layers set URL and key only.
    pub(crate) fn new(config: &Config, rewrites: bool) -> Result<Self, ConfigError> {
        let mut names: Vec<Name> = Vec::new();
        for entry in &config.entries {
            let deployment = Deployment::new(entry, rewrites)?;
            match names.iter_mut().find(|name| *name.label == *entry.name) {
                Some(name) => name.deployments.push(deployment),
                None => names.push(Name {
                    label: entry.name.as_str().into(),
                    deployments: vec![deployment],
                    next: AtomicUsize::new(0),
                }),
            }
        }
        let names: Vec<_> = names.into_iter().map(Arc::new).collect();
        let (mut wildcards, exact): (Vec<_>, Vec<_>) = names
            .iter()
            .cloned()
            .partition(|name| name.label.contains('*'));
        wildcards.sort_by_key(|name| std::cmp::Reverse(name.label.len()));
        Ok(Self {
            exact: exact
                .into_iter()
                .map(|name| (name.label.to_string(), name))
                .collect(),
            wildcards,
            names,
            is_open: config.is_open,
        })
    }

    /// Whether every model is served under its own name, so that only Moonshot
    /// can list them.
    pub(crate) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// The names as they are configured.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &*name.label)
    }

    /// Who serves a model: a name that is exactly this one, else the most
    /// specific wildcard.
    pub(crate) fn choose(&self, asked: &str) -> Option<Choice> {
        let name = self.find(asked)?;
        Some(Choice {
            first: name.next.fetch_add(1, Ordering::Relaxed),
            turn: 0,
            asked: asked.into(),
            name: Arc::clone(name),
        })
    }

    pub(crate) fn find(&self, asked: &str) -> Option<&Arc<Name>> {
        self.exact.get(asked).or_else(|| {
            let mut wildcards = self.wildcards.iter();
            wildcards.find(|name| starred(&name.label, asked).is_some())
        })
    }

    /// The one upstream of all entries, with one key; `None` if there are several.
    pub(crate) fn only_upstream(&self) -> Option<&Deployment> {
        let mut all = self.names.iter().flat_map(|name| &name.deployments);
        let first = all.next()?;
        all.all(|other| other.is_same_upstream(first))
            .then_some(first)
    }
}

impl Deployment {
    fn new(entry: &Entry, rewrites: bool) -> Result<Self, ConfigError> {
        let mut layer = MoonshotCompatLayer::new()
            .with_region(entry.region.clone())
            // How much is read is decided further out. A layer that may read
            // nothing sets URL and key, and leaves the body alone.
            .with_max_body_bytes(if rewrites { usize::MAX } else { 0 });
        if let Some(key) = &entry.api_key {
            layer = layer.with_api_key(key.clone());
        }
        let is_starred = entry.name.contains('*') || entry.model.contains('*');
        if !is_starred {
            layer = aliased(layer, &entry.name, &entry.model)?;
        }
        Ok(Self {
            model: entry.model.as_str().into(),
            region: entry.region.clone(),
            api_key: entry.api_key.clone(),
            layer,
            upstream: entry.region.base_url().to_string().into(),
        })
    }

    fn is_same_upstream(&self, other: &Self) -> bool {
        self.region == other.region && self.api_key == other.api_key
    }

    /// The layer for requests that name no model.
    pub(crate) const fn layer(&self) -> &MoonshotCompatLayer {
        &self.layer
    }
}

impl Choice {
    /// What the client asked for.
    pub(crate) const fn asked(&self) -> &Arc<str> {
        &self.asked
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn deployment(&self) -> &Deployment {
        let deployments = &self.name.deployments;
        // There is no name without an entry.
        &deployments[self.first.wrapping_add(self.turn) % deployments.len()]
    }

    /// Whether an entry is left that wasn't tried.
    pub(crate) fn has_another(&self) -> bool {
        self.turn + 1 < self.name.deployments.len()
    }

    /// Goes on to the next entry, after the last to the first.
    pub(crate) const fn advance(&mut self) {
        self.turn += 1;
    }

    /// The layer that makes the request fit the entry.
    pub(crate) fn layer(&self) -> Result<MoonshotCompatLayer, ConfigError> {
        let deployment = self.deployment();
        let layer = deployment.layer.clone();
        match starred(&self.name.label, &self.asked) {
            None => Ok(layer),
            Some(part) => aliased(layer, &self.asked, &deployment.model.replacen('*', part, 1)),
        }
    }
}

/// Sends `name` to `model`, unless they are the same: the layer takes
/// `moonshot/` away by itself.
fn aliased(
    layer: MoonshotCompatLayer,
    name: &str,
    model: &str,
) -> Result<MoonshotCompatLayer, ConfigError> {
    fn plain(mut id: &str) -> &str {
        while let Some(rest) = id.strip_prefix("moonshot/") {
            id = rest;
        }
        id
    }
    if plain(name) == plain(model) {
        Ok(layer)
    } else {
        layer.with_alias(name, model)
    }
}

/// What stands in `name` where `pattern` has its `*`; `None` if they don't match.
fn starred<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let (before, after) = pattern.split_once('*')?;
    name.strip_prefix(before)?.strip_suffix(after)
}
