//! The configuration.

use std::sync::Arc;

use tower::Layer;

use super::{ResponseCompat, ResponseRule, rule::Rules};

/// The default of [`ResponseCompatLayer::with_max_answer_bytes`], 8 MiB.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// No limit is higher, so that offsets fit 32 bits.
const HIGHEST_LIMIT: usize = 1 << 30;

/// Layer that applies [`ResponseCompat`], which repairs in answers what OpenAI's
/// clients don't understand.
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
    /// A layer with every rule on.
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

    /// Disables a rule: what it would repair passes as it came.
    pub fn without_rule(mut self, rule: ResponseRule) -> Self {
        self.config().rules.switch(rule, false);
        self
    }

    /// Disables every rule, to enable some again one by one.
    pub fn without_rules(mut self) -> Self {
        for &rule in ResponseRule::ALL {
            self.config().rules.switch(rule, false);
        }
        self
    }

    /// The length in bytes up to which one event of a stream, or one JSON answer, is
    /// read. The default is 8 MiB, and the highest limit 1 GiB. What is longer passes
    /// unchanged, and the end of a stream with such an event is not judged.
    ///
    /// It bounds the memory of one response: a JSON answer is read as a whole, and of
    /// a stream no more than twice the limit is held back.
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
