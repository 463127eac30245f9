//! The router of a worker, which a reload of the configuration replaces.

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;

/// The current router. Clones share it. A request keeps the router that it began with.
#[derive(Clone, Debug)]
pub(crate) struct Current(Arc<RwLock<Router>>);

impl Current {
    pub(crate) fn new(router: Router) -> Self {
        Self(Arc::new(RwLock::new(router)))
    }

    pub(crate) fn get(&self) -> Router {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    pub(crate) fn replace(&self, router: Router) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *current = router;
    }
}
