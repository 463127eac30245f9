//! Maps model names to the entries of the configuration that serve them.

use std::sync::{Arc, atomic::AtomicUsize};

use axum::http::Extensions;
use moonshot_config::names::{Names, target};
use tower_moonshot::{ApiKey, ConfigError, LeaveBody, MoonshotCompatLayer, Region, TargetModel};

use super::{
    balance::{Accounts, Balance, Candidate, Digest, Health, Identity, now},
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

/// A name and its entries.
#[derive(Debug)]
pub(crate) struct Name {
    /// The configured name, used as a label in the metrics.
    pub(crate) label: Arc<str>,
    deployments: Vec<Deployment>,
    /// Whose turn it is.
    turn: AtomicUsize,
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
    identity: Identity,
    pub(crate) health: Arc<Health>,
}

/// The name that a request asked for, and the entry that serves it now.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    name: Arc<Name>,
    asked: Arc<str>,
    /// The places of the entries in the configuration, in the order in which to try them.
    order: Vec<usize>,
    /// The number of entries that were tried before.
    tried: usize,
    /// The place of the entry that would be asked if none cooled down.
    preferred: usize,
}

impl Models {
    /// Without `rewrites`, only URL and key of a request are set.
    pub(crate) fn new(config: &Config, rewrites: bool, accounts: &Accounts) -> Self {
        let mut names: Vec<Name> = Vec::new();
        for entry in &config.entries {
            let deployment = Deployment::new(entry, rewrites, accounts);
            match names.iter_mut().find(|name| *name.label == *entry.name) {
                Some(name) => name.deployments.push(deployment),
                None => names.push(Name {
                    label: entry.name.as_str().into(),
                    deployments: vec![deployment],
                    turn: AtomicUsize::new(0),
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

    /// Returns what identifies the entries.
    pub(crate) fn identities(&self) -> Vec<Identity> {
        let deployments = self.names.iter().flat_map(|name| &name.deployments);
        deployments.map(|one| one.identity).collect()
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

    /// Returns the name for a model: the one that is equal, else the most specific
    /// wildcard that matches.
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
    fn new(entry: &Entry, rewrites: bool, accounts: &Accounts) -> Self {
        let mut layer = MoonshotCompatLayer::new()
            .with_region(entry.region.clone())
            // The body limit is checked further out.
            .with_max_body_bytes(usize::MAX);
        if let Some(key) = &entry.api_key {
            layer = layer.with_api_key(key.clone());
        }
        let upstream = entry.region.base_url().to_string();
        let identity = Identity::new(&upstream, entry.api_key.as_ref(), &entry.model);
        Self {
            health: accounts.health(&identity),
            identity,
            model: entry.model.as_str().into(),
            region: entry.region.clone(),
            api_key: entry.api_key.clone(),
            quick_layer: layer.clone().with_schema_budget(QUICK_STEPS),
            layer,
            rewrites,
            upstream: upstream.into(),
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

impl Name {
    /// Whether there is a choice.
    pub(crate) fn has_several(&self) -> bool {
        self.deployments.len() > 1
    }
}

impl Choice {
    /// Chooses the entry of a name, for a conversation that begins in this way.
    pub(crate) fn new(
        name: &Arc<Name>,
        asked: &str,
        balance: Balance,
        conversation: Option<&Digest>,
    ) -> Self {
        let (order, preferred) = if name.has_several() {
            let entries: Vec<_> = name
                .deployments
                .iter()
                .map(|deployment| Candidate {
                    identity: &deployment.identity,
                    health: &deployment.health,
                })
                .collect();
            balance.order(&entries, conversation, &name.turn, now())
        } else {
            (vec![0], 0)
        };
        Self {
            name: Arc::clone(name),
            asked: asked.into(),
            order,
            tried: 0,
            preferred,
        }
    }

    /// Returns the name that the client asked for.
    pub(crate) const fn asked(&self) -> &Arc<str> {
        &self.asked
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn deployment(&self) -> &Deployment {
        // Every name has at least one entry.
        &self.name.deployments[self.place()]
    }

    /// The place of the entry among those of its name in the configuration.
    pub(crate) fn place(&self) -> usize {
        self.order[self.tried % self.order.len()]
    }

    /// Whether another entry than the preferred one is asked.
    pub(crate) fn is_moved(&self) -> bool {
        self.place() != self.preferred
    }

    /// Moves on to the next entry that was not tried yet, doesn't cool down, and is
    /// `suitable`. Returns whether there is one; else the choice stays.
    pub(crate) fn advance(&mut self, suitable: impl Fn(&Deployment) -> bool) -> bool {
        let now = now();
        let deployments = &self.name.deployments;
        let next = self.tried + 1;
        let rest = self.order.get_mut(next..).unwrap_or_default();
        let fine = |place: &usize| {
            let deployment = &deployments[*place];
            deployment.health.left(now) == 0 && suitable(deployment)
        };
        let Some(found) = rest.iter().position(fine) else {
            return false;
        };
        // The others keep their order.
        rest[..=found].rotate_right(1);
        self.tried = next;
        true
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
