//! Configuration of the layer.

use std::sync::Arc;

use tower::Layer;

use super::{ResponseCompat, ResponseRule, rule::Rules};

/// The default of [`ResponseCompatLayer::with_max_answer_bytes`], 8 MiB.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// The highest limit, 1 GiB. It keeps offsets within 32 bits.
const HIGHEST_LIMIT: usize = 1 << 30;

/// Layer that applies [`ResponseCompat`], which repairs answers for OpenAI's clients.
///
/// | setting | default | method |
/// |---|---|---|
/// | rules | all enabled | [`with_rule`], [`without_rule`], [`without_rules`] |
/// | longest event or JSON answer that is read | 8 MiB | [`with_max_answer_bytes`] |
///
/// [`with_rule`]: Self::with_rule
/// [`without_rule`]: Self::without_rule
/// [`without_rules`]: Self::without_rules
/// [`with_max_answer_bytes`]: Self::with_max_answer_bytes
///
/// Cloning is cheap. See the [module docs](super) for an example.
#[derive(Clone, Debug)]
#[must_use]
pub struct ResponseCompatLayer {
    config: Arc<Config>,
}

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) rules: Rules,
    pub(super) max_answer_bytes: usize,
}

impl Default for ResponseCompatLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl ResponseCompatLayer {
    /// Creates a layer with the defaults above.
    pub fn new() -> Self {
        Self {
            config: Arc::new(Config {
                rules: Rules::default(),
                max_answer_bytes: MAX_ANSWER_BYTES,
            }),
        }
    }

    fn config(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }

    /// Enables a rule. All rules are enabled by default.
    pub fn with_rule(mut self, rule: ResponseRule) -> Self {
        self.config().rules.switch(rule, true);
        self
    }

    /// Disables a rule. What it would repair is forwarded unchanged. All rules are enabled by
    /// default.
    pub fn without_rule(mut self, rule: ResponseRule) -> Self {
        self.config().rules.switch(rule, false);
        self
    }

    /// Disables every rule, so that single rules can be enabled again with
    /// [`with_rule`](Self::with_rule).
    pub fn without_rules(mut self) -> Self {
        for &rule in ResponseRule::ALL {
            self.config().rules.switch(rule, false);
        }
        self
    }

    /// Sets the length in bytes up to which one event of a stream, or one JSON answer, is
    /// read. The default is 8 MiB; values above 1 GiB are lowered to 1 GiB.
    ///
    /// Longer events and answers are forwarded unchanged. A stream with such an event is not
    /// checked for its end ([`ResponseRule::End`]).
    ///
    /// The limit bounds the memory of one response: a JSON answer is buffered as a whole, and
    /// at most twice the limit of a stream.
    pub fn with_max_answer_bytes(mut self, limit: usize) -> Self {
        self.config().max_answer_bytes = limit.min(HIGHEST_LIMIT);
        self
    }
}

impl<S> Layer<S> for ResponseCompatLayer {
    type Service = ResponseCompat<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ResponseCompat::with_config(inner, Arc::clone(&self.config))
    }
}
