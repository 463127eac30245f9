//! The layer.

use std::time::Duration;

use tower::Layer;

use super::BodyReadTimeout;
use crate::MoonshotCompatLayer;

/// Layer that applies [`MoonshotCompat`](crate::MoonshotCompat) with a timeout for
/// reading request bodies.
///
/// It is created by [`MoonshotCompatLayer::with_body_read_timeout`]. See the
/// [module docs](super) for an example.
#[derive(Clone, Debug)]
#[must_use]
pub struct BodyReadTimeoutLayer {
    layer: MoonshotCompatLayer,
    timeout: Duration,
}

impl MoonshotCompatLayer {
    /// Sets how long the layer waits for the next byte of a body that it reads. The
    /// default is no limit.
    ///
    /// This is the last of the settings, because it changes the type of the layer: the
    /// service's error becomes [`BoxError`](tower::BoxError), and is a
    /// [`BodyReadTimeoutError`](crate::timeout::BodyReadTimeoutError) if the time has
    /// passed. See the [module docs](crate::timeout) for what is timed.
    #[cfg_attr(docsrs, doc(cfg(feature = "timeout")))]
    pub const fn with_body_read_timeout(self, timeout: Duration) -> BodyReadTimeoutLayer {
        BodyReadTimeoutLayer {
            layer: self,
            timeout,
        }
    }
}

impl<S> Layer<S> for BodyReadTimeoutLayer {
    type Service = BodyReadTimeout<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BodyReadTimeout::new(self.layer.layer(inner), self.timeout)
    }
}
