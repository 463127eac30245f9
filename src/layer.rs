//! The layer, and the builder of its configuration.

use std::{env, num::NonZeroU32, sync::Arc};

use bytes::Bytes;
use http::Request;
use http_body::Body;
use tower::Layer;

use crate::{
    ApiKey, ConfigError, MoonshotCompat, NPolicy, Region, Report, Rule, ToolChoicePolicy,
    admission::{Admission, admit},
    body::Rope,
    config::Config,
    overrides::Overrides,
};

/// The environment variables that [`MoonshotCompatLayer::from_env`] reads.
const API_BASE: &str = "MOONSHOT_API_BASE";
const API_KEY: &str = "MOONSHOT_API_KEY";

/// Layer that applies [`MoonshotCompat`], which makes OpenAI-style requests
/// acceptable to Moonshot.
///
/// Cloning is cheap. See the [crate docs](crate) for an example.
///
/// # Defaults
///
/// | setting | default | for one request, in its extensions |
/// |---|---|---|
/// | [`with_region`](Self::with_region) | [`Region::Global`] | [`Region`] |
/// | [`with_api_key`](Self::with_api_key) | none: the caller's key is forwarded | [`ApiKey`] |
/// | [`with_aliases`](Self::with_aliases) | none | [`ModelAliases`](crate::ModelAliases), [`TargetModel`](crate::TargetModel) |
/// | [`with_rule`](Self::with_rule), [`without_rule`](Self::without_rule) | every [`Rule`] enabled | [`LeaveBody`](crate::LeaveBody) disables all |
/// | [`with_tool_choice_policy`](Self::with_tool_choice_policy) | [`ToolChoicePolicy::Nudge`] | |
/// | [`with_n_policy`](Self::with_n_policy) | [`NPolicy::Remove`] | |
/// | [`with_min_completion_tokens`](Self::with_min_completion_tokens) | 0: no floor | |
/// | [`with_schema_budget`](Self::with_schema_budget) | 1 000 000 steps, about 20 ms | |
/// | [`with_max_body_bytes`](Self::with_max_body_bytes) | 100 000 000 bytes | |
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct MoonshotCompatLayer {
    config: Arc<Config>,
}

impl MoonshotCompatLayer {
    /// Creates a layer with the [defaults](Self#defaults).
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a layer with the region in `MOONSHOT_API_BASE` and the key in
    /// `MOONSHOT_API_KEY`, and the [defaults](Self#defaults) otherwise.
    ///
    /// `MOONSHOT_API_BASE` is a base URL or the name of a [`Region`], such as `china`.
    /// A variable that is unset or empty is ignored.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] if one of the variables has an invalid value.
    pub fn from_env() -> Result<Self, ConfigError> {
        let mut layer = Self::new();
        if let Some(base) = variable(API_BASE)? {
            layer = layer.with_region(base.parse::<Region>()?);
        }
        if let Some(key) = variable(API_KEY)? {
            layer = layer.with_api_key(ApiKey::new(key)?);
        }
        Ok(layer)
    }

    fn config(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }

    /// Sets the region that requests are sent to. The default is [`Region::Global`].
    ///
    /// A [`Region`] in the extensions of a request overrides it for that request.
    pub fn with_region(mut self, region: impl Into<Region>) -> Self {
        self.config().region = region.into();
        self
    }

    /// The region used unless a request's extensions name another.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.config.region
    }

    /// Sets the key that replaces the caller's `Authorization` header. The default is
    /// none: the caller's header is forwarded.
    ///
    /// The key is sent to the layer's region only. A request whose extensions name
    /// another [`Region`] keeps the caller's header. An [`ApiKey`] in the extensions
    /// always wins.
    pub fn with_api_key(mut self, key: ApiKey) -> Self {
        self.config().api_key = Some(key);
        self
    }

    /// Sends requests for the model `name` to the model `target`. The default is
    /// no aliases.
    ///
    /// Names are looked up once, first as sent, then without a `moonshot/` or
    /// `moonshotai/` prefix. [`ModelAliases`](crate::ModelAliases) in the extensions of
    /// a request replace all aliases of the layer for that request.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::AliasOfAlias`] if `target` is itself an alias, or `name`
    /// is the target of one, and [`ConfigError::EmptyAlias`] if one of them is empty.
    pub fn with_alias(self, name: &str, target: &str) -> Result<Self, ConfigError> {
        self.with_aliases([(name, target)])
    }

    /// Adds several aliases at once. See [`with_alias`](Self::with_alias).
    ///
    /// # Errors
    ///
    /// As [`with_alias`](Self::with_alias).
    pub fn with_aliases<N, T>(
        mut self,
        aliases: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self, ConfigError>
    where
        N: AsRef<str>,
        T: AsRef<str>,
    {
        let known = &mut self.config().settings.aliases;
        *known = std::mem::take(known).extended(aliases)?;
        Ok(self)
    }

    /// Enables a rule. All rules are enabled by default.
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.config().settings.switch(rule, true);
        self
    }

    /// Disables a rule. What it would repair is forwarded unchanged.
    pub fn without_rule(mut self, rule: Rule) -> Self {
        self.config().settings.switch(rule, false);
        self
    }

    /// Disables every rule, so that some can be enabled one by one.
    pub fn without_rules(mut self) -> Self {
        for &rule in Rule::ALL {
            self.config().settings.switch(rule, false);
        }
        self
    }

    /// Sets how a forced `tool_choice` is replaced where the model refuses it. The
    /// default is [`ToolChoicePolicy::Nudge`].
    pub fn with_tool_choice_policy(mut self, policy: ToolChoicePolicy) -> Self {
        self.config().settings.tool_choice = policy;
        self
    }

    /// Sets what happens to `n` above 1 on models that give only one answer. The
    /// default is [`NPolicy::Remove`].
    pub fn with_n_policy(mut self, policy: NPolicy) -> Self {
        self.config().settings.n = policy;
        self
    }

    /// Sets how many steps the repair of one request's schemas may take. The default is
    /// 1 000 000 steps, which take about 20 ms.
    ///
    /// Steps are counted instead of time, so that the same request always gets the same
    /// result. One step is about the work on one member of a schema in one pass; a tool
    /// of usual size takes a few thousand. When the budget is spent, the remaining schemas
    /// are forwarded unchanged, and [`Report::unrepaired_schemas`] counts them.
    pub fn with_schema_budget(mut self, steps: u64) -> Self {
        self.config().settings.schema_budget = steps;
        self
    }

    /// Raises `max_tokens` and `max_completion_tokens` of requests to models that think
    /// to this number, where they are lower. The default is 0, which raises none.
    ///
    /// Thoughts are part of the completion, so a budget that was enough for other
    /// models may be used up before the answer begins. Moonshot documents a
    /// minimum of 16 000 for models that think. An absent budget is not added.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use tower_moonshot::MoonshotCompatLayer;
    ///
    /// let layer = MoonshotCompatLayer::new().with_min_completion_tokens(16_000);
    /// let body = Bytes::from_static(br#"{"model":"kimi-k3","messages":[],"max_tokens":200}"#);
    /// let (body, _) = layer.rewrite(body);
    /// assert_eq!(body.into_bytes(), r#"{"model":"kimi-k3","messages":[],"max_tokens":16000}"#);
    /// ```
    pub fn with_min_completion_tokens(mut self, tokens: u32) -> Self {
        self.config().settings.min_completion_tokens = NonZeroU32::new(tokens);
        self
    }

    /// Sets the length in bytes up to which a body is read. The default is
    /// 100 000 000, Moonshot's own limit (documented). A longer body is forwarded
    /// unchanged and is not read to its end.
    ///
    /// A rewrite takes memory beside the body: little for long texts, but up to 40 times
    /// the length of a body that consists of minimal messages or tools, and 1 MB. Set a
    /// lower limit where untrusted callers can send such bodies.
    pub fn with_max_body_bytes(mut self, limit: usize) -> Self {
        self.config().max_body_bytes = limit;
        self
    }

    /// Whether the service reads the body of this request, as far as its head tells: by
    /// method, path, content type, encoding, announced length and
    /// [`LeaveBody`](crate::LeaveBody).
    ///
    /// For services outside of the layer that read the same bodies, such as one that
    /// chooses the region by the model.
    ///
    /// ```
    /// use http::Request;
    /// use tower_moonshot::MoonshotCompatLayer;
    ///
    /// let layer = MoonshotCompatLayer::new();
    /// let chat = Request::post("/v1/chat/completions").body(String::new())?;
    /// assert!(layer.reads(&chat));
    /// let file = Request::post("/v1/files").body(String::new())?;
    /// assert!(!layer.reads(&file));
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn reads<B: Body>(&self, request: &Request<B>) -> bool {
        matches!(admit(request, self.config.max_body_bytes), Admission::Read)
    }

    /// Rewrites the body of one chat request as the service does, without HTTP: for
    /// callers that are not built on tower, and for tests.
    ///
    /// A body that needs no change, or is not a chat request, is returned as it is: the
    /// same [`Bytes`], in one piece. Region, key and size limit have no effect.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use tower_moonshot::MoonshotCompatLayer;
    ///
    /// let body = Bytes::from(r#"{"model":"moonshot/kimi-k3","messages":[]}"#);
    /// let (body, report) = MoonshotCompatLayer::new().rewrite(body);
    /// assert_eq!(body.into_bytes(), r#"{"model":"kimi-k3","messages":[]}"#);
    /// assert_eq!(report.changes().len(), 1);
    /// ```
    pub fn rewrite(&self, body: Bytes) -> (Rope, Report) {
        self.config.rewrite(body, Overrides::default())
    }
}

fn variable(name: &'static str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(ConfigError::NotUnicode { variable: name }),
    }
}

impl<S> Layer<S> for MoonshotCompatLayer {
    type Service = MoonshotCompat<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MoonshotCompat::with_config(inner, Arc::clone(&self.config))
    }
}
