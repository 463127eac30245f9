//! Settings for one request, which an outer service puts into its extensions.

use std::{collections::HashMap, fmt, sync::Arc};

use http::Extensions;

use crate::{ConfigError, model::provider_prefix};

/// The model names of callers, and the ids that they stand for.
///
/// [`MoonshotCompatLayer::with_aliases`](crate::MoonshotCompatLayer::with_aliases) sets
/// those of a layer. In the extensions of a request, this replaces them for that
/// request. Cloning is cheap.
///
/// Names are looked up once, first as sent, then without a `moonshot/` or
/// `moonshotai/` prefix.
///
/// ```
/// use tower_moonshot::ModelAliases;
///
/// let aliases = ModelAliases::new([("gpt-4o", "kimi-k3"), ("small", "kimi-k2.6")])?;
/// assert_eq!(aliases.get("gpt-4o"), Some("kimi-k3"));
///
/// // An alias has to lead to a model, not to another alias.
/// assert!(ModelAliases::new([("a", "b"), ("b", "kimi-k3")]).is_err());
/// # Ok::<(), tower_moonshot::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelAliases {
    targets: Arc<HashMap<Box<str>, Box<str>>>,
}

impl ModelAliases {
    /// Creates a map from pairs of a name and the id that it stands for. If a name
    /// appears twice, the last one wins.
    ///
    /// # Errors
    ///
    /// As [`extended`](Self::extended).
    pub fn new<N, T>(aliases: impl IntoIterator<Item = (N, T)>) -> Result<Self, ConfigError>
    where
        N: AsRef<str>,
        T: AsRef<str>,
    {
        Self::default().extended(aliases)
    }

    /// Adds pairs of a name and the id that it stands for.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::AliasOfAlias`] if the target of an alias is itself an
    /// alias, and [`ConfigError::EmptyAlias`] if a name or a target is empty.
    pub fn extended<N, T>(
        mut self,
        aliases: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self, ConfigError>
    where
        N: AsRef<str>,
        T: AsRef<str>,
    {
        let targets = Arc::make_mut(&mut self.targets);
        for (name, target) in aliases {
            let (name, target) = (name.as_ref(), target.as_ref());
            // Moonshot rejects prefixes, so the target must not have one.
            let target = &target[provider_prefix(target)..];
            if name.is_empty() || target.is_empty() {
                return Err(ConfigError::EmptyAlias);
            }
            targets.insert(name.into(), target.into());
        }
        let second = targets
            .iter()
            .find(|(_, target)| targets.contains_key(&***target));
        if let Some((name, target)) = second {
            return Err(ConfigError::AliasOfAlias {
                name: name.to_string(),
                target: target.to_string(),
            });
        }
        Ok(self)
    }

    /// The id that `name` stands for, if it is an alias.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.targets.get(name).map(|target| &**target)
    }

    /// Whether there are no aliases.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }
}

/// The model that a request is sent to, whatever its body names. Put it into the
/// extensions of the request.
///
/// The rewrite applies the rules for this model. Has no effect where
/// [`Rule::Model`](crate::Rule::Model) is disabled.
///
/// ```
/// use tower_moonshot::TargetModel;
///
/// let target = TargetModel::new("moonshot/kimi-k3")?;
/// assert_eq!(target.id(), "kimi-k3");
/// # Ok::<(), tower_moonshot::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TargetModel {
    id: Arc<str>,
}

impl TargetModel {
    /// Creates a target from a model's id. A `moonshot/` or `moonshotai/` prefix is
    /// removed.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::EmptyModel`] if the id is empty.
    pub fn new(id: impl AsRef<str>) -> Result<Self, ConfigError> {
        let id = id.as_ref();
        let id = &id[provider_prefix(id)..];
        if id.is_empty() {
            return Err(ConfigError::EmptyModel);
        }
        Ok(Self { id: id.into() })
    }

    /// The model's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for TargetModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TargetModel").field(&self.id).finish()
    }
}

/// Forwards the body of a request unread; only its URL and key are changed. Put it into
/// the extensions of the request.
///
/// The [`Report`](crate::Report) of the request is then
/// [`Skipped::ByRequest`](crate::Skipped::ByRequest).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LeaveBody;

/// The extensions of a request that affect the rewrite.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overrides<'a> {
    pub(crate) target: Option<&'a TargetModel>,
    pub(crate) aliases: Option<&'a ModelAliases>,
}

impl<'a> Overrides<'a> {
    pub(crate) fn of(extensions: &'a Extensions) -> Self {
        Self {
            target: extensions.get(),
            aliases: extensions.get(),
        }
    }
}
