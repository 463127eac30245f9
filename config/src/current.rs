//! A value that a reload of the configuration replaces.

use std::sync::{Arc, PoisonError, RwLock};

/// The value in use. Clones share it. What has begun with a value keeps it.
#[derive(Clone, Debug)]
pub struct Current<T>(Arc<RwLock<T>>);

impl<T: Clone> Current<T> {
    /// Begins with `value`.
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(value)))
    }

    /// Returns a clone of the value in use.
    #[must_use]
    pub fn get(&self) -> T {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    /// Replaces the value for all clones of this.
    pub fn replace(&self, value: T) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *current = value;
    }
}
