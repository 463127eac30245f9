//! Kinds of failures of an upstream, and which of them a retry may cure.

/// A failure of the upstream. Its name is a label in the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Failure {
    /// The connection or its TLS handshake failed.
    Connect,
    /// The time limit for connecting has passed.
    ConnectTimeout,
    /// The time limit for the response to begin has passed.
    Timeout,
    /// The connection broke, or the response was not HTTP.
    Reset,
    /// 429: this account sends too many requests.
    Rate,
    /// 429: Moonshot is overloaded.
    Overloaded,
    /// 429: the account has no money left, so waiting does not help.
    Quota,
    /// 401: the key is refused.
    Key,
    /// Another 4xx: the request is at fault.
    Refused,
    /// 5xx.
    Server,
}

impl Failure {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect_timeout",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Rate => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Quota => "quota",
            Self::Key => "key",
            Self::Refused => "refused",
            Self::Server => "server",
        }
    }

    /// Whether a retry with the same upstream may succeed.
    pub(crate) const fn is_passing(self) -> bool {
        match self {
            Self::Connect
            | Self::ConnectTimeout
            | Self::Reset
            | Self::Rate
            | Self::Overloaded
            | Self::Server => true,
            // After a timeout the model may have done the work, and be paid for it.
            Self::Timeout | Self::Quota | Self::Key | Self::Refused => false,
        }
    }

    /// Whether another upstream or another account may succeed.
    pub(crate) const fn is_local(self) -> bool {
        self.is_passing() || matches!(self, Self::Quota | Self::Key)
    }
}

/// Marks a response as a failure, in its extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed(pub(crate) Failure);
