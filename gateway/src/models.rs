//! Maps model names to the entries of the configuration that serve them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::http::Extensions;
use moonshot_config::names::{Names, target};
use tower_moonshot::{ApiKey, ConfigError, LeaveBody, MoonshotCompatLayer, Region, TargetModel};

use super::{
    config::{Config, Entry},
    heavy::QUICK_STEPS,
};

/// All configured names.
#[derive(Debug)]
pub(crate) struct Models {
    /// In the order of the configuration.
    names: Vec<Arc<Name>>,
    by_name: Names<Arc<Name>>,
    is_open: bool,
}

/// A name and its entries, which take turns.
#[derive(Debug)]
pub(crate) struct Name {
    /// The configured name, used as a label in the metrics.
    pub(crate) label: Arc<str>,
    deployments: Vec<Deployment>,
    next: AtomicUsize,
}

/// One entry: an upstream, and the layer that rewrites requests for it.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    /// Moonshot's id, with or without a `*`.
    model: Box<str>,
    region: Region,
    api_key: Option<ApiKey>,
    layer: MoonshotCompatLayer,
    quick_layer: MoonshotCompatLayer,
    rewrites: bool,
    /// The base URL in logs and metrics.
    pub(crate) upstream: Arc<str>,
}

/// The name that a request asked for, and the entry that serves it now.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    name: Arc<Name>,
    asked: Arc<str>,
    first: usize,
    /// The number of entries that were tried before.
    turn: usize,
}

impl Models {
    /// Without `rewrites`, only URL and key of a request are set.
    pub(crate) fn new(config: &Config, rewrites: bool) -> Self {
        let mut names: Vec<Name> = Vec::new();
        for entry in &config.entries {
            let deployment = Deployment::new(entry, rewrites);
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
        let by_name = names.iter().cloned();
        Self {
            by_name: Names::new(by_name.map(|name| (name.label.to_string(), name))),
            names,
            is_open: config.is_open,
        }
    }

    /// Whether every model is served under Moonshot's name for it. Then the list of
    /// models is Moonshot's.
    pub(crate) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Returns the configured names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &*name.label)
    }

    /// Chooses the entry for a model: of the name that is equal, else of the most
    /// specific wildcard that matches.
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
        self.by_name.find(asked)
    }

    /// Returns the upstream that all entries share; `None` if their base URLs or keys
    /// differ.
    pub(crate) fn only_upstream(&self) -> Option<&Deployment> {
        let mut all = self.names.iter().flat_map(|name| &name.deployments);
        let first = all.next()?;
        all.all(|other| other.is_same_upstream(first))
            .then_some(first)
    }
}

impl Deployment {
    fn new(entry: &Entry, rewrites: bool) -> Self {
        let mut layer = MoonshotCompatLayer::new()
            .with_region(entry.region.clone())
            // The body limit is checked further out.
            .with_max_body_bytes(usize::MAX);
        if let Some(key) = &entry.api_key {
            layer = layer.with_api_key(key.clone());
        }
        Self {
            model: entry.model.as_str().into(),
            region: entry.region.clone(),
            api_key: entry.api_key.clone(),
            quick_layer: layer.clone().with_schema_budget(QUICK_STEPS),
            layer,
            rewrites,
            upstream: entry.region.base_url().to_string().into(),
        }
    }

    /// Whether it has a key, which replaces the client's.
    pub(crate) const fn has_key(&self) -> bool {
        self.api_key.is_some()
    }

    fn is_same_upstream(&self, other: &Self) -> bool {
        self.region == other.region && self.api_key == other.api_key
    }

    /// Returns the layer that sets the entry's region and key and rewrites bodies.
    pub(crate) const fn layer(&self) -> &MoonshotCompatLayer {
        &self.layer
    }

    /// Returns the same layer for a worker, which spends less on schemas.
    pub(crate) const fn quick_layer(&self) -> &MoonshotCompatLayer {
        &self.quick_layer
    }
}

impl Choice {
    /// Returns the name that the client asked for.
    pub(crate) const fn asked(&self) -> &Arc<str> {
        &self.asked
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn deployment(&self) -> &Deployment {
        let deployments = &self.name.deployments;
        // Every name has at least one entry.
        &deployments[self.first.wrapping_add(self.turn) % deployments.len()]
    }

    /// Whether there is an entry that was not tried yet.
    pub(crate) fn has_another(&self) -> bool {
        self.turn + 1 < self.name.deployments.len()
    }

    /// Moves on to the next entry, from the last to the first.
    pub(crate) const fn advance(&mut self) {
        self.turn += 1;
    }

    /// Tells the entry's layer, in the extensions of the request, which model to send
    /// it to and whether to leave its body.
    pub(crate) fn direct(&self, extensions: &mut Extensions) -> Result<(), ConfigError> {
        let deployment = self.deployment();
        if !deployment.rewrites {
            extensions.insert(LeaveBody);
        }
        // Else the client's model is sent as it is.
        if let Some(model) = target(&self.name.label, &deployment.model, &self.asked) {
            extensions.insert(TargetModel::new(model)?);
        }
        Ok(())
    }
}
