//! The configuration.

use std::{env, num::NonZeroU32, sync::Arc};

use bytes::Bytes;
use tower::Layer;

use crate::{
    ApiKey, ConfigError, MoonshotCompat, NPolicy, Region, Report, Rope, Rule, ToolChoicePolicy,
    model::provider_prefix,
    report::Skipped,
    rewrite::{self, Settings},
};

/// The environment variables that [`MoonshotCompatLayer::from_env`] reads.
const API_BASE: &str = "MOONSHOT_API_BASE";
const API_KEY: &str = "MOONSHOT_API_KEY";

/// Moonshot's own limit for a request body, 100 MB (documented).
pub(crate) const MAX_BODY_BYTES: usize = 100_000_000;

/// Layer that applies [`MoonshotCompat`], which makes OpenAI-style requests
/// acceptable to Moonshot.
///
/// Cloning is cheap. See the [crate docs](crate) for an example.
#[derive(Clone, Debug)]
#[must_use]
pub struct MoonshotCompatLayer {
    config: Arc<Config>,
}

#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) settings: Settings,
    pub(crate) region: Region,
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) max_body_bytes: usize,
}

impl Default for MoonshotCompatLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl MoonshotCompatLayer {
    /// A layer with every rule on, for [`Region::Global`], without an API key.
    pub fn new() -> Self {
        Self {
            config: Arc::new(Config {
                settings: Settings::default(),
                region: Region::Global,
                api_key: None,
                max_body_bytes: MAX_BODY_BYTES,
            }),
        }
    }

    /// A layer as [`new`](Self::new) makes it, but with the base URL in
    /// `MOONSHOT_API_BASE` and the key in `MOONSHOT_API_KEY`, as far as they are
    /// set and not empty.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if one of them is set to something unusable.
    pub fn from_env() -> Result<Self, ConfigError> {
        let mut layer = Self::new();
        if let Some(base) = variable(API_BASE)? {
            layer = layer.with_region(Region::custom(&base)?);
        }
        if let Some(key) = variable(API_KEY)? {
            layer = layer.with_api_key(ApiKey::new(key)?);
        }
        Ok(layer)
    }

    fn config(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }

    /// Where requests go. The default is [`Region::Global`].
    ///
    /// A [`Region`] in the extensions of a request overrides this one for that
    /// request.
    pub fn with_region(mut self, region: impl Into<Region>) -> Self {
        self.config().region = region.into();
        self
    }

    /// Where requests go whose extensions name no other [`Region`].
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.config.region
    }

    /// The key that is sent as `Authorization: Bearer …`, in place of the
    /// caller's. The default is none: the caller's `Authorization` stays.
    ///
    /// The key belongs to the layer's region and is sent nowhere else: a request
    /// whose extensions name another [`Region`] keeps the caller's
    /// `Authorization`, unless its extensions have an [`ApiKey`] too, which
    /// always wins.
    pub fn with_api_key(mut self, key: ApiKey) -> Self {
        self.config().api_key = Some(key);
        self
    }

    /// Sends requests for the model `name` to the model `target`. The default is
    /// no aliases.
    ///
    /// Names are looked up once, first as they came, then without a `moonshot/`
    /// or `moonshotai/` before them.
    ///
    /// # Errors
    ///
    /// [`ConfigError::AliasOfAlias`] if `target` is itself an alias, or `name`
    /// the target of one; [`ConfigError::EmptyAlias`] if one of them is empty.
    pub fn with_alias(self, name: &str, target: &str) -> Result<Self, ConfigError> {
        self.with_aliases([(name, target)])
    }

    /// Adds several aliases, as [`with_alias`](Self::with_alias) does one.
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
        for (name, target) in aliases {
            let (name, target) = (name.as_ref(), target.as_ref());
            // Moonshot knows no prefixes, so the target must not have one.
            let target = &target[provider_prefix(target)..];
            if name.is_empty() || target.is_empty() {
                return Err(ConfigError::EmptyAlias);
            }
            known.insert(name.into(), target.into());
        }
        for (name, target) in known.iter() {
            if known.contains_key(&**target) {
                return Err(ConfigError::AliasOfAlias {
                    name: name.to_string(),
                    target: target.to_string(),
                });
            }
        }
        Ok(self)
    }

    /// Switches a rule on. The default is that all are.
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.config().settings.switch(rule, true);
        self
    }

    /// Switches a rule off: what it would repair reaches Moonshot as it came.
    pub fn without_rule(mut self, rule: Rule) -> Self {
        self.config().settings.switch(rule, false);
        self
    }

    /// Switches every rule off, to switch some on again one by one.
    pub fn without_rules(mut self) -> Self {
        for &rule in Rule::ALL {
            self.config().settings.switch(rule, false);
        }
        self
    }

    /// What happens to a `tool_choice` that forces a call where the model refuses
    /// it. The default is [`ToolChoicePolicy::Nudge`].
    pub fn with_tool_choice(mut self, policy: ToolChoicePolicy) -> Self {
        self.config().settings.tool_choice = policy;
        self
    }

    /// What happens to `n` above 1 on models that give one answer only. The
    /// default is [`NPolicy::Remove`].
    pub fn with_n(mut self, policy: NPolicy) -> Self {
        self.config().settings.n = policy;
        self
    }

    /// The work that the repair of one request's schemas may take, in steps. The
    /// default is 1 000 000 steps, which take about 20 ms.
    ///
    /// Steps are counted, not timed, so that the same request always gets the same
    /// answer: one step is about the work on one member of a schema in one pass. Tools
    /// of everyday size take some thousand steps each. When the budget is spent, the
    /// remaining schemas are forwarded as they came, and
    /// [`Report::unrepaired_schemas`] says how many.
    pub fn with_schema_budget(mut self, steps: u64) -> Self {
        self.config().settings.schema_budget = steps;
        self
    }

    /// Raises `max_tokens` and `max_completion_tokens` of requests to models that think
    /// to this number, where they are lower. The default is 0, which raises none.
    ///
    /// Thoughts are part of the completion, so a budget that was enough for other
    /// models may be used up before the answer begins. Moonshot documents 16 000 as the
    /// least for models that think. A budget that is absent is not added.
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

    /// The length in bytes up to which a body is read. The default is
    /// 100 000 000, Moonshot's own limit. A longer body is not read to its end:
    /// it goes on as it came.
    ///
    /// What is noted of a body takes memory too while it is judged: next to nothing
    /// for texts, and never more than 40 times its length and a megabyte, which is for
    /// bodies of nothing but the smallest messages or tools. Where anybody may send
    /// those, a lower limit is of use.
    pub fn with_max_body_bytes(mut self, limit: usize) -> Self {
        self.config().max_body_bytes = limit;
        self
    }

    /// Rewrites the body of one chat request, without any HTTP around it, as the
    /// service does: for callers that are not built on tower, and for tests.
    ///
    /// A body that needs no change, or is no chat request, comes back as it is:
    /// the same [`Bytes`], in one piece. Region, key and size limit play no part.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use tower_moonshot::MoonshotCompatLayer;
    ///
    /// let body = Bytes::from_static(br#"{"model":"moonshot/kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#);
    /// let (body, report) = MoonshotCompatLayer::new().rewrite(body);
    /// assert_eq!(body.into_bytes(), r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#);
    /// assert_eq!(report.changes().len(), 1);
    /// ```
    pub fn rewrite(&self, body: Bytes) -> (Rope, Report) {
        self.config.rewrite(body)
    }
}

impl Config {
    pub(crate) fn rewrite(&self, body: Bytes) -> (Rope, Report) {
        match rewrite::rewrite(&body, &self.settings) {
            Ok(None) => (Rope::from(body), Report::nothing_to_change()),
            Ok(Some(rewritten)) => {
                let report = Report::rewritten(
                    rewritten.changes,
                    rewritten.left_out,
                    rewritten.schemas_left,
                );
                (rewritten.body, report)
            }
            Err(why) => {
                let why = Skipped::from_rewrite(why, &body);
                (Rope::from(body), Report::skipped_because(why))
            }
        }
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
