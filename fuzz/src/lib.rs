//! What several targets share: a mutator that keeps JSON valid, and scripted bodies.

pub mod body;
pub mod json;
